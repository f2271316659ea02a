/* config.json and the config of a checkpoint: what is read, what is refused, and how it says so. */
// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "model/config.h"
#include "t.h"

#include <dirent.h>
#include <math.h>

static sc_code parse(const char *text, sc_config *c, sc_err *err)
{
    SC_AUTO_JSON *o = NULL;
    SC_TRY(sc_json_parse(sc_str_c(text), &o, err));
    return sc_config_read_hf(o, c, err);
}

TEST(missing_keys_take_the_default_of_the_class)
{
    UNUSED;
    static const struct {
        const char *type;
        uint32_t hidden, inter, layers, heads, kv_heads, head_dim, vocab, ctx;
        double theta;
        bool tied;
    } rows[] = {
        {"llama", 4096, 11008, 32, 32, 32, 128, 32000, 2048, 1e4, false},
        {"mistral", 4096, 14336, 32, 32, 8, 128, 32000, 131072, 1e4, false},
        {"mixtral", 4096, 14336, 32, 32, 8, 128, 32000, 131072, 1e6, false},
        {"qwen2", 4096, 22016, 32, 32, 32, 128, 151936, 32768, 1e4, false},
        {"qwen3", 4096, 22016, 32, 32, 32, 128, 151936, 32768, 1e4, false},
        {"qwen3_moe", 2048, 6144, 24, 32, 4, 64, 151936, 32768, 1e4, false},
        {"codegen", 4096, 16384, 28, 16, 16, 256, 50400, 2048, 1e4, false},
        {"gpt_bigcode", 768, 3072, 12, 12, 1, 64, 50257, 1024, 1e4, true},
        {"starcoder2", 3072, 12288, 30, 24, 2, 128, 49152, 4096, 1e4, true},
        {"gpt2", 768, 3072, 12, 12, 12, 64, 50257, 1024, 1e4, true},
        {"gpt_neox", 6144, 24576, 44, 64, 64, 96, 50432, 2048, 1e4, false},
        {"phi", 2048, 8192, 24, 32, 32, 64, 51200, 2048, 1e4, false},
        {"phi3", 3072, 8192, 32, 32, 32, 96, 32064, 4096, 1e4, false},
        {"stablelm", 2560, 6912, 32, 32, 32, 80, 50304, 4096, 1e4, false},
        {"gemma", 3072, 24576, 28, 16, 16, 256, 256000, 8192, 1e4, true},
        {"granite", 4096, 11008, 32, 32, 32, 128, 32000, 2048, 1e4, false},
    };
    for (size_t i = 0; i < SC_LEN(rows); i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "{\"model_type\": \"%s\"}", rows[i].type); // fits
        sc_config c;
        sc_err err = {0};
        CHECK_OK(parse(text, &c, &err), &err);
        CHECK(c.hidden == rows[i].hidden && c.inter == rows[i].inter);
        CHECK(c.layers == rows[i].layers && c.heads == rows[i].heads);
        CHECK(c.kv_heads == rows[i].kv_heads && c.head_dim == rows[i].head_dim);
        CHECK(c.vocab == rows[i].vocab && c.ctx == rows[i].ctx && c.tied == rows[i].tied);
        CHECK(!(fabs(c.rope.theta - rows[i].theta) > 0));
    }
}

