// SPDX-License-Identifier: MIT
#include "hub/pull.h"

#include "base/file.h"
#include "base/sha256.h"
#include "hub.h"
#include "hub/cache.h"
#include "hub/resolve.h"
#include "t.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BIG = 100000, PIECE = 9000 };

static char big[BIG];
static const hub_file files[] = {
    {"README.md", "# hello", 7, false, NULL},
    {"config.json", "{\"model_type\": \"llama\"}", 23, false, NULL},
    {"model.safetensors", big, BIG, true, NULL},
    {"onnx/model.onnx", "never", 5, false, NULL},
    {"tokenizer.json", "{}", 2, false, NULL},
};

/* A hub, an empty cache, and time that only passes when somebody waits for it. */
typedef struct bench {
    hub h;
    char cache[64], endpoint[64];
    sc_hub_places places;
    sc_hub_pull_opts opts;
    uint64_t waited_ms, longest_ms;
    unsigned n_waits;
    uint64_t free_bytes;
    sc_hub_progress last;
} bench;

static void wait_for(void *ctx, uint64_t ms)
{
    bench *b = ctx;
    b->waited_ms += ms;
    b->longest_ms = ms > b->longest_ms ? ms : b->longest_ms;
    b->n_waits++;
}

static uint64_t now_ns(void *ctx)
{
    const bench *b = ctx;
    const sc_clock real = sc_clock_real();
    return sc_clock_ns(&real) + b->waited_ms * 1000000;
}

static uint64_t free_of(void *ctx, const char *dir)
{
    (void)dir;
    return ((bench *)ctx)->free_bytes;
}

static void note(void *ctx, const sc_hub_progress *p)
{
    ((bench *)ctx)->last = *p;
}

static sc_clock the_clock; // of the bench at work; set by bench_start

static bench *bench_start(hub h)
{
    bench *b = calloc(1, sizeof *b);
    CHECK(b);
    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)(i * 2654435761u >> 13);
    b->h = h;
    b->h.files = h.files ? h.files : files;
    b->h.n_files = h.n_files ? h.n_files : SC_LEN(files);
    hub_start(&b->h);
    const char *temp = getenv("TMPDIR");
    (void)snprintf(b->cache, sizeof b->cache, "%.40s/sc-pull-XXXXXX", temp ? temp : P_tmpdir);
    CHECK(mkdtemp(b->cache));
    (void)snprintf(b->endpoint, sizeof b->endpoint, "http://127.0.0.1:%u", srv_port(b->h.api));
    b->places = (sc_hub_places){.cache = b->cache,
                                .endpoint = b->endpoint,
                                .token = (char *)(uintptr_t)HUB_TOKEN,
                                .etag_timeout_ms = 5000,
                                .download_timeout_ms = 5000};
    the_clock = (sc_clock){now_ns, b};
    b->free_bytes = UINT64_MAX;
    b->opts = (sc_hub_pull_opts){.segment_size = PIECE,
                                 .wait_ms = wait_for,
                                 .free_bytes = free_of,
                                 .test_ctx = b,
                                 .clock = &the_clock,
                                 .progress = note,
                                 .progress_ctx = b};
    return b;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static void bench_stop(bench *b)
{
    hub_stop(&b->h);
    (void)nftw(b->cache, remove_one, 16, FTW_DEPTH | FTW_PHYS); // a scratch folder
    free(b);
}

static sc_code pull(bench *b, const char *arg, char **path, sc_err *err)
{
    sc_hub_name name = {0};
    SC_TRY(sc_hub_name_parse(sc_str_c(arg), &name, err));
    return sc_hub_pull(&b->places, &name, SC_HUB_MODEL, &b->opts, path, err);
}

static bool is_there(const bench *b, const char *inner)
{
    char path[400];
    (void)snprintf(path, sizeof path, "%s/%s", b->cache, inner);
    return sc_file_is_file(path);
}

#define REPO "models--org--name/"
#define SNAP REPO "snapshots/" HUB_COMMIT "/"

