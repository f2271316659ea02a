// SPDX-License-Identifier: MIT
#include "cli/find.h"

#include "base/clock.h"

#include <inttypes.h>

static void show(void *ctx, const sc_hub_progress *p)
{
    sc_cli *cli = ctx;
    const sc_clock clock = sc_clock_real();
    char text[200], wait[120] = "";
    if (p->retry_in_ms)
        (void)snprintf(wait, sizeof wait, "  next try in %" PRIu64 " s: %.80s",
                       (p->retry_in_ms + 999) / 1000, p->why ? p->why : "");
    (void)snprintf(text, sizeof text, "%.*s %zu/%zu %.*s  %" PRIu64 " of %" PRIu64 " MiB%s",
                   (int)(p->repo.n > 60 ? 60 : p->repo.n), p->repo.p, p->i_file, p->n_files,
                   (int)(p->file.n > 40 ? 40 : p->file.n), p->file.p ? p->file.p : "",
                   p->done >> 20, p->total >> 20, wait); // cut when the names are long
    sc_ui_progress(&cli->ui, sc_clock_ns(&clock), p->done, p->total, text);
}

sc_hub_pull_opts sc_cli_pull_opts(sc_cli *cli)
{
    return (sc_hub_pull_opts){.progress = show, .progress_ctx = cli, .stop = &cli->signals->stop};
}

sc_hub_pull_when sc_cli_pull_when(const sc_cli *cli)
{
    const char *when = sc_cmd_takes(cli->cmd, "pull") ? sc_args_text(cli->args, "pull") : NULL;
    return when && strcmp(when, "missing") == 0 ? SC_HUB_PULL_MISSING : SC_HUB_PULL_NEVER;
}

static sc_code find(sc_cli *cli, const char *arg, sc_hub_want want, sc_hub_pull_when when,
                    char **path, sc_err *err)
{
    const sc_hub_pull_opts how = {
        .progress = show, .progress_ctx = cli, .stop = &cli->signals->stop};
    const sc_hub_opts opts = {.want = want, .pull = when, .how = &how};
    const sc_code code = sc_hub_resolve(arg, &opts, path, err);
    sc_ui_progress_end(&cli->ui);
    return code;
}

sc_code sc_cli_find(sc_cli *cli, const char *arg, sc_hub_want want, char **path, sc_err *err)
{
    return find(cli, arg, want, sc_cli_pull_when(cli), path, err);
}

sc_code sc_cli_find_or_pull(sc_cli *cli, const char *arg, sc_hub_want want, char **path,
                            sc_err *err)
{
    return find(cli, arg, want, SC_HUB_PULL_MISSING, path, err);
}
