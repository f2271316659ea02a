// SPDX-License-Identifier: MIT
#include "fmt/pickle.h"

#include "base/mem.h"
#include "fmt/pickle_names.h"

#include <assert.h>
#include <inttypes.h>

enum {
    MAX_PROTOCOL = 5,
    MAX_VALUES = 1 << 22,
    MAX_ITEMS = 1 << 24, // of all containers together
    MAX_STACK = 1 << 22,
    MAX_MEMO = 1 << 22,
    FIXED_CALL_ITEMS = 3,
};

// The first values of every pickle: they are used again and again.
enum { NONE, FALSE, TRUE, N_FIXED };

typedef struct value {
    sc_pkl_kind kind;
    uint32_t n;   // items used
    size_t cap;   // items allocated
    sc_pkl *item; // owned
    union {
        int64_t i;
        double f;
        sc_str s; // borrowed from the input
    };
} value;

struct sc_pickle {
    value *v; // owned, [n]
    size_t n;
    size_t cap;
    sc_pkl root;
};

/* The state of the reader: the pickle machine's stack, marks and memo. */
typedef struct machine {
    sc_cur *c;     // borrowed
    sc_pickle *p;  // borrowed
    sc_pkl *stack; // owned
    size_t n_stack;
    size_t cap_stack;
    size_t *mark; // owned
    size_t n_marks;
    size_t cap_marks;
    sc_pkl *memo; // owned; value + 1, 0 for none
    size_t n_memo;
    size_t cap_memo;
    size_t memo_used; // how many are set: the next number for MEMOIZE
    size_t n_items;   // of all containers
    size_t op_at;     // offset of the opcode being read
    bool stopped;
} machine;

static void machine_drop(machine *m)
{
    sc_free(m->stack);
    sc_free(m->mark);
    sc_free(m->memo);
}
SC_AUTO_DEFINE_VALUE(machine, machine_drop);

static sc_code fail_op(const machine *m, const char *why, sc_err *err)
{
    return sc_fail_at(err, SC_E_FORMAT, m->op_at, "pickle: %s", why);
}

static sc_code fail_limit(const machine *m, const char *what, sc_err *err)
{
    return sc_fail_at(err, SC_E_LIMIT, m->op_at, "pickle: too many %s", what);
}

static sc_code push(machine *m, sc_pkl v, sc_err *err)
{
    if (m->n_stack == MAX_STACK)
        return fail_limit(m, "values on the stack", err);
    if (!sc_grow(&m->stack, &m->cap_stack, m->n_stack, MAX_STACK, sizeof *m->stack))
        return sc_fail_nomem(err);
    m->stack[m->n_stack++] = v;
    return SC_OK;
}

/* Where the part of the stack above the last mark begins. */
static size_t floor_of(const machine *m)
{
    return m->n_marks ? m->mark[m->n_marks - 1] : 0;
}

static sc_code pop(machine *m, sc_pkl *out, sc_err *err)
{
    if (m->n_stack <= floor_of(m))
        return fail_op(m, "takes from an empty stack", err);
    *out = m->stack[--m->n_stack];
    return SC_OK;
}

static sc_code top(const machine *m, sc_pkl *out, sc_err *err)
{
    if (m->n_stack <= floor_of(m))
        return fail_op(m, "takes from an empty stack", err);
    *out = m->stack[m->n_stack - 1];
    return SC_OK;
}

/* Takes the last mark away: *from is where the values above it begin. */
static sc_code pop_mark(machine *m, size_t *from, sc_err *err)
{
    if (!m->n_marks)
        return fail_op(m, "no mark on the stack", err);
    *from = m->mark[--m->n_marks];
    return SC_OK;
}

static sc_code add_value(machine *m, value v, sc_pkl *out, sc_err *err)
{
    sc_pickle *p = m->p;
    if (p->n == MAX_VALUES)
        return fail_limit(m, "values", err);
    if (!sc_grow(&p->v, &p->cap, p->n, MAX_VALUES, sizeof *p->v))
        return sc_fail_nomem(err);
    *out = (sc_pkl)p->n;
    p->v[p->n++] = v;
    return SC_OK;
}

