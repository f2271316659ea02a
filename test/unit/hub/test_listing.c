// SPDX-License-Identifier: MIT
#include "hub/listing.h"

#include "base/json.h"
#include "t.h"

#define SHA1   "0123456789abcdef0123456789abcdef01234567"
#define SHA256 SHA1 "89abcdef0123456789ABCDEF"

static const char good[] =
    "[{\"type\":\"directory\",\"path\":\"onnx\",\"oid\":\"" SHA1 "\",\"size\":0},"
    "{\"type\":\"file\",\"path\":\"a/config.json\",\"oid\":\"" SHA1 "\",\"size\":7},"
    "{\"type\":\"file\",\"path\":\"model.safetensors\",\"oid\":\"" SHA1 "\",\"size\":5000000000,"
    "\"lfs\":{\"oid\":\"" SHA256 "\",\"size\":5000000000,\"pointerSize\":135},\"xetHash\":\"x\"}]";

TEST(reads_a_page)
{
    UNUSED;
    sc_err err = {0};
    SC_AUTO(sc_hub_listing) l = {0};
    CHECK_OK(sc_hub_listing_add(&l, sc_str_c(good), &err), &err);
    CHECK_OK(sc_hub_listing_add(&l, SC_STR("[]"), &err), &err);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.at[0].path, "a/config.json");
    assert_string_equal(l.at[0].hash, SHA1);
    assert_int_equal(l.at[1].size, 5000000000);
    assert_string_equal(l.at[1].hash, SHA1 "89abcdef0123456789abcdef");
}

TEST(refuses_every_truncation)
{
    UNUSED;
    for (size_t n = 0; n < sizeof good - 1; n++) {
        sc_err err = {0};
        SC_AUTO(sc_hub_listing) l = {0};
        CHECK_CODE(SC_E_FORMAT, sc_hub_listing_add(&l, (sc_str){good, n}, &err), &err);
        CHECK(l.n == 0);
    }
}

TEST(says_which_entry_is_wrong)
{
    UNUSED;
    static const struct {
        const char *entry, *says;
    } cases[] = {
        {"{\"type\":\"file\",\"path\":\"../x\"}", "entry 0: the path '../x' leads out"},
        {"{\"type\":\"directory\",\"path\":\"/x\"}", "entry 0: the path '/x' leads out"},
        {"{\"type\":\"file\",\"path\":7}", "entry 0: \"path\""},
        {"{\"type\":\"file\"}", "entry 0: the path '' leads out"},
        {"{\"type\":\"file\",\"path\":\"a\",\"oid\":\"" SHA1 "\"}", "entry 0: a: no size"},
        {"{\"type\":\"file\",\"path\":\"a\",\"size\":-1}", "entry 0: a: \"size\" is -1"},
        {"{\"type\":\"file\",\"path\":\"a\",\"size\":9223372036854775807}", "entry 0: a: \"size\""},
        {"{\"type\":\"file\",\"path\":\"a\",\"size\":1,\"oid\":\"x\"}", "entry 0: a: no hash"},
        {"{\"type\":\"file\",\"path\":\"a\",\"size\":1,\"oid\":\"" SHA1
         "\",\"lfs\":{\"oid\":\"" SHA1 "\",\"size\":1}}",
         "entry 0: a: no hash"},
        {"7", "entry 0"},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        char page[400];
        (void)snprintf(page, sizeof page, "[%s]", cases[i].entry);
        sc_err err = {0};
        SC_AUTO(sc_hub_listing) l = {0};
        CHECK_CODE(SC_E_FORMAT, sc_hub_listing_add(&l, sc_str_c(page), &err), &err);
        if (!strstr(err.msg, cases[i].says))
            print_error("%s\n", err.msg);
        CHECK(strstr(err.msg, cases[i].says));
    }
    sc_err err = {0};
    SC_AUTO(sc_hub_listing) l = {0};
    CHECK_CODE(SC_E_FORMAT, sc_hub_listing_add(&l, SC_STR("{}"), &err), &err);
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    sc_code code = SC_E_NOMEM;
    long nth = 0;
    while (code != SC_OK) {
        sc_err err = {0};
        SC_AUTO(sc_hub_listing) l = {0};
        sc_alloc_fail_at(++nth);
        code = sc_hub_listing_add(&l, sc_str_c(good), &err);
        sc_alloc_fail_at(0);
        // Jansson reports some failed allocations as a parse error.
        CHECK(code == SC_OK ? l.n == 2 : code == SC_E_NOMEM || code == SC_E_FORMAT);
    }
    CHECK(nth > 3);
}

TEST(finds_the_link_to_the_next_page)
{
    UNUSED;
    static const struct {
        const char *header, *want;
    } cases[] = {
        {"<https://h/a?b=1>; rel=\"next\"", "https://h/a?b=1"},
        {"<x>; rel=\"prev\", <y>; rel=\"next\"", "y"},
        {"<x>; rel=next", "x"},
        {"<x>;title=\"t\";REL=\"Next\"", "x"},
        {"<x>; rel=\"nextish\"", ""},
        {"<x>; rel=\"prev\"", ""},
        {"<x", ""},
        {"rel=\"next\"", ""},
        {"", ""},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++)
        CHECK(sc_str_is(sc_hub_link_next(sc_str_c(cases[i].header)), cases[i].want));
}

TEST(reads_the_commit_of_a_revision)
{
    UNUSED;
    char commit[41] = "";
    sc_err err = {0};
    CHECK_OK(sc_hub_listing_commit(SC_STR("{\"id\":\"a/b\",\"sha\":\"" SHA1 "\"}"), commit, &err),
             &err);
    assert_string_equal(commit, SHA1);
    static const char *const bad[] = {"{}", "[]", "{\"sha\":7}", "{\"sha\":\"../../x\"}", "", "{"};
    for (size_t i = 0; i < SC_LEN(bad); i++)
        CHECK_CODE(SC_E_FORMAT, sc_hub_listing_commit(sc_str_c(bad[i]), commit, &err), &err);
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(reads_a_page),
        T(refuses_every_truncation),
        T(says_which_entry_is_wrong),
        T(survives_every_failed_allocation),
        T(finds_the_link_to_the_next_page),
        T(reads_the_commit_of_a_revision),
    };
    return RUN_TESTS(tests);
}
