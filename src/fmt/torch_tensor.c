// SPDX-License-Identifier: MIT
#include "fmt/torch_tensor.h"

#include <inttypes.h>

enum { MAX_WRAPS = 4, FUNC = 0, ARGS = 1 };

/* Names of types as storages ("FloatStorage") and as dtypes ("float32"). */
static const struct {
    const char *storage;
    const char *name;
    sc_dtype dtype;
} types[] = {
    {"FloatStorage", "float32", SC_F32},      {"HalfStorage", "float16", SC_F16},
    {"BFloat16Storage", "bfloat16", SC_BF16}, {"DoubleStorage", "float64", SC_F64},
    {"LongStorage", "int64", SC_I64},         {"IntStorage", "int32", SC_I32},
    {"ShortStorage", "int16", SC_I16},        {"CharStorage", "int8", SC_I8},
    {"ByteStorage", "uint8", SC_U8},          {"BoolStorage", "bool", SC_BOOL},
};

/* A function that rebuilds a tensor, and where its arguments stand. */
typedef struct rebuild {
    const char *module;
    const char *name;
    unsigned least; // arguments
    bool wraps;     // the first argument is the tensor
    int dtype;      // which argument is the type; -1: the storage's
} rebuild;

static const rebuild functions[] = {
    {"torch._utils", "_rebuild_tensor", 4, false, -1},
    {"torch._utils", "_rebuild_tensor_v2", 4, false, -1},
    {"torch._utils", "_rebuild_tensor_v3", 7, false, 6},
    {"torch._utils", "_rebuild_parameter", 1, true, -1},
    {"torch._utils", "_rebuild_parameter_with_state", 1, true, -1},
    {"torch.nn.parameter", "Parameter", 1, true, -1},
};

static const rebuild *rebuild_of(const sc_pickle *p, sc_pkl v)
{
    if (sc_pickle_kind(p, v) != SC_PKL_CALL)
        return NULL;
    const sc_pkl f = sc_pickle_item(p, v, FUNC);
    for (size_t i = 0; i < SC_LEN(functions); i++)
        if (sc_pickle_is_global(p, f, functions[i].module, functions[i].name))
            return &functions[i];
    return NULL;
}

bool sc_torch_is_tensor(const sc_pickle *p, sc_pkl v)
{
    return rebuild_of(p, v) != NULL;
}

static bool non_negative(const sc_pickle *p, sc_pkl v, uint64_t *out)
{
    if (sc_pickle_kind(p, v) != SC_PKL_INT || sc_pickle_int(p, v) < 0)
        return false;
    *out = (uint64_t)sc_pickle_int(p, v);
    return true;
}

static sc_code storage_type(const sc_pickle *p, sc_pkl v, sc_torch_storage *s, sc_err *err)
{
    if (sc_pickle_kind(p, v) != SC_PKL_GLOBAL)
        return sc_fail(err, SC_E_FORMAT, "a storage has no type");
    const sc_str module = sc_pickle_str(p, sc_pickle_item(p, v, 0));
    const sc_str name = sc_pickle_str(p, sc_pickle_item(p, v, 1));
    const bool torch = sc_str_is(module, "torch") || sc_str_is(module, "torch.cuda") ||
                       sc_str_is(module, "torch.storage");
    s->untyped = torch && sc_str_is(name, "UntypedStorage");
    if (s->untyped)
        return SC_OK;
    for (size_t i = 0; torch && i < SC_LEN(types); i++)
        if (sc_str_is(name, types[i].storage)) {
            s->dtype = types[i].dtype;
            return SC_OK;
        }
    return sc_fail(err, SC_E_UNSUPPORTED, "storage type %.*s.%.*s", SC_STRF(module), SC_STRF(name));
}