/* The big file of the cache is the hub's, byte for byte. */
static void check_big(const bench *b)
{
    char path[300];
    sc_err err = {0};
    (void)snprintf(path, sizeof path, "%s/" SNAP "model.safetensors", b->cache);
    SC_AUTO(sc_buf) got = sc_buf_init(0);
    CHECK_OK(sc_file_read(path, BIG, &got, &err), &err);
    assert_int_equal(got.n, BIG);
    assert_memory_equal(got.p, big, BIG);
}

static void pull_well(bench *b)
{
    sc_err err = {0};
    char *path = NULL;
    CHECK_OK(pull(b, "org/name", &path, &err), &err);
    CHECK(sc_str_ends(sc_str_c(path), SC_STR("snapshots/" HUB_COMMIT)));
    sc_free(path);
    check_big(b);
    assert_int_equal(atomic_load(&b->h.leaks), 0);
    assert_int_equal(b->last.done, BIG + 23 + 2);
    assert_int_equal(b->last.total, BIG + 23 + 2);
}

/* What must be on the disk after a pull, as huggingface_hub would have laid it out. */
TEST(a_pull_fills_the_cache_as_huggingface_hub_lays_it_out)
{
    UNUSED;
    bench *b = bench_start((hub){.page_size = 2});
    pull_well(b);
    CHECK(is_there(b, "CACHEDIR.TAG") && is_there(b, SNAP "config.json"));
    CHECK(!is_there(b, SNAP "README.md") && !is_there(b, SNAP "onnx/model.onnx"));
    char path[300], to[200] = "", hex[SC_SHA256_HEX];
    sc_err err = {0};
    (void)snprintf(path, sizeof path, "%s/" SNAP "model.safetensors", b->cache);
    CHECK(readlink(path, to, sizeof to - 1) > 0);
    CHECK_OK(sc_sha256_bytes(big, BIG, hex, &err), &err);
    CHECK(sc_str_starts(sc_str_c(to), SC_STR("../../blobs/")) && strcmp(to + 12, hex) == 0);
    (void)snprintf(path, sizeof path, "%s/" REPO "refs/main", b->cache);
    SC_AUTO(sc_buf) ref = sc_buf_init(0);
    CHECK_OK(sc_file_read(path, 100, &ref, &err), &err);
    assert_string_equal(ref.p, HUB_COMMIT);
    (void)snprintf(path, sizeof path, ".locks/models--org--name/%s.lock", hex);
    CHECK(is_there(b, path));
    // Again: nothing is loaded a second time.
    const int cdn = atomic_load(&b->h.hits_cdn), sent = atomic_load(&b->h.bytes_sent);
    pull_well(b);
    assert_int_equal(atomic_load(&b->h.hits_cdn), cdn);
    assert_int_equal(atomic_load(&b->h.bytes_sent), sent);
    bench_stop(b);
}

TEST(every_passing_failure_is_survived_and_every_byte_is_right)
{
    UNUSED;
    static const hub_fault faults[] = {
        {HUB_CUT, "cdn:model", 1, 0, NULL, 0},       {HUB_CUT, "cdn:model", 7, 0, NULL, 4000},
        {HUB_CUT, "cdn:model", 30, 0, NULL, 2000},   {HUB_SHORT, "cdn:model", 3, 0, NULL, 100},
        {HUB_SILENT, "cdn:model", 1, 0, NULL, 0},    {HUB_STATUS, "cdn:model", 4, 500, NULL, 0},
        {HUB_STATUS, "cdn:model", 2, 503, NULL, 0},  {HUB_STATUS, "/tree/", 2, 502, NULL, 0},
        {HUB_STATUS, "/revision/", 3, 408, NULL, 0}, {HUB_STATUS, "config.json", 2, 500, NULL, 0},
        {HUB_CUT, "config.json", 2, 0, NULL, 5},     {HUB_CUT, "/tree/", 2, 0, NULL, 0},
        {HUB_NO_RANGES, "cdn:model", 0, 0, NULL, 0}, {HUB_EXPIRE, "", 0, 0, NULL, 5},
        {HUB_STATUS, "cdn:model", 2, 403, NULL, 0},
    };
    for (size_t i = 0; i < SC_LEN(faults); i++) {
        bench *b = bench_start((hub){.fault = faults[i]});
        b->places.download_timeout_ms = faults[i].kind == HUB_SILENT ? 100 : 5000;
        pull_well(b);
        bench_stop(b);
    }
}

