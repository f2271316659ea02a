// SPDX-License-Identifier: MIT
#include "model/config.h"

#include "model/arch.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
    MAX_WIDTH = 1 << 20, // hidden, inter
    MAX_HEADS = 4096,
    MAX_HEAD_DIM = 1024,
    MAX_VOCAB = 1 << 24,
    MAX_CTX = 1 << 28,
    MAX_EXPERTS = 4096,
};

/* A config key that is a whole number, and where it goes. */
typedef struct int_key {
    const char *key;
    size_t at; // offset of a uint32_t in sc_config
    uint32_t low, high;
} int_key;

#define AT(field) offsetof(sc_config, field)

sc_code sc_config_u32(const json_t *o, const char *key, uint32_t low, uint32_t high, uint32_t *out,
                      sc_err *err)
{
    int64_t v = *out;
    const json_t *j = json_object_get(o, key);
    // A float without a fraction is what some writers make of an integer.
    if (json_is_real(j) && json_real_value(j) >= low && json_real_value(j) <= high &&
        json_real_value(j) == floor(json_real_value(j)))
        v = (int64_t)json_real_value(j);
    else
        SC_TRY(sc_json_get_int(o, key, low, high, &v, err));
    *out = (uint32_t)v;
    return SC_OK;
}

sc_code sc_config_f32(const json_t *o, const char *key, float *out, sc_err *err)
{
    double v = (double)*out;
    SC_TRY(sc_json_get_num(o, key, &v, err));
    if (!(fabs(v) <= 1e30))
        return sc_fail(err, SC_E_FORMAT, "%s: %g is no usable number", key, v);
    *out = (float)v;
    return SC_OK;
}

sc_code sc_config_refuse(const json_t *o, const char *key, sc_err *err)
{
    const json_t *v = json_object_get(o, key);
    if (!v || json_is_null(v) || json_is_false(v))
        return SC_OK;
    return sc_fail(err, SC_E_UNSUPPORTED, "%s: this program does not do what it asks for", key);
}

static sc_code read_ints(const json_t *o, const int_key *keys, size_t n, sc_config *c, sc_err *err)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t v = 0;
        memcpy(&v, (const char *)c + keys[i].at, sizeof v);
        SC_TRY(sc_config_u32(o, keys[i].key, keys[i].low, keys[i].high, &v, err));
        memcpy((char *)c + keys[i].at, &v, sizeof v);
    }
    return SC_OK;
}

static bool has_eos(const sc_config *c, json_int_t id)
{
    for (uint32_t i = 0; i < c->n_eos; i++)
        if (c->eos[i] == id)
            return true;
    return false;
}

/* Adds the ids of eos_token_id: a number, or a list of them; a negative one means none. */
static sc_code add_eos(const json_t *v, sc_config *c, sc_err *err)
{
    const size_t n = json_is_array(v) ? json_array_size(v) : 1;
    for (size_t i = 0; i < n; i++) {
        const json_t *id = json_is_array(v) ? json_array_get(v, i) : v;
        const json_int_t x = json_integer_value(id);
        if (!json_is_integer(id) || x > INT32_MAX)
            return sc_fail(err, SC_E_FORMAT, "eos_token_id: not a token id");
        if (x < 0 || has_eos(c, x))
            continue;
        if (c->n_eos == SC_CONFIG_MAX_EOS)
            return sc_fail(err, SC_E_FORMAT, "eos_token_id: more than %d ids", SC_CONFIG_MAX_EOS);
        c->eos[c->n_eos++] = (int32_t)x;
    }
    return SC_OK;
}

/* eos_token_id in place of the class's; null is as absent. */
static sc_code read_eos(const json_t *o, sc_config *c, sc_err *err)
{
    const json_t *v = json_object_get(o, "eos_token_id");
    if (!v || json_is_null(v))
        return SC_OK;
    c->n_eos = 0;
    return add_eos(v, c, err);
}