sc_code sc_torch_storage_of(const sc_pickle *p, sc_pkl v, sc_torch_storage *out, sc_err *err)
{
    if (sc_pickle_kind(p, v) != SC_PKL_PERSID)
        return sc_fail(err, SC_E_FORMAT, "a tensor has no storage");
    const sc_pkl id = sc_pickle_item(p, v, 0);
    const size_t n = sc_pickle_n_items(p, id);
    if (sc_pickle_kind(p, id) != SC_PKL_TUPLE || n < 5 ||
        !sc_str_is(sc_pickle_str(p, sc_pickle_item(p, id, 0)), "storage"))
        return sc_fail(err, SC_E_FORMAT, "a persistent id is not that of a storage");
    sc_torch_storage s = {.at = out->at, .size = out->size};
    SC_TRY(storage_type(p, sc_pickle_item(p, id, 1), &s, err));
    s.key = sc_pickle_str(p, sc_pickle_item(p, id, 2));
    if (s.key.n == 0 || !non_negative(p, sc_pickle_item(p, id, 4), &s.n))
        return sc_fail(err, SC_E_FORMAT, "a storage has no key or no size");
    const sc_pkl view = n > 5 ? sc_pickle_item(p, id, 5) : id;
    if (n > 5 && sc_pickle_kind(p, view) == SC_PKL_TUPLE) {
        if (sc_pickle_n_items(p, view) != 3 ||
            !non_negative(p, sc_pickle_item(p, view, 1), &s.view_at) ||
            !non_negative(p, sc_pickle_item(p, view, 2), &s.n))
            return sc_fail(err, SC_E_FORMAT, "a view of a storage is ill-formed");
    }
    *out = s;
    return SC_OK;
}

/* The type that argument `v` names: torch.float32 and so on. */
static sc_code dtype_of(const sc_pickle *p, sc_pkl v, sc_dtype *out, sc_err *err)
{
    for (size_t i = 0; i < SC_LEN(types); i++)
        if (sc_pickle_is_global(p, v, "torch", types[i].name)) {
            *out = types[i].dtype;
            return SC_OK;
        }
    const bool named = sc_pickle_kind(p, v) == SC_PKL_GLOBAL;
    const sc_str name = named ? sc_pickle_str(p, sc_pickle_item(p, v, 1)) : SC_STR("unknown");
    return sc_fail(err, SC_E_UNSUPPORTED, "element type %.*s", SC_STRF(name));
}

/* Reads `n_dims` sizes or strides. */
static sc_code read_counts(const sc_pickle *p, sc_pkl v, const char *what, uint64_t *out,
                           uint32_t *n, sc_err *err)
{
    const sc_pkl_kind kind = sc_pickle_kind(p, v);
    // torch.Size is a call with one tuple.
    if (kind == SC_PKL_CALL && sc_pickle_n_items(p, sc_pickle_item(p, v, ARGS)) == 1)
        v = sc_pickle_item(p, sc_pickle_item(p, v, ARGS), 0);
    if (sc_pickle_kind(p, v) != SC_PKL_TUPLE && sc_pickle_kind(p, v) != SC_PKL_LIST)
        return sc_fail(err, SC_E_FORMAT, "the %s is not a tuple", what);
    const size_t count = sc_pickle_n_items(p, v);
    if (count > SC_TENSOR_MAX_DIMS)
        return sc_fail(err, SC_E_FORMAT, "%zu dimensions, at most %d expected", count,
                       SC_TENSOR_MAX_DIMS);
    for (size_t i = 0; i < count; i++)
        if (!non_negative(p, sc_pickle_item(p, v, i), &out[i]))
            return sc_fail(err, SC_E_FORMAT, "the %s has an entry that is no count", what);
    *n = (uint32_t)count;
    return SC_OK;
}

/* The highest element index that the view touches; false when it wraps. Needs: no dimension is 0 */
static bool last_index(const sc_tensor *t, const uint64_t *stride, uint64_t offset, uint64_t *out)
{
    uint64_t last = offset;
    for (uint32_t d = 0; d < t->n_dims; d++) {
        uint64_t step = 0;
        if (__builtin_mul_overflow(t->dims[d] - 1, stride[d], &step) ||
            __builtin_add_overflow(last, step, &last))
            return false;
    }
    *out = last;
    return true;
}