TEST(a_server_that_asks_for_time_gets_it)
{
    UNUSED;
    bench *b =
        bench_start((hub){.fault = {HUB_STATUS, "cdn:model", 1, 429, "Retry-After: 17\r\n", 0}});
    pull_well(b);
    CHECK(b->longest_ms > 16000 && b->longest_ms <= 17000);
    bench_stop(b);
    b = bench_start((hub){.fault = {HUB_STATUS, "/tree/", 2, 429, "Retry-After: 60\r\n", 0}});
    pull_well(b);
    assert_int_equal(b->waited_ms, 120000);
    assert_int_equal(b->n_waits, 2);
    bench_stop(b);
}

TEST(what_does_not_pass_ends_the_pull_and_leaves_nothing_half_done)
{
    UNUSED;
    static const struct {
        hub_fault fault;
        const char *says;
        sc_code code;
    } cases[] = {
        {{HUB_STATUS, "/revision/", 0, 500, NULL, 0}, "6 tries", SC_E_NET},
        {{HUB_STATUS, "cdn:model", 0, 503, NULL, 0}, "HTTP 503", SC_E_NET},
        {{HUB_STATUS, "cdn:model", 0, 400, NULL, 0}, "HTTP 400", SC_E_NET},
        {{HUB_CUT, "cdn:model", 0, 0, NULL, 0}, "6 tries without a byte", SC_E_NET},
        {{HUB_LONG, "cdn:model", 0, 0, NULL, 10}, "more bytes than", SC_E_NET},
        {{HUB_BAD_RANGE, "cdn:model", 0, 0, NULL, 0}, "another part than", SC_E_NET},
        {{HUB_FLIP, "cdn:model", 0, 0, NULL, 0}, "the hub says", SC_E_FORMAT},
        {{HUB_FLIP, "/resolve/" HUB_COMMIT "/config", 0, 0, NULL, 0},
         "config.json: its hash is",
         SC_E_FORMAT},
        {{HUB_BIG_HEADERS, "cdn:model", 0, 0, NULL, 0}, "headers longer", SC_E_LIMIT},
        {{HUB_BIG_HEADERS, "/tree/", 0, 0, NULL, 0}, "headers longer", SC_E_LIMIT},
        {{HUB_STATUS, "/resolve/", 0, 200, "ETag: \"../../x\"\r\n", 0},
         "cannot name a file",
         SC_E_FORMAT},
        {{HUB_STATUS, "/resolve/", 0, 200, "ETag: \"abc\"\r\nX-Linked-Size: 99\r\n", 0},
         "do not agree",
         SC_E_FORMAT},
        {{HUB_STATUS, "/resolve/", 0, 200, "X-Repo-Commit: ffff\r\n", 0},
         "answers for commit ffff",
         SC_E_FORMAT},
        {{HUB_STATUS, "/resolve/", 0, 200, "", 0}, "no ETag", SC_E_FORMAT},
        {{HUB_STATUS, "/tree/", 0, 200, "", 0}, "not an array", SC_E_FORMAT},
        {{HUB_STATUS, "/revision/", 0, 200, "", 0}, "no commit", SC_E_FORMAT},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        bench *b = bench_start((hub){.fault = cases[i].fault});
        sc_err err = {0};
        char *path = NULL;
        CHECK_CODE(cases[i].code, pull(b, "org/name", &path, &err), &err);
        if (!strstr(err.msg, cases[i].says))
            print_error("case %zu: %s\n", i, err.msg);
        CHECK(strstr(err.msg, cases[i].says) && !path);
        CHECK(!strstr(err.msg, HUB_TOKEN) && !strstr(err.msg, "sig="));
        CHECK(!is_there(b, REPO "refs/main") && !is_there(b, SNAP "model.safetensors"));
        assert_int_equal(atomic_load(&b->h.leaks), 0);
        bench_stop(b);
    }
}

