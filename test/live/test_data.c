/* Published data files from a server on loopback: whole, resumed, wrong, refused. */
// SPDX-License-Identifier: MIT
#include "task/pull.h"

#include "base/file.h"
#include "base/sha256.h"
#include "server.h"
#include "t.h"

#include <stdatomic.h>
#include <unistd.h>

enum { SIZE = 50000 };

/* What the server does, and what it saw. */
typedef struct site {
    srv *server;
    char bytes[SIZE];
    int status;                // not 0: every answer is this
    atomic_int cut;            // answers that end after 1000 bytes, still to come
    atomic_int requests, sent; // sent: bytes of bodies
    atomic_bool token;         // somebody sent one
    char dir[64], url[96], sha256[SC_SHA256_HEX];
    sc_data_file file;
    sc_hub_places places;
    sc_hub_pull_opts opts;
} site;

static bool answer(void *ctx, const srv_req *req, int fd)
{
    site *s = ctx;
    char value[512];
    s->requests++;
    if (srv_header(req, "authorization", value, sizeof value))
        s->token = true;
    if (s->status)
        return srv_answer(fd, s->status, "", "no");
    const size_t from = req->has_range ? (size_t)req->from : 0;
    const size_t to = req->has_range && req->to < SIZE ? (size_t)req->to + 1 : SIZE;
    bool good = req->has_range
                    ? srv_printf(fd,
                                 "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes "
                                 "%zu-%zu/%d\r\nContent-Length: %zu\r\n\r\n",
                                 from, to - 1, SIZE, to - from)
                    : srv_printf(fd, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", SIZE);
    const bool cut = s->cut > 0 && to - from > 1000;
    s->cut -= cut;
    const size_t n = cut ? 1000 : to - from;
    s->sent += (int)n;
    good = good && srv_write(fd, s->bytes + from, n);
    return good && !cut;
}

static void no_wait(void *ctx, uint64_t ms)
{
    (void)ctx;
    (void)ms;
}

static site *start(void)
{
    site *s = calloc(1, sizeof *s);
    CHECK(s);
    for (size_t i = 0; i < SIZE; i++)
        s->bytes[i] = (char)(i * 2654435761u >> 11);
    sc_err err = {0};
    CHECK_OK(sc_sha256_bytes(s->bytes, SIZE, s->sha256, &err), &err);
    const char *temp = getenv("TMPDIR");
    (void)snprintf(s->dir, sizeof s->dir, "%.40s/sc-data-XXXXXX", temp ? temp : P_tmpdir);
    CHECK(mkdtemp(s->dir));
    s->server = srv_start(answer, s);
    (void)snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u/mbpp/mbpp.jsonl",
                   srv_port(s->server));
    s->file = (sc_data_file){"mbpp", "mbpp.jsonl", s->url, s->sha256, SIZE, "test"};
    static char token[] = "hf_secretsecret";
    s->places =
        (sc_hub_places){.token = token, .etag_timeout_ms = 3000, .download_timeout_ms = 3000};
    s->opts = (sc_hub_pull_opts){.segment_size = 9000, .wait_ms = no_wait};
    return s;
}

static void end(site *s)
{
    srv_stop(s->server);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", s->dir);
    CHECK(system(command) == 0);
    free(s);
}

static sc_code pull(site *s, bool *was_there, sc_err *err)
{
    return sc_data_pull(&s->file, s->dir, &s->places, &s->opts, was_there, err);
}

static bool is_whole(const site *s)
{
    const char *found = NULL;
    sc_err err = {0};
    CHECK_OK(sc_data_verify(&s->file, s->dir, &found, &err), &err);
    return strcmp(found, "whole") == 0;
}

static void write_file(const site *s, const char *name, size_t n)
{
    char path[160];
    sc_err err = {0};
    (void)snprintf(path, sizeof path, "%s/%s", s->dir, name);
    CHECK_OK(sc_file_write(path, (sc_str){s->bytes, n}, &err), &err);
}

TEST(a_file_is_pulled_once_and_no_token_is_sent)
{
    UNUSED;
    site *s = start();
    sc_err err = {0};
    bool there = true;
    CHECK_OK(pull(s, &there, &err), &err);
    CHECK(!there && is_whole(s) && !s->token);
    const int before = s->requests;
    CHECK_OK(pull(s, &there, &err), &err);
    CHECK(there && s->requests == before);
    end(s);
}

