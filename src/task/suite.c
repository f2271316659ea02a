// SPDX-License-Identifier: MIT
#include "task/suite.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "task/data.h"
#include "task/lcb.h"

#include <stdlib.h>

// Made from suites/builtin.jsonl at build time.
extern const unsigned char sc_suite_builtin[];
extern const size_t sc_suite_builtin_size;

struct sc_suite {
    char *name; // owned
    char *path; // owned; NULL for a built-in suite
    char sha256[SC_SHA256_HEX];
    sc_task *task; // owned, [n_tasks]; texts are borrowed from line
    size_t n_tasks, cap_tasks;
    json_t **line; // owned, [n_lines]
    size_t n_lines, cap_lines;
    sc_str *word; // owned, [n_words]: keywords and stops; tasks point into it
    size_t n_words, cap_words;
    const sc_task **by_name; // owned, [n_tasks], sorted
    sc_lcb *lcb;             // owned; NULL unless the tasks are LiveCodeBench's
    sc_map **map;            // owned, [n_maps]: the files that it points into
    size_t n_maps;
};

void sc_suite_close(sc_suite *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_lines; i++)
        json_decref(s->line[i]);
    sc_free(s->line);
    sc_free(s->word);
    sc_free(s->task);
    sc_free(s->by_name);
    sc_lcb_free(s->lcb);
    for (size_t i = 0; i < s->n_maps; i++)
        sc_map_close(s->map[i]);
    sc_free(s->map);
    sc_free(s->path);
    sc_free(s->name);
    sc_free(s);
}

static sc_code get_text(const json_t *o, const char *key, sc_str *out, sc_err *err)
{
    *out = (sc_str){"", 0};
    return sc_json_get_str(o, key, out, err);
}

/* The texts of the list `key`. While lines are read, *at holds an index: the array may still move.
 */
static sc_code get_words(sc_suite *s, const json_t *o, const char *key, size_t *at, size_t *n,
                         sc_err *err)
{
    const json_t *list = json_object_get(o, key);
    *at = s->n_words;
    *n = 0;
    if (!list || json_is_null(list))
        return SC_OK;
    if (!json_is_array(list))
        return sc_fail(err, SC_E_FORMAT, "\"%s\" is not a list", key);
    if (json_array_size(list) > SC_SUITE_MAX_WORDS)
        return sc_fail(err, SC_E_LIMIT, "\"%s\" has %zu entries, at most %d expected", key,
                       json_array_size(list), SC_SUITE_MAX_WORDS);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        if (!json_is_string(v) || json_string_length(v) == 0)
            return sc_fail(err, SC_E_FORMAT, "\"%s\", entry %zu: not a text, or an empty one", key,
                           i + 1);
        if (!sc_grow(&s->word, &s->cap_words, s->n_words, SIZE_MAX / sizeof *s->word,
                     sizeof *s->word))
            return sc_fail_nomem(err);
        s->word[s->n_words++] = sc_json_str(v);
    }
    *n = json_array_size(list);
    return SC_OK;
}

static sc_code check_keys(const json_t *o, sc_err *err)
{
    static const char *const known[] = {"name",        "task_id",     "prompt", "expected_keywords",
                                        "description", "category",    "stop",   "entry_point",
                                        "test",        "reference",   "setup",  "whole",
                                        "helpers",     "shown_tests", "tests",  "starter_code"};
    const char *key = NULL;
    json_t *v = NULL;
    json_t *map = json_incref((json_t *)(uintptr_t)o); // the macro wants it without const
    sc_code code = SC_OK;
    json_object_foreach(map, key, v)
    {
        bool found = false;
        for (size_t i = 0; i < SC_LEN(known) && !found; i++)
            found = strcmp(known[i], key) == 0;
        if (!found) {
            code = sc_fail(err, SC_E_FORMAT, "unknown key \"%.*s\"", SC_STRF(sc_str_c(key)));
            break;
        }
    }
    json_decref(map);
    return code;
}

