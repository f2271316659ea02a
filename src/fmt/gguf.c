// SPDX-License-Identifier: MIT
#include "fmt/gguf.h"

#include "base/cur.h"
#include "base/mem.h"
#include "fmt/names.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    MAGIC = 0x46554747, // "GGUF"
    DEFAULT_ALIGN = 32,
    MAX_DIMS = 4,
    MAX_KEY = 65535,
    MAX_KVS = 1 << 17,
    MAX_TENSORS = 1 << 20,
    MIN_KV_SIZE = 8 + 1 + 4 + 1,       // key of one byte, type, value
    MIN_INFO_SIZE = 8 + 1 + 4 + 4 + 8, // name of one byte, no dimensions, type, offset
};

struct sc_gguf {
    sc_gguf_kv *kv; // owned, [n_kvs]
    size_t n_kvs;
    sc_names keys;
    sc_tensor *tensor; // owned, [n_tensors]
    size_t n_tensors;
    uint64_t align;
};

/* Bytes of a plain value; 0 for strings, arrays and unknown types. */
static unsigned width(uint32_t type)
{
    static const uint8_t widths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return type < SC_LEN(widths) ? widths[type] : 0;
}

static const char *type_name(sc_gguf_type type)
{
    static const char *const names[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                        "bool", "string", "array", "u64", "i64", "f64"};
    return (unsigned)type < SC_LEN(names) ? names[type] : "?";
}

// The numbers of ggml's types. A gap is a number that was never given out or was taken back.
static const struct {
    const char *name;
    sc_dtype dtype; // SC_DTYPE_N: ggml's, but not for model files or not known here
} ggml_types[] = {
    [0] = {"F32", SC_F32},        [1] = {"F16", SC_F16},          [2] = {"Q4_0", SC_Q4_0},
    [3] = {"Q4_1", SC_Q4_1},      [6] = {"Q5_0", SC_Q5_0},        [7] = {"Q5_1", SC_Q5_1},
    [8] = {"Q8_0", SC_Q8_0},      [9] = {"Q8_1", SC_DTYPE_N},     [10] = {"Q2_K", SC_Q2_K},
    [11] = {"Q3_K", SC_Q3_K},     [12] = {"Q4_K", SC_Q4_K},       [13] = {"Q5_K", SC_Q5_K},
    [14] = {"Q6_K", SC_Q6_K},     [15] = {"Q8_K", SC_DTYPE_N},    [16] = {"IQ2_XXS", SC_IQ2_XXS},
    [17] = {"IQ2_XS", SC_IQ2_XS}, [18] = {"IQ3_XXS", SC_IQ3_XXS}, [19] = {"IQ1_S", SC_IQ1_S},
    [20] = {"IQ4_NL", SC_IQ4_NL}, [21] = {"IQ3_S", SC_IQ3_S},     [22] = {"IQ2_S", SC_IQ2_S},
    [23] = {"IQ4_XS", SC_IQ4_XS}, [24] = {"I8", SC_I8},           [25] = {"I16", SC_I16},
    [26] = {"I32", SC_I32},       [27] = {"I64", SC_I64},         [28] = {"F64", SC_F64},
    [29] = {"IQ1_M", SC_IQ1_M},   [30] = {"BF16", SC_BF16},       [34] = {"TQ1_0", SC_TQ1_0},
    [35] = {"TQ2_0", SC_TQ2_0},   [39] = {"MXFP4", SC_MXFP4},     [40] = {"NVFP4", SC_DTYPE_N},
    [41] = {"Q1_0", SC_DTYPE_N},
};

sc_dtype sc_gguf_dtype(uint32_t type, const char **name)
{
    const bool known = type < SC_LEN(ggml_types) && ggml_types[type].name;
    if (name)
        *name = known ? ggml_types[type].name : NULL;
    return known ? ggml_types[type].dtype : SC_DTYPE_N;
}

int sc_gguf_type_of(sc_dtype dtype)
{
    for (size_t i = 0; i < SC_LEN(ggml_types); i++)
        if (ggml_types[i].name && ggml_types[i].dtype == dtype)
            return (int)i;
    return -1;
}

static sc_str read_str(sc_cur *c)
{
    const uint64_t n = sc_cur_u64(c);
    const uint8_t *p = sc_cur_take(c, n);
    return (sc_str){(const char *)p, p ? (size_t)n : 0};
}

