// SPDX-License-Identifier: MIT
#include "hub/hash.h"

#include "base/mem.h"

#include <ctype.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

struct sc_hub_hash {
    EVP_MD_CTX *ctx; // owned; NULL: nothing to compare with
    char want[65];
    uint64_t size, n;
};

static bool is_hex(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isxdigit((unsigned char)s[i]))
            return false;
    return s[n] == '\0';
}

sc_code sc_hub_hash_new(const char *want, uint64_t size, sc_hub_hash **out, sc_err *err)
{
    SC_AUTO(sc_hub_hash) *h = sc_new(sc_hub_hash);
    if (!h)
        return sc_fail_nomem(err);
    h->size = size;
    const size_t digits = strlen(want);
    if ((digits == 64 || digits == 40) && is_hex(want, digits)) {
        memcpy(h->want, want, digits + 1);
        h->ctx = EVP_MD_CTX_new();
        if (!h->ctx ||
            EVP_DigestInit_ex(h->ctx, digits == 64 ? EVP_sha256() : EVP_sha1(), NULL) != 1)
            return sc_fail_nomem(err);
        if (digits == 40) {
            char head[32];
            const int n = snprintf(head, sizeof head, "blob %" PRIu64, size);
            (void)EVP_DigestUpdate(h->ctx, head, (size_t)n + 1); // with the NUL; cannot fail now
        }
    }
    *out = sc_take(h);
    return SC_OK;
}

void sc_hub_hash_add(sc_hub_hash *h, const void *bytes, size_t n)
{
    h->n += n;
    if (h->ctx)
        (void)EVP_DigestUpdate(h->ctx, bytes, n); // cannot fail after a successful init
}

bool sc_hub_hash_holds(sc_hub_hash *h, char got[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    unsigned n = 0;
    got[0] = '\0';
    if (!h->ctx)
        return h->n == h->size;
    (void)EVP_DigestFinal_ex(h->ctx, digest, &n); // as above
    for (unsigned i = 0; i < n && i < 32; i++)
        (void)snprintf(got + (size_t)i * 2, 3, "%02x", digest[i]);
    return h->n == h->size && strcmp(got, h->want) == 0;
}

void sc_hub_hash_free(sc_hub_hash *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->ctx);
    sc_free(h);
}
