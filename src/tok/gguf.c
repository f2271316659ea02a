// SPDX-License-Identifier: MIT
/* Vocabularies inside GGUF files, as llama.cpp reads them. */
#include "fmt/gguf.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "tok/lines.h"
#include "tok/tok_impl.h"

#include <math.h>
#include <string.h>

#define ISOLATED(regex)                                                                            \
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" regex                                          \
    "\"},\"behavior\":\"Isolated\",\"invert\":false},"
#define DIGITS "{\"type\":\"Digits\",\"individual_digits\":true},"
#define BYTES  "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}"
#define GPT2   "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}"
#define S_WORD "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define S_REST                                                                                     \
    "| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"
#define S_LETTERS "[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+"
#define S_UPPER   "[\\\\p{Lu}\\\\p{Lt}\\\\p{Lm}\\\\p{Lo}\\\\p{M}]"
#define S_LOWER   "[\\\\p{Ll}\\\\p{Lm}\\\\p{Lo}\\\\p{M}]"
#define S_CASED(tail)                                                                              \
    "[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?" S_UPPER "*" S_LOWER "+" tail                                  \
    "|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?" S_UPPER "+" S_LOWER "*" tail
#define S_REST_SLASH                                                                               \
    "| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n/]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"
#define S_MARKS "[!\\\"#$%&'()*+,\\\\-./:;<=>?@\\\\[\\\\\\\\\\\\]^_`{|}~]"
#define S_V3                                                                                       \
    S_MARKS "[A-Za-z]+|[^\\\\r\\\\n\\\\p{L}\\\\p{P}\\\\p{S}]?[\\\\p{L}\\\\p{M}]+| "                \
            "?[\\\\p{P}\\\\p{S}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"

static const char deepseek_coder[] = ISOLATED("[\\r\\n]") ISOLATED("\\\\s?\\\\p{L}+")
    ISOLATED("\\\\s?\\\\p{P}+") ISOLATED("[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+") DIGITS BYTES;
// It cannot settle on where to break these letters.
// clang-format off
static const char deepseek_llm[] = ISOLATED("[\\r\\n]")
    ISOLATED("\\\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽ"
             "Ა-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\\\\x{1F7D}ᾀ-ᾴᾶ-ᾼ\\\\x{1FBE}ῂ-ῄῆ-ῌῐ-\\\\x{1FD3}ῖ-\\\\x{1FDB}ῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\\\\x{2126}ℨ\\\\x{212A}-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄ"
             "Ⰰ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+") ISOLATED("\\\\s?[!-/:-~！-／：-～‘-‟\u3000-。]+") ISOLATED("\\\\s+$")
        ISOLATED("[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+") DIGITS BYTES;
// clang-format on
static const char standard[] = ISOLATED("[\\\\p{P}\\\\$\\\\+<=>\\\\^~\\\\|]+")
    ISOLATED("'s|'t|'re|'ve|'m|'ll|'d| ?\\\\p{L}+| ?\\\\p{N}+| ?[^\\\\s\\\\p{L}\\\\p{N}]+|"
             "\\\\s+(?!\\\\S)") ISOLATED("\\\\p{N}+") ISOLATED("[0-9][0-9][0-9]") BYTES;
static const char falcon[] = ISOLATED("[\\\\p{P}\\\\$\\\\+<=>\\\\^~\\\\|`]+")
    ISOLATED("'s|'t|'re|'ve|'m|'ll|'d| ?\\\\p{L}+| ?\\\\p{N}+| ?[^\\\\s\\\\p{L}\\\\p{N}]+|"
             "\\\\s+(?!\\\\S)") ISOLATED("[0-9][0-9][0-9]") BYTES;
static const char qwen2[] = ISOLATED(S_WORD "|" S_LETTERS "|\\\\p{N}" S_REST) BYTES;
static const char llama3[] = ISOLATED(S_WORD "|" S_LETTERS "|\\\\p{N}{1,3}" S_REST) BYTES;
static const char tekken[] = ISOLATED(S_CASED("") "|\\\\p{N}" S_REST_SLASH) BYTES;
static const char gpt4o[] = ISOLATED(S_CASED(S_WORD "?") "|\\\\p{N}{1,3}" S_REST_SLASH) BYTES;
static const char deepseek_v3[] =
    ISOLATED("\\\\p{N}{1,3}") ISOLATED("[一-龥぀-ゟ゠-ヿ]+") ISOLATED(S_V3) BYTES;
static const char bloom[] = ISOLATED(" ?[^(\\\\s|.,!?…。，、।۔،)]+") BYTES;
static const char viking[] = ISOLATED(" ?[^(\\\\s|.,!?…。，、।۔،)]+") ISOLATED("\\\\p{N}") BYTES;
static const char seed_coder[] =
    ISOLATED(S_WORD "|" S_LETTERS "|\\\\p{N}| ?[^\\\\s\\\\p{L}\\\\p{N}\\\\r\\\\n]+|"
                    "\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+") BYTES;
