// SPDX-License-Identifier: MIT
#include "base/json.h"
#include "fmt/gguf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sc_err err = {0};
    SC_AUTO(sc_gguf) *x = NULL;
    if (sc_gguf_parse(bytes, size, &x, &err) != SC_OK) {
        // The promises of err.h: a code, a text, and a place inside the input.
        if (err.code == SC_OK || !err.msg[0] || (err.at != SC_NOWHERE && err.at > size))
            abort();
        return 0;
    }
    // The promise of gguf.h: every element of a tensor can be read without another check.
    size_t n = 0;
    const sc_tensor *t = sc_gguf_tensors(x, &n);
    volatile uint8_t sink = 0;
    for (size_t i = 0; i < n; i++) {
        if (!sc_tensor_name_ok(t[i].name))
            abort();
        if (t[i].count == 0)
            continue;
        const sc_dtype_facts *f = sc_dtype_info(t[i].dtype);
        uint64_t last = 0; // bytes from the first element to the last
        for (uint32_t d = 0; d < t[i].n_dims; d++)
            last += (t[i].dims[d] - 1) * t[i].stride[d];
        last = last / f->block * f->size;
        sink = (uint8_t)(sink ^ bytes[t[i].offset] ^ bytes[t[i].offset + last + f->size - 1]);
    }
    return 0;
}
