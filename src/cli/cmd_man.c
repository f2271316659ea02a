// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "cli/help.h"

static sc_code run(sc_cli *cli, sc_err *err)
{
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 20);
    sc_help_man(&text);
    if (!sc_buf_ok(&text))
        return sc_fail_nomem(err);
    (void)fputs(text.p, cli->out); // main asks ferror once
    return SC_OK;
}

const sc_cmd sc_cmd_man = {
    .name = "man",
    .summary = "the manual page, for 'man -l -'",
    .about = "Prints the manual page scbench(1) in roff. 'make install' installs it.",
    .examples = "scbench man | man -l -\n",
    .no_settings = true,
    .run = run,
};
