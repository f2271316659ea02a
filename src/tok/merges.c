// SPDX-License-Identifier: MIT
/* The layout before tokenizer.json: vocab.json, merges.txt and added_tokens.json, byte-level BPE.
 * It is said as a tokenizer.json, and read as one. */
#include "base/file.h"
#include "base/mem.h"
#include "tok/older.h"
#include "tok/tok_impl.h"

enum { MAX_FILE = 256 << 20 };

static sc_code read_in(const char *dir, const char *name, sc_buf *out, sc_err *err)
{
    SC_AUTO(char) *path = sc_path_join(dir, name);
    if (!path)
        return sc_fail_nomem(err);
    return sc_file_read(path, MAX_FILE, out, err);
}

/* The lines of merges.txt as a JSON list. */
static void add_merges(sc_buf *out, sc_str text)
{
    bool first = true;
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        sc_str line = {text.p, end ? (size_t)(end - text.p) : text.n};
        text = sc_str_skip(text, line.n + 1);
        if (sc_str_ends(line, SC_STR("\r")))
            line.n--;
        if (line.n == 0 || sc_str_starts(line, SC_STR("#version")))
            continue;
        sc_buf_add_c(out, first ? "" : ",");
        sc_buf_add_json(out, line);
        first = false;
    }
}

static int32_t find(const void *vocab, sc_str text)
{
    const json_t *id = json_object_getn(vocab, text.p, text.n);
    const json_int_t n = json_is_integer(id) ? json_integer_value(id) : -1;
    return n >= 0 && n <= SC_VOCAB_MAX_ID ? (int32_t)n : -1;
}

/* How text is cut: as GPT-2, unless the class has a way of its own. */
static const char *cut_of(const json_t *config)
{
    const sc_str name = sc_json_str(json_object_get(config, "tokenizer_class"));
    if (!sc_str_is(name, "Qwen2Tokenizer") && !sc_str_is(name, "Qwen2TokenizerFast"))
        return "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},";
    return "\"normalizer\":{\"type\":\"NFC\"},\"pre_tokenizer\":{\"type\":\"Sequence\","
           "\"pretokenizers\":[{\"type\":\"Split\",\"behavior\":\"Isolated\",\"invert\":false,"
           "\"pattern\":{\"Regex\":\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?"
           "\\\\p{L}+|\\\\p{N}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|"
           "\\\\s+(?!\\\\S)|\\\\s+\"}},{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
           "\"use_regex\":false}]},";
}

sc_code sc_tok_merges_json(const char *dir, sc_buf *json, sc_err *err)
{
    SC_AUTO(sc_buf) merges = sc_buf_init(MAX_FILE);
    SC_AUTO_JSON *vocab = NULL;
    SC_AUTO_JSON *config = NULL;
    SC_TRY(sc_older_read(dir, "vocab.json", &vocab, err));
    SC_TRY(sc_older_read(dir, "tokenizer_config.json", &config, err));
    SC_TRY(read_in(dir, "merges.txt", &merges, err));
    sc_buf_add_c(json, "{");
    sc_buf_add_c(json, cut_of(config));
    sc_buf_add_c(json, "\"decoder\":{\"type\":\"ByteLevel\"},\"added_tokens\":");
    SC_TRY(sc_older_added(dir, "<|endoftext|>", find, vocab, json, err));
    sc_buf_add_c(json, ",\"model\":{\"type\":\"BPE\",\"merges\":[");
    add_merges(json, sc_buf_str(&merges));
    sc_buf_add_c(json, "],\"vocab\":");
    sc_json_format(vocab, 0, json);
    sc_buf_add_c(json, "}}");
    return sc_buf_ok(json) ? SC_OK : sc_fail_nomem(err);
}

sc_code sc_tok_open_merges(const char *dir, sc_tok **out, sc_err *err)
{
    SC_AUTO(sc_buf) json = sc_buf_init((size_t)4 * MAX_FILE);
    SC_TRY(sc_tok_merges_json(dir, &json, err));
    SC_TRY_IN(sc_tok_parse(sc_buf_text(&json), json.n, out, err), err, "%s/vocab.json, merges.txt",
              dir);
    return SC_OK;
}
