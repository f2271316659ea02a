// SPDX-License-Identifier: MIT
#include "guest/remote.h"

#include "base/mem.h"
#include "guest/link.h"

#include <stdio.h>
#include <string.h>

struct sc_remote {
    sc_codec *codec; // borrowed
    sc_codec_ops codec_ops;
    sc_handle_ops handle_ops;
    sc_link link;
    sc_buf in, out;
    PyObject *functions; // owned list: what the tests passed into the sample
    PyObject *handles;   // owned dict: numbers to addresses of the handles that are alive
    PyObject *types;     // owned dict: of handles, by the names of the objects' classes
    PyObject *classes;   // owned dict: numbers of the sample's exception classes to ours
    PyObject *says;      // owned: the text of such an exception
    PyObject *old;       // borrowed list: containers of the request that is being answered; NULL
    PyObject *raised;    // owned: the last exception of the sample's
    int32_t raised_line;
    bool raised_memory;
    sc_remote_end_state state;
    uint32_t n_calls, flags;
};

/* The first failure stays: what follows it is its consequence. */
static void fail(sc_remote *r, uint32_t outcome, const char *type, const char *message)
{
    if (r->state.outcome)
        return;
    r->state.outcome = outcome;
    (void)snprintf(r->state.type, sizeof r->state.type, "%s", type);          // may be cut
    (void)snprintf(r->state.message, sizeof r->state.message, "%s", message); // may be cut
}

/* Raises for the tests what `fail` remembered. */
static PyObject *raise_failure(const sc_remote *r)
{
    PyErr_Format(PyExc_ConnectionError, "the sample's process: %s", r->state.message);
    return NULL;
}

static PyObject *broken(sc_remote *r, uint32_t outcome, const char *message)
{
    fail(r, outcome, "", message);
    return raise_failure(r);
}

// ---- objects of both sides

/* The number of the sample's class that `o` stands for; -1: it does for none. */
static int64_t class_number(const sc_remote *r, PyObject *o)
{
    Py_ssize_t at = 0;
    PyObject *key = NULL, *cls = NULL;
    while (PyDict_Next(r->classes, &at, &key, &cls))
        if (cls == o)
            return PyLong_AsLongLong(key);
    return -1;
}

static int64_t put_object(void *ctx, PyObject *o)
{
    sc_remote *r = ctx;
    const int64_t handle = sc_handle_id(o), id = handle >= 0 ? handle : class_number(r, o);
    if (id >= 0)
        return id;
    if (!PyCallable_Check(o)) {
        fail(r, SC_OUT_UNSPLIT, Py_TYPE(o)->tp_name, "the tests pass an object of their own");
        PyErr_SetString(PyExc_TypeError, "an object that cannot be sent to the sample");
        return -1;
    }
    const Py_ssize_t n = PyList_GET_SIZE(r->functions);
    return PyList_Append(r->functions, o) ? -1 : (n | SC_CALLBACK_BIT);
}

/* Where the last word of a dotted name begins. */
static size_t after_dot(sc_str name)
{
    size_t at = name.n;
    while (at > 0 && name.p[at - 1] != '.')
        at--;
    return at;
}

/* The standard library's class of that name, if the tests have its module: a new reference; NULL
 * without an exception: there is none. */
static PyObject *library_class(sc_str name)
{
    const size_t at = after_dot(name);
    PyObject *module = at ? PyUnicode_DecodeUTF8(name.p, (Py_ssize_t)at - 1, "replace") : NULL;
    PyObject *m = module ? PyImport_GetModule(module) : NULL;
    PyObject *word =
        m ? PyUnicode_DecodeUTF8(name.p + at, (Py_ssize_t)(name.n - at), "replace") : NULL;
    PyObject *cls = word ? PyObject_GetAttr(m, word) : NULL;
    if (cls && !PyExceptionClass_Check(cls))
        Py_CLEAR(cls);
    PyErr_Clear();
    Py_XDECREF(word);
    Py_XDECREF(m);
    Py_XDECREF(module);
    return cls;
}

