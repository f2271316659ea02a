// SPDX-License-Identifier: MIT
#include "guest/codec_parts.h"

#include <string.h>

enum {
    NAMED_MAX = 256, // classes of named tuples that are kept
    NAMED_NEW = 32,  // made for one value: each takes a while
};

typedef struct decoder {
    sc_codec *c;
    const sc_codec_ops *ops;
    sc_cur *in;
    uint32_t nodes, depth, classes;
    PyObject *refs;  // owned list
    PyObject *old;   // borrowed list; NULL: no objects of a request
    PyObject *reuse; // borrowed: the container that is filled next
} decoder;

static sc_codec_code decode(decoder *d, PyObject **out);

/* A count of things that take at least `least` bytes each, so no count can make us allocate much.
 */
static bool take_count(decoder *d, size_t least, uint32_t *n)
{
    *n = sc_cur_u32(d->in);
    return sc_cur_ok(d->in) && *n <= sc_cur_left(d->in) / least;
}

static sc_codec_code remember(decoder *d, PyObject *o)
{
    return o && PyList_Append(d->refs, o) == 0 ? SC_CODEC_OK : SC_CODEC_PYTHON;
}

/* The container of the request that is filled again, empty: a new reference. NULL: there is none,
 * or it is of another type, and then the value is a bad one. */
static PyObject *take_old(decoder *d, PyTypeObject *type)
{
    PyObject *o = d->reuse;
    if (!o || !PyObject_TypeCheck(o, type))
        return NULL;
    d->reuse = NULL;
    if (type != &PyByteArray_Type) {
        PyObject *r = PyObject_CallMethod(o, "clear", NULL);
        Py_XDECREF(r);
        PyErr_Clear(); // a class of the tests that forbids it: it keeps what it has
    }
    return Py_NewRef(o);
}

/* An object of the request, which holds from now on what follows. */
static sc_codec_code decode_old(decoder *d, PyObject **out)
{
    const uint32_t n = sc_cur_u32(d->in);
    if (!sc_cur_ok(d->in) || !d->old || (Py_ssize_t)n >= PyList_GET_SIZE(d->old) || d->reuse)
        return SC_CODEC_BAD;
    PyObject *old = d->reuse = PyList_GET_ITEM(d->old, n), *o = NULL;
    d->depth--; // a word about what follows, not a value around it
    d->nodes--;
    sc_codec_code code = decode(d, &o);
    d->depth++;
    d->reuse = NULL;
    if (code == SC_CODEC_OK && o != old) {
        Py_DECREF(o);
        code = SC_CODEC_BAD;
    }
    if (code == SC_CODEC_OK)
        *out = o;
    return code;
}

static PyObject *decode_bytearray(decoder *d, const char *p, uint32_t n)
{
    PyObject *o = take_old(d, &PyByteArray_Type);
    if (!o)
        return PyByteArray_FromStringAndSize(p, n);
    if (PyByteArray_Resize(o, n)) {
        Py_DECREF(o);
        return NULL;
    }
    if (n)
        memcpy(PyByteArray_AS_STRING(o), p, n);
    return o;
}

static sc_codec_code decode_text(decoder *d, uint8_t tag, PyObject **out)
{
    uint32_t n = 0;
    if (!take_count(d, 1, &n))
        return SC_CODEC_BAD;
    const char *p = (const char *)sc_cur_take(d->in, n);
    PyObject *o = NULL;
    if (tag == T_STR)
        o = PyUnicode_DecodeUTF8(p, n, "surrogatepass");
    else if (tag == T_BYTES)
        o = PyBytes_FromStringAndSize(p, n);
    else if (tag == T_BYTEARRAY)
        o = decode_bytearray(d, p, n);
    else
        o = _PyLong_FromByteArray((const unsigned char *)p, n, 1, 1);
    if (!o)
        return SC_CODEC_PYTHON;
    if (tag == T_BYTEARRAY && remember(d, o) != SC_CODEC_OK) {
        Py_DECREF(o);
        return SC_CODEC_PYTHON;
    }
    *out = o;
    return SC_CODEC_OK;
}

