// SPDX-License-Identifier: MIT
#include "net/http.h"

#include "base/buf.h"
#include "net/curl.h"
#include "net/retry.h"
#include "net/url.h"
#include "server.h"
#include "t.h"

/* Two servers: the origin and "another host", which is another port. */
typedef struct pair {
    srv *a, *b;
    atomic_int auth_at_a, auth_at_b, hits;
} pair;

static bool has_token(const srv_req *req)
{
    char value[128] = "";
    return srv_header(req, "Authorization", value, sizeof value) &&
           strcmp(value, "Bearer secret-token") == 0;
}

static bool is_at(const srv_req *req, const char *path)
{
    return strcmp(req->target, path) == 0;
}

static bool serve_bad(const srv_req *req, int fd)
{
    if (is_at(req, "/cut"))
        return srv_printf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this") && false;
    if (is_at(req, "/nothing"))
        return false;
    if (is_at(req, "/garbage"))
        return srv_printf(fd, "SSH-2.0-OpenSSH_9.2\r\n\r\n") && false;
    if (is_at(req, "/silent")) {
        (void)srv_printf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx");
        srv_wait_for_hangup(fd, 900);
        return false;
    }
    if (is_at(req, "/many-headers")) {
        (void)srv_printf(fd, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 2000; i++)
            if (!srv_printf(fd, "X-Header-%d: %040d\r\n", i, i))
                return false;
        return srv_printf(fd, "\r\n");
    }
    if (is_at(req, "/long-header")) {
        (void)srv_printf(fd, "HTTP/1.1 200 OK\r\nX: ");
        for (int i = 0; i < 200; i++)
            if (!srv_printf(fd, "%01024d", i))
                return false;
        return srv_printf(fd, "\r\n\r\n");
    }
    return srv_answer(fd, 404, "", "no");
}

static bool serve_a(void *ctx, const srv_req *req, int fd)
{
    pair *p = ctx;
    char to[128];
    atomic_fetch_add(&p->hits, 1);
    atomic_fetch_add(&p->auth_at_a, has_token(req));
    if (is_at(req, "/plain"))
        return srv_answer(fd, 200, "X-One:  first\r\nx-one: second\r\n", "hello");
    if (is_at(req, "/range") && req->has_range)
        return srv_answer(fd, 206, "Content-Range: bytes 2-4/10\r\n", "cde") && req->from == 2 &&
               req->to == 4;
    if (is_at(req, "/to-plain"))
        return srv_answer(fd, 302, "Location: /plain\r\n", "moved");
    if (is_at(req, "/loop"))
        return srv_answer(fd, 302, "Location: loop\r\n", "");
    if (is_at(req, "/to-b")) {
        (void)snprintf(to, sizeof to, "Location: http://127.0.0.1:%u/b?sig=private\r\n",
                       srv_port(p->b));
        return srv_answer(fd, 302, to, "");
    }
    if (is_at(req, "/to-ftp"))
        return srv_answer(fd, 302, "Location: ftp://127.0.0.1/x\r\n", "");
    if (is_at(req, "/to-user"))
        return srv_answer(fd, 302, "Location: http://u:p@127.0.0.1/x\r\n", "");
    if (is_at(req, "/to-file"))
        return srv_answer(fd, 302, "Location: file:///etc/passwd\r\n", "");
    if (is_at(req, "/post"))
        return srv_answer(fd, 200, "",
                          req->n_body == 7 && memcmp(req->body, "{\"a\":1}", 7) == 0 &&
                                  strcmp(req->method, "POST") == 0
                              ? "got it"
                              : "wrong");
    return serve_bad(req, fd);
}

static bool serve_b(void *ctx, const srv_req *req, int fd)
{
    pair *p = ctx;
    char value[128];
    atomic_fetch_add(&p->auth_at_b, srv_header(req, "Authorization", value, sizeof value));
    return srv_answer(fd, 200, "", "from b");
}

static pair *pair_start(void)
{
    pair *p = calloc(1, sizeof *p);
    CHECK(p);
    p->b = srv_start(serve_b, p);
    p->a = srv_start(serve_a, p);
    return p;
}

static void pair_stop(pair *p)
{
    srv_stop(p->a);
    srv_stop(p->b);
    free(p);
}

static sc_code ask(const pair *p, const char *path, sc_http_req req, sc_http **h, sc_http_call **c,
                   sc_err *err)
{
    char url[128];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u%s", srv_port(p->a), path);
    req.url = url;
    const sc_http_opts opts = {0};
    SC_TRY(sc_http_open(&opts, h, err));
    return sc_http_run(*h, &req, c, err);
}

