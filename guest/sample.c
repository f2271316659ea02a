// SPDX-License-Identifier: MIT
#include "guest/sample.h"

#include "base/mem.h"
#include "guest/codec.h"
#include "guest/link.h"
#include "guest/wrap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_HANDLES = 1 << 20, MAX_MESSAGE = 4096 };

typedef struct server {
    const sc_sample *s;
    const sc_py *py;
    sc_link link;
    sc_codec *codec;
    sc_codec_ops ops;
    sc_buf in, out;
    PyObject *handles; // list
    PyObject *numbers; // dict: addresses of handles to their numbers
    PyObject *pending; // dict: numbers of iterators to what they raised behind elements
    PyObject *note;    // borrowed list: containers of the call that is being served; NULL
    PyObject *call;    // borrowed tuple: its arguments, where they may have been changed; NULL
    PyObject *module;
    PyObject *globals; // borrowed from module
    char path[128];    // of the solution's file
} server;

_Noreturn void sc_sample_refuse(int link, const sc_err *err)
{
    static sc_link l; // large for a stack that may be small
    sc_link_init(&l, link);
    (void)sc_link_send(&l, SC_LINK_JAIL, sc_str_c(err->msg)); // else the checker sees the end
    _exit(70);
}

static int64_t put_handle(void *ctx, PyObject *o)
{
    server *v = ctx;
    const int64_t back = sc_callback_id(o);
    if (back >= 0)
        return back;
    const Py_ssize_t n = PyList_GET_SIZE(v->handles);
    PyObject *key = PyLong_FromVoidPtr(o);
    PyObject *known = key ? PyDict_GetItemWithError(v->numbers, key) : NULL;
    int64_t id = known ? PyLong_AsLongLong(known) : -1;
    if (key && !known && n >= MAX_HANDLES)
        PyErr_SetString(PyExc_MemoryError, "too many objects");
    if (key && !known && !PyErr_Occurred()) {
        PyObject *number = PyLong_FromSsize_t(n);
        if (number && PyDict_SetItem(v->numbers, key, number) == 0 &&
            PyList_Append(v->handles, o) == 0)
            id = n;
        Py_XDECREF(number);
    }
    Py_XDECREF(key);
    return id;
}

static PyObject *ask_back(void *ctx, int64_t id, PyObject *args, PyObject *kwargs);

static PyObject *get_handle(void *ctx, int64_t id, sc_str type_name, bool iterates)
{
    server *v = ctx;
    (void)type_name; // only the checker shows it
    (void)iterates;
    if (id & SC_CALLBACK_BIT)
        return sc_callback_new(id, ask_back, v);
    if (id < 0 || id >= PyList_GET_SIZE(v->handles)) {
        PyErr_SetString(PyExc_ReferenceError, "no such object");
        return NULL;
    }
    PyObject *o = PyList_GET_ITEM(v->handles, id);
    Py_INCREF(o);
    return o;
}

// ---- exceptions

/* The line of the solution that the innermost of its frames was in; 0: none. */
static int line_of(const server *v, PyObject *trace)
{
    int line = 0;
    for (PyObject *t = trace; t && PyTraceBack_Check(t);
         t = (PyObject *)((PyTracebackObject *)t)->tb_next) {
        PyCodeObject *code = PyFrame_GetCode(((PyTracebackObject *)t)->tb_frame);
        const char *name = PyUnicode_AsUTF8(code->co_filename);
        if (name && !strcmp(name, v->path))
            line = ((PyTracebackObject *)t)->tb_lineno;
        Py_DECREF(code);
        PyErr_Clear();
    }
    return line;
}

/* Whether its class, or one between it and the interpreter's own, says what its text is. */
static bool has_own_text(PyObject *e)
{
    PyTypeObject *base = Py_TYPE(e);
    while (base->tp_flags & Py_TPFLAGS_HEAPTYPE && base->tp_base)
        base = base->tp_base;
    return Py_TYPE(e)->tp_str != base->tp_str;
}

