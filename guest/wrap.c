// SPDX-License-Identifier: MIT
#include "guest/wrap.h"

#include "base/mem.h"

#include <string.h>

typedef struct callback {
    PyObject_HEAD int64_t id;
    sc_callback_fn *fn;
    void *ctx;
} callback;

typedef struct handle {
    PyObject_HEAD int64_t id;
    const sc_handle_ops *ops;
    PyObject *type_name;
} handle;

/* A handle that gives elements. */
typedef struct lazy {
    handle h;
    PyObject *ahead; // owned list: elements that were asked for; NULL
    Py_ssize_t at;   // of them, taken
    long asked;      // requests so far
    bool ended;      // nothing comes after them
} lazy;

static PyTypeObject handle_type, lazy_type;

// Elements that are asked for one by one: what a generator does meanwhile is seen as in Python.
enum { SINGLY = 16, AT_ONCE = 1024, MAX_TYPES = 256 };

static PyObject *callback_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    const callback *c = (const callback *)self;
    return c->fn(c->ctx, c->id, args, kwargs);
}

static void drop(PyObject *self)
{
    PyObject_Free(self);
}

/* Decorators ask for it. */
static PyObject *callback_name(PyObject *self, void *closure)
{
    (void)self;
    (void)closure;
    return PyUnicode_FromString("function");
}

static PyGetSetDef callback_fields[] = {{"__name__", callback_name, NULL, NULL, NULL},
                                        {"__qualname__", callback_name, NULL, NULL, NULL},
                                        {NULL, NULL, NULL, NULL, NULL}};

static PyTypeObject callback_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "function",
    .tp_basicsize = sizeof(callback),
    .tp_dealloc = drop,
    .tp_call = callback_call,
    .tp_getset = callback_fields,
    .tp_flags = Py_TPFLAGS_DEFAULT,
};

PyObject *sc_callback_new(int64_t id, sc_callback_fn *fn, void *ctx)
{
    callback *c = PyObject_New(callback, &callback_type);
    if (c) {
        c->id = id;
        c->fn = fn;
        c->ctx = ctx;
    }
    return (PyObject *)c;
}

int64_t sc_callback_id(PyObject *o)
{
    return Py_IS_TYPE(o, &callback_type) ? ((callback *)o)->id : -1;
}

static PyObject *ask(PyObject *self, sc_op op, PyObject *args)
{
    const handle *h = (const handle *)self;
    return args ? h->ops->op(h->ops->ctx, op, h->id, args) : NULL;
}

static PyObject *handle_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    const handle *h = (const handle *)self;
    return h->ops->call(h->ops->ctx, h->id, args, kwargs);
}

/* Whether a special name would let the sample answer a question about type or equality. */
static bool is_judging(const char *name)
{
    static const char *const judging[] = {"__class__", "__eq__", "__ne__", "__lt__",
                                          "__le__",    "__gt__", "__ge__", "__hash__"};
    for (size_t i = 0; i < SC_LEN(judging); i++)
        if (!strcmp(name, judging[i]))
            return true;
    return false;
}

static PyObject *handle_getattr(PyObject *self, PyObject *name)
{
    const char *text = PyUnicode_AsUTF8(name);
    if (!text)
        return NULL;
    const handle *h = (const handle *)self;
    if (!strcmp(text, "__class__") && PyObject_TypeCheck(self, &lazy_type) &&
        PyUnicode_CompareWithASCIIString(h->type_name, "generator") == 0)
        return Py_NewRef(&PyGen_Type);
    if (is_judging(text))
        return PyObject_GenericGetAttr(self, name);
    if (!strcmp(text, "__mro_entries__")) // a class of the tests is to descend from the sample's
        h->ops->unsplit(h->ops->ctx);
    return ask(self, SC_OP_GETATTR, Py_BuildValue("(O)", name));
}

/* For what must give 0 or -1. */
static int done(PyObject *r)
{
    Py_XDECREF(r);
    return r ? 0 : -1;
}