static sc_code fail_truncated(const sc_cur *c, const char *what, uint64_t i, sc_err *err)
{
    return sc_fail_at(err, SC_E_FORMAT, c->pos, "truncated in %s %" PRIu64, what, i);
}

/* Steps over the value; its strings are checked to lie in the file. */
static sc_code read_value(sc_cur *c, sc_gguf_kv *kv, sc_err *err)
{
    const size_t type_at = c->pos;
    uint32_t type = sc_cur_u32(c);
    kv->n = 1;
    kv->is_array = type == SC_GGUF_ARRAY;
    if (kv->is_array) {
        type = sc_cur_u32(c);
        kv->n = sc_cur_u64(c);
    }
    if (sc_cur_ok(c) && type != SC_GGUF_STR && width(type) == 0)
        return sc_fail_at(err, SC_E_FORMAT, type_at, "%s type %" PRIu32 " is not known",
                          kv->is_array ? "element" : "value", type);
    kv->type = (sc_gguf_type)type;
    const size_t from = c->pos;
    if (type == SC_GGUF_STR) {
        for (uint64_t i = 0; i < kv->n && sc_cur_ok(c); i++)
            (void)read_str(c);
    } else {
        uint64_t size = 0;
        if (__builtin_mul_overflow(kv->n, (uint64_t)width(type), &size))
            size = UINT64_MAX;
        sc_cur_skip(c, size);
    }
    if (!sc_cur_ok(c))
        return sc_fail_at(err, SC_E_FORMAT, from, "the value does not fit into the file");
    kv->data = c->p + from;
    kv->size = c->pos - from;
    for (uint64_t i = 0; type == SC_GGUF_BOOL && i < kv->n; i++)
        if (kv->data[i] > 1)
            return sc_fail_at(err, SC_E_FORMAT, from + i, "a bool is %u, 0 or 1 expected",
                              kv->data[i]);
    return SC_OK;
}

static bool key_ok(sc_str key)
{
    if (key.n == 0 || key.n > MAX_KEY)
        return false;
    for (size_t i = 0; i < key.n; i++)
        if ((unsigned char)key.p[i] <= 0x20 || (unsigned char)key.p[i] >= 0x7f)
            return false;
    return true;
}

static sc_code read_kvs(sc_gguf *g, sc_cur *c, uint64_t n, sc_err *err)
{
    if (n > sc_cur_left(c) / MIN_KV_SIZE)
        return sc_fail_at(err, SC_E_FORMAT, 16, "%" PRIu64 " values do not fit into the file", n);
    if (n > MAX_KVS)
        return sc_fail_at(err, SC_E_LIMIT, 16, "%" PRIu64 " values, at most %d expected", n,
                          MAX_KVS);
    g->kv = sc_alloc((size_t)n, sizeof *g->kv);
    if (!g->kv)
        return sc_fail_nomem(err);
    for (uint64_t i = 0; i < n; i++) {
        sc_gguf_kv *kv = &g->kv[i];
        const size_t at = c->pos;
        kv->key = read_str(c);
        if (!sc_cur_ok(c))
            return fail_truncated(c, "value", i, err);
        if (!key_ok(kv->key))
            return sc_fail_at(err, SC_E_FORMAT, at, "value %" PRIu64 " has an ill-formed key", i);
        SC_TRY_IN(read_value(c, kv, err), err, "%.*s", SC_STRF(kv->key));
    }
    g->n_kvs = (size_t)n;
    SC_TRY(sc_names_init(&g->keys, g->kv, g->n_kvs, sizeof *g->kv, err));
    const size_t twin = sc_names_find_twin(&g->keys);
    if (twin != SIZE_MAX)
        return sc_fail_at(err, SC_E_FORMAT, (uint64_t)(g->kv[twin].data - c->p),
                          "%.*s occurs twice", SC_STRF(g->kv[twin].key));
    return SC_OK;
}

/* The file gives the innermost dimension first; t->dims has it last. */
static sc_code read_dims(sc_cur *c, sc_tensor *t, uint64_t i, sc_err *err)
{
    const size_t at = c->pos;
    const uint32_t n_dims = sc_cur_u32(c);
    if (sc_cur_ok(c) && n_dims > MAX_DIMS)
        return sc_fail_at(err, SC_E_FORMAT, at,
                          "tensor %" PRIu64 ": %" PRIu32 " dimensions, at most %d expected", i,
                          n_dims, MAX_DIMS);
    t->n_dims = sc_cur_ok(c) ? n_dims : 0;
    for (uint32_t d = t->n_dims; d-- > 0;)
        t->dims[d] = sc_cur_u64(c);
    return SC_OK;
}

