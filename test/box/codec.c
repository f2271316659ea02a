// SPDX-License-Identifier: MIT
#include "guest/codec.h" // Python.h stands first

#include "t.h"

static PyObject *globals;

static int64_t put(void *ctx, PyObject *o)
{
    (void)ctx;
    (void)o;
    return 7;
}

static PyObject *get(void *ctx, int64_t id, sc_str type_name, bool iterates)
{
    (void)ctx;
    (void)type_name;
    (void)iterates;
    return PyUnicode_FromFormat("handle %lld", (long long)id);
}

/* A class for the sample's, made by its name. */
static PyObject *raised(void *ctx, int64_t id, sc_str name, PyObject *base)
{
    (void)ctx;
    (void)id;
    char full[200];
    (void)snprintf(full, sizeof full, "%.*s", SC_STRF(name)); // fits
    return PyErr_NewException(full, base, NULL);
}

static const sc_codec_ops ops = {put, get, NULL, NULL, false};
static const sc_codec_ops sample_ops = {put, get, raised, NULL, true};

static PyObject *evaluate(const char *text)
{
    PyObject *o = PyRun_String(text, Py_eval_input, globals, globals);
    if (!o)
        PyErr_Print();
    CHECK(o);
    return o;
}

static sc_codec_code decode(sc_codec *c, const void *p, size_t n, PyObject **out)
{
    sc_cur in = sc_cur_init(p, n);
    return sc_codec_decode(c, &ops, &in, out);
}

// Values of every kind, and what their repr is when they arrive (NULL: the same).
static const struct {
    const char *value, *arrives;
} rows[] = {
    {"None", NULL},
    {"[True, False, ..., NotImplemented]", NULL},
    {"[0, -1, 2**63 - 1, -2**63, 2**63, -2**64, 10**400]", NULL},
    {"[0.0, -0.0, 1e308, float('inf'), float('nan'), 1j, -0.5 - 2j]", NULL},
    {"['', 'abc', '\\u20ac\\U0001f600', '\\ud800', 'a\\x00b']", NULL},
    {"(b'', b'\\xff\\x00', bytearray(b'xyz'))", NULL},
    {"{'a': [1, (2,)], 1: {}, None: set(), (1, 2): frozenset([3])}", NULL},
    {"range(1, 10, 3), slice(1, None, 2)", NULL},
    {"collections.deque([1, 2, 3], maxlen=2)", "deque([2, 3], maxlen=2)"},
    {"collections.Counter('aab')", NULL},
    {"collections.OrderedDict([(1, 2)])", NULL},
    {"collections.defaultdict(list, {1: [2]}), collections.defaultdict(None, {3: 4})", NULL},
    {"datetime.datetime(2024, 2, 29, 23, 59, 58, 7)", NULL},
    {"datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc)", NULL},
    {"datetime.time(1, tzinfo=datetime.timezone(datetime.timedelta(hours=-3), 'x'))", NULL},
    {"__import__('zoneinfo').ZoneInfo('Europe/Berlin')", NULL},
    {"datetime.date(1, 1, 1), datetime.time(1, 2, 3, 4), datetime.timedelta(-1, 2, 3)", NULL},
    {"decimal.Decimal('-0.10'), fractions.Fraction(-3, 4)", NULL},
    {"list(iter([1, 2])), {1: 2}.keys(), {1: 2}.values(), {1: 2}.items()", NULL},
    {"len, int, ValueError", NULL},
    {"type('Int', (int,), {'__eq__': lambda s, o: True, '__hash__': None})(5)", "5"},
    {"type('List', (list,), {'__iter__': None})([1])", "[1]"},
    {"collections.namedtuple('P', 'x y')(1, [2])", "P(x=1, y=[2])"},
    {"type('T', (collections.namedtuple('P', 'x'),), {'__eq__': lambda s, o: True})(1)", "T(x=1)"},
    {"type('T', (tuple,), {'_fields': ('a b', 'class')})((1, 2))", "(1, 2)"},
    {"type('T', (tuple,), {'_fields': ('a', 'a')})((1, 2))", "(1, 2)"},
    {"type('T', (tuple,), {'_fields': ('a',)})((1, 2))", "(1, 2)"},
    {"type('T', (tuple,), {'_fields': (1, [])})((1, 2))", "(1, 2)"},
    {"type('Other', (), {})()", "'handle 7'"},
};

