// SPDX-License-Identifier: MIT
#include "guest/codec_parts.h"

#include "base/mem.h"

#include <datetime.h>
#include <stdio.h>
#include <string.h>

// Of a number in the table: one of the request's objects, which this value has not met yet.
#define OLD_BIT 0x80000000u

typedef struct seen {
    PyObject *o; // borrowed: alive while the value that holds it is encoded
    uint32_t n;
} seen;

typedef struct encoder {
    sc_codec *c;
    const sc_codec_ops *ops;
    sc_buf *out;
    size_t start;
    uint32_t nodes, depth;
    seen *table; // owned, [size]; open addressing
    size_t size, used;
    uint32_t n_seen;
    sc_codec_kin kin;
    PyObject *keep; // owned list: values made on the way, alive so that addresses stay unique
} encoder;

bool sc_codec_know_dates(void)
{
    PyDateTime_IMPORT; // a variable of this file's own
    return PyDateTimeAPI != NULL;
}

static sc_codec_code encode(encoder *e, PyObject *o);

static void put_u32(encoder *e, size_t v)
{
    const uint32_t n = (uint32_t)v;
    sc_buf_add(e->out, &n, sizeof n);
}

static void put_i64(encoder *e, int64_t v)
{
    sc_buf_add(e->out, &v, sizeof v);
}

static void put_bytes(encoder *e, char tag, const void *p, size_t n)
{
    sc_buf_add_char(e->out, tag);
    put_u32(e, n);
    sc_buf_add(e->out, p, n);
}

static bool grow_table(encoder *e)
{
    const size_t size = e->size ? e->size * 2 : 64;
    seen *table = sc_alloc(size, sizeof *table);
    if (!table)
        return false;
    for (size_t i = 0; i < e->size; i++) {
        if (!e->table[i].o)
            continue;
        size_t at = ((uintptr_t)e->table[i].o >> 4) & (size - 1);
        while (table[at].o)
            at = (at + 1) & (size - 1);
        table[at] = e->table[i];
    }
    sc_free(e->table);
    e->table = table;
    e->size = size;
    return true;
}

/* The place of `o` in the table, or where it belongs; NULL: no memory. */
static seen *find_seen(encoder *e, PyObject *o)
{
    if ((e->used + 1) * 2 > e->size && !grow_table(e))
        return NULL;
    size_t at = ((uintptr_t)o >> 4) & (e->size - 1);
    while (e->table[at].o && e->table[at].o != o)
        at = (at + 1) & (e->size - 1);
    return &e->table[at];
}

/* The objects of the request are known before the first is met. */
static bool know_old(encoder *e)
{
    const Py_ssize_t n = e->kin.old ? PyList_GET_SIZE(e->kin.old) : 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        seen *s = find_seen(e, PyList_GET_ITEM(e->kin.old, i));
        if (!s)
            return false;
        *s = (seen){PyList_GET_ITEM(e->kin.old, i), OLD_BIT | (uint32_t)i};
        e->used++;
    }
    return true;
}

/* Whether `o` was met before: then a REF to it was written. Else it gets the next number. */
static sc_codec_code met(encoder *e, PyObject *o, bool *before)
{
    *before = false;
    seen *s = find_seen(e, o);
    if (!s)
        return SC_CODEC_TOO_BIG;
    if (s->o && !(s->n & OLD_BIT)) {
        sc_buf_add_char(e->out, T_REF);
        put_u32(e, s->n);
        *before = true;
        return SC_CODEC_OK;
    }
    if (s->o) {
        sc_buf_add_char(e->out, T_OLD);
        put_u32(e, s->n & ~OLD_BIT);
    } else {
        e->used++;
    }
    *s = (seen){o, e->n_seen++};
    return e->kin.note && PyList_Append(e->kin.note, o) ? SC_CODEC_PYTHON : SC_CODEC_OK;
}