TEST(gets_a_body_and_its_headers)
{
    UNUSED;
    pair *p = pair_start();
    sc_err err = {0};
    SC_AUTO(sc_http) *h = NULL;
    sc_http_call *c = NULL;
    CHECK_OK(ask(p, "/plain", (sc_http_req){0}, &h, &c, &err), &err);
    assert_int_equal(sc_http_status(c), 200);
    assert_string_equal(sc_http_header(c, "X-ONE"), "first");
    CHECK(!sc_http_header(c, "X-On"));
    CHECK(sc_str_is(sc_http_body(c), "hello"));
    pair_stop(p);
}

TEST(posts_a_body_and_asks_for_ranges)
{
    UNUSED;
    pair *p = pair_start();
    sc_err err = {0};
    {
        SC_AUTO(sc_http) *h = NULL;
        sc_http_call *c = NULL;
        CHECK_OK(ask(p, "/post", (sc_http_req){.method = "POST", .body = SC_STR("{\"a\":1}")}, &h,
                     &c, &err),
                 &err);
        CHECK(sc_str_is(sc_http_body(c), "got it"));
    }
    SC_AUTO(sc_http) *h = NULL;
    sc_http_call *c = NULL;
    CHECK_OK(ask(p, "/range", (sc_http_req){.range_from = 2, .range_size = 3}, &h, &c, &err), &err);
    assert_int_equal(sc_http_status(c), 206);
    CHECK(sc_str_is(sc_http_body(c), "cde"));
    pair_stop(p);
}

TEST(the_token_stays_with_its_origin)
{
    UNUSED;
    static const struct {
        const char *path;
        sc_http_follow follow;
        int status, at_a;
    } cases[] = {
        {"/plain", SC_HTTP_FOLLOW_NONE, 200, 1},    {"/to-plain", SC_HTTP_FOLLOW_NONE, 302, 1},
        {"/to-plain", SC_HTTP_FOLLOW_SAME, 200, 2}, {"/to-b", SC_HTTP_FOLLOW_SAME, 302, 1},
        {"/to-b", SC_HTTP_FOLLOW_ALL, 200, 1},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        pair *p = pair_start();
        sc_err err = {0};
        SC_AUTO(sc_http) *h = NULL;
        sc_http_call *c = NULL;
        CHECK_OK(ask(p, cases[i].path,
                     (sc_http_req){.bearer = "secret-token", .follow = cases[i].follow}, &h, &c,
                     &err),
                 &err);
        assert_int_equal(sc_http_status(c), cases[i].status);
        assert_int_equal(atomic_load(&p->auth_at_a), cases[i].at_a);
        assert_int_equal(atomic_load(&p->auth_at_b), 0);
        pair_stop(p);
    }
}

TEST(redirects_to_nowhere_and_in_circles_are_errors)
{
    UNUSED;
    static const struct {
        const char *path, *says;
        sc_code code;
    } cases[] = {
        {"/loop", "more than 10 redirects", SC_E_LIMIT},
        {"/to-ftp", "not a web address: ftp:", SC_E_FORMAT},
        {"/to-user", "not a web address", SC_E_FORMAT},
        {"/to-file", "not a web address: file:", SC_E_FORMAT},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        pair *p = pair_start();
        sc_err err = {0};
        SC_AUTO(sc_http) *h = NULL;
        sc_http_call *c = NULL;
        CHECK_CODE(cases[i].code,
                   ask(p, cases[i].path, (sc_http_req){.follow = SC_HTTP_FOLLOW_ALL}, &h, &c, &err),
                   &err);
        CHECK(strstr(err.msg, cases[i].says) && strstr(err.msg, cases[i].path));
        pair_stop(p);
    }
}

TEST(broken_answers_are_errors_that_say_what_is_broken)
{
    UNUSED;
    static const struct {
        const char *path, *says;
        sc_code code;
        bool again;
    } cases[] = {
        {"/cut", "transfer closed with", SC_E_NET, true},
        {"/nothing", "Empty reply", SC_E_NET, true},
        {"/garbage", "HTTP/0.9", SC_E_NET, false},
        {"/silent", "silent for 150 ms", SC_E_NET, true},
        {"/many-headers", "headers longer than 65536 bytes", SC_E_LIMIT, false},
        {"/long-header", "", SC_E_NET, false},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        pair *p = pair_start();
        sc_err err = {0};
        SC_AUTO(sc_http) *h = NULL;
        CHECK_OK(sc_http_open(&(sc_http_opts){0}, &h, &err), &err);
        char url[128];
        (void)snprintf(url, sizeof url, "http://127.0.0.1:%u%s?sig=private", srv_port(p->a),
                       cases[i].path);
        *strchr(url, '?') = '\0';
        const sc_http_req req = {.url = url, .idle_ms = 150};
        sc_http_call *c = NULL;
        CHECK_OK(sc_http_submit(h, &req, &c, &err), &err);
        while (!sc_http_is_done(c))
            CHECK_OK(sc_http_poll(h, 1000, &err), &err);
        CHECK_CODE(cases[i].code, sc_http_result(c, &err), &err);
        if (!strstr(err.msg, cases[i].says))
            print_error("%s\n", err.msg);
        CHECK(strstr(err.msg, cases[i].says));
        assert_int_equal(sc_http_may_retry(c), cases[i].again);
        pair_stop(p);
    }
}

