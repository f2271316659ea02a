// SPDX-License-Identifier: MIT
#include "tok/post.h"

#include "base/mem.h"
#include "tok/vocab.h"

enum { MAX_ITEMS = 4096 };

static sc_code add(sc_post_list *list, sc_post_what what, int32_t id, sc_err *err)
{
    if (list->n == MAX_ITEMS)
        return sc_fail(err, SC_E_LIMIT, "a template of more than %d items", MAX_ITEMS);
    if (list->n == list->cap && !sc_grow(&list->p, &list->cap, list->n, MAX_ITEMS, sizeof *list->p))
        return sc_fail_nomem(err);
    list->p[list->n++] = (sc_post_item){what, id};
    return SC_OK;
}

sc_code sc_post_init(sc_post *p, int32_t bos, int32_t eos, sc_err *err)
{
    *p = (sc_post){0};
    for (unsigned pair = 0; pair < 2; pair++) {
        sc_post_list *list = pair ? &p->pair : &p->single;
        for (unsigned part = 0; part <= pair; part++) {
            if (bos >= 0)
                SC_TRY(add(list, SC_POST_ID, bos, err));
            SC_TRY(add(list, part ? SC_POST_B : SC_POST_A, 0, err));
            if (eos >= 0)
                SC_TRY(add(list, SC_POST_ID, eos, err));
        }
    }
    return SC_OK;
}

void sc_post_drop(sc_post *p)
{
    sc_free(p->single.p);
    sc_free(p->pair.p);
    *p = (sc_post){0};
}

/* The ids of the special token called `name`. */
static sc_code add_special(sc_tv table, sc_str name, sc_post_list *list, sc_err *err)
{
    for (sc_tv_iter it = sc_tv_each(table); it.left; sc_tv_next(&it)) {
        if (!sc_str_eq(sc_tv_str(it.v), name))
            continue;
        const sc_tv ids = sc_tv_get(sc_tv_value(&it), "ids");
        for (sc_tv_iter id = sc_tv_each(ids); id.left; sc_tv_next(&id)) {
            int64_t n = 0;
            if (!sc_tv_int(id.v, 0, SC_VOCAB_MAX_ID, &n))
                return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(id.v)->at, "an id that is none");
            SC_TRY(add(list, SC_POST_ID, (int32_t)n, err));
        }
        return SC_OK;
    }
    return sc_fail(err, SC_E_FORMAT, "\"special_tokens\" lacks \"%.*s\"", SC_STRF(name));
}

/* The pieces of a template, with borders between. */
static sc_code read_template(sc_tv v, const char *key, sc_post_list *list, sc_err *err)
{
    const sc_tv items = sc_tv_get(v, key);
    if (!sc_tv_is(items, SC_TAPE_ARRAY))
        return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at, "\"%s\" is not a list", key);
    size_t n = 0;
    for (sc_tv_iter it = sc_tv_each(items); it.left; sc_tv_next(&it), n++) {
        const sc_tv sequence = sc_tv_get(it.v, "Sequence");
        const sc_tv special = sc_tv_get(it.v, "SpecialToken");
        const sc_str name = sc_tv_str(sc_tv_get(sc_tv_has(sequence) ? sequence : special, "id"));
        if (n)
            SC_TRY(add(list, SC_POST_BORDER, 0, err));
        if (sc_tv_has(sequence) && (sc_str_is(name, "A") || sc_str_is(name, "B")))
            SC_TRY(add(list, sc_str_is(name, "A") ? SC_POST_A : SC_POST_B, 0, err));
        else if (sc_tv_has(special))
            SC_TRY(add_special(sc_tv_get(v, "special_tokens"), name, list, err));
        else
            return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(it.v)->at,
                              "neither a Sequence A or B nor a SpecialToken");
    }
    return SC_OK;
}

static size_t count_parts(const sc_post_list *list)
{
    size_t n = list->n > 0;
    for (size_t i = 0; i < list->n; i++)
        n += list->p[i].what == SC_POST_BORDER;
    return n;
}

