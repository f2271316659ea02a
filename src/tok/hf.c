// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "tok/older.h"
#include "tok/tok_impl.h"

enum { MAX_TEMPLATE = 4 << 20 };

/* "vocab" of BPE, WordPiece and WordLevel: text to id. */
static sc_code read_vocab(sc_tv model, sc_vocab *vocab, sc_err *err)
{
    const sc_tv map = sc_tv_get(model, "vocab");
    if (!sc_tv_is(map, SC_TAPE_OBJECT))
        return sc_fail(err, SC_E_FORMAT, "\"vocab\" is not an object");
    SC_TRY(sc_vocab_init(vocab, sc_tv_node(map)->n, err));
    for (sc_tv_iter it = sc_tv_each(map); it.left; sc_tv_next(&it)) {
        const sc_str text = sc_tv_str(it.v);
        int64_t id = 0;
        bool is_new = true;
        if (!sc_tv_int(sc_tv_value(&it), 0, SC_VOCAB_MAX_ID, &id))
            return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(it.v)->at,
                              "the id of \"%.*s\" is not an integer from 0 to %d", SC_STRF(text),
                              SC_VOCAB_MAX_ID);
        SC_TRY(sc_vocab_add(vocab, text, id, &is_new, err));
        if (!is_new)
            return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(it.v)->at,
                              "the token \"%.*s\" stands twice", SC_STRF(text));
    }
    return SC_OK;
}

static sc_code read_bpe(sc_tv model, sc_tok *t, sc_err *err)
{
    SC_TRY(read_vocab(model, &t->vocab, err));
    SC_TRY(sc_bpe_read(model, &t->vocab, &t->bpe, err));
    sc_tok_use_bpe(t);
    return SC_OK;
}

static sc_code read_unigram(sc_tv model, sc_tok *t, sc_err *err)
{
    SC_TRY(sc_vocab_init(&t->vocab, 0, err));
    SC_TRY(sc_unigram_read(model, &t->vocab, &t->unigram, err));
    sc_tok_use_unigram(t);
    return SC_OK;
}

static sc_code read_words(sc_tv model, sc_tok *t, bool pieces, sc_err *err)
{
    SC_TRY(read_vocab(model, &t->vocab, err));
    SC_TRY(sc_word_read(model, &t->vocab, &t->word, err));
    sc_tok_use_words(t, pieces);
    return SC_OK;
}

static sc_code read_word_piece(sc_tv model, sc_tok *t, sc_err *err)
{
    return read_words(model, t, true, err);
}

static sc_code read_word_level(sc_tv model, sc_tok *t, sc_err *err)
{
    return read_words(model, t, false, err);
}

static const struct {
    const char *type;
    sc_code (*read)(sc_tv model, sc_tok *t, sc_err *err);
} models[] = {
    {"BPE", read_bpe},
    {"Unigram", read_unigram},
    {"WordPiece", read_word_piece},
    {"WordLevel", read_word_level},
};

/* The kind of a model whose file does not say it, as old ones do not. */
static const char *guess_type(sc_tv model)
{
    if (sc_tv_is(sc_tv_get(model, "merges"), SC_TAPE_ARRAY))
        return "BPE";
    if (sc_tv_is(sc_tv_get(model, "vocab"), SC_TAPE_ARRAY))
        return "Unigram";
    return sc_tv_has(sc_tv_get(model, "max_input_chars_per_word")) ? "WordPiece" : "WordLevel";
}

static sc_code read_model(sc_tv model, sc_tok *t, sc_err *err)
{
    if (!sc_tv_is(model, SC_TAPE_OBJECT))
        return sc_fail(err, SC_E_FORMAT, "\"model\" is missing");
    sc_str type = sc_str_c(guess_type(model));
    SC_TRY(sc_tv_get_str(model, "type", &type, err));
    for (size_t i = 0; i < SC_LEN(models); i++) {
        if (sc_str_is(type, models[i].type)) {
            SC_TRY_IN(models[i].read(model, t, err), err, "model %s", models[i].type);
            return SC_OK;
        }
    }
    return sc_fail_at(err, SC_E_UNSUPPORTED, sc_tv_node(model)->at, "model: unknown type \"%.*s\"",
                      SC_STRF(type));
}

static sc_code read_all(sc_tv root, sc_tok *t, sc_err *err)
{
    if (!sc_tv_is(root, SC_TAPE_OBJECT))
        return sc_fail_at(err, SC_E_FORMAT, 0, "not a JSON object");
    SC_TRY(sc_norm_read(sc_tv_get(root, "normalizer"), &t->norm, err));
    SC_TRY(sc_pre_read(sc_tv_get(root, "pre_tokenizer"), &t->pre, err));
    SC_TRY(read_model(sc_tv_get(root, "model"), t, err));
    SC_TRY(sc_added_read(sc_tv_get(root, "added_tokens"), &t->vocab, &t->extra, t->norm, &t->added,
                         err));
    SC_TRY(sc_post_read(sc_tv_get(root, "post_processor"), &t->post, err));
    return sc_decoder_read(sc_tv_get(root, "decoder"), &t->decoder, err);
}

