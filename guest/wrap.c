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
    if (is_judging(text))
        return PyObject_GenericGetAttr(self, name);
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
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "an attribute of a sample's object cannot be deleted");
        return -1;
    }
    return done(ask(self, SC_OP_SETATTR, Py_BuildValue("(OO)", name, value)));
}

static PyObject *handle_item(PyObject *self, PyObject *key)
{
    return ask(self, SC_OP_GETITEM, Py_BuildValue("(O)", key));
}

static int handle_set_item(PyObject *self, PyObject *key, PyObject *value)
{
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "an item of a sample's object cannot be deleted");
        return -1;
    }
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

static PyObject *handle_str(PyObject *self)
{
    PyObject *r = ask(self, SC_OP_STR, PyTuple_New(0));
    if (r && !PyUnicode_CheckExact(r)) {
        Py_CLEAR(r);
        PyErr_SetString(PyExc_TypeError, "a text that is none");
    }
    return r;
}

static PyObject *handle_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<%U of the sample>", ((handle *)self)->type_name);
}

static PyObject *handle_iter(PyObject *self)
{
    PyObject *r = ask(self, SC_OP_ITER, PyTuple_New(0));
    PyObject *it = r && PyList_CheckExact(r) ? PyObject_GetIter(r) : NULL;
    Py_XDECREF(r);
    if (!it && !PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "elements that are no list");
    return it;
}

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
    Py_XDECREF(((handle *)self)->type_name);
    PyObject_Free(self);
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
    .tp_flags = Py_TPFLAGS_DEFAULT,
};

PyObject *sc_handle_new(int64_t id, sc_str type_name, const sc_handle_ops *ops)
{
    handle *h = PyObject_New(handle, &handle_type);
    if (!h)
        return NULL;
    h->id = id;
    h->ops = ops;
    h->type_name = PyUnicode_DecodeUTF8(type_name.p, (Py_ssize_t)type_name.n, "replace");
    if (!h->type_name)
        Py_CLEAR(h);
    return (PyObject *)h;
}

int64_t sc_handle_id(PyObject *o)
{
    return Py_IS_TYPE(o, &handle_type) ? ((handle *)o)->id : -1;
}

int sc_wrap_ready(void)
{
    return PyType_Ready(&callback_type) || PyType_Ready(&handle_type) ? -1 : 0;
}
