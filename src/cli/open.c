// SPDX-License-Identifier: MIT
#include "cli/open.h"

#include <string.h>

/* The index of `word` in a list that ends with NULL; 0 when it is NULL or not in it. */
static unsigned choice(const char *word, const char *const *list)
{
    for (unsigned i = 0; word && list[i]; i++)
        if (strcmp(word, list[i]) == 0)
            return i;
    return 0;
}

sc_code sc_cli_model_opts(const sc_cli *cli, sc_model_opts *opts, sc_err *err)
{
    // In the order of the enums.
    static const char *const compute[] = {"auto", "int8", "bf16", "f32", NULL};
    static const char *const kv[] = {"auto", "f32", "f16", "bf16", "q8_0", NULL};
    if (sc_cmd_takes(cli->cmd, "threads") && sc_args_has(cli->args, "threads"))
        opts->threads = (unsigned)sc_args_int(cli->args, "threads");
    if (sc_cmd_takes(cli->cmd, "cpu"))
        opts->cpu_level = sc_args_text(cli->args, "cpu");
    if (sc_cmd_takes(cli->cmd, "compute"))
        opts->compute = (sc_compute)choice(sc_args_text(cli->args, "compute"), compute);
    if (sc_cmd_takes(cli->cmd, "ctx") && sc_args_has(cli->args, "ctx"))
        opts->ctx = (uint32_t)sc_args_int(cli->args, "ctx");
    if (sc_cmd_takes(cli->cmd, "kv-type")) {
        const char *type = sc_args_text(cli->args, "kv-type");
        opts->kv_type = (sc_kv_type)choice(type, kv);
        if (type && opts->kv_type == SC_KV_AUTO)
            return sc_fail(err, SC_E_UNSUPPORTED,
                           "--kv-type %s: the cache is f32, f16, bf16 or q8_0", type);
    }
    opts->stop = cli->signals ? &cli->signals->stop : NULL;
    return SC_OK;
}