sc_code sc_config_read_generation(const json_t *o, sc_config *c, sc_err *err)
{
    const json_t *v = json_object_get(o, "eos_token_id");
    return v && !json_is_null(v) ? add_eos(v, c, err) : SC_OK;
}

static sc_code read_ids(const json_t *o, sc_config *c, sc_err *err)
{
    const json_t *v = json_object_get(o, "bos_token_id");
    if (json_is_integer(v)) {
        const json_int_t x = json_integer_value(v);
        c->bos = x >= 0 && x <= INT32_MAX ? (int32_t)x : -1;
    }
    return read_eos(o, c, err);
}

sc_code sc_config_llama_keys(const json_t *o, sc_config *c, sc_err *err)
{
    static const int_key keys[] = {
        {"vocab_size", AT(vocab), 1, MAX_VOCAB},
        {"hidden_size", AT(hidden), 1, MAX_WIDTH},
        {"intermediate_size", AT(inter), 1, MAX_WIDTH},
        {"num_hidden_layers", AT(layers), 1, SC_CONFIG_MAX_LAYERS},
        {"num_attention_heads", AT(heads), 1, MAX_HEADS},
        {"num_key_value_heads", AT(kv_heads), 1, MAX_HEADS},
        {"head_dim", AT(head_dim), 1, MAX_HEAD_DIM},
        {"max_position_embeddings", AT(ctx), 1, MAX_CTX},
    };
    if (json_is_null(json_object_get(o, "num_key_value_heads")))
        c->kv_heads = 0; // as many as there are heads, whatever a missing key means
    SC_TRY(read_ints(o, keys, SC_LEN(keys), c, err));
    SC_TRY(sc_config_f32(o, c->norm == SC_NORM_RMS ? "rms_norm_eps" : "layer_norm_eps",
                         &c->norm_eps, err));
    SC_TRY(sc_json_get_bool(o, "tie_word_embeddings", &c->tied, err));
    return read_ids(o, c, err);
}

sc_code sc_config_gpt_keys(const json_t *o, sc_config *c, sc_err *err)
{
    static const int_key keys[] = {
        // The library takes the usual names for these classes too.
        {"hidden_size", AT(hidden), 1, MAX_WIDTH},
        {"num_hidden_layers", AT(layers), 1, SC_CONFIG_MAX_LAYERS},
        {"num_attention_heads", AT(heads), 1, MAX_HEADS},
        {"max_position_embeddings", AT(ctx), 1, MAX_CTX},
        {"vocab_size", AT(vocab), 1, MAX_VOCAB},
        {"n_embd", AT(hidden), 1, MAX_WIDTH},
        {"n_inner", AT(inter), 1, MAX_WIDTH},
        {"n_layer", AT(layers), 1, SC_CONFIG_MAX_LAYERS},
        {"n_head", AT(heads), 1, MAX_HEADS},
        {"n_positions", AT(ctx), 1, MAX_CTX},
    };
    SC_TRY(read_ints(o, keys, SC_LEN(keys), c, err));
    SC_TRY(sc_config_f32(o, "layer_norm_epsilon", &c->norm_eps, err));
    SC_TRY(sc_json_get_bool(o, "tie_word_embeddings", &c->tied, err));
    SC_TRY(sc_config_refuse(o, "add_cross_attention", err));
    bool scaled = true;
    SC_TRY(sc_json_get_bool(o, "scale_attn_weights", &scaled, err));
    if (!scaled)
        c->attn_scale = 1;
    if (!c->inter && c->hidden <= MAX_WIDTH / 4)
        c->inter = 4 * c->hidden;
    SC_TRY(sc_config_act(o, "activation_function", &c->act, err));
    return read_ids(o, c, err);
}