static PyObject *message_of(PyObject *e)
{
    // A __str__ of the sample's own is called when the tests ask for it: it could do anything.
    PyObject *text = has_own_text(e) ? NULL : PyObject_Str(e);
    PyErr_Clear();
    if (text && PyUnicode_GET_LENGTH(text) > MAX_MESSAGE) {
        PyObject *cut = PyUnicode_Substring(text, 0, MAX_MESSAGE);
        Py_DECREF(text);
        text = cut;
    }
    if (!text) {
        PyErr_Clear();
        text = PyUnicode_FromString("");
    }
    return text;
}

/* What its class is called with to make it again: a new reference. */
static PyObject *arguments_of(PyObject *e)
{
    PyObject *args = NULL;
    // The interpreter's own: it keeps the name of a file beside the arguments.
    if (!(Py_TYPE(e)->tp_flags & Py_TPFLAGS_HEAPTYPE) &&
        PyObject_TypeCheck(e, (PyTypeObject *)PyExc_OSError)) {
        PyObject *made = PyObject_CallMethod(e, "__reduce__", NULL);
        if (made && PyTuple_CheckExact(made) && PyTuple_GET_SIZE(made) >= 2)
            args = Py_NewRef(PyTuple_GET_ITEM(made, 1));
        Py_XDECREF(made);
        PyErr_Clear();
    }
    return args ? args : Py_NewRef(((PyBaseExceptionObject *)e)->args);
}

/* Appends `all` (taken; NULL: out of memory); false: nothing was appended. */
static bool add_parts(server *v, PyObject *all)
{
    const size_t start = v->out.n;
    const sc_codec_kin kin = {.old = v->note};
    const bool good =
        all && sc_codec_encode_kin(v->codec, &v->ops, kin, all, &v->out) == SC_CODEC_OK;
    Py_XDECREF(all);
    PyErr_Clear();
    if (!good) {
        v->out.n = start;
        v->out.bad = false;
    }
    return good;
}

static void add_exception(server *v, PyObject *e)
{
    PyObject *cls = (PyObject *)Py_TYPE(e), *text = message_of(e);
    if (!text)
        _exit(71);
    // Nobody reads the rest while a program runs, and it may be large.
    bool good = false;
    if (v->s->mode != SC_MODE_STDIO) {
        PyObject *args = arguments_of(e), *own = ((PyBaseExceptionObject *)e)->dict;
        own = own ? own : Py_None;
        good =
            add_parts(v, Py_BuildValue("(OOOOOO)", cls, args, text, own,
                                       has_own_text(e) ? e : Py_None, v->call ? v->call : Py_None));
        Py_DECREF(args);
    }
    if (!good && !add_parts(v, Py_BuildValue("(OOOOO)", cls, Py_None, text, Py_None, Py_None)))
        _exit(71);
    Py_DECREF(text);
}
/* Sends the pending exception. */
static void send_exception(server *v, bool compiling)
{
    PyObject *type = NULL, *e = NULL, *trace = NULL;
    PyErr_Fetch(&type, &e, &trace);
    PyErr_NormalizeException(&type, &e, &trace);
    if (!e)
        _exit(71);
    uint8_t flags = 0;
    int32_t line = line_of(v, trace);
    const bool memory = PyErr_GivenExceptionMatches(e, PyExc_MemoryError);
    if (memory)
        flags |= SC_X_MEMORY;
    if (compiling && !memory)
        flags |= SC_X_SYNTAX;
    if (PyObject_TypeCheck(e, (PyTypeObject *)PyExc_SyntaxError) && compiling) {
        PyObject *at = ((PySyntaxErrorObject *)e)->lineno;
        line = at && PyLong_CheckExact(at) ? (int32_t)PyLong_AsLong(at) : 0;
        PyErr_Clear();
    }
    // The frames hold what the program allocated.
    Py_XDECREF(trace);
    PyException_SetTraceback(e, Py_None);
    sc_buf_clear(&v->out);
    sc_buf_add(&v->out, &flags, 1);
    sc_buf_add(&v->out, &line, sizeof line);
    add_exception(v, e);
    sc_py_flush(v->py);
    if (!sc_link_send(&v->link, SC_LINK_EXCEPTION, sc_buf_str(&v->out)))
        _exit(0);
    Py_XDECREF(type);
    Py_XDECREF(e);
}