static const char starcoder[] = DIGITS GPT2;
static const char gpt2[] = GPT2;

/* What "tokenizer.ggml.pre" may say. */
static const struct {
    const char *name;
    const char *steps; // of a Sequence
    bool ignore_merges;
    bool add_bos;
} kinds[] = {
    {"default", standard, false, false},
    {"llama-bpe", llama3, true, true},
    {"llama3", llama3, true, true},
    {"llama-v3", llama3, true, true},
    {"falcon3", llama3, true, true},
    {"pixtral", llama3, true, true},
    {"lfm2", llama3, true, true},
    {"dbrx", llama3, false, false},
    {"smaug-bpe", llama3, false, false},
    {"chatglm-bpe", llama3, false, false},
    {"glm4", llama3, false, false},
    {"deepseek-llm", deepseek_llm, false, false},
    {"deepseek-coder", deepseek_coder, false, false},
    {"deepseek-v3", deepseek_v3, false, false},
    {"hunyuan-dense", deepseek_v3, false, false},
    {"falcon", falcon, false, false},
    {"mpt", gpt2, false, false},
    {"gpt-2", gpt2, false, false},
    {"phi-2", gpt2, false, false},
    {"olmo", gpt2, false, false},
    {"jais", gpt2, false, false},
    {"trillion", gpt2, false, false},
    {"exaone4", gpt2, false, false},
    {"gigachat", gpt2, false, false},
    {"mellum", gpt2, false, false},
    {"granite-docling", gpt2, false, false},
    {"starcoder", starcoder, false, false},
    {"refact", starcoder, false, false},
    {"command-r", starcoder, false, false},
    {"smollm", starcoder, false, false},
    {"codeshell", starcoder, false, false},
    {"exaone", starcoder, false, false},
    {"minerva-7b", starcoder, false, false},
    {"qwen2", qwen2, false, false},
    {"deepseek-r1-qwen", qwen2, false, false},
    {"stablelm2", qwen2, false, false},
    {"megrez", qwen2, false, false},
    {"hunyuan", qwen2, false, false},
    {"grok-2", qwen2, false, false},
    {"tekken", tekken, true, true},
    {"gpt-4o", gpt4o, false, false},
    {"llama4", gpt4o, false, false},
    {"minimax-m2", gpt4o, false, false},
    {"seed-coder", seed_coder, false, false},
    {"bloom", bloom, false, false},
    {"poro-chat", bloom, false, false},
    {"gpt3-finnish", bloom, false, false},
    {"viking", viking, false, false},
};

static sc_code find_kind(sc_str name, size_t *out, sc_err *err)
{
    for (size_t i = 0; i < SC_LEN(kinds); i++) {
        if (sc_str_is(name, kinds[i].name)) {
            *out = i;
            return SC_OK;
        }
    }
    SC_AUTO(sc_buf) all = sc_buf_init(4096);
    for (size_t i = 0; i < SC_LEN(kinds); i++)
        sc_buf_addf(&all, "%s%s", i ? ", " : "", kinds[i].name);
    return sc_fail(err, SC_E_UNSUPPORTED, "tokenizer.ggml.pre is \"%.*s\"; known are %s",
                   SC_STRF(name), sc_buf_text(&all));
}

/* The tokens with their scores and types. */
static sc_code read_list(const sc_gguf *g, sc_listed *l, sc_err *err)
{
    const sc_gguf_kv *tokens = NULL;
    const sc_gguf_kv *types = NULL;
    const sc_gguf_kv *scores = NULL;
    SC_TRY(sc_gguf_get_array(g, "tokenizer.ggml.tokens", SC_GGUF_STR, &tokens, err));
    SC_TRY(sc_gguf_get_array(g, "tokenizer.ggml.token_type", SC_GGUF_I32, &types, err));
    SC_TRY(sc_gguf_get_array(g, "tokenizer.ggml.scores", SC_GGUF_F32, &scores, err));
    if (!tokens)
        return sc_fail(err, SC_E_FORMAT, "tokenizer.ggml.tokens is missing");
    if ((types && types->n < tokens->n) || (scores && scores->n < tokens->n))
        return sc_fail(err, SC_E_FORMAT, "fewer types or scores than tokens");
    SC_TRY(sc_listed_init(l, (size_t)tokens->n, err));
    size_t pos = 0;
    for (size_t i = 0; i < l->n; i++) {
        size_t bad = 0;
        if (!sc_gguf_next_str(tokens, &pos, &l->text[i]) || !sc_utf8_valid(l->text[i], &bad))
            return sc_fail(err, SC_E_FORMAT, "tokenizer.ggml.tokens: token %zu is not UTF-8", i);
        const int64_t type = types ? sc_gguf_int_at(types, i) : SC_TOKEN_NORMAL;
        l->type[i] = type >= 0 && type <= SC_TOKEN_BYTE ? (uint8_t)type : 0;
        l->score[i] = scores ? (float)sc_gguf_num_at(scores, i) : 0;
        if (isnan(l->score[i]))
            return sc_fail(err, SC_E_FORMAT, "tokenizer.ggml.scores: the score of token %zu", i);
    }
    return SC_OK;
}

