/* Chat templates of the goldens, rendered by the real Jinja2 in the box of the tools. */
// SPDX-License-Identifier: MIT
#include "t.h"

#include "base/file.h"
#include "base/json.h"
#include "box/box.h"

static json_t *ask(sc_box *b, const json_t *request)
{
    SC_AUTO(sc_buf) text = sc_buf_init(16 << 20);
    sc_json_format(request, 0, &text);
    CHECK(sc_buf_ok(&text));
    sc_err err = {0};
    char *answer = NULL;
    size_t n = 0;
    CHECK_OK(sc_box_tool(b, sc_buf_str(&text), 5, &answer, &n, &err), &err);
    json_t *o = NULL;
    CHECK_OK(sc_json_parse((sc_str){answer, n}, &o, &err), &err);
    sc_free(answer);
    return o;
}

static bool open_tools(sc_box **out)
{
    const sc_box_opts o = {.jobs = 1, .tools = true};
    sc_err err = {0};
    if (sc_box_open(&o, out, &err) == SC_OK)
        return true;
    printf("# skip box: %s\n", err.msg);
    return false;
}

/* Whether the case's answer is right; otherwise says how it is not. */
static bool is_right(const json_t *c, const json_t *answer)
{
    const json_t *want = json_object_get(c, "expected"), *error = json_object_get(c, "error");
    const json_t *text = json_object_get(answer, "text"), *got = json_object_get(answer, "error");
    bool good = false;
    if (error) {
        const json_t *kind = json_object_get(error, "kind");
        good = json_is_object(got);
        // A template's own words are equal; other errors need only be errors.
        if (good && sc_str_is(sc_json_str(kind), "raise_exception"))
            good = json_equal(json_object_get(got, "text"), json_object_get(error, "text")) &&
                   json_equal(json_object_get(got, "kind"), kind);
    } else {
        good = json_is_string(text) && json_equal(text, want);
    }
    if (good)
        return true;
    SC_AUTO(sc_buf) shown = sc_buf_init(1 << 20);
    sc_json_format(answer, 0, &shown);
    print_message("# %s: %s\n", json_string_value(json_object_get(c, "name")), sc_buf_text(&shown));
    shown.n = 0;
    sc_json_format(error ? error : want, 0, &shown);
    return false;
}

TEST(renders_every_golden)
{
    UNUSED;
    const char *dir = getenv("SC_GOLDENS");
    char *path = sc_path_join(dir ? dir : ".", "chat/cases.json");
    SC_AUTO_JSON *cases = NULL;
    sc_err err = {0};
    const bool there = path && sc_file_is_file(path);
    if (there)
        CHECK_OK(sc_json_read(path, 64 << 20, &cases, &err), &err);
    sc_free(path);
    if (!there)
        SKIP("goldens", "no chat/cases.json");
    SC_AUTO(sc_box) *b = NULL;
    if (!open_tools(&b))
        skip();
    size_t i = 0, bad = 0;
    json_t *c = NULL;
    json_array_foreach(cases, i, c)
    {
        SC_AUTO_JSON *request = json_copy(c);
        json_t *now = json_object_get(json_object_get(c, "options"), "now");
        CHECK(json_object_set_new(request, "op", json_string("render")) == 0);
        if (now)
            CHECK(json_object_set(request, "now", now) == 0);
        SC_AUTO_JSON *answer = ask(b, request);
        bad += !is_right(c, answer);
    }
    assert_int_equal(bad, 0);
}

TEST(a_template_that_never_ends_is_stopped)
{
    UNUSED;
    SC_AUTO(sc_box) *b = NULL;
    if (!open_tools(&b))
        skip();
    static const char request[] =
        "{\"op\":\"render\",\"messages\":[],\"template\":\"{% for a in range(99999) %}{% for b in "
        "range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}\"}";
    char *answer = NULL;
    size_t n = 0;
    sc_err err = {0};
    CHECK_CODE(SC_E_LIMIT, sc_box_tool(b, sc_str_c(request), 0.3, &answer, &n, &err), &err);
    CHECK(!answer);
    // And the next one works.
    CHECK_OK(sc_box_tool(b, SC_STR("{\"op\":\"render\",\"messages\":[],\"template\":\"x\"}"), 5,
                         &answer, &n, &err),
             &err);
    CHECK(sc_str_is((sc_str){answer, n}, "{\"text\": \"x\"}"));
    sc_free(answer);
}

TEST(says_what_a_program_looks_like)
{
    UNUSED;
    SC_AUTO(sc_box) *b = NULL;
    if (!open_tools(&b))
        skip();
    SC_AUTO_JSON *request =
        json_pack("{s:s, s:[s, s, s]}", "op", "analyse", "sources",
                  "import os\ndef f(x):\n    if x:\n        return y\n", "def f(:\n", "x = 1\n");
    SC_AUTO_JSON *answer = ask(b, request);
    const json_t *all = json_object_get(answer, "results");
    CHECK(json_array_size(all) == 3);
    const json_t *first = json_array_get(all, 0), *second = json_array_get(all, 1);
    CHECK(json_is_true(json_object_get(json_object_get(first, "syntax"), "ok")));
    CHECK(json_array_size(json_object_get(first, "lint")) == 2); // unused import, undefined name
    const json_t *f = json_array_get(json_object_get(first, "complexity"), 0);
    CHECK(json_integer_value(json_object_get(f, "complexity")) == 2);
    CHECK(json_is_false(json_object_get(json_object_get(second, "syntax"), "ok")));
    CHECK(json_integer_value(json_object_get(json_object_get(second, "syntax"), "line")) == 1);
    CHECK(json_is_null(json_object_get(second, "lint")));
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(renders_every_golden),
        T(a_template_that_never_ends_is_stopped),
        T(says_what_a_program_looks_like),
    };
    return RUN_TESTS(tests);
}