/* The class of ours for the sample's class of exceptions: a new reference. */
static PyObject *raised_class(void *ctx, int64_t id, sc_str name, PyObject *base)
{
    sc_remote *r = ctx;
    PyObject *key = PyLong_FromLongLong(id);
    PyObject *cls = key ? PyDict_GetItemWithError(r->classes, key) : NULL;
    Py_XINCREF(cls);
    if (key && !cls && !PyErr_Occurred())
        cls = library_class(name);
    if (cls || !key || PyErr_Occurred()) {
        Py_XDECREF(key);
        return cls;
    }
    const sc_str word = sc_str_skip(name, after_dot(name));
    char full[128];
    (void)snprintf(full, sizeof full, "solution.%.*s", SC_STRF(word)); // may be cut
    PyObject *own = Py_BuildValue("{sO}", "__str__", r->says);
    cls = own ? PyErr_NewException(full, base, own) : NULL;
    Py_XDECREF(own);
    if (cls && PyDict_SetItem(r->classes, key, cls))
        Py_CLEAR(cls);
    Py_XDECREF(key);
    return cls;
}

/* The handle for `id`: the same as long as there is one, so that `is` means what it says. */
static PyObject *get_handle(sc_remote *r, int64_t id, sc_str type_name, bool iterates)
{
    PyObject *key = PyLong_FromLongLong(id);
    PyObject *at = key ? PyDict_GetItemWithError(r->handles, key) : NULL, *h = NULL;
    if (at) {
        h = Py_NewRef((PyObject *)PyLong_AsVoidPtr(at));
    } else if (key && !PyErr_Occurred()) {
        h = sc_handle_new(id, type_name, iterates, r->types, &r->handle_ops);
        at = h ? PyLong_FromVoidPtr(h) : NULL;
        if (!at || PyDict_SetItem(r->handles, key, at))
            Py_CLEAR(h);
        Py_XDECREF(at);
    }
    Py_XDECREF(key);
    return h;
}

static void dropped(void *ctx, int64_t id, PyObject *h)
{
    sc_remote *r = ctx;
    PyObject *type = NULL, *e = NULL, *trace = NULL;
    PyErr_Fetch(&type, &e, &trace);
    PyObject *key = PyLong_FromLongLong(id);
    PyObject *at = key && r->handles ? PyDict_GetItemWithError(r->handles, key) : NULL;
    if (at && PyLong_AsVoidPtr(at) == h) // one of a former sample may have the same number
        (void)PyDict_DelItem(r->handles, key);
    Py_XDECREF(key);
    PyErr_Restore(type, e, trace);
}

static void unsplit(void *ctx)
{
    fail(ctx, SC_OUT_UNSPLIT, "", "the tests need the sample's own objects");
}

static PyObject *get_object(void *ctx, int64_t id, sc_str type_name, bool iterates)
{
    sc_remote *r = ctx;
    if (!(id & SC_CALLBACK_BIT))
        return get_handle(r, id, type_name, iterates);
    const int64_t at = id & ~SC_CALLBACK_BIT;
    if (at < 0 || at >= PyList_GET_SIZE(r->functions)) {
        PyErr_SetString(PyExc_ReferenceError, "no such function");
        return NULL;
    }
    return Py_NewRef(PyList_GET_ITEM(r->functions, at));
}

/* `note`: gets the containers of the value; NULL. */
static bool add_value(sc_remote *r, PyObject *o, PyObject *note)
{
    const sc_codec_kin kin = {.note = note};
    const sc_codec_code code = sc_codec_encode_kin(r->codec, &r->codec_ops, kin, o, &r->out);
    if (code == SC_CODEC_TOO_BIG) {
        fail(r, SC_OUT_UNSPLIT, "", "an argument of the tests is too large, or endless");
        PyErr_SetString(PyExc_ValueError, "an argument is too large");
    }
    return code == SC_CODEC_OK;
}

