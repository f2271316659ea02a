// SPDX-License-Identifier: MIT
/* Ids and texts of the reference implementation; the cases are found by listing the folder. */
#include "golden.h"
#include "t.h"

typedef struct totals {
    tally ids, plain, literal, pair, decode, skip;
} totals;

static void check_ids(tally *k, const char *name, const sc_tok *t, sc_str text, unsigned flags,
                      const json_t *want)
{
    SC_AUTO(sc_ids) ids = {0};
    sc_err err = {0};
    const sc_code code = sc_tok_encode(t, text, flags, &ids, &err);
    if (!count(k, code == SC_OK && same_ids(&ids, want)))
        return;
    printf("# %s: %s %s\n", name, k->what, code == SC_OK ? "" : err.msg);
    show("text", text);
    show_ids(k->what, &ids, want);
}

static void check_decode(tally *k, const char *name, const sc_tok *t, const json_t *list, bool skip,
                         const json_t *want)
{
    SC_AUTO(sc_ids) ids = {0};
    SC_AUTO(sc_buf) text = sc_buf_init(1 << 24);
    sc_err err = {0};
    ids_of(list, &ids);
    const sc_code code = sc_tok_decode(t, ids.p, ids.n, skip, &text, &err);
    if (json_is_null(want)) // the library itself fails there
        return;
    if (!count(k, code == SC_OK && sc_str_eq(sc_buf_str(&text), sc_json_str(want))))
        return;
    printf("# %s: %s %s\n", name, k->what, code == SC_OK ? "" : err.msg);
    show("got ", sc_buf_str(&text));
    show("want", sc_json_str(want));
}

static void check_line(totals *k, const char *name, const sc_tok *t, const json_t *line)
{
    const sc_str kind = sc_json_str(json_object_get(line, "kind"));
    const sc_str text = sc_json_str(json_object_get(line, "text"));
    const json_t *ids = json_object_get(line, "ids");
    if (sc_str_is(kind, "pair")) {
        SC_AUTO(sc_ids) got = {0};
        sc_err err = {0};
        const sc_str pair = sc_json_str(json_object_get(line, "pair"));
        const sc_code code = sc_tok_encode_pair(t, text, pair, &got, &err);
        if (count(&k->pair, code == SC_OK && same_ids(&got, ids)))
            show_ids(name, &got, ids);
        return;
    }
    if (!sc_str_is(kind, "decode")) {
        const json_t *literal = json_object_get(line, "ids_literal");
        const json_t *plain = json_object_get(line, "ids_no_special");
        check_ids(&k->ids, name, t, text, SC_TOK_SPECIAL, ids);
        check_ids(&k->plain, name, t, text, 0, plain);
        check_ids(&k->literal, name, t, text, SC_TOK_LITERAL, literal ? literal : plain);
    }
    check_decode(&k->decode, name, t, ids, false, json_object_get(line, "decode"));
    check_decode(&k->skip, name, t, ids, true, json_object_get(line, "decode_skip_special"));
}

/* One tokenizer and its expected lines. */
static void check_tokenizer(totals *k, const char *name, const char *tok_path,
                            const char *expected_path)
{
    SC_AUTO(sc_buf) file = sc_buf_init(1u << 28);
    sc_err err = {0};
    SC_AUTO(sc_tok) *t = NULL;
    if (!read_golden(tok_path, &file))
        fail_msg("%s is missing", tok_path);
    CHECK_OK(sc_tok_parse(sc_buf_text(&file), file.n, &t, &err), &err);
    if (!read_golden(expected_path, &file))
        fail_msg("%s is missing", expected_path);
    sc_str text = sc_buf_str(&file);
    for (json_t *line; (line = next_line(&text)) != NULL; json_decref(line))
        check_line(k, name, t, line);
}

static void report(const totals *k)
{
    const tally *all = &k->ids;
    unsigned bad = 0;
    unsigned good = 0;
    for (size_t i = 0; i < sizeof *k / sizeof *all; i++) {
        printf("# %s: %u equal, %u different\n", all[i].what, all[i].good, all[i].bad);
        bad += all[i].bad;
        good += all[i].good;
    }
    CHECK(good > 0);
    assert_int_equal(bad, 0);
}