TEST(refuses_what_it_does_not_do_and_names_the_key)
{
    UNUSED;
    static const struct {
        sc_code code;
        const char *text, *says;
    } cases[] = {
        {SC_E_FORMAT, "[]", "an object expected"},
        {SC_E_FORMAT, "{}", "model_type: missing"},
        {SC_E_FORMAT, "{\"model_type\": 3}", "model_type"},
        {SC_E_UNSUPPORTED, "{\"model_type\": \"mamba\"}",
         "model_type: unknown architecture \"mamba\"; known: smallcoder, llama, granite"},
        {SC_E_UNSUPPORTED,
         "{\"model_type\": \"llama\", \"quantization_config\": {\"quant_method\": \"awq\"}}",
         "quantization_config: weights quantised by \"awq\""},
        {SC_E_UNSUPPORTED, "{\"model_type\": \"llama\", \"hidden_act\": \"mish\"}",
         "hidden_act: unknown activation \"mish\""},
        {SC_E_UNSUPPORTED,
         "{\"model_type\": \"llama\", \"rope_scaling\": {\"rope_type\": \"spiral\", \"factor\": "
         "2}}",
         "rope_scaling: rope_type: unknown type \"spiral\""},
        {SC_E_UNSUPPORTED,
         "{\"model_type\": \"llama\", \"rope_parameters\": {\"full_attention\": {}}}",
         "rope_parameters.full_attention: RoPE by layer type"},
        {SC_E_FORMAT, "{\"model_type\": \"llama\", \"rope_scaling\": 4}", "rope_scaling"},
        {SC_E_FORMAT,
         "{\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"linear\", \"factor\": 0}}",
         "rope_scaling: factor: 0"},
        {SC_E_FORMAT, "{\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"linear\"}}",
         "rope_scaling: factor: missing"},
        {SC_E_FORMAT,
         "{\"model_type\": \"llama\", \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, "
         "\"low_freq_factor\": 1}}",
         "rope_scaling: high_freq_factor: missing"},
        {SC_E_UNSUPPORTED,
         "{\"model_type\": \"phi3\", \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}}",
         "rope_type: \"linear\": a phi3 model has longrope only"},
        {SC_E_UNSUPPORTED, "{\"model_type\": \"llama\", \"partial_rotary_factor\": 0.5}",
         "partial_rotary_factor: 0.5: a llama model turns the whole head"},
        {SC_E_UNSUPPORTED, "{\"model_type\": \"codegen\", \"rotary_dim\": null}", "rotary_dim"},
        {SC_E_FORMAT, "{\"model_type\": \"llama\", \"rope_theta\": -1}", "rope_theta: -1"},
        {SC_E_FORMAT,
         "{\"model_type\": \"phi3\", \"rope_scaling\": {\"type\": \"longrope\", \"factor\": 2, "
         "\"short_factor\": [1], \"long_factor\": [1]}}",
         "short_factor: a list of 48 numbers expected"},
        {SC_E_FORMAT, "{\"model_type\": \"llama\", \"hidden_size\": -1}", "hidden_size"},
        {SC_E_FORMAT, "{\"model_type\": \"llama\", \"hidden_size\": 1e30}", "hidden_size"},
        {SC_E_FORMAT, "{\"model_type\": \"llama\", \"hidden_size\": 9223372036854775807}",
         "hidden_size"},
        {SC_E_FORMAT, "{\"model_type\": \"llama\", \"num_hidden_layers\": 0}", "num_hidden_layers"},
        {SC_E_FORMAT, "{\"model_type\": \"llama\", \"num_hidden_layers\": 100000}",
         "num_hidden_layers"},
        {SC_E_FORMAT, "{\"model_type\": \"llama\", \"num_key_value_heads\": 5}",
         "num_attention_heads 32 is no multiple of num_key_value_heads 5"},
        {SC_E_FORMAT, "{\"model_type\": \"llama\", \"head_dim\": 7}", "rotary part of 7"},
        {SC_E_FORMAT, "{\"model_type\": \"llama\", \"rms_norm_eps\": \"1e-5\"}", "rms_norm_eps"},
        {SC_E_FORMAT, "{\"model_type\": \"llama\", \"eos_token_id\": \"</s>\"}", "eos_token_id"},
        {SC_E_FORMAT, "{\"model_type\": \"codegen\", \"n_head\": 6, \"n_embd\": 96}",
         "n_head: 6 is no multiple of 4"},
        {SC_E_UNSUPPORTED, "{\"model_type\": \"gpt2\", \"add_cross_attention\": true}",
         "add_cross_attention"},
        {SC_E_FORMAT,
         "{\"model_type\": \"qwen2\", \"use_sliding_window\": true, \"layer_types\": [1]}",
         "layer_types: 1 entries for 32 layers"},
        {SC_E_UNSUPPORTED,
         "{\"model_type\": \"qwen2\", \"num_hidden_layers\": 1, \"layer_types\": [\"chunked\"]}",
         "layer_types: unknown type \"chunked\""},
        {SC_E_FORMAT, "{\"model_type\": \"qwen3_moe\", \"num_experts_per_tok\": 500}",
         "500 of 128 experts"},
        {SC_E_FORMAT, "{\"model_type\": \"qwen3_moe\", \"mlp_only_layers\": [24]}",
         "mlp_only_layers: no layer 24"},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        sc_config c;
        sc_err err = {0};
        const sc_code code = parse(cases[i].text, &c, &err);
        if (code != cases[i].code || !strstr(err.msg, cases[i].says))
            print_error("%s\n  gave %s: %s\n", cases[i].text, sc_code_name(code), err.msg);
        CHECK(code == cases[i].code && strstr(err.msg, cases[i].says));
    }
}