static PyObject *read_value(sc_remote *r, sc_cur *in)
{
    PyObject *o = NULL;
    const sc_codec_kin kin = {.old = r->old};
    const sc_codec_code code = sc_codec_decode_kin(r->codec, &r->codec_ops, kin, in, &o);
    if (code == SC_CODEC_OK)
        return o;
    PyErr_Clear(); // an unhashable member, an impossible date: no honest sample sends it
    return broken(r, SC_OUT_PROTOCOL, "it sent a value that cannot be read");
}

// ---- exceptions of the sample, made again here

static PyObject *make_exception(PyObject *cls, PyObject *args, PyObject *text)
{
    PyObject *e = NULL;
    if (PyTuple_CheckExact(args))
        e = PyObject_Call(cls, args, NULL);
    if (!e || !PyExceptionInstance_Check(e)) {
        PyErr_Clear();
        Py_XDECREF(e);
        e = PyObject_CallFunctionObjArgs(cls, text, NULL);
    }
    if (!e) {
        // A class that wants more than a text (UnicodeEncodeError): one of its name that does not.
        PyErr_Clear();
        char full[128];
        (void)snprintf(full, sizeof full, "solution.%.100s",
                       ((PyTypeObject *)cls)->tp_name); // may be cut
        PyObject *like = PyErr_NewException(full, PyExc_Exception, NULL);
        e = like ? PyObject_CallFunctionObjArgs(like, text, NULL) : NULL;
        Py_XDECREF(like);
    }
    return e;
}

/* Gives an exception of a class of the sample's its attributes and its text. */
static void dress(PyObject *e, PyObject *own, PyObject *text, PyObject *itself)
{
    Py_ssize_t at = 0;
    PyObject *key = NULL, *value = NULL;
    while (PyDict_CheckExact(own) && PyDict_Next(own, &at, &key, &value))
        if (PyUnicode_CheckExact(key))
            (void)PyObject_SetAttr(e, key, value); // one that the base keeps for itself
    PyErr_Clear();
    (void)PyObject_SetAttrString(e, "_says", itself == Py_None ? text : itself); // as above
    PyErr_Clear();
}

/* Raises here what the sample raised there; always NULL. */
static PyObject *raise_remote(sc_remote *r)
{
    sc_cur in = sc_cur_init(r->in.p, r->in.n);
    const uint8_t flags = sc_cur_u8(&in);
    const int32_t line = (int32_t)sc_cur_u32(&in);
    PyObject *all = read_value(r, &in);
    if (!all)
        return NULL;
    PyObject *cls = NULL, *args = NULL, *text = NULL, *own = NULL, *itself = NULL, *rest = NULL;
    if (!PyTuple_CheckExact(all) ||
        !PyArg_ParseTuple(all, "OOUOO|O", &cls, &args, &text, &own, &itself, &rest) ||
        !PyExceptionClass_Check(cls)) {
        PyErr_Clear();
        Py_DECREF(all);
        return broken(r, SC_OUT_PROTOCOL, "it sent an exception that cannot be read");
    }
    PyObject *e = make_exception(cls, args, text);
    if (e && class_number(r, cls) >= 0)
        dress(e, own, text, itself);
    if (e) {
        Py_XSETREF(r->raised, Py_NewRef(e));
        r->raised_line = line;
        r->raised_memory = (flags & SC_X_MEMORY) != 0;
        PyErr_SetObject((PyObject *)Py_TYPE(e), e);
        Py_DECREF(e);
    }
    Py_DECREF(all);
    return NULL;
}

// ---- requests

/* The class that an exception of the tests has in the sample: borrowed. */
static PyObject *nearest_class(const sc_remote *r, PyObject *e)
{
    PyTypeObject *t = Py_TYPE(e);
    while (class_number(r, (PyObject *)t) < 0 && t->tp_flags & Py_TPFLAGS_HEAPTYPE && t->tp_base)
        t = t->tp_base;
    return (PyObject *)t;
}

