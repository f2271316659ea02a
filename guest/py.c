// SPDX-License-Identifier: MIT
#include "guest/py.h"

#include "base/mem.h"
#include "guest/codec.h"
#include "guest/huge.h"
#include "guest/warm.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern const unsigned char sc_glue_checker[], sc_glue_tools[]; // guest/py

// What generated programs import most; more would make every fork dearer (page tables, fork hooks).
static const char *const COMMON[] = {"math",   "re",       "collections", "itertools", "functools",
                                     "typing", "string",   "heapq",       "bisect",    "random",
                                     "copy",   "operator", "datetime",    "hashlib"};
static const char *const TOOLS[] = {"json",       "ast",          "jinja2.sandbox",
                                    "jinja2.ext", "pyflakes.api", "mccabe"};

sc_code sc_py_fail(sc_err *err, const char *what)
{
    PyObject *type = NULL, *value = NULL, *trace = NULL;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    PyObject *text = value ? PyObject_Str(value) : NULL;
    const char *s = text ? PyUnicode_AsUTF8(text) : NULL;
    const sc_code code =
        sc_fail(err, SC_E_SANDBOX, "%s: %s: %s", what,
                type ? ((PyTypeObject *)type)->tp_name : "no exception", s ? s : "");
    Py_XDECREF(text);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(trace);
    PyErr_Clear();
    return code;
}

static PyStatus configure(PyConfig *c, const char *stdlib, bool tools, uint32_t hash_seed)
{
    c->use_hash_seed = 1;
    c->hash_seed = hash_seed;
    c->site_import = 0;
    c->write_bytecode = 0;
    c->install_signal_handlers = 0;
    c->pathconfig_warnings = 0;
#if PY_VERSION_HEX >= 0x030b0000
    c->use_frozen_modules = 0; // else os.__file__ is missing
#endif
    c->module_search_paths_set = 1;
    char path[3][512];
    (void)snprintf(path[0], sizeof path[0], "%s", stdlib);             // a short path of ours
    (void)snprintf(path[1], sizeof path[1], "%s/lib-dynload", stdlib); // as above
    (void)snprintf(path[2], sizeof path[2], "/usr/lib/python3/dist-packages");
    PyStatus s = PyStatus_Ok();
    for (size_t i = 0; i < (tools ? 3 : 2) && !PyStatus_Exception(s); i++) {
        wchar_t *wide = Py_DecodeLocale(path[i], NULL);
        s = wide ? PyWideStringList_Append(&c->module_search_paths, wide) : PyStatus_NoMemory();
        PyMem_RawFree(wide);
    }
    if (!PyStatus_Exception(s))
        s = PyConfig_SetBytesString(c, &c->program_name, "/usr/bin/python3");
    return s;
}

/* The arenas of the warm interpreter; what a sample needs beyond them it gets page by page. */
typedef struct arenas {
    char *at; // NULL: no room
    size_t used;
} arenas;

enum { ARENAS = 2 * SC_HUGE };