/* Adds `n` decoded values to the list `into`. */
static sc_codec_code decode_into(decoder *d, PyObject *into, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        PyObject *v = NULL;
        const sc_codec_code code = decode(d, &v);
        if (code != SC_CODEC_OK)
            return code;
        const int bad = PyList_Append(into, v);
        Py_DECREF(v);
        if (bad)
            return SC_CODEC_PYTHON;
    }
    return SC_CODEC_OK;
}

static sc_codec_code decode_list(decoder *d, bool shared, PyObject **out)
{
    uint32_t n = 0;
    if (!take_count(d, 1, &n))
        return SC_CODEC_BAD;
    PyObject *list = shared ? take_old(d, &PyList_Type) : NULL;
    list = list ? list : PyList_New(0);
    sc_codec_code code = list ? SC_CODEC_OK : SC_CODEC_PYTHON;
    if (code == SC_CODEC_OK && shared)
        code = remember(d, list);
    if (code == SC_CODEC_OK)
        code = decode_into(d, list, n);
    if (code != SC_CODEC_OK) {
        Py_XDECREF(list);
        return code;
    }
    *out = list;
    return SC_CODEC_OK;
}

/* A container made from a list of its elements by the callable or type `make` (borrowed). */
static sc_codec_code decode_from_list(decoder *d, PyObject *(*make)(PyObject *), PyObject **out)
{
    PyObject *list = NULL;
    const sc_codec_code code = decode_list(d, false, &list);
    if (code != SC_CODEC_OK)
        return code;
    *out = make(list);
    Py_DECREF(list);
    return *out ? SC_CODEC_OK : SC_CODEC_PYTHON;
}

static sc_codec_code decode_set(decoder *d, PyObject **out)
{
    uint32_t n = 0;
    if (!take_count(d, 1, &n))
        return SC_CODEC_BAD;
    PyObject *set = take_old(d, &PySet_Type);
    set = set ? set : PySet_New(NULL);
    sc_codec_code code = remember(d, set);
    for (uint32_t i = 0; code == SC_CODEC_OK && i < n; i++) {
        PyObject *v = NULL;
        code = decode(d, &v);
        if (code == SC_CODEC_OK && PySet_Add(set, v))
            code = SC_CODEC_PYTHON;
        Py_XDECREF(v);
    }
    if (code != SC_CODEC_OK) {
        Py_XDECREF(set);
        return code;
    }
    *out = set;
    return SC_CODEC_OK;
}

/* A dict of the class `type`. */
static sc_codec_code decode_dict(decoder *d, PyObject *type, PyObject **out)
{
    PyObject *dict = take_old(d, (PyTypeObject *)type);
    dict = dict ? dict : PyObject_CallNoArgs(type);
    uint32_t n = 0;
    if (!take_count(d, 2, &n)) {
        Py_XDECREF(dict);
        return SC_CODEC_BAD;
    }
    sc_codec_code code = remember(d, dict);
    for (uint32_t i = 0; code == SC_CODEC_OK && i < n; i++) {
        PyObject *k = NULL, *v = NULL;
        code = decode(d, &k);
        if (code == SC_CODEC_OK)
            code = decode(d, &v);
        if (code == SC_CODEC_OK && PyObject_SetItem(dict, k, v))
            code = SC_CODEC_PYTHON;
        Py_XDECREF(k);
        Py_XDECREF(v);
    }
    if (code != SC_CODEC_OK) {
        Py_XDECREF(dict);
        return code;
    }
    *out = dict;
    return SC_CODEC_OK;
}

/* A dict with a factory: what can be called, or None. */
static sc_codec_code decode_default(decoder *d, PyObject **out)
{
    PyObject *old = d->reuse, *factory = NULL;
    d->reuse = NULL; // not the factory's
    sc_codec_code code = decode(d, &factory);
    d->reuse = old;
    if (code != SC_CODEC_OK)
        return code;
    const bool good =
        sc_cur_u8(d->in) == T_DICT && (factory == Py_None || PyCallable_Check(factory));
    code = good ? decode_dict(d, d->c->with_factory, out) : SC_CODEC_BAD;
    if (code == SC_CODEC_OK && *out != old &&
        PyObject_SetAttrString(*out, "default_factory", factory)) {
        Py_CLEAR(*out);
        code = SC_CODEC_PYTHON;
    }
    Py_DECREF(factory);
    return code;
}