/* The sample calls a function of the tests. */
static bool serve_callback(sc_remote *r)
{
    sc_cur in = sc_cur_init(r->in.p, r->in.n);
    PyObject *const old = r->old;
    r->old = NULL; // a request of its own
    PyObject *f = get_object(r, (int64_t)sc_cur_u64(&in) | SC_CALLBACK_BIT, (sc_str){"", 0}, false);
    PyObject *both = f ? read_value(r, &in) : NULL, *result = NULL;
    if (both && PyTuple_CheckExact(both) && PyTuple_GET_SIZE(both) == 2 &&
        PyTuple_CheckExact(PyTuple_GET_ITEM(both, 0))) {
        PyObject *kwargs = PyTuple_GET_ITEM(both, 1);
        result =
            PyObject_Call(f, PyTuple_GET_ITEM(both, 0), PyDict_CheckExact(kwargs) ? kwargs : NULL);
    }
    r->old = old;
    Py_XDECREF(f);
    Py_XDECREF(both);
    if (r->state.outcome) {
        Py_XDECREF(result);
        PyErr_Clear();
        return false;
    }
    char kind = SC_LINK_ANSWER;
    if (!result) {
        PyObject *type = NULL, *e = NULL, *trace = NULL;
        PyErr_Fetch(&type, &e, &trace);
        PyErr_NormalizeException(&type, &e, &trace);
        result = Py_BuildValue("(OO)", nearest_class(r, e), ((PyBaseExceptionObject *)e)->args);
        kind = SC_LINK_RAISE;
        Py_XDECREF(type);
        Py_XDECREF(e);
        Py_XDECREF(trace);
    }
    sc_buf_clear(&r->out);
    const bool good = result && add_value(r, result, NULL);
    Py_XDECREF(result);
    PyErr_Clear();
    return good && sc_link_send(&r->link, kind, sc_buf_str(&r->out));
}

/* Sends what is in r->out and waits for the answer: a new reference to the tuple, or NULL. */
static PyObject *request(sc_remote *r, char kind)
{
    if (r->state.outcome)
        return raise_failure(r);
    if (!sc_link_send(&r->link, kind, sc_buf_str(&r->out)))
        return broken(r, SC_OUT_GONE, "ended early");
    for (;;) {
        char got = 0;
        if (!sc_link_recv(&r->link, &got, &r->in))
            return broken(r, SC_OUT_GONE, "ended early");
        sc_cur in = sc_cur_init(r->in.p, r->in.n);
        if (got == SC_LINK_VALUE) {
            PyObject *all = read_value(r, &in);
            if (all && (!PyTuple_CheckExact(all) || PyTuple_GET_SIZE(all) < 1)) {
                Py_DECREF(all);
                return broken(r, SC_OUT_PROTOCOL, "it sent an answer that is none");
            }
            return all;
        }
        if (got == SC_LINK_EXCEPTION)
            return raise_remote(r);
        if (got == SC_LINK_TOO_BIG)
            return broken(r, SC_OUT_TOO_BIG, "its result is too large to be looked at");
        if (got != SC_LINK_CALLBACK)
            return broken(r, SC_OUT_PROTOCOL, "it sent something that is no answer");
        if (!serve_callback(r))
            return broken(r, SC_OUT_GONE, "ended early");
    }
}

static PyObject *first_of(PyObject *all)
{
    PyObject *o = all ? Py_NewRef(PyTuple_GET_ITEM(all, 0)) : NULL;
    Py_XDECREF(all);
    return o;
}

static PyObject *call_handle(void *ctx, int64_t id, PyObject *args, PyObject *kwargs)
{
    sc_remote *r = ctx;
    r->n_calls++;
    sc_buf_clear(&r->out);
    sc_buf_add(&r->out, &id, sizeof id);
    PyObject *both = Py_BuildValue("(OO)", args, kwargs ? kwargs : Py_None);
    PyObject *const before = r->old, *note = PyList_New(0);
    const bool good = both && note && add_value(r, both, note);
    Py_XDECREF(both);
    r->old = note;
    PyObject *all = good ? request(r, SC_LINK_CALL) : NULL;
    r->old = before;
    Py_XDECREF(note);
    return first_of(all);
}

