// SPDX-License-Identifier: MIT
#include "net/retry.h"

#include "base/rng.h"
#include "net/curl.h"

enum { FIRST_MS = 500, LAST_MS = 30000 };

bool sc_retry_may(int status)
{
    return status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

uint64_t sc_retry_after_ms(const char *value, time_t now)
{
    uint64_t s = 0;
    const char *p = value;
    for (; *p >= '0' && *p <= '9'; p++)
        s = s > SC_RETRY_MAX_MS ? s : s * 10 + (uint64_t)(*p - '0');
    if (p == value || *p) {
        const sc_curl *curl = NULL;
        sc_err none = {0};
        const time_t then = sc_curl_get(&curl, &none) == SC_OK ? curl->getdate(value, NULL) : 0;
        s = then > now ? (uint64_t)(then - now) : 0;
    }
    return s > SC_RETRY_MAX_MS / 1000 ? SC_RETRY_MAX_MS : s * 1000;
}

uint64_t sc_retry_delay_ms(unsigned n_failed, uint64_t at_least_ms, uint64_t seed)
{
    uint64_t ms = FIRST_MS;
    for (unsigned i = 1; i < n_failed && ms < LAST_MS; i++)
        ms *= 2;
    ms = ms > LAST_MS ? LAST_MS : ms;
    const double spread = 0.75 + 0.5 * sc_rng_unit(seed, 0, n_failed);
    ms = (uint64_t)((double)ms * spread);
    return ms < at_least_ms ? at_least_ms : ms;
}