/* Sets the strides of the file, unless they are those of a dense tensor. */
static void set_strides(sc_tensor *t, const uint64_t *stride)
{
    for (uint32_t d = 0; d < t->n_dims; d++)
        t->dense = t->dense && (t->dims[d] == 1 || stride[d] == t->stride[d]);
    for (uint32_t d = 0; d < t->n_dims && !t->dense; d++)
        t->stride[d] = stride[d];
}

/* Checks the view against its storage and says where it begins. */
static sc_code place_view(sc_tensor *t, const sc_torch_storage *s, const uint64_t *stride,
                          uint64_t offset, sc_err *err)
{
    const uint64_t element = sc_dtype_info(t->dtype)->size;
    const uint64_t there = s->size / element; // elements that the file has
    const uint64_t promised = s->untyped ? s->n / element : s->n;
    if (promised > there || s->view_at > there - promised)
        return sc_fail_at(err, SC_E_FORMAT, s->at,
                          "storage %.*s: %" PRIu64 " elements promised, %" PRIu64 " there",
                          SC_STRF(s->key), promised, there);
    if (t->count == 0) {
        t->offset = s->at;
        return SC_OK;
    }
    uint64_t last = 0;
    if (!last_index(t, stride, offset, &last) || last >= promised)
        return sc_fail_at(err, SC_E_FORMAT, s->at,
                          "storage %.*s: a view goes past its %" PRIu64 " elements",
                          SC_STRF(s->key), promised);
    set_strides(t, stride);
    t->offset = s->at + (s->view_at + offset) * element;
    return SC_OK;
}

sc_code sc_torch_tensor_of(const sc_pickle *p, sc_pkl v, sc_torch_place_fn *place, const void *ctx,
                           sc_tensor *out, sc_err *err)
{
    const rebuild *f = rebuild_of(p, v);
    for (unsigned i = 0; f && f->wraps; i++) {
        const sc_pkl args = sc_pickle_item(p, v, ARGS);
        if (i == MAX_WRAPS || sc_pickle_n_items(p, args) < f->least)
            return sc_fail(err, SC_E_FORMAT, "a parameter without a tensor");
        v = sc_pickle_item(p, args, 0);
        f = rebuild_of(p, v);
    }
    if (!f)
        return sc_fail(err, SC_E_FORMAT, "is not a tensor");
    const sc_pkl args = sc_pickle_item(p, v, ARGS);
    if (sc_pickle_n_items(p, args) < f->least)
        return sc_fail(err, SC_E_FORMAT, "a tensor with %zu of %u arguments",
                       sc_pickle_n_items(p, args), f->least);
    sc_torch_storage s = {0};
    SC_TRY(sc_torch_storage_of(p, sc_pickle_item(p, args, 0), &s, err));
    sc_tensor t = {.name = out->name, .dtype = s.dtype, .dims = {1, 1, 1, 1, 1, 1, 1, 1}};
    if (f->dtype >= 0)
        SC_TRY(dtype_of(p, sc_pickle_item(p, args, (size_t)f->dtype), &t.dtype, err));
    else if (s.untyped)
        return sc_fail(err, SC_E_FORMAT, "a tensor over raw bytes without a type");
    uint64_t offset = 0;
    uint64_t stride[SC_TENSOR_MAX_DIMS] = {0};
    uint32_t n_strides = 0;
    if (!non_negative(p, sc_pickle_item(p, args, 1), &offset))
        return sc_fail(err, SC_E_FORMAT, "the offset into the storage is no count");
    SC_TRY(read_counts(p, sc_pickle_item(p, args, 2), "shape", t.dims, &t.n_dims, err));
    SC_TRY(read_counts(p, sc_pickle_item(p, args, 3), "strides", stride, &n_strides, err));
    if (n_strides != t.n_dims)
        return sc_fail(err, SC_E_FORMAT, "%u dimensions, but %u strides", t.n_dims, n_strides);
    SC_TRY(sc_tensor_measure(&t, err));
    SC_TRY(place(ctx, &s, err));
    SC_TRY(place_view(&t, &s, stride, offset, err));
    *out = t;
    return SC_OK;
}