static sc_codec_code decode_deque(decoder *d, PyObject **out)
{
    PyObject *max = NULL;
    sc_codec_code code = decode(d, &max);
    if (code != SC_CODEC_OK)
        return code;
    PyObject *deque = NULL, *empty = PyTuple_New(0);
    if (empty && (max == Py_None || PyLong_CheckExact(max)))
        deque = take_old(d, (PyTypeObject *)d->c->deque);
    if (empty && !deque && (max == Py_None || PyLong_CheckExact(max)))
        deque = PyObject_CallFunctionObjArgs(d->c->deque, empty, max, NULL);
    Py_XDECREF(empty);
    Py_DECREF(max);
    if (!deque) {
        PyErr_Clear();
        return SC_CODEC_BAD;
    }
    uint32_t n = 0;
    code = remember(d, deque);
    if (code == SC_CODEC_OK && (sc_cur_u8(d->in) != T_DEQUE || !take_count(d, 1, &n)))
        code = SC_CODEC_BAD;
    for (uint32_t i = 0; code == SC_CODEC_OK && i < n; i++) {
        PyObject *v = NULL;
        code = decode(d, &v);
        PyObject *done = v ? PyObject_CallMethod(deque, "append", "(O)", v) : NULL;
        if (code == SC_CODEC_OK && !done)
            code = SC_CODEC_PYTHON;
        Py_XDECREF(done);
        Py_XDECREF(v);
    }
    if (code != SC_CODEC_OK) {
        Py_DECREF(deque);
        return code;
    }
    *out = deque;
    return SC_CODEC_OK;
}

/* A dict view, through a dict that has only what the view shows. */
static sc_codec_code decode_view(decoder *d, uint8_t tag, PyObject **out)
{
    PyObject *list = NULL;
    const sc_codec_code code = decode_list(d, false, &list);
    if (code != SC_CODEC_OK)
        return code;
    PyObject *dict = PyDict_New();
    bool good = dict != NULL;
    for (Py_ssize_t i = 0; good && i < PyList_GET_SIZE(list); i++) {
        PyObject *item = PyList_GET_ITEM(list, i);
        if (tag == T_KEYS) {
            good = PyDict_SetItem(dict, item, Py_None) == 0;
        } else if (tag == T_VALUES) {
            PyObject *key = PyLong_FromSsize_t(i);
            good = key && PyDict_SetItem(dict, key, item) == 0;
            Py_XDECREF(key);
        } else {
            good = PyTuple_CheckExact(item) && PyTuple_GET_SIZE(item) == 2 &&
                   PyDict_SetItem(dict, PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(item, 1)) == 0;
        }
    }
    Py_DECREF(list);
    PyObject *view = NULL;
    if (good)
        view = PyObject_CallMethod(dict,
                                   tag == T_KEYS     ? "keys"
                                   : tag == T_VALUES ? "values"
                                                     : "items",
                                   NULL);
    Py_XDECREF(dict);
    *out = view;
    return view ? SC_CODEC_OK : PyErr_Occurred() ? SC_CODEC_PYTHON : SC_CODEC_BAD;
}

static sc_codec_code decode_range(decoder *d, uint8_t tag, PyObject **out)
{
    PyObject *v[3] = {NULL, NULL, NULL};
    sc_codec_code code = SC_CODEC_OK;
    for (size_t i = 0; i < 3 && code == SC_CODEC_OK; i++) {
        code = decode(d, &v[i]);
        if (code == SC_CODEC_OK && tag == T_RANGE && !PyLong_CheckExact(v[i]))
            code = SC_CODEC_BAD;
    }
    PyObject *o = NULL;
    if (code == SC_CODEC_OK)
        o = tag == T_SLICE
                ? PySlice_New(v[0], v[1], v[2])
                : PyObject_CallFunctionObjArgs((PyObject *)&PyRange_Type, v[0], v[1], v[2], NULL);
    for (size_t i = 0; i < 3; i++)
        Py_XDECREF(v[i]);
    if (code == SC_CODEC_OK && !o) {
        PyErr_Clear(); // a step of zero
        code = SC_CODEC_BAD;
    }
    *out = o;
    return code;
}

