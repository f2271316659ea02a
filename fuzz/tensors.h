/**
 * tensors.h - what the targets of the readers of tensors check alike: the promises of err.h for
 * what is refused, and of tensor.h for what is accepted.
 *
 * Threads: one thread at a time.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_FUZZ_TENSORS_H
#define SC_FUZZ_TENSORS_H

#include "fmt/tensor.h"

#include <stdlib.h>

/** An error has a code, a text, and a place inside the input. */
static inline void fuzz_check_error(const sc_err *err, size_t size)
{
    if (err->code == SC_OK || !err->msg[0] || (err->at != SC_NOWHERE && err->at > size))
        abort();
}

/** Every element of a tensor can be read without another check: the first and the last are. */
static inline void fuzz_read_tensors(const uint8_t *bytes, const sc_tensor *t, size_t n)
{
    volatile uint8_t sink = 0;
    for (size_t i = 0; i < n; i++) {
        if (!sc_tensor_name_ok(t[i].name))
            abort();
        if (t[i].count == 0)
            continue;
        const sc_dtype_facts *f = sc_dtype_info(t[i].dtype);
        uint64_t last = 0; // elements from the first to the last
        for (uint32_t d = 0; d < t[i].n_dims; d++)
            last += (t[i].dims[d] - 1) * t[i].stride[d];
        last = last / f->block * f->size;
        sink = (uint8_t)(sink ^ bytes[t[i].offset] ^ bytes[t[i].offset + last + f->size - 1]);
    }
}

#endif
