// SPDX-License-Identifier: MIT
#include "eval/engine.h"

#include "base/file.h"
#include "base/mem.h"
#include "gen/local.h"
#include "hub/resolve.h"
#include "kern/dtype.h"

typedef struct local {
    char *path;      // owned: where the model is
    char *tok_path;  // owned
    sc_model *model; // owned
    sc_tok *tok;     // owned
    int32_t stop[SC_CONFIG_MAX_EOS + 64];
    size_t n_stop;
    uint32_t batch; // asked for; 0: chosen
    sc_gen *gen;    // borrowed from the engine
} local;

static void local_close(void *self)
{
    local *l = self;
    if (!l)
        return;
    sc_tok_close(l->tok);
    sc_model_close(l->model);
    sc_free(l->tok_path);
    sc_free(l->path);
    sc_free(l);
}

void sc_engine_close(sc_engine *e)
{
    if (!e)
        return;
    sc_gen_close(e->gen);
    if (e->self)
        e->ops->close(e->self);
    sc_free(e);
}

static sc_code local_encode(void *self, sc_str text, unsigned flags, sc_ids *out, sc_err *err)
{
    const local *l = self;
    const size_t before = out->n;
    SC_TRY(sc_tok_encode(l->tok, text, flags, out, err));
    const uint32_t vocab = l->model ? sc_model_config(l->model)->vocab : UINT32_MAX;
    for (size_t i = before; i < out->n; i++)
        if (out->p[i] < 0 || (uint32_t)out->p[i] >= vocab)
            return sc_fail(err, SC_E_FORMAT,
                           "%s gives token %d, but the model %s has only %u: this is not its "
                           "tokenizer",
                           l->tok_path, out->p[i], l->path, vocab);
    if (out->n == before)
        return sc_fail(err, SC_E_FORMAT, "%s makes no token of the prompt", l->tok_path);
    return SC_OK;
}

/* How many values each storage type has: {"f16": 5999872}. */
static json_t *types_of(const sc_weights *w)
{
    uint64_t count[SC_DTYPE_N] = {0};
    size_t n = 0;
    const sc_tensor *t = sc_weights_tensors(w, &n);
    for (size_t i = 0; i < n; i++) {
        uint64_t values = 1;
        for (uint32_t d = 0; d < t[i].n_dims; d++)
            values *= t[i].dims[d]; // the reader has checked that it does not wrap
        count[t[i].dtype] += values;
    }
    json_t *o = json_object();
    for (unsigned i = 0; i < SC_DTYPE_N; i++)
        if (count[i])
            (void)json_object_set_new(o, sc_dtype_info((sc_dtype)i)->name,
                                      json_integer((json_int_t)count[i])); // checked whole below
    return o;
}

static json_t *files_of(const sc_weights *w)
{
    size_t n = 0;
    const sc_weights_file *f = sc_weights_files(w, &n);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, json_pack("{s:o, s:I, s:n}", "path",
                                                    sc_json_text(sc_str_c(f[i].path)), "bytes",
                                                    (json_int_t)f[i].size, "sha256")); // as above
    return list;
}

static const char *kind_of(const sc_weights *w)
{
    switch (sc_weights_kind_of(w)) {
    case SC_WEIGHTS_TORCH:
        return "torch";
    case SC_WEIGHTS_SAFETENSORS:
        return "safetensors";
    case SC_WEIGHTS_GGUF:
        return "gguf";
    }
    return "unknown";
}

/* The widths that the run compared, and what became of them. */
static json_t *trials_of(const sc_gen_local_stats *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->n_trials; i++) {
        const sc_width_trial *t = &s->trial[i];
        (void)json_array_append_new(
            list, json_pack("{s:I, s:I, s:I, s:f, s:f, s:f, s:b}", "from", (json_int_t)t->from,
                            "to", (json_int_t)t->to, "pairs", (json_int_t)t->pairs,
                            "from_tokens_per_s", t->from_s, "to_tokens_per_s", t->to_s, "gain",
                            t->gain, "taken", (int)t->taken)); // as above
    }
    return list;
}

static sc_code local_describe(void *self, json_t **out, sc_err *err)
{
    const local *l = self;
    const sc_config *c = sc_model_config(l->model);
    const sc_weights *w = sc_model_weights(l->model);
    const sc_gen_local_stats last = sc_gen_local_last(l->gen);
    json_t *v = json_pack(
        "{s:o, s:s, s:s, s:I, s:o, s:I, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I},"
        " s:{s:o, s:s, s:I, s:n}, s:{s:s, s:s, s:s, s:s, s:I, s:I, s:s?, s:o}}",
        "path", sc_json_text(sc_str_c(l->path)), "format", kind_of(w), "architecture", c->arch,
        "parameters", (json_int_t)sc_config_params(c), "types", types_of(w), "context",
        (json_int_t)sc_model_ctx(l->model), "files", files_of(w), "config", "hidden_size",
        (json_int_t)c->hidden, "num_layers", (json_int_t)c->layers, "num_attention_heads",
        (json_int_t)c->heads, "num_key_value_heads", (json_int_t)c->kv_heads, "head_dim",
        (json_int_t)c->head_dim, "intermediate_size", (json_int_t)c->inter, "vocab_size",
        (json_int_t)c->vocab, "tokenizer", "path", sc_json_text(sc_str_c(l->tok_path)), "kind",
        sc_tok_kind(l->tok), "tokens", (json_int_t)sc_tok_size(l->tok), "sha256", "compute",
        "device", "cpu", "level", sc_model_level(l->model), "activations",
        sc_model_compute(l->model), "kv_type", sc_model_kv(l->model), "threads",
        (json_int_t)sc_pool_size(sc_model_pool(l->model)), "batch", (json_int_t)last.batch,
        "batch_why", last.why, "batch_trials", trials_of(&last));
    if (!v)
        return sc_fail_nomem(err);
    *out = v;
    return SC_OK;
}

