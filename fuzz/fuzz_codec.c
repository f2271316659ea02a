// SPDX-License-Identifier: MIT
#include "guest/codec.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Handles are capsules that carry their number. */
static int64_t put(void *ctx, PyObject *o)
{
    (void)ctx;
    if (!PyCapsule_CheckExact(o)) {
        PyErr_SetString(PyExc_TypeError, "no handle");
        return -1;
    }
    return (int64_t)(uintptr_t)PyCapsule_GetContext(o);
}

static PyObject *raised(void *ctx, int64_t id, sc_str name, PyObject *base)
{
    (void)ctx;
    (void)id;
    (void)name;
    return Py_NewRef(base);
}

static PyObject *get(void *ctx, int64_t id, sc_str type_name, bool iterates)
{
    static char something;
    (void)ctx;
    (void)type_name;
    (void)iterates;
    if (id < 0) {
        PyErr_SetString(PyExc_ReferenceError, "no such object");
        return NULL;
    }
    PyObject *o = PyCapsule_New(&something, NULL, NULL);
    if (o && PyCapsule_SetContext(o, (void *)(uintptr_t)id))
        Py_CLEAR(o);
    return o;
}

static sc_codec *start(void)
{
    PyPreConfig pre;
    PyPreConfig_InitIsolatedConfig(&pre);
    pre.allocator = PYMEM_ALLOCATOR_MALLOC; // so that a sanitizer sees every object
    PyConfig c;
    PyConfig_InitIsolatedConfig(&c);
    if (PyStatus_Exception(Py_PreInitialize(&pre)))
        abort();
    c.site_import = 0;
    c.install_signal_handlers = 0;
    if (PyStatus_Exception(Py_InitializeFromConfig(&c)))
        abort();
    PyConfig_Clear(&c);
    sc_codec *codec = sc_codec_new();
    if (!codec)
        abort();
    return codec;
}

static const sc_codec_ops ops = {put, get, raised, NULL, false};

/* Containers of a request that an answer may name. */
static PyObject *make_old(void)
{
    PyObject *types = PyImport_ImportModule("collections");
    PyObject *o = types ? Py_BuildValue("[[i]{ii}NNNNN]", 1, 1, 2, PySet_New(NULL),
                                        PyByteArray_FromStringAndSize("ab", 2),
                                        PyObject_CallMethod(types, "deque", NULL),
                                        PyObject_CallMethod(types, "Counter", NULL),
                                        PyObject_CallMethod(types, "defaultdict", NULL))
                        : NULL;
    Py_XDECREF(types);
    if (!o)
        abort();
    return o;
}

static PyObject *decode(sc_codec *codec, const void *bytes, size_t n)
{
    sc_cur in = sc_cur_init(bytes, n);
    PyObject *o = NULL, *old = make_old();
    const sc_codec_code code =
        sc_codec_decode_kin(codec, &ops, (sc_codec_kin){.old = old}, &in, &o);
    Py_DECREF(old);
    if ((code == SC_CODEC_OK) != (o != NULL) ||
        (code == SC_CODEC_PYTHON) != (PyErr_Occurred() != NULL))
        abort();
    PyErr_Clear();
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static sc_codec *codec;
    if (!codec)
        codec = start();
    PyObject *value = decode(codec, bytes, size);
    if (!value)
        return 0;
    // What was decoded can be sent on, and arrives as the same number of bytes (the order of a set
    // may differ).
    SC_AUTO(sc_buf) once = sc_buf_init(SC_CODEC_BYTES), again = sc_buf_init(SC_CODEC_BYTES);
    if (sc_codec_encode(codec, &ops, value, &once) == SC_CODEC_OK) {
        PyObject *back = decode(codec, once.p, once.n);
        if (!back || sc_codec_encode(codec, &ops, back, &again) != SC_CODEC_OK || again.n != once.n)
            abort();
        Py_DECREF(back);
    }
    PyErr_Clear();
    Py_DECREF(value);
    PyGC_Collect(); // cycles
    return 0;
}
