// SPDX-License-Identifier: MIT
#include "model/export_vocab.h"

#include "base/file.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "tok/listed.h"
#include "tok/tok.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    MAX_JSON = 256 << 20,
    MAX_HEAD = 1 << 30,
    NORMAL = 1,
    UNKNOWN = 2,
    CONTROL = 3,
    USER = 4,
    UNUSED = 5,
    BYTE = 6,
};

/* A token of the list that is being made. */
typedef struct entry {
    const char *text; // borrowed from the document; NULL: no token has this id
    size_t n;
    int32_t type;
    float score;
} entry;

typedef struct vocab {
    json_t *doc; // owned: tokenizer.json; NULL for a SentencePiece model
    sc_tok *tok; // owned: the same, as it encodes
    entry *list; // owned, [n]
    size_t n;
    bool bytes; // byte-level BPE ("gpt2"); else SentencePiece ("llama")
    const sc_config *c;
} vocab;

static void vocab_drop(vocab *v)
{
    json_decref(v->doc);
    sc_tok_close(v->tok);
    sc_free(v->list);
}
SC_AUTO_DEFINE_VALUE(vocab, vocab_drop);

/* Whether `v` or, of a sequence, any part of it has the type `type`. */
static bool has_part(const json_t *v, const char *list, const char *type)
{
    if (sc_str_is(sc_json_str(json_object_get(v, "type")), type))
        return true;
    const json_t *parts = json_object_get(v, list);
    for (size_t i = 0; i < json_array_size(parts); i++)
        if (sc_str_is(sc_json_str(json_object_get(json_array_get(parts, i), "type")), type))
            return true;
    return false;
}

static sc_code find_kind(vocab *v, sc_err *err)
{
    const json_t *model = json_object_get(v->doc, "model");
    const sc_str type = sc_json_str(json_object_get(model, "type"));
    const bool bpe = sc_str_is(type, "BPE") || (type.n == 0 && json_object_get(model, "merges"));
    if (!bpe)
        return sc_fail(err, SC_E_UNSUPPORTED,
                       "a %.*s vocabulary: GGUF models of this kind have byte-level or "
                       "SentencePiece BPE",
                       SC_STRF(type));
    v->bytes = has_part(json_object_get(v->doc, "pre_tokenizer"), "pretokenizers", "ByteLevel");
    if (!v->bytes && !json_is_true(json_object_get(model, "byte_fallback")))
        return sc_fail(err, SC_E_UNSUPPORTED,
                       "a BPE vocabulary that is neither byte-level nor falls back to bytes");
    return SC_OK;
}

static sc_code put_token(vocab *v, const json_t *id, sc_str text, int32_t type, sc_err *err)
{
    const int64_t at = json_is_integer(id) ? json_integer_value(id) : -1;
    if (at < 0 || (uint64_t)at >= v->n)
        return sc_fail(err, SC_E_FORMAT,
                       "token \"%.*s\" has the id %" PRId64 ", the model has %zu tokens",
                       SC_STRF(text), at, v->n);
    v->list[at] = (entry){text.p, text.n, type, 0};
    return SC_OK;
}

/* "<0xHH>" */
static bool is_byte_token(sc_str s)
{
    return s.n == 6 && memcmp(s.p, "<0x", 3) == 0 && s.p[5] == '>';
}

