// SPDX-License-Identifier: MIT
#include "guest/codec.h"

#include "base/mem.h"

#include <datetime.h>
#include <stdlib.h>
#include <string.h>

/*
 * One byte says what follows. Numbers are little-endian; a count is a u32. The mutable containers
 * have a second form in upper case for those that are met more than once (or could be): they get
 * numbers in the order they begin, and REF names one, so shared and cyclic values keep their shape.
 */
enum tag {
    T_NONE = 'N',
    T_TRUE = 'T',
    T_FALSE = 'F',
    T_ELLIPSIS = '.',
    T_NOT_IMPLEMENTED = '!',
    T_INT = 'i',     // i64
    T_BIG = 'I',     // count, that many bytes of two's complement
    T_FLOAT = 'f',   // its 64 bits
    T_COMPLEX = 'c', // two of them
    T_STR = 's',     // count, UTF-8 with lone surrogates
    T_BYTES = 'b',
    T_TUPLE = 't',
    T_NAMED = 'n', // a tuple: the name of its class, a tuple of the fields' names, the values
    T_FROZENSET = 'z',
    T_RANGE = 'r', // three values
    T_SLICE = ':', // three values
    T_ITER = 'j',  // count, what an iterator gave
    T_KEYS = 'k',
    T_VALUES = 'v',
    T_ITEMS = 'm',
    T_HANDLE = 'h',  // i64, count, the type's name
    T_BUILTIN = 'B', // count, the name of a function or class that both sides have
    T_REF = 'R',     // u32
    T_MAKE = 'M',    // one byte: a class of the table, then a tuple of arguments
    T_LIST = 'L',
    T_DICT = 'D',
    T_SET = 'S',
    T_BYTEARRAY = 'A',
    T_DEQUE = 'Q', // the maximal length, then a list's form
    T_COUNTER = 'C',
    T_ORDERED = 'O',
};

/* Classes that are made again from the arguments of a call. */
enum made {
    MADE_DECIMAL,
    MADE_FRACTION,
    MADE_DATE,
    MADE_TIME,
    MADE_DATETIME,
    MADE_TIMEDELTA,
    MADE_N
};

enum {
    NAMED_MAX = 256, // classes of named tuples that are kept
    NAMED_NEW = 32,  // made for one value: each takes a while
};

struct sc_codec {
    PyObject *made[MADE_N]; // owned; NULL until such a value is met
    PyObject *deque, *counter, *ordered, *defaultdict;
    PyObject *named; // owned dict: (name, fields) to the class made for them
};

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
    size_t size;
    uint32_t n_seen;
    PyObject *keep; // owned list: values made on the way, alive so that addresses stay unique
} encoder;

typedef struct decoder {
    sc_codec *c;
    const sc_codec_ops *ops;
    sc_cur *in;
    uint32_t nodes, depth, classes;
    PyObject *refs; // owned list
} decoder;

static PyObject *attribute(const char *module, const char *name)
{
    PyObject *m = PyImport_ImportModule(module);
    PyObject *a = m ? PyObject_GetAttrString(m, name) : NULL;
    Py_XDECREF(m);
    return a;
}

sc_codec *sc_codec_new(void)
{
    PyDateTime_IMPORT;
    sc_codec *c = PyDateTimeAPI ? sc_new(sc_codec) : NULL;
    if (!c)
        return NULL;
    c->deque = attribute("collections", "deque");
    c->counter = attribute("collections", "Counter");
    c->ordered = attribute("collections", "OrderedDict");
    c->defaultdict = attribute("collections", "defaultdict");
    c->named = PyDict_New();
    if (c->deque && c->counter && c->ordered && c->defaultdict && c->named)
        return c;
    sc_free(c); // only on the way out of a start that failed
    return NULL;
}

/* A class that is looked up when first needed: decimal and fractions cost time to import. */
static PyObject *made_class(sc_codec *c, enum made which)
{
    static const char *const name[MADE_N][2] = {
        [MADE_DECIMAL] = {"decimal", "Decimal"},    [MADE_FRACTION] = {"fractions", "Fraction"},
        [MADE_DATE] = {"datetime", "date"},         [MADE_TIME] = {"datetime", "time"},
        [MADE_DATETIME] = {"datetime", "datetime"}, [MADE_TIMEDELTA] = {"datetime", "timedelta"},
    };
    if (!c->made[which])
        c->made[which] = attribute(name[which][0], name[which][1]);
    return c->made[which];
}

// ---- encoding

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

