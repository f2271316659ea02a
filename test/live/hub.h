/**
 * hub.h - a server that speaks the hub's protocol, with faults that a test can order.
 *
 * Repository org/name at one commit: small files that the hub sends itself, large ones behind a
 * redirect to a second server, the "CDN". old/name has moved to org/name. gated/name wants terms
 * accepted; private/name wants the token.
 *
 * Threads: the counters are atomic; the rest is set before the first request.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_TEST_LIVE_HUB_H
#define SC_TEST_LIVE_HUB_H

#include "server.h"

#include <stdatomic.h>

#define HUB_COMMIT "0123456789abcdef0123456789abcdef01234567"
#define HUB_TOKEN  "hf_secretsecret"

typedef enum hub_fault_kind {
    HUB_OK,
    HUB_STATUS,    // answers `status` with the header lines `extra`
    HUB_CUT,       // closes after `arg` bytes of the body
    HUB_SHORT,     // says and sends `arg` bytes less than asked for
    HUB_LONG,      // sends `arg` bytes more
    HUB_FLIP,      // one byte is wrong
    HUB_NO_RANGES, // answers 200 with everything
    HUB_BAD_RANGE, // a Content-Range of another part
    HUB_SILENT,    // headers, then nothing
    HUB_BIG_HEADERS,
    HUB_EXPIRE, // the CDN's address is good for `arg` requests only, then 403
} hub_fault_kind;

typedef struct hub_fault {
    hub_fault_kind kind;
    const char *where; // part of the target, "cdn:" in front for the CDN
    int times;         // how often; 0: always
    int status;
    const char *extra;
    int arg;
} hub_fault;

typedef struct hub_file {
    const char *path;
    const char *bytes;
    size_t size;
    bool is_lfs;
    const char *hash; // what the hub says; NULL: the truth
} hub_file;

typedef struct hub {
    srv *api, *cdn;
    const hub_file *files; // [n_files]
    size_t n_files, page_size;
    hub_fault fault;
    const char *next_page; // NULL: the right one
    atomic_int hits_api, hits_cdn, hits_fault, bytes_sent, leaks, signature;
} hub;

void hub_start(hub *h);
void hub_stop(hub *h);

#endif