TEST(reads_both_spellings_of_a_rope_type)
{
    UNUSED;
    static const char *const texts[] = {
        "{\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"linear\", \"factor\": 4}}",
        "{\"model_type\": \"llama\", \"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 4}}",
        "{\"model_type\": \"llama\", \"rope_parameters\": {\"rope_type\": \"linear\", "
        "\"factor\": 4.0, \"rope_theta\": 10000.0}}",
    };
    sc_config want, c;
    sc_err err = {0};
    CHECK_OK(parse(texts[0], &want, &err), &err);
    CHECK(want.rope.kind == SC_ROPE_LINEAR);
    for (size_t i = 1; i < SC_LEN(texts); i++) {
        CHECK_OK(parse(texts[i], &c, &err), &err);
        CHECK(memcmp(&c.rope, &want.rope, sizeof c.rope) == 0);
    }
}

/* Parses what must be good. */
static sc_config good(const char *text)
{
    sc_config c;
    sc_err err = {0};
    CHECK_OK(parse(text, &c, &err), &err);
    return c;
}

TEST(an_added_rope_scaling_replaces_rope_parameters)
{
    UNUSED;
    const sc_config c =
        good("{\"model_type\": \"qwen2\", \"rope_parameters\": {\"rope_type\": \"default\", "
             "\"rope_theta\": 1e6}, \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4}}");
    CHECK(c.rope.kind == SC_ROPE_YARN);
    CHECK(!(fabs(c.rope.theta - 1e4) > 0)); // as the library: the older dictionary stands alone
    const sc_config none =
        good("{\"model_type\": \"qwen2\", \"rope_parameters\": {\"rope_type\": \"linear\", "
             "\"factor\": 2}, \"rope_scaling\": null}");
    CHECK(none.rope.kind == SC_ROPE_LINEAR);
}

TEST(the_original_context_beside_the_dictionary_wins)
{
    UNUSED;
    static const char *const texts[] = {
        "{\"model_type\": \"llama\", \"original_max_position_embeddings\": 48, \"rope_scaling\": "
        "{\"type\": \"yarn\", \"factor\": 2, \"original_max_position_embeddings\": 99}}",
        "{\"model_type\": \"llama\", \"original_max_position_embeddings\": 48, "
        "\"rope_parameters\": {\"rope_type\": \"llama3\", \"factor\": 2, \"low_freq_factor\": 1, "
        "\"high_freq_factor\": 4}}",
    };
    for (size_t i = 0; i < SC_LEN(texts); i++)
        CHECK(good(texts[i]).rope.orig_ctx == 48);
    CHECK(good("{\"model_type\": \"llama\", \"original_max_position_embeddings\": 48, "
               "\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2}}")
              .rope.orig_ctx == 2048);
    const sc_config c =
        good("{\"model_type\": \"llama\", \"max_position_embeddings\": 96, \"rope_scaling\": "
             "{\"type\": \"yarn\", \"factor\": null, \"original_max_position_embeddings\": 32}}");
    CHECK(!(fabs(c.rope.factor - 3) > 0));
}