static sc_codec_code encode_int(encoder *e, PyObject *o)
{
    int overflow = 0;
    const long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (!overflow) {
        sc_buf_add_char(e->out, T_INT);
        put_i64(e, v);
        return SC_CODEC_OK;
    }
    const size_t bits = _PyLong_NumBits(o);
    if (bits == (size_t)-1 || bits / 8 + 1 > SC_CODEC_BYTES) {
        PyErr_Clear();
        return SC_CODEC_TOO_BIG;
    }
    const size_t n = bits / 8 + 1;
    unsigned char *bytes = sc_alloc(n, 1);
    if (!bytes)
        return SC_CODEC_TOO_BIG;
    if (_PyLong_AsByteArray((PyLongObject *)o, bytes, n, 1, 1)) {
        sc_free(bytes);
        return SC_CODEC_PYTHON;
    }
    put_bytes(e, T_BIG, bytes, n);
    sc_free(bytes);
    return SC_CODEC_OK;
}

static void put_float(encoder *e, double v)
{
    sc_buf_add(e->out, &v, sizeof v);
}

static sc_codec_code encode_str(encoder *e, PyObject *o)
{
    Py_ssize_t n = 0;
    const char *p = PyUnicode_AsUTF8AndSize(o, &n);
    if (p) {
        put_bytes(e, T_STR, p, (size_t)n);
        return SC_CODEC_OK;
    }
    PyErr_Clear(); // lone surrogates
    PyObject *b = PyUnicode_AsEncodedString(o, "utf-8", "surrogatepass");
    if (!b)
        return SC_CODEC_PYTHON;
    put_bytes(e, T_STR, PyBytes_AS_STRING(b), (size_t)PyBytes_GET_SIZE(b));
    Py_DECREF(b);
    return SC_CODEC_OK;
}

static sc_codec_code encode_items(encoder *e, char tag, PyObject *const *items, Py_ssize_t n)
{
    sc_buf_add_char(e->out, tag);
    put_u32(e, (size_t)n);
    for (Py_ssize_t i = 0; i < n; i++) {
        const sc_codec_code code = encode(e, items[i]);
        if (code != SC_CODEC_OK)
            return code;
    }
    return SC_CODEC_OK;
}

static sc_codec_code encode_list(encoder *e, PyObject *o)
{
    bool before = false;
    sc_codec_code code = met(e, o, &before);
    if (code != SC_CODEC_OK || before)
        return code;
    // A copy: encoding an element may run code of the sample's, which may change the list.
    PyObject *copy = PyList_GetSlice(o, 0, PyList_GET_SIZE(o));
    if (!copy)
        return SC_CODEC_PYTHON;
    code = encode_items(e, T_LIST, PySequence_Fast_ITEMS(copy), PyList_GET_SIZE(copy));
    Py_DECREF(copy);
    return code;
}

static sc_codec_code encode_pairs(encoder *e, char tag, PyObject *o)
{
    PyObject *copy = PyDict_New();
    if (!copy || PyDict_Update(copy, o)) {
        Py_XDECREF(copy);
        return SC_CODEC_PYTHON;
    }
    sc_buf_add_char(e->out, tag);
    put_u32(e, (size_t)PyDict_GET_SIZE(copy));
    Py_ssize_t at = 0;
    PyObject *key = NULL, *value = NULL;
    sc_codec_code code = SC_CODEC_OK;
    while (code == SC_CODEC_OK && PyDict_Next(copy, &at, &key, &value)) {
        code = encode(e, key);
        if (code == SC_CODEC_OK)
            code = encode(e, value);
    }
    Py_DECREF(copy);
    return code;
}