static sc_code read_tokens(vocab *v, sc_err *err)
{
    const json_t *model = json_object_get(v->doc, "model");
    const sc_str unk = sc_json_str(json_object_get(model, "unk_token"));
    const char *key = NULL;
    const json_t *id = NULL;
    json_object_foreach((json_t *)(uintptr_t)json_object_get(model, "vocab"), key, id)
    {
        const sc_str text = sc_str_c(key);
        int32_t type = NORMAL;
        if (!v->bytes && is_byte_token(text))
            type = BYTE;
        else if (!v->bytes && unk.n && sc_str_eq(text, unk))
            type = UNKNOWN;
        SC_TRY(put_token(v, id, text, type, err));
    }
    const json_t *added = json_object_get(v->doc, "added_tokens");
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *a = json_array_get(added, i);
        const sc_str text = sc_json_str(json_object_get(a, "content"));
        const bool special = json_is_true(json_object_get(a, "special"));
        const bool is_unk = !v->bytes && unk.n && sc_str_eq(text, unk);
        SC_TRY(put_token(v, json_object_get(a, "id"), text,
                         is_unk    ? UNKNOWN
                         : special ? CONTROL
                                   : USER,
                         err));
    }
    return SC_OK;
}

/* The two sides of a merge: "a b", or a pair. */
static bool merge_sides(const json_t *m, sc_str *left, sc_str *right)
{
    if (json_is_array(m)) {
        *left = sc_json_str(json_array_get(m, 0));
        *right = sc_json_str(json_array_get(m, 1));
        return json_array_size(m) == 2;
    }
    const sc_str line = sc_json_str(m);
    const char *space = line.n > 1 ? memchr(line.p + 1, ' ', line.n - 1) : NULL;
    if (!space)
        return false;
    *left = (sc_str){line.p, (size_t)(space - line.p)};
    *right = sc_str_skip(line, left->n + 1);
    return true;
}

/*
 * SentencePiece merges the pair whose token scores best: a token's score is the rank of the first
 * merge that makes it, negative.
 */
static sc_code set_scores(vocab *v, sc_err *err)
{
    const json_t *merges = json_object_get(json_object_get(v->doc, "model"), "merges");
    const size_t n = json_array_size(merges);
    for (size_t i = 0; i < v->n; i++)
        if (v->list[i].type == NORMAL)
            v->list[i].score = -(float)(n + i);
    SC_AUTO(sc_buf) both = sc_buf_init(1 << 20);
    for (size_t i = n; i-- > 0;) {
        sc_str left = {0};
        sc_str right = {0};
        if (!merge_sides(json_array_get(merges, i), &left, &right))
            return sc_fail(err, SC_E_FORMAT, "merge %zu is not a pair", i);
        sc_buf_clear(&both);
        sc_buf_add_str(&both, left);
        sc_buf_add_str(&both, right);
        const int32_t id = sc_tok_find(v->tok, sc_buf_str(&both));
        if (id >= 0 && (size_t)id < v->n && v->list[id].type == NORMAL)
            v->list[id].score = -(float)i;
    }
    return SC_OK;
}

static sc_code put_list(const vocab *v, sc_gguf_writer *w, sc_err *err)
{
    sc_gguf_put_array(w, "tokenizer.ggml.tokens", SC_GGUF_STR, v->n);
    for (size_t i = 0; i < v->n; i++) {
        char pad[32];
        (void)snprintf(pad, sizeof pad, "[PAD%zu]", i); // fits
        sc_gguf_item_str(w,
                         v->list[i].text ? (sc_str){v->list[i].text, v->list[i].n} : sc_str_c(pad));
    }
    if (!v->bytes) {
        sc_gguf_put_array(w, "tokenizer.ggml.scores", SC_GGUF_F32, v->n);
        for (size_t i = 0; i < v->n; i++)
            sc_gguf_item_f32(w, v->list[i].score);
    }
    sc_gguf_put_array(w, "tokenizer.ggml.token_type", SC_GGUF_I32, v->n);
    for (size_t i = 0; i < v->n; i++)
        sc_gguf_item_i32(w, v->list[i].text ? v->list[i].type : UNUSED);
    if (!v->bytes)
        return SC_OK;
    const json_t *merges = json_object_get(json_object_get(v->doc, "model"), "merges");
    sc_gguf_put_array(w, "tokenizer.ggml.merges", SC_GGUF_STR, json_array_size(merges));
    SC_AUTO(sc_buf) line = sc_buf_init(1 << 20);
    for (size_t i = 0; i < json_array_size(merges); i++) {
        sc_str left = {0};
        sc_str right = {0};
        if (!merge_sides(json_array_get(merges, i), &left, &right))
            return sc_fail(err, SC_E_FORMAT, "merge %zu is not a pair", i);
        sc_buf_clear(&line);
        sc_buf_add_str(&line, left);
        sc_buf_add_char(&line, ' ');
        sc_buf_add_str(&line, right);
        sc_gguf_item_str(w, sc_buf_str(&line));
    }
    return SC_OK;
}