static sc_code read_dtype(sc_cur *c, sc_tensor *t, sc_err *err)
{
    const size_t at = c->pos;
    const uint32_t type = sc_cur_u32(c);
    const char *name = NULL;
    t->dtype = sc_gguf_dtype(type, &name);
    if (!sc_cur_ok(c) || t->dtype != SC_DTYPE_N)
        return SC_OK; // the caller asks the cursor
    if (name)
        return sc_fail_at(err, SC_E_UNSUPPORTED, at, "type %s is not supported", name);
    return sc_fail_at(err, SC_E_UNSUPPORTED, at, "type number %" PRIu32 " is not known", type);
}

static sc_code read_info(sc_cur *c, sc_tensor *t, uint64_t i, sc_err *err)
{
    const size_t at = c->pos;
    t->name = read_str(c);
    SC_TRY(read_dims(c, t, i, err));
    if (!sc_cur_ok(c))
        return fail_truncated(c, "tensor", i, err);
    if (!sc_tensor_name_ok(t->name))
        return sc_fail_at(err, SC_E_FORMAT, at, "tensor %" PRIu64 " has an ill-formed name", i);
    SC_TRY_IN(read_dtype(c, t, err), err, "tensor %.*s", SC_STRF(t->name));
    t->offset = sc_cur_u64(c);
    if (!sc_cur_ok(c))
        return fail_truncated(c, "tensor", i, err);
    const sc_code code = sc_tensor_measure(t, err);
    if (code != SC_OK) {
        err->at = at;
        sc_within(err, "tensor %.*s", SC_STRF(t->name));
    }
    return code;
}

static sc_code read_infos(sc_gguf *g, sc_cur *c, uint64_t n, sc_err *err)
{
    if (n > sc_cur_left(c) / MIN_INFO_SIZE)
        return sc_fail_at(err, SC_E_FORMAT, 8, "%" PRIu64 " tensors do not fit into the file", n);
    if (n > MAX_TENSORS)
        return sc_fail_at(err, SC_E_LIMIT, 8, "%" PRIu64 " tensors, at most %d expected", n,
                          MAX_TENSORS);
    g->tensor = sc_alloc((size_t)n, sizeof *g->tensor);
    if (!g->tensor)
        return sc_fail_nomem(err);
    for (uint64_t i = 0; i < n; i++) {
        SC_TRY(read_info(c, &g->tensor[i], i, err));
        g->n_tensors++;
    }
    sc_names names = {0};
    SC_TRY(sc_names_init(&names, g->tensor, g->n_tensors, sizeof *g->tensor, err));
    const size_t twin = sc_names_find_twin(&names);
    sc_names_drop(&names);
    if (twin != SIZE_MAX)
        return sc_fail_at(err, SC_E_FORMAT, c->pos, "tensor %.*s occurs twice",
                          SC_STRF(g->tensor[twin].name));
    return SC_OK;
}

static sc_code read_align(sc_gguf *g, sc_err *err)
{
    g->align = DEFAULT_ALIGN;
    const sc_gguf_kv *kv = sc_gguf_find_kv(g, "general.alignment");
    if (!kv)
        return SC_OK;
    const int64_t align = kv->type == SC_GGUF_U32 && !kv->is_array ? sc_gguf_int_at(kv, 0) : 0;
    if (align <= 0 || (align & (align - 1)) != 0)
        return sc_fail(err, SC_E_FORMAT, "general.alignment is not a power of two");
    g->align = (uint64_t)align;
    return SC_OK;
}

/* Rounds up to the alignment; the result may lie past the end, but cannot wrap. */
static uint64_t padded(const sc_gguf *g, uint64_t size)
{
    return size > UINT64_MAX - g->align ? UINT64_MAX : (size + g->align - 1) / g->align * g->align;
}