static sc_code push_value(machine *m, value v, sc_err *err)
{
    sc_pkl at = 0;
    SC_TRY(add_value(m, v, &at, err));
    return push(m, at, err);
}

static sc_code add_items(machine *m, sc_pkl to, const sc_pkl *item, size_t n, sc_err *err)
{
    value *v = &m->p->v[to];
    if (n > MAX_ITEMS - m->n_items)
        return fail_limit(m, "items", err);
    for (size_t i = 0; i < n; i++) {
        if (!sc_grow(&v->item, &v->cap, v->n, MAX_ITEMS, sizeof *v->item))
            return sc_fail_nomem(err);
        v->item[v->n++] = item[i];
    }
    m->n_items += n;
    return SC_OK;
}

/* A tuple is filled once: exactly as many items as it needs. */
static sc_code push_tuple(machine *m, size_t n, sc_err *err)
{
    if (n > m->n_stack - floor_of(m))
        return fail_op(m, "takes from an empty stack", err);
    if (n > MAX_ITEMS - m->n_items)
        return fail_limit(m, "items", err);
    value v = {.kind = SC_PKL_TUPLE, .n = (uint32_t)n, .cap = n};
    if (n) {
        v.item = sc_alloc(n, sizeof *v.item);
        if (!v.item)
            return sc_fail_nomem(err);
        memcpy(v.item, m->stack + m->n_stack - n, n * sizeof *v.item);
    }
    sc_pkl at = 0;
    const sc_code code = add_value(m, v, &at, err);
    if (code != SC_OK) {
        sc_free(v.item);
        return code;
    }
    m->n_items += n;
    m->n_stack -= n;
    return push(m, at, err);
}

// One function an opcode. The cursor's sticky failure is asked for once an opcode, in run().

static sc_code op_proto(machine *m, sc_err *err)
{
    const uint8_t version = sc_cur_u8(m->c);
    if (version > MAX_PROTOCOL)
        return sc_fail_at(err, SC_E_UNSUPPORTED, m->op_at, "pickle: protocol %u", version);
    return SC_OK;
}

static sc_code op_frame(machine *m, sc_err *err)
{
    if (sc_cur_u64(m->c) > sc_cur_left(m->c))
        return fail_op(m, "a frame goes past the end", err);
    return SC_OK;
}

static sc_code op_stop(machine *m, sc_err *err)
{
    m->stopped = true;
    return pop(m, &m->p->root, err);
}

static sc_code op_mark(machine *m, sc_err *err)
{
    if (m->n_marks == MAX_STACK)
        return fail_limit(m, "marks", err);
    if (!sc_grow(&m->mark, &m->cap_marks, m->n_marks, MAX_STACK, sizeof *m->mark))
        return sc_fail_nomem(err);
    m->mark[m->n_marks++] = m->n_stack;
    return SC_OK;
}

static sc_code op_pop(machine *m, sc_err *err)
{
    sc_pkl v = 0;
    if (m->n_marks && m->n_stack == floor_of(m)) {
        size_t from = 0;
        return pop_mark(m, &from, err);
    }
    return pop(m, &v, err);
}

static sc_code op_pop_mark(machine *m, sc_err *err)
{
    return pop_mark(m, &m->n_stack, err);
}

static sc_code op_dup(machine *m, sc_err *err)
{
    sc_pkl v = 0;
    SC_TRY(top(m, &v, err));
    return push(m, v, err);
}

static sc_code op_none(machine *m, sc_err *err)
{
    return push(m, NONE, err);
}

static sc_code op_true(machine *m, sc_err *err)
{
    return push(m, TRUE, err);
}

static sc_code op_false(machine *m, sc_err *err)
{
    return push(m, FALSE, err);
}

static sc_code push_int(machine *m, int64_t i, sc_err *err)
{
    return push_value(m, (value){.kind = SC_PKL_INT, .i = i}, err);
}

