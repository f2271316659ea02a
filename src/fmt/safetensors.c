// SPDX-License-Identifier: MIT
#include "fmt/safetensors.h"

#include "base/cur.h"
#include "base/mem.h"
#include "fmt/names.h"

#include <inttypes.h>
#include <stdlib.h>

enum { PREFIX = 8, MAX_HEADER = 100 * 1000 * 1000, MAX_TENSORS = 1000 * 1000, MAX_NESTING = 128 };

struct sc_safetensors {
    json_t *header;    // owned; the names point into it
    sc_tensor *tensor; // owned, [n]
    size_t n;
};

/* The types of the format, from low to high as the reference writer sorts them. */
static const struct {
    const char *name;
    sc_dtype dtype; // SC_DTYPE_N: known to the format, not to this program
} types[] = {
    {"BOOL", SC_BOOL},
    {"F4", SC_DTYPE_N},
    {"F6_E2M3", SC_DTYPE_N},
    {"F6_E3M2", SC_DTYPE_N},
    {"U8", SC_U8},
    {"I8", SC_I8},
    {"F8_E5M2", SC_DTYPE_N},
    {"F8_E4M3", SC_DTYPE_N},
    {"F8_E8M0", SC_DTYPE_N},
    {"F8_E4M3FNUZ", SC_DTYPE_N},
    {"F8_E5M2FNUZ", SC_DTYPE_N},
    {"I16", SC_I16},
    {"U16", SC_DTYPE_N},
    {"F16", SC_F16},
    {"BF16", SC_BF16},
    {"I32", SC_I32},
    {"U32", SC_DTYPE_N},
    {"F32", SC_F32},
    {"C64", SC_DTYPE_N},
    {"F64", SC_F64},
    {"I64", SC_I64},
    {"U64", SC_DTYPE_N},
};

static sc_code read_dtype(const json_t *entry, sc_dtype *out, sc_err *err)
{
    const json_t *v = json_object_get(entry, "dtype");
    if (!json_is_string(v))
        return sc_fail(err, SC_E_FORMAT, "\"dtype\" is not a string");
    const sc_str name = sc_json_str(v);
    for (size_t i = 0; i < SC_LEN(types); i++) {
        if (!sc_str_is(name, types[i].name))
            continue;
        if (types[i].dtype == SC_DTYPE_N)
            return sc_fail(err, SC_E_UNSUPPORTED, "type %s is not supported", types[i].name);
        *out = types[i].dtype;
        return SC_OK;
    }
    return sc_fail(err, SC_E_FORMAT, "unknown type %.*s", SC_STRF(name));
}

static sc_code read_shape(const json_t *entry, sc_tensor *t, sc_err *err)
{
    const json_t *v = json_object_get(entry, "shape");
    if (!json_is_array(v))
        return sc_fail(err, SC_E_FORMAT, "\"shape\" is not an array");
    if (json_array_size(v) > SC_TENSOR_MAX_DIMS)
        return sc_fail(err, SC_E_FORMAT, "%zu dimensions, at most %d expected", json_array_size(v),
                       SC_TENSOR_MAX_DIMS);
    t->n_dims = (uint32_t)json_array_size(v);
    for (uint32_t d = 0; d < t->n_dims; d++) {
        const json_t *dim = json_array_get(v, d);
        if (!json_is_integer(dim) || json_integer_value(dim) < 0)
            return sc_fail(err, SC_E_FORMAT, "dimension %" PRIu32 " is not a count", d);
        t->dims[d] = (uint64_t)json_integer_value(dim);
    }
    return SC_OK;
}

/* The range of the data section; its offset becomes one of the file. */
static sc_code read_range(const json_t *entry, uint64_t base, sc_tensor *t, sc_err *err)
{
    const json_t *v = json_object_get(entry, "data_offsets");
    const json_t *from = json_array_get(v, 0);
    const json_t *to = json_array_get(v, 1);
    if (json_array_size(v) != 2 || !json_is_integer(from) || !json_is_integer(to) ||
        json_integer_value(from) < 0 || json_integer_value(to) < json_integer_value(from))
        return sc_fail(err, SC_E_FORMAT, "\"data_offsets\" is not a pair [begin, end]");
    const uint64_t size = (uint64_t)(json_integer_value(to) - json_integer_value(from));
    if (size != t->size) {
        char shape[128];
        sc_tensor_format_shape(t, shape, sizeof shape);
        return sc_fail(err, SC_E_FORMAT, "%s %s is %" PRIu64 " bytes, its range has %" PRIu64,
                       sc_dtype_info(t->dtype)->name, shape, t->size, size);
    }
    // base is at most 100 MB and the other below 2^63: no wrap.
    t->offset = base + (uint64_t)json_integer_value(from);
    return SC_OK;
}

static sc_code read_entry(const json_t *entry, uint64_t base, sc_tensor *t, sc_err *err)
{
    if (!json_is_object(entry))
        return sc_fail(err, SC_E_FORMAT, "is not an object");
    SC_TRY(read_dtype(entry, &t->dtype, err));
    SC_TRY(read_shape(entry, t, err));
    SC_TRY(sc_tensor_measure(t, err));
    return read_range(entry, base, t, err);
}

static sc_code check_metadata(const json_t *meta, sc_err *err)
{
    if (!meta || json_is_null(meta))
        return SC_OK;
    if (!json_is_object(meta))
        return sc_fail_at(err, SC_E_FORMAT, PREFIX, "__metadata__ is not an object");
    const char *key = NULL;
    const json_t *v = NULL;
    json_object_foreach((json_t *)(uintptr_t)meta, key, v)
    {
        if (!json_is_string(v))
            return sc_fail_at(err, SC_E_FORMAT, PREFIX, "__metadata__ %.64s is not a string", key);
    }
    return SC_OK;
}