/* Sends `o` (taken; NULL: the pending exception) as an answer of kind `kind`. */
static void send_value(server *v, char kind, PyObject *o)
{
    if (!o) {
        send_exception(v, false);
        return;
    }
    sc_buf_clear(&v->out);
    const sc_codec_kin kin = {.old = v->note};
    const sc_codec_code code = sc_codec_encode_kin(v->codec, &v->ops, kin, o, &v->out);
    Py_DECREF(o);
    if (code == SC_CODEC_PYTHON) {
        send_exception(v, false);
        return;
    }
    sc_py_flush(v->py);
    if (code != SC_CODEC_OK) {
        PyErr_Clear();
        if (!sc_link_send(&v->link, SC_LINK_TOO_BIG, (sc_str){"", 0}))
            _exit(0);
        return;
    }
    if (!sc_link_send(&v->link, kind, sc_buf_str(&v->out)))
        _exit(0);
}

// ---- requests

static char receive(server *v)
{
    char kind = 0;
    bool good = false;
    Py_BEGIN_ALLOW_THREADS good = sc_link_recv(&v->link, &kind, &v->in);
    Py_END_ALLOW_THREADS if (!good) _exit(0); // the checker is done with us
    return kind;
}

/* `note`: gets the containers of the value; NULL. */
static PyObject *take_value(server *v, sc_cur *in, PyObject *note)
{
    PyObject *o = NULL;
    const sc_codec_kin kin = {.note = note};
    if (sc_codec_decode_kin(v->codec, &v->ops, kin, in, &o) == SC_CODEC_OK)
        return o;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "a request that cannot be read");
    return NULL;
}

static PyObject *take_object(server *v, sc_cur *in)
{
    const int64_t id = (int64_t)sc_cur_u64(in);
    return get_handle(v, id, (sc_str){"", 0}, false);
}

/* Whether any argument could have been changed in place. */
static bool may_change(PyObject *args)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        PyObject *a = PyTuple_GET_ITEM(args, i);
        if (!(PyLong_Check(a) || PyFloat_Check(a) || PyUnicode_Check(a) || PyBytes_Check(a) ||
              a == Py_None))
            return true;
    }
    return false;
}

static void serve_call(server *v)
{
    sc_cur in = sc_cur_init(v->in.p, v->in.n);
    PyObject *const note = v->note, *const call = v->call; // of the call around this one
    v->note = PyList_New(0);
    v->call = NULL;
    PyObject *f = take_object(v, &in);
    PyObject *both = f && v->note ? take_value(v, &in, v->note) : NULL, *result = NULL;
    if (both) {
        PyObject *args = PyTuple_GET_ITEM(both, 0), *kwargs = PyTuple_GET_ITEM(both, 1);
        v->call = kwargs != Py_None || may_change(args) ? both : NULL;
        PyObject *r = PyObject_Call(f, args, kwargs == Py_None ? NULL : kwargs);
        if (r)
            result = v->call ? Py_BuildValue("(NO)", r, both) : Py_BuildValue("(N)", r);
    }
    Py_XDECREF(f);
    send_value(v, SC_LINK_VALUE, result);
    Py_XDECREF(both);
    Py_XDECREF(v->note);
    v->note = note;
    v->call = call;
}

static void serve_name(server *v)
{
    sc_cur in = sc_cur_init(v->in.p, v->in.n);
    PyObject *name = take_value(v, &in, NULL), *result = NULL;
    if (name) {
        PyObject *o = PyDict_GetItemWithError(v->globals, name);
        if (o)
            result = Py_BuildValue("(O)", o);
        else if (!PyErr_Occurred())
            PyErr_Format(PyExc_NameError, "name '%U' is not defined", name);
        Py_DECREF(name);
    }
    send_value(v, SC_LINK_VALUE, result);
}