static sc_code check_name(sc_str name, sc_err *err)
{
    if (name.n == 0)
        return sc_fail(err, SC_E_FORMAT, "\"name\" is missing or empty");
    if (name.n > SC_SUITE_MAX_NAME)
        return sc_fail(err, SC_E_LIMIT, "\"name\" has %zu bytes, at most %d expected", name.n,
                       SC_SUITE_MAX_NAME);
    for (size_t i = 0; i < name.n;) {
        uint32_t point = 0;
        i += sc_utf8_decode(sc_str_skip(name, i), &point);
        const bool turns = (point >= 0x202a && point <= 0x202e) || // the direction of text
                           (point >= 0x2066 && point <= 0x2069);
        if (point < 0x20 || (point >= 0x7f && point < 0xa0) || turns)
            return sc_fail(err, SC_E_FORMAT, "\"name\" has a control character");
    }
    return SC_OK;
}

/* Whether the line of a test runs something when it is reached; what it defines may never run. */
static bool does_something(sc_str line)
{
    static const char *const defines[] = {"def ", "async def ", "class ", "@", "import ", "from "};
    if (!line.n || strchr(" \t\r#)]}", line.p[0]))
        return false;
    for (size_t i = 0; i < SC_LEN(defines); i++)
        if (sc_str_starts(line, sc_str_c(defines[i])))
            return false;
    return true;
}

/* A test that would let every program pass: nothing in it runs, or nobody calls its check(). */
static sc_code check_test(const sc_task *t, sc_err *err)
{
    bool runs = false, defined = false, called = false;
    for (sc_str rest = t->test; rest.n;) {
        const char *end = memchr(rest.p, '\n', rest.n);
        const sc_str line = {rest.p, end ? (size_t)(end - rest.p) : rest.n};
        rest = sc_str_skip(rest, line.n + 1);
        const bool is_check = sc_str_starts(line, SC_STR("def check("));
        defined |= is_check;
        called |= !is_check && memmem(line.p, line.n, "check(", 6);
        runs |= does_something(line);
    }
    if (defined && (t->entry_point.n || called))
        return SC_OK;
    if (defined)
        return sc_fail(err, SC_E_FORMAT,
                       "\"test\" defines check() and nothing calls it: \"entry_point\" is missing");
    return runs ? SC_OK : sc_fail(err, SC_E_FORMAT, "\"test\" only defines: nothing in it runs");
}

/* Fills *t; its keyword and stop are set later, when the words have stopped moving. */
static sc_code read_task(sc_suite *s, const json_t *o, sc_task *t, size_t at[3], sc_err *err)
{
    if (!json_is_object(o))
        return sc_fail(err, SC_E_FORMAT, "a JSON object is expected");
    SC_TRY(check_keys(o, err));
    sc_str id = {0};
    SC_TRY(get_text(o, "name", &t->name, err));
    SC_TRY(get_text(o, "task_id", &id, err));
    if (t->name.n == 0)
        t->name = id;
    SC_TRY(check_name(t->name, err));
    SC_TRY(get_text(o, "prompt", &t->prompt, err));
    if (t->prompt.n == 0)
        return sc_fail(err, SC_E_FORMAT, "\"prompt\" is missing or empty");
    SC_TRY(get_text(o, "description", &t->description, err));
    SC_TRY(get_text(o, "category", &t->category, err));
    SC_TRY(get_text(o, "entry_point", &t->entry_point, err));
    SC_TRY(get_text(o, "test", &t->test, err));
    SC_TRY(get_text(o, "reference", &t->reference, err));
    SC_TRY(get_text(o, "setup", &t->setup, err));
    SC_TRY(get_text(o, "starter_code", &t->starter, err));
    t->tests = json_object_get(o, "tests");
    t->cases = t->tests != NULL;
    t->whole = t->cases; // what reads and prints is seldom begun by its prompt
    SC_TRY(sc_json_get_bool(o, "whole", &t->whole, err));
    SC_TRY(sc_json_get_bool(o, "helpers", &t->helpers, err));
    SC_TRY(get_words(s, o, "expected_keywords", &at[0], &t->n_keywords, err));
    if (t->cases && t->test.n)
        return sc_fail(err, SC_E_FORMAT, "\"test\" and \"tests\": one of them is expected");
    if (t->test.n)
        SC_TRY(check_test(t, err));
    if (t->cases) { // looked at now: a suite that cannot be run is not begun
        SC_AUTO(sc_cases) *c = NULL;
        SC_TRY_IN(sc_suite_cases(t, &c, err), err, "\"tests\"");
    }
    if (!json_is_array(json_object_get(o, "expected_keywords")) && t->test.n == 0 && !t->cases)
        return sc_fail(err, SC_E_FORMAT, "\"expected_keywords\" is missing");
    SC_TRY(get_words(s, o, "stop", &at[1], &t->n_stops, err));
    return get_words(s, o, "shown_tests", &at[2], &t->n_shown, err);
}