TEST(phi3_has_longrope_under_three_names_and_4096_positions_before_it)
{
    UNUSED;
    static const char *const names[] = {"longrope", "su", "yarn"};
    for (size_t i = 0; i < SC_LEN(names); i++) {
        char text[256];
        (void)snprintf(text, sizeof text,
                       "{\"model_type\": \"phi3\", \"hidden_size\": 8, \"num_attention_heads\": 2, "
                       "\"rope_scaling\": {\"type\": \"%s\", \"short_factor\": [1, 1], "
                       "\"long_factor\": [2, 2], \"original_max_position_embeddings\": 16}}",
                       names[i]); // fits
        const sc_config c = good(text);
        CHECK(c.rope.kind == SC_ROPE_LONG && c.rope.orig_ctx == 4096);
    }
}

TEST(an_activation_is_the_one_the_class_really_uses)
{
    UNUSED;
    CHECK(good("{\"model_type\": \"gemma\", \"hidden_act\": \"relu\"}").act == SC_ACT_RELU);
    CHECK(good("{\"model_type\": \"gemma\", \"hidden_act\": \"gelu\"}").act == SC_ACT_GELU_TANH);
    CHECK(good("{\"model_type\": \"gemma\", \"hidden_activation\": \"relu\"}").act ==
          SC_ACT_GELU_TANH);
    CHECK(good("{\"model_type\": \"gpt2\", \"activation_function\": \"gelu_python\"}").act ==
          SC_ACT_GELU);
    CHECK(good("{\"model_type\": \"gpt2\", \"activation_function\": \"gelu_accurate\"}").act ==
          SC_ACT_GELU_TANH);
}

TEST(null_key_value_heads_are_as_many_as_heads)
{
    UNUSED;
    CHECK(good("{\"model_type\": \"mistral\", \"num_key_value_heads\": null}").kv_heads == 32);
    CHECK(good("{\"model_type\": \"mistral\"}").kv_heads == 8);
}

TEST(a_gpt_config_may_use_the_usual_names)
{
    UNUSED;
    const sc_config c =
        good("{\"model_type\": \"gpt2\", \"hidden_size\": 64, \"num_attention_heads\": 4, "
             "\"num_hidden_layers\": 3, \"max_position_embeddings\": 77}");
    CHECK(c.hidden == 64 && c.heads == 4 && c.layers == 3 && c.ctx == 77 && c.inter == 256);
}

TEST(attention_is_scaled_where_the_class_always_does_it)
{
    UNUSED;
    CHECK(good("{\"model_type\": \"gpt2\", \"scale_attn_weights\": false}").attn_scale > 0);
    CHECK(!(good("{\"model_type\": \"codegen\", \"scale_attn_weights\": false}").attn_scale > 0));
}

TEST(a_null_window_is_none_and_a_missing_one_the_default)
{
    UNUSED;
    sc_config c;
    sc_err err = {0};
    CHECK_OK(parse("{\"model_type\": \"mistral\"}", &c, &err), &err);
    CHECK(sc_config_window(&c, 0) == 4096 && sc_config_window(&c, 31) == 4096);
    CHECK_OK(parse("{\"model_type\": \"mistral\", \"sliding_window\": null}", &c, &err), &err);
    CHECK(sc_config_window(&c, 0) == 0);
    CHECK_OK(parse("{\"model_type\": \"qwen2\", \"sliding_window\": 100}", &c, &err), &err);
    CHECK(sc_config_window(&c, 31) == 0); // it was not asked for
}