/* A dict subclass may override everything; its storage is read through dict's own methods. */
static sc_codec_code encode_dict(encoder *e, PyObject *o)
{
    bool before = false;
    const sc_codec_code code = met(e, o, &before);
    if (code != SC_CODEC_OK || before)
        return code;
    char tag = T_DICT;
    if (PyObject_TypeCheck(o, (PyTypeObject *)e->c->counter))
        tag = T_COUNTER;
    else if (PyObject_TypeCheck(o, (PyTypeObject *)e->c->ordered))
        tag = T_ORDERED;
    else if (Py_TYPE(o) == (PyTypeObject *)e->c->with_factory) {
        PyObject *factory = PyObject_GetAttrString(o, "default_factory");
        if (!factory || PyList_Append(e->keep, factory)) {
            Py_XDECREF(factory);
            return SC_CODEC_PYTHON;
        }
        Py_DECREF(factory);
        sc_buf_add_char(e->out, T_DEFAULT);
        const sc_codec_code made = encode(e, factory);
        if (made != SC_CODEC_OK)
            return made;
    }
    return encode_pairs(e, tag, o);
}

/* The elements of a set, a deque or an iterator, as a list made by the built-in type's own code. */
static PyObject *listed(PyObject *o, getiterfunc iter)
{
    PyObject *it = iter(o), *list = PyList_New(0);
    while (it && list) {
        PyObject *item = Py_TYPE(it)->tp_iternext(it);
        if (!item)
            break;
        const int bad = PyList_Append(list, item);
        Py_DECREF(item);
        if (bad)
            break;
    }
    Py_XDECREF(it);
    if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_StopIteration))
        PyErr_Clear();
    if (!it || PyErr_Occurred()) {
        Py_CLEAR(list);
    }
    return list;
}

static sc_codec_code encode_set(encoder *e, PyObject *o, bool frozen)
{
    if (!frozen) {
        bool before = false;
        const sc_codec_code code = met(e, o, &before);
        if (code != SC_CODEC_OK || before)
            return code;
    }
    PyObject *list = listed(o, frozen ? PyFrozenSet_Type.tp_iter : PySet_Type.tp_iter);
    if (!list)
        return SC_CODEC_PYTHON;
    const sc_codec_code code = encode_items(e, frozen ? T_FROZENSET : T_SET,
                                            PySequence_Fast_ITEMS(list), PyList_GET_SIZE(list));
    Py_DECREF(list);
    return code;
}

static sc_codec_code encode_deque(encoder *e, PyObject *o)
{
    bool before = false;
    sc_codec_code code = met(e, o, &before);
    if (code != SC_CODEC_OK || before)
        return code;
    PyObject *list = listed(o, ((PyTypeObject *)e->c->deque)->tp_iter);
    PyObject *max = list ? PyObject_GenericGetAttr(o, PyUnicode_InternFromString("maxlen")) : NULL;
    if (!max) {
        Py_XDECREF(list);
        return SC_CODEC_PYTHON;
    }
    sc_buf_add_char(e->out, T_DEQUE);
    code = encode(e, PyLong_CheckExact(max) ? max : Py_None);
    if (code == SC_CODEC_OK)
        code = encode_items(e, T_DEQUE, PySequence_Fast_ITEMS(list), PyList_GET_SIZE(list));
    Py_DECREF(max);
    Py_DECREF(list);
    return code;
}

/* A built-in iterator or a generator: what it gives, up to a bound; this runs code of the sample's.
 */
static sc_codec_code encode_iterator(encoder *e, PyObject *o)
{
    PyObject *list = PyList_New(0);
    if (!list)
        return SC_CODEC_PYTHON;
    for (;;) {
        PyObject *item = Py_TYPE(o)->tp_iternext(o);
        if (!item)
            break;
        const int bad = PyList_Append(list, item);
        Py_DECREF(item);
        if (bad || PyList_GET_SIZE(list) > SC_CODEC_ITEMS) {
            Py_DECREF(list);
            return bad ? SC_CODEC_PYTHON : SC_CODEC_TOO_BIG;
        }
    }
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
            Py_DECREF(list);
            return SC_CODEC_PYTHON;
        }
        PyErr_Clear();
    }
    // Alive until the end: the memory of what it gave must not be given out again meanwhile.
    if (PyList_Append(e->keep, list)) {
        Py_DECREF(list);
        return SC_CODEC_PYTHON;
    }
    Py_DECREF(list);
    return encode_items(e, T_ITER, PySequence_Fast_ITEMS(list), PyList_GET_SIZE(list));
}