sc_code sc_suite_cases(const sc_task *t, sc_cases **out, sc_err *err)
{
    if (t->record)
        return sc_lcb_cases(t->record, out, err);
    return sc_cases_parse(t->tests, "stdin", "stdout", false, out, err);
}

static bool is_blank(sc_str line)
{
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
            return false;
    return true;
}

/* Where the words of a task begin, until the tasks can point at them. */
typedef struct word_at {
    size_t keyword, stop, shown;
} word_at;

typedef struct reader {
    sc_suite *suite;
    word_at *at; // owned, [suite->n_tasks]
    size_t cap_at;
    uint32_t line;
} reader;

static sc_code read_line(reader *r, sc_str line, sc_err *err)
{
    sc_suite *s = r->suite;
    if (line.n > SC_SUITE_MAX_LINE)
        return sc_fail(err, SC_E_LIMIT, "longer than %d bytes", SC_SUITE_MAX_LINE);
    if (!sc_grow(&s->line, &s->cap_lines, s->n_lines, SC_SUITE_MAX_TASKS, sizeof(json_t *)) ||
        !sc_grow(&s->task, &s->cap_tasks, s->n_tasks, SC_SUITE_MAX_TASKS, sizeof *s->task) ||
        !sc_grow(&r->at, &r->cap_at, s->n_tasks, SC_SUITE_MAX_TASKS, sizeof *r->at)) {
        if (s->n_tasks >= SC_SUITE_MAX_TASKS)
            return sc_fail(err, SC_E_LIMIT, "more than %d tasks", SC_SUITE_MAX_TASKS);
        return sc_fail_nomem(err);
    }
    json_t *o = NULL;
    SC_TRY(sc_json_parse(line, &o, err));
    s->line[s->n_lines++] = o;

    sc_task t = {.line = r->line};
    size_t at[3] = {0};
    SC_TRY(read_task(s, o, &t, at, err));
    r->at[s->n_tasks] = (word_at){at[0], at[1], at[2]};
    s->task[s->n_tasks++] = t;
    return SC_OK;
}

static int compare_names(const void *a, const void *b)
{
    const sc_task *x = *(const sc_task *const *)a, *y = *(const sc_task *const *)b;
    const size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
    const int order = memcmp(x->name.p, y->name.p, n);
    if (order != 0 || x->name.n != y->name.n)
        return order ? order : x->name.n < y->name.n ? -1 : 1;
    return x->line < y->line ? -1 : 1; // equal names: by line, for the message
}

static sc_code index_names(sc_suite *s, sc_err *err)
{
    s->by_name = sc_alloc(s->n_tasks, sizeof *s->by_name);
    if (!s->by_name)
        return sc_fail_nomem(err);
    for (size_t i = 0; i < s->n_tasks; i++)
        s->by_name[i] = &s->task[i];
    qsort(s->by_name, s->n_tasks, sizeof *s->by_name, compare_names);
    for (size_t i = 1; i < s->n_tasks; i++) {
        const sc_task *a = s->by_name[i - 1], *b = s->by_name[i];
        if (sc_str_eq(a->name, b->name))
            return sc_fail(err, SC_E_FORMAT, "line %u: the task \"%.*s\" is already in line %u",
                           b->line, SC_STRF(b->name), a->line);
    }
    return SC_OK;
}

