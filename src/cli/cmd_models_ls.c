// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "hub/cache.h"

#include <inttypes.h>

static sc_code put_json(sc_cli *cli, const sc_hub_cached *c, sc_err *err)
{
    SC_AUTO_JSON *line =
        json_pack("{s:o, s:o, s:o, s:I, s:I, s:o, s:o}", "model", sc_json_text(sc_str_c(c->repo)),
                  "commit", sc_json_text(sc_str_c(c->commit)), "revision",
                  c->revision ? sc_json_text(sc_str_c(c->revision)) : json_null(), "files",
                  (json_int_t)c->n_files, "bytes", (json_int_t)c->size, "path",
                  sc_json_text(sc_str_c(c->path)), "lacks",
                  c->lacks ? sc_json_text(sc_str_c(c->lacks)) : json_null());
    return sc_cli_put_json(cli, line, err);
}

static void put_line(const sc_cli *cli, const sc_hub_cached *c, int width)
{
    (void)fprintf(cli->out, "%-*s  %-12s  %9.1f  ", width, c->repo, c->revision ? c->revision : "-",
                  (double)c->size / (1 << 20));
    if (c->lacks) {
        (void)fprintf(cli->out, "not usable as a model: ");
        sc_ui_put_text(cli->out, sc_str_c(c->lacks));
    } else {
        (void)fprintf(cli->out, "%.12s", c->commit);
    }
    (void)fputc('\n', cli->out); // main asks ferror once
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    const sc_hub_env env = sc_hub_env_real();
    SC_AUTO(sc_hub_places) places = {0};
    SC_TRY(sc_hub_places_init(&places, &env, err));
    SC_AUTO(sc_hub_cached_list) list = {0};
    SC_TRY(sc_hub_cache_list(&places, &list, err));
    int width = 5;
    for (size_t i = 0; i < list.n; i++) {
        const int n = (int)strlen(list.at[i].repo);
        width = n > width ? n : width;
    }
    if (!sc_cli_json(cli) && list.n)
        (void)fprintf(cli->out, "%-*s  %-12s  %9s  %s\n", width, "model", "revision", "MiB",
                      "commit");
    for (size_t i = 0; i < list.n; i++)
        if (sc_cli_json(cli))
            SC_TRY(put_json(cli, &list.at[i], err));
        else
            put_line(cli, &list.at[i], width);
    sc_ui_note(&cli->ui, "%zu in %s", list.n, places.cache);
    return SC_OK;
}

const sc_cmd sc_cmd_models_ls = {
    .name = "models ls",
    .summary = "the models in the Hugging Face cache",
    .about =
        "Lists every snapshot of the cache (HF_HUB_CACHE, HF_HOME and the others are heeded) with "
        "its revision and size, and says what an incomplete one lacks. Reads files only.",
    .examples = "scbench models ls\nscbench models ls --json\n",
    .options = "json",
    .run = run,
};
