// SPDX-License-Identifier: MIT
#include "task/data.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

enum { MAX_FILE = 1 << 28, MAX_ID = 1 << 30 };

typedef sc_code convert_fn(const json_t *record, bool test_split, sc_buf *out, sc_err *err);

typedef struct source {
    const char *name;
    const char *file[3];
    convert_fn *convert;
    bool test_split; // only the published test part
} source;

static convert_fn convert_humaneval, convert_mbpp;

static const source sources[] = {
    {"humaneval", {"HumanEval.jsonl.gz", "HumanEval.jsonl"}, convert_humaneval, false},
    {"mbpp", {"mbpp.jsonl", "mbpp.jsonl.gz"}, convert_mbpp, false},
    {"mbpp-test", {"mbpp.jsonl", "mbpp.jsonl.gz"}, convert_mbpp, true},
    {"mbpp-sanitized", {"sanitized-mbpp.json", "sanitized-mbpp.json.gz"}, convert_mbpp, false},
    {"mbpp-sanitized-test", {"sanitized-mbpp.json", "sanitized-mbpp.json.gz"}, convert_mbpp, true},
};

const char *const sc_data_names[] = {"humaneval",           "mbpp", "mbpp-test", "mbpp-sanitized",
                                     "mbpp-sanitized-test", NULL};

static const source *find_source(const char *name)
{
    for (size_t i = 0; i < SC_LEN(sources); i++)
        if (strcmp(sources[i].name, name) == 0)
            return &sources[i];
    return NULL;
}

bool sc_data_is(const char *name)
{
    return find_source(name) != NULL;
}

// ---- records

static void add_pair(sc_buf *out, const char *key, sc_str value)
{
    sc_buf_addf(out, ",\"%s\":", key);
    sc_buf_add_json(out, value);
}

static sc_code need_text(const json_t *o, const char *key, sc_str *out, sc_err *err)
{
    *out = (sc_str){0};
    SC_TRY(sc_json_get_str(o, key, out, err));
    return out->p ? SC_OK : sc_fail(err, SC_E_FORMAT, "\"%s\" is missing", key);
}