static sc_code op_int4(machine *m, sc_err *err)
{
    return push_int(m, (int32_t)sc_cur_u32(m->c), err);
}

static sc_code op_int1(machine *m, sc_err *err)
{
    return push_int(m, sc_cur_u8(m->c), err);
}

static sc_code op_int2(machine *m, sc_err *err)
{
    return push_int(m, sc_cur_u16(m->c), err);
}

/* Two's complement of `n` bytes, the lowest first. */
static sc_code push_long(machine *m, uint64_t n, sc_err *err)
{
    const uint8_t *p = sc_cur_take(m->c, n);
    if (!p)
        return SC_OK; // run() sees it
    if (n > 8)
        return push_value(m, (value){.kind = SC_PKL_BIGINT, .s = {(const char *)p, (size_t)n}},
                          err);
    uint64_t v = n && p[n - 1] & 0x80 ? UINT64_MAX : 0;
    for (uint64_t i = n; i-- > 0;)
        v = v << 8 | p[i];
    return push_int(m, (int64_t)v, err);
}

static sc_code op_long1(machine *m, sc_err *err)
{
    return push_long(m, sc_cur_u8(m->c), err);
}

static sc_code op_long4(machine *m, sc_err *err)
{
    return push_long(m, sc_cur_u32(m->c), err);
}

static sc_code op_float(machine *m, sc_err *err)
{
    uint64_t bits = __builtin_bswap64(sc_cur_u64(m->c)); // the one big-endian opcode
    double f = 0;
    memcpy(&f, &bits, sizeof f);
    return push_value(m, (value){.kind = SC_PKL_FLOAT, .f = f}, err);
}

static sc_code push_text(machine *m, sc_pkl_kind kind, uint64_t n, sc_err *err)
{
    const uint8_t *p = sc_cur_take(m->c, n);
    if (!p)
        return SC_OK; // run() sees it
    return push_value(m, (value){.kind = kind, .s = {(const char *)p, (size_t)n}}, err);
}

static sc_code op_str1(machine *m, sc_err *err)
{
    return push_text(m, SC_PKL_STR, sc_cur_u8(m->c), err);
}

static sc_code op_str4(machine *m, sc_err *err)
{
    return push_text(m, SC_PKL_STR, sc_cur_u32(m->c), err);
}

static sc_code op_str8(machine *m, sc_err *err)
{
    return push_text(m, SC_PKL_STR, sc_cur_u64(m->c), err);
}

static sc_code op_bytes1(machine *m, sc_err *err)
{
    return push_text(m, SC_PKL_BYTES, sc_cur_u8(m->c), err);
}

static sc_code op_bytes4(machine *m, sc_err *err)
{
    return push_text(m, SC_PKL_BYTES, sc_cur_u32(m->c), err);
}

static sc_code op_bytes8(machine *m, sc_err *err)
{
    return push_text(m, SC_PKL_BYTES, sc_cur_u64(m->c), err);
}

static sc_code op_tuple0(machine *m, sc_err *err)
{
    return push_tuple(m, 0, err);
}

static sc_code op_tuple1(machine *m, sc_err *err)
{
    return push_tuple(m, 1, err);
}

static sc_code op_tuple2(machine *m, sc_err *err)
{
    return push_tuple(m, 2, err);
}

static sc_code op_tuple3(machine *m, sc_err *err)
{
    return push_tuple(m, 3, err);
}

static sc_code op_tuple(machine *m, sc_err *err)
{
    size_t from = 0;
    SC_TRY(pop_mark(m, &from, err));
    return push_tuple(m, m->n_stack - from, err);
}

static sc_code op_list(machine *m, sc_err *err)
{
    return push_value(m, (value){.kind = SC_PKL_LIST}, err);
}

static sc_code op_dict(machine *m, sc_err *err)
{
    return push_value(m, (value){.kind = SC_PKL_DICT}, err);
}