static void put_id(sc_gguf_writer *w, const char *key, int32_t id)
{
    if (id >= 0)
        sc_gguf_put_u32(w, key, (uint32_t)id);
}

/* Whether encoding puts `id` first, or last. */
static bool adds(const vocab *v, int32_t id, bool first)
{
    SC_AUTO(sc_ids) ids = {0};
    sc_err why = {0};
    if (id < 0 || sc_tok_encode(v->tok, SC_STR("a"), SC_TOK_SPECIAL, &ids, &why) != SC_OK || !ids.n)
        return false;
    return ids.p[first ? 0 : ids.n - 1] == id;
}

static void put_specials(const vocab *v, sc_gguf_writer *w)
{
    const int32_t config_eos = v->c->n_eos ? v->c->eos[0] : -1;
    const int32_t bos = sc_tok_bos(v->tok) >= 0 ? sc_tok_bos(v->tok) : v->c->bos;
    const int32_t eos = sc_tok_eos(v->tok) >= 0 ? sc_tok_eos(v->tok) : config_eos;
    const int32_t most = (int32_t)v->n;
    put_id(w, "tokenizer.ggml.bos_token_id", bos < most ? bos : -1);
    put_id(w, "tokenizer.ggml.eos_token_id", eos < most ? eos : -1);
    size_t n = 0;
    const int32_t *stops = sc_tok_stops(v->tok, &n);
    for (size_t i = 0; i < n; i++) {
        if (stops[i] == eos)
            continue;
        put_id(w, "tokenizer.ggml.eot_token_id", stops[i]);
        break;
    }
    for (size_t i = 0; i < v->n; i++)
        if (v->list[i].type == UNKNOWN) {
            put_id(w, "tokenizer.ggml.unknown_token_id", (int32_t)i);
            break;
        }
    sc_tok_fim fim = {-1, -1, -1, -1, -1, -1};
    if (sc_tok_fim_ids(v->tok, &fim)) {
        put_id(w, "tokenizer.ggml.fim_pre_token_id", fim.prefix);
        put_id(w, "tokenizer.ggml.fim_suf_token_id", fim.suffix);
        put_id(w, "tokenizer.ggml.fim_mid_token_id", fim.middle);
        put_id(w, "tokenizer.ggml.fim_pad_token_id", fim.pad);
        put_id(w, "tokenizer.ggml.fim_rep_token_id", fim.repo);
        put_id(w, "tokenizer.ggml.fim_sep_token_id", fim.file_sep);
    }
    sc_gguf_put_bool(w, "tokenizer.ggml.add_bos_token", adds(v, bos, true));
    sc_gguf_put_bool(w, "tokenizer.ggml.add_eos_token", adds(v, eos, false));
    const char *template = sc_tok_chat_template(v->tok);
    if (template)
        sc_gguf_put_str(w, "tokenizer.chat_template", sc_str_c(template));
}

