// SPDX-License-Identifier: MIT
/*
 * Text through fixed byte-level tokenizers that have every byte: what is encoded comes back, whole
 * and as a stream, and the hand-written cutter changes nothing against the patterns. The first
 * byte chooses the family.
 */
#include "base/json.h"
#include "base/utf8.h"
#include "tok/bpe.h"
#include "tok/pre.h"
#include "tok/tok.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define CL100K(digits)                                                                             \
    "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\""      \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|" digits                 \
    "| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},"     \
    "\"behavior\":\"Isolated\",\"invert\":false},{\"type\":\"ByteLevel\",\"add_prefix_space\":"    \
    "false,\"use_regex\":false}]}"

static const char *const families[] = {
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}",
    "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\",\"individual_digits\":true},"
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}]}",
    CL100K("\\\\p{N}"),
    CL100K("\\\\p{N}{1,3}"),
};

enum { FAMILIES = sizeof families / sizeof families[0] };

/* A tokenizer with all bytes and a few merges of frequent pairs. */
static sc_tok *make(unsigned family)
{
    static const char *const merges[] = {
        "a b", "e r",         "\xC4\xA0 \xC4\xA0", "\xC4\xA0 a",
        "i n", "\xC4\xA0 ab", "\xC4\x8A \xC4\x8A", "\xC3\x83 \xC2\xA9"};
    SC_AUTO(sc_buf) json = sc_buf_init(1 << 20);
    sc_buf_addf(&json,
                "{\"pre_tokenizer\":%s,\"decoder\":{\"type\":\"ByteLevel\"},\"model\":{"
                "\"type\":\"BPE\",\"vocab\":{",
                families[family]);
    unsigned id = 0;
    for (; id < 256; id++) {
        char spelt[2];
        sc_buf_add_c(&json, id ? "," : "");
        sc_buf_add_json(&json, (sc_str){spelt, sc_bpe_spell_byte((unsigned char)id, spelt)});
        sc_buf_addf(&json, ":%u", id);
    }
    static const char *const made[] = {"ab",
                                       "er",
                                       "\xC4\xA0\xC4\xA0",
                                       "\xC4\xA0"
                                       "a",
                                       "in",
                                       "\xC4\xA0"
                                       "ab",
                                       "\xC4\x8A\xC4\x8A",
                                       "\xC3\x83\xC2\xA9"};
    for (size_t i = 0; i < SC_LEN(made); i++)
        sc_buf_addf(&json, ",\"%s\":%u", made[i], id++);
    sc_buf_add_c(&json, "},\"merges\":[");
    for (size_t i = 0; i < SC_LEN(merges); i++)
        sc_buf_addf(&json, "%s\"%s\"", i ? "," : "", merges[i]);
    sc_buf_add_c(&json, "]}}");
    sc_err err = {0};
    sc_tok *t = NULL;
    if (!sc_buf_ok(&json) || sc_tok_parse(sc_buf_text(&json), json.n, &t, &err) != SC_OK)
        abort();
    return t;
}

/* The tokenizer of a family, made once. */
static const sc_tok *get(unsigned family)
{
    static sc_tok *made[FAMILIES];
    if (!made[family])
        made[family] = make(family);
    return made[family];
}

static void check_same(sc_str a, const sc_buf *b)
{
    if (!sc_str_eq(a, sc_buf_str(b)))
        abort();
}

static void check_cutter(unsigned family, sc_str s)
{
    static sc_pre *made[FAMILIES];
    SC_AUTO(sc_work) w;
    sc_tok_work_init(&w);
    sc_err err = {0};
    sc_text text = {.s = s};
    const sc_pieces *want = NULL;
    if (!made[family] && sc_pre_parse(families[family], &made[family], &err) != SC_OK)
        abort();
    const sc_pre *p = made[family];
    if (sc_pre_run(p, &w, true, &text, &want, &err) != SC_OK)
        abort();
    size_t at = 0;
    for (size_t i = 0; i < want->n; i++) {
        if (want->p[i].at != at)
            abort();
        at = sc_pre_scanner(p)(s, at);
        if (at != (size_t)want->p[i].at + want->p[i].n)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 1 || size > 1 << 16)
        return 0;
    const unsigned family = bytes[0] % FAMILIES;
    const sc_str s = {(const char *)bytes + 1, size - 1};
    sc_err err = {0};
    const sc_tok *t = get(family);
    SC_AUTO(sc_ids) ids = {0};
    SC_AUTO(sc_buf) whole = sc_buf_init(size * 4);
    SC_AUTO(sc_buf) stream = sc_buf_init(size * 4);
    const sc_code code = sc_tok_encode(t, s, 0, &ids, &err);
    if ((code == SC_OK) != sc_utf8_valid(s, NULL))
        abort();
    if (code != SC_OK)
        return 0;
    if (sc_tok_decode(t, ids.p, ids.n, false, &whole, &err) != SC_OK)
        abort();
    check_same(s, &whole);
    sc_detok d;
    sc_detok_init(&d, t, false);
    for (size_t k = 0; k < ids.n; k++)
        sc_detok_push(&d, ids.p[k], &stream);
    sc_detok_flush(&d, &stream);
    check_same(s, &stream);
    check_cutter(family, s);
    return 0;
}
