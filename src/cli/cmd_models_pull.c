// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "cli/find.h"

#include "base/mem.h"

static sc_code put(sc_cli *cli, const char *arg, const char *path, sc_err *err)
{
    if (!sc_cli_json(cli)) {
        sc_ui_put_text(cli->out, sc_str_c(path));
        (void)fputc('\n', cli->out); // main asks ferror once
        return SC_OK;
    }
    SC_AUTO_JSON *line = json_pack("{s:o, s:o}", "model", sc_json_text(sc_str_c(arg)), "path",
                                   sc_json_text(sc_str_c(path)));
    return sc_cli_put_json(cli, line, err);
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    const sc_hub_want want =
        sc_args_flag(cli->args, "tokenizer-only") ? SC_HUB_TOKENIZER : SC_HUB_MODEL;
    for (unsigned i = 0; i < sc_args_n(cli->args); i++) {
        const char *arg = sc_args_at(cli->args, i);
        char *path = NULL;
        SC_TRY(sc_cli_find_or_pull(cli, arg, want, &path, err));
        const sc_code code = put(cli, arg, path, err);
        sc_free(path);
        SC_TRY(code);
    }
    return SC_OK;
}

const sc_cmd sc_cmd_models_pull = {
    .name = "models pull",
    .args = "MODEL...",
    .summary = "download models into the Hugging Face cache",
    .about =
        "MODEL is org/name[@revision][:pattern] or one of codellama-7b, codegen-350m, "
        "starcoder-1b. "
        "Only what is needed is loaded: configuration, tokenizer, and the weights as safetensors, "
        "else "
        "as .bin, else as one GGUF, which the pattern picks (such as :Q4_K_M). What the cache has "
        "is "
        "not loaded again; an interrupted download goes on where it stopped; every file's hash is "
        "checked. The layout is that of huggingface_hub, so other programs see the files too. "
        "Prints the path of each model.\n\n"
        "HF_TOKEN is sent to the hub alone and never printed; HF_ENDPOINT names a mirror; with "
        "HF_HUB_OFFLINE nothing is loaded.",
    .examples = "scbench models pull codegen-350m\n"
                "# one of several GGUF files\n"
                "scbench models pull Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF:q4_k_m\n",
    .options = "tokenizer-only json progress",
    .min_args = 1,
    .max_args = 1000,
    .run = run,
};