/* What a function of the interpreter gave: yes, no, or an exception that is set. */
static PyObject *truth(int yes)
{
    return yes < 0 ? NULL : PyBool_FromLong(yes);
}

/* The next elements of an iterator, and whether that was the end; what it raises behind some of
 * them is raised when they were asked for. */
static PyObject *take_elements(server *v, int64_t id, PyObject *it, PyObject *args)
{
    const Py_ssize_t wanted = PyLong_AsSsize_t(PyTuple_GET_ITEM(args, 0));
    PyObject *key = PyLong_FromLongLong(id), *list = key ? PyList_New(0) : NULL;
    PyObject *e = list ? PyDict_GetItemWithError(v->pending, key) : NULL;
    if (e) {
        PyErr_SetObject((PyObject *)Py_TYPE(e), e);
        (void)PyDict_DelItem(v->pending, key);
    }
    bool end = false;
    while (list && !PyErr_Occurred() && !end && PyList_GET_SIZE(list) < wanted) {
        PyObject *item = PyIter_Check(it) ? PyIter_Next(it) : NULL;
        end = !item;
        if (item && PyList_Append(list, item))
            end = true;
        Py_XDECREF(item);
    }
    if (list && PyErr_Occurred() && PyList_GET_SIZE(list) > 0) {
        PyObject *type = NULL, *trace = NULL;
        PyErr_Fetch(&type, &e, &trace);
        PyErr_NormalizeException(&type, &e, &trace);
        end = false;
        (void)PyDict_SetItem(v->pending, key, e); // no memory: that is raised
        Py_XDECREF(type);
        Py_XDECREF(e);
        Py_XDECREF(trace);
    }
    Py_XDECREF(key);
    if (!list || PyErr_Occurred()) {
        Py_XDECREF(list);
        return NULL;
    }
    return Py_BuildValue("(NO)", list, end ? Py_True : Py_False);
}

static PyObject *operate(uint8_t op, PyObject *o, PyObject *args)
{
    const Py_ssize_t n = PyTuple_GET_SIZE(args);
    PyObject *a = n > 0 ? PyTuple_GET_ITEM(args, 0) : NULL;
    PyObject *b = n > 1 ? PyTuple_GET_ITEM(args, 1) : NULL;
    switch (op) {
    case SC_OP_GETATTR:
        return PyObject_GetAttr(o, a);
    case SC_OP_SETATTR:
        return PyObject_SetAttr(o, a, b) ? NULL : Py_NewRef(Py_None);
    case SC_OP_GETITEM:
        return PyObject_GetItem(o, a);
    case SC_OP_SETITEM:
        return PyObject_SetItem(o, a, b) ? NULL : Py_NewRef(Py_None);
    case SC_OP_LEN: {
        const Py_ssize_t len = PyObject_Size(o);
        return len < 0 ? NULL : PyLong_FromSsize_t(len);
    }
    case SC_OP_BOOL:
        return truth(PyObject_IsTrue(o));
    case SC_OP_STR:
        return PyObject_Str(o);
    case SC_OP_REPR:
        return PyObject_Repr(o);
    case SC_OP_ITER:
        return PyObject_GetIter(o);
    case SC_OP_DELATTR:
        return PyObject_DelAttr(o, a) ? NULL : Py_NewRef(Py_None);
    case SC_OP_DELITEM:
        return PyObject_DelItem(o, a) ? NULL : Py_NewRef(Py_None);
    case SC_OP_INT:
        return PyNumber_Long(o);
    case SC_OP_INDEX:
        return PyNumber_Index(o);
    case SC_OP_FLOAT:
        return PyNumber_Float(o);
    case SC_OP_ISINSTANCE:
        return truth(PyObject_IsInstance(a, o));
    case SC_OP_ISSUBCLASS:
        return truth(PyObject_IsSubclass(a, o));
    default:
        PyErr_SetString(PyExc_TypeError, "an operation that no object of a sample answers");
        return NULL;
    }
}