sc_code sc_config_act(const json_t *o, const char *key, sc_act *out, sc_err *err)
{
    static const struct {
        const char *name;
        sc_act act;
    } acts[] = {
        {"silu", SC_ACT_SILU},
        {"swish", SC_ACT_SILU},
        {"gelu", SC_ACT_GELU},
        {"gelu_python", SC_ACT_GELU},
        {"gelu_python_tanh", SC_ACT_GELU_TANH},
        {"gelu_accurate", SC_ACT_GELU_TANH},
        {"gelu_new", SC_ACT_GELU_TANH},
        {"gelu_pytorch_tanh", SC_ACT_GELU_TANH},
        {"gelu_fast", SC_ACT_GELU_TANH},
        {"relu", SC_ACT_RELU},
        {"quick_gelu", SC_ACT_QUICK_GELU},
    };
    sc_str name = {0};
    SC_TRY(sc_json_get_str(o, key, &name, err));
    if (!name.p)
        return SC_OK;
    for (size_t i = 0; i < SC_LEN(acts); i++) {
        if (sc_str_is(name, acts[i].name)) {
            *out = acts[i].act;
            return SC_OK;
        }
    }
    return sc_fail(err, SC_E_UNSUPPORTED,
                   "%s: unknown activation \"%.*s\"; known: silu, gelu, gelu_new, "
                   "gelu_pytorch_tanh, gelu_fast, relu, quick_gelu",
                   key, SC_STRF(name));
}

sc_code sc_config_window_key(const json_t *o, const char *key, uint32_t *window, sc_err *err)
{
    const json_t *v = json_object_get(o, key);
    if (json_is_null(v)) {
        *window = 0;
        return SC_OK;
    }
    return sc_config_u32(o, key, 0, MAX_CTX, window, err);
}

sc_code sc_config_window_layers(const json_t *o, uint32_t from, sc_config *c, sc_err *err)
{
    memset(c->windowed, 0, sizeof c->windowed);
    const json_t *types = json_object_get(o, "layer_types");
    if (json_is_array(types) && json_array_size(types) != c->layers)
        return sc_fail(err, SC_E_FORMAT, "layer_types: %zu entries for %" PRIu32 " layers",
                       json_array_size(types), c->layers);
    for (uint32_t l = 0; l < c->layers; l++) {
        bool on = l >= from;
        if (json_is_array(types)) {
            const sc_str t = sc_json_str(json_array_get(types, l));
            on = sc_str_is(t, "sliding_attention");
            if (!on && !sc_str_is(t, "full_attention"))
                return sc_fail(err, SC_E_UNSUPPORTED, "layer_types: unknown type \"%.*s\"",
                               SC_STRF(t));
        }
        if (on && c->window)
            c->windowed[l / 64] |= (uint64_t)1 << (l % 64);
    }
    return SC_OK;
}

/* A list of divisors, one for each rotated pair. */
static sc_code read_divisors(const json_t *o, const char *key, sc_rope_conf *r, float *out,
                             sc_err *err)
{
    const json_t *list = json_object_get(o, key);
    if (!json_is_array(list) || json_array_size(list) != r->dim / 2 ||
        r->dim / 2 > SC_CONFIG_MAX_ROPE)
        return sc_fail(err, SC_E_FORMAT, "%s: a list of %" PRIu32 " numbers expected", key,
                       r->dim / 2);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const double v = json_number_value(json_array_get(list, i));
        if (!(v > 0 && v < 1e9))
            return sc_fail(err, SC_E_FORMAT, "%s: entry %zu is no positive number", key, i);
        out[i] = (float)v;
    }
    r->n_divisors = r->dim / 2;
    return SC_OK;
}

