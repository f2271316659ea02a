// SPDX-License-Identifier: MIT
#include "base/mem.h"
#include "cli/command.h"
#include "cli/find.h"
#include "model/export.h"

#include <inttypes.h>

static sc_code read_opts(const sc_cli *cli, sc_export_opts *opts, sc_err *err)
{
    const char *type = sc_args_text(cli->args, "to-type");
    if (!sc_dtype_find(sc_str_c(type), &opts->type) || !sc_export_has(opts->type))
        return sc_fail(err, SC_E_USAGE, "--type: %s is not one that this program writes", type);
    if (sc_args_has(cli->args, "threads"))
        opts->threads = (unsigned)sc_args_int(cli->args, "threads");
    opts->force = sc_args_flag(cli->args, "force");
    opts->no_vocab = !sc_args_flag(cli->args, "vocab");
    return SC_OK;
}

static sc_code say(sc_cli *cli, const char *out, const sc_export_opts *opts,
                   const sc_export_report *r, sc_err *err)
{
    const char *type = sc_dtype_info(opts->type)->name;
    if (r->n_other)
        sc_ui_note(&cli->ui,
                   "%zu matrices have rows that are not whole %s blocks: written as the "
                   "nearest type that fits",
                   r->n_other, type);
    if (r->ctx < r->full_ctx)
        sc_ui_warn(&cli->ui,
                   "context cut from %" PRIu32 " to %" PRIu32 ": llama.cpp does not have this "
                   "model's sliding window or RoPE scaling, which beyond that make a difference",
                   r->full_ctx, r->ctx);
    if (r->gelu)
        sc_ui_warn(&cli->ui,
                   "the model has the exact GELU; llama.cpp computes its tanh form for %s, which "
                   "moves logits by about 0.002",
                   r->arch);
    if (r->vocab.pre)
        sc_ui_warn(
            &cli->ui,
            "GGUF has no name for the way this tokenizer cuts text. Under the nearest, %s, "
            "%zu of the %zu tokens of a test text differ: prompts given to llama.cpp as text "
            "are read differently, as token ids they are not. scbench reads the exact "
            "tokenizer, which the file holds too",
            r->vocab.pre, r->vocab.n_differ, r->vocab.n_probe);
    if (sc_cli_json(cli)) {
        SC_AUTO_JSON *line =
            json_pack("{s:o, s:s, s:s, s:I, s:I, s:I, s:I, s:b, s:I, s:I}", "file",
                      sc_json_text(sc_str_c(out)), "architecture", r->arch, "type", type, "tensors",
                      (json_int_t)r->n_tensors, "other_type", (json_int_t)r->n_other, "bytes",
                      (json_int_t)r->bytes, "context_length", (json_int_t)r->ctx, "vocabulary_fits",
                      r->vocab.pre == NULL, "probe_tokens", (json_int_t)r->vocab.n_probe,
                      "probe_differ", (json_int_t)r->vocab.n_differ);
        return sc_cli_put_json(cli, line, err);
    }
    (void)fprintf(cli->out, "%s: %s, %zu tensors, %.1f MiB\n", out, r->arch, r->n_tensors,
                  (double)r->bytes / (1 << 20)); // main asks ferror once
    return SC_OK;
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    sc_export_opts opts = {0};
    SC_TRY(read_opts(cli, &opts, err));
    SC_AUTO(char) *in = NULL;
    SC_AUTO(char) *tokenizer = NULL;
    SC_TRY(sc_cli_find(cli, sc_args_at(cli->args, 0), SC_HUB_MODEL, &in, err));
    const char *name = sc_args_text(cli->args, "tokenizer");
    if (name)
        SC_TRY(sc_cli_find(cli, name, SC_HUB_TOKENIZER, &tokenizer, err));
    opts.tokenizer = tokenizer;
    sc_export_report report = {0};
    SC_TRY(sc_export_gguf(in, sc_args_at(cli->args, 1), &opts, &report, err));
    return say(cli, sc_args_at(cli->args, 1), &opts, &report, err);
}

const sc_cmd sc_cmd_models_convert = {
    .name = "models convert",
    .args = "MODEL FILE.gguf",
    .summary = "write a model as GGUF, for llama.cpp and everything built on it",
    .about =
        "Reads any model that this program reads and writes FILE.gguf with its vocabulary and "
        "chat template. Matrices get the type of --type; vectors, routers and positions stay "
        "f32, the output matrix gets a better type than the small ones, and rows that are not "
        "whole blocks the nearest type that fits, as llama.cpp's own tools do it.\n\n"
        "What llama.cpp does not do is written as what it does when that is the same function "
        "(SmallCoder as Llama, CodeGen as Phi-2), else refused with the reason. The vocabulary "
        "is read back and compared with the tokenizer's own ids; when GGUF has no name for "
        "the way it cuts text, a warning says how far they differ. --no-vocab leaves it out.",
    .examples = "scbench models convert models/nano/nano.pt nano.gguf --type f16\n"
                "scbench models convert ./Qwen2.5-Coder-0.5B qwen.gguf --type q8_0\n"
                "scbench models convert big-f16.gguf small.gguf --type q4_0\n",
    .options = "to-type tokenizer vocab force threads pull json",
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