TEST(values_of_every_kind_arrive_as_they_were)
{
    UNUSED;
    sc_codec *c = sc_codec_new();
    for (size_t i = 0; i < SC_LEN(rows); i++) {
        PyObject *o = evaluate(rows[i].value), *back = NULL;
        SC_AUTO(sc_buf) bytes = sc_buf_init(1 << 20);
        CHECK(sc_codec_encode(c, &ops, o, &bytes) == SC_CODEC_OK);
        CHECK(decode(c, bytes.p, bytes.n, &back) == SC_CODEC_OK);
        PyObject *want = rows[i].arrives ? PyUnicode_FromString(rows[i].arrives) : PyObject_Repr(o);
        PyObject *got = PyObject_Repr(back);
        if (PyUnicode_Compare(want, got))
            print_error("%s arrives as %s\n", rows[i].value, PyUnicode_AsUTF8(got));
        CHECK(PyUnicode_Compare(want, got) == 0);
        CHECK(rows[i].arrives || Py_TYPE(o) == Py_TYPE(back));
        Py_DECREF(want);
        Py_DECREF(got);
        Py_DECREF(back);
        Py_DECREF(o);
    }
}

TEST(shared_and_cyclic_values_keep_their_shape)
{
    UNUSED;
    sc_codec *c = sc_codec_new();
    PyObject *list = PyList_New(0), *o = Py_BuildValue("[OO]", list, list), *back = NULL;
    CHECK(PyList_Append(list, o) == 0);
    SC_AUTO(sc_buf) bytes = sc_buf_init(1 << 20);
    CHECK(sc_codec_encode(c, &ops, o, &bytes) == SC_CODEC_OK);
    CHECK(decode(c, bytes.p, bytes.n, &back) == SC_CODEC_OK);
    PyObject *first = PyList_GET_ITEM(back, 0);
    CHECK(first == PyList_GET_ITEM(back, 1));
    CHECK(PyList_GET_ITEM(first, 0) == back);
    CHECK(PyList_SetSlice(list, 0, 1, NULL) == 0 && PyList_SetSlice(first, 0, 1, NULL) == 0);
    Py_DECREF(back);
    Py_DECREF(o);
    Py_DECREF(list);
}

/* One value with something of everything in it. */
static void encode_all(sc_codec *c, sc_buf *bytes)
{
    for (size_t i = 0; i < SC_LEN(rows); i++) {
        PyObject *o = evaluate(rows[i].value);
        CHECK(sc_codec_encode(c, &ops, o, bytes) == SC_CODEC_OK);
        Py_DECREF(o);
    }
}

TEST(every_truncation_is_refused)
{
    UNUSED;
    sc_codec *c = sc_codec_new();
    for (size_t i = 0; i < SC_LEN(rows); i++) {
        PyObject *o = evaluate(rows[i].value), *back = NULL;
        SC_AUTO(sc_buf) bytes = sc_buf_init(1 << 20);
        CHECK(sc_codec_encode(c, &ops, o, &bytes) == SC_CODEC_OK);
        for (size_t n = 0; n < bytes.n; n++) {
            const sc_codec_code code = decode(c, bytes.p, n, &back);
            CHECK(code == SC_CODEC_BAD);
            CHECK(!PyErr_Occurred() && !back);
        }
        Py_DECREF(o);
    }
}

TEST(sizes_beyond_what_is_left_are_refused)
{
    UNUSED;
    sc_codec *c = sc_codec_new();
    static const char tags[] = "IsbtzjkvmBLDSACO";
    for (size_t i = 0; i + 1 < sizeof tags; i++)
        for (int k = 0; k < 3; k++) {
            static const uint32_t counts[] = {UINT32_MAX, 0x80000000u, 100};
            char bytes[32] = {tags[i]};
            memcpy(bytes + 1, &counts[k], sizeof counts[k]);
            PyObject *back = NULL;
            CHECK(decode(c, bytes, sizeof bytes, &back) == SC_CODEC_BAD);
            CHECK(!PyErr_Occurred());
        }
    // A reference to what is not there, a class that is not in the table, an impossible date.
    static const char bad[][24] = {"R\5\0\0\0",
                                   "=\0\0\0\0L",
                                   "END\1",
                                   "X\1",
                                   "M\77N",
                                   "M\2t\0\0\0\0",
                                   "M\2t\1\0\0\0b\4\0\0\0\7\350\2\277",
                                   "Q?",
                                   "?"};
    for (size_t i = 0; i < SC_LEN(bad); i++) {
        PyObject *back = NULL;
        CHECK(decode(c, bad[i], sizeof bad[i], &back) == SC_CODEC_BAD);
        CHECK(!PyErr_Occurred());
    }
}

/* `answer` is made of the request as it arrived (r); true: it holds what `says` finds of it, with
 * the request's own containers (q). */
