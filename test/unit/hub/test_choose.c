// SPDX-License-Identifier: MIT
#include "hub/choose.h"

#include "t.h"

enum { MAX = 24 };

/* Splits "a b c" into files; returns their number. */
static size_t files_of(const char *names, sc_hub_file files[MAX])
{
    size_t n = 0;
    while (*names) {
        const size_t len = strcspn(names, " ");
        CHECK(n < MAX);
        files[n++] = (sc_hub_file){.path = {names, len}};
        names += len + (names[len] == ' ');
    }
    return n;
}

/* Chooses and writes the names taken, in order, into `out`. */
static sc_code choose(const char *names, sc_hub_want want, const char *pattern, char out[1024],
                      size_t *single, sc_err *err)
{
    sc_hub_file files[MAX];
    const size_t n = files_of(names, files);
    SC_TRY(sc_hub_choose(files, n, want, sc_str_c(pattern), single, err));
    out[0] = '\0';
    for (size_t i = 0; i < n; i++)
        if (files[i].take) {
            (void)strncat(out, out[0] ? " " : "", 2);
            (void)strncat(out, files[i].path.p, files[i].path.n);
        }
    return SC_OK;
}

TEST(takes_what_a_model_needs_and_nothing_else)
{
    UNUSED;
    static const struct {
        const char *names, *pattern, *want;
        size_t single;
    } cases[] = {
        {"README.md config.json model.safetensors pytorch_model.bin tokenizer.json onnx/model.onnx",
         "", "config.json model.safetensors tokenizer.json", SC_HUB_FOLDER},
        {"config.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors "
         "model.safetensors.index.json consolidated.safetensors adapter_model.safetensors",
         "",
         "config.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors "
         "model.safetensors.index.json",
         SC_HUB_FOLDER},
        {"config.json pytorch_model.bin flax_model.msgpack tf_model.h5 merges.txt vocab.json", "",
         "config.json pytorch_model.bin merges.txt vocab.json", SC_HUB_FOLDER},
        {"config.json pytorch_model-00001-of-00001.bin pytorch_model.bin.index.json", "",
         "config.json pytorch_model-00001-of-00001.bin pytorch_model.bin.index.json",
         SC_HUB_FOLDER},
        {"README.md tokenizer.json x.gguf mmproj-x.gguf", "", "x.gguf", 2},
        {"m-Q4_0.gguf m-Q4_K_M.gguf m-Q8_0.gguf", "q4_k_m", "m-Q4_K_M.gguf", 1},
        {"m-Q4_0.gguf m-Q4_0_4_4.gguf", "Q4_0", "m-Q4_0.gguf", 0},
        {"m.Q4_K_S.gguf m.Q8_0.gguf", "Q4_K", "m.Q4_K_S.gguf", 0},
        {"m.Q4_K_S.gguf m.Q8_0.gguf", "*q8*", "m.Q8_0.gguf", 1},
        {"a/m-00002-of-00002.gguf a/m-00001-of-00002.gguf b/m.gguf", "a/m",
         "a/m-00002-of-00002.gguf a/m-00001-of-00002.gguf", 1},
        {"config.json model.safetensors m-Q4_0.gguf", "Q4_0", "m-Q4_0.gguf", 2},
        {"README.md config.json tokenizer.json best.pt", "", "config.json tokenizer.json best.pt",
         3},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        char got[1024] = "";
        size_t single = 99;
        sc_err err = {0};
        CHECK_OK(choose(cases[i].names, SC_HUB_MODEL, cases[i].pattern, got, &single, &err), &err);
        assert_string_equal(got, cases[i].want);
        assert_int_equal(single, cases[i].single);
    }
}

TEST(a_tokenizer_is_taken_without_weights)
{
    UNUSED;
    char got[1024] = "";
    size_t single = 0;
    sc_err err = {0};
    CHECK_OK(choose("config.json model.safetensors tokenizer.json tokenizer_config.json",
                    SC_HUB_TOKENIZER, "", got, &single, &err),
             &err);
    assert_string_equal(got, "config.json tokenizer.json tokenizer_config.json");
    assert_int_equal(single, SC_HUB_FOLDER);
    CHECK_CODE(SC_E_NOTFOUND,
               choose("config.json model.safetensors", SC_HUB_TOKENIZER, "", got, &single, &err),
               &err);
}

TEST(says_what_is_missing_or_ambiguous)
{
    UNUSED;
    static const struct {
        const char *names, *pattern, *says;
        sc_code code;
    } cases[] = {
        {"README.md config.json", "", "no model among 2 files", SC_E_NOTFOUND},
        {"model.safetensors", "", "no model among 1 files", SC_E_NOTFOUND},
        {"config.json model-00001-of-00003.safetensors model-00003-of-00003.safetensors "
         "model.safetensors.index.json",
         "", "part 2 of 3 of model is missing (2 are there)", SC_E_NOTFOUND},
        {"config.json model-00001-of-00001.safetensors", "",
         "model.safetensors.index.json is missing", SC_E_NOTFOUND},
        {"config.json model-00001-of-99999.safetensors model.safetensors.index.json", "",
         "part 2 of 99999", SC_E_NOTFOUND},
        {"a.gguf b.gguf", "", "several GGUF files; pick one with ':PATTERN': a.gguf, b.gguf",
         SC_E_USAGE},
        {"m-Q4_K_M.gguf m-Q4_K_S.gguf m-Q8_0.gguf", "Q4_K",
         "':PATTERN': m-Q4_K_M.gguf, m-Q4_K_S.gguf", SC_E_USAGE},
        {"a.gguf b.gguf", "Q9", "no GGUF file matches 'Q9'", SC_E_NOTFOUND},
        {"a.pt b.pt", "", "no model among", SC_E_NOTFOUND},
        {"", "", "no model among 0 files", SC_E_NOTFOUND},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        char got[1024] = "";
        size_t single = 99;
        sc_err err = {0};
        CHECK_CODE(cases[i].code,
                   choose(cases[i].names, SC_HUB_MODEL, cases[i].pattern, got, &single, &err),
                   &err);
        if (!strstr(err.msg, cases[i].says))
            print_error("%s\n", err.msg);
        CHECK(strstr(err.msg, cases[i].says));
        assert_int_equal(single, 99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(takes_what_a_model_needs_and_nothing_else),
        T(a_tokenizer_is_taken_without_weights),
        T(says_what_is_missing_or_ambiguous),
    };
    return RUN_TESTS(tests);
}
