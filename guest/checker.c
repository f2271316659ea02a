// SPDX-License-Identifier: MIT
#include "guest/checker.h"

#include "base/mem.h"
#include "guest/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_REPORT = 2000, MAX_PRINTED = 2 * SC_WIRE_MAX_TEXT };

typedef struct checker {
    const sc_py *py;
    int control;
    sc_codec *codec;
    sc_remote *remote;
    PyObject *run;     // glue.run_split
    PyObject *call;    // glue.run_call
    PyObject *compare; // glue.compare_output
    sc_buf printed;
} checker;

typedef struct report {
    uint32_t outcome;
    int32_t line;
    char type[64];
    char message[MAX_REPORT];
} report;

/* The function that the glue asks for names the tests do not define. */
static PyObject *lookup(PyObject *self, PyObject *name)
{
    sc_remote *r = PyCapsule_GetPointer(self, NULL);
    return r ? sc_remote_name(r, name) : NULL;
}

static PyMethodDef lookup_def = {"lookup", lookup, METH_O, NULL};

static void copy_text(char *out, size_t size, PyObject *o)
{
    PyObject *text = o ? PyObject_Str(o) : NULL;
    const char *s = text ? PyUnicode_AsUTF8(text) : NULL;
    PyErr_Clear();
    size_t n = s ? strlen(s) : 0;
    if (n >= size) // whole characters only
        for (n = size - 1; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80;)
            n--;
    memcpy(out, s ? s : "", n);
    out[n] = '\0';
    Py_XDECREF(text);
}

/* What the pending exception of the tests means. */
static void judge_exception(const checker *c, report *out)
{
    PyObject *type = NULL, *e = NULL, *trace = NULL;
    PyErr_Fetch(&type, &e, &trace);
    PyErr_NormalizeException(&type, &e, &trace);
    if (trace)
        PyException_SetTraceback(e, trace);
    bool memory = false;
    if (e)
        sc_remote_hush(e);
    const bool remote = sc_remote_raised(c->remote, e, &out->line, &memory);
    out->outcome = remote ? (memory ? SC_OUT_OOM : SC_OUT_ERROR) : SC_OUT_FAILED;
    const char *name = e ? Py_TYPE(e)->tp_name : "";
    const char *dot = strrchr(name, '.');
    (void)snprintf(out->type, sizeof out->type, "%s", dot ? dot + 1 : name); // may be cut
    copy_text(out->message, sizeof out->message, e);
    if (!remote && trace) {
        // The line of the tests.
        for (PyTracebackObject *t = (PyTracebackObject *)trace; t; t = t->tb_next) {
            PyCodeObject *code = PyFrame_GetCode(t->tb_frame);
            const char *file = PyUnicode_AsUTF8(code->co_filename);
            if (file && !strcmp(file, "<tests>"))
                out->line = t->tb_lineno;
            Py_DECREF(code);
        }
        PyErr_Clear();
    }
    Py_XDECREF(type);
    Py_XDECREF(e);
    Py_XDECREF(trace);
}

/* What tests can reach of the program: lookup. NULL: no memory. */
static PyObject *make_find(checker *c)
{
    PyObject *capsule = PyCapsule_New(c->remote, NULL, NULL);
    PyObject *find = capsule ? PyCFunction_New(&lookup_def, capsule) : NULL;
    Py_XDECREF(capsule);
    return find;
}

/* What the glue's answer means: True, or why the tests do not run; drops it. */
static void judge_answer(const checker *c, PyObject *r, report *out)
{
    if (!r) {
        judge_exception(c, out);
        return;
    }
    out->outcome = r == Py_True ? SC_OUT_PASSED : r == Py_None ? SC_OUT_UNSPLIT : SC_OUT_BAD_TEST;
    if (out->outcome == SC_OUT_BAD_TEST)
        copy_text(out->message, sizeof out->message, r);
    Py_DECREF(r);
}

static void run_tests(checker *c, const sc_wire_in *in, PyObject *entry, report *out)
{
    PyObject *find = make_find(c), *r = NULL;
    if (find)
        r = PyObject_CallFunction(c->run, "s#s#s#OO", in->text[0].p, (Py_ssize_t)in->text[0].n,
                                  in->text[1].p, (Py_ssize_t)in->text[1].n, in->text[2].p,
                                  (Py_ssize_t)in->text[2].n,
                                  entry ? entry : (PyObject *)&PyEllipsis_Type, find);
    judge_answer(c, r, out);
    Py_XDECREF(find);
}

/* One case of a task whose cases are calls. */
static void run_call(checker *c, const sc_wire_in *in, report *out)
{
    PyObject *find = make_find(c), *r = NULL;
    if (find)
        r = PyObject_CallFunction(c->call, "y#y#s#O", in->text[0].p, (Py_ssize_t)in->text[0].n,
                                  in->text[1].p, (Py_ssize_t)in->text[1].n, in->text[2].p,
                                  (Py_ssize_t)in->text[2].n, find);
    judge_answer(c, r, out);
    Py_XDECREF(find);
}