static void answer_to(sc_codec *c, const char *request, const char *change, const char *says)
{
    PyObject *q = evaluate(request), *r = NULL, *back = NULL, *sent = PyList_New(0),
             *known = PyList_New(0);
    SC_AUTO(sc_buf) bytes = sc_buf_init(1 << 20);
    CHECK(sc_codec_encode_kin(c, &ops, (sc_codec_kin){.note = sent}, q, &bytes) == SC_CODEC_OK);
    sc_cur in = sc_cur_init(bytes.p, bytes.n);
    CHECK(sc_codec_decode_kin(c, &sample_ops, (sc_codec_kin){.note = known}, &in, &r) ==
          SC_CODEC_OK);
    PyDict_SetItemString(globals, "q", r);
    PyObject *answer = evaluate(change);
    sc_buf_clear(&bytes);
    CHECK(sc_codec_encode_kin(c, &sample_ops, (sc_codec_kin){.old = known}, answer, &bytes) ==
          SC_CODEC_OK);
    // Every truncation of it is refused, too.
    for (size_t n = 0; n < bytes.n; n++) {
        PyObject *copy = PyList_GetSlice(sent, 0, 0);
        in = sc_cur_init(bytes.p, n);
        CHECK(sc_codec_decode_kin(c, &ops, (sc_codec_kin){.old = copy}, &in, &back) ==
              SC_CODEC_BAD);
        Py_DECREF(copy);
    }
    in = sc_cur_init(bytes.p, bytes.n);
    CHECK(sc_codec_decode_kin(c, &ops, (sc_codec_kin){.old = sent}, &in, &back) == SC_CODEC_OK);
    PyDict_SetItemString(globals, "q", q);
    PyDict_SetItemString(globals, "a", back);
    PyObject *right = evaluate(says);
    if (right != Py_True)
        print_error("%s: not %s\n", change, says);
    CHECK(right == Py_True);
    PyObject *const all[] = {q, r, back, sent, known, answer, right};
    for (size_t i = 0; i < SC_LEN(all); i++)
        Py_DECREF(all[i]);
}

TEST(containers_of_a_request_stay_the_same_in_its_answer)
{
    UNUSED;
    sc_codec *c = sc_codec_new();
    static const char *const row[][3] = {
        {"[[1], 2]", "(q[0].append(3), q)", "a[1] is q and q == [[1, 3], 2]"},
        {"[[1], [2]]", "(q.reverse(), q[0], q)", "a[1] is q[0] and q == [[2], [1]]"},
        {"{'a': [1]}", "(q.update(b=q['a']), q['a'], q)", "a[1] is q['a'] and q['b'] is q['a']"},
        {"({1}, bytearray(b'x'), collections.deque([1], 3))",
         "(q[0].add(2), q[1].extend(b'y'), q[2].append(2), q)",
         "a[3] == q == ({1, 2}, bytearray(b'xy'), collections.deque([1, 2], 3))"},
        {"(collections.Counter('a'), collections.OrderedDict(a=1), collections.defaultdict(list))",
         "(q[0].update('b'), q[1].update(b=2), q[2]['x'].append(1), q)",
         "a[3] == q and q[0]['b'] == 1 and list(q[1]) == ['a', 'b'] and q[2] == {'x': [1]}"},
        {"[[], []]", "(q[0].append(q), [q[1]], q)", "q[0][0] is q and a[1][0] is q[1]"},
        {"[1]", "(q.append(q), 5)", "a == (None, 5) and q == [1]"},
    };
    for (size_t i = 0; i < SC_LEN(row); i++)
        answer_to(c, row[i][0], row[i][1], row[i][2]);
}

TEST(classes_of_exceptions_arrive_as_classes)
{
    UNUSED;
    sc_codec *c = sc_codec_new();
    PyObject *o = evaluate("type('Own', (type('Base', (KeyError,), {}),), {})"), *back = NULL;
    SC_AUTO(sc_buf) bytes = sc_buf_init(1 << 20);
    CHECK(sc_codec_encode(c, &sample_ops, o, &bytes) == SC_CODEC_OK);
    sc_cur in = sc_cur_init(bytes.p, bytes.n);
    CHECK(sc_codec_decode(c, &sample_ops, &in, &back) == SC_CODEC_OK);
    CHECK(PyExceptionClass_Check(back) && PyObject_IsSubclass(back, PyExc_KeyError) == 1);
    CHECK(strstr(((PyTypeObject *)back)->tp_name, "Own"));
    Py_DECREF(back);
    Py_DECREF(o);
}

TEST(depth_and_number_are_bounded)
{
    UNUSED;
    sc_codec *c = sc_codec_new();
    SC_AUTO(sc_buf) bytes = sc_buf_init(1 << 20);
    for (int i = 0; i < 2000; i++)
        sc_buf_add(&bytes, "t\1\0\0\0", 5);
    sc_buf_add(&bytes, "N", 1);
    PyObject *back = NULL;
    CHECK(decode(c, bytes.p, bytes.n, &back) == SC_CODEC_TOO_BIG);
    PyObject *deep = evaluate("__import__('functools').reduce(lambda a, b: [a], range(2000), 0)");
    sc_buf_clear(&bytes);
    CHECK(sc_codec_encode(c, &ops, deep, &bytes) == SC_CODEC_TOO_BIG);
    Py_DECREF(deep);
    PyObject *endless = evaluate("__import__('itertools').count()");
    sc_buf_clear(&bytes);
    CHECK(sc_codec_encode(c, &ops, endless, &bytes) == SC_CODEC_TOO_BIG);
    Py_DECREF(endless);
}