static int handle_setattr(PyObject *self, PyObject *name, PyObject *value)
{
    if (!value)
        return done(ask(self, SC_OP_DELATTR, Py_BuildValue("(O)", name)));
    return done(ask(self, SC_OP_SETATTR, Py_BuildValue("(OO)", name, value)));
}

static PyObject *handle_item(PyObject *self, PyObject *key)
{
    return ask(self, SC_OP_GETITEM, Py_BuildValue("(O)", key));
}

static int handle_set_item(PyObject *self, PyObject *key, PyObject *value)
{
    if (!value)
        return done(ask(self, SC_OP_DELITEM, Py_BuildValue("(O)", key)));
    return done(ask(self, SC_OP_SETITEM, Py_BuildValue("(OO)", key, value)));
}

static Py_ssize_t handle_len(PyObject *self)
{
    PyObject *r = ask(self, SC_OP_LEN, PyTuple_New(0));
    const Py_ssize_t n = r && PyLong_CheckExact(r) ? PyLong_AsSsize_t(r) : -1;
    if (n < 0 && !PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "a length that is no number");
    Py_XDECREF(r);
    return n;
}

static int handle_bool(PyObject *self)
{
    PyObject *r = ask(self, SC_OP_BOOL, PyTuple_New(0));
    const int yes = r ? r == Py_True : -1;
    Py_XDECREF(r);
    return yes;
}

/* What the sample answers, which must be of this very type. */
static PyObject *ask_for(PyObject *self, sc_op op, const PyTypeObject *type)
{
    PyObject *r = ask(self, op, PyTuple_New(0));
    if (r && Py_TYPE(r) != type) {
        Py_CLEAR(r);
        PyErr_Format(PyExc_TypeError, "a value of type %s is expected", type->tp_name);
    }
    return r;
}

static PyObject *handle_str(PyObject *self)
{
    return ask_for(self, SC_OP_STR, &PyUnicode_Type);
}

static PyObject *handle_repr(PyObject *self)
{
    return ask_for(self, SC_OP_REPR, &PyUnicode_Type);
}

static PyObject *handle_int(PyObject *self)
{
    return ask_for(self, SC_OP_INT, &PyLong_Type);
}

static PyObject *handle_index(PyObject *self)
{
    return ask_for(self, SC_OP_INDEX, &PyLong_Type);
}

static PyObject *handle_float(PyObject *self)
{
    return ask_for(self, SC_OP_FLOAT, &PyFloat_Type);
}

static PyObject *handle_iter(PyObject *self)
{
    PyObject *r = ask(self, SC_OP_ITER, PyTuple_New(0));
    if (r && !PyIter_Check(r)) {
        Py_CLEAR(r);
        PyErr_SetString(PyExc_TypeError, "an iterator that is none");
    }
    return r;
}

/* Whether `other` is an object, or a class, of the class that `self` stands for. */
static PyObject *ask_class(PyObject *self, sc_op op, PyObject *other)
{
    if (sc_handle_id(other) < 0)
        Py_RETURN_FALSE; // plain data, and what the tests made
    PyObject *r = ask(self, op, Py_BuildValue("(O)", other));
    if (r && !PyBool_Check(r)) {
        Py_CLEAR(r);
        PyErr_SetString(PyExc_TypeError, "a truth that is none");
    }
    return r;
}

static PyObject *handle_instancecheck(PyObject *self, PyObject *other)
{
    return ask_class(self, SC_OP_ISINSTANCE, other);
}

static PyObject *handle_subclasscheck(PyObject *self, PyObject *other)
{
    return ask_class(self, SC_OP_ISSUBCLASS, other);
}

/* Calls a special method of the sample's object. */
static PyObject *call_special(PyObject *self, const char *name, PyObject *args)
{
    PyObject *f = ask(self, SC_OP_GETATTR, Py_BuildValue("(s)", name));
    PyObject *r = f ? PyObject_CallObject(f, args) : NULL;
    Py_XDECREF(f);
    return r;
}

