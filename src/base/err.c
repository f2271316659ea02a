// SPDX-License-Identifier: MIT
#include "base/err.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Text from outside may sit in the message: keep it one line and harmless to a terminal. */
static void clean(char *msg)
{
    for (unsigned char *p = (unsigned char *)msg; *p; p++)
        if (*p < 0x20 || *p == 0x7f)
            *p = '?';
}

void sc_raise(sc_err *err, const char *where, sc_code code, int sys, uint64_t at, const char *fmt,
              ...)
{
    char msg[SC_ERR_MSG_SIZE];
    va_list args;
    va_start(args, fmt);
    const int n = vsnprintf(msg, sizeof msg, fmt, args);
    va_end(args);
    if (n < 0)
        msg[0] = '\0';
    if (sys > 0 && code == SC_E_IO && (size_t)n + 4 < sizeof msg) {
        char text[128];
        // The GNU form may return a pointer to a constant instead of filling the buffer.
        const char *why = strerror_r(sys, text, sizeof text);
        (void)snprintf(msg + n, sizeof msg - (size_t)n, ": %s", why);
    }
    if (at != SC_NOWHERE) {
        const size_t len = strlen(msg);
        if (len + 32 < sizeof msg)
            (void)snprintf(msg + len, sizeof msg - len, " (byte %" PRIu64 ")", at);
    }
    clean(msg);
    err->code = code;
    err->sys = sys;
    err->at = at;
    err->where = where;
    memcpy(err->msg, msg, sizeof msg);
}

void sc_within(sc_err *err, const char *fmt, ...)
{
    char context[SC_ERR_MSG_SIZE];
    va_list args;
    va_start(args, fmt);
    const int n = vsnprintf(context, sizeof context, fmt, args);
    va_end(args);
    if (n < 0)
        return;
    clean(context);
    char msg[SC_ERR_MSG_SIZE + SC_ERR_MSG_SIZE + 4];
    (void)snprintf(msg, sizeof msg, "%s: %s", context, err->msg);
    memcpy(err->msg, msg, SC_ERR_MSG_SIZE - 1);
    err->msg[SC_ERR_MSG_SIZE - 1] = '\0';
}

const char *sc_code_name(sc_code code)
{
    switch (code) {
    case SC_OK:
        return "ok";
    case SC_E_NOMEM:
        return "out of memory";
    case SC_E_IO:
        return "io";
    case SC_E_FORMAT:
        return "format";
    case SC_E_UNSUPPORTED:
        return "unsupported";
    case SC_E_NOTFOUND:
        return "not found";
    case SC_E_USAGE:
        return "usage";
    case SC_E_LIMIT:
        return "limit";
    case SC_E_INTERRUPTED:
        return "interrupted";
    case SC_E_NET:
        return "network";
    case SC_E_SANDBOX:
        return "sandbox";
    }
    return "unknown";
}