// ---- failed allocations: Python's and ours

typedef struct faulty {
    PyMemAllocatorEx real[3];
    long left; // before one fails; 0: none does
} faulty;

static faulty fault;

static bool now(void)
{
    return fault.left > 0 && --fault.left == 0;
}

static void *fail_malloc(void *ctx, size_t n)
{
    const PyMemAllocatorEx *a = ctx;
    return now() ? NULL : a->malloc(a->ctx, n);
}

static void *fail_calloc(void *ctx, size_t n, size_t size)
{
    const PyMemAllocatorEx *a = ctx;
    return now() ? NULL : a->calloc(a->ctx, n, size);
}

static void *fail_realloc(void *ctx, void *p, size_t n)
{
    const PyMemAllocatorEx *a = ctx;
    return now() ? NULL : a->realloc(a->ctx, p, n);
}

static void real_free(void *ctx, void *p)
{
    const PyMemAllocatorEx *a = ctx;
    a->free(a->ctx, p);
}

static void install(void)
{
    static const PyMemAllocatorDomain domain[] = {PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};
    for (size_t i = 0; i < SC_LEN(domain); i++) {
        PyMem_GetAllocator(domain[i], &fault.real[i]);
        PyMemAllocatorEx a = {&fault.real[i], fail_malloc, fail_calloc, fail_realloc, real_free};
        PyMem_SetAllocator(domain[i], &a);
    }
}

TEST(every_failed_allocation_of_pythons_is_an_error)
{
    UNUSED;
    sc_codec *c = sc_codec_new();
    SC_AUTO(sc_buf) bytes = sc_buf_init(1 << 20);
    encode_all(c, &bytes); // also imports what is imported late
    install();
    size_t n_failed = 0;
    for (size_t at = 0; at < bytes.n;) {
        sc_cur in = sc_cur_init(bytes.p + at, bytes.n - at);
        PyObject *back = NULL;
        CHECK(sc_codec_decode(c, &ops, &in, &back) == SC_CODEC_OK);
        Py_DECREF(back);
        const size_t n = bytes.n - at - sc_cur_left(&in);
        for (long nth = 1; nth < 400; nth++) {
            back = NULL;
            fault.left = nth;
            const sc_codec_code code = decode(c, bytes.p + at, n, &back);
            const bool reached = fault.left == 0;
            fault.left = 0;
            CHECK(code == SC_CODEC_OK ? back != NULL : back == NULL);
            PyErr_Clear();
            Py_XDECREF(back);
            n_failed += code != SC_CODEC_OK;
            if (!reached)
                break;
        }
        at += n;
    }
    CHECK(n_failed > 50);
}

TEST(every_failed_allocation_of_ours_is_an_error)
{
    UNUSED;
    sc_codec *c = sc_codec_new();
    PyObject *o = evaluate("[[i] for i in range(200)], 10**400");
    bool good = false;
    for (long nth = 1; !good; nth++) {
        SC_AUTO(sc_buf) bytes = sc_buf_init(1 << 20);
        sc_alloc_fail_at(nth);
        const sc_codec_code code = sc_codec_encode(c, &ops, o, &bytes);
        sc_alloc_fail_at(0);
        good = code == SC_CODEC_OK;
        CHECK(good || code == SC_CODEC_TOO_BIG);
        CHECK(!good || nth > 3);
    }
    Py_DECREF(o);
}

int main(void)
{
    Py_InitializeEx(0);
    globals = PyDict_New();
    static const char *const names[] = {"collections", "datetime", "decimal", "fractions"};
    PyDict_SetItemString(globals, "__builtins__", PyEval_GetBuiltins());
    for (size_t i = 0; i < SC_LEN(names); i++)
        PyDict_SetItemString(globals, names[i], PyImport_ImportModule(names[i]));
    const struct CMUnitTest tests[] = {
        T(values_of_every_kind_arrive_as_they_were),
        T(shared_and_cyclic_values_keep_their_shape),
        T(every_truncation_is_refused),
        T(sizes_beyond_what_is_left_are_refused),
        T(containers_of_a_request_stay_the_same_in_its_answer),
        T(classes_of_exceptions_arrive_as_classes),
        T(depth_and_number_are_bounded),
        T(every_failed_allocation_of_pythons_is_an_error),
        T(every_failed_allocation_of_ours_is_an_error),
    };
    return RUN_TESTS(tests);
}
