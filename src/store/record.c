// SPDX-License-Identifier: MIT
#include "store/record.h"

#include "base/mem.h"

#include <math.h>

enum { MAX_SAMPLES = 1 << 28, MAX_TOKENS = 1 << 28 };

/* A number, or null for what JSON cannot say. */
static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

/* Microseconds between tokens, the first one since the start: short to write, exact enough. */
static json_t *delta_times(const sc_record *s)
{
    json_t *list = json_array();
    int64_t before = 0;
    for (size_t i = 0; list && i < s->n_token_s; i++) {
        const int64_t at = llround(s->token_s[i] * 1e6);
        if (json_array_append_new(list, json_integer(at - before)) != 0) {
            json_decref(list);
            return NULL;
        }
        before = at;
    }
    return list;
}

static json_t *text_or_null(sc_str s)
{
    return s.p ? sc_json_text(s) : json_null();
}

json_t *sc_record_json(const sc_record *s)
{
    char id[64];
    (void)snprintf(id, sizeof id, "%.12s-%u", s->prompt_sha.p, s->sample); // 64 is enough
    return json_pack(
        "{s:s, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:b, s:s, s:s, s:o,"
        " s:I, s:I, s:o, s:o, s:o, s:o, s:b, s:I, s:o, s:{s:I, s:I, s:I, s:o, s:o}}",
        "id", id, "task_id", sc_json_text(s->task), "suite", sc_json_text(s->suite), "sample",
        (json_int_t)s->sample, "model", sc_json_text(s->model), "protocol",
        sc_json_text(s->protocol), "prompt_sha", sc_json_text(s->prompt_sha), "prompt_mode",
        text_or_null(s->mode), "asked_sha", text_or_null(s->asked_sha), "seed", (json_int_t)s->seed,
        "raw", sc_json_text(s->raw), "completion", sc_json_text(s->completion), "solution",
        text_or_null(s->solution), "extract", text_or_null(s->extract), "extract_changed",
        (int)s->changed, "finish_reason", s->finish.p, "status", s->ok ? "ok" : "error", "error",
        s->error.n ? sc_json_text(s->error) : json_null(), "n_prompt", (json_int_t)s->n_prompt,
        "n_out", (json_int_t)s->n_out, "t_queue", number(s->queue_s), "ttft",
        s->shared_prefill ? json_null() : number(s->ttft_s), "t_prefill",
        s->shared_prefill ? json_null() : number(s->prefill_s), "t_wall", number(s->wall_s),
        "shared_prefill", (int)s->shared_prefill, "batch", (json_int_t)s->batch, "token_times_us",
        delta_times(s), "keywords", "n", (json_int_t)s->n_keywords, "found", (json_int_t)s->found,
        "words", (json_int_t)s->words, "share", number(sc_record_share(s)), "word_share",
        number(sc_record_word_share(s)));
}

static sc_code get_text(const json_t *o, const char *key, sc_str *out, sc_err *err)
{
    *out = (sc_str){"", 0};
    SC_TRY(sc_json_get_str(o, key, out, err));
    if (!json_is_string(json_object_get(o, key)))
        return sc_fail(err, SC_E_FORMAT, "\"%s\" is missing", key);
    return SC_OK;
}

static sc_code get_u32(const json_t *o, const char *key, uint32_t *out, sc_err *err)
{
    int64_t v = -1;
    SC_TRY(sc_json_get_int(o, key, 0, UINT32_MAX, &v, err));
    if (v < 0)
        return sc_fail(err, SC_E_FORMAT, "\"%s\" is missing", key);
    *out = (uint32_t)v;
    return SC_OK;
}

static sc_code get_time(const json_t *o, const char *key, double *out, sc_err *err)
{
    *out = (double)NAN;
    SC_TRY(sc_json_get_num(o, key, out, err));
    if (*out < 0)
        return sc_fail(err, SC_E_FORMAT, "\"%s\" is negative", key);
    return SC_OK;
}

static sc_code read_times(const json_t *o, sc_record *s, sc_err *err)
{
    const json_t *list = json_object_get(o, "token_times_us");
    const size_t n = json_array_size(list);
    if (n == 0)
        return SC_OK;
    if (n > MAX_TOKENS)
        return sc_fail(err, SC_E_LIMIT, "\"token_times_us\" has %zu entries", n);
    s->kept = sc_alloc(n, sizeof *s->kept);
    if (!s->kept)
        return sc_fail_nomem(err);
    double at = 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(list, i);
        if (!json_is_integer(v) || json_integer_value(v) < 0)
            return sc_fail(err, SC_E_FORMAT, "\"token_times_us\", entry %zu: not a count", i + 1);
        at += (double)json_integer_value(v) * 1e-6;
        s->kept[i] = at;
    }
    s->token_s = s->kept;
    s->n_token_s = n;
    return SC_OK;
}

