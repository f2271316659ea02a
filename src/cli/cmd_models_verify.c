// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/find.h"
#include "hub/hash.h"
#include "model/verify.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define MANIFEST "SHA256SUMS"

enum { MAX_FILES = 1 << 16, MAX_MANIFEST = 16 << 20, STEP = 1 << 22, PATH_SIZE = 4096 };

typedef enum result { GOOD, BAD, UNKNOWN } result;

static const char *const result_names[] = {"ok", "failed", "not checked"};

/* The command as it goes. */
typedef struct verify {
    sc_cli *cli;
    char *path;      // owned: of the model
    char *dir;       // owned: of its files
    sc_pool *pool;   // owned
    sc_buf manifest; // the text of SHA256SUMS; empty: none
    json_t *list;    // owned: what --json prints
    size_t n_bad;
    size_t n_files;   // whose hash was asked for
    size_t n_unnamed; // of them, those that nothing names a hash for
} verify;

static void verify_drop(verify *v)
{
    sc_free(v->path);
    sc_free(v->dir);
    sc_pool_free(v->pool);
    sc_buf_drop(&v->manifest);
    json_decref(v->list);
}
SC_AUTO_DEFINE_VALUE(verify, verify_drop);

/* One line, or one object of the list. */
static sc_code say(verify *v, result r, const char *check, const char *subject, const char *text,
                   sc_err *err)
{
    v->n_bad += r == BAD;
    if (sc_cli_json(v->cli)) {
        json_t *o = json_pack("{s:s, s:o, s:s, s:o}", "check", check, "subject",
                              sc_json_text(sc_str_c(subject)), "result", result_names[r], "text",
                              sc_json_text(sc_str_c(text)));
        return json_array_append_new(v->list, o) == 0 ? SC_OK : sc_fail_nomem(err);
    }
    (void)fprintf(v->cli->out, "%-11s  %-9s  ", result_names[r], check);
    sc_ui_put_text(v->cli->out, sc_str_c(subject));
    (void)fputs(": ", v->cli->out); // main asks ferror once
    sc_ui_put_text(v->cli->out, sc_str_c(text));
    (void)fputc('\n', v->cli->out);
    return SC_OK;
}

/* What a step of the check found: an error of it is a finding unless the program itself failed. */
static sc_code say_code(verify *v, sc_code code, const char *check, const char *subject,
                        const char *good, const sc_err *why, sc_err *err)
{
    if (code == SC_E_NOMEM || code == SC_E_INTERRUPTED) {
        *err = *why;
        return code;
    }
    return say(v, code == SC_OK ? GOOD : BAD, check, subject, code == SC_OK ? good : why->msg, err);
}

static bool is_digest(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isdigit((unsigned char)s[i]) && !(s[i] >= 'a' && s[i] <= 'f'))
            return false;
    return n == 64 || n == 40;
}

/* The hash by which the hub's cache names the file: it is a link into blobs/. */
static bool hub_hash(const char *path, char want[65])
{
    char target[PATH_SIZE];
    const ssize_t n = readlink(path, target, sizeof target - 1);
    if (n <= 0)
        return false;
    target[n] = '\0';
    const char *base = sc_path_base(target);
    if (!is_digest(base, strlen(base)))
        return false;
    memcpy(want, base, strlen(base) + 1);
    return true;
}

/* The next line "DIGEST  NAME" of a manifest; false at the end. */
static bool next_sum(sc_str *text, sc_str *digest, sc_str *name)
{
    while (text->n) {
        const char *end = memchr(text->p, '\n', text->n);
        const sc_str line = {text->p, end ? (size_t)(end - text->p) : text->n};
        *text = sc_str_skip(*text, line.n + 1);
        if (line.n > 66 && is_digest(line.p, 64) && line.p[64] == ' ') {
            *digest = (sc_str){line.p, 64};
            *name = sc_str_skip(line, 66); // a blank or '*' before the name
            return true;
        }
    }
    return false;
}

static bool manifest_hash(const verify *v, const char *file, char want[65])
{
    sc_str text = sc_buf_str(&v->manifest);
    for (sc_str digest, name; next_sum(&text, &digest, &name);) {
        if (!sc_str_is(name, file))
            continue;
        memcpy(want, digest.p, 64);
        want[64] = '\0';
        return true;
    }
    return false;
}

static sc_code hash_file(const verify *v, const char *path, const char *want, bool *holds,
                         char got[65], sc_err *err)
{
    SC_AUTO(sc_map) *map = NULL;
    SC_AUTO(sc_hub_hash) *h = NULL;
    size_t n = 0;
    SC_TRY(sc_map_open(path, &map, err));
    const uint8_t *bytes = sc_map_bytes(map, &n);
    SC_TRY(sc_hub_hash_new(want, n, &h, err));
    for (size_t i = 0; i < n; i += STEP) {
        sc_hub_hash_add(h, bytes + i, n - i < STEP ? n - i : STEP);
        if (atomic_load(&v->cli->signals->stop))
            return sc_fail(err, SC_E_INTERRUPTED, "interrupted");
    }
    *holds = sc_hub_hash_holds(h, got);
    return SC_OK;
}