static sc_code refuse_head(void *ctx, const sc_http_call *call, sc_err *err)
{
    (void)ctx;
    return sc_fail(err, SC_E_FORMAT, "status %d is refused", sc_http_status(call));
}

static sc_code refuse_body(void *ctx, const void *bytes, size_t n, sc_err *err)
{
    (void)bytes;
    *(size_t *)ctx += n;
    return sc_fail(err, SC_E_IO, "disk full");
}

TEST(limits_and_the_callers_refusals_end_a_call)
{
    UNUSED;
    size_t got = 0;
    const struct {
        sc_http_req req;
        sc_code code;
        const char *says;
    } cases[] = {
        {{.max_body = 4}, SC_E_LIMIT, "an answer longer than 4 bytes"},
        {{.on_head = refuse_head}, SC_E_FORMAT, "status 200 is refused"},
        {{.on_body = refuse_body, .ctx = &got}, SC_E_IO, "disk full"},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        pair *p = pair_start();
        sc_err err = {0};
        SC_AUTO(sc_http) *h = NULL;
        sc_http_call *c = NULL;
        CHECK_CODE(cases[i].code, ask(p, "/plain", cases[i].req, &h, &c, &err), &err);
        CHECK(strstr(err.msg, cases[i].says));
        pair_stop(p);
    }
    assert_int_equal(got, 5);
}

TEST(a_set_stop_flag_interrupts_and_line_breaks_are_refused)
{
    UNUSED;
    pair *p = pair_start();
    sc_err err = {0};
    atomic_bool stop = true;
    SC_AUTO(sc_http) *h = NULL;
    CHECK_OK(sc_http_open(&(sc_http_opts){.stop = &stop}, &h, &err), &err);
    char url[128];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/silent", srv_port(p->a));
    sc_http_call *c = NULL;
    CHECK_CODE(SC_E_INTERRUPTED, sc_http_run(h, &(sc_http_req){.url = url}, &c, &err), &err);
    const char *bad[] = {"X: y\r\nZ: w"};
    CHECK_CODE(SC_E_USAGE,
               sc_http_run(h, &(sc_http_req){.url = url, .headers = bad, .n_headers = 1}, &c, &err),
               &err);
    CHECK_CODE(SC_E_USAGE, sc_http_run(h, &(sc_http_req){.url = url, .bearer = "a\nb"}, &c, &err),
               &err);
    CHECK_CODE(SC_E_FORMAT, sc_http_run(h, &(sc_http_req){.url = "file:///etc/passwd"}, &c, &err),
               &err);
    pair_stop(p);
}

TEST(no_server_at_all_is_an_error_that_may_pass)
{
    UNUSED;
    pair *p = pair_start();
    char url[128];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/x", srv_port(p->b));
    pair_stop(p);
    sc_err err = {0};
    SC_AUTO(sc_http) *h = NULL;
    CHECK_OK(sc_http_open(&(sc_http_opts){0}, &h, &err), &err);
    sc_http_call *c = NULL;
    CHECK_OK(sc_http_submit(h, &(sc_http_req){.url = url}, &c, &err), &err);
    while (!sc_http_is_done(c))
        CHECK_OK(sc_http_poll(h, 1000, &err), &err);
    CHECK_CODE(SC_E_NET, sc_http_result(c, &err), &err);
    CHECK(sc_http_may_retry(c));
}

TEST(a_proxy_of_the_environment_is_not_used_for_this_machine)
{
    UNUSED;
    pair *p = pair_start();
    (void)setenv("http_proxy", "http://127.0.0.1:1", 1);
    (void)setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    sc_err err = {0};
    SC_AUTO(sc_http) *h = NULL;
    sc_http_call *c = NULL;
    CHECK_OK(ask(p, "/plain", (sc_http_req){0}, &h, &c, &err), &err);
    (void)unsetenv("http_proxy");
    (void)unsetenv("ALL_PROXY");
    pair_stop(p);
}