/* A text on which the ways of cutting differ: digits, blanks, signs, scripts, contractions. */
static const char probe[] =
    "class Queue:\n    def pop(self):\n        while self.items:\n            if self.items[0] is "
    "None:\n"
    "                return 0\n            self.items.pop(0)\n\n    # empty\n\treturn None\n\n\n"
    "def f(x1, y_22=333): return x1+y_22**4444 # it's 12345, WE'LL  see\n\n\n\t\tif a!=b:\n"
    "        print(\"caf\xc3\xa9 \xe4\xbd\xa0\xe5\xa5\xbd "
    "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1"
    "\x82 \xe3\x81\x93\xe3\x82\x93 \xec\x95\x88\xeb\x85\x95\",  a.b->c, x||y && !z) \r\n"
    "  \n 1.5e-10 0xFF $100% foo_bar fooBar HTTPServer don'T I'm\xe2\x80\xa6 \xf0\x9f\x98\x80x  \n"
    "{[(<@#~`^&*=+|\\/?>)]}   trailing   ";

enum { MAX_PROBE = 4096, PROBE_PIECES = 1500 };

/* The text above and then pieces of texts in an order that has no sense, the same every time. */
static sc_code make_probe(sc_buf *out, sc_err *err)
{
    static const char *const pieces[] = {
        " ",  "  ", "    ", "\n", "\n\n", "\t", "\t\t", "\r\n", "a",   "foo",  "Bar", "HTTP", "x1",
        "1",  "22", "333",  "'s", "'LL",  "'t", "'d",   ".",    "...", "->",   "(",   "):",   "_",
        "__", "$",  "++",   "!=", "\"",   "/",  "//",   "\\",   "é",   "你好", "Пр",  "=",    "|",
        ",",  ";",  "#",    "@",  "~",    "`",  "<",    ">",    "^",   "%",    "&",   "*",    "-",
    };
    uint32_t seed = 1;
    sc_buf_add(out, probe, sizeof probe - 1);
    for (size_t i = 0; i < PROBE_PIECES; i++) {
        seed = seed * 1664525 + 1013904223;
        sc_buf_add_c(out, pieces[(seed >> 16) % SC_LEN(pieces)]);
    }
    return sc_buf_ok(out) ? SC_OK : sc_fail_nomem(err);
}

/* How many of a's ids are left over when as many as possible are found in b in the same order. */
static size_t count_differ(const sc_ids *a, const sc_ids *b)
{
    uint16_t best[MAX_PROBE + 1] = {0}; // longest common sequence with the first j of b
    const size_t n = a->n < MAX_PROBE ? a->n : MAX_PROBE;
    const size_t m = b->n < MAX_PROBE ? b->n : MAX_PROBE;
    for (size_t i = 0; i < n; i++) {
        uint16_t before = 0; // best[j] of the row above
        for (size_t j = 0; j < m; j++) {
            const uint16_t above = best[j + 1];
            if (a->p[i] == b->p[j])
                best[j + 1] = (uint16_t)(before + 1);
            else if (best[j] > above)
                best[j + 1] = best[j];
            before = above;
        }
    }
    return n - best[m];
}

/* On the probe: its tokens, and how many of them `made` does not give. */
static sc_code compare(const vocab *v, const sc_tok *made, size_t *n_probe, size_t *n_differ,
                       sc_err *err)
{
    SC_AUTO(sc_ids) a = {0};
    SC_AUTO(sc_ids) b = {0};
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    SC_TRY(make_probe(&text, err));
    SC_TRY(sc_tok_encode(v->tok, sc_buf_str(&text), 0, &a, err));
    SC_TRY(sc_tok_encode(made, sc_buf_str(&text), 0, &b, err));
    const bool same = a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n * sizeof *a.p) == 0);
    const size_t differ = count_differ(&a, &b);
    *n_probe = a.n;
    *n_differ = same ? 0 : differ ? differ : 1; // b may have more than all of a
    return SC_OK;
}

