// SPDX-License-Identifier: MIT
#include "base/mem.h"
#include "cli/command.h"
#include "cli/find.h"
#include "task/data.h"
#include "task/pull.h"

#include <string.h>

/* The folder of --data-dir, else the user's own. */
static sc_code choose_dir(const sc_cli *cli, sc_buf *out, sc_err *err)
{
    const char *asked = sc_args_text(cli->args, "data-dir");
    if (asked)
        sc_buf_add_c(out, asked);
    else
        sc_data_home(out);
    if (!sc_buf_ok(out))
        return sc_fail_nomem(err);
    return out->n ? SC_OK
                  : sc_fail(err, SC_E_USAGE, "give a folder with --data-dir: HOME is not set");
}

/* The files named, each once; all when none is named. */
static sc_code choose_files(const sc_cli *cli, const sc_data_file **out, size_t *n, sc_err *err)
{
    size_t n_all = 0;
    const sc_data_file *all = sc_data_files(&n_all);
    *n = 0;
    for (unsigned i = 0; i < sc_args_n(cli->args); i++) {
        const char *name = sc_args_at(cli->args, i);
        const sc_data_file *f = sc_data_file_find(name);
        const char *near = f ? NULL : sc_args_suggest(name, sc_data_names);
        if (!f && near)
            return sc_fail(err, SC_E_USAGE, "no data '%s'; did you mean '%s'?", name, near);
        if (!f)
            return sc_fail(err, SC_E_USAGE,
                           "no data '%s': there is humaneval, mbpp, mbpp-sanitized", name);
        bool known = false;
        for (size_t k = 0; k < *n; k++)
            known |= out[k] == f;
        if (!known)
            out[(*n)++] = f;
    }
    for (size_t i = 0; i < n_all && sc_args_n(cli->args) == 0; i++)
        out[(*n)++] = &all[i];
    return SC_OK;
}

static sc_code put(sc_cli *cli, const sc_data_file *f, const char *dir, const char *state,
                   sc_err *err)
{
    if (sc_cli_json(cli)) {
        SC_AUTO_JSON *v = json_pack("{s:s, s:o, s:s, s:s, s:s, s:I, s:s, s:s}", "data", f->suite,
                                    "folder", sc_json_text(sc_str_c(dir)), "file", f->file, "state",
                                    state, "sha256", f->sha256, "bytes", (json_int_t)f->size, "url",
                                    f->url, "licence", f->licence);
        return sc_cli_put_json(cli, v, err);
    }
    (void)fprintf(cli->out, "%-15s %-10s ", f->suite, state); // main asks ferror once
    sc_ui_put_text(cli->out, sc_str_c(dir));
    (void)fprintf(cli->out, "/%s  (%s)\n", f->file, f->licence);
    return SC_OK;
}

static sc_code pull_all(sc_cli *cli, const sc_data_file *const *file, size_t n, const char *dir,
                        sc_err *err)
{
    const sc_hub_env env = sc_hub_env_real();
    SC_AUTO(sc_hub_places) places = {0};
    SC_TRY(sc_hub_places_init(&places, &env, err));
    const sc_hub_pull_opts how = sc_cli_pull_opts(cli);
    for (size_t i = 0; i < n; i++) {
        bool was_there = false;
        const sc_code code = sc_data_pull(file[i], dir, &places, &how, &was_there, err);
        sc_ui_progress_end(&cli->ui);
        SC_TRY(code);
        SC_TRY(put(cli, file[i], dir, was_there ? "is there" : "pulled", err));
    }
    return SC_OK;
}

static sc_code pull(sc_cli *cli, sc_err *err)
{
    const sc_data_file *file[64];
    size_t n = 0;
    SC_AUTO(sc_buf) dir = sc_buf_init(8192);
    SC_TRY(choose_files(cli, file, &n, err));
    SC_TRY(choose_dir(cli, &dir, err));
    return pull_all(cli, file, n, sc_buf_text(&dir), err);
}

static sc_code verify(sc_cli *cli, sc_err *err)
{
    const sc_data_file *file[64];
    size_t n = 0;
    SC_AUTO(sc_buf) dir = sc_buf_init(8192);
    SC_TRY(choose_files(cli, file, &n, err));
    SC_TRY(choose_dir(cli, &dir, err));
    for (size_t i = 0; i < n; i++) {
        const char *state = NULL;
        SC_TRY(sc_data_verify(file[i], sc_buf_text(&dir), &state, err));
        SC_TRY(put(cli, file[i], sc_buf_text(&dir), state, err));
        if (strcmp(state, "whole") != 0)
            cli->status = SC_EXIT_FAILED;
    }
    return SC_OK;
}

const sc_cmd sc_cmd_data_pull = {
    .name = "data pull",
    .args = "[NAME...]",
    .summary = "download HumanEval and MBPP",
    .about =
        "Downloads the data files of the suites humaneval, mbpp and mbpp-sanitized (all of them "
        "without a name) from the repositories of their authors. Each file's size and SHA-256 are "
        "known beforehand: another file is refused. An interrupted download goes on where it "
        "stopped. They go to --data-dir, by default to $XDG_DATA_HOME/scbench/tasks "
        "(~/.local/share/scbench/tasks), where `--tasks humaneval` finds them. With HF_HUB_OFFLINE "
        "nothing is loaded.",
    .examples = "scbench data pull humaneval\nscbench data pull --data-dir data\n",
    .options = "data-dir json progress",
    .max_args = 16,
    .run = pull,
};

const sc_cmd sc_cmd_data_verify = {
    .name = "data verify",
    .args = "[NAME...]",
    .summary = "whether the data files are the published ones",
    .about = "Compares the SHA-256 of the data files with that of the published ones: whole, "
             "missing, or other (exit code 1).",
    .examples = "scbench data verify\n",
    .options = "data-dir json",
    .max_args = 16,
    .run = verify,
};
