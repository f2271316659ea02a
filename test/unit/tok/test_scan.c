// SPDX-License-Identifier: MIT
/* The hand-written cutters against the patterns themselves, on random text. */
#include "base/rng.h"
#include "base/utf8.h"
#include "t.h"
#include "tok/pre.h"

#define SPLIT(regex)                                                                               \
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" regex                                          \
    "\"},\"behavior\":\"Isolated\",\"invert\":false},"
#define BYTES    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}"
#define GPT2     "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}"
#define STEPS(x) "{\"type\":\"Sequence\",\"pretokenizers\":[" x "]}"
#define CL100K(digits)                                                                             \
    SPLIT("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|" digits           \
          "| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+")

static const struct {
    const char *name;
    const char *json;
    sc_scan_fn *scan;
} families[] = {
    {"gpt2", GPT2, sc_scan_gpt2},
    {"starcoder", STEPS("{\"type\":\"Digits\",\"individual_digits\":true}," GPT2),
     sc_scan_starcoder},
    {"qwen2", STEPS(CL100K("\\\\p{N}") BYTES), sc_scan_qwen2},
    {"llama3", STEPS(CL100K("\\\\p{N}{1,3}") BYTES), sc_scan_llama3},
    {"deepseek",
     STEPS(SPLIT("[\\r\\n]") SPLIT("\\\\s?\\\\p{L}+") SPLIT("\\\\s?\\\\p{P}+") SPLIT(
         "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+") "{\"type\":\"Digits\",\"individual_digits\":"
                                                       "true}," BYTES),
     sc_scan_deepseek},
};

/* Characters on which the patterns turn, and their neighbours. */
static const uint32_t turning[] = {
    ' ',    ' ',    ' ',    '\n',    '\r',     '\t',    '\'',    '\'',    's',    'S',    't',
    'r',    'e',    'l',    'L',     'd',      'v',     'm',     'a',     'Z',    '0',    '9',
    '.',    ',',    '_',    '+',     '$',      '(',     0x0B,    0x0C,    0x1C,   0x85,   0xA0,
    0x17F,  0xE9,   0xAA,   0xB2,    0xBD,     0x300,   0x1680,  0x2003,  0x2014, 0x2028, 0x202F,
    0x205F, 0x2160, 0x3000, 0x3002,  0x4E00,   0x9FA5,  0x9FA6,  0x800,   0x7FF,  0xAC00, 0xD7FF,
    0xFEFF, 0x660,  0x966,  0x1F600, 0x10FFFF, 0x11DE0, 0x16FF4, 0x1D7CE, 0,      0x200B, 0x200D,
    0xC5,   0xFF21, 0x2460, 0x3042,  0xFF01,   0x180E,
};

static sc_str random_text(uint64_t seed, char *out, size_t room)
{
    size_t n = 0;
    const uint64_t count = sc_rng_u64(seed, 0, 0) % 40;
    for (uint64_t i = 1; i <= count && n + 4 <= room; i++) {
        const uint64_t r = sc_rng_u64(seed, 0, i);
        uint32_t c = turning[(r >> 8) % SC_LEN(turning)];
        if (r % 16 == 0)
            c = (uint32_t)((r >> 8) % 0x110000);
        if (r % 16 == 1)
            c = (uint32_t)((r >> 8) % 0x80);
        if (c >= 0xD800 && c < 0xE000)
            c = 'x';
        n += sc_utf8_encode(c, out + n);
    }
    return (sc_str){out, n};
}

TEST(scanners_cut_as_their_patterns_do)
{
    UNUSED;
    for (size_t f = 0; f < SC_LEN(families); f++) {
        SC_AUTO(sc_pre) *p = NULL;
        sc_err err = {0};
        CHECK_OK(sc_pre_parse(families[f].json, &p, &err), &err);
        CHECK(sc_pre_scanner(p) == families[f].scan);
        SC_AUTO(sc_work) w;
        sc_tok_work_init(&w);
        for (uint64_t seed = 0; seed < 60000; seed++) {
            char room[256];
            const sc_str s = random_text(seed * SC_LEN(families) + f, room, sizeof room);
            sc_text text = {.s = s};
            const sc_pieces *want = NULL;
            CHECK_OK(sc_pre_run(p, &w, true, &text, &want, &err), &err);
            size_t i = 0;
            for (size_t at = 0; at < s.n; i++) {
                const size_t end = families[f].scan(s, at);
                CHECK(end > at && end <= s.n);
                if (i >= want->n || want->p[i].at != at || want->p[i].n != end - at) {
                    for (size_t k = 0; k < s.n; k++)
                        print_error("\\x%02x", (unsigned char)s.p[k]);
                    fail_msg("%s: piece %zu is [%zu, %zu)", families[f].name, i, at, end);
                }
                at = end;
            }
            assert_int_equal(i, want->n);
        }
    }
}

TEST(other_patterns_have_no_scanner)
{
    UNUSED;
    static const char *const others[] = {
        "{\"type\":\"ByteLevel\",\"add_prefix_space\":true}",
        BYTES,
        STEPS(SPLIT("\\\\p{N}") GPT2),
        STEPS(GPT2 "," GPT2),
        "{\"type\":\"Metaspace\",\"replacement\":\"_\"}",
    };
    for (size_t i = 0; i < SC_LEN(others); i++) {
        SC_AUTO(sc_pre) *p = NULL;
        sc_err err = {0};
        CHECK_OK(sc_pre_parse(others[i], &p, &err), &err);
        CHECK(sc_pre_scanner(p) == NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(scanners_cut_as_their_patterns_do),
        T(other_patterns_have_no_scanner),
    };
    return RUN_TESTS(tests);
}