static sc_code rope_kind(sc_str name, sc_rope_kind *out, sc_err *err)
{
    static const struct {
        const char *name;
        sc_rope_kind kind;
    } kinds[] = {
        {"default", SC_ROPE_PLAIN}, {"linear", SC_ROPE_LINEAR}, {"dynamic", SC_ROPE_DYNAMIC},
        {"llama3", SC_ROPE_LLAMA3}, {"yarn", SC_ROPE_YARN},     {"longrope", SC_ROPE_LONG},
        {"su", SC_ROPE_LONG},
    };
    for (size_t i = 0; i < SC_LEN(kinds); i++) {
        if (sc_str_is(name, kinds[i].name)) {
            *out = kinds[i].kind;
            return SC_OK;
        }
    }
    return sc_fail(err, SC_E_UNSUPPORTED,
                   "rope_type: unknown type \"%.*s\"; known: default, linear, dynamic, llama3, "
                   "yarn, longrope",
                   SC_STRF(name));
}

/* Refuses a rope dictionary without a key that its type cannot do without. */
static sc_code need_keys(const json_t *s, sc_rope_kind kind, sc_err *err)
{
    static const char *const llama3[] = {"factor", "low_freq_factor", "high_freq_factor"};
    const size_t n = kind == SC_ROPE_LLAMA3                          ? 3
                     : kind == SC_ROPE_PLAIN || kind == SC_ROPE_LONG ? 0
                                                                     : 1;
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_object_get(s, llama3[i]);
        // A yarn factor of null is what the contexts say.
        if (!v || (json_is_null(v) && kind != SC_ROPE_YARN))
            return sc_fail(err, SC_E_FORMAT, "%s: missing", llama3[i]);
    }
    return SC_OK;
}

/*
 * The dictionary `rope_scaling`, or `rope_parameters`. `orig` is what stands beside it as
 * original_max_position_embeddings, or 0; it wins over the one inside.
 */
static sc_code read_scaling(const json_t *s, uint32_t orig, sc_config *c, sc_err *err)
{
    sc_rope_conf *r = &c->rope;
    sc_str type = {0};
    SC_TRY(sc_json_get_str(s, "type", &type, err));
    SC_TRY(sc_json_get_str(s, "rope_type", &type, err)); // the newer name wins
    if (!type.p)
        type = SC_STR("default");
    SC_TRY(rope_kind(type, &r->kind, err));
    if (sc_arch_find(c->arch)->long_rope && r->kind == SC_ROPE_YARN)
        r->kind = SC_ROPE_LONG; // its first files called it so
    if (sc_arch_find(c->arch)->long_rope && r->kind != SC_ROPE_PLAIN && r->kind != SC_ROPE_LONG)
        return sc_fail(err, SC_E_UNSUPPORTED, "rope_type: \"%.*s\": a %s model has longrope only",
                       SC_STRF(type), c->arch);
    SC_TRY(need_keys(s, r->kind, err));
    SC_TRY(sc_config_u32(s, "original_max_position_embeddings", 1, MAX_CTX, &r->orig_ctx, err));
    if (orig && (r->kind == SC_ROPE_LLAMA3 || r->kind == SC_ROPE_YARN || r->kind == SC_ROPE_LONG))
        r->orig_ctx = orig;
    if (r->kind == SC_ROPE_LONG || r->kind == SC_ROPE_YARN)
        r->factor = (double)c->ctx / r->orig_ctx; // unless it is given
    SC_TRY(sc_json_get_num(s, "factor", &r->factor, err));
    if (!(r->factor >= 1e-3 && r->factor <= 1e6))
        return sc_fail(err, SC_E_FORMAT, "factor: %g is no usable scale", r->factor);
    SC_TRY(sc_json_get_num(s, "low_freq_factor", &r->low_freq_factor, err));
    SC_TRY(sc_json_get_num(s, "high_freq_factor", &r->high_freq_factor, err));
    SC_TRY(sc_json_get_num(s, "beta_fast", &r->beta_fast, err));
    SC_TRY(sc_json_get_num(s, "beta_slow", &r->beta_slow, err));
    SC_TRY(sc_json_get_num(s, "attention_factor", &r->attention_factor, err));
    SC_TRY(sc_json_get_num(s, "mscale", &r->mscale, err));
    SC_TRY(sc_json_get_num(s, "mscale_all_dim", &r->mscale_all_dim, err));
    SC_TRY(sc_json_get_bool(s, "truncate", &r->truncate, err));
    if (r->kind == SC_ROPE_YARN && !(r->beta_fast > 0 && r->beta_slow > 0))
        return sc_fail(err, SC_E_FORMAT, "beta_fast %g, beta_slow %g: above 0 expected",
                       r->beta_fast, r->beta_slow);
    if (r->kind == SC_ROPE_LLAMA3 &&
        !(r->low_freq_factor > 0 && r->high_freq_factor > r->low_freq_factor))
        return sc_fail(err, SC_E_FORMAT,
                       "low_freq_factor %g, high_freq_factor %g: 0 < low < high "
                       "expected",
                       r->low_freq_factor, r->high_freq_factor);
    return SC_OK;
}

