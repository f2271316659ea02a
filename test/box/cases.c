/* Runs every row of a folder of cases through the sandbox and checks verdict and surroundings.
 * usage: test_box_cases LEVEL self|nobody [MANIFEST] */
// SPDX-License-Identifier: MIT
#include "task/cases.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "box/box.h"
#include "box/tree.h"
#include "box/worker.h"

#include <arpa/inet.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 65534, PORT = 47391, CHILDREN = 64 };

static unsigned n_tests, n_bad;

static void result(bool good, const char *name, const char *why)
{
    n_tests++;
    n_bad += !good;
    printf("%s %u - %s%s%s\n", good ? "ok" : "not ok", n_tests, name, good ? "" : ": ",
           good ? "" : why);
    (void)fflush(stdout); // a test that hangs should show where
}

/* `what`: the name that SC_MUST may list to forbid the skip. */
static int skip_all(const char *what, const char *why)
{
    printf("# skip %s: %s\nok 1 # SKIP %s\n", what, why, why);
    return 0;
}

/* A listener that no sample may reach; -1 when the port is taken by a test beside this one. */
static int listen_on(int type)
{
    const int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof a) == 0 &&
        (type != SOCK_STREAM || listen(fd, 8) == 0))
        return fd;
    if (fd >= 0)
        (void)close(fd); // nothing came
    return -1;
}

static bool heard(int fd, int type)
{
    char byte = 0;
    if (fd < 0)
        return false;
    return type == SOCK_STREAM ? accept(fd, NULL, NULL) >= 0 : recv(fd, &byte, 1, 0) >= 0;
}

static size_t count_tree(pid_t pid, unsigned depth)
{
    pid_t child[512];
    const size_t n = sc_tree_children(pid, child, SC_LEN(child));
    size_t sum = n;
    for (size_t i = 0; i < n && depth < 8; i++)
        sum += count_tree(child[i], depth + 1);
    return sum;
}

/* Names, states and parents of all processes below `pid`, for a message. */
static void describe_tree(pid_t pid, unsigned depth, char *out, size_t size)
{
    pid_t child[512];
    const size_t n = sc_tree_children(pid, child, SC_LEN(child));
    for (size_t i = 0; i < n && depth < 8; i++) {
        char path[64], text[64] = "";
        (void)snprintf(path, sizeof path, "/proc/%d/stat", child[i]); // short
        FILE *f = fopen(path, "re");
        if (f) {
            (void)!fread(text, 1, sizeof text - 1, f); // gone meanwhile: no text
            (void)fclose(f);                           // only read
        }
        const size_t used = strlen(out);
        (void)snprintf(out + used, size - used, " [%.40s]", text); // may be cut
        describe_tree(child[i], depth + 1, out, size);
    }
}

/* The verdict of a job; *most is the largest number of processes seen meanwhile. */
static sc_code run(sc_box *box, const sc_job *job, sc_verdict *v, size_t *most, sc_err *err)
{
    SC_TRY(sc_box_submit(box, job, err));
    bool got = false;
    while (!got) {
        SC_TRY(sc_box_poll(box, 50, v, &got, err));
        const size_t now = count_tree(getpid(), 0);
        if (now > *most)
            *most = now;
    }
    return SC_OK;
}

static bool is_accepted(const json_t *row, const char *verdict, sc_box_level level)
{
    size_t i = 0;
    json_t *v = NULL;
    // What a program gets that needs more processes than this level allows.
    if (level == SC_BOX_REDUCED_SELF &&
        sc_str_is(sc_json_str(json_object_get(row, "reduced_self")), verdict))
        return true;
    if (sc_str_is(sc_json_str(json_object_get(row, "expect_verdict")), verdict))
        return true;
    json_array_foreach(json_object_get(row, "accept"), i,
                       v) if (sc_str_is(sc_json_str(v), verdict)) return true;
    return false;
}

typedef struct suite {
    sc_box *box;
    size_t idle; // processes of the box when nothing runs
    int tcp, udp;
    char canary[96];
    sc_box_limits limits;
} suite;

/* The next honest sample passes and starts at once. */
static bool next_is_fine(suite *s, char *why, size_t size)
{
    const sc_job job = {.source = SC_STR("def f(x):\n    return x + 1\n"),
                        .entry = SC_STR("f"),
                        .test = SC_STR("def check(candidate):\n    assert candidate(1) == 2\n")};
    SC_AUTO(sc_verdict) v = {0};
    sc_err err = {0};
    size_t most = 0;
    const bool good =
        run(s->box, &job, &v, &most, &err) == SC_OK && v.kind == SC_BOX_PASSED && v.start_s < 1;
    if (!good)
        (void)snprintf(why, size, "the next sample: %s after %.3f s", sc_box_kind_name(v.kind),
                       v.start_s);
    return good;
}

