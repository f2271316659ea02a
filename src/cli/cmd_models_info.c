// SPDX-License-Identifier: MIT
#include "base/mem.h"
#include "cli/command.h"
#include "cli/find.h"
#include "cli/open.h"
#include "model/model.h"
#include "tok/tok.h"

#include <inttypes.h>
#include <string.h>

/* What is known of a model without its weights. */
typedef struct info {
    char *path;     // owned
    sc_weights *w;  // owned
    sc_tok *tok;    // owned; NULL when there is none
    sc_err tok_err; // why
    sc_config c;
    sc_model_need need;
    uint64_t tensors[SC_DTYPE_N], bytes[SC_DTYPE_N];
} info;

static void info_drop(info *i)
{
    sc_free(i->path);
    sc_weights_close(i->w);
    sc_tok_close(i->tok);
}
SC_AUTO_DEFINE_VALUE(info, info_drop);

static const char *kind_name(const info *i)
{
    switch (sc_weights_kind_of(i->w)) {
    case SC_WEIGHTS_TORCH:
        return "PyTorch";
    case SC_WEIGHTS_SAFETENSORS:
        return "safetensors";
    case SC_WEIGHTS_GGUF:
        return "GGUF";
    }
    return "";
}

static const char *rope_name(const sc_config *c)
{
    static const char *const names[] = {"default", "linear", "dynamic",
                                        "llama3",  "yarn",   "by table"};
    return c->rope.dim ? names[c->rope.kind] : "none";
}

/* The tokenizer asked for, or the one in or beside the model; none is no failure. */
static void open_tok(sc_cli *cli, info *i)
{
    const char *asked = sc_args_text(cli->args, "tokenizer");
    char *path = NULL;
    sc_code code = SC_OK;
    if (asked)
        code = sc_cli_find(cli, asked, SC_HUB_TOKENIZER, &path, &i->tok_err);
    else if (!sc_weights_gguf(i->w))
        code = sc_tok_find_beside(i->path, &path, &i->tok_err);
    if (code == SC_OK && path)
        code = sc_tok_open(path, &i->tok, &i->tok_err);
    else if (code == SC_OK)
        code = sc_tok_open_gguf(sc_weights_gguf(i->w), &i->tok, &i->tok_err);
    if (code != SC_OK)
        i->tok = NULL;
    sc_free(path);
}

static sc_code gather(sc_cli *cli, info *i, sc_err *err)
{
    sc_model_opts opts = {0};
    SC_TRY(sc_cli_model_opts(cli, &opts, err));
    SC_TRY(sc_cli_find(cli, sc_args_at(cli->args, 0), SC_HUB_MODEL, &i->path, err));
    SC_TRY(sc_model_estimate(i->path, &opts, &i->c, &i->need, err));
    SC_TRY(sc_weights_open(i->path, &i->w, err));
    size_t n = 0;
    const sc_tensor *t = sc_weights_tensors(i->w, &n);
    for (size_t k = 0; k < n; k++) {
        i->tensors[t[k].dtype]++;
        i->bytes[t[k].dtype] += t[k].size;
    }
    open_tok(cli, i);
    return SC_OK;
}

static json_t *types_json(const info *i)
{
    json_t *o = json_object();
    for (unsigned t = 0; o && t < SC_DTYPE_N; t++)
        if (i->tensors[t] &&
            json_object_set_new(o, sc_dtype_info(t)->name,
                                json_pack("{s:I, s:I}", "tensors", (json_int_t)i->tensors[t],
                                          "bytes", (json_int_t)i->bytes[t])) != 0) {
            json_decref(o);
            return NULL;
        }
    return o;
}

