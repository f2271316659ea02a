// SPDX-License-Identifier: MIT
#include "fmt/pickle.h"

#include "five.h"

static sc_code parse(const uint8_t *bytes, size_t size, sc_err *err)
{
    sc_cur c = sc_cur_init(bytes, size);
    SC_AUTO(sc_pickle) *p = NULL;
    const sc_code code = sc_pickle_parse(&c, &p, err);
    CHECK((code == SC_OK) == (p != NULL));
    return code;
}

/* {"a": (1, -2, 1.5, None, True), "b": ["x", b"yz", 2^70], "c": torch.float16, "d": set()} */
static const char good[] =
    "\x80\x04}q\0(X\x01\0\0\0a(K\x01J\xfe\xff\xff\xffG\x3f\xf8\0\0\0\0\0\0N\x88t"
    "\x8c\x01"
    "b]q\x01(X\x01\0\0\0xC\x02yz\x8a\x09\0\0\0\0\0\0\0\0\x40"
    "e"
    "X\x01\0\0\0c\x8c\x05torch\x8c\x07"
    "float16\x93X\x01\0\0\0d\x8fu.";

TEST(reads_a_good_file)
{
    UNUSED;
    sc_err err = {0};
    sc_cur c = sc_cur_init((const uint8_t *)good, sizeof good - 1);
    SC_AUTO(sc_pickle) *p = NULL;
    CHECK_OK(sc_pickle_parse(&c, &p, &err), &err);
    CHECK(c.pos == sizeof good - 1);
    const sc_pkl root = sc_pickle_root(p);
    sc_pkl v = 0;
    CHECK(sc_pickle_kind(p, root) == SC_PKL_DICT && sc_pickle_n_items(p, root) == 8);
    CHECK(sc_pickle_find(p, root, "a", &v) && sc_pickle_kind(p, v) == SC_PKL_TUPLE);
    CHECK(sc_pickle_n_items(p, v) == 5 && sc_pickle_int(p, sc_pickle_item(p, v, 1)) == -2);
    CHECK(!(sc_pickle_float(p, sc_pickle_item(p, v, 2)) < 1.5));
    CHECK(sc_pickle_kind(p, sc_pickle_item(p, v, 3)) == SC_PKL_NONE);
    CHECK(sc_pickle_find(p, root, "b", &v) && sc_pickle_n_items(p, v) == 3);
    CHECK(sc_str_is(sc_pickle_str(p, sc_pickle_item(p, v, 1)), "yz"));
    CHECK(sc_pickle_kind(p, sc_pickle_item(p, v, 2)) == SC_PKL_BIGINT);
    CHECK(sc_pickle_find(p, root, "c", &v) && sc_pickle_is_global(p, v, "torch", "float16"));
    CHECK(sc_pickle_find(p, root, "d", &v) && sc_pickle_kind(p, v) == SC_PKL_SET);
    CHECK(!sc_pickle_find(p, root, "e", &v));
}

TEST(refuses_every_truncation)
{
    UNUSED;
    refuse_truncations(parse, (const uint8_t *)good, sizeof good - 1);
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    survive_allocations(parse, (const uint8_t *)good, sizeof good - 1);
}

/* A pickle, the error that it gives and where. */
static const struct {
    const char *bytes;
    size_t size;
    sc_code code;
    size_t at; // SIZE_MAX: anywhere inside
} bad[] = {
#define BYTES(text) text, sizeof text - 1
    {BYTES("."), SC_E_FORMAT, SIZE_MAX},                           // nothing on the stack
    {BYTES("\x80\x63N."), SC_E_FORMAT, SIZE_MAX},                  // a protocol of the future
    {BYTES("\x80\x02X\xff\xff\xff\xffx."), SC_E_FORMAT, SIZE_MAX}, // a length past the end
    {BYTES("\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffx."), SC_E_FORMAT, SIZE_MAX},
    {BYTES("\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xffN."), SC_E_FORMAT, SIZE_MAX}, // a frame
    {BYTES("\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fN."), SC_E_FORMAT, SIZE_MAX},
    {BYTES("\x80\x02\x8b\xff\xff\xff\xffN."), SC_E_FORMAT, SIZE_MAX}, // a negative length
    {BYTES("\x80\x02j\xff\xff\xff\xff."), SC_E_FORMAT, SIZE_MAX},     // nothing kept there
    {BYTES("\x80\x02h\x05."), SC_E_FORMAT, SIZE_MAX},                 //
    {BYTES("\x80\x02t."), SC_E_FORMAT, SIZE_MAX},                     // a tuple without a mark
    {BYTES("\x80\x02(NNu."), SC_E_FORMAT, SIZE_MAX},                  // no dict below the mark
    {BYTES("\x80\x02}(Nu."), SC_E_FORMAT, SIZE_MAX},                  // a key without a value
    {BYTES("\x80\x02NN\x86R."), SC_E_FORMAT, SIZE_MAX},               // nothing to call
    {BYTES("\x80\x02\x93."), SC_E_FORMAT, SIZE_MAX},                  //
    {BYTES("\x80\x02"
           "cos\nsystem\n."),
     SC_E_FORMAT, 2},
    {BYTES("\x80\x02"
           "cbuiltins\neval\n."),
     SC_E_FORMAT, 2},
    {BYTES("\x80\x04\x8c\x05posix\x8c\x06system\x93."), SC_E_FORMAT, SIZE_MAX},
    {BYTES("\x80\x02I1\n."), SC_E_UNSUPPORTED, 2},  // protocol 0
    {BYTES("\x80\x02N\x01."), SC_E_UNSUPPORTED, 3}, // no opcode
};

TEST(refuses_what_does_not_hold_and_says_where)
{
    UNUSED;
    for (size_t i = 0; i < SC_LEN(bad); i++) {
        sc_err err = {0};
        const sc_code code = parse_copy(parse, (const uint8_t *)bad[i].bytes, bad[i].size, &err);
        const bool place = bad[i].at == SIZE_MAX ? err.at <= bad[i].size : err.at == bad[i].at;
        if (code == SC_OK || (bad[i].at != SIZE_MAX && code != bad[i].code) || !place)
            fail_msg("pickle %zu: %s: %s (byte %llu)", i, sc_code_name(code), err.msg,
                     (unsigned long long)err.at);
    }
}

TEST(endless_nesting_ends)
{
    UNUSED;
    enum { DEEP = 1 << 20 };
    uint8_t *bytes = sc_alloc(DEEP + 3, 1);
    CHECK(bytes);
    static const uint8_t openers[] = {'(', ']', '}'};
    for (size_t k = 0; k < SC_LEN(openers); k++) {
        memset(bytes, openers[k], DEEP);
        memcpy(bytes, "\x80\x02", 2);
        bytes[DEEP] = '.';
        sc_err err = {0};
        (void)parse(bytes, DEEP + 1, &err); // refused or not: it comes back
    }
    sc_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(reads_a_good_file),
        T(refuses_every_truncation),
        T(survives_every_failed_allocation),
        T(refuses_what_does_not_hold_and_says_where),
        T(endless_nesting_ends),
    };
    return RUN_TESTS(tests);
}