TEST(refusals_are_explained)
{
    UNUSED;
    static const struct {
        const char *arg, *says;
        bool token;
        sc_code code;
        int status;
    } cases[] = {
        {"gated/name", "accept its terms on its page, then set HF_TOKEN", true, SC_E_NET, 403},
        {"private/name", "no such repository, or a private one that needs HF_TOKEN", false,
         SC_E_NOTFOUND, 401},
        {"org/name@gone", "no such revision", true, SC_E_NOTFOUND, 404},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        bench *b = bench_start((hub){0});
        if (!cases[i].token)
            b->places.token = NULL;
        sc_err err = {0};
        char *path = NULL;
        CHECK_CODE(cases[i].code, pull(b, cases[i].arg, &path, &err), &err);
        CHECK(strstr(err.msg, cases[i].says));
        assert_int_equal(err.sys, cases[i].status);
        assert_int_equal(b->n_waits, 0);
        bench_stop(b);
    }
    bench *b = bench_start((hub){.fault = {HUB_STATUS, "/revision/", 0, 401, NULL, 0}});
    sc_err err = {0};
    char *path = NULL;
    CHECK_CODE(SC_E_NET, pull(b, "org/name", &path, &err), &err);
    CHECK(strstr(err.msg, "does not accept the token"));
    b->places.token = NULL;
    CHECK_CODE(SC_E_NET, pull(b, "org/name", &path, &err), &err);
    CHECK(strstr(err.msg, "wants a token: set HF_TOKEN"));
    bench_stop(b);
}

TEST(an_interrupted_download_goes_on_where_it_stopped)
{
    UNUSED;
    bench *b = bench_start((hub){.fault = {HUB_STATUS, "cdn:model", 0, 400, NULL, 0}});
    char hex[SC_SHA256_HEX], path[300];
    sc_err err = {0};
    CHECK_OK(sc_sha256_bytes(big, BIG, hex, &err), &err);
    (void)snprintf(path, sizeof path, "%s/" REPO "blobs", b->cache);
    CHECK_OK(sc_file_make_dirs(path, &err), &err);
    (void)snprintf(path, sizeof path, "%s/" REPO "blobs/%s.incomplete", b->cache, hex);
    CHECK_OK(sc_file_write(path, (sc_str){big, 70000}, &err), &err);
    b->h.fault.kind = HUB_OK;
    pull_well(b);
    CHECK(atomic_load(&b->h.bytes_sent) < 30000 + 100);
    bench_stop(b);
    // What was left is damaged, or longer than the file: all of it is loaded anew.
    for (int longer = 0; longer < 2; longer++) {
        b = bench_start((hub){0});
        (void)snprintf(path, sizeof path, "%s/" REPO "blobs", b->cache);
        CHECK_OK(sc_file_make_dirs(path, &err), &err);
        (void)snprintf(path, sizeof path, "%s/" REPO "blobs/%s.incomplete", b->cache, hex);
        char *junk = calloc(1, BIG + 10);
        CHECK(junk);
        CHECK_OK(sc_file_write(path, (sc_str){junk, longer ? BIG + 10 : 500}, &err), &err);
        free(junk);
        pull_well(b);
        bench_stop(b);
    }
}

TEST(a_renamed_repository_is_followed)
{
    UNUSED;
    bench *b = bench_start((hub){0});
    sc_err err = {0};
    char *path = NULL;
    CHECK_OK(pull(b, "old/name", &path, &err), &err);
    CHECK(strstr(path, "models--old--name"));
    sc_free(path);
    bench_stop(b);
}