TEST(a_checkpoint_without_a_config_has_the_originals_numbers)
{
    UNUSED;
    sc_config c;
    sc_err err = {0};
    CHECK_OK(sc_config_read_smallcoder(NULL, &c, &err), &err);
    CHECK(c.hidden == 1152 && c.inter == 3328 && c.layers == 18 && c.heads == 16);
    CHECK(c.kv_heads == 4 && c.head_dim == 72 && c.vocab == 32000 && c.ctx == 4096 && c.tied);
    CHECK(c.bos == 1 && c.n_eos == 1 && c.eos[0] == 2);
}

/* Reads config.json of a folder in the form that `file` has. */
static bool read_form(const char *dir, const char *name, const char *file, sc_config *c)
{
    char path[1024];
    sc_err err = {0};
    SC_AUTO_JSON *o = NULL;
    CHECK(snprintf(path, sizeof path, "%s/%s/%s", dir, name, file) < (int)sizeof path);
    if (!sc_file_is_file(path))
        return false;
    CHECK_OK(sc_json_read(path, 1 << 20, &o, &err), &err);
    CHECK_OK(sc_config_read_hf(o, c, &err), &err);
    return true;
}

TEST(version_5_of_the_library_says_the_same)
{
    UNUSED;
    char dir[1024];
    const char *goldens = getenv("SC_GOLDENS");
    (void)snprintf(dir, sizeof dir, "%s/models", goldens ? goldens : "");
    DIR *d = opendir(dir);
    if (!d)
        SKIP("goldens", "SC_GOLDENS is not there");
    unsigned n = 0;
    for (const struct dirent *e = NULL; (e = readdir(d)) != NULL;) {
        sc_config old, new;
        if (e->d_name[0] == '.' || !read_form(dir, e->d_name, "config.v5.json", &new))
            continue;
        CHECK(read_form(dir, e->d_name, "config.json", &old));
        if (memcmp(&old, &new, sizeof old) != 0)
            print_error("%s: the two forms differ\n", e->d_name);
        CHECK(memcmp(&old, &new, sizeof old) == 0);
        n++;
    }
    (void)closedir(d); // opened for reading
    CHECK(n > 0);
}

TEST(the_generation_config_adds_ends_of_text)
{
    UNUSED;
    static const struct {
        const char *text, *more;
        uint32_t n;
        int32_t last;
    } cases[] = {
        {"{\"model_type\":\"qwen2\",\"eos_token_id\":7}", "{\"eos_token_id\":[9,7]}", 2, 9},
        {"{\"model_type\":\"qwen2\",\"eos_token_id\":7}", "{\"eos_token_id\":8}", 2, 8},
        {"{\"model_type\":\"qwen2\",\"eos_token_id\":7}", "{\"eos_token_id\":null}", 1, 7},
        {"{\"model_type\":\"qwen2\",\"eos_token_id\":7}", "{}", 1, 7},
        {"{\"model_type\":\"qwen2\",\"eos_token_id\":[7,7]}", "{\"eos_token_id\":-1}", 1, 7},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        sc_config c;
        sc_err err = {0};
        SC_AUTO_JSON *o = NULL;
        CHECK_OK(parse(cases[i].text, &c, &err), &err);
        CHECK_OK(sc_json_parse(sc_str_c(cases[i].more), &o, &err), &err);
        CHECK_OK(sc_config_read_generation(o, &c, &err), &err);
        CHECK(c.n_eos == cases[i].n && c.eos[c.n_eos - 1] == cases[i].last);
    }
    static const char *const bad[] = {
        "{\"eos_token_id\":\"x\"}", "{\"eos_token_id\":[1.5]}", "{\"eos_token_id\":4294967296}",
        "{\"eos_token_id\":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}"};
    for (size_t i = 0; i < SC_LEN(bad); i++) {
        sc_config c;
        sc_err err = {0};
        SC_AUTO_JSON *o = NULL;
        CHECK_OK(parse(cases[0].text, &c, &err), &err);
        CHECK_OK(sc_json_parse(sc_str_c(bad[i]), &o, &err), &err);
        CHECK_CODE(SC_E_FORMAT, sc_config_read_generation(o, &c, &err), &err);
        CHECK(strstr(err.msg, "eos_token_id"));
    }
}