static const totals none = {{"ids", 0, 0},         {"ids_no_special", 0, 0},
                            {"ids_literal", 0, 0}, {"pair", 0, 0},
                            {"decode", 0, 0},      {"decode_skip_special", 0, 0}};

static void check_folder(const char *dir, bool folders)
{
    totals k = none;
    unsigned n = 0;
    DIR *d = opendir(dir);
    CHECK(d != NULL);
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        static const char suffix[] = ".expected.jsonl";
        char tok[4096];
        char expected[4096];
        const sc_str name = sc_str_c(e->d_name);
        if (folders) {
            (void)snprintf(tok, sizeof tok, "%s/%s/tokenizer.json", dir, e->d_name);
            (void)snprintf(expected, sizeof expected, "%s/%s/expected.jsonl", dir, e->d_name);
            if (!sc_file_is_file(expected))
                continue;
        } else {
            if (!sc_str_ends(name, SC_STR(".expected.jsonl")))
                continue;
            const int stem = (int)(name.n - (sizeof suffix - 1));
            (void)snprintf(tok, sizeof tok, "%s/%.*s.tokenizer.json", dir, stem, e->d_name);
            (void)snprintf(expected, sizeof expected, "%s/%s", dir, e->d_name);
        }
        const unsigned before = k.ids.bad + k.plain.bad + k.decode.bad + k.literal.bad;
        check_tokenizer(&k, e->d_name, tok, expected);
        if (k.ids.bad + k.plain.bad + k.decode.bad + k.literal.bad != before)
            printf("# ^ %s\n", e->d_name);
        n++;
    }
    (void)closedir(d); // opened for reading
    printf("# %u tokenizers\n", n);
    CHECK(n > 0);
    report(&k);
}

TEST(real_vocabularies_give_the_library_s_ids_and_texts)
{
    UNUSED;
    if (!goldens())
        SKIP("goldens", "no golden tokenizers");
    check_folder(goldens(), false);
}

TEST(every_component_gives_the_library_s_ids_and_texts)
{
    UNUSED;
    char dir[4200];
    if (!goldens())
        SKIP("goldens", "no golden tokenizers");
    (void)snprintf(dir, sizeof dir, "%s/synthetic", goldens());
    check_folder(dir, true);
}

static sc_tok *open_named(const char *name)
{
    SC_AUTO(sc_buf) file = sc_buf_init(1u << 28);
    char path[4200];
    sc_err err = {0};
    sc_tok *t = NULL;
    (void)snprintf(path, sizeof path, "%s/%s.tokenizer.json", goldens(), name);
    if (!read_golden(path, &file))
        fail_msg("%s is missing", path);
    CHECK_OK(sc_tok_parse(sc_buf_text(&file), file.n, &t, &err), &err);
    return t;
}

/* Feeds `ids` one at a time and compares what comes out with `pieces` and `flush`. */
static void check_stream(tally *k, const char *name, const sc_tok *t, const json_t *ids, bool skip,
                         const json_t *pieces, const json_t *flush)
{
    SC_AUTO(sc_buf) out = sc_buf_init(1 << 20);
    sc_detok d;
    sc_detok_init(&d, t, skip);
    bool same = true;
    for (size_t i = 0; i < json_array_size(ids); i++) {
        sc_buf_clear(&out);
        sc_detok_push(&d, (int32_t)json_integer_value(json_array_get(ids, i)), &out);
        const sc_str want = sc_json_str(json_array_get(pieces, i));
        if (!sc_str_eq(sc_buf_str(&out), want) && same && k->bad < 3) {
            char *text = json_dumps(ids, 0);
            printf("# %s: token %zu of %s\n", name, i, text ? text : "");
            free(text);
            show("got ", sc_buf_str(&out));
            show("want", want);
        }
        same = same && sc_str_eq(sc_buf_str(&out), want);
    }
    sc_buf_clear(&out);
    sc_detok_flush(&d, &out);
    same = same && sc_str_eq(sc_buf_str(&out), sc_json_str(flush));
    (void)count(k, same);
}