/* Whether `o` was met before: then a REF to it was written. Else it gets the next number. */
static sc_codec_code met(encoder *e, PyObject *o, bool *before)
{
    *before = false;
    if ((e->n_seen + 1) * 2 > e->size && !grow_table(e))
        return SC_CODEC_TOO_BIG;
    size_t at = ((uintptr_t)o >> 4) & (e->size - 1);
    while (e->table[at].o && e->table[at].o != o)
        at = (at + 1) & (e->size - 1);
    if (e->table[at].o) {
        sc_buf_add_char(e->out, T_REF);
        put_u32(e, e->table[at].n);
        *before = true;
        return SC_CODEC_OK;
    }
    e->table[at] = (seen){o, e->n_seen++};
    return SC_CODEC_OK;
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
static sc_codec_code encode_made(encoder *e, enum made which, PyObject *args)
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
        return encode_made(e, MADE_DATETIME,
                           Py_BuildValue("(iiiiiii)", PyDateTime_GET_YEAR(o),
                                         PyDateTime_GET_MONTH(o), PyDateTime_GET_DAY(o),
                                         PyDateTime_DATE_GET_HOUR(o), PyDateTime_DATE_GET_MINUTE(o),
                                         PyDateTime_DATE_GET_SECOND(o),
                                         PyDateTime_DATE_GET_MICROSECOND(o)));
    return encode_made(e, MADE_TIME,
                       Py_BuildValue("(iiii)", PyDateTime_TIME_GET_HOUR(o),
                                     PyDateTime_TIME_GET_MINUTE(o), PyDateTime_TIME_GET_SECOND(o),
                                     PyDateTime_TIME_GET_MICROSECOND(o)));
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
    sc_buf_add_char(e->out, T_HANDLE);
    put_i64(e, id);
    const char *name = Py_TYPE(o)->tp_name;
    const size_t n = strnlen(name, 200);
    put_u32(e, n);
    sc_buf_add(e->out, name, n);
    return SC_CODEC_OK;
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

static sc_codec_code encode_rest(encoder *e, PyObject *o)
{
    if (PyRange_Check(o))
        return encode_range(e, T_RANGE, o);
    if (PySlice_Check(o))
        return encode_range(e, T_SLICE, o);
    if (PyDelta_CheckExact(o) || PyDate_CheckExact(o) || PyDateTime_CheckExact(o) ||
        PyTime_CheckExact(o))
        return encode_date(e, o);
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
    if (is_builtin_iterator(o))
        return encode_iterator(e, o);
    const char *name = builtin_name(o);
    if (name) {
        put_bytes(e, T_BUILTIN, name, strlen(name));
        return SC_CODEC_OK;
    }
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
    encoder e = {.c = c, .ops = ops, .out = out, .start = out->n, .keep = PyList_New(0)};
    if (!e.keep)
        return SC_CODEC_PYTHON;
    sc_codec_code code = encode(&e, o);
    if (code == SC_CODEC_OK && !sc_buf_ok(out))
        code = SC_CODEC_TOO_BIG;
    sc_free(e.table);
    Py_DECREF(e.keep);
    return code;
}

// ---- decoding

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
        o = PyByteArray_FromStringAndSize(p, n);
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
    PyObject *list = PyList_New(0);
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
    PyObject *set = PySet_New(NULL);
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

static sc_codec_code decode_dict(decoder *d, PyObject *dict, PyObject **out)
{
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

static sc_codec_code decode_deque(decoder *d, PyObject **out)
{
    PyObject *max = NULL;
    sc_codec_code code = decode(d, &max);
    if (code != SC_CODEC_OK)
        return code;
    PyObject *deque = NULL, *empty = PyTuple_New(0);
    if (empty && (max == Py_None || PyLong_CheckExact(max)))
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
        PyObject *make = attribute("collections", "namedtuple");
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

/* Whether the encoder could have written these: a date class also takes bytes, its own pickled
 * state, and does not look whether there is such a day. */
static bool are_arguments(enum made which, PyObject *args)
{
    if (!PyTuple_CheckExact(args))
        return false;
    const Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (which == MADE_DECIMAL)
        return n == 1 && PyUnicode_CheckExact(PyTuple_GET_ITEM(args, 0));
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
    PyObject *cls = made_class(d->c, (enum made)which);
    if (!cls)
        return SC_CODEC_PYTHON;
    PyObject *args = NULL;
    const sc_codec_code code = decode(d, &args);
    if (code != SC_CODEC_OK)
        return code;
    PyObject *o = are_arguments((enum made)which, args) ? PyObject_Call(cls, args, NULL) : NULL;
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

static sc_codec_code decode_handle(decoder *d, PyObject **out)
{
    const int64_t id = (int64_t)sc_cur_u64(d->in);
    uint32_t n = 0;
    if (!take_count(d, 1, &n))
        return SC_CODEC_BAD;
    const char *name = (const char *)sc_cur_take(d->in, n);
    PyObject *o = d->ops->get(d->ops->ctx, id, (sc_str){name, n});
    if (!o)
        return SC_CODEC_PYTHON;
    *out = o;
    return SC_CODEC_OK;
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
        return decode_dict(d, PyDict_New(), out);
    case T_COUNTER:
        return decode_dict(d, PyObject_CallNoArgs(d->c->counter), out);
    case T_ORDERED:
        return decode_dict(d, PyObject_CallNoArgs(d->c->ordered), out);
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
        return decode_handle(d, out);
    case T_BUILTIN:
        return decode_builtin(d, out);
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
    decoder d = {.c = c, .ops = ops, .in = in, .refs = PyList_New(0)};
    if (!d.refs)
        return SC_CODEC_PYTHON;
    PyObject *o = NULL;
    const sc_codec_code code = decode(&d, &o);
    Py_DECREF(d.refs);
    if (code == SC_CODEC_OK)
        *out = o;
    return code;
}
