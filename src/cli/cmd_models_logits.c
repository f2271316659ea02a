// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/find.h"
#include "cli/open.h"
#include "fmt/safetensors.h"
#include "model/model.h"

#include <inttypes.h>
#include <string.h>

enum { MAX_IDS = 1 << 20, MAX_TEXT = 16 << 20 };

/* What the command gathers on its way. */
typedef struct result {
    int32_t *id; // owned, [n]
    size_t n;
    float *logits;   // owned, [n, vocab]
    float *hidden;   // owned, [layers + 1, n, hidden]; NULL when not asked for
    int64_t *greedy; // owned, [n_greedy]
    size_t n_greedy;
} result;

static void result_drop(result *r)
{
    sc_free(r->id);
    sc_free(r->logits);
    sc_free(r->hidden);
    sc_free(r->greedy);
}
SC_AUTO_DEFINE_VALUE(result, result_drop);

/* Numbers with commas, spaces or brackets between them. */
static sc_code parse_ids(sc_str text, result *r, sc_err *err)
{
    size_t cap = 0;
    for (size_t i = 0; i < text.n;) {
        if (strchr(", \t\r\n[]", text.p[i]) && text.p[i]) {
            i++;
            continue;
        }
        int64_t v = 0;
        const size_t from = i;
        for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9' && v <= INT32_MAX; i++)
            v = v * 10 + (text.p[i] - '0');
        if (i == from || v > INT32_MAX)
            return sc_fail_at(err, SC_E_USAGE, from, "--ids: a token id expected");
        if (!sc_grow(&r->id, &cap, r->n, MAX_IDS, sizeof *r->id))
            return sc_fail(err, SC_E_LIMIT, "--ids: more than %d, or no memory", MAX_IDS);
        r->id[r->n++] = (int32_t)v;
    }
    return r->n ? SC_OK : sc_fail(err, SC_E_USAGE, "--ids: none given");
}

static sc_code read_ids(const sc_cli *cli, result *r, sc_err *err)
{
    const char *text = sc_args_text(cli->args, "ids-list");
    if (!text)
        return sc_fail(err, SC_E_USAGE, "--ids is needed: 1,2,3 or @FILE");
    if (text[0] != '@')
        return parse_ids(sc_str_c(text), r, err);
    SC_AUTO(sc_buf) file = sc_buf_init(MAX_TEXT);
    SC_TRY(sc_file_read(text + 1, MAX_TEXT, &file, err));
    SC_TRY_IN(parse_ids(sc_buf_str(&file), r, err), err, "%s", text + 1);
    return SC_OK;
}

static sc_code make_room(const sc_model *m, bool hidden, result *r, sc_err *err)
{
    const sc_config *c = sc_model_config(m);
    const uint64_t fed = r->n + (r->n_greedy ? r->n_greedy - 1 : 0);
    if (fed > sc_model_ctx(m))
        return sc_fail(err, SC_E_LIMIT,
                       "%zu ids and %zu more do not fit the context of %" PRIu32 " positions", r->n,
                       r->n_greedy, sc_model_ctx(m));
    size_t size = 0;
    if (sc_mul_size(r->n, c->vocab, &size))
        r->logits = sc_alloc(size, sizeof *r->logits);
    if (hidden && sc_mul_size(r->n * c->hidden, (size_t)c->layers + 1, &size))
        r->hidden = sc_alloc(size, sizeof *r->hidden);
    r->greedy = sc_alloc(r->n_greedy, sizeof *r->greedy);
    return r->logits && r->greedy && (r->hidden || !hidden) ? SC_OK : sc_fail_nomem(err);
}

/* Feeds the ids in blocks and copies what comes out. */
static sc_code feed(sc_model *m, sc_seq seq, result *r, sc_err *err)
{
    const sc_config *c = sc_model_config(m);
    sc_row rows[256];
    for (size_t at = 0; at < r->n;) {
        size_t k = 0;
        for (; k < SC_LEN(rows) && k < sc_model_max_rows(m) && at + k < r->n; k++)
            rows[k] = (sc_row){seq, r->id[at + k], true};
        SC_TRY(sc_model_step(m, rows, k, err));
        for (size_t i = 0; i < k; i++) {
            memcpy(r->logits + (at + i) * c->vocab, sc_model_logits(m, i),
                   c->vocab * sizeof(float));
            for (uint32_t l = 0; r->hidden && l <= c->layers; l++)
                memcpy(r->hidden + ((size_t)l * r->n + at + i) * c->hidden,
                       sc_model_hidden(m, l, i), c->hidden * sizeof(float));
        }
        at += k;
    }
    return SC_OK;
}

