// SPDX-License-Identifier: MIT
#include "guest/warm.h"

#include "guest/py.h"

static const char practice[] =
    "from typing import List, Dict\n"
    "import math\n"
    "class Shape:\n"
    "    sides = 0\n"
    "    def __init__(self, name, *rest, **more):\n"
    "        self.name = name\n"
    "    def area(self):\n"
    "        return len(self.name) * 1.5\n"
    "def gen(n):\n"
    "    for i in range(n):\n"
    "        if i % 2 == 0:\n"
    "            continue\n"
    "        yield i\n"
    "def solve(numbers: List[int], text: str = 'abc') -> Dict[str, int]:\n"
    "    \"\"\"A usual function.\"\"\"\n"
    "    found = {}\n"
    "    seen = set()\n"
    "    total, best = 0, None\n"
    "    for i, n in enumerate(sorted(numbers, key=lambda x: -x)):\n"
    "        if n < 0 and not (n in seen or i > 100):\n"
    "            total -= abs(n)\n"
    "        elif n == 0:\n"
    "            pass\n"
    "        else:\n"
    "            total += n ** 2 // 3\n"
    "        seen.add(n)\n"
    "        best = n if best is None else max(best, n)\n"
    "    while total > 1000000:\n"
    "        total -= 1\n"
    "        if total % 7 == 0:\n"
    "            break\n"
    "    try:\n"
    "        found['x'] = int('y')\n"
    "    except (ValueError, KeyError) as e:\n"
    "        found['e'] = str(e)\n"
    "    finally:\n"
    "        found['f'] = f'{total} {best!r:>4}'\n"
    "    words = [w.strip().lower() for w in text.split(',') if w]\n"
    "    pairs = {k: v for k, v in zip(words, gen(9))}\n"
    "    found.update(pairs)\n"
    "    numbers = list(map(lambda v: v + 1, numbers))[::-1]\n"
    "    numbers[0], numbers[-1] = numbers[-1], numbers[0]\n"
    "    assert isinstance(total, int) and all(x is not None for x in numbers), 'no'\n"
    "    ok = any(str(v).isdigit() for v in found.values()) or math.sqrt(4) == 2.0\n"
    "    return found, sum(gen(5)), tuple(numbers), ''.join(reversed(text)), ok, round(2.675, 2)\n"
    "def check(candidate):\n"
    "    assert candidate([1]) == None, 'not so'\n"
    "answer = solve([3, -1, 0, 2], 'B,a,c'), Shape('q', 1, z=2).area()\n";

/* No object of the practice program is a handle. */
static int64_t no_handle(void *ctx, PyObject *o)
{
    (void)ctx;
    (void)o;
    PyErr_SetString(PyExc_TypeError, "an object of a class");
    return -1;
}

static PyObject *no_object(void *ctx, int64_t id, sc_str type_name, bool iterates)
{
    (void)ctx;
    (void)id;
    (void)type_name;
    (void)iterates;
    PyErr_SetString(PyExc_ReferenceError, "no such object");
    return NULL;
}

/* There and back; a new reference or NULL with a Python exception set. */
static PyObject *send_round(sc_codec *codec, PyObject *o)
{
    const sc_codec_ops ops = {no_handle, no_object, NULL, NULL, false};
    SC_AUTO(sc_buf) bytes = sc_buf_init(1 << 20);
    PyObject *back = NULL;
    if (sc_codec_encode(codec, &ops, o, &bytes) != SC_CODEC_OK)
        return NULL;
    sc_cur in = sc_cur_init(bytes.p, bytes.n);
    return sc_codec_decode(codec, &ops, &in, &back) == SC_CODEC_OK ? back : NULL;
}

/* An exception from where it is raised to its text. */
static bool fail_once(PyObject *globals)
{
    PyObject *check = PyDict_GetItemString(globals, "check");
    PyObject *solve = PyDict_GetItemString(globals, "solve");
    PyObject *r = check ? PyObject_CallOneArg(check, solve) : NULL;
    Py_XDECREF(r);
    PyObject *type = NULL, *e = NULL, *trace = NULL;
    PyErr_Fetch(&type, &e, &trace);
    PyErr_NormalizeException(&type, &e, &trace);
    PyObject *text = e ? PyObject_Str(e) : NULL;
    const bool good = text && !r;
    Py_XDECREF(text);
    Py_XDECREF(type);
    Py_XDECREF(e);
    Py_XDECREF(trace);
    return good;
}

static const char first[] = "def first(a, b=1):\n"
                            "    for i in range(b):\n"
                            "        if a[i] > b:\n"
                            "            return a.index(b)\n"
                            "    return 'none'\n"
                            "x = first([1], 1)\n";

/* Runs `text` in `module`, if there is one: a new reference to what it calls `name`, or NULL. */
static PyObject *run_for(PyObject *module, const char *text, const char *name)
{
    PyObject *globals = module ? PyModule_GetDict(module) : NULL;
    PyObject *code = globals ? sc_py_compile(sc_str_c(text), "practice") : NULL;
    PyObject *ran = NULL;
    if (code && PyDict_SetItemString(globals, "__builtins__", PyEval_GetBuiltins()) == 0)
        ran = PyEval_EvalCode(code, globals, globals);
    PyObject *answer = ran ? PyDict_GetItemString(globals, name) : NULL;
    Py_XINCREF(answer);
    Py_XDECREF(ran);
    Py_XDECREF(code);
    return answer;
}

void sc_warm_first(const sc_py *py)
{
    PyObject *module = PyModule_New("first");
    PyObject *answer = run_for(module, first, "x");
    PyObject *both = answer ? Py_BuildValue("(O(i)O)", answer, 1, Py_None) : NULL;
    PyObject *back = both ? send_round(py->codec, both) : NULL;
    sc_py_flush(py);
    Py_XDECREF(back);
    Py_XDECREF(both);
    Py_XDECREF(answer);
    Py_XDECREF(module);
    PyErr_Clear(); // only time was to be won
}

sc_code sc_warm_up(sc_codec *codec, sc_err *err)
{
    PyObject *module = PyModule_New("practice");
    PyObject *answer = run_for(module, practice, "answer");
    PyObject *back = answer ? send_round(codec, answer) : NULL;
    const bool good = back && PyObject_RichCompareBool(back, answer, Py_EQ) == 1 &&
                      fail_once(PyModule_GetDict(module));
    Py_XDECREF(back);
    Py_XDECREF(answer);
    Py_XDECREF(module);
    return good ? SC_OK : sc_py_fail(err, "the practice program");
}
