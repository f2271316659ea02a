// SPDX-License-Identifier: MIT
#include "fmt/zip.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sc_err err = {0};
    SC_AUTO(sc_zip) *z = NULL;
    if (sc_zip_parse(bytes, size, &z, &err) != SC_OK) {
        if (err.code == SC_OK || !err.msg[0] || (err.at != SC_NOWHERE && err.at > size))
            abort();
        return 0;
    }
    // The promises of zip.h: members lie in the file, are found by name, and do not overlap.
    size_t n = 0;
    const sc_zip_member *m = sc_zip_members(z, &n);
    for (size_t i = 0; i < n; i++) {
        if (m[i].at > size || m[i].size > size - m[i].at || sc_zip_find(z, m[i].name) != &m[i])
            abort();
        for (size_t k = 0; k < i && n < 100; k++)
            if (m[i].head < m[k].at + m[k].size && m[k].head < m[i].at + m[i].size)
                abort();
        const sc_code code = sc_zip_check(z, &m[i], &err); // right or wrong, but nothing else
        if (code != SC_OK && code != SC_E_FORMAT)
            abort();
    }
    return 0;
}