static void serve_op(server *v)
{
    sc_cur in = sc_cur_init(v->in.p, v->in.n);
    const uint8_t op = sc_cur_u8(&in);
    const int64_t id = (int64_t)sc_cur_u64(&in);
    PyObject *o = get_handle(v, id, (sc_str){"", 0}, false);
    PyObject *args = o ? take_value(v, &in, NULL) : NULL, *result = NULL;
    if (args) {
        PyObject *r = op == SC_OP_NEXT ? take_elements(v, id, o, args) : operate(op, o, args);
        if (r)
            result = Py_BuildValue("(N)", r);
    }
    Py_XDECREF(o);
    Py_XDECREF(args);
    send_value(v, SC_LINK_VALUE, result);
}

/* One request; false when the kind is none of ours. */
static void serve(server *v, char kind)
{
    if (kind == SC_LINK_CALL)
        serve_call(v);
    else if (kind == SC_LINK_NAME)
        serve_name(v);
    else if (kind == SC_LINK_OP)
        serve_op(v);
    else
        _exit(72);
}

/* A function of the tests is called from the sample: the checker runs it; it may call us meanwhile.
 */
static PyObject *ask_back(void *ctx, int64_t id, PyObject *args, PyObject *kwargs)
{
    server *v = ctx;
    sc_buf_clear(&v->out);
    sc_buf_add(&v->out, &id, sizeof id);
    PyObject *both = Py_BuildValue("(OO)", args, kwargs ? kwargs : Py_None);
    const sc_codec_code code =
        both ? sc_codec_encode(v->codec, &v->ops, both, &v->out) : SC_CODEC_PYTHON;
    Py_XDECREF(both);
    if (code != SC_CODEC_OK) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "arguments too large");
        return NULL;
    }
    if (!sc_link_send(&v->link, SC_LINK_CALLBACK, sc_buf_str(&v->out)))
        _exit(0);
    for (;;) {
        const char kind = receive(v);
        sc_cur in = sc_cur_init(v->in.p, v->in.n);
        if (kind == SC_LINK_ANSWER)
            return take_value(v, &in, NULL);
        if (kind == SC_LINK_RAISE) {
            PyObject *e = take_value(v, &in, NULL), *cls = NULL, *with = NULL;
            if (e && PyArg_ParseTuple(e, "OO", &cls, &with))
                PyErr_SetObject(PyExceptionClass_Check(cls) ? cls : PyExc_Exception, with);
            Py_XDECREF(e);
            return NULL;
        }
        serve(v, kind);
    }
}

// ---- the program