static sc_codec_code encode_view(encoder *e, char tag, PyObject *o)
{
    PyObject *list = listed(o, Py_TYPE(o)->tp_iter);
    if (!list)
        return SC_CODEC_PYTHON;
    if (PyList_Append(e->keep, list)) {
        Py_DECREF(list);
        return SC_CODEC_PYTHON;
    }
    Py_DECREF(list);
    return encode_items(e, tag, PySequence_Fast_ITEMS(list), PyList_GET_SIZE(list));
}

/* `which` and the tuple `args` (taken; NULL: the Python exception is set). */
static sc_codec_code encode_made(encoder *e, enum sc_codec_class which, PyObject *args)
{
    if (!args)
        return SC_CODEC_PYTHON;
    sc_buf_add_char(e->out, T_MAKE);
    sc_buf_add_char(e->out, (char)which);
    sc_codec_code code = PyList_Append(e->keep, args) ? SC_CODEC_PYTHON : SC_CODEC_OK;
    if (code == SC_CODEC_OK)
        code = encode(e, args);
    Py_DECREF(args);
    return code;
}

static sc_codec_code encode_date(encoder *e, PyObject *o)
{
    if (PyDelta_CheckExact(o))
        return encode_made(e, MADE_TIMEDELTA,
                           Py_BuildValue("(iii)", PyDateTime_DELTA_GET_DAYS(o),
                                         PyDateTime_DELTA_GET_SECONDS(o),
                                         PyDateTime_DELTA_GET_MICROSECONDS(o)));
    if (PyDate_CheckExact(o))
        return encode_made(e, MADE_DATE,
                           Py_BuildValue("(iii)", PyDateTime_GET_YEAR(o), PyDateTime_GET_MONTH(o),
                                         PyDateTime_GET_DAY(o)));
    if (PyDateTime_CheckExact(o))
        return encode_made(
            e, MADE_DATETIME,
            Py_BuildValue("(iiiiiiiO)", PyDateTime_GET_YEAR(o), PyDateTime_GET_MONTH(o),
                          PyDateTime_GET_DAY(o), PyDateTime_DATE_GET_HOUR(o),
                          PyDateTime_DATE_GET_MINUTE(o), PyDateTime_DATE_GET_SECOND(o),
                          PyDateTime_DATE_GET_MICROSECOND(o), PyDateTime_DATE_GET_TZINFO(o)));
    return encode_made(e, MADE_TIME,
                       Py_BuildValue("(iiiiO)", PyDateTime_TIME_GET_HOUR(o),
                                     PyDateTime_TIME_GET_MINUTE(o), PyDateTime_TIME_GET_SECOND(o),
                                     PyDateTime_TIME_GET_MICROSECOND(o),
                                     PyDateTime_TIME_GET_TZINFO(o)));
}

/* Decimal and Fraction, if the module was imported at all (else no such object exists). */
static bool is_from(PyObject *o, const char *module, const char *name)
{
    const PyTypeObject *t = Py_TYPE(o);
    const char *dot = strrchr(t->tp_name, '.');
    if (strcmp(dot ? dot + 1 : t->tp_name, name) != 0)
        return false;
    PyObject *key = PyUnicode_InternFromString(module);
    PyObject *m = key ? PyImport_GetModule(key) : NULL;
    PyObject *cls = m ? PyObject_GetAttrString(m, name) : NULL;
    const bool is = (const void *)cls == (const void *)t;
    PyErr_Clear();
    Py_XDECREF(cls);
    Py_XDECREF(m);
    Py_XDECREF(key);
    return is;
}