static sc_code read_lines(reader *r, sc_str text, sc_err *err)
{
    size_t at = text.n - sc_utf8_skip_mark(text).n;
    while (at < text.n) {
        const char *start = text.p + at;
        const char *end = memchr(start, '\n', text.n - at);
        const sc_str line = {start, end ? (size_t)(end - start) : text.n - at};
        r->line++;
        if (!is_blank(line)) {
            const sc_code code = read_line(r, line, err);
            if (code != SC_OK) {
                sc_within(err, "line %u", r->line);
                err->at = at + (err->at == SC_NOWHERE ? 0 : err->at); // of the file, not the line
                return code;
            }
        }
        at += line.n + 1;
    }
    if (r->suite->n_tasks == 0)
        return sc_fail(err, SC_E_FORMAT, "no task in it");
    return SC_OK;
}

sc_code sc_suite_parse(sc_str text, const char *name, sc_suite **out, sc_err *err)
{
    SC_AUTO(sc_suite) *s = sc_new(sc_suite);
    if (!s)
        return sc_fail_nomem(err);
    s->name = sc_strdup(name);
    if (!s->name)
        return sc_fail_nomem(err);
    reader r = {.suite = s};
    sc_code code = read_lines(&r, text, err);
    for (size_t i = 0; code == SC_OK && i < s->n_tasks; i++) {
        s->task[i].keyword = s->word ? s->word + r.at[i].keyword : NULL;
        s->task[i].stop = s->word ? s->word + r.at[i].stop : NULL;
        s->task[i].shown = s->word ? s->word + r.at[i].shown : NULL;
    }
    sc_free(r.at);
    SC_TRY(code);
    SC_TRY(index_names(s, err));
    SC_TRY(sc_sha256_bytes(text.p ? text.p : "", text.n, s->sha256, err));
    *out = sc_take(s);
    return SC_OK;
}

/* "x/mine.jsonl" is "mine". */
static char *label_of(const char *path)
{
    const char *base = sc_path_base(path);
    const sc_str s = sc_str_c(base);
    const bool known = sc_str_ends(s, SC_STR(".jsonl")) && s.n > 6;
    return sc_strndup(base, known ? s.n - 6 : s.n);
}

static sc_code open_file(const char *path, sc_suite **out, sc_err *err)
{
    SC_AUTO(sc_buf) text = sc_buf_init(SC_SUITE_MAX_SIZE);
    SC_TRY(sc_file_read(path, SC_SUITE_MAX_SIZE, &text, err));
    SC_AUTO(sc_suite) *s = NULL;
    SC_TRY_IN(sc_suite_parse(sc_buf_str(&text), "", &s, err), err, "%s", path);
    sc_free(s->name);
    s->name = label_of(path);
    s->path = sc_strdup(path);
    if (!s->name || !s->path)
        return sc_fail_nomem(err);
    *out = sc_take(s);
    return SC_OK;
}

/* The tasks of `lcb` (taken, also on failure) as a suite; its digest is the caller's. */
static sc_code make_lcb(sc_lcb *lcb, const char *name, sc_suite **out, sc_err *err)
{
    SC_AUTO(sc_lcb) *own = lcb;
    SC_AUTO(sc_buf) lines = sc_buf_init(SC_SUITE_MAX_SIZE);
    sc_lcb_lines(own, &lines);
    if (!sc_buf_ok(&lines))
        return sc_fail(err, SC_E_LIMIT, "too many tasks, or out of memory");
    SC_AUTO(sc_suite) *s = NULL;
    SC_TRY(sc_suite_parse(sc_buf_str(&lines), name, &s, err));
    s->lcb = sc_take(own);
    for (size_t i = 0; i < s->n_tasks; i++) {
        sc_task *t = &s->task[i];
        t->record = sc_lcb_at(s->lcb, i);
        t->cases = t->names = true;
        t->cpu_s = SC_LCB_CPU_S;
        t->memory_mib = SC_LCB_MEMORY_MIB;
    }
    *out = sc_take(s);
    return SC_OK;
}