static PyObject *handle_enter(PyObject *self, PyObject *unused)
{
    (void)unused;
    return call_special(self, "__enter__", NULL);
}

static PyObject *handle_exit(PyObject *self, PyObject *args)
{
    return call_special(self, "__exit__", args);
}

static PyObject *handle_reversed(PyObject *self, PyObject *unused)
{
    (void)unused;
    return call_special(self, "__reversed__", NULL);
}

static PyMethodDef handle_methods[] = {
    {"__instancecheck__", handle_instancecheck, METH_O, NULL},
    {"__subclasscheck__", handle_subclasscheck, METH_O, NULL},
    {"__enter__", handle_enter, METH_NOARGS, NULL},
    {"__exit__", handle_exit, METH_VARARGS, NULL},
    {"__reversed__", handle_reversed, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* Equal to itself alone: what the sample says about it is not asked. */
static PyObject *handle_compare(PyObject *a, PyObject *b, int op)
{
    if (op != Py_EQ && op != Py_NE)
        Py_RETURN_NOTIMPLEMENTED;
    const handle *h = (const handle *)a;
    const int64_t other = sc_handle_id(b);
    const bool same = other >= 0 && other == h->id;
    if (!same)
        h->ops->compared(h->ops->ctx);
    return PyBool_FromLong(same == (op == Py_EQ));
}

/* In a list of the sample's: its elements come here and are compared here. */
static int handle_contains(PyObject *self, PyObject *what)
{
    PyObject *it = handle_iter(self);
    int found = it ? 0 : -1;
    while (found == 0) {
        PyObject *item = PyIter_Next(it);
        if (!item) {
            found = PyErr_Occurred() ? -1 : 0;
            break;
        }
        found = PyObject_RichCompareBool(item, what, Py_EQ);
        Py_DECREF(item);
    }
    Py_XDECREF(it);
    return found;
}

static Py_hash_t handle_hash(PyObject *self)
{
    return (Py_hash_t)((handle *)self)->id;
}

static void handle_drop(PyObject *self)
{
    const handle *h = (const handle *)self;
    h->ops->dropped(h->ops->ctx, h->id, self);
    Py_XDECREF(h->type_name);
    Py_TYPE(self)->tp_free(self);
}

static void lazy_drop(PyObject *self)
{
    sc_handle_forget(self);
    handle_drop(self);
}

/* Asks for the next elements; 0 or -1. */
static int fill(lazy *l)
{
    const long wanted = l->asked < SINGLY ? 1 : l->asked < AT_ONCE ? l->asked : AT_ONCE;
    l->asked += wanted;
    PyObject *r = ask((PyObject *)l, SC_OP_NEXT, Py_BuildValue("(l)", wanted));
    const bool good =
        r && PyTuple_CheckExact(r) && PyTuple_GET_SIZE(r) == 2 &&
        PyList_CheckExact(PyTuple_GET_ITEM(r, 0)) && PyBool_Check(PyTuple_GET_ITEM(r, 1)) &&
        (PyTuple_GET_ITEM(r, 1) == Py_True || PyList_GET_SIZE(PyTuple_GET_ITEM(r, 0)));
    if (good) {
        Py_XSETREF(l->ahead, Py_NewRef(PyTuple_GET_ITEM(r, 0)));
        l->at = 0;
        l->ended = PyTuple_GET_ITEM(r, 1) == Py_True;
    } else if (r) {
        PyErr_SetString(PyExc_TypeError, "elements that are none");
    }
    Py_XDECREF(r);
    return good ? 0 : -1;
}

static PyObject *lazy_next(PyObject *self)
{
    lazy *l = (lazy *)self;
    if (!(l->ahead && l->at < PyList_GET_SIZE(l->ahead)) && !l->ended && fill(l))
        return NULL;
    if (l->ahead && l->at < PyList_GET_SIZE(l->ahead)) {
        PyObject *item = Py_NewRef(PyList_GET_ITEM(l->ahead, l->at));
        PyList_SetItem(l->ahead, l->at++, Py_NewRef(Py_None));
        return item;
    }
    l->ended = false; // who asks again is told by the sample
    return NULL;
}

static PyMappingMethods handle_mapping = {
    .mp_length = handle_len,
    .mp_subscript = handle_item,
    .mp_ass_subscript = handle_set_item,
};

static PySequenceMethods handle_sequence = {
    .sq_contains = handle_contains,
};

static PyNumberMethods handle_number = {
    .nb_bool = handle_bool,
    .nb_int = handle_int,
    .nb_float = handle_float,
    .nb_index = handle_index,
};

static PyTypeObject handle_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "Handle",
    .tp_basicsize = sizeof(handle),
    .tp_dealloc = handle_drop,
    .tp_call = handle_call,
    .tp_getattro = handle_getattr,
    .tp_setattro = handle_setattr,
    .tp_repr = handle_repr,
    .tp_str = handle_str,
    .tp_iter = handle_iter,
    .tp_hash = handle_hash,
    .tp_richcompare = handle_compare,
    .tp_as_mapping = &handle_mapping,
    .tp_as_sequence = &handle_sequence,
    .tp_as_number = &handle_number,
    .tp_methods = handle_methods,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
};

static PyTypeObject lazy_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "Handle",
    .tp_basicsize = sizeof(lazy),
    .tp_base = &handle_type,
    .tp_dealloc = lazy_drop,
    .tp_iternext = lazy_next,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
};