/* The vocabulary under one name of a cut. */
static sc_code put_named(const vocab *v, const char *name, sc_gguf_writer *w, sc_err *err)
{
    sc_gguf_put_str(w, "tokenizer.ggml.model", sc_str_c(v->bytes ? "gpt2" : "llama"));
    sc_gguf_put_str(w, "tokenizer.ggml.pre", sc_str_c(v->bytes ? name : "default"));
    if (!v->bytes)
        sc_gguf_put_bool(w, "tokenizer.ggml.add_space_prefix", strcmp(name, "prefix") == 0);
    SC_TRY(put_list(v, w, err));
    put_specials(v, w);
    return SC_OK;
}

/* Reads back what put_named writes and tries it. */
static sc_code try_name(const vocab *v, const char *name, size_t *n_probe, size_t *n_differ,
                        sc_err *err)
{
    SC_AUTO(sc_gguf_writer) *own = NULL;
    SC_TRY(sc_gguf_writer_new(&own, err));
    SC_TRY(put_named(v, name, own, err));
    SC_AUTO(sc_buf) head = sc_buf_init(MAX_HEAD);
    SC_TRY(sc_gguf_writer_head(own, &head, err));
    SC_AUTO(sc_gguf) *g = NULL;
    SC_TRY(sc_gguf_parse(sc_buf_text(&head), head.n, &g, err));
    SC_AUTO(sc_tok) *made = NULL;
    SC_TRY(sc_tok_open_gguf(g, &made, err));
    return compare(v, made, n_probe, n_differ, err);
}

/* The first name that fits, or the one that comes nearest. */
static sc_code try_names(const vocab *v, sc_gguf_writer *w, sc_str json,
                         sc_export_vocab_report *report, sc_err *err)
{
    static const char *const bytes[] = {"gpt-2",  "starcoder",      "qwen2",        "llama-bpe",
                                        "dbrx",   "deepseek-coder", "deepseek-llm", "deepseek-v3",
                                        "gpt-4o", "tekken",         "falcon",       "seed-coder",
                                        "bloom",  "viking",         "default",      NULL};
    static const char *const pieces[] = {"prefix", "plain", NULL};
    const char *const *name = v->bytes ? bytes : pieces;
    sc_export_vocab_report best = {.n_differ = SIZE_MAX};
    for (; *name && best.n_differ; name++) {
        sc_export_vocab_report r = {.pre = *name};
        SC_TRY(try_name(v, *name, &r.n_probe, &r.n_differ, err));
        if (r.n_differ < best.n_differ)
            best = r;
    }
    SC_TRY(put_named(v, best.pre, w, err));
    if (best.n_differ && !json.n)
        return sc_fail(err, SC_E_UNSUPPORTED,
                       "a SentencePiece model that drops or changes characters, which a GGUF "
                       "vocabulary cannot say");
    if (best.n_differ)
        sc_gguf_put_str(w, "tokenizer.huggingface.json", json);
    else
        best.pre = NULL;
    *report = best;
    return SC_OK;
}

/* The vocabulary of another GGUF file, as it stands there. */
static sc_code copy_gguf(sc_gguf_writer *w, const void *bytes, size_t size, sc_err *err)
{
    SC_AUTO(sc_gguf) *g = NULL;
    SC_TRY(sc_gguf_parse(bytes, size, &g, err));
    size_t n = 0;
    const sc_gguf_kv *kv = sc_gguf_kvs(g, &n);
    for (size_t i = 0; i < n; i++)
        if (sc_str_starts(kv[i].key, SC_STR("tokenizer.")))
            sc_gguf_put_kv(w, &kv[i]);
    return SC_OK;
}

/* `file` for errors; `json` is its text, or stands for an older layout. */
static sc_code put_json(sc_gguf_writer *w, vocab *v, const char *file, sc_str json,
                        sc_export_vocab_report *report, sc_err *err)
{
    SC_TRY_IN(sc_json_parse(json, &v->doc, err), err, "%s", file);
    SC_TRY_IN(find_kind(v, err), err, "%s", file);
    SC_TRY_IN(read_tokens(v, err), err, "%s", file);
    if (!v->bytes)
        SC_TRY_IN(set_scores(v, err), err, "%s", file);
    SC_TRY_IN(try_names(v, w, json, report, err), err, "%s", file);
    return SC_OK;
}

