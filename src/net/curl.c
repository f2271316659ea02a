// SPDX-License-Identifier: MIT
#include "net/curl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

// Its binary interface, the one of the header above, has had this name since 2006.
#define LIBRARY "libcurl.so.4"

static sc_code find(void *library, const char *file, const char *name, void *function, sc_err *err)
{
    void *at = dlsym(library, name);
    if (!at)
        return sc_fail(err, SC_E_UNSUPPORTED, "%s: has no function %s", file, name);
    memcpy(function, &at, sizeof at); // ISO C has no cast from one to the other
    return SC_OK;
}

sc_code sc_curl_load(const char *file, sc_curl *out, sc_err *err)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *why = dlerror(); // names the file
        return sc_fail(err, SC_E_UNSUPPORTED, "the network needs libcurl: %s", why ? why : file);
    }
    sc_curl c;
#define FIND(name) SC_TRY(find(library, file, "curl_" #name, &c.name, err));
    SC_CURL_FUNCTIONS(FIND)
#undef FIND
    *out = c;
    return SC_OK;
}

// Written once, under `once`.
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct {
    sc_curl curl;
    sc_err err;
} the;

static void load(void)
{
    if (sc_curl_load(LIBRARY, &the.curl, &the.err) == SC_OK)
        (void)the.curl.global_init(CURL_GLOBAL_DEFAULT); // a failure shows at the first handle
}

sc_code sc_curl_get(const sc_curl **out, sc_err *err)
{
    (void)pthread_once(&once, load); // cannot fail with a valid control
    if (the.err.code != SC_OK) {
        *err = the.err;
        return err->code;
    }
    *out = &the.curl;
    return SC_OK;
}