static sc_code read_keywords(const json_t *o, sc_record *s, sc_err *err)
{
    const json_t *k = json_object_get(o, "keywords");
    if (!json_is_object(k))
        return sc_fail(err, SC_E_FORMAT, "\"keywords\" is missing");
    SC_TRY(get_u32(k, "n", &s->n_keywords, err));
    SC_TRY(get_u32(k, "found", &s->found, err));
    SC_TRY(get_u32(k, "words", &s->words, err));
    if (s->found > s->n_keywords || s->words > s->n_keywords)
        return sc_fail(err, SC_E_FORMAT, "\"keywords\": more found than there are");
    return SC_OK;
}

static sc_code read_fields(const json_t *o, sc_record *s, sc_err *err)
{
    int64_t seed = -1;
    sc_str status = {0};
    SC_TRY(get_text(o, "model", &s->model, err));
    SC_TRY(get_text(o, "suite", &s->suite, err));
    SC_TRY(get_text(o, "task_id", &s->task, err));
    SC_TRY(get_text(o, "protocol", &s->protocol, err));
    SC_TRY(get_text(o, "prompt_sha", &s->prompt_sha, err));
    if (s->prompt_sha.n != 64)
        return sc_fail(err, SC_E_FORMAT, "\"prompt_sha\" has %zu letters, 64 expected",
                       s->prompt_sha.n);
    SC_TRY(sc_json_get_str(o, "prompt_mode", &s->mode, err));
    SC_TRY(sc_json_get_str(o, "asked_sha", &s->asked_sha, err));
    SC_TRY(sc_json_get_str(o, "solution", &s->solution, err));
    SC_TRY(sc_json_get_str(o, "extract", &s->extract, err));
    SC_TRY(sc_json_get_bool(o, "extract_changed", &s->changed, err));
    SC_TRY(get_text(o, "raw", &s->raw, err));
    SC_TRY(get_text(o, "completion", &s->completion, err));
    SC_TRY(get_text(o, "finish_reason", &s->finish, err));
    SC_TRY(get_text(o, "status", &status, err));
    SC_TRY(sc_json_get_str(o, "error", &s->error, err));
    SC_TRY(sc_json_get_int(o, "seed", 0, INT64_MAX, &seed, err));
    SC_TRY(get_u32(o, "sample", &s->sample, err));
    SC_TRY(get_u32(o, "n_prompt", &s->n_prompt, err));
    SC_TRY(get_u32(o, "n_out", &s->n_out, err));
    SC_TRY(get_u32(o, "batch", &s->batch, err));
    SC_TRY(get_time(o, "t_queue", &s->queue_s, err));
    SC_TRY(get_time(o, "ttft", &s->ttft_s, err));
    SC_TRY(get_time(o, "t_prefill", &s->prefill_s, err));
    SC_TRY(get_time(o, "t_wall", &s->wall_s, err));
    SC_TRY(sc_json_get_bool(o, "shared_prefill", &s->shared_prefill, err));
    if (seed < 0)
        return sc_fail(err, SC_E_FORMAT, "\"seed\" is missing");
    s->seed = (uint64_t)seed;
    s->ok = sc_str_is(status, "ok");
    SC_TRY(read_keywords(o, s, err));
    return read_times(o, s, err);
}

sc_code sc_record_parse(json_t *doc, sc_record *out, sc_err *err)
{
    if (!json_is_object(doc))
        return sc_fail(err, SC_E_FORMAT, "a JSON object is expected");
    SC_AUTO(sc_record) s = {.error = {"", 0}};
    s.doc = json_incref(doc);
    SC_TRY(read_fields(doc, &s, err));
    *out = s;
    s = (sc_record){0};
    return SC_OK;
}

void sc_record_drop(sc_record *s)
{
    json_decref(s->doc);
    sc_free(s->kept);
    *s = (sc_record){0};
}

double sc_record_decode_rate(const sc_record *s)
{
    if (s->n_token_s < 2)
        return (double)NAN;
    const double span = s->token_s[s->n_token_s - 1] - s->token_s[0];
    return span > 0 ? (double)(s->n_token_s - 1) / span : (double)NAN;
}

double sc_record_prefill_rate(const sc_record *s)
{
    return s->shared_prefill || !(s->prefill_s > 0) ? (double)NAN
                                                    : (double)s->n_prompt / s->prefill_s;
}

double sc_record_share(const sc_record *s)
{
    return s->n_keywords ? (double)s->found / (double)s->n_keywords : 0;
}

double sc_record_word_share(const sc_record *s)
{
    return s->n_keywords ? (double)s->words / (double)s->n_keywords : 0;
}

sc_code sc_records_add(sc_records *all, sc_record *s, sc_err *err)
{
    if (!sc_grow(&all->p, &all->cap, all->n, MAX_SAMPLES, sizeof *all->p))
        return sc_fail_nomem(err);
    all->p[all->n++] = *s;
    *s = (sc_record){0};
    return SC_OK;
}

void sc_records_drop(sc_records *all)
{
    for (size_t i = 0; i < all->n; i++)
        sc_record_drop(&all->p[i]);
    sc_free(all->p);
    *all = (sc_records){0};
}