static sc_code op_set(machine *m, sc_err *err)
{
    return push_value(m, (value){.kind = SC_PKL_SET}, err);
}

/* Adds the values from `from` on to the container below them. */
static sc_code append(machine *m, size_t from, bool pairs, sc_err *err)
{
    const size_t n = m->n_stack - from;
    if (from <= floor_of(m))
        return fail_op(m, "takes from an empty stack", err);
    const sc_pkl to = m->stack[from - 1];
    const sc_pkl_kind kind = m->p->v[to].kind;
    const bool fits = kind == SC_PKL_CALL ||
                      (pairs ? kind == SC_PKL_DICT : kind == SC_PKL_LIST || kind == SC_PKL_SET);
    if (!fits || (pairs && n % 2))
        return fail_op(m, "adds items to what cannot hold them", err);
    SC_TRY(add_items(m, to, m->stack + from, n, err));
    m->n_stack = from;
    return SC_OK;
}

static sc_code append_marked(machine *m, bool pairs, sc_err *err)
{
    size_t from = 0;
    SC_TRY(pop_mark(m, &from, err));
    return append(m, from, pairs, err);
}

static sc_code op_append(machine *m, sc_err *err)
{
    if (m->n_stack < floor_of(m) + 2)
        return fail_op(m, "takes from an empty stack", err);
    return append(m, m->n_stack - 1, false, err);
}

static sc_code op_appends(machine *m, sc_err *err)
{
    return append_marked(m, false, err);
}

static sc_code op_setitem(machine *m, sc_err *err)
{
    if (m->n_stack < floor_of(m) + 3)
        return fail_op(m, "takes from an empty stack", err);
    return append(m, m->n_stack - 2, true, err);
}

static sc_code op_setitems(machine *m, sc_err *err)
{
    return append_marked(m, true, err);
}

static sc_code op_frozenset(machine *m, sc_err *err)
{
    size_t from = 0;
    SC_TRY(pop_mark(m, &from, err));
    sc_pkl set = 0;
    SC_TRY(add_value(m, (value){.kind = SC_PKL_SET}, &set, err));
    if (m->n_stack > from) // an empty stack has no memory to point into
        SC_TRY(add_items(m, set, m->stack + from, m->n_stack - from, err));
    m->n_stack = from;
    return push(m, set, err);
}

static sc_code put_memo(machine *m, uint64_t at, sc_err *err)
{
    sc_pkl v = 0;
    SC_TRY(top(m, &v, err));
    if (at >= MAX_MEMO)
        return fail_limit(m, "memo entries", err);
    if (at >= m->cap_memo) {
        size_t cap = m->cap_memo ? m->cap_memo * 2 : 256;
        while (cap <= at)
            cap *= 2; // at most MAX_MEMO, a power of two
        sc_pkl *memo = sc_realloc(m->memo, cap, sizeof *memo);
        if (!memo)
            return sc_fail_nomem(err);
        memset(memo + m->cap_memo, 0, (cap - m->cap_memo) * sizeof *memo);
        m->memo = memo;
        m->cap_memo = cap;
    }
    m->memo_used += m->memo[at] == 0;
    m->memo[at] = v + 1;
    return SC_OK;
}

static sc_code op_put1(machine *m, sc_err *err)
{
    return put_memo(m, sc_cur_u8(m->c), err);
}

static sc_code op_put4(machine *m, sc_err *err)
{
    return put_memo(m, sc_cur_u32(m->c), err);
}

static sc_code op_memoize(machine *m, sc_err *err)
{
    return put_memo(m, m->memo_used, err);
}

static sc_code get_memo(machine *m, uint64_t at, sc_err *err)
{
    if (at >= m->cap_memo || m->memo[at] == 0)
        return fail_op(m, "uses a memo entry that is not there", err);
    return push(m, m->memo[at] - 1, err);
}

static sc_code op_get1(machine *m, sc_err *err)
{
    return get_memo(m, sc_cur_u8(m->c), err);
}

