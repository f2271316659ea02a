// SPDX-License-Identifier: MIT
#include "fmt/tensor.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>

enum { NAME_MAX_BYTES = 1024 };

sc_code sc_tensor_measure(sc_tensor *t, sc_err *err)
{
    const sc_dtype_facts *type = sc_dtype_info(t->dtype);
    uint64_t count = 1;
    for (uint32_t d = 0; d < t->n_dims; d++)
        if (__builtin_mul_overflow(count, t->dims[d], &count) || count > INT64_MAX)
            return sc_fail(err, SC_E_FORMAT, "dimension %" PRIu32 " makes it too large", d);
    const uint64_t row = t->n_dims ? t->dims[t->n_dims - 1] : 1;
    if (row % type->block != 0)
        return sc_fail(err, SC_E_FORMAT, "rows of %" PRIu64 " are not whole %s blocks of %u", row,
                       type->name, (unsigned)type->block);
    uint64_t size = 0;
    if (__builtin_mul_overflow(count / type->block, (uint64_t)type->size, &size) ||
        size > INT64_MAX)
        return sc_fail(err, SC_E_FORMAT, "%" PRIu64 " elements are too many bytes", count);

    t->count = count;
    t->size = size;
    t->dense = true;
    uint64_t step =
        1; // no product of dimensions wraps unless one is 0, and then it does not matter
    for (uint32_t d = SC_TENSOR_MAX_DIMS; d-- > 0;) {
        if (d >= t->n_dims)
            t->dims[d] = 1;
        t->stride[d] = step;
        step *= t->dims[d];
    }
    return SC_OK;
}

void sc_tensor_format_shape(const sc_tensor *t, char *out, size_t size)
{
    size_t at = (size_t)snprintf(out, size, "[");
    for (uint32_t d = 0; d < t->n_dims && at < size; d++)
        at += (size_t)snprintf(out + at, size - at, "%s%" PRIu64, d ? ", " : "", t->dims[d]);
    if (at < size)
        (void)snprintf(out + at, size - at, "]"); // cut off, as the header says
}

bool sc_tensor_name_ok(sc_str name)
{
    if (name.n == 0 || name.n > NAME_MAX_BYTES || !sc_utf8_valid(name, NULL))
        return false;
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f)
            return false;
    return true;
}
