// SPDX-License-Identifier: MIT
#include "report/report.h"

#include "base/mem.h"
#include "base/utf8.h"

void sc_report_drop(sc_report *r)
{
    for (size_t i = 0; r->model && i < r->n_models; i++)
        sc_summary_drop(&r->model[i].sum);
    sc_free(r->model);
    json_decref(r->run);
    *r = (sc_report){0};
}

/* Puts summary and tasks into the model's entry. */
static sc_code add_model(sc_report *r, json_t *entry, sc_err *err)
{
    sc_report_model *m = &r->model[r->n_models];
    m->label = sc_json_str(json_object_get(entry, "label"));
    m->error = sc_json_str(json_object_get(entry, "error"));
    m->info = entry;
    if (!json_is_object(entry) || m->label.n == 0)
        return sc_fail(err, SC_E_FORMAT, "run document: a model without a label");
    SC_TRY(sc_summary_make(r->samples, m->label, r->max_tokens, &m->sum, err));
    r->n_models++;
    if (json_object_set_new(entry, "summary", sc_summary_json(&m->sum)) != 0 ||
        json_object_set_new(entry, "tasks", sc_summary_tasks_json(&m->sum)) != 0)
        return sc_fail_nomem(err);
    return SC_OK;
}

sc_code sc_report_make(const json_t *run, const sc_records *samples, sc_report *out, sc_err *err)
{
    SC_AUTO(sc_report) r = {.samples = samples};
    r.run = json_deep_copy(run);
    if (!r.run)
        return sc_fail_nomem(err);
    int64_t n = 1, max_tokens = 0;
    const json_t *protocol = json_object_get(r.run, "protocol");
    SC_TRY_IN(sc_json_get_int(protocol, "max_tokens", 0, UINT32_MAX, &max_tokens, err), err,
              "run document");
    SC_TRY_IN(sc_json_get_int(protocol, "samples", 1, UINT32_MAX, &n, err), err, "run document");
    r.max_tokens = (uint32_t)max_tokens;
    size_t i = 0;
    json_t *entry = NULL;
    json_array_foreach(json_object_get(r.run, "suites"), i, entry)
    {
        int64_t tasks = 0;
        SC_TRY_IN(sc_json_get_int(entry, "tasks", 0, UINT32_MAX, &tasks, err), err, "run document");
        r.n_expected += (size_t)tasks * (size_t)n;
    }
    json_t *models = json_object_get(r.run, "models");
    if (!json_is_array(models))
        return sc_fail(err, SC_E_FORMAT, "run document: no list of models");
    r.model = sc_alloc(json_array_size(models), sizeof *r.model);
    if (!r.model)
        return sc_fail_nomem(err);
    json_array_foreach(models, i, entry) SC_TRY(add_model(&r, entry, err));
    *out = r;
    r = (sc_report){0};
    return SC_OK;
}

void sc_report_run_json(const sc_report *r, sc_buf *out)
{
    sc_json_format(r->run, 2, out);
    sc_buf_add_char(out, '\n');
}

/* Shows a character that may not stand as it is: "\x1b". */
static void add_shown(sc_buf *out, sc_str bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        sc_buf_addf(out, "\\x%02x", (unsigned char)bytes.p[i]);
}

/* Controls, ill-formed parts, and the marks that turn the direction of text. */
static bool is_hostile(uint32_t point)
{
    return point == SC_UTF8_BAD || point < 0x20 || (point >= 0x7f && point < 0xa0) ||
           (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || point == 0xfeff;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Characters that mean something to Markdown; an underscore inside a word means nothing. */
static bool is_active(sc_str text, size_t at)
{
    const char c = text.p[at];
    if (c == '_')
        return at == 0 || at + 1 >= text.n || !is_alnum(text.p[at - 1]) ||
               !is_alnum(text.p[at + 1]);
    return c != '\0' && strchr("\\`*{}[]()<>#+!|~&$@", c);
}

void sc_report_add_cell(sc_buf *out, sc_str text)
{
    enum { MOST = 200 };
    const bool cut = text.n > MOST;
    size_t at = 0;
    while (at < text.n && at < MOST) {
        const sc_str rest = sc_str_skip(text, at);
        uint32_t point = 0;
        const size_t n = sc_utf8_decode(rest, &point);
        if (point == '\n' || point == '\t' || point == '\r')
            sc_buf_add_char(out, ' ');
        else if (is_hostile(point))
            add_shown(out, (sc_str){rest.p, n});
        else if (is_active(text, at))
            sc_buf_addf(out, "\\%c", (char)point);
        else
            sc_buf_add(out, rest.p, n);
        at += n;
    }
    if (cut)
        sc_buf_add_c(out, " ...");
}

void sc_report_add_block(sc_buf *out, const char *language, sc_str text)
{
    size_t longest = 2, run = 0;
    for (size_t i = 0; i < text.n; i++) {
        run = text.p[i] == '`' ? run + 1 : 0;
        if (run > longest)
            longest = run;
    }
    for (size_t i = 0; i <= longest; i++)
        sc_buf_add_char(out, '`');
    sc_buf_addf(out, "%s\n", language);
    for (size_t at = 0; at < text.n;) {
        const sc_str rest = sc_str_skip(text, at);
        uint32_t point = 0;
        const size_t n = sc_utf8_decode(rest, &point);
        if (point == '\n' || point == '\t' || !is_hostile(point))
            sc_buf_add(out, rest.p, n);
        else
            add_shown(out, (sc_str){rest.p, n});
        at += n;
    }
    if (text.n == 0 || text.p[text.n - 1] != '\n')
        sc_buf_add_char(out, '\n');
    for (size_t i = 0; i <= longest; i++)
        sc_buf_add_char(out, '`');
    sc_buf_add_char(out, '\n');
}

void sc_report_add_bytes(sc_buf *out, double bytes)
{
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    unsigned u = 0;
    while (bytes >= 1024 && u + 1 < SC_LEN(unit)) {
        bytes /= 1024;
        u++;
    }
    sc_buf_addf(out, bytes >= 100 || u == 0 ? "%.0f %s" : "%.1f %s", bytes, unit[u]);
}