static void write_source(const server *v)
{
    // For inspect.getsource and tracebacks; a program that has no room for it still runs.
    const int fd = open(v->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    const ssize_t n = write(fd, v->s->source.p, v->s->source.n);
    (void)n;         // as above
    (void)close(fd); // as above
}

static void make_module(server *v, const char *name)
{
    PyObject *modules = PyImport_GetModuleDict();
    v->module = PyModule_New(name);
    v->globals = v->module ? PyModule_GetDict(v->module) : NULL;
    PyObject *file = PyUnicode_FromString(v->path);
    if (!v->globals || !file || PyDict_SetItemString(modules, name, v->module) ||
        PyDict_SetItemString(v->globals, "__builtins__", PyEval_GetBuiltins()) ||
        PyDict_SetItemString(v->globals, "__file__", file))
        _exit(71);
    Py_DECREF(file);
}

static void start(server *v, const sc_sample *s)
{
    v->s = s;
    write_source(v);
    make_module(v, s->mode == SC_MODE_SCRIPT || s->mode == SC_MODE_STDIO ? "__main__" : "solution");
    if (!sc_link_send(&v->link, SC_LINK_READY, (sc_str){"", 0}))
        _exit(0);
}

/* The program's code; with `names` its globals have what it uses of the usual modules. */
static PyObject *compile_source(server *v)
{
    PyObject *code = sc_py_compile(v->s->source, v->path);
    if (!code || !v->s->names)
        return code;
    PyObject *r = PyObject_CallMethod(v->py->glue, "give_names", "OO", code, v->globals);
    if (!r)
        _exit(71);
    Py_DECREF(r);
    return code;
}

/* Compiles and runs the program; false after its exception was sent. */
static bool load(server *v)
{
    PyObject *code = compile_source(v);
    if (!code) {
        send_exception(v, true);
        return false;
    }
    PyObject *ran = PyEval_EvalCode(code, v->globals, v->globals);
    Py_DECREF(code);
    if (!ran) {
        send_exception(v, false);
        return false;
    }
    Py_DECREF(ran);
    return true;
}

static _Noreturn void serve_for_ever(server *v)
{
    PyObject *name = PyUnicode_DecodeUTF8(v->s->entry.p, (Py_ssize_t)v->s->entry.n, "replace");
    PyObject *o = name && v->s->entry.n ? PyDict_GetItem(v->globals, name) : NULL;
    // Present or not is a fact of its own: None could be the value.
    send_value(v, SC_LINK_LOADED, o ? Py_BuildValue("(O)", o) : PyTuple_New(0));
    for (;;) {
        const char kind = receive(v);
        serve(v, kind);
    }
}

static _Noreturn void send_done(server *v, uint8_t outcome, int32_t line, PyObject *what)
{
    sc_py_flush(v->py);
    sc_buf_clear(&v->out);
    sc_buf_add(&v->out, v->s->nonce, sizeof v->s->nonce);
    sc_buf_add(&v->out, &outcome, 1);
    sc_buf_add(&v->out, &line, sizeof line);
    if (!what || sc_codec_encode(v->codec, &v->ops, what, &v->out) != SC_CODEC_OK)
        _exit(71);
    (void)sc_link_send(&v->link, SC_LINK_DONE, sc_buf_str(&v->out)); // then the end either way
    if (v->s->mode == SC_MODE_STDIO)
        _exit(0); // the end of what it prints is that of its processes
    for (;;)
        (void)receive(v); // until we are killed
}

/* Waits for the threads that a script left running, as the interpreter's end would. */
static void join_threads(void)
{
    PyObject *name = PyUnicode_FromString("threading");
    PyObject *m = name ? PyImport_GetModule(name) : NULL;
    PyObject *r = m ? PyObject_CallMethod(m, "_shutdown", NULL) : NULL;
    PyErr_Clear();
    Py_XDECREF(r);
    Py_XDECREF(m);
    Py_XDECREF(name);
}

static _Noreturn void run_script(server *v)
{
    PyObject *code = sc_py_compile(v->s->source, v->path);
    PyObject *ran = code ? PyEval_EvalCode(code, v->globals, v->globals) : NULL;
    if (!ran && code && PyErr_ExceptionMatches(PyExc_SystemExit)) {
        // Its own end: exit() and exit(0) are a success.
        PyObject *type = NULL, *e = NULL, *trace = NULL;
        PyErr_Fetch(&type, &e, &trace);
        PyErr_NormalizeException(&type, &e, &trace);
        PyObject *status = e ? PyObject_GetAttrString(e, "code") : NULL;
        const bool good = status && (status == Py_None ||
                                     (PyLong_CheckExact(status) && PyLong_AsLong(status) == 0));
        if (good)
            ran = Py_NewRef(Py_None);
        else
            PyErr_Restore(type, e, trace);
    }
    if (!ran) {
        send_exception(v, code == NULL);
        for (;;)
            (void)receive(v);
    }
    join_threads();
    send_done(v, SC_OUT_PASSED, 0, Py_BuildValue("(ss)", "", ""));
}

/* What the interpreter's end does for a program: exit functions, streams, objects that write when
 * they go. An exception there is no failure of the program. */
static void finish_program(server *v)
{
    join_threads();
    PyObject *r = PyObject_CallMethod(v->py->glue, "finish_program", "O", v->globals);
    Py_XDECREF(r);
    PyErr_Clear();
    sc_py_flush(v->py);
}

/* A program as `python3 solution.py` runs it. What it prints is looked at when it has ended. */
static _Noreturn void run_stdio(server *v)
{
    PyObject *code = compile_source(v);
    PyObject *ran = code ? PyEval_EvalCode(code, v->globals, v->globals) : NULL;
    // Its own end, with whatever status.
    if (!ran && code && PyErr_ExceptionMatches(PyExc_SystemExit)) {
        PyErr_Clear();
        ran = Py_NewRef(Py_None);
    }
    if (!ran) {
        send_exception(v, code == NULL);
        _exit(1);
    }
    Py_DECREF(ran);
    finish_program(v);
    send_done(v, SC_OUT_PASSED, 0, Py_BuildValue("(ss)", "", ""));
}

/* Tests and program in one interpreter: the fallback for tests that cannot be taken apart. */
static _Noreturn void run_single(server *v)
{
    const sc_sample *s = v->s;
    PyObject *check = PyObject_GetAttrString(v->py->glue, "prepare_single");
    PyObject *run = check ? PyObject_CallFunction(
                                check, "s#s#s#s", s->context.p, (Py_ssize_t)s->context.n, s->test.p,
                                (Py_ssize_t)s->test.n, s->entry.p, (Py_ssize_t)s->entry.n, v->path)
                          : NULL;
    if (!run)
        send_done(v, SC_OUT_BAD_TEST, 0, Py_BuildValue("(ss)", "", "the tests do not compile"));
    if (!load(v))
        for (;;)
            (void)receive(v);
    PyObject *r = PyObject_CallFunctionObjArgs(run, v->globals, NULL);
    int outcome = 0, line = 0;
    PyObject *type = NULL, *text = NULL;
    if (!r || !PyArg_ParseTuple(r, "iiOO", &outcome, &line, &type, &text))
        _exit(71);
    send_done(v, (uint8_t)outcome, line, Py_BuildValue("(OO)", type, text));
}

/* Our own tools over a program: one JSON text in, one JSON text out, then the end of the stream. */
static _Noreturn void run_tool(const server *v)
{
    PyObject *f = PyObject_GetAttrString(v->py->glue, "run");
    PyObject *r =
        f ? PyObject_CallFunction(f, "y#", v->s->source.p, (Py_ssize_t)v->s->source.n) : NULL;
    Py_ssize_t n = 0;
    char *p = NULL;
    if (!r || PyBytes_AsStringAndSize(r, &p, &n)) {
        PyErr_Print();
        _exit(71);
    }
    for (Py_ssize_t done = 0; done < n;) {
        const ssize_t w = write(v->link.fd, p + done, (size_t)(n - done));
        if (w <= 0)
            _exit(71);
        done += w;
    }
    _exit(0);
}

static server the_server; // not from the heap: most of it is never touched

void sc_sample_prepare(const sc_py *py, const char *home, int link)
{
    server *const v = &the_server;
    v->py = py;
    v->in = v->out = sc_buf_init(SC_WIRE_FRAME_MAX);
    sc_link_init(&v->link, link);
    v->ops = (sc_codec_ops){put_handle, get_handle, NULL, v, true};
    v->codec = py->codec;
    v->handles = PyList_New(0);
    v->numbers = PyDict_New();
    v->pending = PyDict_New();
    (void)snprintf(v->path, sizeof v->path, "%s/%s", home, SC_PY_SOLUTION); // short by the jail
    if (!v->handles || !v->numbers || !v->pending)
        _exit(71);
}

_Noreturn void sc_sample_run(const sc_sample *s)
{
    server *const v = &the_server;
    v->s = s;
    if (s->mode == SC_MODE_TOOL)
        run_tool(v);
    start(v, s);
    if (s->mode == SC_MODE_SCRIPT)
        run_script(v);
    if (s->mode == SC_MODE_STDIO)
        run_stdio(v);
    if (s->mode == SC_MODE_SINGLE)
        run_single(v);
    if (!load(v))
        for (;;)
            (void)receive(v);
    serve_for_ever(v);
}