static PyObject *op_handle(void *ctx, sc_op op, int64_t id, PyObject *args)
{
    sc_remote *r = ctx;
    const uint8_t byte = (uint8_t)op;
    sc_buf_clear(&r->out);
    sc_buf_add(&r->out, &byte, 1);
    sc_buf_add(&r->out, &id, sizeof id);
    const bool good = add_value(r, args, NULL);
    Py_DECREF(args);
    PyObject *const before = r->old;
    r->old = NULL;
    PyObject *o = good ? first_of(request(r, SC_LINK_OP)) : NULL;
    r->old = before;
    return o;
}

static void compared(void *ctx)
{
    sc_remote *r = ctx;
    r->flags |= SC_FLAG_HANDLE_EQ;
}

PyObject *sc_remote_name(sc_remote *r, PyObject *name)
{
    sc_buf_clear(&r->out);
    return add_value(r, name, NULL) ? first_of(request(r, SC_LINK_NAME)) : NULL;
}

// ---- life

sc_remote *sc_remote_new(sc_codec *codec, PyObject *says)
{
    sc_remote *r = sc_new(sc_remote);
    if (!r)
        return NULL;
    r->codec = codec;
    r->says = Py_NewRef(says);
    r->codec_ops = (sc_codec_ops){put_object, get_object, raised_class, r, false};
    r->handle_ops = (sc_handle_ops){call_handle, op_handle, compared, dropped, unsplit, r};
    r->in = sc_buf_init(SC_WIRE_FRAME_MAX);
    r->out = sc_buf_init(SC_WIRE_FRAME_MAX);
    return r;
}

void sc_remote_begin(sc_remote *r, int fd)
{
    sc_link_init(&r->link, fd);
    r->state = (sc_remote_end_state){0};
    r->n_calls = r->flags = 0;
    r->functions = PyList_New(0);
    r->handles = PyDict_New();
    r->types = PyDict_New();
    r->classes = PyDict_New();
    r->old = NULL;
    if (!r->functions || !r->handles || !r->types || !r->classes)
        fail(r, SC_OUT_PROTOCOL, "", "out of memory");
    PyErr_Clear();
}

/* Handles that tests still hold end with the tests; what they were given ahead ends now. */
static void forget_handles(sc_remote *r)
{
    PyObject *at = r->handles ? PyDict_Values(r->handles) : NULL, *all = at ? PyList_New(0) : NULL;
    for (Py_ssize_t i = 0; all && i < PyList_GET_SIZE(at); i++)
        (void)PyList_Append(all, (PyObject *)PyLong_AsVoidPtr(PyList_GET_ITEM(at, i)));
    for (Py_ssize_t i = 0; all && i < PyList_GET_SIZE(all); i++)
        sc_handle_forget(PyList_GET_ITEM(all, i));
    Py_XDECREF(all);
    Py_XDECREF(at);
    PyErr_Clear();
}

void sc_remote_end(sc_remote *r)
{
    Py_CLEAR(r->functions);
    Py_CLEAR(r->raised);
    Py_CLEAR(r->classes);
    forget_handles(r);
    Py_CLEAR(r->handles);
    Py_CLEAR(r->types);
    // One large value must not stay with us for all samples to come.
    if (r->in.cap > (1 << 20))
        sc_buf_drop(&r->in);
    if (r->out.cap > (1 << 20))
        sc_buf_drop(&r->out);
}

/* The pending exception of the sample's as the final state. */
static void fail_with_exception(sc_remote *r, bool syntax)
{
    if (!r->raised) {
        PyErr_Clear();
        return; // a broken link: the state says so
    }
    PyErr_Clear();
    sc_remote_hush(r->raised);
    PyObject *text = PyObject_Str(r->raised);
    const char *s = text ? PyUnicode_AsUTF8(text) : NULL;
    const char *type = strrchr(Py_TYPE(r->raised)->tp_name, '.');
    fail(r,
         r->raised_memory ? SC_OUT_OOM
         : syntax         ? SC_OUT_SYNTAX
                          : SC_OUT_ERROR,
         type ? type + 1 : Py_TYPE(r->raised)->tp_name, s ? s : "");
    r->state.line = r->raised_line;
    PyErr_Clear();
    Py_XDECREF(text);
}