/* The class of named tuples with these fields; NULL without an exception: no real one has them. */
static PyObject *named_class(decoder *d, PyObject *name, PyObject *fields)
{
    sc_codec *c = d->c;
    PyObject *key = PyTuple_Pack(2, name, fields);
    PyObject *cls = key ? PyDict_GetItem(c->named, key) : NULL;
    Py_XINCREF(cls);
    if (key && !cls && d->classes < NAMED_NEW) {
        d->classes++;
        // Made by the library, which takes nothing but identifiers as names.
        PyObject *make = sc_codec_attribute("collections", "namedtuple");
        cls = make ? PyObject_CallFunctionObjArgs(make, name, fields, NULL) : NULL;
        Py_XDECREF(make);
        if (PyDict_GET_SIZE(c->named) >= NAMED_MAX)
            PyDict_Clear(c->named);
        if (cls && PyDict_SetItem(c->named, key, cls))
            Py_CLEAR(cls);
    }
    PyErr_Clear();
    Py_XDECREF(key);
    return cls;
}

/* A named tuple; what cannot be one is bad. The values are an ordinary tuple's. */
static sc_codec_code decode_named(decoder *d, PyObject **out)
{
    PyObject *part[3] = {NULL, NULL, NULL}; // name, fields, values
    sc_codec_code code = SC_CODEC_OK;
    for (size_t i = 0; i < 3 && code == SC_CODEC_OK; i++)
        code = decode(d, &part[i]);
    PyObject *cls = NULL, *o = NULL;
    if (code == SC_CODEC_OK && PyUnicode_CheckExact(part[0]) && PyTuple_CheckExact(part[1]) &&
        PyTuple_CheckExact(part[2]) && PyTuple_GET_SIZE(part[1]) == PyTuple_GET_SIZE(part[2]))
        cls = named_class(d, part[0], part[1]);
    if (cls)
        o = PyObject_Call(cls, part[2], NULL);
    else if (code == SC_CODEC_OK && PyTuple_CheckExact(part[2]))
        o = Py_NewRef(part[2]); // names that the library refuses, or too many: the values alone
    PyErr_Clear();
    Py_XDECREF(cls);
    for (size_t i = 0; i < 3; i++)
        Py_XDECREF(part[i]);
    if (code == SC_CODEC_OK && !o)
        code = SC_CODEC_BAD;
    *out = o;
    return code;
}

static bool is_delta(PyObject *o)
{
    return !strcmp(Py_TYPE(o)->tp_name, "datetime.timedelta");
}

/* Whether the encoder could have written these: a date class also takes bytes, its own pickled
 * state, and does not look whether there is such a day. */