TEST(names_and_links_that_lead_astray_are_refused)
{
    UNUSED;
    static const hub_file evil[][2] = {
        {{"config.json", "{}", 2, false, NULL}, {"../../evil", "x", 1, false, NULL}},
        {{"config.json", "{}", 2, false, NULL}, {"/etc/evil", "x", 1, false, NULL}},
        {{"config.json", "{}", 2, false, NULL}, {"a/../../evil", "x", 1, false, NULL}},
        {{"config.json", "{}", 2, false, NULL}, {"model.safetensors", "x", 1, true, "../evil"}},
    };
    for (size_t i = 0; i < SC_LEN(evil); i++) {
        bench *b = bench_start((hub){.files = evil[i], .n_files = 2});
        sc_err err = {0};
        char *path = NULL;
        CHECK_CODE(SC_E_FORMAT, pull(b, "org/name", &path, &err), &err);
        CHECK(strstr(err.msg, "entry 1"));
        CHECK(!is_there(b, "evil") && !is_there(b, "../evil"));
        bench_stop(b);
    }
    bench *b = bench_start((hub){.page_size = 1, .next_page = "http://127.0.0.1:1/tree?cursor="});
    sc_err err = {0};
    char *path = NULL;
    CHECK_CODE(SC_E_FORMAT, pull(b, "org/name", &path, &err), &err);
    CHECK(strstr(err.msg, "leads to another host"));
    bench_stop(b);
}

TEST(too_small_a_disk_is_noticed_before_the_first_byte)
{
    UNUSED;
    bench *b = bench_start((hub){0});
    b->free_bytes = BIG;
    sc_err err = {0};
    char *path = NULL;
    CHECK_CODE(SC_E_LIMIT, pull(b, "org/name", &path, &err), &err);
    CHECK(strstr(err.msg, "are free"));
    assert_int_equal(atomic_load(&b->h.hits_cdn), 0);
    bench_stop(b);
}

TEST(without_symlinks_the_snapshot_holds_real_files)
{
    UNUSED;
    bench *b = bench_start((hub){0});
    b->places.no_symlinks = true;
    pull_well(b);
    char path[300];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/" SNAP "model.safetensors", b->cache);
    assert_int_equal(lstat(path, &st), 0);
    CHECK(S_ISREG(st.st_mode));
    bench_stop(b);
}

TEST(offline_and_pull_never_open_no_socket)
{
    UNUSED;
    bench *b = bench_start((hub){0});
    b->places.offline = true;
    sc_err err = {0};
    char *path = NULL;
    CHECK_CODE(SC_E_USAGE, pull(b, "org/name", &path, &err), &err);
    CHECK(strstr(err.msg, "HF_HUB_OFFLINE"));
    assert_int_equal(srv_connections(b->h.api), 0);
    bench_stop(b);
}

TEST(a_stop_flag_ends_a_pull_and_a_lock_of_another_process_is_waited_for)
{
    UNUSED;
    bench *b = bench_start((hub){0});
    char hex[SC_SHA256_HEX], path[300];
    sc_err err = {0};
    CHECK_OK(sc_sha256_bytes(big, BIG, hex, &err), &err);
    (void)snprintf(path, sizeof path, "%s/.locks/models--org--name", b->cache);
    CHECK_OK(sc_file_make_dirs(path, &err), &err);
    (void)snprintf(path, sizeof path, "%s/.locks/models--org--name/%s.lock", b->cache, hex);
    const int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    CHECK(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0); // another open file description: as another process
    char *got = NULL;
    CHECK_CODE(SC_E_LIMIT, pull(b, "org/name", &got, &err), &err);
    CHECK(strstr(err.msg, "another process holds it"));
    CHECK(b->waited_ms >= 3600 * 1000);
    (void)close(fd);
    atomic_bool stop = true;
    b->opts.stop = &stop;
    CHECK_CODE(SC_E_INTERRUPTED, pull(b, "org/name", &got, &err), &err);
    b->opts.stop = NULL;
    pull_well(b);
    bench_stop(b);
}

static const char *get_env(void *ctx, const char *name)
{
    const bench *b = ctx;
    if (strcmp(name, "HF_HUB_CACHE") == 0)
        return b->cache;
    return strcmp(name, "HF_ENDPOINT") == 0 ? b->endpoint : NULL;
}

