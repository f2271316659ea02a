/**
 * ask.h - questions to the hub: the token, the retries, and what a refusal means.
 *
 * Threads: one thread at a time per session.
 * Source:  utils/_http.py of huggingface_hub for X-Error-Code.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_HUB_ASK_H
#define SC_HUB_ASK_H

#include "hub/pull.h"
#include "net/http.h"

enum { SC_HUB_MAX_TRIES = 6 }; // without progress, per question or piece of a file

typedef struct sc_hub_session {
    const sc_hub_places *places;  // borrowed
    const sc_hub_pull_opts *opts; // borrowed
    sc_http *http;                // owned
    sc_clock clock;
    uint64_t seed;            // of the waits' spread
    sc_hub_progress progress; // what is reported next
} sc_hub_session;

/** Owns: the caller drops *out with sc_hub_session_drop. Errors: as sc_http_open */
sc_code sc_hub_session_init(sc_hub_session *out, const sc_hub_places *places,
                            const sc_hub_pull_opts *opts, sc_err *err) SC_CHECKED;
void sc_hub_session_drop(sc_hub_session *s);

/**
 * Asks until an answer comes that stands: 2xx, or a redirect to another origin for HEAD.
 *
 * Owns:   the caller frees *out with sc_http_free.
 * Errors: SC_E_NOTFOUND, SC_E_NET (err->sys is the status), SC_E_LIMIT, SC_E_INTERRUPTED,
 * SC_E_NOMEM
 */
sc_code sc_hub_ask(sc_hub_session *s, const char *method, const char *url, uint64_t max_body,
                   sc_http_call **out, sc_err *err) SC_CHECKED;

/** The error for an answer that is not what was asked for. Never SC_OK. */
sc_code sc_hub_explain(const sc_hub_session *s, const sc_http_call *c, sc_err *err) SC_CHECKED;

/** How long the server asked us to stay away, in ms; 0: it did not. */
uint64_t sc_hub_retry_after(const sc_http_call *c);

/** Waits `ms`, reporting `why`. Errors: SC_E_INTERRUPTED */
sc_code sc_hub_wait(sc_hub_session *s, uint64_t ms, const char *why, sc_err *err) SC_CHECKED;

/** Reports the progress as it stands. */
void sc_hub_report(sc_hub_session *s);

SC_AUTO_DEFINE_VALUE(sc_hub_session, sc_hub_session_drop);

#endif
