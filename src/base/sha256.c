// SPDX-License-Identifier: MIT
#include "base/sha256.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

struct sc_sha256 {
    EVP_MD_CTX *ctx; // owned
};

sc_code sc_sha256_new(sc_sha256 **out, sc_err *err)
{
    SC_AUTO(sc_sha256) *s = sc_new(sc_sha256);
    if (!s)
        return sc_fail_nomem(err);
    s->ctx = EVP_MD_CTX_new();
    if (!s->ctx || EVP_DigestInit_ex(s->ctx, EVP_sha256(), NULL) != 1)
        return sc_fail_nomem(err);
    *out = sc_take(s);
    return SC_OK;
}

void sc_sha256_free(sc_sha256 *s)
{
    if (!s)
        return;
    EVP_MD_CTX_free(s->ctx);
    sc_free(s);
}

void sc_sha256_add(sc_sha256 *s, const void *bytes, size_t n)
{
    (void)EVP_DigestUpdate(s->ctx, bytes, n); // cannot fail after a successful init
}

void sc_sha256_hex(sc_sha256 *s, char hex[SC_SHA256_HEX])
{
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    unsigned n = 0;
    (void)EVP_DigestFinal_ex(s->ctx, digest, &n); // as above
    for (unsigned i = 0; i < 32; i++)
        (void)snprintf(hex + (size_t)i * 2, 3, "%02x", digest[i]);
}

sc_code sc_sha256_bytes(const void *bytes, size_t n, char hex[SC_SHA256_HEX], sc_err *err)
{
    SC_AUTO(sc_sha256) *s = NULL;
    SC_TRY(sc_sha256_new(&s, err));
    sc_sha256_add(s, bytes, n);
    sc_sha256_hex(s, hex);
    return SC_OK;
}

sc_code sc_sha256_file(const char *path, char hex[SC_SHA256_HEX], sc_err *err)
{
    SC_AUTO(sc_sha256) *s = NULL;
    SC_TRY(sc_sha256_new(&s, err));
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", path);
    unsigned char block[65536];
    ssize_t n = 0;
    while ((n = read(fd, block, sizeof block)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        sc_sha256_add(s, block, (size_t)n);
    }
    const int why = errno;
    (void)close(fd); // opened for reading: nothing to lose
    if (n < 0)
        return sc_fail_sys(err, SC_E_IO, why, "%s", path);
    sc_sha256_hex(s, hex);
    return SC_OK;
}