/* The id at `key`, or what *out was; one above the vocabulary counts as absent. */
static sc_code read_id(const sc_gguf *g, const char *key, size_t n, int32_t *out, sc_err *err)
{
    int64_t id = -1;
    SC_TRY(sc_gguf_get_int(g, key, INT64_MIN, INT64_MAX, &id, err));
    if (id >= 0 && (uint64_t)id < n)
        *out = (int32_t)id;
    return SC_OK;
}

/* BOS, EOS, whether they are added, fill-in-the-middle, more stops, the chat template. */
static sc_code read_specials(const sc_gguf *g, sc_tok *t, bool add_bos, bool add_eos, size_t n,
                             sc_err *err)
{
    SC_TRY(sc_gguf_get_bool(g, "tokenizer.ggml.add_bos_token", &add_bos, err));
    SC_TRY(sc_gguf_get_bool(g, "tokenizer.ggml.add_eos_token", &add_eos, err));
    SC_TRY(read_id(g, "tokenizer.ggml.bos_token_id", n, &t->bos, err));
    SC_TRY(read_id(g, "tokenizer.ggml.eos_token_id", n, &t->eos, err));
    const struct {
        const char *key;
        int32_t *id;
    } fim[] = {
        {"tokenizer.ggml.prefix_token_id", &t->fim.prefix},
        {"tokenizer.ggml.suffix_token_id", &t->fim.suffix},
        {"tokenizer.ggml.middle_token_id", &t->fim.middle},
        {"tokenizer.ggml.fim_pre_token_id", &t->fim.prefix},
        {"tokenizer.ggml.fim_suf_token_id", &t->fim.suffix},
        {"tokenizer.ggml.fim_mid_token_id", &t->fim.middle},
        {"tokenizer.ggml.fim_pad_token_id", &t->fim.pad},
        {"tokenizer.ggml.fim_rep_token_id", &t->fim.repo},
        {"tokenizer.ggml.fim_sep_token_id", &t->fim.file_sep},
    };
    for (size_t i = 0; i < SC_LEN(fim); i++)
        SC_TRY(read_id(g, fim[i].key, n, fim[i].id, err));
    static const char *const stops[] = {"tokenizer.ggml.eot_token_id",
                                        "tokenizer.ggml.eom_token_id"};
    for (size_t i = 0; i < SC_LEN(stops); i++) {
        int32_t id = -1;
        SC_TRY(read_id(g, stops[i], n, &id, err));
        if (id >= 0 && !sc_ids_add(&t->stops, id))
            return sc_fail_nomem(err);
    }
    sc_str template = {NULL, 0};
    SC_TRY(sc_gguf_get_str(g, "tokenizer.chat_template", &template, err));
    if (template.n) {
        t->chat_template = sc_strndup(template.p, template.n);
        if (!t->chat_template)
            return sc_fail_nomem(err);
    }
    sc_post_drop(&t->post);
    return sc_post_init(&t->post, add_bos ? t->bos : -1, add_eos ? t->eos : -1, err);
}

/* The merges, lines of two tokens; the first space that is not the very first byte divides them. */
static sc_code read_merges(const sc_gguf *g, sc_tok *t, sc_err *err)
{
    const sc_gguf_kv *merges = NULL;
    SC_TRY(sc_gguf_get_array(g, "tokenizer.ggml.merges", SC_GGUF_STR, &merges, err));
    if (!merges)
        return sc_fail(err, SC_E_FORMAT, "tokenizer.ggml.merges is missing");
    SC_TRY(sc_bpe_init(&t->bpe, &t->vocab, (size_t)merges->n, err));
    SC_AUTO(sc_lines) lines;
    sc_lines_init(&lines, &t->bpe);
    size_t pos = 0;
    sc_str line;
    for (uint32_t rank = 0; sc_gguf_next_str(merges, &pos, &line); rank++) {
        const char *space = line.n > 1 ? memchr(line.p + 1, ' ', line.n - 1) : NULL;
        if (!space)
            return sc_fail(err, SC_E_FORMAT,
                           "tokenizer.ggml.merges: merge %u, \"%.*s\", is not two tokens", rank,
                           SC_STRF(line));
        const sc_str left = {line.p, (size_t)(space - line.p)};
        SC_TRY_IN(sc_lines_add(&lines, left, sc_str_skip(line, left.n + 1), err), err,
                  "tokenizer.ggml.merges");
    }
    SC_TRY_IN(sc_lines_end(&lines, err), err, "tokenizer.ggml.merges");
    return sc_bpe_finish(&t->bpe, err);
}