/*
 * The dictionary about RoPE. A file of version 5 to which somebody has added the older
 * `rope_scaling` has two: the library then takes the older one alone.
 */
static sc_code rope_dict(const json_t *o, const json_t **out, const char **in, sc_err *err)
{
    const json_t *old = json_object_get(o, "rope_scaling");
    const json_t *new = json_object_get(o, "rope_parameters");
    const bool use_old = old && !json_is_null(old) && !(new &&json_object_size(old) == 0);
    const json_t *s = use_old ? old : new;
    *in = use_old ? "rope_scaling" : "rope_parameters";
    *out = NULL;
    if (!s || json_is_null(s))
        return SC_OK;
    if (!json_is_object(s))
        return sc_fail(err, SC_E_FORMAT, "%s: an object expected", *in);
    const char *key = NULL;
    json_t *v = NULL;
    json_object_foreach((json_t *)(uintptr_t)s, key, v) if (json_is_object(v)) return sc_fail(
        err, SC_E_UNSUPPORTED, "%s.%s: RoPE by layer type", *in, key);
    *out = s;
    return SC_OK;
}

sc_code sc_config_rope_keys(const json_t *o, double partial, sc_config *c, sc_err *err)
{
    sc_rope_conf *r = &c->rope;
    uint32_t orig = r->orig_ctx;
    const bool whole = !(partial > 0);
    if (whole)
        partial = 1;
    SC_TRY(sc_json_get_num(o, "rope_theta", &r->theta, err));
    SC_TRY(sc_json_get_num(o, "partial_rotary_factor", &partial, err));
    SC_TRY(sc_config_u32(o, "original_max_position_embeddings", 1, MAX_CTX, &orig, err));

    const json_t *s = NULL;
    const char *in = "";
    r->orig_ctx = c->ctx;
    SC_TRY(rope_dict(o, &s, &in, err));
    if (s) {
        SC_TRY_IN(sc_json_get_num(s, "rope_theta", &r->theta, err), err, "%s", in);
        SC_TRY_IN(sc_json_get_num(s, "partial_rotary_factor", &partial, err), err, "%s", in);
        SC_TRY_IN(read_scaling(s, orig, c, err), err, "%s", in);
    }
    if (!(r->theta > 1 && r->theta < 1e15))
        return sc_fail(err, SC_E_FORMAT, "rope_theta: %g", r->theta);
    if (!(partial > 0 && partial <= 1))
        return sc_fail(err, SC_E_FORMAT, "partial_rotary_factor: %g", partial);
    if (whole && partial < 1)
        return sc_fail(err, SC_E_UNSUPPORTED,
                       "partial_rotary_factor: %g: a %s model turns the whole head", partial,
                       c->arch);
    const uint32_t d = c->head_dim ? c->head_dim : c->hidden / c->heads;
    r->dim = (uint32_t)((double)d * partial);
    if (r->kind == SC_ROPE_LONG) {
        SC_TRY_IN(read_divisors(s, "short_factor", r, r->short_div, err), err, "%s", in);
        SC_TRY_IN(read_divisors(s, "long_factor", r, r->long_div, err), err, "%s", in);
    }
    return SC_OK;
}

