/**
 * curl.h - libcurl, loaded when it is first needed.
 *
 * It brings some thirty libraries, which take longer to load and relocate than a small command
 * needs as a whole; most commands never use the network.
 *
 * Threads: any thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_NET_CURL_H
#define SC_NET_CURL_H

#include "base/attr.h"
#include "base/err.h"

#include <curl/curl.h>

/** The functions of libcurl that this folder uses, without their "curl_". */
#define SC_CURL_FUNCTIONS(X)                                                                       \
    X(easy_cleanup)                                                                                \
    X(easy_getinfo)                                                                                \
    X(easy_init)                                                                                   \
    X(easy_setopt)                                                                                 \
    X(easy_strerror)                                                                               \
    X(free)                                                                                        \
    X(getdate)                                                                                     \
    X(global_init)                                                                                 \
    X(multi_add_handle)                                                                            \
    X(multi_cleanup)                                                                               \
    X(multi_info_read)                                                                             \
    X(multi_init)                                                                                  \
    X(multi_perform)                                                                               \
    X(multi_poll)                                                                                  \
    X(multi_remove_handle)                                                                         \
    X(multi_strerror)                                                                              \
    X(slist_append)                                                                                \
    X(slist_free_all)                                                                              \
    X(url)                                                                                         \
    X(url_cleanup)                                                                                 \
    X(url_get)                                                                                     \
    X(url_set)

typedef struct sc_curl {
#define SC_CURL_MEMBER(name) __typeof__(curl_##name) *name;
    SC_CURL_FUNCTIONS(SC_CURL_MEMBER)
#undef SC_CURL_MEMBER
} sc_curl;

/**
 * Loads the shared library `file` and finds every function in it. It stays loaded.
 *
 * Errors: SC_E_UNSUPPORTED it is not there, or misses a function
 */
sc_code sc_curl_load(const char *file, sc_curl *out, sc_err *err) SC_CHECKED;

/**
 * The system's libcurl, loaded and initialised by the first call.
 *
 * Owns:   lives as long as the process.
 * Errors: as sc_curl_load
 */
sc_code sc_curl_get(const sc_curl **out, sc_err *err) SC_CHECKED;

#endif