/* A frame that ends the load phase or the run; false: the state says why there is none. */
static bool next_frame(sc_remote *r, char want)
{
    char kind = 0;
    if (!sc_link_recv(&r->link, &kind, &r->in)) {
        fail(r, SC_OUT_GONE, "", "ended early");
        return false;
    }
    if (kind == want) {
        if (want == SC_LINK_READY)
            r->flags |= SC_FLAG_BEGUN;
        return true;
    }
    if (kind == SC_LINK_EXCEPTION && want != SC_LINK_READY) {
        const bool syntax = r->in.n > 0 && (r->in.p[0] & SC_X_SYNTAX);
        (void)raise_remote(r); // always NULL
        fail_with_exception(r, syntax);
    } else if (kind == SC_LINK_TOO_BIG) {
        fail(r, SC_OUT_TOO_BIG, "", "a value too large to be looked at");
    } else if (kind == SC_LINK_JAIL && want == SC_LINK_READY) {
        fail(r, SC_OUT_JAIL, "", sc_buf_text(&r->in));
    } else {
        fail(r, SC_OUT_PROTOCOL, "", "it sent something that is no answer");
    }
    return false;
}

bool sc_remote_load(sc_remote *r, PyObject **entry)
{
    *entry = NULL;
    if (!next_frame(r, SC_LINK_READY) || !next_frame(r, SC_LINK_LOADED))
        return false;
    sc_cur in = sc_cur_init(r->in.p, r->in.n);
    PyObject *all = read_value(r, &in);
    if (!all || !PyTuple_CheckExact(all)) {
        Py_XDECREF(all);
        PyErr_Clear();
        fail(r, SC_OUT_PROTOCOL, "", "it sent something that is no answer");
        return false;
    }
    if (PyTuple_GET_SIZE(all) == 1)
        *entry = Py_NewRef(PyTuple_GET_ITEM(all, 0));
    Py_DECREF(all);
    return true;
}

void sc_remote_wait_done(sc_remote *r, const uint64_t nonce[2])
{
    if (!next_frame(r, SC_LINK_READY) || !next_frame(r, SC_LINK_DONE))
        return;
    sc_cur in = sc_cur_init(r->in.p, r->in.n);
    const uint64_t a = sc_cur_u64(&in), b = sc_cur_u64(&in);
    const uint8_t outcome = sc_cur_u8(&in);
    const int32_t line = (int32_t)sc_cur_u32(&in);
    PyObject *all = read_value(r, &in);
    const char *type = NULL, *text = NULL;
    const bool good = all && PyTuple_CheckExact(all) && PyArg_ParseTuple(all, "ss", &type, &text) &&
                      a == nonce[0] && b == nonce[1] && outcome >= SC_OUT_PASSED &&
                      outcome <= SC_OUT_TOO_BIG && outcome != SC_OUT_JAIL;
    PyErr_Clear();
    if (good)
        fail(r, outcome, type, text);
    else
        fail(r, SC_OUT_PROTOCOL, "", "it claimed an end that it did not reach");
    r->state.line = line;
    Py_XDECREF(all);
}

const sc_remote_end_state *sc_remote_state(const sc_remote *r)
{
    return &r->state;
}

bool sc_remote_raised(const sc_remote *r, PyObject *e, int32_t *line, bool *memory)
{
    if (!e || e != r->raised)
        return false;
    *line = r->raised_line;
    *memory = r->raised_memory;
    return true;
}

void sc_remote_hush(PyObject *e)
{
    PyObject *says = PyObject_GetAttrString(e, "_says"), *none = PyUnicode_FromString("");
    if (says && none && sc_handle_id(says) >= 0)
        (void)PyObject_SetAttrString(e, "_says", none); // it has such an attribute
    PyErr_Clear();
    Py_XDECREF(none);
    Py_XDECREF(says);
}

uint32_t sc_remote_calls(const sc_remote *r)
{
    return r->n_calls;
}

uint32_t sc_remote_flags(const sc_remote *r)
{
    return r->flags;
}