void sc_config_init(sc_config *c, const sc_arch *a)
{
    memset(c, 0, sizeof *c);
    c->arch = a->name;
    c->norm_eps = 1e-6f;
    c->act = SC_ACT_SILU;
    c->rope = (sc_rope_conf){.theta = 10000,
                             .factor = 1,
                             .beta_fast = 32,
                             .beta_slow = 1,
                             .low_freq_factor = 1,
                             .high_freq_factor = 4,
                             .truncate = true};
    c->embed_scale = c->residual_scale = c->logit_scale = 1;
    c->bos = -1;
    a->defaults(c);
}

/* Sizes that follow from others. */
static void fill_derived(sc_config *c)
{
    if (!c->kv_heads)
        c->kv_heads = c->heads;
    if (!c->head_dim && c->heads)
        c->head_dim = c->hidden / c->heads;
    if (!c->expert_inter)
        c->expert_inter = c->inter;
    // These two stretch the context that max_position_embeddings says.
    sc_rope_conf *r = &c->rope;
    double most = c->ctx;
    if (r->kind == SC_ROPE_DYNAMIC) {
        r->orig_ctx = c->ctx;
        most = c->ctx * r->factor;
    } else if (r->kind == SC_ROPE_YARN) {
        most = r->orig_ctx * r->factor;
    }
    if (most > c->ctx && most <= MAX_CTX)
        c->ctx = (uint32_t)most;
}

sc_code sc_config_finish(sc_config *c, sc_err *err)
{
    fill_derived(c);
    return sc_config_check(c, err);
}

sc_code sc_config_read_hf(const json_t *o, sc_config *out, sc_err *err)
{
    if (!json_is_object(o))
        return sc_fail(err, SC_E_FORMAT, "an object expected");
    sc_str type = {0};
    SC_TRY(sc_json_get_str(o, "model_type", &type, err));
    if (!type.p)
        return sc_fail(err, SC_E_FORMAT, "model_type: missing");
    const sc_arch *a = sc_arch_find_hf(type);
    if (!a)
        return sc_arch_unknown(type, false, err);
    const json_t *quant = json_object_get(o, "quantization_config");
    if (quant && !json_is_null(quant)) {
        const sc_str method = sc_json_str(json_object_get(quant, "quant_method"));
        return sc_fail(err, SC_E_UNSUPPORTED,
                       "quantization_config: weights quantised by \"%.*s\"; use the original or a "
                       "GGUF file",
                       SC_STRF(method));
    }
    sc_config c;
    sc_config_init(&c, a);
    SC_TRY(a->read_hf(o, &c, err));
    SC_TRY(sc_config_finish(&c, err));
    *out = c;
    return SC_OK;
}

sc_code sc_config_read_smallcoder(const json_t *o, sc_config *out, sc_err *err)
{
    sc_config c;
    sc_config_init(&c, &sc_arch_smallcoder);
    if (o) {
        if (!json_is_object(o))
            return sc_fail(err, SC_E_FORMAT, "config: a dict expected");
        SC_TRY(sc_arch_smallcoder.read_hf(o, &c, err));
    }
    SC_TRY(sc_config_finish(&c, err));
    *out = c;
    return SC_OK;
}