static sc_code convert_humaneval(const json_t *o, bool test_split, sc_buf *out, sc_err *err)
{
    (void)test_split; // all of it is
    sc_str id, prompt, entry, reference, test;
    SC_TRY(need_text(o, "task_id", &id, err));
    SC_TRY(need_text(o, "prompt", &prompt, err));
    SC_TRY(need_text(o, "entry_point", &entry, err));
    SC_TRY(need_text(o, "canonical_solution", &reference, err));
    SC_TRY(need_text(o, "test", &test, err));
    sc_buf_add_c(out, "{\"name\":");
    sc_buf_add_json(out, id);
    add_pair(out, "prompt", prompt);
    add_pair(out, "entry_point", entry);
    add_pair(out, "reference", reference);
    add_pair(out, "test", test);
    // Four prompts define a helper that the tests call: it runs with them, not with the sample.
    sc_buf_add_c(out, ",\"helpers\":true}\n");
    return SC_OK;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Words that stand before a "(" in MBPP's assertions without being what is tested. */
static bool is_wrapper(sc_str name)
{
    static const char *const word[] = {"assert", "set",   "sorted", "list",    "tuple",
                                       "str",    "round", "not",    "isclose", "abs",
                                       "len",    "and",   "or",     "in",      "if"};
    for (size_t i = 0; i < SC_LEN(word); i++)
        if (sc_str_is(name, word[i]))
            return true;
    return name.n == 0;
}

sc_str sc_data_called(sc_str test)
{
    sc_str first = {"", 0};
    for (size_t at = 0; at < test.n;) {
        if (!is_name(test.p[at])) {
            at++;
            continue;
        }
        size_t end = at;
        while (end < test.n && is_name(test.p[end]))
            end++;
        const sc_str name = {test.p + at, end - at};
        size_t next = end;
        while (next < test.n && test.p[next] == ' ')
            next++;
        const bool called = next < test.n && test.p[next] == '(';
        const bool member = at > 0 && test.p[at - 1] == '.';
        if (called && !member && !is_wrapper(name))
            return name;
        // "sum(10, 15)" with a function of that name: nothing else is called.
        if (called && !member && !first.n && !sc_str_is(name, "assert"))
            first = name;
        at = end;
    }
    return first;
}

static sc_code add_list(const json_t *o, const char *key, sc_buf *text, sc_err *err)
{
    const json_t *list = json_object_get(o, key);
    if (list && !json_is_array(list))
        return sc_fail(err, SC_E_FORMAT, "\"%s\" is not a list", key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        if (!json_is_string(v))
            return sc_fail(err, SC_E_FORMAT, "\"%s\", entry %zu: not a text", key, i + 1);
        sc_buf_add_str(text, sc_json_str(v));
        sc_buf_add_char(text, '\n');
    }
    return SC_OK;
}

/* A list that add_list has looked at. */
static void add_texts(sc_buf *out, const char *key, const json_t *list)
{
    sc_buf_addf(out, ",\"%s\":[", key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        sc_buf_add_c(out, i ? "," : "");
        sc_buf_add_json(out, sc_json_str(json_array_get(list, i)));
    }
    sc_buf_add_c(out, "]");
}

static sc_code convert_mbpp(const json_t *o, bool test_split, sc_buf *out, sc_err *err)
{
    int64_t id = -1;
    sc_str text = {0}, code, setup = {0};
    SC_TRY(sc_json_get_int(o, "task_id", 0, MAX_ID, &id, err));
    if (id < 0)
        return sc_fail(err, SC_E_FORMAT, "\"task_id\" is missing");
    if (test_split && (id < 11 || id > 510))
        return SC_OK;
    SC_TRY(sc_json_get_str(o, "text", &text, err));
    if (!text.p) // the sanitized set's word for it
        SC_TRY(need_text(o, "prompt", &text, err));
    SC_TRY(need_text(o, "code", &code, err));
    SC_TRY(sc_json_get_str(o, "test_setup_code", &setup, err));
    SC_AUTO(sc_buf) test = sc_buf_init(1 << 20);
    SC_AUTO(sc_buf) asserts = sc_buf_init(1 << 20);
    SC_AUTO(sc_buf) imports = sc_buf_init(1 << 20);
    SC_TRY(add_list(o, "test_imports", &imports, err));
    SC_TRY(add_list(o, "test_list", &asserts, err));
    if (!asserts.n)
        return sc_fail(err, SC_E_FORMAT, "\"test_list\" is missing or empty");
    // The setup uses a class of the solution, so it belongs to the tests.
    sc_buf_add_str(&test, setup.p ? setup : (sc_str){"", 0});
    sc_buf_add_char(&test, '\n');
    sc_buf_add_str(&test, sc_buf_str(&asserts));
    if (!sc_buf_ok(&test) || !sc_buf_ok(&imports))
        return sc_fail_nomem(err);
    sc_buf_addf(out, "{\"name\":\"MBPP/%" PRId64 "\"", id);
    add_pair(out, "prompt", text);
    add_pair(out, "entry_point", sc_data_called(sc_buf_str(&asserts)));
    add_pair(out, "reference", code);
    add_pair(out, "test", sc_buf_str(&test));
    add_pair(out, "setup", sc_buf_str(&imports));
    add_texts(out, "shown_tests", json_object_get(o, "test_list"));
    sc_buf_add_c(out, ",\"whole\":true}\n");
    return SC_OK;
}

// ---- files

/*
 * Whether another gzip stream follows the one that ended: files that were appended to have several,
 * and zeros may fill the end. *junk: something else follows.
 */
static bool next_stream(z_stream *z, bool *junk)
{
    while (z->avail_in && !*z->next_in) {
        z->next_in++;
        z->avail_in--;
    }
    *junk = z->avail_in && (z->avail_in < 2 || z->next_in[0] != 0x1f || z->next_in[1] != 0x8b);
    return z->avail_in && !*junk && inflateReset(z) == Z_OK;
}

sc_code sc_data_unpack(sc_str in, sc_buf *out, sc_err *err)
{
    const bool gzip = sc_str_starts(in, SC_STR("\x1f\x8b"));
    bool junk = false;
    z_stream z = {0};
    if (inflateInit2(&z, 15 + 32) != Z_OK) // 32: a header of either kind
        return sc_fail_nomem(err);
    union {
        const char *in;
        Bytef *out;
    } bytes = {.in = in.p}; // zlib's older headers want it without const; it only reads
    z.next_in = bytes.out;
    z.avail_in = (uInt)in.n; // less than a file or a packed text may have
    int rc = Z_OK;
    while (rc == Z_OK && sc_buf_ok(out)) {
        char block[65536];
        z.next_out = (Bytef *)block;
        z.avail_out = sizeof block;
        rc = inflate(&z, Z_NO_FLUSH);
        sc_buf_add(out, block, sizeof block - z.avail_out);
        if (rc == Z_STREAM_END && gzip && next_stream(&z, &junk))
            rc = Z_OK;
    }
    (void)inflateEnd(&z); // only memory
    if (!sc_buf_ok(out))
        return sc_fail(err, SC_E_LIMIT, "more than %zu bytes unpacked, or out of memory", out->max);
    if (rc != Z_STREAM_END)
        return sc_fail(err, SC_E_FORMAT, "no whole gzip or zlib stream");
    if (junk)
        return sc_fail(err, SC_E_FORMAT,
                       "something that is not packed stands behind the gzip stream");
    return SC_OK;
}

static sc_code convert_text(const source *s, sc_str text, sc_buf *out, sc_err *err)
{
    size_t first = 0;
    while (first < text.n && (text.p[first] == ' ' || text.p[first] == '\n'))
        first++;
    if (first < text.n && text.p[first] == '[') { // one array of records
        SC_AUTO_JSON *all = NULL;
        SC_TRY(sc_json_parse(text, &all, err));
        for (size_t i = 0; i < json_array_size(all); i++)
            SC_TRY_IN(s->convert(json_array_get(all, i), s->test_split, out, err), err,
                      "record %zu", i + 1);
        return SC_OK;
    }
    for (unsigned line = 1; text.n; line++) {
        const char *end = memchr(text.p, '\n', text.n);
        const sc_str one = {text.p, end ? (size_t)(end - text.p) : text.n};
        text = sc_str_skip(text, one.n + 1);
        if (!one.n)
            continue;
        SC_AUTO_JSON *o = NULL;
        SC_TRY_IN(sc_json_parse(one, &o, err), err, "line %u", line);
        SC_TRY_IN(s->convert(o, s->test_split, out, err), err, "line %u", line);
    }
    return SC_OK;
}

/* The first of the source's files in `dir`; NULL: none, or no memory (then *nomem). */
static char *find_in(const source *s, const char *dir, bool *nomem)
{
    for (size_t i = 0; i < SC_LEN(s->file) && s->file[i]; i++) {
        char *path = sc_path_join(dir, s->file[i]);
        *nomem = !path;
        if (!path || sc_file_is_file(path))
            return path;
        sc_free(path);
    }
    return NULL;
}

void sc_data_home(sc_buf *out)
{
    const char *home = getenv("HOME"), *data = getenv("XDG_DATA_HOME");
    if (data && *data)
        sc_buf_addf(out, "%s/scbench/tasks", data);
    else if (home && *home)
        sc_buf_addf(out, "%s/.local/share/scbench/tasks", home);
}

static sc_code find_file(const source *s, const char *dir, char **out, sc_err *err)
{
    SC_AUTO(sc_buf) xdg = sc_buf_init(8192);
    sc_data_home(&xdg);
    const char *const place[] = {dir, dir ? NULL : getenv("SC_DATA"),
                                 dir ? NULL : sc_buf_text(&xdg)};
    for (size_t i = 0; i < SC_LEN(place); i++) {
        if (!place[i] || !*place[i])
            continue;
        bool nomem = false;
        *out = find_in(s, place[i], &nomem);
        if (*out)
            return SC_OK;
        if (nomem)
            return sc_fail_nomem(err);
    }
    if (dir)
        return sc_fail(err, SC_E_NOTFOUND,
                       "the data of %s (%s) is not in %s; scbench data pull downloads it", s->name,
                       s->file[0], dir);
    return sc_fail(err, SC_E_NOTFOUND,
                   "the data of %s (%s) is neither in $SC_DATA nor in %s; scbench data pull "
                   "downloads it",
                   s->name, s->file[0], sc_buf_text(&xdg));
}

sc_code sc_data_find(const char *suite, const char *file, const char *dir, char **out, sc_err *err)
{
    const source s = {.name = suite, .file = {file}};
    char *path = NULL;
    SC_TRY(find_file(&s, dir, &path, err));
    *out = path;
    return SC_OK;
}

sc_code sc_data_read(const char *name, const char *dir, char **path, sc_buf *bytes, sc_buf *lines,
                     sc_err *err)
{
    const source *s = find_source(name);
    if (!s)
        return sc_fail(err, SC_E_NOTFOUND, "no published suite '%s'", name);
    char *found = NULL;
    SC_TRY(find_file(s, dir, &found, err));
    sc_code code = sc_file_read(found, MAX_FILE, bytes, err);
    SC_AUTO(sc_buf) plain = sc_buf_init(MAX_FILE);
    const bool packed = code == SC_OK && sc_str_starts(sc_buf_str(bytes), SC_STR("\x1f\x8b"));
    if (packed)
        code = sc_data_unpack(sc_buf_str(bytes), &plain, err);
    if (code == SC_OK)
        code = convert_text(s, packed ? sc_buf_str(&plain) : sc_buf_str(bytes), lines, err);
    if (code == SC_OK && !sc_buf_ok(lines))
        code = sc_fail_nomem(err);
    if (code != SC_OK) {
        sc_within(err, "%s", found);
        sc_free(found);
        return code;
    }
    *path = found;
    return SC_OK;
}