/* The name under which both sides know `o`: len, int, ValueError. NULL: it is none of these. */
static const char *builtin_name(PyObject *o)
{
    const char *name = NULL;
    if (PyType_Check(o))
        name = ((PyTypeObject *)o)->tp_name;
    else if (PyCFunction_CheckExact(o))
        name = ((PyCFunctionObject *)o)->m_ml->ml_name;
    return name && PyDict_GetItemString(PyEval_GetBuiltins(), name) == o ? name : NULL;
}

static sc_codec_code encode_handle(encoder *e, PyObject *o)
{
    const int64_t id = e->ops->put(e->ops->ctx, o);
    if (id < 0)
        return SC_CODEC_PYTHON;
    sc_buf_add_char(e->out, e->ops->lazy && PyIter_Check(o) ? T_LAZY : T_HANDLE);
    put_i64(e, id);
    const char *name = Py_TYPE(o)->tp_name;
    const size_t n = strnlen(name, 200);
    put_u32(e, n);
    sc_buf_add(e->out, name, n);
    return SC_CODEC_OK;
}

/* A class of exceptions, which tests must be able to catch. */
static sc_codec_code encode_raised(encoder *e, PyObject *o)
{
    const int64_t id = e->ops->put(e->ops->ctx, o);
    PyTypeObject *base = ((PyTypeObject *)o)->tp_base; // the one that rules its memory
    if (id < 0 || !base)
        return SC_CODEC_PYTHON;
    PyObject *module = PyObject_GetAttrString(o, "__module__");
    const char *m = module && PyUnicode_Check(module) ? PyUnicode_AsUTF8(module) : NULL;
    const char *name = ((PyTypeObject *)o)->tp_name, *dot = strrchr(name, '.');
    char full[160];
    (void)snprintf(full, sizeof full, "%.75s.%.75s", m ? m : "",
                   dot ? dot + 1 : name); // may be cut
    PyErr_Clear();
    Py_XDECREF(module);
    sc_buf_add_char(e->out, T_RAISED);
    put_i64(e, id);
    put_u32(e, strlen(full));
    sc_buf_add(e->out, full, strlen(full));
    return encode(e, (PyObject *)base);
}

static sc_codec_code encode_range(encoder *e, char tag, PyObject *o)
{
    static const char *const part[] = {"start", "stop", "step"};
    sc_buf_add_char(e->out, tag);
    for (size_t i = 0; i < SC_LEN(part); i++) {
        PyObject *v = PyObject_GetAttrString(o, part[i]);
        if (!v || PyList_Append(e->keep, v)) {
            Py_XDECREF(v);
            return SC_CODEC_PYTHON;
        }
        Py_DECREF(v);
        const sc_codec_code code = encode(e, v);
        if (code != SC_CODEC_OK)
            return code;
    }
    return SC_CODEC_OK;
}

static bool is_builtin_iterator(PyObject *o)
{
    const PyTypeObject *t = Py_TYPE(o);
    if (PyGen_CheckExact(o))
        return true;
    // A static type of the interpreter's own; a class of the sample's is on the heap.
    return !(t->tp_flags & Py_TPFLAGS_HEAPTYPE) && t->tp_iternext && PyIter_Check(o) &&
           !PyCallable_Check(o) && strncmp(t->tp_name, "_io.", 4) != 0;
}

/* An iterator over a container that is there already: taking its elements runs no code. */
static bool is_finished(PyObject *o)
{
    static const char *const name[] = {
        "list_iterator",     "list_reverseiterator", "tuple_iterator",     "range_iterator",
        "set_iterator",      "dict_keyiterator",     "dict_valueiterator", "dict_itemiterator",
        "str_iterator",      "str_ascii_iterator",   "bytes_iterator",     "longrange_iterator",
        "bytearray_iterator"};
    for (size_t i = 0; i < SC_LEN(name); i++)
        if (!strcmp(Py_TYPE(o)->tp_name, name[i]))
            return true;
    return false;
}

