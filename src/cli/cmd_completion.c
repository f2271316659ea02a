// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "cli/help.h"

static sc_code run(sc_cli *cli, sc_err *err)
{
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    SC_TRY(sc_help_completion(sc_args_at(cli->args, 0), &text, err));
    if (!sc_buf_ok(&text))
        return sc_fail_nomem(err);
    (void)fputs(text.p, cli->out); // main asks ferror once
    return SC_OK;
}

const sc_cmd sc_cmd_completion = {
    .name = "completion",
    .args = "bash|zsh|fish",
    .summary = "a completion script for a shell",
    .about = "Prints a script that makes the shell complete commands, options and their values.",
    .examples = "source <(scbench completion bash)\n"
                "scbench completion zsh > ~/.zfunc/_scbench\n"
                "scbench completion fish > ~/.config/fish/completions/scbench.fish\n",
    .min_args = 1,
    .max_args = 1,
    .no_settings = true,
    .run = run,
};