static sc_code op_get4(machine *m, sc_err *err)
{
    return get_memo(m, sc_cur_u32(m->c), err);
}

static sc_code push_global(machine *m, sc_pkl module, sc_pkl name, sc_err *err)
{
    const value *v = m->p->v;
    if (v[module].kind != SC_PKL_STR || v[name].kind != SC_PKL_STR)
        return fail_op(m, "a global's name is not a string", err);
    if (sc_pickle_name_is_hostile(v[module].s, v[name].s))
        return sc_fail_at(err, SC_E_FORMAT, m->op_at,
                          "pickle: names %.*s.%.*s, which could run code: no checkpoint needs it, "
                          "the file is refused",
                          SC_STRF(v[module].s), SC_STRF(v[name].s));
    sc_pkl at = 0;
    const sc_pkl items[] = {module, name};
    SC_TRY(add_value(m, (value){.kind = SC_PKL_GLOBAL}, &at, err));
    SC_TRY(add_items(m, at, items, 2, err));
    return push(m, at, err);
}

/* The text up to the next newline. */
static bool read_line(machine *m, sc_str *out)
{
    const char *from = (const char *)m->c->p + m->c->pos;
    const size_t left = sc_cur_left(m->c);
    const char *end = left ? memchr(from, '\n', left) : NULL;
    sc_cur_skip(m->c, end ? (size_t)(end - from) + 1 : left + 1); // too far: the sticky failure
    *out = (sc_str){from, end ? (size_t)(end - from) : 0};
    return end != NULL;
}

static sc_code op_global(machine *m, sc_err *err)
{
    sc_str module = {0};
    sc_str name = {0};
    if (!read_line(m, &module) || !read_line(m, &name))
        return SC_OK; // run() sees it
    sc_pkl a = 0;
    sc_pkl b = 0;
    SC_TRY(add_value(m, (value){.kind = SC_PKL_STR, .s = module}, &a, err));
    SC_TRY(add_value(m, (value){.kind = SC_PKL_STR, .s = name}, &b, err));
    return push_global(m, a, b, err);
}

static sc_code op_stack_global(machine *m, sc_err *err)
{
    sc_pkl module = 0;
    sc_pkl name = 0;
    SC_TRY(pop(m, &name, err));
    SC_TRY(pop(m, &module, err));
    return push_global(m, module, name, err);
}

/* The items of a list of pairs become those of a dict. */
static sc_code add_pairs(machine *m, sc_pkl dict, sc_pkl list, sc_err *err)
{
    for (size_t i = 0; i < m->p->v[list].n; i++) {
        const value *pair = &m->p->v[m->p->v[list].item[i]];
        if ((pair->kind != SC_PKL_LIST && pair->kind != SC_PKL_TUPLE) || pair->n != 2)
            return fail_op(m, "a dict is made from what are not pairs", err);
        const sc_pkl items[] = {pair->item[0], pair->item[1]};
        SC_TRY(add_items(m, dict, items, 2, err));
    }
    return SC_OK;
}

/* Calls of Python's own containers are carried out; `args` is a tuple. */
static sc_code push_container(machine *m, sc_pkl_kind kind, sc_pkl args, sc_err *err)
{
    sc_pkl made = 0;
    SC_TRY(add_value(m, (value){.kind = kind}, &made, err));
    const value *a = &m->p->v[args];
    for (size_t i = 0; i < a->n; i++) {
        const value *from = &m->p->v[a->item[i]];
        // Another argument is the factory of a defaultdict.
        if (from->kind == kind || (kind == SC_PKL_SET && from->kind == SC_PKL_LIST))
            SC_TRY(add_items(m, made, from->item, from->n, err));
        else if (kind == SC_PKL_DICT && from->kind == SC_PKL_LIST)
            SC_TRY(add_pairs(m, made, a->item[i], err));
    }
    return push(m, made, err);
}