/* All that the program prints; false: more than `max`. Its end is the end of its processes. */
static bool drain(sc_buf *out, int fd, uint64_t max)
{
    char block[65536];
    for (;;) {
        const ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return true;
        sc_buf_add(out, block, (size_t)n);
        if (!sc_buf_ok(out) || out->n > max)
            return false;
    }
}

/* A program's case: what it printed against what is expected, then how it ended. */
static void check_output(checker *c, const sc_wire_in *in, int fd, report *out, uint32_t *flags)
{
    sc_buf_clear(&c->printed);
    if (!drain(&c->printed, fd, in->m.limits.output)) {
        out->outcome = SC_OUT_PRINTED;
        (void)snprintf(out->message, sizeof out->message, "it printed too much"); // short
        return;
    }
    sc_remote_wait_done(c->remote, in->m.nonce);
    const uint32_t end = sc_remote_state(c->remote)->outcome;
    if (end != SC_OUT_PASSED && end != SC_OUT_GONE)
        return; // its state says it
    PyObject *r =
        PyObject_CallFunction(c->compare, "y#y#", in->text[1].p, (Py_ssize_t)in->text[1].n,
                              sc_buf_text(&c->printed), (Py_ssize_t)c->printed.n);
    const bool right = r && PyUnicode_Check(r) && PyUnicode_GET_LENGTH(r) == 0;
    if (right)
        *flags |= SC_FLAG_PRINTED;
    copy_text(out->message, sizeof out->message, r);
    Py_XDECREF(r);
    PyErr_Clear();
    out->outcome = end == SC_OUT_GONE ? SC_OUT_GONE : right ? SC_OUT_PASSED : SC_OUT_FAILED;
    if (c->printed.cap > (1 << 20))
        sc_buf_drop(&c->printed);
}

static void check(checker *c, const sc_wire_in *in, int link, int printed, report *out,
                  uint32_t *flags)
{
    sc_remote_begin(c->remote, link);
    if (in->m.mode == SC_MODE_STDIO) {
        check_output(c, in, printed, out, flags);
        if (out->outcome)
            return;
    } else if (in->m.mode == SC_MODE_CALL) {
        PyObject *entry = NULL;
        if (sc_remote_load(c->remote, &entry))
            run_call(c, in, out);
        Py_XDECREF(entry);
    } else if (in->m.mode == SC_MODE_SPLIT) {
        PyObject *entry = NULL;
        if (sc_remote_load(c->remote, &entry))
            run_tests(c, in, entry, out);
        Py_XDECREF(entry);
    } else {
        sc_remote_wait_done(c->remote, in->m.nonce);
    }
    // A link that failed at any time outweighs what the tests thought of it.
    const sc_remote_end_state *s = sc_remote_state(c->remote);
    if (s->outcome) {
        out->outcome = s->outcome;
        out->line = s->line;
        (void)snprintf(out->type, sizeof out->type, "%s", s->type);          // same size
        (void)snprintf(out->message, sizeof out->message, "%s", s->message); // larger
    }
}

static void serve(checker *c)
{
    sc_err err = {0};
    SC_AUTO(sc_wire_in) in = {0};
    if (sc_wire_recv(c->control, &in, &err) != SC_OK || in.m.type != SC_WIRE_CHECK)
        _exit(0);
    const int link = sc_wire_take_fd(&in, 0), printed = sc_wire_take_fd(&in, 1);
    report r = {0};
    uint32_t flags = 0;
    check(c, &in, link, printed, &r, &flags);
    const sc_wire_msg m = {.type = SC_WIRE_RESULT,
                           .outcome = r.outcome,
                           .line = r.line,
                           .flags = sc_remote_flags(c->remote) | flags,
                           .n_calls = sc_remote_calls(c->remote)};
    sc_remote_end(c->remote);
    (void)close(link); // the sample is about to be killed
    if (printed >= 0)
        (void)close(printed); // as above
    const sc_str texts[] = {sc_str_c(r.type), sc_str_c(r.message)};
    if (sc_wire_send(c->control, m, texts, SC_LEN(texts), NULL, 0, &err) != SC_OK)
        _exit(0);
}

_Noreturn void sc_checker_run(const sc_py *py, int control)
{
    checker c = {.py = py, .control = control, .codec = py->codec};
    c.printed = sc_buf_init(MAX_PRINTED);
    c.call = PyObject_GetAttrString(py->glue, "run_call");
    c.compare = PyObject_GetAttrString(py->glue, "compare_output");
    PyObject *says = PyObject_GetAttrString(py->glue, "exception_text");
    c.remote = says ? sc_remote_new(c.codec, says) : NULL;
    c.run = PyObject_GetAttrString(py->glue, "run_split");
    if (!c.remote || !c.run || !c.call || !c.compare)
        _exit(71);
    for (;;)
        serve(&c);
}