static json_t *files_json(const info *i)
{
    size_t n = 0;
    const sc_weights_file *f = sc_weights_files(i->w, &n);
    json_t *list = json_array();
    for (size_t k = 0; list && k < n; k++)
        if (json_array_append_new(list,
                                  json_pack("{s:o, s:I}", "path", sc_json_text(sc_str_c(f[k].path)),
                                            "bytes", (json_int_t)f[k].size)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *tok_json(const info *i)
{
    if (!i->tok)
        return json_null();
    sc_tok_fim fim;
    return json_pack("{s:s, s:i, s:i, s:i, s:b, s:b}", "kind", sc_tok_kind(i->tok), "tokens",
                     (int)sc_tok_size(i->tok), "bos", (int)sc_tok_bos(i->tok), "eos",
                     (int)sc_tok_eos(i->tok), "fill_in_the_middle", sc_tok_fim_ids(i->tok, &fim),
                     "chat_template", sc_tok_chat_template(i->tok) != NULL);
}

static sc_code put_json(sc_cli *cli, const info *i, sc_err *err)
{
    const sc_config *c = &i->c;
    const sc_model_need *n = &i->need;
    SC_AUTO_JSON *o = json_pack(
        "{s:o, s:s, s:o, s:s, s:I, s:{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}, s:i, s:s, s:i, "
        "s:b, s:o, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I}}",
        "path", sc_json_text(sc_str_c(i->path)), "format", kind_name(i), "files", files_json(i),
        "architecture", c->arch, "parameters", (json_int_t)n->params, "sizes", "hidden",
        (int)c->hidden, "intermediate", (int)c->inter, "layers", (int)c->layers, "heads",
        (int)c->heads, "kv_heads", (int)c->kv_heads, "head_dim", (int)c->head_dim, "vocabulary",
        (int)c->vocab, "experts", (int)c->experts, "experts_used", (int)c->experts_used, "context",
        (int)c->ctx, "rope", rope_name(c), "window", (int)c->window, "tied", (int)c->tied, "types",
        types_json(i), "tokenizer", tok_json(i), "memory", "weights", (json_int_t)n->weights,
        "kv_per_token", (json_int_t)n->kv_token, "kv_full_context", (json_int_t)n->kv_seq,
        "workspace", (json_int_t)n->workspace, "total", (json_int_t)n->total, "available",
        (json_int_t)n->available);
    if (!o)
        return sc_fail_nomem(err);
    return sc_cli_put_json(cli, o, err);
}

static double mib(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

static void put_shape(const sc_cli *cli, const info *i)
{
    const sc_config *c = &i->c;
    (void)fprintf(cli->out,
                  "layers         %" PRIu32 " of width %" PRIu32 ", inner width %" PRIu32 "\n",
                  c->layers, c->hidden, c->inter);
    if (c->experts)
        (void)fprintf(cli->out,
                      "experts        %" PRIu32 " of %" PRIu32 ", inner width %" PRIu32 "\n",
                      c->experts_used, c->experts, c->expert_inter);
    (void)fprintf(cli->out,
                  "attention      %" PRIu32 " heads of %" PRIu32 ", %" PRIu32
                  " for keys and values\n",
                  c->heads, c->head_dim, c->kv_heads);
    (void)fprintf(cli->out, "vocabulary     %" PRIu32 ", head %s the embedding\n", c->vocab,
                  c->tied ? "is" : "is not");
    (void)fprintf(cli->out, "context        %" PRIu32 ", rotary embedding %s", c->ctx,
                  rope_name(c));
    if (c->window)
        (void)fprintf(cli->out, ", window %" PRIu32, c->window);
    (void)fputc('\n', cli->out);
}

static void put_tok(const sc_cli *cli, const info *i)
{
    if (!i->tok) {
        (void)fprintf(cli->out, "tokenizer      none: ");
        sc_ui_put_text(cli->out, sc_str_c(i->tok_err.msg));
        (void)fputc('\n', cli->out);
        return;
    }
    sc_tok_fim fim;
    (void)fprintf(cli->out, "tokenizer      %s, %" PRIu32 " tokens, %s fill-in-the-middle, %s\n",
                  sc_tok_kind(i->tok), sc_tok_size(i->tok),
                  sc_tok_fim_ids(i->tok, &fim) ? "with" : "no",
                  sc_tok_chat_template(i->tok) ? "with a chat template" : "no chat template");
}

static void put_text(const sc_cli *cli, const info *i)
{
    const sc_model_need *n = &i->need;
    size_t files = 0;
    (void)sc_weights_files(i->w, &files);
    (void)fprintf(cli->out, "model          ");
    sc_ui_put_text(cli->out, sc_str_c(i->path));
    (void)fprintf(cli->out, "\nformat         %s, %zu file%s, %.1f MiB\n", kind_name(i), files,
                  files == 1 ? "" : "s", mib(n->weights));
    (void)fprintf(cli->out, "architecture   %s, %.1f M weights\n", i->c.arch,
                  (double)n->params / 1e6);
    put_shape(cli, i);
    (void)fprintf(cli->out, "stored as     ");
    for (unsigned t = 0; t < SC_DTYPE_N; t++)
        if (i->tensors[t])
            (void)fprintf(cli->out, " %s (%" PRIu64 " tensors, %.1f MiB)", sc_dtype_info(t)->name,
                          i->tensors[t], mib(i->bytes[t]));
    (void)fputc('\n', cli->out);
    put_tok(cli, i);
    (void)fprintf(cli->out,
                  "memory         %.1f MiB: weights %.1f, workspace %.1f, the rest keys and values "
                  "of one sequence\n",
                  mib(n->total), mib(n->weights), mib(n->workspace));
    (void)fprintf(cli->out,
                  "               a token more takes %.1f KiB, a full context %.1f MiB; %.0f MiB "
                  "are free\n",
                  (double)n->kv_token / 1024, mib(n->kv_seq), mib(n->available));
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    SC_AUTO(info) i = {0};
    SC_TRY(gather(cli, &i, err));
    if (sc_cli_json(cli))
        return put_json(cli, &i, err);
    put_text(cli, &i);
    return SC_OK;
}

const sc_cmd sc_cmd_models_info = {
    .name = "models info",
    .args = "MODEL",
    .summary = "what a model is, and the memory a run of it needs",
    .about =
        "Shows the architecture, sizes, storage types, tokenizer, context, chat template and the "
        "memory that a run will need. Reads the directories of the files and the configuration, no "
        "weights.\n\n"
        "The memory is for one sequence of up to 2048 tokens. A run refuses a model that does not "
        "fit before it loads it.",
    .examples = "scbench models info models/nano/nano.pt\n"
                "scbench models info model.gguf --kv-type f32 --json\n",
    .options = "tokenizer compute ctx kv-type pull json",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
