// SPDX-License-Identifier: MIT
#include "box/place.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SLOTS = 64, PATH_SIZE = 56 };

struct sc_place {
    char top[PATH_SIZE]; // ours alone
    unsigned n;
    char slot[MAX_SLOTS][PATH_SIZE]; // what the sample of that slot may write
};

static sc_code make_top(sc_place *p, sc_err *err)
{
    // Short names: they stand in the program's own file name.
    static const char *const where[] = {"/tmp", "/var/tmp"};
    for (size_t i = 0; i < SC_LEN(where); i++) {
        (void)snprintf(p->top, sizeof p->top, "%s/scbench-box-XXXXXX", where[i]); // fits
        if (mkdtemp(p->top))
            return SC_OK;
    }
    return sc_fail_sys(err, SC_E_SANDBOX, errno, "no folder in /tmp or /var/tmp: %s",
                       strerror(errno));
}

sc_code sc_place_open(sc_box_level level, unsigned n, sc_place **out, sc_err *err)
{
    if (level == SC_BOX_FULL)
        return SC_OK;
    if (level == SC_BOX_REDUCED_UID)
        return sc_fail(err, SC_E_SANDBOX, "this level is not made yet");
    SC_AUTO(sc_place) *p = sc_new(sc_place);
    if (!p)
        return sc_fail_nomem(err);
    if (n > MAX_SLOTS)
        return sc_fail(err, SC_E_LIMIT, "more than %d workers", MAX_SLOTS);
    SC_TRY(make_top(p, err));
    for (; p->n < n; p->n++) {
        char path[PATH_SIZE];
        (void)snprintf(path, sizeof path, "%.40s/%u", p->top, p->n); // fits
        memcpy(p->slot[p->n], path, sizeof path);
        if (mkdir(path, 0700))
            return sc_fail_sys(err, SC_E_SANDBOX, errno, "%s: %s", path, strerror(errno));
    }
    *out = sc_take(p);
    return SC_OK;
}

void sc_place_close(sc_place *p)
{
    if (!p)
        return;
    // The workers emptied them as the user the samples were; what is left is not followed by us.
    for (unsigned i = 0; i < p->n; i++)
        (void)rmdir(p->slot[i]); // not empty: it stays, with what a sample hid in it
    (void)rmdir(p->top);
    sc_free(p);
}

const char *sc_place_scratch(const sc_place *p, unsigned slot)
{
    return p && slot < p->n ? p->slot[slot] : NULL;
}

const char *sc_place_root(const sc_place *p, unsigned slot)
{
    (void)p;
    (void)slot;
    return NULL;
}