/* The zone of a date is one that both sides can make. */
bool sc_codec_knows_zone(PyObject *tz)
{
    return tz == Py_None || Py_IS_TYPE(tz, Py_TYPE(PyDateTime_TimeZone_UTC)) ||
           is_from(tz, "zoneinfo", "ZoneInfo");
}

static bool is_known_date(PyObject *o)
{
    if (PyDateTime_CheckExact(o))
        return sc_codec_knows_zone(PyDateTime_DATE_GET_TZINFO(o));
    if (PyTime_CheckExact(o))
        return sc_codec_knows_zone(PyDateTime_TIME_GET_TZINFO(o));
    return PyDelta_CheckExact(o) || PyDate_CheckExact(o);
}

static sc_codec_code encode_rest(encoder *e, PyObject *o)
{
    if (PyRange_Check(o))
        return encode_range(e, T_RANGE, o);
    if (PySlice_Check(o))
        return encode_range(e, T_SLICE, o);
    if (is_known_date(o))
        return encode_date(e, o);
    if (Py_IS_TYPE(o, Py_TYPE(PyDateTime_TimeZone_UTC)))
        return encode_made(e, MADE_TIMEZONE, PyObject_CallMethod(o, "__getinitargs__", NULL));
    if (is_from(o, "zoneinfo", "ZoneInfo"))
        return encode_made(e, MADE_ZONE, Py_BuildValue("(N)", PyObject_GetAttrString(o, "key")));
    if (PyDictKeys_Check(o))
        return encode_view(e, T_KEYS, o);
    if (PyDictValues_Check(o))
        return encode_view(e, T_VALUES, o);
    if (PyDictItems_Check(o))
        return encode_view(e, T_ITEMS, o);
    if (PyObject_TypeCheck(o, (PyTypeObject *)e->c->deque))
        return encode_deque(e, o);
    if (is_from(o, "decimal", "Decimal"))
        return encode_made(e, MADE_DECIMAL, Py_BuildValue("(N)", PyObject_Str(o)));
    if (is_from(o, "fractions", "Fraction"))
        return encode_made(e, MADE_FRACTION,
                           Py_BuildValue("(NN)", PyObject_GetAttrString(o, "numerator"),
                                         PyObject_GetAttrString(o, "denominator")));
    if (is_builtin_iterator(o) && (!e->ops->lazy || is_finished(o)))
        return encode_iterator(e, o);
    const char *name = builtin_name(o);
    if (name) {
        put_bytes(e, T_BUILTIN, name, strlen(name));
        return SC_CODEC_OK;
    }
    if (e->ops->lazy && PyType_Check(o) && PyExceptionClass_Check(o))
        return encode_raised(e, o);
    return encode_handle(e, o);
}

/* The names of a named tuple's fields (borrowed); NULL for any other object. */
static PyObject *fields_of(PyObject *o)
{
    PyObject *names = NULL;
    for (PyTypeObject *t = Py_TYPE(o); t && t->tp_flags & Py_TPFLAGS_HEAPTYPE && !names;
         t = t->tp_base)
        names = t->tp_dict ? PyDict_GetItemString(t->tp_dict, "_fields") : NULL;
    if (!names || !PyTuple_CheckExact(names) || PyTuple_GET_SIZE(names) != PyTuple_GET_SIZE(o))
        return NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++)
        if (!PyUnicode_CheckExact(PyTuple_GET_ITEM(names, i)))
            return NULL;
    return names;
}