static bool are_arguments(enum sc_codec_class which, PyObject *args)
{
    if (!PyTuple_CheckExact(args))
        return false;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (which == MADE_DECIMAL || which == MADE_ZONE)
        return n == 1 && PyUnicode_CheckExact(PyTuple_GET_ITEM(args, 0));
    if (which == MADE_TIMEZONE)
        return n >= 1 && n <= 2 && is_delta(PyTuple_GET_ITEM(args, 0)) &&
               (n == 1 || PyUnicode_CheckExact(PyTuple_GET_ITEM(args, 1)));
    if ((which == MADE_TIME && n == 5) || (which == MADE_DATETIME && n == 8)) {
        if (!sc_codec_knows_zone(PyTuple_GET_ITEM(args, n - 1)))
            return false;
        n--;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        if (!PyLong_CheckExact(PyTuple_GET_ITEM(args, i)))
            return false;
    return n > 0;
}

static sc_codec_code decode_made(decoder *d, PyObject **out)
{
    const uint8_t which = sc_cur_u8(d->in);
    if (!sc_cur_ok(d->in) || which >= MADE_N)
        return SC_CODEC_BAD;
    PyObject *cls = sc_codec_made(d->c, (enum sc_codec_class)which);
    if (!cls)
        return SC_CODEC_PYTHON;
    PyObject *args = NULL;
    const sc_codec_code code = decode(d, &args);
    if (code != SC_CODEC_OK)
        return code;
    PyObject *o =
        are_arguments((enum sc_codec_class)which, args) ? PyObject_Call(cls, args, NULL) : NULL;
    Py_DECREF(args);
    if (!o) {
        PyErr_Clear(); // arguments that no real value has
        return SC_CODEC_BAD;
    }
    *out = o;
    return SC_CODEC_OK;
}

static sc_codec_code decode_builtin(decoder *d, PyObject **out)
{
    uint32_t n = 0;
    if (!take_count(d, 1, &n))
        return SC_CODEC_BAD;
    const char *p = (const char *)sc_cur_take(d->in, n);
    PyObject *name = PyUnicode_DecodeUTF8(p, n, "replace");
    PyObject *o = name ? PyDict_GetItem(PyEval_GetBuiltins(), name) : NULL;
    Py_XDECREF(name);
    if (!o || !(PyType_Check(o) || PyCFunction_CheckExact(o)))
        return SC_CODEC_BAD;
    *out = Py_NewRef(o);
    return SC_CODEC_OK;
}

static sc_codec_code decode_handle(decoder *d, bool iterates, PyObject **out)
{
    const int64_t id = (int64_t)sc_cur_u64(d->in);
    uint32_t n = 0;
    if (!take_count(d, 1, &n))
        return SC_CODEC_BAD;
    const char *name = (const char *)sc_cur_take(d->in, n);
    PyObject *o = d->ops->get(d->ops->ctx, id, (sc_str){name, n}, iterates);
    if (!o)
        return SC_CODEC_PYTHON;
    *out = o;
    return SC_CODEC_OK;
}

static sc_codec_code decode_raised(decoder *d, PyObject **out)
{
    const int64_t id = (int64_t)sc_cur_u64(d->in);
    uint32_t n = 0;
    if (!d->ops->raised || !take_count(d, 1, &n))
        return SC_CODEC_BAD;
    const sc_str name = {(const char *)sc_cur_take(d->in, n), n};
    PyObject *base = NULL;
    const sc_codec_code code = decode(d, &base);
    if (code != SC_CODEC_OK)
        return code;
    const bool good = PyExceptionClass_Check(base);
    PyObject *o = good ? d->ops->raised(d->ops->ctx, id, name, base) : NULL;
    Py_DECREF(base);
    *out = o;
    return o ? SC_CODEC_OK : good ? SC_CODEC_PYTHON : SC_CODEC_BAD;
}

static sc_codec_code decode_simple(uint8_t tag, PyObject **out)
{
    PyObject *o = NULL;
    if (tag == T_NONE)
        o = Py_None;
    else if (tag == T_TRUE)
        o = Py_True;
    else if (tag == T_FALSE)
        o = Py_False;
    else if (tag == T_ELLIPSIS)
        o = Py_Ellipsis;
    else if (tag == T_NOT_IMPLEMENTED)
        o = Py_NotImplemented;
    else
        return SC_CODEC_BAD;
    Py_INCREF(o);
    *out = o;
    return SC_CODEC_OK;
}

static sc_codec_code decode_number(decoder *d, uint8_t tag, PyObject **out)
{
    PyObject *o = NULL;
    if (tag == T_INT) {
        o = PyLong_FromLongLong((long long)sc_cur_u64(d->in));
    } else if (tag == T_FLOAT) {
        o = PyFloat_FromDouble(sc_cur_f64(d->in));
    } else {
        const double re = sc_cur_f64(d->in);
        o = PyComplex_FromDoubles(re, sc_cur_f64(d->in));
    }
    *out = o;
    return o ? SC_CODEC_OK : SC_CODEC_PYTHON;
}

static PyObject *make_iterator(PyObject *list)
{
    return PyObject_GetIter(list);
}

static sc_codec_code decode_reference(decoder *d, PyObject **out)
{
    const uint32_t n = sc_cur_u32(d->in);
    if (!sc_cur_ok(d->in) || (Py_ssize_t)n >= PyList_GET_SIZE(d->refs))
        return SC_CODEC_BAD;
    PyObject *o = PyList_GET_ITEM(d->refs, n);
    Py_INCREF(o);
    *out = o;
    return SC_CODEC_OK;
}

static sc_codec_code decode_value(decoder *d, uint8_t tag, PyObject **out)
{
    switch (tag) {
    case T_INT:
    case T_FLOAT:
    case T_COMPLEX:
        return decode_number(d, tag, out);
    case T_STR:
    case T_BYTES:
    case T_BYTEARRAY:
    case T_BIG:
        return decode_text(d, tag, out);
    case T_LIST:
        return decode_list(d, true, out);
    case T_TUPLE:
        return decode_from_list(d, PyList_AsTuple, out);
    case T_NAMED:
        return decode_named(d, out);
    case T_FROZENSET:
        return decode_from_list(d, PyFrozenSet_New, out);
    case T_ITER:
        return decode_from_list(d, make_iterator, out);
    case T_SET:
        return decode_set(d, out);
    case T_DICT:
        return decode_dict(d, (PyObject *)&PyDict_Type, out);
    case T_COUNTER:
        return decode_dict(d, d->c->counter, out);
    case T_ORDERED:
        return decode_dict(d, d->c->ordered, out);
    case T_DEFAULT:
        return decode_default(d, out);
    case T_OLD:
        return decode_old(d, out);
    case T_DEQUE:
        return decode_deque(d, out);
    case T_KEYS:
    case T_VALUES:
    case T_ITEMS:
        return decode_view(d, tag, out);
    case T_RANGE:
    case T_SLICE:
        return decode_range(d, tag, out);
    case T_MAKE:
        return decode_made(d, out);
    case T_HANDLE:
    case T_LAZY:
        return decode_handle(d, tag == T_LAZY, out);
    case T_BUILTIN:
        return decode_builtin(d, out);
    case T_RAISED:
        return decode_raised(d, out);
    case T_REF:
        return decode_reference(d, out);
    default:
        return decode_simple(tag, out);
    }
}

static sc_codec_code decode(decoder *d, PyObject **out)
{
    const uint8_t tag = sc_cur_u8(d->in);
    if (!sc_cur_ok(d->in))
        return SC_CODEC_BAD;
    // Deeper than the encoder goes: the frame's own tuple stands above the values.
    if (++d->nodes > SC_CODEC_NODES + 16 || d->depth >= SC_CODEC_DEPTH + 16)
        return SC_CODEC_TOO_BIG;
    PyObject *o = NULL;
    d->depth++;
    sc_codec_code code = decode_value(d, tag, &o);
    d->depth--;
    if (code == SC_CODEC_OK && !sc_cur_ok(d->in)) {
        Py_DECREF(o);
        return SC_CODEC_BAD;
    }
    if (code == SC_CODEC_OK)
        *out = o;
    return code;
}

sc_codec_code sc_codec_decode(sc_codec *c, const sc_codec_ops *ops, sc_cur *in, PyObject **out)
{
    return sc_codec_decode_kin(c, ops, (sc_codec_kin){NULL, NULL}, in, out);
}

sc_codec_code sc_codec_decode_kin(sc_codec *c, const sc_codec_ops *ops, sc_codec_kin kin,
                                  sc_cur *in, PyObject **out)
{
    decoder d = {.c = c,
                 .ops = ops,
                 .in = in,
                 .refs = kin.note ? Py_NewRef(kin.note) : PyList_New(0),
                 .old = kin.old};
    if (!d.refs)
        return SC_CODEC_PYTHON;
    PyObject *o = NULL;
    const sc_codec_code code = decode(&d, &o);
    Py_DECREF(d.refs);
    if (code == SC_CODEC_OK)
        *out = o;
    return code;
}