static sc_code check_hash(verify *v, const char *file, sc_err *err)
{
    char want[65], got[65], text[256];
    bool holds = false;
    sc_err why = {0};
    SC_AUTO(char) *path = sc_path_join(v->dir, file);
    if (!path)
        return sc_fail_nomem(err);
    const bool hub = hub_hash(path, want);
    v->n_files++;
    if (!hub && !manifest_hash(v, file, want)) {
        v->n_unnamed++;
        return SC_OK;
    }
    const char *whose = hub ? "the hub's" : "that of " MANIFEST;
    const char *kind = strlen(want) == 64 ? "SHA-256" : "git's hash";
    const sc_code code = hash_file(v, path, want, &holds, got, &why);
    if (code == SC_OK && !holds)
        (void)snprintf(text, sizeof text, "%s is %s, %s is %s", kind, got, whose, want);
    else
        (void)snprintf(text, sizeof text, "%s is %s", kind, whose);
    if (code == SC_OK)
        return say(v, holds ? GOOD : BAD, "hash", file, text, err);
    return say_code(v, code, "hash", file, "", &why, err);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of the files of the folder, in order; what begins with a dot is not the model's. */
static sc_code list_files(const char *dir, char ***out, size_t *n, sc_err *err)
{
    DIR *d = opendir(dir);
    if (!d)
        return sc_fail_sys(err, SC_E_IO, errno, "%s", dir);
    char **list = NULL;
    size_t cap = 0;
    sc_code code = SC_OK;
    for (struct dirent *e; code == SC_OK && (e = readdir(d));) {
        SC_AUTO(char) *path = sc_path_join(dir, e->d_name);
        if (!path)
            code = sc_fail_nomem(err);
        else if (e->d_name[0] == '.' || strcmp(e->d_name, MANIFEST) == 0 || !sc_file_is_file(path))
            continue;
        else if (!sc_grow(&list, &cap, *n, MAX_FILES, sizeof *list) ||
                 !(list[*n] = sc_strdup(e->d_name)))
            code = sc_fail_nomem(err);
        else
            ++*n;
    }
    (void)closedir(d); // only read
    *out = list;
    if (list)
        qsort(list, *n, sizeof *list, by_name);
    return code;
}

static sc_code check_hashes(verify *v, sc_err *err)
{
    if (!sc_file_is_dir(v->path))
        return check_hash(v, sc_path_base(v->path), err);
    char **file = NULL;
    size_t n = 0;
    sc_code code = list_files(v->dir, &file, &n, err);
    for (size_t i = 0; i < n; i++) {
        if (code == SC_OK)
            code = check_hash(v, file[i], err);
        sc_free(file[i]);
    }
    sc_free(file);
    SC_TRY(code);
    sc_str text = sc_buf_str(&v->manifest);
    for (sc_str digest, name; next_sum(&text, &digest, &name);) {
        SC_AUTO(char) *one = sc_strndup(name.p, name.n);
        SC_AUTO(char) *path = one ? sc_path_join(v->dir, one) : NULL;
        if (!path)
            return sc_fail_nomem(err);
        if (!sc_file_is_file(path))
            SC_TRY(say(v, BAD, "hash", one, "named in " MANIFEST ", but not there", err));
    }
    return SC_OK;
}

/* Files without a hash in one line. */
static sc_code say_unnamed(verify *v, sc_err *err)
{
    char text[128];
    if (!v->n_unnamed)
        return SC_OK;
    (void)snprintf(text, sizeof text,
                   "%zu of %zu files: neither the hub's cache nor " MANIFEST " names a hash",
                   v->n_unnamed, v->n_files);
    return say(v, UNKNOWN, "hash", v->path, text, err);
}

static sc_code check_values(verify *v, sc_weights *w, sc_err *err)
{
    sc_verify_values found = {0};
    sc_err why = {0};
    char text[256];
    const sc_code code = sc_verify_values_of(w, v->pool, &v->cli->signals->stop, &found, &why);
    if (code != SC_OK)
        return say_code(v, code, "values", v->path, "", &why, err);
    if (found.bad)
        (void)snprintf(
            text, sizeof text,
            "%" PRIu64 " are NaN and %" PRIu64 " infinite, in %" PRIu64 " tensors, first in %.*s",
            found.nan, found.inf, found.bad,
            (int)(found.first->name.n < 100 ? found.first->name.n : 100), found.first->name.p);
    else
        (void)snprintf(text, sizeof text, "%" PRIu64 " in %" PRIu64 " tensors, all finite",
                       found.values, found.tensors);
    return say(v, found.bad ? BAD : GOOD, "values", v->path, text, err);
}

static sc_code check_tokenizer(verify *v, const sc_config *c, sc_err *err)
{
    sc_err why = {0};
    SC_AUTO(char) *file = NULL;
    SC_AUTO(char) *asked = NULL;
    SC_AUTO(sc_tok) *tok = NULL;
    const char *name = sc_args_text(v->cli->args, "tokenizer");
    if (name)
        SC_TRY(sc_cli_find(v->cli, name, SC_HUB_TOKENIZER, &asked, err));
    sc_code code = asked ? SC_OK : sc_tok_find_beside(v->path, &file, &why);
    if (code == SC_E_NOTFOUND)
        return say(v, UNKNOWN, "tokenizer", v->path, why.msg, err);
    if (code == SC_OK)
        code = sc_tok_open(asked ? asked : file, &tok, &why);
    if (code == SC_E_NOTFOUND) // a GGUF file without a vocabulary
        return say(v, UNKNOWN, "tokenizer", v->path, why.msg, err);
    if (code == SC_OK)
        code = sc_verify_tokens(tok, c, &why);
    char text[128] = "";
    if (code == SC_OK)
        (void)snprintf(text, sizeof text, "%" PRIu32 " tokens for an embedding of %" PRIu32 " rows",
                       sc_tok_size(tok), c->vocab);
    return say_code(v, code, "tokenizer", asked ? asked : file, text, &why, err);
}

/* Everything that is not bytes: shapes, values, tokenizer. */
static sc_code check_model(verify *v, sc_err *err)
{
    sc_config c = {0};
    sc_err why = {0};
    SC_AUTO(sc_weights) *w = NULL;
    char text[128] = "";
    sc_code code = sc_verify_shapes(v->path, v->pool, &v->cli->signals->stop, &c, &why);
    if (code == SC_OK)
        (void)snprintf(text, sizeof text, "every tensor is there, as the configuration (%s) has it",
                       c.arch);
    SC_TRY(say_code(v, code, "shapes", v->path, text, &why, err));
    if (code == SC_OK)
        SC_TRY(check_tokenizer(v, &c, err));
    code = sc_weights_open(v->path, &w, &why);
    return code == SC_OK ? check_values(v, w, err) : SC_OK; // said above
}

static sc_code finish(verify *v, sc_err *err)
{
    v->cli->status = v->n_bad ? SC_EXIT_FAILED : SC_EXIT_OK;
    if (!sc_cli_json(v->cli)) {
        if (v->n_bad)
            sc_ui_warn(&v->cli->ui, "%zu check%s failed", v->n_bad, v->n_bad == 1 ? "" : "s");
        return SC_OK;
    }
    SC_AUTO_JSON *o = json_pack("{s:o, s:b, s:O}", "model", sc_json_text(sc_str_c(v->path)), "ok",
                                v->n_bad == 0, "checks", v->list);
    return sc_cli_put_json(v->cli, o, err);
}

static sc_code run(sc_cli *cli, sc_err *err)
{
    SC_AUTO(verify) v = {.cli = cli, .list = json_array(), .manifest = sc_buf_init(MAX_MANIFEST)};
    if (!v.list)
        return sc_fail_nomem(err);
    SC_TRY(sc_cli_find(cli, sc_args_at(cli->args, 0), SC_HUB_MODEL, &v.path, err));
    v.dir = sc_file_is_dir(v.path) ? sc_strdup(v.path) : sc_path_dir(v.path);
    SC_AUTO(char) *manifest = v.dir ? sc_path_join(v.dir, MANIFEST) : NULL;
    if (!manifest)
        return sc_fail_nomem(err);
    if (sc_file_is_file(manifest))
        SC_TRY(sc_file_read(manifest, MAX_MANIFEST, &v.manifest, err));
    const unsigned threads =
        sc_args_has(cli->args, "threads") ? (unsigned)sc_args_int(cli->args, "threads") : 0;
    SC_TRY(sc_pool_new(threads, &v.pool, err));
    SC_TRY(check_hashes(&v, err));
    SC_TRY(say_unnamed(&v, err));
    SC_TRY(check_model(&v, err));
    return finish(&v, err);
}

const sc_cmd sc_cmd_models_verify = {
    .name = "models verify",
    .args = "MODEL",
    .summary = "whether a model's files are whole: hashes, shapes, values, tokenizer",
    .about =
        "Four checks, a line each. hash: every file against the hash by which the hub's cache "
        "names "
        "it, or against a file SHA256SUMS beside it, as sha256sum writes one; without either the "
        "line says so. shapes: every tensor against the configuration, none missing, none left "
        "over. tokenizer: no token without a row in the embedding. values: no NaN, no infinity, "
        "the scales of quantised blocks included.\n\n"
        "Exits 1 when a check failed.",
    .examples = "scbench models verify ./Qwen2.5-Coder-0.5B\n"
                "scbench models verify model.gguf --json\n"
                "# record hashes for later\n"
                "(cd ./my-model && sha256sum * > SHA256SUMS)\n",
    .options = "tokenizer threads pull json",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
