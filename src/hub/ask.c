// SPDX-License-Identifier: MIT
#include "hub/ask.h"

#include "net/retry.h"

#include <time.h>
#include <unistd.h>

sc_code sc_hub_session_init(sc_hub_session *out, const sc_hub_places *places,
                            const sc_hub_pull_opts *opts, sc_err *err)
{
    sc_hub_session s = {.places = places, .opts = opts};
    s.clock = opts->clock ? *opts->clock : sc_clock_real();
    s.seed = sc_clock_ns(&s.clock) ^ (uint64_t)getpid();
    const sc_http_opts http = {
        .clock = opts->clock, .stop = opts->stop, .ca_file = places->ca_file};
    SC_TRY(sc_http_open(&http, &s.http, err));
    *out = s;
    return SC_OK;
}

void sc_hub_session_drop(sc_hub_session *s)
{
    sc_http_close(s->http);
    s->http = NULL;
}

void sc_hub_report(sc_hub_session *s)
{
    if (s->opts->progress)
        s->opts->progress(s->opts->progress_ctx, &s->progress);
}

static sc_code check_stop(const sc_hub_session *s, sc_err *err)
{
    if (s->opts->stop && atomic_load(s->opts->stop))
        return sc_fail(err, SC_E_INTERRUPTED, "interrupted");
    return SC_OK;
}

static void sleep_ms(uint64_t ms)
{
    const struct timespec t = {.tv_sec = (time_t)(ms / 1000),
                               .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL); // woken early: the caller's loop goes on
}

sc_code sc_hub_wait(sc_hub_session *s, uint64_t ms, const char *why, sc_err *err)
{
    enum { STEP_MS = 100 };
    if (s->opts->wait_ms) {
        s->opts->wait_ms(s->opts->test_ctx, ms);
        return check_stop(s, err);
    }
    while (ms) {
        const uint64_t step = ms < STEP_MS ? ms : STEP_MS;
        SC_TRY(check_stop(s, err));
        s->progress.retry_in_ms = ms;
        s->progress.why = why;
        sc_hub_report(s);
        sleep_ms(step);
        ms -= step;
    }
    s->progress.retry_in_ms = 0;
    s->progress.why = NULL;
    return check_stop(s, err);
}

uint64_t sc_hub_retry_after(const sc_http_call *c)
{
    const char *value = sc_http_header(c, "retry-after");
    return value ? sc_retry_after_ms(value, time(NULL)) : 0;
}

/* What the hub's own error codes mean to a user. */
static const struct {
    const char *code;
    sc_code as;
    const char *text;
} known_errors[] = {
    {"GatedRepo", SC_E_NET, "gated: accept its terms on its page, then set HF_TOKEN"},
    {"RepoNotFound", SC_E_NOTFOUND, "no such repository, or a private one that needs HF_TOKEN"},
    {"RevisionNotFound", SC_E_NOTFOUND, "no such revision"},
    {"EntryNotFound", SC_E_NOTFOUND, "no such file"},
    {"DisabledRepo", SC_E_NET, "the hub has disabled this repository"},
};

sc_code sc_hub_explain(const sc_hub_session *s, const sc_http_call *c, sc_err *err)
{
    const int status = sc_http_status(c);
    const char *code = sc_http_header(c, "x-error-code");
    for (size_t i = 0; code && i < SC_LEN(known_errors); i++) {
        if (strcmp(code, known_errors[i].code) != 0)
            continue;
        const sc_code as = known_errors[i].as; // constant codes, for the analyser's sake
        return as == SC_E_NOTFOUND ? sc_fail_sys(err, SC_E_NOTFOUND, status, "%s (HTTP %d)",
                                                 known_errors[i].text, status)
                                   : sc_fail_sys(err, SC_E_NET, status, "%s (HTTP %d)",
                                                 known_errors[i].text, status);
    }
    if (status == 401 || status == 403)
        return sc_fail_sys(err, SC_E_NET, status, "%s (HTTP %d)",
                           s->places->token ? "the hub does not accept the token for this"
                                            : "the hub wants a token: set HF_TOKEN",
                           status);
    if (status == 404)
        return sc_fail_sys(err, SC_E_NOTFOUND, status, "not on the hub (HTTP 404)");
    const char *text = sc_http_header(c, "x-error-message");
    return sc_fail_sys(err, SC_E_NET, status, "the server answers with HTTP %d%s%.120s", status,
                       text ? ": " : "", text ? text : "");
}

static bool is_answer(const sc_http_call *c, const char *method)
{
    const int status = sc_http_status(c);
    return (status >= 200 && status < 300) || (strcmp(method, "HEAD") == 0 && status >= 300 &&
                                               status < 400 && sc_http_header(c, "location"));
}

/* One try; *again says whether another one may help, and *after_ms when. */
static sc_code ask_once(sc_hub_session *s, const sc_http_req *req, sc_http_call **out, bool *again,
                        uint64_t *after_ms, sc_err *err)
{
    SC_AUTO(sc_http_call) *c = NULL;
    *again = false;
    *after_ms = 0;
    SC_TRY(sc_http_submit(s->http, req, &c, err));
    while (!sc_http_is_done(c))
        SC_TRY(sc_http_poll(s->http, 1000, err));
    *again = sc_http_may_retry(c);
    SC_TRY(sc_http_result(c, err));
    if (!is_answer(c, req->method)) {
        *again = sc_retry_may(sc_http_status(c));
        *after_ms = sc_hub_retry_after(c);
        return sc_hub_explain(s, c, err);
    }
    *out = sc_take(c);
    return SC_OK;
}

sc_code sc_hub_ask(sc_hub_session *s, const char *method, const char *url, uint64_t max_body,
                   sc_http_call **out, sc_err *err)
{
    const sc_http_req req = {.method = method,
                             .url = url,
                             .bearer = s->places->token,
                             .follow = SC_HTTP_FOLLOW_SAME,
                             .connect_ms = s->places->etag_timeout_ms,
                             .idle_ms = s->places->etag_timeout_ms,
                             .max_body = max_body};
    for (unsigned n_failed = 1;; n_failed++) {
        bool again = false;
        uint64_t after_ms = 0;
        const sc_code code = ask_once(s, &req, out, &again, &after_ms, err);
        if (code == SC_OK || !again)
            return code;
        if (n_failed >= SC_HUB_MAX_TRIES) {
            sc_within(err, "%u tries", n_failed);
            return code;
        }
        const sc_err last = *err;
        SC_TRY(sc_hub_wait(s, sc_retry_delay_ms(n_failed, after_ms, s->seed), last.msg, err));
    }
}