/* As sc_tok_parse, from text that may be changed; not finished yet. */
static sc_code parse_in_place(char *text, size_t n, sc_tok **out, sc_err *err)
{
    SC_AUTO(sc_tape) tape = {0};
    SC_TRY(sc_tape_parse(text, n, &tape, err));
    SC_AUTO(sc_tok) *t = NULL;
    SC_TRY(sc_tok_new(&t, err));
    SC_TRY(read_all(sc_tape_root(&tape), t, err));
    *out = sc_take(t);
    return SC_OK;
}

sc_code sc_tok_parse(const void *json, size_t n, sc_tok **out, sc_err *err)
{
    char *copy = sc_strndup(json, n);
    if (!copy)
        return sc_fail_nomem(err);
    SC_AUTO(sc_tok) *t = NULL;
    sc_code code = parse_in_place(copy, n, &t, err);
    sc_free(copy);
    if (code == SC_OK)
        code = sc_tok_finish(t, err);
    if (code == SC_OK)
        *out = sc_take(t);
    return code;
}

/* The text of a token in a configuration: a string, or an object with "content". */
static int32_t token_id(const sc_tok *t, const json_t *v)
{
    if (json_is_object(v))
        v = json_object_get(v, "content");
    return json_is_string(v) ? sc_tok_find(t, sc_json_str(v)) : -1;
}

/* Whether the class of this name builds its template from add_bos_token and add_eos_token. */
static bool rebuilds_template(sc_str class_name)
{
    static const char *const names[] = {
        "LlamaTokenizer", "LlamaTokenizerFast", "CodeLlamaTokenizer", "CodeLlamaTokenizerFast",
        "GemmaTokenizer", "GemmaTokenizerFast", "CohereTokenizerFast"};
    for (size_t i = 0; i < SC_LEN(names); i++)
        if (sc_str_is(class_name, names[i]))
            return true;
    return false;
}

/* "chat_template": a text, or a list of named ones of which "default" counts. */
static sc_str find_template(const json_t *config)
{
    const json_t *v = json_object_get(config, "chat_template");
    if (json_is_string(v))
        return sc_json_str(v);
    sc_str found = {NULL, 0};
    for (size_t i = 0; i < json_array_size(v); i++) {
        const json_t *one = json_array_get(v, i);
        const sc_str name = sc_json_str(json_object_get(one, "name"));
        if (!found.p || sc_str_is(name, "default"))
            found = sc_json_str(json_object_get(one, "template"));
    }
    return found;
}

static sc_code set_template(sc_tok *t, sc_str text, sc_err *err)
{
    char *copy = sc_strndup(text.p, text.n);
    if (!copy)
        return sc_fail_nomem(err);
    sc_free(t->chat_template);
    t->chat_template = copy;
    return SC_OK;
}

static sc_code apply_config(sc_tok *t, const json_t *config, sc_err *err)
{
    const int32_t bos = token_id(t, json_object_get(config, "bos_token"));
    const int32_t eos = token_id(t, json_object_get(config, "eos_token"));
    t->bos = bos >= 0 ? bos : t->bos;
    t->eos = eos >= 0 ? eos : t->eos;
    const json_t *add_bos = json_object_get(config, "add_bos_token");
    const json_t *add_eos = json_object_get(config, "add_eos_token");
    if (rebuilds_template(sc_json_str(json_object_get(config, "tokenizer_class"))) &&
        json_is_boolean(add_bos) && (bos >= 0 || json_is_false(add_bos))) {
        sc_post_drop(&t->post);
        SC_TRY(sc_post_init(&t->post, json_is_true(add_bos) ? bos : -1,
                            json_is_true(add_eos) ? eos : -1, err));
    }
    t->wants_clean_up = json_is_true(json_object_get(config, "clean_up_tokenization_spaces"));
    const sc_str template = find_template(config);
    return template.n ? set_template(t, template, err) : SC_OK;
}

sc_code sc_tok_read_config(sc_tok *t, const char *dir, sc_err *err)
{
    static const char *const names[] = {"special_tokens_map.json", "tokenizer_config.json"};
    for (size_t i = 0; i < SC_LEN(names); i++) { // the second wins
        SC_AUTO_JSON *config = NULL;
        SC_TRY(sc_older_read(dir, names[i], &config, err));
        if (config)
            SC_TRY_IN(apply_config(t, config, err), err, "%s/%s", dir, names[i]);
    }
    SC_AUTO(char) *path = sc_path_join(dir, "chat_template.jinja");
    if (!path)
        return sc_fail_nomem(err);
    if (!sc_file_is_file(path))
        return SC_OK;
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_TEMPLATE);
    SC_TRY(sc_file_read(path, MAX_TEMPLATE, &text, err));
    return set_template(t, sc_buf_str(&text), err);
}
