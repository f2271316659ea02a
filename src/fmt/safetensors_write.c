// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/mem.h"
#include "fmt/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>

/* The types of the format from low to high; larger ones are written first. */
static const struct {
    sc_dtype dtype;
    const char *name;
} types[] = {
    {SC_BOOL, "BOOL"}, {SC_U8, "U8"},   {SC_I8, "I8"},   {SC_I16, "I16"}, {SC_F16, "F16"},
    {SC_BF16, "BF16"}, {SC_I32, "I32"}, {SC_F32, "F32"}, {SC_F64, "F64"}, {SC_I64, "I64"},
};

static int rank(sc_dtype t)
{
    for (size_t i = 0; i < SC_LEN(types); i++)
        if (types[i].dtype == t)
            return (int)i;
    return -1;
}

static int compare(const void *a, const void *b)
{
    const sc_safetensors_item *x = *(const sc_safetensors_item *const *)a;
    const sc_safetensors_item *y = *(const sc_safetensors_item *const *)b;
    const int low = rank(x->dtype), high = rank(y->dtype);
    return low != high ? (low > high ? -1 : 1) : strcmp(x->name, y->name);
}

/* The bytes of a tensor. */
static sc_code size_of(const sc_safetensors_item *t, size_t *out, sc_err *err)
{
    if (rank(t->dtype) < 0 || t->n_dims > SC_TENSOR_MAX_DIMS)
        return sc_fail(err, SC_E_USAGE, "tensor %s: not a type or shape of the format", t->name);
    size_t n = sc_dtype_info(t->dtype)->size;
    for (uint32_t i = 0; i < t->n_dims; i++)
        if (!sc_mul_size(n, t->dims[i], &n))
            return sc_fail(err, SC_E_USAGE, "tensor %s: too large", t->name);
    *out = n;
    return SC_OK;
}

static void add_entry(sc_buf *b, const sc_safetensors_item *t, size_t from, size_t to)
{
    if (b->n > 1)
        sc_buf_add_char(b, ',');
    sc_buf_add_json(b, sc_str_c(t->name));
    sc_buf_addf(b, ":{\"dtype\":\"%s\",\"shape\":[", types[rank(t->dtype)].name);
    for (uint32_t d = 0; d < t->n_dims; d++)
        sc_buf_addf(b, "%s%" PRIu64, d ? "," : "", t->dims[d]);
    sc_buf_addf(b, "],\"data_offsets\":[%zu,%zu]}", from, to);
}

/* The header's length and the header, padded with spaces. */
static sc_code add_header(sc_buf *b, const sc_safetensors_item *const *item, size_t n,
                          const json_t *metadata, sc_err *err)
{
    SC_AUTO(sc_buf) header = sc_buf_init(SIZE_MAX / 2);
    sc_buf_add_char(&header, '{');
    if (metadata) {
        sc_buf_add_c(&header, "\"__metadata__\":");
        sc_json_format(metadata, 0, &header);
    }
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        size_t size = 0;
        SC_TRY(size_of(item[i], &size, err));
        if (i > 0 && strcmp(item[i]->name, item[i - 1]->name) == 0 &&
            item[i]->dtype == item[i - 1]->dtype)
            return sc_fail(err, SC_E_USAGE, "tensor %s: twice", item[i]->name);
        size_t end = 0;
        if (!sc_add_size(at, size, &end))
            return sc_fail(err, SC_E_USAGE, "tensor %s: too large", item[i]->name);
        add_entry(&header, item[i], at, end);
        at = end;
    }
    sc_buf_add_char(&header, '}');
    while (header.n % 8)
        sc_buf_add_char(&header, ' ');
    for (unsigned i = 0; i < 8; i++)
        sc_buf_add_char(b, (char)((uint64_t)header.n >> (8 * i) & 0xff));
    sc_buf_add_str(b, sc_buf_str(&header));
    return sc_buf_ok(&header) && sc_buf_ok(b) ? SC_OK : sc_fail_nomem(err);
}

static sc_code write_sorted(const char *path, const sc_safetensors_item **item, size_t n,
                            const json_t *metadata, sc_err *err)
{
    SC_AUTO(sc_buf) b = sc_buf_init(SIZE_MAX / 2);
    qsort(item, n, sizeof *item, compare);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n && n < 4096; j++)
            if (strcmp(item[i]->name, item[j]->name) == 0)
                return sc_fail(err, SC_E_USAGE, "tensor %s: twice", item[i]->name);
    SC_TRY(add_header(&b, item, n, metadata, err));
    for (size_t i = 0; i < n; i++) {
        size_t size = 0;
        SC_TRY(size_of(item[i], &size, err));
        sc_buf_add(&b, item[i]->data, size);
    }
    if (!sc_buf_ok(&b))
        return sc_fail_nomem(err);
    return sc_file_write(path, sc_buf_str(&b), err);
}

sc_code sc_safetensors_write(const char *path, const sc_safetensors_item *items, size_t n,
                             const json_t *metadata, sc_err *err)
{
    const sc_safetensors_item **item = sc_alloc(n, sizeof *item);
    if (!item)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < n; i++)
        item[i] = &items[i];
    const sc_code code = write_sorted(path, item, n, metadata, err);
    sc_free(item);
    return code;
}