TEST(addresses_join_compare_and_hide_their_query)
{
    UNUSED;
    static const struct {
        const char *base, *ref, *want;
    } joins[] = {
        {"http://h/a/b", "/c", "http://h/c"},
        {"http://h/a/b", "c?d=e", "http://h/a/c?d=e"},
        {"http://h/a", "https://k:8/x", "https://k:8/x"},
        {"https://h/a", "//k/x", "https://k/x"},
        {"http://h/a/b", "../../../etc", "http://h/etc"},
    };
    for (size_t i = 0; i < SC_LEN(joins); i++) {
        sc_err err = {0};
        char *to = NULL;
        CHECK_OK(sc_url_join(joins[i].base, sc_str_c(joins[i].ref), &to, &err), &err);
        assert_string_equal(to, joins[i].want);
        sc_free(to);
    }
    CHECK(sc_url_is_same_origin("http://h/a", "http://H:80/b"));
    CHECK(!sc_url_is_same_origin("http://h/a", "https://h/a"));
    CHECK(!sc_url_is_same_origin("http://h:81/a", "http://h/a"));
    CHECK(!sc_url_is_same_origin("http://h.evil/a", "http://h/a"));
    CHECK(sc_url_is_loopback("http://127.0.0.1:9/") && sc_url_is_loopback("http://[::1]/"));
    CHECK(!sc_url_is_loopback("http://127.evil.example/") &&
          !sc_url_is_loopback("http://10.0.0.1/"));
    SC_AUTO(sc_buf) b = sc_buf_init(200);
    sc_url_escape(SC_STR("a/b c%\xc3\xa9"), "/", &b);
    sc_buf_add_char(&b, ' ');
    sc_url_shorten("https://h/p?token=x", &b);
    assert_string_equal(b.p, "a/b%20c%25%C3%A9 https://h/p?...");
}

TEST(waits_grow_and_obey_the_server)
{
    UNUSED;
    assert_int_equal(sc_retry_after_ms("7", 0), 7000);
    assert_int_equal(sc_retry_after_ms("99999999999999999999", 0), SC_RETRY_MAX_MS);
    assert_int_equal(sc_retry_after_ms("Thu, 01 Jan 1970 00:00:05 GMT", 2), 3000);
    assert_int_equal(sc_retry_after_ms("Thu, 01 Jan 1970 00:00:05 GMT", 9), 0);
    assert_int_equal(sc_retry_after_ms("soon", 0), 0);
    for (unsigned n = 1; n < 40; n++) {
        const uint64_t ms = sc_retry_delay_ms(n, 0, 7);
        CHECK(ms >= 375 && ms <= 37500);
        CHECK(sc_retry_delay_ms(n, 60000, 7) == 60000);
    }
    CHECK(sc_retry_delay_ms(1, 0, 7) < sc_retry_delay_ms(4, 0, 7));
    CHECK(sc_retry_may(408) && sc_retry_may(429) && sc_retry_may(500) && sc_retry_may(503));
    CHECK(!sc_retry_may(200) && !sc_retry_may(404) && !sc_retry_may(401) && !sc_retry_may(501));
}

TEST(a_missing_or_foreign_libcurl_is_an_error_that_names_it)
{
    (void)state;
    sc_err err = {0};
    sc_curl curl = {0};
    CHECK(sc_curl_load("libcurl-of-nobody.so.4", &curl, &err) == SC_E_UNSUPPORTED);
    CHECK(strstr(err.msg, "libcurl-of-nobody.so.4") && strstr(err.msg, "needs libcurl"));
    CHECK(sc_curl_load("libm.so.6", &curl, &err) == SC_E_UNSUPPORTED);
    CHECK(strstr(err.msg, "libm.so.6: has no function curl_"));
    CHECK(!curl.url && !curl.easy_init);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(gets_a_body_and_its_headers),
        T(posts_a_body_and_asks_for_ranges),
        T(the_token_stays_with_its_origin),
        T(redirects_to_nowhere_and_in_circles_are_errors),
        T(broken_answers_are_errors_that_say_what_is_broken),
        T(limits_and_the_callers_refusals_end_a_call),
        T(a_set_stop_flag_interrupts_and_line_breaks_are_refused),
        T(no_server_at_all_is_an_error_that_may_pass),
        T(a_proxy_of_the_environment_is_not_used_for_this_machine),
        T(addresses_join_compare_and_hide_their_query),
        T(waits_grow_and_obey_the_server),
        T(a_missing_or_foreign_libcurl_is_an_error_that_names_it),
    };
    return RUN_TESTS(tests);
}