TEST(streams_release_text_as_soon_as_it_is_certain)
{
    UNUSED;
    if (!goldens())
        SKIP("goldens", "no golden tokenizers");
    char dir[4200];
    (void)snprintf(dir, sizeof dir, "%s/stream", goldens());
    tally k = {"stream", 0, 0};
    DIR *d = opendir(dir);
    CHECK(d != NULL);
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        char name[300];
        char path[4600];
        const char *dot = strstr(e->d_name, ".stream.jsonl");
        if (!dot)
            continue;
        (void)snprintf(name, sizeof name, "%.*s", (int)(dot - e->d_name), e->d_name);
        (void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        SC_AUTO(sc_tok) *t = open_named(name);
        SC_AUTO(sc_buf) file = sc_buf_init(1u << 28);
        CHECK(read_golden(path, &file));
        sc_str text = sc_buf_str(&file);
        for (json_t *line; (line = next_line(&text)) != NULL; json_decref(line)) {
            for (unsigned skip = 0; skip < 2; skip++) {
                const json_t *want = json_object_get(line, skip ? "skip_special" : "keep_special");
                check_stream(&k, name, t, json_object_get(line, "ids"), skip,
                             json_object_get(want, "pieces"), json_object_get(want, "flush"));
            }
        }
    }
    (void)closedir(d); // opened for reading
    printf("# streams: %u equal, %u different\n", k.good, k.bad);
    CHECK(k.good > 0);
    assert_int_equal(k.bad, 0);
}

TEST(ill_formed_bytes_become_replacement_characters)
{
    UNUSED;
    if (!goldens())
        SKIP("goldens", "no golden tokenizers");
    char path[4200];
    (void)snprintf(path, sizeof path, "%s/invalid.jsonl", goldens());
    SC_AUTO(sc_buf) file = sc_buf_init(1u << 28);
    CHECK(read_golden(path, &file));
    tally whole = {"decode", 0, 0};
    tally stream = {"stream", 0, 0};
    char now[300] = "";
    sc_tok *t = NULL;
    sc_str text = sc_buf_str(&file);
    for (json_t *line; (line = next_line(&text)) != NULL; json_decref(line)) {
        const char *name = json_string_value(json_object_get(line, "vocab"));
        if (strcmp(name, now) != 0) {
            sc_tok_close(t);
            t = open_named(name);
            (void)snprintf(now, sizeof now, "%s", name);
        }
        const json_t *ids = json_object_get(line, "ids");
        check_decode(&whole, name, t, ids, false, json_object_get(line, "decode"));
        check_stream(&stream, name, t, ids, false, json_object_get(line, "pieces"),
                     json_object_get(line, "flush"));
    }
    sc_tok_close(t);
    printf("# invalid: decode %u equal, %u different; stream %u equal, %u different\n", whole.good,
           whole.bad, stream.good, stream.bad);
    CHECK(whole.good > 0);
    assert_int_equal(whole.bad + stream.bad, 0);
}

TEST(clean_up_does_what_transformers_does)
{
    UNUSED;
    char path[8192];
    if (!goldens())
        SKIP("goldens", "no golden tokenizers");
    (void)snprintf(path, sizeof path, "%s/cleanup.jsonl", goldens());
    SC_AUTO(sc_buf) file = sc_buf_init(1u << 28);
    if (!read_golden(path, &file))
        SKIP("goldens", "no cleanup.jsonl");
    tally k = {"cleanup", 0, 0};
    sc_str text = sc_buf_str(&file);
    for (json_t *line; (line = next_line(&text)) != NULL; json_decref(line)) {
        SC_AUTO(sc_buf) out = sc_buf_init(1 << 20);
        sc_err err = {0};
        sc_buf_add_c(&out, "x .");
        sc_buf_add_str(&out, sc_json_str(json_object_get(line, "text")));
        CHECK_OK(sc_tok_clean_up(&out, 3, &err), &err);
        const sc_str got = sc_str_skip(sc_buf_str(&out), 3);
        if (count(&k, sc_str_eq(got, sc_json_str(json_object_get(line, "out")))))
            show("got ", got);
        CHECK(sc_str_starts(sc_buf_str(&out), SC_STR("x .")));
    }
    printf("# clean-up: %u equal, %u different\n", k.good, k.bad);
    CHECK(k.good > 0);
    assert_int_equal(k.bad, 0);
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(real_vocabularies_give_the_library_s_ids_and_texts),
        T(every_component_gives_the_library_s_ids_and_texts),
        T(streams_release_text_as_soon_as_it_is_certain),
        T(ill_formed_bytes_become_replacement_characters),
        T(clean_up_does_what_transformers_does),
    };
    return RUN_TESTS(tests);
}
