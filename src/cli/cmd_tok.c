// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/find.h"
#include "tok/tok.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_INPUT = 1 << 30, BLOCK = 1 << 16 };

static sc_code open_tokenizer(sc_cli *cli, sc_tok **out, sc_err *err)
{
    const char *name = sc_args_text(cli->args, "tokenizer");
    char *path = NULL;
    if (!name)
        return sc_fail(err, SC_E_USAGE, "--tokenizer is missing: a file or a folder");
    SC_TRY(sc_cli_find(cli, name, SC_HUB_TOKENIZER, &path, err));
    const sc_code code = sc_tok_open(path, out, err);
    sc_free(path);
    return code;
}

/* Standard input up to its end, or with `line` through the next line break; *more: there was some.
 */
static sc_code read_input(sc_buf *out, bool line, bool *more, sc_err *err)
{
    sc_buf_clear(out);
    *more = false;
    if (line) {
        for (int c; (c = getc(stdin)) != EOF;) {
            *more = true;
            if (c == '\n')
                break;
            sc_buf_add_char(out, (char)c);
        }
    } else {
        char block[BLOCK];
        for (size_t n; (n = fread(block, 1, sizeof block, stdin)) > 0;)
            sc_buf_add(out, block, n);
        *more = true;
    }
    if (ferror(stdin))
        return sc_fail(err, SC_E_IO, "standard input cannot be read");
    return sc_buf_ok(out) ? SC_OK : sc_fail(err, SC_E_LIMIT, "more than %d bytes", MAX_INPUT);
}

/* One step of a command: what was read, and whether it is a JSON line. */
typedef sc_code convert_fn(sc_cli *cli, const sc_tok *t, const sc_buf *in, bool json, sc_err *err);

/* Runs `convert` on all of standard input, or on each of its lines. */
static sc_code convert_all(sc_cli *cli, convert_fn *convert, sc_err *err)
{
    SC_AUTO(sc_tok) *t = NULL;
    SC_AUTO(sc_buf) in = sc_buf_init(MAX_INPUT);
    const bool jsonl = sc_args_flag(cli->args, "jsonl");
    SC_TRY(open_tokenizer(cli, &t, err));
    for (unsigned line = 1;; line++) {
        bool more = false;
        SC_TRY(read_input(&in, jsonl, &more, err));
        if (!more)
            return SC_OK;
        if (jsonl)
            SC_TRY_IN(convert(cli, t, &in, true, err), err, "standard input, line %u", line);
        else
            return convert(cli, t, &in, false, err);
    }
}

/* The member `key` of a JSON line. */
static sc_code read_line(const sc_buf *in, const char *key, json_t **line, const json_t **value,
                         sc_err *err)
{
    SC_TRY(sc_json_parse(sc_buf_str(in), line, err));
    *value = json_object_get(*line, key);
    return *value ? SC_OK : sc_fail(err, SC_E_FORMAT, "\"%s\" is missing", key);
}

static sc_code put_ids(sc_cli *cli, const sc_ids *ids, bool json, sc_err *err)
{
    SC_AUTO(sc_buf) out = sc_buf_init((size_t)MAX_INPUT * 12);
    sc_buf_add_c(&out, json ? "{\"ids\":[" : "");
    for (size_t i = 0; i < ids->n; i++)
        sc_buf_addf(&out, "%s%d", i == 0 ? "" : json ? "," : " ", ids->p[i]);
    sc_buf_add_c(&out, json ? "]}\n" : "\n");
    if (!sc_buf_ok(&out))
        return sc_fail_nomem(err);
    if (fwrite(out.p, 1, out.n, cli->out) != out.n || (json && fflush(cli->out) != 0))
        return sc_fail(err, SC_E_IO, "standard output cannot be written");
    return SC_OK;
}

static sc_code encode(sc_cli *cli, const sc_tok *t, const sc_buf *in, bool json, sc_err *err)
{
    SC_AUTO(sc_ids) ids = {0};
    SC_AUTO_JSON *line = NULL;
    sc_str text = sc_buf_str(in);
    if (json) {
        const json_t *value = NULL;
        SC_TRY(read_line(in, "text", &line, &value, err));
        if (!json_is_string(value))
            return sc_fail(err, SC_E_FORMAT, "\"text\" is not a string");
        text = sc_json_str(value);
    }
    const unsigned flags = (sc_args_flag(cli->args, "special") ? SC_TOK_SPECIAL : 0u) |
                           (sc_args_flag(cli->args, "literal") ? SC_TOK_LITERAL : 0u);
    SC_TRY(sc_tok_encode(t, text, flags, &ids, err));
    return put_ids(cli, &ids, json, err);
}