static sc_code continue_greedily(sc_model *m, sc_seq seq, result *r, sc_err *err)
{
    const size_t vocab = sc_model_config(m)->vocab;
    const float *logits = r->logits + (r->n - 1) * vocab;
    for (size_t i = 0; i < r->n_greedy; i++) {
        const size_t id = sc_model_kern(m)->argmax(logits, vocab);
        r->greedy[i] = (int64_t)id;
        if (i + 1 == r->n_greedy)
            break;
        const sc_row row = {seq, (int32_t)id, true};
        SC_TRY(sc_model_step(m, &row, 1, err));
        logits = sc_model_logits(m, 0);
    }
    return SC_OK;
}

static sc_code write_result(const sc_cli *cli, const sc_model *m, const result *r, sc_err *err)
{
    const sc_config *c = sc_model_config(m);
    const char *path = sc_args_text(cli->args, "output");
    const size_t most = (size_t)c->layers + 3;
    sc_safetensors_item *item = sc_alloc(most, sizeof *item);
    char(*name)[32] = sc_alloc(most, sizeof *name);
    size_t n = 0;
    sc_code code = SC_OK;
    if (!item || !name) {
        code = sc_fail_nomem(err);
    } else {
        item[n++] = (sc_safetensors_item){"logits", SC_F32, 2, {r->n, c->vocab}, r->logits};
        if (r->n_greedy)
            item[n++] = (sc_safetensors_item){"greedy", SC_I64, 1, {r->n_greedy}, r->greedy};
        for (uint32_t l = 0; r->hidden && l <= c->layers; l++) {
            (void)snprintf(name[n], sizeof *name, "hidden.%" PRIu32, l); // fits
            item[n] = (sc_safetensors_item){
                name[n], SC_F32, 2, {r->n, c->hidden}, r->hidden + (size_t)l * r->n * c->hidden};
            n++;
        }
        SC_AUTO_JSON *meta =
            json_pack("{s:s, s:s, s:s, s:s}", "arch", c->arch, "compute", sc_model_compute(m),
                      "level", sc_model_level(m), "kv", sc_model_kv(m));
        if (meta)
            code = sc_safetensors_write(path, item, n, meta, err);
        else
            code = sc_fail_nomem(err);
    }
    sc_free(item);
    sc_free(name);
    return code;
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    SC_AUTO(result) r = {0};
    if (!sc_args_text(cli->args, "output"))
        return sc_fail(err, SC_E_USAGE, "-o FILE is needed: where the tensors go");
    SC_TRY(read_ids(cli, &r, err));
    r.n_greedy = (size_t)sc_args_int(cli->args, "greedy-n");
    const bool hidden = sc_args_flag(cli->args, "hidden");

    sc_model_opts opts = {0};
    SC_TRY(sc_cli_model_opts(cli, &opts, err));
    if (!sc_args_has(cli->args, "compute")) {
        opts.compute = SC_COMPUTE_F32; // whoever compares logits wants the exact ones
    }
    opts.max_seqs = 1;
    opts.hidden = hidden;
    char *path = NULL;
    SC_TRY(sc_cli_find(cli, sc_args_at(cli->args, 0), SC_HUB_MODEL, &path, err));
    SC_AUTO(sc_model) *m = NULL;
    const sc_code code = sc_model_open(path, &opts, &m, err);
    sc_free(path);
    SC_TRY(code);

    SC_TRY(make_room(m, hidden, &r, err));
    sc_seq seq = 0;
    SC_TRY(sc_model_seq_new(m, &seq, err));
    sc_model_seq_expect(m, seq, (uint32_t)r.n);
    SC_TRY(feed(m, seq, &r, err));
    SC_TRY(continue_greedily(m, seq, &r, err));
    SC_TRY(write_result(cli, m, &r, err));
    sc_ui_note(&cli->ui, "%zu positions, %zu continued: %s", r.n, r.n_greedy,
               sc_args_text(cli->args, "output"));
    return SC_OK;
}

const sc_cmd sc_cmd_models_logits = {
    .name = "models logits",
    .args = "MODEL",
    .summary = "what a model says about given token ids, as tensors",
    .about =
        "Feeds the ids and writes a safetensors file: `logits` [ids, vocabulary] F32; with "
        "--greedy N also `greedy` [N] I64, the likeliest continuation (tokens that end a text do "
        "not end it); with --hidden also `hidden.0` (the embedding) to `hidden.L` (after the last "
        "layer and the final norm), [ids, width] F32 each.\n\n"
        "For people who port models, and for tests. Other than in the other commands --compute is "
        "f32 by default: activations are not rounded.",
    .examples = "scbench models logits models/nano/nano.pt --ids 1,2,3 -o out.safetensors\n"
                "scbench models logits model.gguf --ids @ids.txt --greedy 24 --hidden -o "
                "out.safetensors\n",
    .options = "ids-list greedy-n hidden cpu compute threads ctx kv-type pull output",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