static sc_code put_merges(sc_gguf_writer *w, vocab *v, const char *dir,
                          sc_export_vocab_report *report, sc_err *err)
{
    SC_AUTO(sc_buf) json = sc_buf_init(MAX_JSON);
    SC_TRY(sc_tok_merges_json(dir, &json, err));
    return put_json(w, v, dir, sc_buf_str(&json), report, err);
}

/* The tokens of a SentencePiece model, and those that were added to it. */
static sc_code put_spm(sc_gguf_writer *w, vocab *v, const char *file, sc_str bytes,
                       sc_export_vocab_report *report, sc_err *err)
{
    SC_AUTO(sc_listed) l = {0};
    SC_TRY_IN(sc_listed_read_spm(bytes.p, bytes.n, &l, err), err, "%s", file);
    if (l.unigram)
        return sc_fail(err, SC_E_UNSUPPORTED,
                       "%s: a unigram vocabulary: GGUF models of this kind have byte-level or "
                       "SentencePiece BPE",
                       file);
    const size_t n = sc_tok_size(v->tok);
    if (n > v->n)
        return sc_fail(err, SC_E_FORMAT, "%s: %zu tokens, the model has %zu", file, n, v->n);
    for (size_t i = 0; i < n; i++) {
        const int32_t id = (int32_t)i;
        const sc_str text = sc_tok_text(v->tok, id);
        entry *e = &v->list[i];
        *e = (entry){text.p, text.n, NORMAL, -(float)n};
        if (i < l.n) {
            e->type = l.type[i];
            e->score = l.score[i];
        }
        if (sc_tok_is_added(v->tok, id) && e->type != UNKNOWN)
            e->type = sc_tok_is_special(v->tok, id) ? CONTROL : USER;
        if (!text.n)
            e->text = NULL;
    }
    SC_TRY_IN(try_names(v, w, (sc_str){NULL, 0}, report, err), err, "%s", file);
    return SC_OK;
}

static sc_code put_file(sc_gguf_writer *w, vocab *v, const char *file,
                        sc_export_vocab_report *report, sc_err *err)
{
    SC_AUTO(sc_map) *map = NULL;
    SC_TRY(sc_map_open(file, &map, err));
    sc_str bytes = {0};
    bytes.p = sc_map_bytes(map, &bytes.n);
    if (sc_gguf_is(bytes.p, bytes.n)) {
        SC_TRY_IN(copy_gguf(w, bytes.p, bytes.n, err), err, "%s", file);
        return SC_OK;
    }
    SC_TRY(sc_tok_open(file, &v->tok, err));
    return sc_listed_is_spm(bytes.p, bytes.n) ? put_spm(w, v, file, bytes, report, err)
                                              : put_json(w, v, file, bytes, report, err);
}

sc_code sc_export_vocab(sc_gguf_writer *w, const char *path, const sc_config *c,
                        sc_export_vocab_report *report, sc_err *err)
{
    SC_AUTO(char) *found = NULL;
    if (sc_file_is_dir(path)) {
        SC_TRY(sc_tok_find_beside(path, &found, err));
        path = found;
    }
    SC_AUTO(vocab) v = {.c = c, .n = c->vocab};
    v.list = sc_alloc(v.n ? v.n : 1, sizeof *v.list);
    if (!v.list)
        return sc_fail_nomem(err);
    if (!sc_file_is_dir(path))
        return put_file(w, &v, path, report, err);
    SC_TRY(sc_tok_open(path, &v.tok, err));
    return put_merges(w, &v, path, report, err);
}

void sc_export_no_vocab(sc_gguf_writer *w)
{
    sc_gguf_put_str(w, "tokenizer.ggml.model", SC_STR("none"));
}