static sc_code op_call(machine *m, sc_err *err)
{
    sc_pkl args = 0;
    sc_pkl func = 0;
    SC_TRY(pop(m, &args, err));
    SC_TRY(pop(m, &func, err));
    const value *f = &m->p->v[func];
    if (m->p->v[args].kind != SC_PKL_TUPLE)
        return fail_op(m, "a call's arguments are not a tuple", err);
    if (f->kind == SC_PKL_GLOBAL) {
        const sc_str module = m->p->v[f->item[0]].s;
        const sc_str name = m->p->v[f->item[1]].s;
        if (sc_pickle_name_is_dict(module, name))
            return push_container(m, SC_PKL_DICT, args, err);
        if (sc_pickle_name_is_set(module, name))
            return push_container(m, SC_PKL_SET, args, err);
    }
    sc_pkl call = 0;
    const sc_pkl items[FIXED_CALL_ITEMS] = {func, args, NONE};
    SC_TRY(add_value(m, (value){.kind = SC_PKL_CALL}, &call, err));
    SC_TRY(add_items(m, call, items, SC_LEN(items), err));
    return push(m, call, err);
}

/* NEWOBJ_EX: keyword arguments say nothing that we use. */
static sc_code op_newobj_ex(machine *m, sc_err *err)
{
    sc_pkl kwargs = 0;
    SC_TRY(pop(m, &kwargs, err));
    return op_call(m, err);
}

/* The state of a container (the `_metadata` of a state dict) says nothing that we use. */
static sc_code op_build(machine *m, sc_err *err)
{
    sc_pkl state = 0;
    sc_pkl to = 0;
    SC_TRY(pop(m, &state, err));
    SC_TRY(top(m, &to, err));
    value *v = &m->p->v[to];
    if (v->kind == SC_PKL_CALL)
        v->item[2] = state;
    else if (v->kind != SC_PKL_DICT && v->kind != SC_PKL_SET && v->kind != SC_PKL_LIST)
        return fail_op(m, "sets the state of what has none", err);
    return SC_OK;
}

static sc_code op_persid(machine *m, sc_err *err)
{
    sc_pkl id = 0;
    sc_pkl at = 0;
    SC_TRY(pop(m, &id, err));
    SC_TRY(add_value(m, (value){.kind = SC_PKL_PERSID}, &at, err));
    SC_TRY(add_items(m, at, &id, 1, err));
    return push(m, at, err);
}

typedef sc_code op_fn(machine *m, sc_err *err);

// What is missing belongs to protocols 0 and 1, to extension codes or to out-of-band buffers.
static op_fn *const ops[256] = {
    [0x80] = op_proto,     [0x95] = op_frame,   ['.'] = op_stop,          ['('] = op_mark,
    ['0'] = op_pop,        ['1'] = op_pop_mark, ['2'] = op_dup,           ['N'] = op_none,
    [0x88] = op_true,      [0x89] = op_false,   ['J'] = op_int4,          ['K'] = op_int1,
    ['M'] = op_int2,       [0x8a] = op_long1,   [0x8b] = op_long4,        ['G'] = op_float,
    ['U'] = op_str1,       ['T'] = op_str4,     [0x8c] = op_str1,         ['X'] = op_str4,
    [0x8d] = op_str8,      ['C'] = op_bytes1,   ['B'] = op_bytes4,        [0x8e] = op_bytes8,
    [0x96] = op_bytes8,    [')'] = op_tuple0,   [0x85] = op_tuple1,       [0x86] = op_tuple2,
    [0x87] = op_tuple3,    ['t'] = op_tuple,    [']'] = op_list,          ['}'] = op_dict,
    [0x8f] = op_set,       ['a'] = op_append,   ['e'] = op_appends,       ['s'] = op_setitem,
    ['u'] = op_setitems,   [0x90] = op_appends, [0x91] = op_frozenset,    ['q'] = op_put1,
    ['r'] = op_put4,       [0x94] = op_memoize, ['h'] = op_get1,          ['j'] = op_get4,
    ['c'] = op_global,     ['R'] = op_call,     [0x93] = op_stack_global, [0x81] = op_call,
    [0x92] = op_newobj_ex, ['b'] = op_build,    ['Q'] = op_persid,
};