static sc_code open_bpe(const sc_gguf *g, const sc_listed *l, sc_tok **out, sc_err *err)
{
    sc_str pre = SC_STR("default");
    size_t kind = 0;
    SC_TRY(sc_gguf_get_str(g, "tokenizer.ggml.pre", &pre, err));
    SC_TRY(find_kind(pre, &kind, err));
    SC_AUTO(sc_tok) *t = NULL;
    SC_TRY(sc_tok_new(&t, err));
    SC_TRY(sc_tok_add_listed(t, l, err));
    SC_TRY(read_merges(g, t, err));
    t->bpe.ignore_merges = kinds[kind].ignore_merges;
    t->plain_added = true;
    SC_AUTO(sc_buf) json = sc_buf_init(1 << 16);
    sc_buf_addf(&json, "{\"type\":\"Sequence\",\"pretokenizers\":[%s]}", kinds[kind].steps);
    if (!sc_buf_ok(&json))
        return sc_fail_nomem(err);
    SC_TRY(sc_pre_parse(sc_buf_text(&json), &t->pre, err));
    SC_TRY(sc_decoder_parse("{\"type\":\"ByteLevel\"}", &t->decoder, err));
    sc_tok_use_bpe(t);
    SC_TRY(read_specials(g, t, kinds[kind].add_bos, false, l->n, err));
    *out = sc_take(t);
    return SC_OK;
}

static sc_code open_spm(const sc_gguf *g, sc_listed *l, bool unigram, sc_tok **out, sc_err *err)
{
    const sc_gguf_kv *map = sc_gguf_find_kv(g, "tokenizer.ggml.precompiled_charsmap");
    l->unigram = unigram;
    l->prefix_space = true;
    l->trim_spaces = unigram;
    SC_TRY(sc_gguf_get_bool(g, "tokenizer.ggml.add_space_prefix", &l->prefix_space, err));
    if (unigram)
        SC_TRY(
            sc_gguf_get_bool(g, "tokenizer.ggml.remove_extra_whitespaces", &l->trim_spaces, err));
    if (unigram && map && map->is_array && (map->type == SC_GGUF_U8 || map->type == SC_GGUF_I8))
        l->charsmap = (sc_str){(const char *)map->data, map->size};
    SC_AUTO(sc_tok) *t = NULL;
    SC_TRY(sc_tok_from_list(l, &t, err));
    t->bos = !unigram && l->n > 1 ? 1 : -1;
    t->eos = unigram ? (l->n > 1 ? 1 : -1) : (l->n > 2 ? 2 : -1);
    SC_TRY(read_specials(g, t, !unigram, unigram, l->n, err));
    *out = sc_take(t);
    return SC_OK;
}

sc_code sc_tok_open_gguf(const sc_gguf *g, sc_tok **out, sc_err *err)
{
    sc_str model = {NULL, 0};
    SC_TRY(sc_gguf_get_str(g, "tokenizer.ggml.model", &model, err));
    SC_AUTO(sc_listed) l = {0};
    SC_AUTO(sc_tok) *t = NULL;
    if (!model.p || sc_str_is(model, "none"))
        return sc_fail(err, SC_E_NOTFOUND, "no vocabulary: tokenizer.ggml.model is %s",
                       model.p ? "\"none\"" : "missing");
    if (!sc_str_is(model, "gpt2") && !sc_str_is(model, "llama") && !sc_str_is(model, "t5"))
        return sc_fail(err, SC_E_UNSUPPORTED,
                       "tokenizer.ggml.model is \"%.*s\"; known are gpt2, llama, t5",
                       SC_STRF(model));
    sc_str json = {NULL, 0};
    SC_TRY(sc_gguf_get_str(g, "tokenizer.huggingface.json", &json, err));
    if (json.n) { // the tokenizer itself, which the lists only come near to
        SC_TRY_IN(sc_tok_parse(json.p, json.n, &t, err), err, "tokenizer.huggingface.json");
        SC_TRY(read_specials(g, t, false, false, sc_tok_size(t), err));
        SC_TRY(sc_tok_finish(t, err));
        *out = sc_take(t);
        return SC_OK;
    }
    SC_TRY(read_list(g, &l, err));
    SC_TRY(sc_str_is(model, "gpt2") ? open_bpe(g, &l, &t, err)
                                    : open_spm(g, &l, sc_str_is(model, "t5"), &t, err));
    SC_TRY(sc_tok_finish(t, err));
    *out = sc_take(t);
    return SC_OK;
}