sc_code sc_suite_parse_lcb(sc_str text, const char *name, sc_suite **out, sc_err *err)
{
    SC_AUTO(sc_lcb) *lcb = NULL;
    SC_TRY(sc_lcb_new(&lcb, err));
    SC_TRY(sc_lcb_add(lcb, text, err));
    SC_AUTO(sc_suite) *s = NULL;
    SC_TRY(make_lcb(sc_take(lcb), name, &s, err));
    SC_TRY(sc_sha256_bytes(text.p ? text.p : "", text.n, s->sha256, err));
    *out = sc_take(s);
    return SC_OK;
}

/* Files that belong together. */
typedef struct files {
    char *first;                 // owned: the path of the first
    sc_map *map[SC_SUITE_FILES]; // owned, [n]
    size_t n;
} files;

static void files_drop(files *f)
{
    sc_free(f->first);
    for (size_t i = 0; i < f->n; i++)
        sc_map_close(f->map[i]);
}
SC_AUTO_DEFINE_VALUE(files, files_drop);

static sc_str bytes_of(const sc_map *m)
{
    size_t n = 0;
    const char *p = sc_map_bytes(m, &n);
    return (sc_str){p, n};
}

/* LiveCodeBench's files as one suite, which then has them. */
static sc_code open_lcb(const char *label, files *f, sc_suite **out, sc_err *err)
{
    SC_AUTO(sc_lcb) *lcb = NULL;
    SC_AUTO(sc_sha256) *sum = NULL;
    SC_TRY(sc_sha256_new(&sum, err));
    SC_TRY(sc_lcb_new(&lcb, err));
    for (size_t i = 0; i < f->n; i++) {
        const sc_str text = bytes_of(f->map[i]);
        SC_TRY(sc_lcb_add(lcb, text, err));
        sc_sha256_add(sum, text.p, text.n);
        sc_map_forget(f->map[i], 0, text.n);
    }
    SC_AUTO(sc_suite) *s = NULL;
    SC_TRY(make_lcb(sc_take(lcb), label, &s, err));
    sc_sha256_hex(sum, s->sha256);
    s->map = sc_alloc(f->n, sizeof(sc_map *));
    if (!s->map)
        return sc_fail_nomem(err);
    memcpy(s->map, f->map, f->n * sizeof(sc_map *));
    s->n_maps = f->n;
    f->n = 0;
    s->path = sc_take(f->first);
    *out = sc_take(s);
    return SC_OK;
}

/* A file of LiveCodeBench's; *out stays as it is when it is another one. */
static sc_code try_lcb(const char *path, sc_suite **out, sc_err *err)
{
    SC_AUTO(files) f = {.first = sc_strdup(path)};
    sc_err ignored = {0};
    if (!f.first)
        return sc_fail_nomem(err);
    if (sc_map_open(path, &f.map[0], &ignored) != SC_OK)
        return SC_OK; // the other reader says why
    f.n = 1;
    if (!sc_lcb_is(bytes_of(f.map[0])))
        return SC_OK;
    char *label = label_of(path);
    if (!label)
        return sc_fail_nomem(err);
    const sc_code code = open_lcb(label, &f, out, err);
    sc_free(label);
    if (code != SC_OK)
        sc_within(err, "%s", path);
    return code;
}

/* test.jsonl, test2.jsonl and so on, as many as there are. */
static sc_code open_livecodebench(const char *dir, sc_suite **out, sc_err *err)
{
    SC_AUTO(files) f = {0};
    for (unsigned i = 1; i <= SC_SUITE_FILES; i++) {
        char name[64], number[16] = "", *path = NULL;
        if (i > 1)
            (void)snprintf(number, sizeof number, "%u", i);                      // fits
        (void)snprintf(name, sizeof name, "livecodebench/test%s.jsonl", number); // fits
        const sc_code code = sc_data_find("livecodebench", name, dir, &path, err);
        if (code == SC_E_NOTFOUND)
            continue;
        SC_TRY(code);
        const sc_code opened = sc_map_open(path, &f.map[f.n], err);
        if (!f.first)
            f.first = sc_take(path);
        sc_free(path);
        SC_TRY(opened);
        f.n++;
    }
    if (!f.n)
        return sc_fail(err, SC_E_NOTFOUND,
                       "no livecodebench/test.jsonl, test2.jsonl ... in %s; they are the dataset "
                       "livecodebench/code_generation_lite of Hugging Face",
                       dir ? dir : "$SC_DATA or the data folder");
    SC_TRY_IN(open_lcb("livecodebench", &f, out, err), err, "livecodebench");
    return SC_OK;
}