static sc_code run(machine *m, sc_err *err)
{
    while (!m->stopped) {
        m->op_at = m->c->pos;
        const uint8_t op = sc_cur_u8(m->c);
        if (!sc_cur_ok(m->c))
            return fail_op(m, "truncated", err);
        if (!ops[op])
            return sc_fail_at(err, SC_E_UNSUPPORTED, m->op_at,
                              "pickle: opcode 0x%02x is not one that checkpoints use", op);
        SC_TRY(ops[op](m, err));
        if (!sc_cur_ok(m->c))
            return fail_op(m, "truncated", err);
    }
    return SC_OK;
}

sc_code sc_pickle_parse(sc_cur *c, sc_pickle **out, sc_err *err)
{
    SC_AUTO(sc_pickle) *p = sc_new(sc_pickle);
    if (!p)
        return sc_fail_nomem(err);
    SC_AUTO(machine) m = {.c = c, .p = p, .op_at = c->pos};
    static const value fixed[N_FIXED] = {
        [NONE] = {.kind = SC_PKL_NONE},
        [FALSE] = {.kind = SC_PKL_BOOL, .i = 0},
        [TRUE] = {.kind = SC_PKL_BOOL, .i = 1},
    };
    for (size_t i = 0; i < N_FIXED; i++) {
        sc_pkl at = 0;
        SC_TRY(add_value(&m, fixed[i], &at, err));
    }
    SC_TRY(run(&m, err));
    *out = sc_take(p);
    return SC_OK;
}

void sc_pickle_free(sc_pickle *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        sc_free(p->v[i].item);
    sc_free(p->v);
    sc_free(p);
}

sc_pkl sc_pickle_root(const sc_pickle *p)
{
    return p->root;
}

size_t sc_pickle_n_values(const sc_pickle *p)
{
    return p->n;
}

sc_pkl_kind sc_pickle_kind(const sc_pickle *p, sc_pkl v)
{
    return p->v[v].kind;
}

int64_t sc_pickle_int(const sc_pickle *p, sc_pkl v)
{
    assert(p->v[v].kind == SC_PKL_INT || p->v[v].kind == SC_PKL_BOOL);
    return p->v[v].i;
}

double sc_pickle_float(const sc_pickle *p, sc_pkl v)
{
    assert(p->v[v].kind == SC_PKL_FLOAT);
    return p->v[v].f;
}

sc_str sc_pickle_str(const sc_pickle *p, sc_pkl v)
{
    const sc_pkl_kind kind = p->v[v].kind;
    if (kind != SC_PKL_STR && kind != SC_PKL_BYTES && kind != SC_PKL_BIGINT)
        return SC_STR("");
    return p->v[v].s;
}

size_t sc_pickle_n_items(const sc_pickle *p, sc_pkl v)
{
    return p->v[v].n;
}

sc_pkl sc_pickle_item(const sc_pickle *p, sc_pkl v, size_t i)
{
    assert(i < p->v[v].n);
    return p->v[v].item[i];
}

bool sc_pickle_find(const sc_pickle *p, sc_pkl v, const char *key, sc_pkl *out)
{
    if (p->v[v].kind != SC_PKL_DICT)
        return false;
    // From the end: a key that was set twice has its last value.
    for (size_t i = p->v[v].n / 2; i-- > 0;) {
        const sc_pkl k = p->v[v].item[2 * i];
        if (p->v[k].kind == SC_PKL_STR && sc_str_is(p->v[k].s, key)) {
            *out = p->v[v].item[2 * i + 1];
            return true;
        }
    }
    return false;
}

bool sc_pickle_is_global(const sc_pickle *p, sc_pkl v, const char *module, const char *name)
{
    return p->v[v].kind == SC_PKL_GLOBAL && sc_str_is(p->v[p->v[v].item[0]].s, module) &&
           sc_str_is(p->v[p->v[v].item[1]].s, name);
}