TEST(resolving_a_name_pulls_it_when_that_is_allowed)
{
    UNUSED;
    bench *b = bench_start((hub){0});
    const sc_hub_env env = {get_env, b};
    sc_hub_opts opts = {.env = &env, .how = &b->opts};
    sc_err err = {0};
    char *path = NULL;
    CHECK_CODE(SC_E_NOTFOUND, sc_hub_resolve("org/name", &opts, &path, &err), &err);
    assert_int_equal(srv_connections(b->h.api), 0);
    opts.pull = SC_HUB_PULL_MISSING;
    CHECK_OK(sc_hub_resolve("org/name", &opts, &path, &err), &err);
    check_big(b);
    sc_free(path);
    const int hits = atomic_load(&b->h.hits_api);
    CHECK_OK(sc_hub_resolve("org/name", &opts, &path, &err), &err);
    assert_int_equal(atomic_load(&b->h.hits_api), hits);
    sc_free(path);
    bench_stop(b);
}

/* Runs the program with the bench's hub and cache; its output, both streams, lands in `out`. */
static int run_program(const bench *b, const char *args, char *out, size_t size)
{
    const char *build = getenv("SC_BUILD");
    char line[1000];
    (void)snprintf(line, sizeof line,
                   "HF_HUB_CACHE=%s HF_ENDPOINT=%s HF_TOKEN=" HUB_TOKEN " %s/scbench %s 2>&1",
                   b->cache, b->endpoint, build, args);
    FILE *f = popen(line, "r");
    CHECK(f);
    const size_t n = fread(out, 1, size - 1, f);
    out[n] = '\0';
    return WEXITSTATUS(pclose(f));
}

TEST(the_program_pulls_lists_and_never_shows_the_token)
{
    UNUSED;
    char out[4000];
    if (!getenv("SC_BUILD"))
        SKIP("program", "SC_BUILD does not say where the program is");
    bench *b = bench_start((hub){0});
    assert_int_equal(run_program(b, "models pull -vv org/name", out, sizeof out), 0);
    CHECK(strstr(out, "snapshots/" HUB_COMMIT "\n") && !strstr(out, HUB_TOKEN));
    check_big(b);
    assert_int_equal(run_program(b, "models ls --json", out, sizeof out), 0);
    CHECK(strstr(out, "\"model\":\"org/name\"") && strstr(out, "\"revision\":\"main\""));
    CHECK(strstr(out, "\"lacks\":null"));
    assert_int_equal(run_program(b, "models pull -vv gated/name", out, sizeof out), 1);
    CHECK(strstr(out, "gated/name") && strstr(out, "accept its terms") && !strstr(out, HUB_TOKEN));
    bench_stop(b);
}

TEST(the_program_downloads_a_model_to_run_only_when_told_to)
{
    UNUSED;
    char out[4000];
    if (!getenv("SC_BUILD"))
        SKIP("program", "SC_BUILD does not say where the program is");
    bench *b = bench_start((hub){0});
    assert_int_equal(run_program(b, "generate -m org/name -p x", out, sizeof out), 1);
    CHECK(strstr(out, "allow the download with --pull missing"));
    assert_int_equal(srv_connections(b->h.api), 0);
    // The bytes are no model, so it ends with an error about the file: it was fetched and opened.
    assert_int_equal(run_program(b, "generate -m org/name -p x --pull missing", out, sizeof out),
                     1);
    CHECK(strstr(out, "snapshots/" HUB_COMMIT) && !strstr(out, HUB_TOKEN));
    check_big(b);
    bench_stop(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_pull_fills_the_cache_as_huggingface_hub_lays_it_out),
        T(every_passing_failure_is_survived_and_every_byte_is_right),
        T(a_server_that_asks_for_time_gets_it),
        T(what_does_not_pass_ends_the_pull_and_leaves_nothing_half_done),
        T(refusals_are_explained),
        T(an_interrupted_download_goes_on_where_it_stopped),
        T(a_renamed_repository_is_followed),
        T(names_and_links_that_lead_astray_are_refused),
        T(too_small_a_disk_is_noticed_before_the_first_byte),
        T(without_symlinks_the_snapshot_holds_real_files),
        T(offline_and_pull_never_open_no_socket),
        T(a_stop_flag_ends_a_pull_and_a_lock_of_another_process_is_waited_for),
        T(resolving_a_name_pulls_it_when_that_is_allowed),
        T(the_program_pulls_lists_and_never_shows_the_token),
        T(the_program_downloads_a_model_to_run_only_when_told_to),
    };
    return RUN_TESTS(tests);
}