static sc_code check_heads(const sc_config *c, sc_err *err)
{
    if (c->heads % c->kv_heads)
        return sc_fail(err, SC_E_FORMAT,
                       "num_attention_heads %" PRIu32 " is no multiple of num_key_value_heads "
                       "%" PRIu32,
                       c->heads, c->kv_heads);
    if (c->head_dim == 0 || c->head_dim > MAX_HEAD_DIM)
        return sc_fail(err, SC_E_FORMAT, "head_dim: %" PRIu32, c->head_dim);
    if ((uint64_t)c->heads * c->head_dim > MAX_WIDTH)
        return sc_fail(err, SC_E_FORMAT, "%" PRIu32 " heads of %" PRIu32 ": too wide", c->heads,
                       c->head_dim);
    if (c->rope.dim % 2 || c->rope.dim > c->head_dim || c->rope.dim / 2 > SC_CONFIG_MAX_ROPE)
        return sc_fail(err, SC_E_FORMAT,
                       "rotary part of %" PRIu32 " in heads of %" PRIu32 ": an even number up to "
                       "that expected",
                       c->rope.dim, c->head_dim);
    if (!c->learned_pos && c->rope.dim == 0)
        return sc_fail(err, SC_E_FORMAT, "rotary part of 0: the model would not know positions");
    return SC_OK;
}

static sc_code check_experts(const sc_config *c, sc_err *err)
{
    if (c->experts == 0)
        return SC_OK;
    if (c->experts > MAX_EXPERTS || c->experts_used == 0 || c->experts_used > c->experts)
        return sc_fail(err, SC_E_FORMAT, "%" PRIu32 " of %" PRIu32 " experts a token",
                       c->experts_used, c->experts);
    if (c->expert_inter == 0 || c->expert_inter > MAX_WIDTH)
        return sc_fail(err, SC_E_FORMAT, "moe_intermediate_size: %" PRIu32, c->expert_inter);
    return SC_OK;
}

sc_code sc_config_check(const sc_config *c, sc_err *err)
{
    const struct {
        const char *what;
        uint32_t v, high;
    } sizes[] = {
        {"hidden_size", c->hidden, MAX_WIDTH},
        {"intermediate_size", c->inter, MAX_WIDTH},
        {"num_hidden_layers", c->layers, SC_CONFIG_MAX_LAYERS},
        {"num_attention_heads", c->heads, MAX_HEADS},
        {"num_key_value_heads", c->kv_heads, MAX_HEADS},
        {"vocab_size", c->vocab, MAX_VOCAB},
        {"max_position_embeddings", c->ctx, MAX_CTX},
    };
    for (size_t i = 0; i < SC_LEN(sizes); i++)
        if (sizes[i].v == 0 || sizes[i].v > sizes[i].high)
            return sc_fail(err, SC_E_FORMAT, "%s: %" PRIu32 ", 1 to %" PRIu32 " expected",
                           sizes[i].what, sizes[i].v, sizes[i].high);
    if (!(c->norm_eps >= 0 && c->norm_eps < 1))
        return sc_fail(err, SC_E_FORMAT, "norm epsilon: %g", (double)c->norm_eps);
    if (!(fabsf(c->logit_scale) > 0 && fabsf(c->logit_scale) < 1e9f))
        return sc_fail(err, SC_E_FORMAT, "scale of the logits: %g", (double)c->logit_scale);
    SC_TRY(check_heads(c, err));
    return check_experts(c, err);
}

uint64_t sc_config_params(const sc_config *c)
{
    const uint64_t q = (uint64_t)c->heads * c->head_dim, kv = (uint64_t)c->kv_heads * c->head_dim;
    const uint64_t attn = c->hidden * (2 * q + 2 * kv);
    const uint64_t plain = (uint64_t)(c->gated ? 3 : 2) * c->hidden * c->inter;
    const uint64_t mixed = (uint64_t)c->experts * (3ull * c->hidden * c->expert_inter + c->hidden);
    uint64_t n = (uint64_t)c->vocab * c->hidden * (c->tied ? 1 : 2) + c->hidden;
    if (c->learned_pos)
        n += (uint64_t)c->ctx * c->hidden;
    for (uint32_t l = 0; l < c->layers; l++)
        n += attn + (sc_config_bit(c->sparse, l) ? mixed : plain) + 2ull * c->hidden;
    return n;
}