static json_t *local_memory(void *self)
{
    const local *l = self;
    const sc_model_memory m = sc_model_memory_get(l->model);
    return json_pack("{s:I, s:I, s:I, s:I}", "weights_mapped", (json_int_t)m.mapped,
                     "weights_packed", (json_int_t)m.packed, "kv", (json_int_t)m.kv, "workspace",
                     (json_int_t)m.workspace);
}

static const sc_engine_ops local_ops = {local_encode, local_describe, local_memory, local_close};

/* The file or folder of the tokenizer: what was asked for, else what lies beside, else `fallback`.
 */
static sc_code find_tokenizer(const sc_eval_model *spec, const sc_engine_opts *opts,
                              const char *path, char **out, sc_err *err)
{
    const sc_hub_opts want = {.want = SC_HUB_TOKENIZER, .pull = opts->pull, .how = opts->how};
    if (spec->tokenizer)
        return sc_hub_resolve(spec->tokenizer, &want, out, err);
    sc_err none = {0};
    const sc_code code = sc_tok_find_beside(path, out, &none);
    if (code == SC_E_NOTFOUND && spec->fallback &&
        sc_hub_resolve(spec->fallback, &want, out, err) == SC_OK)
        return SC_OK;
    if (code != SC_OK)
        *err = none;
    return code;
}

/* The ids that end a text: the config's, and those the tokenizer knows. */
static void find_stops(local *l)
{
    const sc_config *c = sc_model_config(l->model);
    size_t n = 0;
    const int32_t *more = sc_tok_stops(l->tok, &n);
    for (size_t i = 0; i < c->n_eos; i++)
        l->stop[l->n_stop++] = c->eos[i];
    for (size_t i = 0; i < n && l->n_stop < SC_LEN(l->stop); i++) {
        bool known = false;
        for (size_t k = 0; k < l->n_stop && !known; k++)
            known = l->stop[k] == more[i];
        if (!known)
            l->stop[l->n_stop++] = more[i];
    }
}

static const sc_engine_ops tok_ops = {local_encode, NULL, NULL, local_close};

/* An engine that knows where its files are and has read none of them. */
static sc_code find_files(const sc_eval_model *spec, const sc_engine_opts *opts, sc_hub_want want,
                          sc_engine **out, sc_err *err)
{
    SC_AUTO(sc_engine) *e = sc_new(sc_engine);
    local *l = sc_new(local);
    if (!e || !l) {
        sc_free(l);
        return sc_fail_nomem(err);
    }
    e->ops = &tok_ops;
    e->self = l;
    const sc_hub_opts find = {.want = want, .pull = opts->pull, .how = opts->how};
    SC_TRY(sc_hub_resolve(spec->arg, &find, &l->path, err));
    SC_TRY(find_tokenizer(spec, opts, l->path, &l->tok_path, err));
    *out = sc_take(e);
    return SC_OK;
}

static sc_code read_tok(sc_engine *e, sc_err *err)
{
    local *l = e->self;
    size_t n = 0;
    const sc_weights *w = l->model ? sc_model_weights(l->model) : NULL;
    const sc_gguf *g = w ? sc_weights_gguf(w) : NULL;
    if (g && strcmp(sc_weights_files(w, &n)->path, l->tok_path) == 0) // open and read already
        SC_TRY_IN(sc_tok_open_gguf(g, &l->tok, err), err, "%s", l->tok_path);
    else
        SC_TRY(sc_tok_open(l->tok_path, &l->tok, err));
    e->tok = l->tok;
    return SC_OK;
}

sc_code sc_engine_open_tok(const sc_eval_model *spec, const sc_engine_opts *opts, sc_engine **out,
                           sc_err *err)
{
    SC_AUTO(sc_engine) *e = NULL;
    SC_TRY(find_files(spec, opts, SC_HUB_TOKENIZER, &e, err));
    SC_TRY(read_tok(e, err));
    *out = sc_take(e);
    return SC_OK;
}

sc_code sc_engine_open_local(const sc_eval_model *spec, const sc_engine_opts *opts, sc_engine **out,
                             sc_err *err)
{
    SC_AUTO(sc_engine) *e = NULL;
    SC_TRY(find_files(spec, opts, SC_HUB_MODEL, &e, err));
    local *l = e->self;
    e->ops = &local_ops;
    SC_TRY(sc_model_open(l->path, &opts->model, &l->model, err));
    SC_TRY(read_tok(e, err)); // while the model's pages come in
    find_stops(l);
    l->batch = opts->batch;
    SC_TRY(sc_gen_local_open(l->model, l->tok, &(sc_gen_local_opts){.batch = opts->batch}, &e->gen,
                             err));
    l->gen = e->gen;
    e->stop_ids = l->stop;
    e->n_stop_ids = l->n_stop;
    e->ctx = sc_model_ctx(l->model);
    const char *arch = sc_model_config(l->model)->arch;
    e->rule = strcmp(arch, "smallcoder") == 0 ? SC_SAMPLE_SMALLCODER : SC_SAMPLE_HF;
    *out = sc_take(e);
    return SC_OK;
}