TEST(a_cut_download_goes_on_where_it_stopped)
{
    UNUSED;
    site *s = start();
    sc_err err = {0};
    bool there = true;
    s->cut = 3;
    CHECK_OK(pull(s, &there, &err), &err);
    CHECK(is_whole(s) && s->cut == 0);
    // What an earlier program left is not asked for again.
    site *again = start();
    write_file(again, "mbpp.jsonl.incomplete", 40000);
    CHECK_OK(pull(again, &there, &err), &err);
    CHECK(is_whole(again) && again->sent == SIZE - 40000);
    end(again);
    end(s);
}

TEST(another_file_is_refused)
{
    UNUSED;
    site *s = start();
    sc_err err = {0};
    bool there = true;
    s->bytes[SIZE / 2] ^= 1;
    CHECK_CODE(SC_E_FORMAT, pull(s, &there, &err), &err);
    CHECK(!is_whole(s) && strncmp(err.msg, s->url, strlen(s->url)) == 0);
    char path[160];
    (void)snprintf(path, sizeof path, "%s/mbpp.jsonl", s->dir);
    CHECK(!sc_file_is_file(path));
    end(s);
}

TEST(what_lies_there_is_looked_at)
{
    UNUSED;
    site *s = start();
    sc_err err = {0};
    const char *found = NULL;
    CHECK_OK(sc_data_verify(&s->file, s->dir, &found, &err), &err);
    CHECK(strcmp(found, "missing") == 0);
    write_file(s, "mbpp.jsonl", 100);
    CHECK_OK(sc_data_verify(&s->file, s->dir, &found, &err), &err);
    CHECK(strcmp(found, "other") == 0);
    bool there = true;
    CHECK_OK(pull(s, &there, &err), &err); // and replaced
    CHECK(!there && is_whole(s));
    s->file.size = 10; // longer than it should be
    CHECK_OK(sc_data_verify(&s->file, s->dir, &found, &err), &err);
    CHECK(strcmp(found, "other") == 0);
    end(s);
}

TEST(a_refusal_and_being_offline_are_errors_that_say_so)
{
    UNUSED;
    site *s = start();
    sc_err err = {0};
    bool there = true;
    s->status = 404;
    CHECK_CODE(SC_E_NOTFOUND, pull(s, &there, &err), &err);
    const int before = s->requests;
    s->places.offline = true;
    CHECK_CODE(SC_E_USAGE, pull(s, &there, &err), &err);
    CHECK(strcmp(err.msg, "HF_HUB_OFFLINE forbids to download mbpp.jsonl") == 0);
    CHECK(s->requests == before);
    end(s);
}

TEST(every_suite_has_its_file_and_every_file_a_pinned_digest)
{
    UNUSED;
    size_t n = 0;
    const sc_data_file *f = sc_data_files(&n);
    CHECK(n == 3);
    for (size_t i = 0; i < n; i++)
        CHECK(strlen(f[i].sha256) == 64 && strncmp(f[i].url, "https://", 8) == 0 && f[i].size);
    CHECK(sc_data_file_find("mbpp-test") == sc_data_file_find("mbpp"));
    CHECK(sc_data_file_find("mbpp-sanitized-test") == sc_data_file_find("mbpp-sanitized"));
    CHECK(sc_data_file_find("humaneval") == &f[0] && !sc_data_file_find("humanevil"));
    CHECK(!sc_data_file_find("humaneval-test") && !sc_data_file_find("-test"));
    // The files of a folder that has them are the pinned ones.
    const char *data = getenv("SC_DATA");
    for (size_t i = 0; data && i < n; i++) {
        const char *found = NULL;
        sc_err err = {0};
        CHECK_OK(sc_data_verify(&f[i], data, &found, &err), &err);
        CHECK(strcmp(found, "other") != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_file_is_pulled_once_and_no_token_is_sent),
        T(a_cut_download_goes_on_where_it_stopped),
        T(another_file_is_refused),
        T(what_lies_there_is_looked_at),
        T(a_refusal_and_being_offline_are_errors_that_say_so),
        T(every_suite_has_its_file_and_every_file_a_pinned_digest),
    };
    return RUN_TESTS(tests);
}