static void check_row(suite *s, const char *dir, const json_t *row)
{
    char name[128], why[512] = "";
    (void)snprintf(name, sizeof name, "%.*s", SC_STRF(sc_json_str(json_object_get(row, "file"))));
    char *path = sc_path_join(dir, name);
    SC_AUTO(sc_buf) source = sc_buf_init(1 << 24);
    sc_err err = {0};
    if (!path || sc_file_read(path, 1 << 24, &source, &err) != SC_OK) {
        result(false, name, err.msg);
        sc_free(path);
        return;
    }
    sc_free(path);
    SC_AUTO(sc_cases) *cases = NULL;
    json_t *tests = json_object_get(row, "tests");
    if (tests && sc_cases_parse(tests, "stdin", "stdout", false, &cases, &err) != SC_OK) {
        result(false, name, err.msg);
        return;
    }
    const sc_job job = {.source = sc_buf_str(&source),
                        .cases = cases ? sc_cases_list(cases) : (sc_case_list){0},
                        .entry = sc_json_str(json_object_get(row, "entry_point")),
                        .test = sc_json_str(json_object_get(row, "test")),
                        .limits = s->limits};
    SC_AUTO(sc_verdict) v = {0};
    size_t most = 0;
    bool good = true;
    if (run(s->box, &job, &v, &most, &err) != SC_OK) {
        (void)snprintf(why, sizeof why, "%.400s", err.msg);
        good = false;
    }
    const char *word = v.kind == SC_BOX_SYNTAX ? "error" : sc_box_kind_name(v.kind);
    if (good && !is_accepted(row, word, sc_box_level_of(s->box))) {
        (void)snprintf(why, sizeof why, "%s (%.60s %.200s)", word, v.error_type, v.message);
        good = false;
    }
    // 32 tasks of the sample; four more while one ends and the next begins.
    if (good && most > s->idle + 32 + 4) {
        (void)snprintf(why, sizeof why, "%zu processes at once, %zu before", most, s->idle);
        good = false;
    }
    if (good && v.peak_kib > (512 + 64) << 10) {
        (void)snprintf(why, sizeof why, "%lu KiB", (unsigned long)v.peak_kib);
        good = false;
    }
    if (good && v.n_output > 2 * SC_BOX_KEEP + 128) {
        (void)snprintf(why, sizeof why, "%zu bytes of output kept", v.n_output);
        good = false;
    }
    for (unsigned i = 0; good && count_tree(getpid(), 0) > s->idle; i++) {
        if (i == 50) { // half a second
            (void)snprintf(why, sizeof why,
                           "%zu processes are left:", count_tree(getpid(), 0) - s->idle);
            describe_tree(getpid(), 0, why, sizeof why);
            good = false;
        }
        (void)usleep(10000);
    }
    good = good && next_is_fine(s, why, sizeof why);
    if (good && (heard(s->tcp, SOCK_STREAM) || heard(s->udp, SOCK_DGRAM))) {
        (void)snprintf(why, sizeof why, "the listener outside heard something");
        good = false;
    }
    struct stat st;
    if (good && s->canary[0] && (stat(s->canary, &st) || st.st_size != 7)) {
        (void)snprintf(why, sizeof why, "a file outside was changed");
        good = false;
    }
    result(good, name, why);
}

static void make_canary(suite *s)
{
    char dir[64] = "/var/tmp/sc-cases-XXXXXX";
    sc_err err = {0};
    if (!mkdtemp(dir))
        return;
    (void)snprintf(s->canary, sizeof s->canary, "%s/canary", dir);
    if (sc_file_write(s->canary, SC_STR("canary\n"), &err) != SC_OK)
        s->canary[0] = '\0';
}

static void remove_canary(suite *s)
{
    if (!s->canary[0])
        return;
    (void)unlink(s->canary); // rmdir says it
    *strrchr(s->canary, '/') = '\0';
    result(rmdir(s->canary) == 0, "nothing was put beside a file outside",
           "the folder is not empty");
}

static int run_manifest(const char *path, sc_box_level level, sc_box_limits limits)
{
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 26);
    sc_err err = {0};
    if (sc_file_read(path, 1 << 26, &text, &err) != SC_OK)
        return skip_all("cases", err.msg);
    suite s = {.tcp = listen_on(SOCK_STREAM), .udp = listen_on(SOCK_DGRAM), .limits = limits};
    const sc_box_opts o = {.jobs = 1, .level = level, .exact = true};
    if (sc_box_open(&o, &s.box, &err) != SC_OK)
        return skip_all("box", err.msg);
    // The processes that wait for a program are forked while nobody waits for them.
    (void)usleep(200000);
    s.idle = count_tree(getpid(), 0);
    make_canary(&s);
    char *dir = sc_path_dir(path);
    sc_str rest = sc_buf_str(&text);
    while (rest.n && dir) {
        const char *end = memchr(rest.p, '\n', rest.n);
        const sc_str line = {rest.p, end ? (size_t)(end - rest.p) : rest.n};
        rest = sc_str_skip(rest, line.n + 1);
        SC_AUTO_JSON *row = NULL;
        if (line.n && sc_json_parse(line, &row, &err) == SC_OK)
            check_row(&s, dir, row);
    }
    sc_free(dir);
    remove_canary(&s);
    sc_box_close(s.box);
    result(count_tree(getpid(), 0) == 0, "no process is left when the box is closed", "some are");
    printf("1..%u\n", n_tests);
    return n_bad > 0;
}

int main(int argc, char **argv)
{
    sc_json_setup();
    sc_box_level level = SC_BOX_FULL;
    if (argc < 3 || !sc_box_level_find(sc_str_c(argv[1]), &level))
        return 2;
    if (!strcmp(argv[2], "nobody")) {
        if (geteuid() != 0)
            return skip_all("user", "only root can become another user");
        if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
            setresuid(NOBODY, NOBODY, NOBODY))
            return 2;
    } else if (geteuid() == 0 && level == SC_BOX_REDUCED_SELF) {
        return skip_all("user", "this level is for ordinary users");
    } else if (geteuid() != 0 && level == SC_BOX_REDUCED_UID) {
        return skip_all("user", "this level is for root");
    }
    const char *dir = getenv("SC_SANDBOX_CASES");
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/manifest.jsonl", dir ? dir : ".");
    // Our own rows are many: shorter limits, as none of them needs the time.
    const sc_box_limits ours = {.cpu_s = 0.7, .wall_s = 2.5}, given = {0};
    return run_manifest(argc > 3 ? argv[3] : path, level, argc > 3 ? ours : given);
}