/* Turns offsets from the data section into offsets from the file. They must be consecutive. */
static sc_code place_tensors(sc_gguf *g, uint64_t directory_end, uint64_t file_size, sc_err *err)
{
    const uint64_t base = padded(g, directory_end);
    const uint64_t room = base < file_size ? file_size - base : 0;
    uint64_t next = 0;
    for (size_t i = 0; i < g->n_tensors; i++) {
        sc_tensor *t = &g->tensor[i];
        if (t->offset != next)
            return sc_fail_at(err, SC_E_FORMAT, directory_end,
                              "tensor %.*s lies at %" PRIu64 ", expected at %" PRIu64,
                              SC_STRF(t->name), t->offset, next);
        if (t->offset > room || t->size > room - t->offset)
            return sc_fail_at(err, SC_E_FORMAT, file_size,
                              "tensor %.*s is truncated: %" PRIu64 " bytes at %" PRIu64
                              " of %" PRIu64,
                              SC_STRF(t->name), t->size, t->offset, room);
        next = padded(g, t->offset + t->size); // both inside the file: no wrap
        t->offset += base;
    }
    return SC_OK;
}

sc_code sc_gguf_parse(const void *bytes, size_t size, sc_gguf **out, sc_err *err)
{
    sc_cur c = sc_cur_init(bytes, size);
    const uint32_t magic = sc_cur_u32(&c);
    const uint32_t version = sc_cur_u32(&c);
    const uint64_t n_tensors = sc_cur_u64(&c);
    const uint64_t n_kvs = sc_cur_u64(&c);
    if (size < 4 || magic != MAGIC)
        return sc_fail_at(err, SC_E_FORMAT, 0, "not a GGUF file");
    if (!sc_cur_ok(&c))
        return sc_fail_at(err, SC_E_FORMAT, size, "truncated in the header");
    if ((version & 0xffff) == 0)
        return sc_fail_at(err, SC_E_UNSUPPORTED, 4, "big-endian GGUF is not supported");
    if (version < 2 || version > 3)
        return sc_fail_at(err, SC_E_UNSUPPORTED, 4,
                          "GGUF version %" PRIu32 " is not supported, 2 and 3 are", version);

    SC_AUTO(sc_gguf) *g = sc_new(sc_gguf);
    if (!g)
        return sc_fail_nomem(err);
    SC_TRY(read_kvs(g, &c, n_kvs, err));
    SC_TRY(read_align(g, err));
    SC_TRY(read_infos(g, &c, n_tensors, err));
    SC_TRY(place_tensors(g, c.pos, size, err));
    *out = sc_take(g);
    return SC_OK;
}

void sc_gguf_free(sc_gguf *g)
{
    if (!g)
        return;
    sc_names_drop(&g->keys);
    sc_free(g->kv);
    sc_free(g->tensor);
    sc_free(g);
}

const sc_tensor *sc_gguf_tensors(const sc_gguf *g, size_t *n)
{
    *n = g->n_tensors;
    return g->tensor;
}

const sc_gguf_kv *sc_gguf_kvs(const sc_gguf *g, size_t *n)
{
    *n = g->n_kvs;
    return g->kv;
}

const sc_gguf_kv *sc_gguf_find_kv(const sc_gguf *g, const char *key)
{
    const size_t i = sc_names_find(&g->keys, sc_str_c(key));
    return i == SIZE_MAX ? NULL : &g->kv[i];
}

static bool is_float(sc_gguf_type type)
{
    return type == SC_GGUF_F32 || type == SC_GGUF_F64;
}

static bool is_int(sc_gguf_type type)
{
    return type != SC_GGUF_STR && type != SC_GGUF_BOOL && !is_float(type);
}

static sc_code fail_type(const sc_gguf_kv *kv, const char *want, sc_err *err)
{
    return sc_fail(err, SC_E_FORMAT, "%.*s is %s%s, %s expected", SC_STRF(kv->key),
                   kv->is_array ? "an array of " : "", type_name(kv->type), want);
}

sc_code sc_gguf_get_int(const sc_gguf *g, const char *key, int64_t low, int64_t high, int64_t *out,
                        sc_err *err)
{
    const sc_gguf_kv *kv = sc_gguf_find_kv(g, key);
    if (!kv)
        return SC_OK;
    if (kv->is_array || !is_int(kv->type))
        return fail_type(kv, "an integer", err);
    const int64_t v = sc_gguf_int_at(kv, 0);
    if (v < low || v > high)
        return sc_fail(err, SC_E_FORMAT, "%s is %" PRId64 ", %" PRId64 " to %" PRId64 " expected",
                       key, v, low, high);
    *out = v;
    return SC_OK;
}