/* Of the built-in tasks, those of `category`; NULL: all. The core tasks come first in the file. */
static sc_code open_builtin(const char *name, const char *category, sc_suite **out, sc_err *err)
{
    const sc_str text = {(const char *)sc_suite_builtin, sc_suite_builtin_size};
    SC_AUTO(sc_suite) *s = NULL;
    SC_TRY_IN(sc_suite_parse(text, name, &s, err), err, "built-in suite");
    size_t n = 0;
    for (size_t i = 0; i < s->n_tasks; i++)
        if (!category || sc_str_is(s->task[i].category, category))
            s->task[n++] = s->task[i];
    s->n_tasks = n;
    sc_free(s->by_name);
    s->by_name = NULL;
    SC_TRY(index_names(s, err));
    *out = sc_take(s);
    return SC_OK;
}

/* A published suite; its digest is that of the data file as it is on disk. */
static sc_code open_data(const char *name, const char *dir, sc_suite **out, sc_err *err)
{
    SC_AUTO(sc_buf) bytes = sc_buf_init(SC_SUITE_MAX_SIZE);
    SC_AUTO(sc_buf) lines = sc_buf_init(SC_SUITE_MAX_SIZE);
    char *path = NULL;
    SC_TRY(sc_data_read(name, dir, &path, &bytes, &lines, err));
    SC_AUTO(sc_suite) *s = NULL;
    const sc_code code = sc_suite_parse(sc_buf_str(&lines), name, &s, err);
    if (code != SC_OK) {
        sc_within(err, "%s", path);
        sc_free(path);
        return code;
    }
    s->path = path;
    SC_TRY(sc_sha256_bytes(sc_buf_text(&bytes), bytes.n, s->sha256, err));
    *out = sc_take(s);
    return SC_OK;
}

sc_code sc_suite_open(const char *name, sc_suite **out, sc_err *err)
{
    return sc_suite_open_in(name, NULL, out, err);
}

sc_code sc_suite_open_in(const char *name, const char *dir, sc_suite **out, sc_err *err)
{
    if (sc_data_is(name))
        return open_data(name, dir, out, err);
    if (strcmp(name, "livecodebench") == 0)
        return open_livecodebench(dir, out, err);
    if (strcmp(name, "core") == 0)
        return open_builtin(name, "core", out, err);
    if (strcmp(name, "challenges") == 0)
        return open_builtin(name, "challenge", out, err);
    if (strcmp(name, "builtin") == 0)
        return open_builtin(name, NULL, out, err);
    if (!strpbrk(name, "/.") && !sc_file_is_file(name))
        return sc_fail(
            err, SC_E_NOTFOUND,
            "no suite '%s': neither core, challenges, builtin, humaneval, mbpp, mbpp-test, "
            "mbpp-sanitized, mbpp-sanitized-test, livecodebench nor a file of that name",
            name);
    sc_suite *lcb = NULL;
    SC_TRY(try_lcb(name, &lcb, err));
    if (!lcb)
        return open_file(name, out, err);
    *out = lcb;
    return SC_OK;
}

const char *sc_suite_name(const sc_suite *s)
{
    return s->name;
}

const char *sc_suite_path(const sc_suite *s)
{
    return s->path;
}

const char *sc_suite_sha256(const sc_suite *s)
{
    return s->sha256;
}

const sc_task *sc_suite_tasks(const sc_suite *s, size_t *n)
{
    *n = s->n_tasks;
    return s->task;
}

const sc_task *sc_suite_find(const sc_suite *s, sc_str name)
{
    size_t low = 0, high = s->n_tasks;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const sc_str is = s->by_name[mid]->name;
        const int order = memcmp(is.p, name.p, is.n < name.n ? is.n : name.n);
        if (order == 0 && is.n == name.n)
            return s->by_name[mid];
        if (order < 0 || (order == 0 && is.n < name.n))
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}