/* With what a config of today has. */
static const char whole[] =
    "{\"model_type\":\"llama\",\"vocab_size\":96,\"hidden_size\":64,\"intermediate_size\":128,"
    "\"num_hidden_layers\":2,\"num_attention_heads\":4,\"num_key_value_heads\":2,"
    "\"rope_parameters\":{\"rope_type\":\"llama3\",\"rope_theta\":500000.0,\"factor\":8.0,"
    "\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,\"original_max_position_embeddings\":32},"
    "\"eos_token_id\":[1,2],\"max_position_embeddings\":64}";

TEST(refuses_every_truncation)
{
    UNUSED;
    for (size_t cut = 0; cut < sizeof whole - 1; cut++) {
        sc_err err = {0};
        sc_config c;
        char *text = sc_strndup(whole, cut);
        CHECK(text);
        const sc_code code = parse(text, &c, &err);
        if (code != SC_E_FORMAT || (err.at != SC_NOWHERE && err.at > cut))
            fail_msg("cut to %zu: %s: %s", cut, sc_code_name(code), err.msg);
        sc_free(text);
    }
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    sc_code code = SC_E_NOMEM;
    for (long nth = 1; code != SC_OK; nth++) {
        sc_err err = {0};
        sc_config c;
        sc_alloc_fail_at(nth);
        code = parse(whole, &c, &err);
        sc_alloc_fail_at(0);
        if (code != SC_OK && code != SC_E_NOMEM)
            fail_msg("allocation %ld: %s: %s", nth, sc_code_name(code), err.msg);
        CHECK(nth < 10000);
    }
}

TEST(sizes_that_wrap_are_out_of_range)
{
    UNUSED;
    static const char *const keys[] = {"vocab_size",
                                       "hidden_size",
                                       "intermediate_size",
                                       "num_hidden_layers",
                                       "num_attention_heads",
                                       "num_key_value_heads",
                                       "head_dim",
                                       "max_position_embeddings"};
    static const char *const values[] = {
        "-1", "0", "4294967296", "4294967297", "9223372036854775807", "1e30", "2147483648"};
    for (size_t k = 0; k < SC_LEN(keys); k++)
        for (size_t v = 0; v < SC_LEN(values); v++) {
            char text[128];
            sc_config c;
            sc_err err = {0};
            (void)snprintf(text, sizeof text, "{\"model_type\":\"llama\",\"%s\":%s}", keys[k],
                           values[v]);
            const sc_code code = parse(text, &c, &err);
            if (code != SC_E_FORMAT || !strstr(err.msg, keys[k]))
                fail_msg("%s: %s: %s", text, sc_code_name(code), err.msg);
        }
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(missing_keys_take_the_default_of_the_class),
        T(refuses_what_it_does_not_do_and_names_the_key),
        T(reads_both_spellings_of_a_rope_type),
        T(an_added_rope_scaling_replaces_rope_parameters),
        T(the_original_context_beside_the_dictionary_wins),
        T(phi3_has_longrope_under_three_names_and_4096_positions_before_it),
        T(an_activation_is_the_one_the_class_really_uses),
        T(null_key_value_heads_are_as_many_as_heads),
        T(a_gpt_config_may_use_the_usual_names),
        T(attention_is_scaled_where_the_class_always_does_it),
        T(a_null_window_is_none_and_a_missing_one_the_default),
        T(a_checkpoint_without_a_config_has_the_originals_numbers),
        T(version_5_of_the_library_says_the_same),
        T(the_generation_config_adds_ends_of_text),
        T(refuses_every_truncation),
        T(survives_every_failed_allocation),
        T(sizes_that_wrap_are_out_of_range),
    };
    return RUN_TESTS(tests);
}