static sc_code add_id(sc_ids *ids, int64_t id, sc_err *err)
{
    if (id < 0 || id > INT32_MAX)
        return sc_fail(err, SC_E_FORMAT, "an id outside 0 to %d", INT32_MAX);
    return sc_ids_add(ids, (int32_t)id) ? SC_OK : sc_fail_nomem(err);
}

/* Numbers with spaces, commas or brackets around them. */
static sc_code read_numbers(sc_str s, sc_ids *ids, sc_err *err)
{
    for (size_t i = 0; i < s.n;) {
        if (s.p[i] && strchr(" \t\r\n,[]", s.p[i])) {
            i++;
            continue;
        }
        int64_t id = 0;
        const size_t from = i;
        for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && id <= INT32_MAX; i++)
            id = id * 10 + (s.p[i] - '0');
        if (i == from)
            return sc_fail_at(err, SC_E_FORMAT, i, "standard input: an id expected");
        SC_TRY(add_id(ids, id, err));
    }
    return SC_OK;
}

static sc_code decode(sc_cli *cli, const sc_tok *t, const sc_buf *in, bool json, sc_err *err)
{
    SC_AUTO(sc_ids) ids = {0};
    SC_AUTO(sc_buf) text = sc_buf_init(MAX_INPUT);
    SC_AUTO_JSON *line = NULL;
    if (json) {
        const json_t *list = NULL;
        SC_TRY(read_line(in, "ids", &line, &list, err));
        if (!json_is_array(list))
            return sc_fail(err, SC_E_FORMAT, "\"ids\" is not a list");
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *id = json_array_get(list, i);
            SC_TRY(add_id(&ids, json_is_integer(id) ? json_integer_value(id) : -1, err));
        }
    } else {
        SC_TRY(read_numbers(sc_buf_str(in), &ids, err));
    }
    SC_TRY(sc_tok_decode(t, ids.p, ids.n, sc_args_flag(cli->args, "skip-special"), &text, err));
    if (json) {
        SC_AUTO_JSON *out = json_pack("{s:o}", "text", sc_json_text(sc_buf_str(&text)));
        return sc_cli_put_json(cli, out, err);
    }
    if (fwrite(sc_buf_text(&text), 1, text.n, cli->out) != text.n)
        return sc_fail(err, SC_E_IO, "standard output cannot be written");
    return SC_OK;
}

static sc_code run_encode(sc_cli *cli, sc_err *err)
{
    return convert_all(cli, encode, err);
}

static sc_code run_decode(sc_cli *cli, sc_err *err)
{
    return convert_all(cli, decode, err);
}

const sc_cmd sc_cmd_tok_encode = {
    .name = "tok encode",
    .summary = "text to token ids",
    .about = "Reads all of standard input as one text and prints its ids in one line; with --jsonl "
             "reads "
             "one {\"text\": ...} a line and prints one {\"ids\": [...]} a line. The ids are those "
             "of the "
             "tokenizer's own library (llama.cpp's for a GGUF file), BOS and the like included; "
             "--no-special leaves those out. Special tokens that stand in the text are recognised "
             "unless "
             "--literal is given.",
    .examples = "printf 'def f(x):' | scbench tok encode --tokenizer models/nano\n"
                "scbench tok encode --tokenizer tokenizer.json --jsonl < texts.jsonl\n",
    .options = "tokenizer jsonl special literal",
    .run = run_encode,
};

const sc_cmd sc_cmd_tok_decode = {
    .name = "tok decode",
    .summary = "token ids to text",
    .about =
        "Reads ids from standard input, with spaces or commas between them, and prints their text "
        "as it is; with --jsonl reads one {\"ids\": [...]} a line and prints one {\"text\": ...} a "
        "line. Special tokens are printed unless --skip-special is given. Bytes that are not UTF-8 "
        "become U+FFFD.",
    .examples = "echo 4299 277 | scbench tok decode --tokenizer models/nano\n",
    .options = "tokenizer jsonl skip-special",
    .run = run_decode,
};
