/* Runs a fuzz target over every file of its corpus folder, with any compiler: an ordinary test. */
// SPDX-License-Identifier: MIT
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int replay(const char *dir, const char *name)
{
    SC_AUTO(sc_buf) bytes = sc_buf_init(64u << 20);
    sc_err err = {0};
    char *path = sc_path_join(dir, name);
    if (!path || sc_file_read(path, 64u << 20, &bytes, &err) != SC_OK) {
        printf("not ok - %s: %s\n", name, err.msg);
        sc_free(path);
        return 1;
    }
    // An exact copy on the heap, so that a sanitizer sees every read past the end.
    uint8_t *copy = sc_alloc(bytes.n ? bytes.n : 1, 1);
    if (copy) {
        memcpy(copy, sc_buf_text(&bytes), bytes.n);
        (void)LLVMFuzzerTestOneInput(copy, bytes.n); // always 0; a finding aborts
    }
    sc_free(copy);
    sc_free(path);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    sc_json_setup();
    DIR *dir = opendir(argv[1]);
    if (!dir) {
        printf("not ok 1 - corpus %s is missing\n", argv[1]);
        return 1;
    }
    int bad = 0;
    unsigned n = 0;
    for (const struct dirent *e = NULL; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        bad |= replay(argv[1], e->d_name);
        n++;
    }
    (void)closedir(dir); // opened for reading
    printf("%s 1 - replays %u files\n", n && !bad ? "ok" : "not ok", n);
    return bad;
}