/* Appends part `k` of `from`. */
static sc_code add_part(sc_post_list *list, const sc_post_list *from, size_t k, sc_err *err)
{
    size_t now = 0;
    for (size_t i = 0; i < from->n && now <= k; i++) {
        if (from->p[i].what == SC_POST_BORDER)
            now++;
        else if (now == k)
            SC_TRY(add(list, from->p[i].what, from->p[i].id, err));
    }
    return SC_OK;
}

static void replace(sc_post_list *list, sc_post_list *by)
{
    sc_free(list->p);
    *list = *by;
    *by = (sc_post_list){0};
}

/*
 * A template is for one part or for two, whatever they are: behind another template they are that
 * one's tokens and texts. The library fails on any other number.
 */
static sc_code apply_template(const sc_post *t, sc_post_list *list, sc_err *err)
{
    const size_t n = count_parts(list);
    const sc_post_list *how = n == 2 ? &t->pair : &t->single;
    sc_post_list all = {0};
    sc_code code = SC_OK;
    if (n != 1 && n != 2)
        list->stops = true;
    if (list->stops)
        return SC_OK;
    for (size_t i = 0; i < how->n && code == SC_OK; i++) {
        if (how->p[i].what == SC_POST_A || how->p[i].what == SC_POST_B)
            code = add_part(&all, list, how->p[i].what == SC_POST_B ? n - 1 : 0, err);
        else
            code = add(&all, how->p[i].what, how->p[i].id, err);
    }
    if (code == SC_OK)
        replace(list, &all);
    sc_free(all.p);
    return code;
}

static sc_code read_templates(sc_tv v, sc_post *out, sc_err *err)
{
    sc_post t = {0};
    sc_code code = read_template(v, "single", &t.single, err);
    if (code == SC_OK)
        code = read_template(v, "pair", &t.pair, err);
    if (code == SC_OK)
        code = apply_template(&t, &out->single, err);
    if (code == SC_OK)
        code = apply_template(&t, &out->pair, err);
    sc_post_drop(&t);
    return code;
}

/* ["token", id] */
static sc_code read_named_id(sc_tv v, const char *key, int32_t *out, sc_err *err)
{
    const sc_tv list = sc_tv_get(v, key);
    int64_t id = -1;
    if (sc_tv_is(list, SC_TAPE_ARRAY) && sc_tv_node(list)->n == 2) {
        sc_tv_iter it = sc_tv_each(list);
        sc_tv_next(&it);
        if (sc_tv_int(it.v, 0, SC_VOCAB_MAX_ID, &id)) {
            *out = (int32_t)id;
            return SC_OK;
        }
    }
    return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at, "\"%s\" is not a token and its id", key);
}

/* [CLS] before the first part, [SEP] behind each; for Roberta [SEP] before the others too. */
static sc_code apply_cls(sc_post_list *list, int32_t cls, int32_t sep, bool twice, sc_err *err)
{
    const size_t n = count_parts(list);
    sc_post_list all = {0};
    sc_code code = SC_OK;
    if (list->stops)
        return SC_OK;
    for (size_t k = 0; k < n && code == SC_OK; k++) {
        if (k)
            code = add(&all, SC_POST_BORDER, 0, err);
        if (code == SC_OK && (k == 0 || twice))
            code = add(&all, SC_POST_ID, k ? sep : cls, err);
        if (code == SC_OK)
            code = add_part(&all, list, k, err);
        if (code == SC_OK)
            code = add(&all, SC_POST_ID, sep, err);
    }
    if (code == SC_OK)
        replace(list, &all);
    sc_free(all.p);
    return code;
}

static sc_code read_cls(sc_tv v, sc_post *out, bool twice, sc_err *err)
{
    int32_t cls = 0;
    int32_t sep = 0;
    SC_TRY(read_named_id(v, "cls", &cls, err));
    SC_TRY(read_named_id(v, "sep", &sep, err));
    SC_TRY(apply_cls(&out->single, cls, sep, twice, err));
    return apply_cls(&out->pair, cls, sep, twice, err);
}