sc_code sc_gguf_get_u32(const sc_gguf *g, const char *key, uint32_t *out, sc_err *err)
{
    int64_t v = *out;
    SC_TRY(sc_gguf_get_int(g, key, 0, UINT32_MAX, &v, err));
    *out = (uint32_t)v;
    return SC_OK;
}

sc_code sc_gguf_get_f32(const sc_gguf *g, const char *key, float *out, sc_err *err)
{
    const sc_gguf_kv *kv = sc_gguf_find_kv(g, key);
    if (!kv)
        return SC_OK;
    if (kv->is_array || kv->type == SC_GGUF_STR || kv->type == SC_GGUF_BOOL)
        return fail_type(kv, "a number", err);
    *out = (float)sc_gguf_num_at(kv, 0);
    return SC_OK;
}

sc_code sc_gguf_get_bool(const sc_gguf *g, const char *key, bool *out, sc_err *err)
{
    const sc_gguf_kv *kv = sc_gguf_find_kv(g, key);
    if (!kv)
        return SC_OK;
    if (kv->is_array || kv->type != SC_GGUF_BOOL)
        return fail_type(kv, "a bool", err);
    *out = kv->data[0] != 0;
    return SC_OK;
}

sc_code sc_gguf_get_str(const sc_gguf *g, const char *key, sc_str *out, sc_err *err)
{
    const sc_gguf_kv *kv = sc_gguf_find_kv(g, key);
    if (!kv)
        return SC_OK;
    if (kv->is_array || kv->type != SC_GGUF_STR)
        return fail_type(kv, "a string", err);
    size_t pos = 0;
    (void)sc_gguf_next_str(kv, &pos, out); // one string is there
    return SC_OK;
}

sc_code sc_gguf_get_array(const sc_gguf *g, const char *key, sc_gguf_type type,
                          const sc_gguf_kv **out, sc_err *err)
{
    const sc_gguf_kv *kv = sc_gguf_find_kv(g, key);
    if (!kv)
        return SC_OK;
    if (!kv->is_array || kv->type != type) {
        char want[32];
        (void)snprintf(want, sizeof want, "an array of %s", type_name(type));
        return fail_type(kv, want, err);
    }
    *out = kv;
    return SC_OK;
}

/* The bits of element i, not extended. */
static uint64_t bits_at(const sc_gguf_kv *kv, uint64_t i)
{
    const unsigned w = width(kv->type);
    sc_cur c = sc_cur_init(kv->data, kv->size);
    sc_cur_seek(&c, i * w);
    return sc_cur_uint_(&c, w);
}

int64_t sc_gguf_int_at(const sc_gguf_kv *kv, uint64_t i)
{
    const uint64_t v = bits_at(kv, i);
    switch (kv->type) {
    case SC_GGUF_I8:
        return (int8_t)v;
    case SC_GGUF_I16:
        return (int16_t)v;
    case SC_GGUF_I32:
        return (int32_t)v;
    case SC_GGUF_I64:
        return (int64_t)v;
    case SC_GGUF_U64:
    case SC_GGUF_U8:
    case SC_GGUF_U16:
    case SC_GGUF_U32:
    case SC_GGUF_BOOL:
    case SC_GGUF_F32:
    case SC_GGUF_F64:
    case SC_GGUF_STR:
    case SC_GGUF_ARRAY:
        break;
    }
    return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

double sc_gguf_num_at(const sc_gguf_kv *kv, uint64_t i)
{
    if (kv->type != SC_GGUF_F32 && kv->type != SC_GGUF_F64)
        return (double)sc_gguf_int_at(kv, i);
    sc_cur c = sc_cur_init(kv->data, kv->size);
    sc_cur_seek(&c, i * width(kv->type));
    return kv->type == SC_GGUF_F32 ? (double)sc_cur_f32(&c) : sc_cur_f64(&c);
}

bool sc_gguf_next_str(const sc_gguf_kv *kv, size_t *pos, sc_str *out)
{
    if (*pos >= kv->size)
        return false;
    sc_cur c = sc_cur_init(kv->data, kv->size);
    sc_cur_seek(&c, *pos);
    *out = read_str(&c);
    *pos = c.pos;
    return true;
}

bool sc_gguf_is(const void *bytes, size_t size)
{
    return size >= 4 && memcmp(bytes, "GGUF", 4) == 0;
}