static sc_codec_code encode_tuple(encoder *e, PyObject *o)
{
    PyObject *names = PyTuple_CheckExact(o) ? NULL : fields_of(o);
    if (names) {
        const char *name = Py_TYPE(o)->tp_name;
        sc_buf_add_char(e->out, T_NAMED);
        put_bytes(e, T_STR, name, strlen(name));
        const sc_codec_code code = encode(e, names);
        if (code != SC_CODEC_OK)
            return code;
    }
    return encode_items(e, T_TUPLE, &PyTuple_GET_ITEM(o, 0), PyTuple_GET_SIZE(o));
}

static sc_codec_code encode_value(encoder *e, PyObject *o)
{
    if (o == Py_None || o == Py_True || o == Py_False || o == Py_Ellipsis ||
        o == Py_NotImplemented) {
        sc_buf_add_char(e->out, (char)(o == Py_None       ? T_NONE
                                       : o == Py_True     ? T_TRUE
                                       : o == Py_False    ? T_FALSE
                                       : o == Py_Ellipsis ? T_ELLIPSIS
                                                          : T_NOT_IMPLEMENTED));
        return SC_CODEC_OK;
    }
    if (PyLong_Check(o))
        return encode_int(e, o);
    if (PyFloat_Check(o)) {
        sc_buf_add_char(e->out, T_FLOAT);
        put_float(e, PyFloat_AS_DOUBLE(o));
        return SC_CODEC_OK;
    }
    if (PyUnicode_Check(o))
        return encode_str(e, o);
    if (PyList_Check(o))
        return encode_list(e, o);
    if (PyTuple_Check(o))
        return encode_tuple(e, o);
    if (PyDict_Check(o))
        return encode_dict(e, o);
    if (PySet_Check(o))
        return encode_set(e, o, false);
    if (PyFrozenSet_Check(o))
        return encode_set(e, o, true);
    if (PyBytes_Check(o)) {
        put_bytes(e, T_BYTES, PyBytes_AS_STRING(o), (size_t)PyBytes_GET_SIZE(o));
        return SC_CODEC_OK;
    }
    if (PyComplex_Check(o)) {
        sc_buf_add_char(e->out, T_COMPLEX);
        put_float(e, ((PyComplexObject *)o)->cval.real);
        put_float(e, ((PyComplexObject *)o)->cval.imag);
        return SC_CODEC_OK;
    }
    if (PyByteArray_Check(o)) {
        bool before = false;
        const sc_codec_code code = met(e, o, &before);
        if (code == SC_CODEC_OK && !before)
            put_bytes(e, T_BYTEARRAY, PyByteArray_AS_STRING(o), (size_t)PyByteArray_GET_SIZE(o));
        return code;
    }
    return encode_rest(e, o);
}

static sc_codec_code encode(encoder *e, PyObject *o)
{
    if (++e->nodes > SC_CODEC_NODES || e->depth >= SC_CODEC_DEPTH ||
        e->out->n - e->start > SC_CODEC_BYTES || !sc_buf_ok(e->out))
        return SC_CODEC_TOO_BIG;
    e->depth++;
    const sc_codec_code code = encode_value(e, o);
    e->depth--;
    return code;
}

sc_codec_code sc_codec_encode(sc_codec *c, const sc_codec_ops *ops, PyObject *o, sc_buf *out)
{
    return sc_codec_encode_kin(c, ops, (sc_codec_kin){NULL, NULL}, o, out);
}

sc_codec_code sc_codec_encode_kin(sc_codec *c, const sc_codec_ops *ops, sc_codec_kin kin,
                                  PyObject *o, sc_buf *out)
{
    encoder e = {
        .c = c, .ops = ops, .out = out, .start = out->n, .kin = kin, .keep = PyList_New(0)};
    if (!e.keep)
        return SC_CODEC_PYTHON;
    sc_codec_code code = know_old(&e) ? encode(&e, o) : SC_CODEC_TOO_BIG;
    if (code == SC_CODEC_OK && !sc_buf_ok(out))
        code = SC_CODEC_TOO_BIG;
    sc_free(e.table);
    Py_DECREF(e.keep);
    return code;
}
