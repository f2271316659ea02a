// SPDX-License-Identifier: MIT
#include "task/pull.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "hub/fetch.h"
#include "task/data.h"

#include <string.h>

static const sc_data_file files[] = {
    {"humaneval", "HumanEval.jsonl.gz",
     "https://raw.githubusercontent.com/openai/human-eval/"
     "6d43fb980f9fee3c892a914eda09951f772ad10d/data/HumanEval.jsonl.gz",
     "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef", 44877, "MIT, OpenAI"},
    {"mbpp", "mbpp.jsonl",
     "https://raw.githubusercontent.com/google-research/google-research/"
     "f82046ba5aabbbb427dbfd38a254d26bff08b533/mbpp/mbpp.jsonl",
     "ccf64ceae9c5403bf50a044cb6d505bfd2a2963ee58338ba268fd65beab92a9f", 563743,
     "CC-BY-4.0, Austin et al. 2021"},
    {"mbpp-sanitized", "sanitized-mbpp.json",
     "https://raw.githubusercontent.com/google-research/google-research/"
     "f82046ba5aabbbb427dbfd38a254d26bff08b533/mbpp/sanitized-mbpp.json",
     "ca95deaa9a01ef0a6f439f88bcf0dd3db3563d22f22aad6cae04ebb9a8d8c8e9", 255053,
     "CC-BY-4.0, Austin et al. 2021"},
};

const sc_data_file *sc_data_files(size_t *n)
{
    *n = SC_LEN(files);
    return files;
}

const sc_data_file *sc_data_file_find(const char *suite)
{
    const size_t n = strlen(suite);
    const size_t bare = n > 5 && strcmp(suite + n - 5, "-test") == 0 ? n - 5 : n;
    for (size_t i = 0; sc_data_is(suite) && i < SC_LEN(files); i++)
        if (strlen(files[i].suite) == bare && strncmp(files[i].suite, suite, bare) == 0)
            return &files[i];
    return NULL;
}

sc_code sc_data_verify(const sc_data_file *f, const char *dir, const char **state, sc_err *err)
{
    char *path = sc_path_join(dir, f->file);
    if (!path)
        return sc_fail_nomem(err);
    SC_AUTO(sc_buf) bytes = sc_buf_init((size_t)f->size + 1);
    char hex[SC_SHA256_HEX] = "";
    sc_code code = SC_OK;
    *state = "missing";
    if (sc_file_is_file(path)) {
        *state = "other";
        code = sc_file_read(path, (size_t)f->size + 1, &bytes, err);
        if (code == SC_E_LIMIT) // longer: then it is another one
            code = SC_OK;
        else if (code == SC_OK)
            code = sc_sha256_bytes(sc_buf_text(&bytes), bytes.n, hex, err);
        if (strcmp(hex, f->sha256) == 0)
            *state = "whole";
    }
    sc_free(path);
    return code;
}

static sc_code fetch(const sc_data_file *f, const char *path, const sc_hub_places *places,
                     const sc_hub_pull_opts *how, sc_err *err)
{
    sc_hub_places none = *places; // borrowed; no token: these are no servers of the hub's
    none.token = NULL;
    SC_AUTO(sc_hub_session) s = {0};
    SC_TRY(sc_hub_session_init(&s, &none, how, err));
    s.progress = (sc_hub_progress){.repo = sc_str_c(f->suite),
                                   .file = sc_str_c(f->file),
                                   .i_file = 1,
                                   .n_files = 1,
                                   .total = f->size};
    SC_AUTO(sc_hub_source) from = {.name = f->file, .ask_url = f->url, .size = f->size};
    from.url = sc_strdup(f->url);
    from.etag = sc_strdup(f->sha256);
    SC_AUTO(sc_buf) part = sc_buf_init(8192);
    sc_buf_addf(&part, "%s.incomplete", path);
    if (!from.url || !from.etag || !sc_buf_ok(&part))
        return sc_fail_nomem(err);
    return sc_hub_fetch(&s, &from, sc_buf_text(&part), path, err);
}

sc_code sc_data_pull(const sc_data_file *f, const char *dir, const sc_hub_places *places,
                     const sc_hub_pull_opts *how, bool *was_there, sc_err *err)
{
    const char *state = NULL;
    SC_TRY(sc_data_verify(f, dir, &state, err));
    *was_there = strcmp(state, "whole") == 0;
    if (*was_there)
        return SC_OK;
    if (places->offline)
        return sc_fail(err, SC_E_USAGE, "HF_HUB_OFFLINE forbids to download %s", f->file);
    SC_TRY(sc_file_make_dirs(dir, err));
    char *path = sc_path_join(dir, f->file);
    if (!path)
        return sc_fail_nomem(err);
    const sc_code code = fetch(f, path, places, how, err);
    if (code != SC_OK)
        sc_within(err, "%s", f->url);
    sc_free(path);
    return code;
}