static void *take_arena(void *ctx, size_t size)
{
    arenas *r = ctx;
    if (r->at && size <= ARENAS - r->used) {
        r->used += size;
        return r->at + (r->used - size);
    }
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void drop_arena(void *ctx, void *p, size_t size)
{
    const arenas *r = ctx;
    const size_t from = (size_t)((uintptr_t)p - (uintptr_t)r->at);
    if (!r->at || from >= ARENAS)
        (void)munmap(p, size); // ours, so it cannot fail
}

static char *prepare_arenas(void)
{
    static arenas r; // as long as the interpreter
    r.at = sc_huge_room(ARENAS);
    PyObjectArenaAllocator a = {&r, take_arena, drop_arena};
    PyObject_SetArenaAllocator(&a);
    return r.at;
}

static sc_code initialise(const char *stdlib, bool tools, uint32_t hash_seed, sc_err *err)
{
    PyPreConfig pre;
    PyPreConfig_InitIsolatedConfig(&pre);
    pre.utf8_mode = 1;
    PyStatus s = Py_PreInitialize(&pre);
    if (!PyStatus_Exception(s)) {
        PyConfig c;
        PyConfig_InitIsolatedConfig(&c);
        s = configure(&c, stdlib, tools, hash_seed);
        if (!PyStatus_Exception(s))
            s = Py_InitializeFromConfig(&c);
        PyConfig_Clear(&c);
    }
    if (PyStatus_Exception(s))
        return sc_fail(err, SC_E_SANDBOX, "Python does not start: %s", s.err_msg ? s.err_msg : "?");
    return SC_OK;
}

static sc_code import_all(const char *const *name, size_t n, sc_err *err)
{
    for (size_t i = 0; i < n; i++) {
        PyObject *m = PyImport_ImportModule(name[i]);
        if (!m)
            return sc_py_fail(err, name[i]);
        Py_DECREF(m);
    }
    return SC_OK;
}

/* Our own Python source as the module `glue`; not in sys.modules, so no sample finds it by name. */
static sc_code load_glue(const char *source, const char *name, PyObject **out, sc_err *err)
{
    PyObject *module = PyModule_New("glue");
    PyObject *code = module ? Py_CompileString(source, name, Py_file_input) : NULL;
    PyObject *dict = module ? PyModule_GetDict(module) : NULL;
    PyObject *ran = NULL;
    if (code && PyDict_SetItemString(dict, "__builtins__", PyEval_GetBuiltins()) == 0)
        ran = PyEval_EvalCode(code, dict, dict);
    Py_XDECREF(code);
    if (!ran) {
        Py_XDECREF(module);
        return sc_py_fail(err, name);
    }
    Py_DECREF(ran);
    *out = module;
    return SC_OK;
}

/* What `random` does after a fork, unless it is the fork that makes a sample: there the numbers go
 * on from the seed that they were given once. */
static PyObject *after_fork(PyObject *self, PyObject *unused)
{
    (void)unused;
    const bool *in_sample = PyCapsule_GetPointer(PyTuple_GET_ITEM(self, 1), NULL);
    if (!in_sample || !*in_sample)
        Py_RETURN_NONE;
    return PyObject_CallNoArgs(PyTuple_GET_ITEM(self, 0));
}

/* `random` with its hook behind ours. */
static sc_code import_random(bool *in_sample, sc_err *err)
{
    static PyMethodDef def = {"after_fork", after_fork, METH_NOARGS, NULL};
    static const char text[] = "import os\n"
                               "real, kept = os.register_at_fork, []\n"
                               "os.register_at_fork = lambda **hooks: kept.append(hooks)\n"
                               "import random\n"
                               "os.register_at_fork = real\n"
                               "random.seed(0)\n"
                               "hook, = [h['after_in_child'] for h in kept]\n";
    PyObject *module = NULL;
    SC_TRY(load_glue(text, "random", &module, err));
    PyObject *hook = PyObject_GetAttrString(module, "hook");
    PyObject *real = PyObject_GetAttrString(module, "real");
    PyObject *flag = PyCapsule_New(in_sample, NULL, NULL);
    PyObject *both = hook && flag ? PyTuple_Pack(2, hook, flag) : NULL;
    PyObject *ours = both ? PyCFunction_New(&def, both) : NULL;
    PyObject *none = PyTuple_New(0);
    PyObject *named = ours ? Py_BuildValue("{sO}", "after_in_child", ours) : NULL;
    PyObject *r = real && none && named ? PyObject_Call(real, none, named) : NULL;
    const bool good = r != NULL;
    PyObject *const all[] = {module, hook, real, flag, both, ours, none, named, r};
    for (size_t i = 0; i < SC_LEN(all); i++)
        Py_XDECREF(all[i]);
    return good ? SC_OK : sc_py_fail(err, "random");
}

static sc_code grab(const char *module, const char *name, PyObject **out, sc_err *err)
{
    PyObject *m = PyImport_ImportModule(module);
    *out = m ? PyObject_GetAttrString(m, name) : NULL;
    Py_XDECREF(m);
    return *out ? SC_OK : sc_py_fail(err, name);
}

/* What `site` would have put there, and nothing that a fork would have to copy for nothing. */
static sc_code finish(sc_err *err)
{
    static const char text[] = "import builtins, gc, sys, _sitebuiltins\n"
                               "builtins.exit = _sitebuiltins.Quitter('exit', 'Ctrl-D')\n"
                               "builtins.quit = _sitebuiltins.Quitter('quit', 'Ctrl-D')\n"
                               "sys.argv = ['solution.py']\n"
                               "gc.collect()\n"
                               "gc.freeze()\n";
    PyObject *module = NULL;
    SC_TRY(load_glue(text, "finish", &module, err));
    Py_DECREF(module);
    return SC_OK;
}

enum { POOL = 16 << 10, POOL_HEAD = 48, SMALL = 512, UNIT = 16 };

/* Every size of small object begins a pool of its own in a sample: what it allocates lies on few
 * pages, and none that the warm interpreter uses has to be copied for it. */
static void close_pools(void)
{
    for (size_t size = UNIT; size <= SMALL; size += UNIT) {
        char *last = NULL, *p = NULL;
        for (size_t i = 0; i < 2 * POOL / size; i++) {
            last = p;
            p = PyObject_Malloc(size);
            if (!p || (last && p == last + size && (uintptr_t)last % POOL == POOL_HEAD))
                break;
        }
        PyObject_Free(p); // the pool is empty again; what filled the others stays
        PyObject_Free(last);
    }
}

/* The same for the C library's heap: holes between what stays are filled, so that the rest of it is
 * one piece. */
static void close_holes(void)
{
    const struct mallinfo2 m = mallinfo2();
    const uintptr_t top = (uintptr_t)sbrk(0) - m.keepcost;
    for (size_t size = 64 << 10; size >= 24; size = size * 7 / 8) {
        for (;;) {
            char *p = malloc(size);
            if (!p || (uintptr_t)p >= top) {
                free(p);
                break;
            }
        }
    }
}

sc_code sc_py_start(const char *stdlib, bool tools, uint32_t hash_seed, sc_py *out, sc_err *err)
{
    // A full disk or a closed pipe is an OSError of the program, not its end.
    (void)signal(SIGPIPE, SIG_IGN); // cannot fail for these
    (void)signal(SIGXFSZ, SIG_IGN);
    // The default would be the main stack's limit, which is large.
    pthread_attr_t a;
    if (pthread_attr_init(&a) || pthread_attr_setstacksize(&a, 2 << 20) ||
        pthread_setattr_default_np(&a))
        return sc_fail(err, SC_E_SANDBOX, "cannot set the size of thread stacks");
    out->arenas = prepare_arenas();
    out->arenas_size = out->arenas ? ARENAS : 0;
    SC_TRY(initialise(stdlib, tools, hash_seed, err));
    static bool in_sample;
    out->in_sample = &in_sample;
    SC_TRY(import_random(&in_sample, err)); // before another module imports it
    SC_TRY(import_all(COMMON, SC_LEN(COMMON), err));
    if (tools)
        SC_TRY(import_all(TOOLS, SC_LEN(TOOLS), err));
    SC_TRY(grab("sys", "stdout", &out->out, err));
    SC_TRY(grab("sys", "stderr", &out->errout, err));
    SC_TRY(load_glue((const char *)(tools ? sc_glue_tools : sc_glue_checker), "glue", &out->glue,
                     err));
    out->codec = sc_codec_new();
    if (!out->codec)
        return sc_py_fail(err, "codec");
    SC_TRY(sc_warm_up(out->codec, err));
    SC_TRY(finish(err));
    close_pools();
    close_holes();
    return SC_OK;
}

void sc_py_flush(const sc_py *py)
{
    PyObject *const stream[] = {py->out, py->errout};
    for (size_t i = 0; i < SC_LEN(stream); i++) {
        PyObject *r = PyObject_CallMethod(stream[i], "flush", NULL);
        Py_XDECREF(r);
        PyErr_Clear();
    }
}

PyObject *sc_py_compile(sc_str source, const char *name)
{
    if (memchr(source.p, 0, source.n)) {
        PyErr_SetString(PyExc_SyntaxError, "source code cannot contain null bytes");
        return NULL;
    }
    if (sc_str_starts(source, SC_STR("\xef\xbb\xbf")))
        source = sc_str_skip(source, 3); // a byte order mark, as in a file
    // Strict UTF-8 by us: the compiler alone would accept a coding cookie or guess. Half surrogates
    // pass here, so that the program fails as a text with one does in Python: it cannot be encoded.
    PyObject *text = PyUnicode_DecodeUTF8(source.p, (Py_ssize_t)source.n, "surrogatepass");
    if (!text) {
        PyErr_Clear();
        PyErr_SetString(PyExc_SyntaxError, "source code is not UTF-8");
        return NULL;
    }
    const char *utf8 = PyUnicode_AsUTF8(text);
    if (!utf8) { // UnicodeEncodeError
        Py_DECREF(text);
        return NULL;
    }
    PyCompilerFlags flags = {.cf_flags = PyCF_IGNORE_COOKIE,
                             .cf_feature_version = PY_MINOR_VERSION};
    PyObject *code = Py_CompileStringExFlags(utf8, name, Py_file_input, &flags, 0);
    Py_DECREF(text);
    return code;
}
