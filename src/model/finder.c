// SPDX-License-Identifier: MIT
#include "model/finder.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static const sc_arch_names gguf_names = {
    .prefix = "",
    .embed = "token_embd",
    .pos = "position_embd",
    .norm = "output_norm",
    .head = "output",
    .norm1 = "blk.%u.attn_norm",
    .norm2 = "blk.%u.ffn_norm",
    .q = "blk.%u.attn_q",
    .k = "blk.%u.attn_k",
    .v = "blk.%u.attn_v",
    .qkv = "blk.%u.attn_qkv",
    .o = "blk.%u.attn_output",
    .q_norm = "blk.%u.attn_q_norm",
    .k_norm = "blk.%u.attn_k_norm",
    .gate = "blk.%u.ffn_gate",
    .up = "blk.%u.ffn_up",
    .down = "blk.%u.ffn_down",
    .router = "blk.%u.ffn_gate_inp",
    .x_gate = "blk.%u.ffn_gate_exps", // all experts in one tensor
    .x_up = "blk.%u.ffn_up_exps",
    .x_down = "blk.%u.ffn_down_exps",
};

/* Writes `base` with its %u replaced by i, then j; our own short names only. */
static void expand(const char *base, uint32_t i, uint32_t j, char *out, size_t size)
{
    size_t n = 0;
    uint32_t next = i;
    for (; *base && n + 1 < size; base++) {
        if (base[0] == '%' && base[1] == 'u') {
            const int len = snprintf(out + n, size - n, "%u", next);
            n += len > 0 ? (size_t)len : 0;
            next = j;
            base++;
        } else {
            out[n++] = *base;
        }
    }
    out[n < size ? n : size - 1] = 0;
}

/* Looks for `mark` (a name inside the prefix) at the end of any tensor's name. */
static bool prefix_from(sc_finder *n, const char *mark)
{
    char tail[SC_FINDER_NAME];
    (void)snprintf(tail, sizeof tail, "%s.weight", mark); // our own short names
    const sc_tensor *t = sc_weights_tensors(n->w, &n->n_tensors);
    for (size_t i = 0; i < n->n_tensors; i++) {
        const sc_str name = t[i].name;
        if (!sc_str_ends(name, sc_str_c(tail)) || name.n - strlen(tail) >= SC_FINDER_NAME / 2)
            continue;
        const size_t len = name.n - strlen(tail);
        if (len && name.p[len - 1] != '.')
            continue;
        memcpy(n->prefix, name.p, len);
        n->prefix[len] = 0;
        return true;
    }
    return false;
}

sc_code sc_finder_init(sc_finder *n, sc_weights *w, const sc_arch *arch, sc_err *err)
{
    memset(n, 0, sizeof *n);
    n->w = w;
    n->arch = arch;
    n->gguf = sc_weights_kind_of(w) == SC_WEIGHTS_GGUF;
    n->names = n->gguf ? &gguf_names : &arch->names;
    (void)sc_weights_tensors(w, &n->n_tensors);
    n->used = sc_alloc(n->n_tensors / 64 + 1, sizeof *n->used);
    if (!n->used)
        return sc_fail_nomem(err);
    if (n->gguf)
        return SC_OK;
    // A tied model may have been saved without its embedding: the final norm tells it too.
    if (!prefix_from(n, n->names->embed) && !prefix_from(n, n->names->norm))
        (void)snprintf(n->prefix, sizeof n->prefix, "%s", n->names->prefix);
    const size_t inner = strlen(n->names->prefix), len = strlen(n->prefix);
    memcpy(n->outer, n->prefix, sizeof n->outer);
    if (len >= inner && strcmp(n->prefix + len - inner, n->names->prefix) == 0)
        n->outer[len - inner] = 0;
    return SC_OK;
}

void sc_finder_drop(sc_finder *n)
{
    sc_free(n->used);
    n->used = NULL;
}

const sc_tensor *sc_finder_find(sc_finder *n, const char *base, uint32_t i, uint32_t j,
                                const char *suffix, char full[SC_FINDER_NAME])
{
    char own[SC_FINDER_NAME];
    char *name = full ? full : own;
    char text[SC_FINDER_NAME / 4];
    name[0] = 0;
    if (!base)
        return NULL;
    expand(base, i, j, text, sizeof text);
    const bool head = base == n->names->head;
    if (snprintf(name, SC_FINDER_NAME, "%s%s%s", head ? n->outer : n->prefix, text, suffix) >=
        SC_FINDER_NAME)
        return NULL; // longer than any tensor's name
    const sc_tensor *t = sc_weights_find(n->w, sc_str_c(name));
    if (!t)
        return NULL;
    size_t count = 0;
    const size_t at = (size_t)(t - sc_weights_tensors(n->w, &count));
    n->used[at / 64] |= (uint64_t)1 << (at % 64);
    return t;
}

/* Buffers that older versions of the library saved beside the weights. */
static bool is_stale(sc_str name)
{
    static const char *const ends[] = {
        ".attn.bias",
        ".attn.masked_bias",
        ".attention.bias",
        ".attention.masked_bias",
        ".rotary_emb.inv_freq",
        ".attn.causal_mask",
        ".rotary_emb.cos_cached",
        ".rotary_emb.sin_cached",
    };
    for (size_t i = 0; i < SC_LEN(ends); i++)
        if (sc_str_ends(name, sc_str_c(ends[i])))
            return true;
    return false;
}

sc_code sc_finder_all_used(const sc_finder *n, const sc_config *c, sc_err *err)
{
    size_t count = 0;
    const sc_tensor *t = sc_weights_tensors(n->w, &count);
    for (size_t i = 0; i < count; i++) {
        if (n->used[i / 64] >> (i % 64) & 1 || is_stale(t[i].name))
            continue;
        if (c->tied && n->names->head && sc_str_ends(t[i].name, SC_STR(".weight")) &&
            sc_str_starts(sc_str_skip(t[i].name, strlen(n->outer)), sc_str_c(n->names->head)))
            continue; // a copy of the embedding
        return sc_fail(err, SC_E_UNSUPPORTED, "tensor %.*s: a %s model has none of this name",
                       SC_STRF(t[i].name), c->arch);
    }
    return SC_OK;
}