static sc_code read_bert(sc_tv v, sc_post *out, sc_err *err)
{
    return read_cls(v, out, false, err);
}

static sc_code read_roberta(sc_tv v, sc_post *out, sc_err *err)
{
    return read_cls(v, out, true, err);
}

/* ByteLevel changes offsets alone. */
static sc_code read_nothing(sc_tv v, sc_post *out, sc_err *err)
{
    (void)v;
    (void)out;
    (void)err;
    return SC_OK;
}

static sc_code read_sequence(sc_tv v, sc_post *out, sc_err *err);

static const struct {
    const char *type;
    sc_code (*read)(sc_tv v, sc_post *out, sc_err *err);
} kinds[] = {
    {"TemplateProcessing", read_templates},
    {"ByteLevel", read_nothing},
    {"BertProcessing", read_bert},
    {"RobertaProcessing", read_roberta},
    {"Sequence", read_sequence},
};

static sc_code read_any(sc_tv v, sc_post *out, sc_err *err)
{
    const sc_str type = sc_tv_str(sc_tv_get(v, "type"));
    for (size_t i = 0; i < SC_LEN(kinds); i++) {
        if (sc_str_is(type, kinds[i].type)) {
            SC_TRY_IN(kinds[i].read(v, out, err), err, "%s", kinds[i].type);
            return SC_OK;
        }
    }
    return sc_fail_at(err, SC_E_UNSUPPORTED, sc_tv_node(v)->at, "unknown type \"%.*s\"",
                      SC_STRF(type));
}

/* Each one works on what the one before made. */
static sc_code read_sequence(sc_tv v, sc_post *out, sc_err *err)
{
    const sc_tv list = sc_tv_get(v, "processors");
    if (!sc_tv_is(list, SC_TAPE_ARRAY))
        return sc_fail_at(err, SC_E_FORMAT, sc_tv_node(v)->at, "\"processors\" is not a list");
    for (sc_tv_iter it = sc_tv_each(list); it.left; sc_tv_next(&it))
        SC_TRY(read_any(it.v, out, err));
    return SC_OK;
}

static void remove_borders(sc_post_list *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        if (list->p[i].what != SC_POST_BORDER)
            list->p[n++] = list->p[i];
    list->n = n;
}

sc_code sc_post_read(sc_tv v, sc_post *out, sc_err *err)
{
    *out = (sc_post){0};
    SC_TRY(add(&out->single, SC_POST_A, 0, err));
    SC_TRY(add(&out->pair, SC_POST_A, 0, err));
    SC_TRY(add(&out->pair, SC_POST_BORDER, 0, err));
    SC_TRY(add(&out->pair, SC_POST_B, 0, err));
    if (sc_tv_has(v))
        SC_TRY_IN(read_any(v, out, err), err, "post_processor");
    remove_borders(&out->single);
    remove_borders(&out->pair);
    return SC_OK;
}

sc_code sc_post_run(const sc_post_list *list, const sc_ids *a, const sc_ids *b, sc_ids *out,
                    sc_err *err)
{
    if (list->stops)
        return sc_fail(err, SC_E_UNSUPPORTED,
                       "the post-processor puts a template around more or fewer than two parts");
    for (size_t i = 0; i < list->n; i++) {
        const sc_post_item *item = &list->p[i];
        const sc_ids *ids = item->what == SC_POST_A ? a : b;
        if (item->what == SC_POST_ID) {
            if (!sc_ids_add(out, item->id))
                return sc_fail_nomem(err);
            continue;
        }
        if (!sc_ids_reserve(out, ids->n))
            return sc_fail_nomem(err);
        if (ids->n)
            memcpy(out->p + out->n, ids->p, ids->n * sizeof *ids->p);
        out->n += ids->n;
    }
    return SC_OK;
}
