/* The promises of model.h, on a small model that travels with the source. */
// SPDX-License-Identifier: MIT
#include "goldens.h"

#include "base/file.h"
#include "base/rng.h"

#include <math.h>
#include <unistd.h>

enum { VOCAB = 160, LONGEST = 48, MANY = 64 };

static char tiny_path[GOLDEN_PATH]; // written once by main, then read

static sc_model *open_tiny(const sc_model_opts *opts)
{
    sc_err err = {0};
    sc_model *m = NULL;
    CHECK_OK(sc_model_open(tiny_path, opts, &m, &err), &err);
    return m;
}

/* A prompt of its own for every number. */
static size_t prompt(uint64_t which, int64_t ids[LONGEST])
{
    const size_t n = 1 + sc_rng_u64(which, 0, 0) % (LONGEST - 8);
    for (size_t i = 0; i < n; i++)
        ids[i] = (int64_t)(sc_rng_u64(which, 1, i) % VOCAB);
    return n;
}

static bool same_bits(const float *a, const float *b, size_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

/* Logits of all positions of a prompt. */
static void feed(sc_model *m, const int64_t *ids, size_t n, size_t block, float *out)
{
    sc_err err = {0};
    CHECK_OK(golden_feed(m, ids, n, block, out, &err), &err);
}

static const sc_model_opts modes[] = {
    {.compute = SC_COMPUTE_F32, .threads = 1},
    {.compute = SC_COMPUTE_AUTO, .threads = 1},
    {.compute = SC_COMPUTE_BF16, .threads = 1, .kv_type = SC_KV_BF16},
    {.compute = SC_COMPUTE_INT8, .threads = 1, .kv_type = SC_KV_Q8_0},
    {.compute = SC_COMPUTE_INT8, .threads = 1}, // keys and values are bf16
    {.compute = SC_COMPUTE_F32, .threads = 1, .kv_type = SC_KV_BF16},
};

TEST(blocks_and_threads_do_not_change_a_bit)
{
    UNUSED;
    static float want[LONGEST * VOCAB], got[LONGEST * VOCAB];
    int64_t ids[LONGEST];
    const size_t n = prompt(7, ids);
    CHECK(n > 16);
    for (size_t i = 0; i < SC_LEN(modes); i++) {
        sc_model_opts opts = modes[i];
        SC_AUTO(sc_model) *one = open_tiny(&opts);
        feed(one, ids, n, 512, want);
        static const size_t blocks[] = {1, 7, 16, 512};
        for (unsigned threads = 1; threads <= 3; threads++) {
            opts.threads = threads;
            SC_AUTO(sc_model) *m = open_tiny(&opts);
            for (size_t b = 0; b < SC_LEN(blocks); b++) {
                memset(got, 0, sizeof got);
                feed(m, ids, n, blocks[b], got);
                CHECK(same_bits(want, got, n * VOCAB));
            }
        }
    }
}

/* Feeds MANY prompts together, a few rows of each a step in an order that `salt` shuffles, and
 * keeps each one's last logits. */
static void feed_together(sc_model *m, uint64_t salt, float last[MANY][VOCAB])
{
    static int64_t ids[MANY][LONGEST];
    size_t n[MANY], done[MANY] = {0};
    sc_seq seq[MANY];
    sc_err err = {0};
    for (size_t s = 0; s < MANY; s++) {
        n[s] = prompt(s, ids[s]);
        CHECK_OK(sc_model_seq_new(m, &seq[s], &err), &err);
    }
    for (uint64_t step = 0;; step++) {
        sc_row rows[512];
        size_t owner[512], k = 0;
        for (size_t j = 0; j < MANY; j++) {
            const size_t s = (j * 37 + salt * 11 + step) % MANY; // 37 and 64 have no common factor
            const size_t take = 1 + sc_rng_u64(salt, s, step) % 6;
            for (size_t i = 0; i < take && done[s] < n[s]; i++) {
                owner[k] = s;
                rows[k++] = (sc_row){seq[s], (int32_t)ids[s][done[s]], done[s] + 1 == n[s]};
                done[s]++;
            }
        }
        if (k == 0)
            break;
        CHECK_OK(sc_model_step(m, rows, k, &err), &err);
        for (size_t i = 0; i < k; i++)
            if (rows[i].want_logits)
                memcpy(last[owner[i]], sc_model_logits(m, i), sizeof last[0]);
    }
    for (size_t s = 0; s < MANY; s++)
        sc_model_seq_free(m, seq[s]);
}

TEST(company_in_a_batch_does_not_change_a_bit)
{
    UNUSED;
    static float all[LONGEST * VOCAB], alone[MANY][VOCAB], together[MANY][VOCAB];
    for (size_t i = 0; i < SC_LEN(modes); i++) {
        sc_model_opts opts = modes[i];
        SC_AUTO(sc_model) *one = open_tiny(&opts);
        for (size_t s = 0; s < MANY; s++) {
            int64_t ids[LONGEST];
            const size_t n = prompt(s, ids);
            feed(one, ids, n, s < 8 ? 1 : 512, all);
            memcpy(alone[s], all + (n - 1) * VOCAB, sizeof alone[s]);
        }
        opts.threads = 2;
        SC_AUTO(sc_model) *m = open_tiny(&opts);
        for (uint64_t salt = 0; salt < 3; salt++) {
            memset(together, 0, sizeof together);
            feed_together(m, salt, together);
            for (size_t s = 0; s < MANY; s++)
                CHECK(same_bits(alone[s], together[s], VOCAB));
        }
    }
}

/* Continues a sequence with `ids` one at a time; the last logits go to out. */
static void go_on(sc_model *m, sc_seq seq, const int64_t *ids, size_t n, float out[VOCAB])
{
    sc_err err = {0};
    for (size_t i = 0; i < n; i++) {
        const sc_row row = {seq, (int32_t)ids[i], true};
        CHECK_OK(sc_model_step(m, &row, 1, &err), &err);
    }
    memcpy(out, sc_model_logits(m, 0), VOCAB * sizeof *out);
}

TEST(forks_share_their_beginning_and_nothing_else)
{
    UNUSED;
    static float want[LONGEST * VOCAB];
    float got[VOCAB];
    const sc_model_opts opts = {.threads = 2, .max_seqs = 4};
    SC_AUTO(sc_model) *m = open_tiny(&opts);
    sc_err err = {0};
    int64_t ids[LONGEST], other[LONGEST];
    for (size_t i = 0; i < LONGEST; i++) {
        ids[i] = (int64_t)(3 * i % VOCAB);
        other[i] = i < 21 ? ids[i] : (int64_t)((5 * i + 1) % VOCAB); // parts inside a page
    }
    sc_seq a = 0, b = 0, c = 0;
    CHECK_OK(sc_model_seq_new(m, &a, &err), &err);
    go_on(m, a, ids, 21, got);
    CHECK_OK(sc_model_seq_fork(m, a, &b, &err), &err);
    CHECK_OK(sc_model_seq_fork(m, b, &c, &err), &err);
    CHECK(sc_model_seq_len(m, c) == 21);

    go_on(m, b, other + 21, 19, got);
    feed(m, other, 40, 512, want);
    CHECK(same_bits(want + 39 * VOCAB, got, VOCAB));
    go_on(m, a, ids + 21, 19, got);
    feed(m, ids, 40, 512, want);
    CHECK(same_bits(want + 39 * VOCAB, got, VOCAB));
    sc_model_seq_free(m, a);
    sc_model_seq_free(m, b);
    go_on(m, c, other + 21, 19, got); // the pages of the freed ones are still c's
    feed(m, other, 40, 512, want);
    CHECK(same_bits(want + 39 * VOCAB, got, VOCAB));
    sc_model_seq_free(m, c);
    CHECK(sc_model_memory_get(m).kv == 0);
}

/*
 * Samples of two prompts, forked and in shuffled order, decode together and apart: `company` of
 * them a step. Each feeds tokens of its own; the last logits of each go to out.
 */
static void sample_together(sc_model *m, size_t company, uint64_t salt, float out[MANY][VOCAB])
{
    enum { SAMPLES = 24, PROMPT = 35, NEW = 12 };
    sc_err err = {0};
    sc_seq root[2], seq[SAMPLES];
    for (size_t p = 0; p < 2; p++) {
        sc_row rows[PROMPT];
        CHECK_OK(sc_model_seq_new(m, &root[p], &err), &err);
        for (size_t i = 0; i < PROMPT; i++) // the second differs from position 20 on
            rows[i] = (sc_row){root[p], (int32_t)(i < 20 ? i : (i * (5 + p)) % VOCAB), false};
        if (p == 1) { // the first 16 are shared
            sc_model_seq_free(m, root[1]);
            CHECK_OK(sc_model_seq_fork(m, root[0], &root[1], &err), &err);
            sc_model_seq_cut(m, root[1], 20);
            for (size_t i = 20; i < PROMPT; i++)
                rows[i].seq = root[1];
        }
        CHECK_OK(sc_model_step(m, rows + 20 * p, PROMPT - 20 * p, &err), &err);
    }
    for (size_t k = 0; k < SAMPLES; k++)
        CHECK_OK(sc_model_seq_fork(m, root[k % 2], &seq[k], &err), &err);
    for (size_t i = 0; i < NEW; i++)
        for (size_t from = 0; from < SAMPLES; from += company) {
            sc_row rows[SAMPLES];
            size_t who[SAMPLES], n = 0;
            for (; n < company && from + n < SAMPLES; n++) {
                who[n] = (7 * (from + n) + salt) % SAMPLES; // 7 and 24 have no common factor
                rows[n] = (sc_row){seq[who[n]], (int32_t)((31 * who[n] + 3 * i) % VOCAB), true};
            }
            CHECK_OK(sc_model_step(m, rows, n, &err), &err);
            for (size_t r = 0; r < n; r++)
                memcpy(out[who[r]], sc_model_logits(m, r), sizeof out[0]);
        }
    for (size_t k = 0; k < SAMPLES; k++)
        sc_model_seq_free(m, seq[k]);
    sc_model_seq_free(m, root[0]);
    sc_model_seq_free(m, root[1]);
}

TEST(samples_of_a_shared_prompt_have_the_bits_of_each_alone)
{
    UNUSED;
    static float alone[MANY][VOCAB], together[MANY][VOCAB];
    for (size_t i = 0; i < SC_LEN(modes); i++) {
        sc_model_opts opts = modes[i];
        SC_AUTO(sc_model) *one = open_tiny(&opts);
        sample_together(one, 1, 0, alone);
        opts.threads = 2;
        SC_AUTO(sc_model) *m = open_tiny(&opts);
        static const size_t company[] = {24, 7, 2};
        for (size_t k = 0; k < SC_LEN(company); k++) {
            memset(together, 0, sizeof together);
            sample_together(m, company[k], 5 * k, together);
            CHECK(same_bits(alone[0], together[0], 24 * VOCAB));
        }
        // A sample against its text read as one prompt, by nobody shared.
        static float whole[LONGEST * VOCAB];
        int64_t ids[LONGEST];
        for (int64_t t = 0; t < 47; t++)
            ids[t] = t < 20 ? t : t < 35 ? t * 6 % VOCAB : (31 * 3 + 3 * (t - 35)) % VOCAB;
        feed(m, ids, 47, 512, whole);
        CHECK(same_bits(alone[3], whole + 46 * VOCAB, VOCAB));
    }
}

TEST(keys_and_values_are_as_exact_as_the_inputs_of_products)
{
    UNUSED;
    static const char *const want[SC_COMPUTE_N] = {
        [SC_COMPUTE_AUTO] = "f16", // the tiny model is f32
        [SC_COMPUTE_INT8] = "bf16",
        [SC_COMPUTE_BF16] = "bf16",
        [SC_COMPUTE_F32] = "f32",
    };
    for (unsigned k = 0; k < SC_COMPUTE_N; k++) {
        const sc_model_opts opts = {.compute = k, .threads = 1};
        SC_AUTO(sc_model) *m = open_tiny(&opts);
        CHECK(strcmp(sc_model_kv(m), want[k]) == 0);
    }
}

TEST(bf16_keys_and_values_stay_near_those_of_f32)
{
    UNUSED;
    static float exact[LONGEST * VOCAB], near[LONGEST * VOCAB];
    const sc_model_opts f32 = {.compute = SC_COMPUTE_F32, .threads = 1};
    const sc_model_opts bf16 = {.compute = SC_COMPUTE_F32, .threads = 1, .kv_type = SC_KV_BF16};
    SC_AUTO(sc_model) *a = open_tiny(&f32);
    SC_AUTO(sc_model) *b = open_tiny(&bf16);
    int64_t ids[LONGEST];
    for (size_t i = 0; i < LONGEST; i++)
        ids[i] = (int64_t)(13 * i % VOCAB);
    feed(a, ids, LONGEST, 512, exact);
    feed(b, ids, LONGEST, 512, near);
    double diff = 0, size = 0;
    for (size_t i = 0; i < LONGEST * VOCAB; i++) {
        diff += pow((double)(exact[i] - near[i]), 2);
        size += pow((double)exact[i], 2);
    }
    CHECK(diff > 0 && sqrt(diff / size) < 0.01); // 2^-9 of keys, values, queries and weights each
}

TEST(q8_keys_and_values_stay_near_those_of_f32)
{
    UNUSED;
    static float exact[LONGEST * VOCAB], near[LONGEST * VOCAB];
    const sc_model_opts f32 = {.compute = SC_COMPUTE_F32, .threads = 1};
    const sc_model_opts q8 = {.compute = SC_COMPUTE_F32, .threads = 1, .kv_type = SC_KV_Q8_0};
    SC_AUTO(sc_model) *a = open_tiny(&f32);
    SC_AUTO(sc_model) *b = open_tiny(&q8);
    CHECK(strcmp(sc_model_kv(a), "f32") == 0 && strcmp(sc_model_kv(b), "q8_0") == 0);
    int64_t ids[LONGEST];
    for (size_t i = 0; i < LONGEST; i++)
        ids[i] = (int64_t)(13 * i % VOCAB);
    feed(a, ids, LONGEST, 512, exact);
    feed(b, ids, LONGEST, 512, near);
    // A value is off by 1/254 of the largest of its block, a score by the same of the query too.
    double diff = 0, size = 0;
    for (size_t i = 0; i < LONGEST * VOCAB; i++) {
        diff += pow((double)(exact[i] - near[i]), 2);
        size += pow((double)exact[i], 2);
    }
    CHECK(diff > 0 && sqrt(diff / size) < 0.03);
    CHECK(sc_model_memory_get(a).kv_most > 3 * sc_model_memory_get(b).kv_most);
}

TEST(a_cut_sequence_goes_on_as_if_nothing_had_been)
{
    UNUSED;
    static float want[LONGEST * VOCAB];
    float got[VOCAB];
    const sc_model_opts opts = {.threads = 2, .max_seqs = 2};
    SC_AUTO(sc_model) *m = open_tiny(&opts);
    sc_err err = {0};
    int64_t ids[LONGEST];
    for (size_t i = 0; i < LONGEST; i++)
        ids[i] = (int64_t)(7 * i % VOCAB);
    sc_seq a = 0;
    CHECK_OK(sc_model_seq_new(m, &a, &err), &err);
    go_on(m, a, ids, 40, got);
    sc_model_seq_cut(m, a, 13);
    CHECK(sc_model_seq_len(m, a) == 13);
    go_on(m, a, ids + 13, 20, got);
    feed(m, ids, 33, 512, want);
    CHECK(same_bits(want + 32 * VOCAB, got, VOCAB));
}

TEST(two_steps_of_decoding_allocate_nothing)
{
    UNUSED;
    const sc_model_opts opts = {.threads = 2, .max_seqs = 8};
    SC_AUTO(sc_model) *m = open_tiny(&opts);
    sc_err err = {0};
    sc_row rows[8];
    for (int32_t i = 0; i < 8; i++) {
        sc_seq s = 0;
        CHECK_OK(sc_model_seq_new(m, &s, &err), &err);
        rows[i] = (sc_row){s, i, true};
    }
    const uint64_t before = sc_alloc_count();
    CHECK_OK(sc_model_step(m, rows, 8, &err), &err);
    CHECK_OK(sc_model_step(m, rows, 8, &err), &err);
    for (int i = 0; i < 40; i++) // over the border of a page
        CHECK_OK(sc_model_step(m, rows, 1, &err), &err);
    CHECK(sc_alloc_count() == before);
}

TEST(refuses_a_step_that_cannot_be_and_changes_nothing)
{
    UNUSED;
    const sc_model_opts opts = {.threads = 1, .max_seqs = 2, .ctx = 20, .max_rows = 32};
    SC_AUTO(sc_model) *m = open_tiny(&opts);
    sc_err err = {0};
    sc_seq a = 0, b = 0, c = 0;
    CHECK_OK(sc_model_seq_new(m, &a, &err), &err);
    CHECK_OK(sc_model_seq_new(m, &b, &err), &err);
    CHECK_CODE(SC_E_LIMIT, sc_model_seq_new(m, &c, &err), &err);

    sc_row rows[33];
    for (int32_t i = 0; i < 33; i++)
        rows[i] = (sc_row){a, i, false};
    CHECK_CODE(SC_E_USAGE, sc_model_step(m, rows, 0, &err), &err);
    CHECK_CODE(SC_E_USAGE, sc_model_step(m, rows, 33, &err), &err);
    CHECK_CODE(SC_E_LIMIT, sc_model_step(m, rows, 21, &err), &err);
    CHECK(strcmp(err.msg, "the context of 20 positions is full") == 0);
    rows[3].token = VOCAB;
    CHECK_CODE(SC_E_USAGE, sc_model_step(m, rows, 20, &err), &err);
    rows[3].token = -1;
    CHECK_CODE(SC_E_USAGE, sc_model_step(m, rows, 20, &err), &err);
    CHECK(sc_model_seq_len(m, a) == 0 && sc_model_memory_get(m).kv == 0);
    rows[3].token = 0;
    CHECK_OK(sc_model_step(m, rows, 20, &err), &err);
    CHECK(sc_model_seq_len(m, a) == 20);
}

TEST(says_when_no_page_is_free)
{
    UNUSED;
    // Two layers, two kv heads of 8, 16 positions, keys and values padded to 16, f32: 6 KiB.
    const sc_model_opts opts = {.threads = 1, .compute = SC_COMPUTE_F32, .kv_size = 14 << 10};
    SC_AUTO(sc_model) *m = open_tiny(&opts);
    sc_err err = {0};
    const uint64_t room = sc_model_room(m);
    CHECK(room >= 16 && room < 64);
    sc_seq a = 0;
    CHECK_OK(sc_model_seq_new(m, &a, &err), &err);
    sc_row rows[64];
    for (int32_t i = 0; i < 64; i++)
        rows[i] = (sc_row){a, i, false};
    CHECK_CODE(SC_E_LIMIT, sc_model_step(m, rows, room + 1, &err), &err);
    CHECK_OK(sc_model_step(m, rows, room, &err), &err);
    CHECK(sc_model_room(m) == 0);
    sc_model_seq_free(m, a);
    CHECK(sc_model_room(m) == room);
}

TEST(an_interrupted_step_leaves_the_sequences_as_they_were)
{
    UNUSED;
    atomic_bool stop = false;
    const sc_model_opts opts = {.threads = 2, .max_seqs = 2, .stop = &stop};
    SC_AUTO(sc_model) *m = open_tiny(&opts);
    sc_err err = {0};
    static float want[LONGEST * VOCAB];
    float got[VOCAB];
    int64_t ids[LONGEST];
    for (size_t i = 0; i < LONGEST; i++)
        ids[i] = (int64_t)(11 * i % VOCAB);
    sc_seq a = 0;
    CHECK_OK(sc_model_seq_new(m, &a, &err), &err);
    go_on(m, a, ids, 5, got);
    atomic_store(&stop, true);
    const sc_row row = {a, 3, true};
    CHECK_CODE(SC_E_INTERRUPTED, sc_model_step(m, &row, 1, &err), &err);
    CHECK(sc_model_seq_len(m, a) == 5);
    atomic_store(&stop, false);
    go_on(m, a, ids + 5, 5, got);
    feed(m, ids, 10, 512, want);
    CHECK(same_bits(want + 9 * VOCAB, got, VOCAB));

    atomic_store(&stop, true);
    SC_AUTO(sc_model) *late = NULL;
    CHECK_CODE(SC_E_INTERRUPTED, sc_model_open(tiny_path, &opts, &late, &err), &err);
    CHECK(!late);
}

/* A folder with the tiny model's weights and another config. */
static void with_config(const char *text, char dir[GOLDEN_PATH])
{
    char path[2 * GOLDEN_PATH], target[2 * GOLDEN_PATH];
    sc_err err = {0};
    CHECK(mkdtemp(scratch_path(dir)));
    (void)snprintf(path, sizeof path, "%s/config.json", dir);
    CHECK_OK(sc_file_write(path, sc_str_c(text), &err), &err);
    (void)snprintf(path, sizeof path, "%s/model.safetensors", dir);
    (void)snprintf(target, sizeof target, "%s/model.safetensors", tiny_path);
    CHECK(symlink(target, path) == 0);
}

static void drop_folder(const char *dir)
{
    char path[2 * GOLDEN_PATH];
    (void)snprintf(path, sizeof path, "%s/config.json", dir);
    CHECK(unlink(path) == 0);
    (void)snprintf(path, sizeof path, "%s/model.safetensors", dir);
    CHECK(unlink(path) == 0 && rmdir(dir) == 0);
}

TEST(names_the_tensor_and_both_shapes_when_the_config_is_another_models)
{
    UNUSED;
#define SIZES                                                                                      \
    "\"vocab_size\": 160, \"num_hidden_layers\": 2, \"num_attention_heads\": 6, "                  \
    "\"num_key_value_heads\": 2, \"max_position_embeddings\": 64"
    static const struct {
        const char *config, *says;
    } cases[] = {
        {"{\"model_type\": \"llama\", " SIZES ", \"hidden_size\": 60, \"intermediate_size\": 136}",
         "model.embed_tokens.weight: shape [160, 48], [160, 60] expected"},
        {"{\"model_type\": \"llama\", " SIZES ", \"hidden_size\": 48, \"intermediate_size\": 144}",
         "model.layers.0.mlp.gate_proj.weight: shape [136, 48], [144, 48] expected"},
        {"{\"model_type\": \"llama\", " SIZES
         ", \"hidden_size\": 48, \"intermediate_size\": 136, \"attention_bias\": true}",
         "tensor model.layers.0.self_attn.q_proj.bias: missing"},
        {"{\"model_type\": \"qwen3\", " SIZES
         ", \"hidden_size\": 48, \"head_dim\": 8, \"intermediate_size\": 136}",
         "tensor model.layers.0.self_attn.q_norm.weight: missing"},
        {"{\"model_type\": \"starcoder2\", " SIZES
         ", \"hidden_size\": 48, \"intermediate_size\": 136}",
         "tensor model.norm.bias: missing"},
    };
    for (size_t i = 0; i < SC_LEN(cases); i++) {
        char dir[GOLDEN_PATH];
        with_config(cases[i].config, dir);
        sc_err err = {0};
        SC_AUTO(sc_model) *m = NULL;
        const sc_model_opts opts = {.threads = 1, .max_seqs = 1};
        const sc_code code = sc_model_open(dir, &opts, &m, &err);
        CHECK(code == SC_E_FORMAT && !m);
        if (!strstr(err.msg, cases[i].says))
            print_error("%s\n", err.msg);
        CHECK(strstr(err.msg, cases[i].says));
        drop_folder(dir);
    }
}

TEST(refuses_tensors_that_the_architecture_does_not_have)
{
    UNUSED;
    char dir[GOLDEN_PATH];
    // One layer less than the file has: nobody asks for the tensors of the last.
    with_config("{\"model_type\": \"llama\", \"vocab_size\": 160, \"num_hidden_layers\": 1, "
                "\"num_attention_heads\": 6, \"num_key_value_heads\": 2, \"hidden_size\": 48, "
                "\"intermediate_size\": 136, \"max_position_embeddings\": 64}",
                dir);
    sc_err err = {0};
    SC_AUTO(sc_model) *m = NULL;
    const sc_model_opts opts = {.threads = 1, .max_seqs = 1};
    CHECK_CODE(SC_E_UNSUPPORTED, sc_model_open(dir, &opts, &m, &err), &err);
    CHECK(strstr(err.msg, "tensor model.layers.1."));
    drop_folder(dir);
}

TEST(estimates_without_reading_and_refuses_what_does_not_fit)
{
    UNUSED;
    sc_err err = {0};
    sc_config c;
    sc_model_need need;
    const sc_model_opts opts = {.compute = SC_COMPUTE_F32};
    CHECK_OK(sc_model_estimate(tiny_path, &opts, &c, &need, &err), &err);
    CHECK(strcmp(c.arch, "llama") == 0 && c.hidden == 48 && c.layers == 2);
    CHECK(need.params * 4 == need.weights);
    CHECK(need.kv_token * 64 == need.kv_seq);
    CHECK(need.total > need.weights && need.available > 0);
    const sc_model_opts wide = {.ctx = 65};
    SC_AUTO(sc_model) *m = NULL;
    CHECK_CODE(SC_E_USAGE, sc_model_open(tiny_path, &wide, &m, &err), &err);
}

/* How many allocations opening the files alone takes; the readers' own tests fail those. */
static long allocations_of_files(void)
{
    sc_err err = {0};
    SC_AUTO(sc_weights) *w = NULL;
    const uint64_t before = sc_alloc_count();
    CHECK_OK(sc_weights_open(tiny_path, &w, &err), &err);
    return (long)(sc_alloc_count() - before);
}

TEST(says_what_a_step_must_do_at_least)
{
    UNUSED;
    SC_AUTO(sc_model) *m = open_tiny(&(sc_model_opts){.compute = SC_COMPUTE_F32, .threads = 1});
    const sc_config *c = sc_model_config(m);
    const double q = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim;
    const double layers = c->layers * (c->hidden * (2 * q + 2 * kv) + 3.0 * c->hidden * c->inter);
    const double head = (double)c->vocab * c->hidden;
    // Behind the keys of the last layer only the row goes on that wants logits.
    const double tail = c->hidden * q + 3.0 * c->hidden * c->inter;
    // Three rows of two sequences, one wants logits; a row looks at 10 positions.
    const sc_cost cost = sc_model_cost(m, &(sc_step_shape){3, 1, 2, 10, 12, 0});
    double macs = 0;
    for (unsigned k = 0; k < SC_ACTS_KIND_N; k++)
        macs += cost.macs[k];
    CHECK(macs == cost.macs[SC_ACTS_F32]);
    // Gate and up stand in panels together, which are filled up.
    const double least = 3 * layers - 2 * tail + head + 3.0 * 10 * 2 * q * c->layers;
    CHECK(macs >= least && macs <= 1.1 * least);
    // Every weight once, filled up to panels of 32 rows; keys and values of both sequences.
    const double values = 2.0 * 12 * 2 * kv * c->layers * 4;
    CHECK(cost.bytes >= 4 * (layers + head) + values);
    CHECK(cost.bytes <= 4 * 1.5 * (layers + head) + values);
    // Eight positions that both share are read once.
    const sc_cost shared = sc_model_cost(m, &(sc_step_shape){3, 1, 2, 10, 12, 8});
    CHECK(cost.bytes - shared.bytes == 8 * 2 * kv * c->layers * 4);
    // A step that wants no logits leaves the head and that tail alone.
    const sc_cost without = sc_model_cost(m, &(sc_step_shape){3, 0, 2, 10, 12, 0});
    const double saved = macs - head - without.macs[SC_ACTS_F32];
    CHECK(saved >= tail && saved <= 1.1 * tail && without.bytes < cost.bytes);
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    sc_code code = SC_E_NOMEM;
    const long first = allocations_of_files() + 8; // the model itself and its pool come before
    long nth = first;
    while (code != SC_OK) {
        sc_err err = {0};
        SC_AUTO(sc_model) *m = NULL;
        const sc_model_opts opts = {.threads = 1, .max_seqs = 1, .max_rows = 8};
        sc_alloc_fail_at(++nth);
        code = sc_model_open(tiny_path, &opts, &m, &err);
        sc_alloc_fail_at(0);
        if (code != SC_OK && code != SC_E_NOMEM)
            print_error("allocation %ld: %s\n", nth, err.msg);
        CHECK(code == SC_OK ? m != NULL : code == SC_E_NOMEM && !m);
    }
    CHECK(nth > first + 20);
}

int main(void)
{
    sc_json_setup();
    // Absolute: a test makes symbolic links to it.
    char here[GOLDEN_PATH / 2];
    const char *source = getenv("SC_SOURCE");
    if (!source)
        source = getcwd(here, sizeof here);
    (void)snprintf(tiny_path, sizeof tiny_path, "%s/test/data/goldens/models/llama",
                   source ? source : ".");
    const struct CMUnitTest tests[] = {
        T(blocks_and_threads_do_not_change_a_bit),
        T(company_in_a_batch_does_not_change_a_bit),
        T(forks_share_their_beginning_and_nothing_else),
        T(samples_of_a_shared_prompt_have_the_bits_of_each_alone),
        T(keys_and_values_are_as_exact_as_the_inputs_of_products),
        T(bf16_keys_and_values_stay_near_those_of_f32),
        T(q8_keys_and_values_stay_near_those_of_f32),
        T(a_cut_sequence_goes_on_as_if_nothing_had_been),
        T(two_steps_of_decoding_allocate_nothing),
        T(refuses_a_step_that_cannot_be_and_changes_nothing),
        T(says_when_no_page_is_free),
        T(an_interrupted_step_leaves_the_sequences_as_they_were),
        T(names_the_tensor_and_both_shapes_when_the_config_is_another_models),
        T(refuses_tensors_that_the_architecture_does_not_have),
        T(estimates_without_reading_and_refuses_what_does_not_fit),
        T(says_what_a_step_must_do_at_least),
        T(survives_every_failed_allocation),
    };
    return RUN_TESTS(tests);
}