static sc_code read_entries(sc_safetensors *s, uint64_t base, sc_err *err)
{
    const size_t n = json_object_size(s->header);
    if (n > MAX_TENSORS)
        return sc_fail_at(err, SC_E_LIMIT, PREFIX, "%zu tensors", n);
    s->tensor = sc_alloc(n, sizeof *s->tensor);
    if (!s->tensor)
        return sc_fail_nomem(err);
    const char *key = NULL;
    json_t *entry = NULL;
    json_object_foreach(s->header, key, entry)
    {
        const sc_str name = sc_str_c(key); // Jansson refuses a NUL in a key
        if (sc_str_is(name, "__metadata__"))
            continue;
        if (!sc_tensor_name_ok(name))
            return sc_fail_at(err, SC_E_FORMAT, PREFIX, "\"%.*s\" cannot be a tensor's name",
                              SC_STRF(name));
        sc_tensor *t = &s->tensor[s->n];
        t->name = name;
        const sc_code code = read_entry(entry, base, t, err);
        if (code != SC_OK) {
            err->at = PREFIX;
            sc_within(err, "tensor %.*s", SC_STRF(name));
            return code;
        }
        s->n++;
    }
    return SC_OK;
}

static int compare_places(const void *a, const void *b)
{
    const sc_tensor *x = a;
    const sc_tensor *y = b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return 0;
}

/* The data section is covered by the tensors exactly once. */
static sc_code check_places(const sc_safetensors *s, uint64_t base, uint64_t file_size, sc_err *err)
{
    uint64_t end = base;
    for (size_t i = 0; i < s->n; i++) {
        const sc_tensor *t = &s->tensor[i];
        if (t->offset != end)
            return sc_fail_at(err, SC_E_FORMAT, t->offset < end ? t->offset : end,
                              "tensor %.*s %s: data expected at %" PRIu64, SC_STRF(t->name),
                              t->offset < end ? "overlaps another" : "leaves a hole", end);
        if (t->size > file_size - end)
            return sc_fail_at(err, SC_E_FORMAT, file_size,
                              "tensor %.*s is truncated: %" PRIu64 " bytes of %" PRIu64,
                              SC_STRF(t->name), file_size - end, t->size);
        end += t->size;
    }
    if (end != file_size)
        return sc_fail_at(err, SC_E_FORMAT, end, "%" PRIu64 " bytes behind the last tensor",
                          file_size - end);
    return SC_OK;
}

/* Our recursion is Jansson's, which would go 2048 deep; the reference stops at 128. */
static bool nests_too_deep(sc_str header)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < header.n; i++) {
        const char c = header.p[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else
                in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > MAX_NESTING)
                return true;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

static sc_code read_header(sc_safetensors *s, sc_str text, sc_err *err)
{
    if (nests_too_deep(text))
        return sc_fail_at(err, SC_E_FORMAT, PREFIX, "header nests more than %d deep", MAX_NESTING);
    const sc_code code = sc_json_parse(text, &s->header, err);
    if (code != SC_OK) {
        if (err->at != SC_NOWHERE)
            err->at += PREFIX;
        sc_within(err, "header");
        return code;
    }
    if (!json_is_object(s->header))
        return sc_fail_at(err, SC_E_FORMAT, PREFIX, "header is not an object");
    return check_metadata(json_object_get(s->header, "__metadata__"), err);
}

sc_code sc_safetensors_parse(const void *bytes, size_t size, sc_safetensors **out, sc_err *err)
{
    sc_cur c = sc_cur_init(bytes, size);
    const uint64_t header_size = sc_cur_u64(&c);
    if (!sc_cur_ok(&c))
        return sc_fail_at(err, SC_E_FORMAT, size, "%zu bytes are too few for safetensors", size);
    if (header_size > MAX_HEADER)
        return sc_fail_at(err, SC_E_FORMAT, 0, "header of %" PRIu64 " bytes, at most %d expected",
                          header_size, MAX_HEADER);
    const char *text = (const char *)sc_cur_take(&c, header_size);
    if (!text)
        return sc_fail_at(err, SC_E_FORMAT, size, "truncated: header of %" PRIu64 " bytes in %zu",
                          header_size, size);

    SC_AUTO(sc_safetensors) *s = sc_new(sc_safetensors);
    if (!s)
        return sc_fail_nomem(err);
    SC_TRY(read_header(s, (sc_str){text, (size_t)header_size}, err));
    SC_TRY(read_entries(s, c.pos, err));
    if (s->n)
        qsort(s->tensor, s->n, sizeof *s->tensor, compare_places);
    SC_TRY(check_places(s, c.pos, size, err));
    *out = sc_take(s);
    return SC_OK;
}

void sc_safetensors_free(sc_safetensors *s)
{
    if (!s)
        return;
    json_decref(s->header);
    sc_free(s->tensor);
    sc_free(s);
}

const sc_tensor *sc_safetensors_tensors(const sc_safetensors *s, size_t *n)
{
    *n = s->n;
    return s->tensor;
}

const json_t *sc_safetensors_metadata(const sc_safetensors *s)
{
    const json_t *meta = json_object_get(s->header, "__metadata__");
    return json_is_object(meta) ? meta : NULL;
}

bool sc_safetensors_is(const void *bytes, size_t size)
{
    sc_cur c = sc_cur_init(bytes, size);
    const uint64_t header_size = sc_cur_u64(&c);
    if (!sc_cur_ok(&c) || header_size > MAX_HEADER)
        return false;
    while (sc_cur_left(&c)) {
        const uint8_t b = sc_cur_u8(&c);
        if (b != ' ' && b != '\t' && b != '\n' && b != '\r')
            return b == '{';
    }
    return false;
}