void sc_handle_forget(PyObject *o)
{
    if (!PyObject_TypeCheck(o, &lazy_type))
        return;
    lazy *l = (lazy *)o;
    Py_CLEAR(l->ahead);
    l->at = 0;
}

/* The type of a handle for an object whose class has this name: a new reference. */
static PyTypeObject *named_type(PyObject *types, PyObject *name, PyTypeObject *base)
{
    static const char *const usual[] = {"function", "type",      "method",
                                        "module",   "generator", "builtin_function_or_method"};
    for (size_t i = 0; i < SC_LEN(usual); i++)
        if (PyUnicode_CompareWithASCIIString(name, usual[i]) == 0)
            return (PyTypeObject *)Py_NewRef(base);
    PyObject *key = Py_BuildValue("(OO)", name, base);
    PyObject *type = key ? PyDict_GetItemWithError(types, key) : NULL;
    Py_XINCREF(type);
    if (key && !type && !PyErr_Occurred() && PyDict_GET_SIZE(types) < MAX_TYPES) {
        // No room for attributes: those are the sample's.
        type =
            PyObject_CallFunction((PyObject *)&PyType_Type, "O(O){s()}", name, base, "__slots__");
        if (type && PyDict_SetItem(types, key, type))
            Py_CLEAR(type);
    }
    PyErr_Clear(); // a name that no class can have
    Py_XDECREF(key);
    return (PyTypeObject *)(type ? type : Py_NewRef(base));
}

PyObject *sc_handle_new(int64_t id, sc_str type_name, bool iterates, PyObject *types,
                        const sc_handle_ops *ops)
{
    PyObject *name = PyUnicode_DecodeUTF8(type_name.p, (Py_ssize_t)type_name.n, "replace");
    if (!name)
        return NULL;
    PyTypeObject *type = named_type(types, name, iterates ? &lazy_type : &handle_type);
    handle *h = (handle *)type->tp_alloc(type, 0); // zeroed
    Py_DECREF(type);
    if (!h) {
        Py_DECREF(name);
        return NULL;
    }
    h->id = id;
    h->ops = ops;
    h->type_name = name;
    return (PyObject *)h;
}

int64_t sc_handle_id(PyObject *o)
{
    return PyObject_TypeCheck(o, &handle_type) ? ((handle *)o)->id : -1;
}

int sc_wrap_ready(void)
{
    return PyType_Ready(&callback_type) || PyType_Ready(&handle_type) || PyType_Ready(&lazy_type)
               ? -1
               : 0;
}
