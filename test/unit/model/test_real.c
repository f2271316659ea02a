/*
 * A real model, fed the reference's own tokens: the likeliest token of every step is the
 * reference's, where the reference itself is not in doubt.
 */
// SPDX-License-Identifier: MIT
#include "goldens.h"

#include "base/file.h"
#include "base/json.h"

enum { MOST_IDS = 2048 };

typedef struct tally {
    unsigned steps, same, sure, sure_same;
} tally;

static size_t read_list(const json_t *o, const char *key, int32_t *out)
{
    const json_t *list = json_object_get(o, key);
    const size_t n = json_array_size(list);
    CHECK(n > 0 && n <= MOST_IDS);
    for (size_t i = 0; i < n; i++)
        out[i] = (int32_t)json_integer_value(json_array_get(list, i));
    return n;
}

static void check_task(sc_model *m, const json_t *task, tally *t)
{
    static int32_t ids[2 * MOST_IDS], want[MOST_IDS];
    const size_t n = read_list(task, "prompt_ids", ids), k = read_list(task, "token_ids", want);
    const json_t *gaps = json_object_get(task, "gaps");
    CHECK(json_array_size(gaps) == k && k <= 256);
    memcpy(ids + n, want, k * sizeof *ids);

    sc_err err = {0};
    sc_seq seq = 0;
    sc_row rows[512];
    CHECK_OK(sc_model_seq_new(m, &seq, &err), &err);
    sc_model_seq_expect(m, seq, (uint32_t)n);
    for (size_t at = 0; at < n + k - 1;) {
        size_t b = 0;
        for (; b < 256 && at + b < n + k - 1; b++)
            rows[b] = (sc_row){seq, ids[at + b], at + b + 1 >= n};
        CHECK_OK(sc_model_step(m, rows, b, &err), &err);
        for (size_t i = 0; i < b; i++) {
            if (!rows[i].want_logits)
                continue;
            const size_t step = at + i + 1 - n;
            const size_t best =
                sc_model_kern(m)->argmax(sc_model_logits(m, i), sc_model_config(m)->vocab);
            const bool same = (int32_t)best == want[step];
            const bool sure = json_number_value(json_array_get(gaps, step)) >= 0.01;
            t->steps++;
            t->same += same;
            t->sure += sure;
            t->sure_same += sure && same;
        }
        at += b;
    }
    sc_model_seq_free(m, seq);
}

/* Opens the reference and the model it belongs to; false when one is not there. */
static bool open_real(json_t **doc, const sc_model_opts *opts, sc_model **m)
{
    char path[GOLDEN_PATH];
    sc_err err = {0};
    const char *data = getenv("SC_DATA");
    if (!golden_dir() || !data)
        return false;
    (void)snprintf(path, sizeof path, "%s/real/smollm2.json", golden_dir()); // fits
    if (!sc_file_is_file(path))
        return false;
    CHECK_OK(sc_json_read(path, 16 << 20, doc, &err), &err);
    const sc_str name = sc_json_str(json_object_get(*doc, "model"));
    (void)snprintf(path, sizeof path, "%s/models/%.*s", data, SC_STRF(name)); // fits
    if (!sc_file_is_file(path))
        return false;
    CHECK_OK(sc_model_open(path, opts, m, &err), &err);
    return true;
}

/* Sanitizers make a step some forty times slower: one task has to do for their purpose.
 */
static bool is_short(void)
{
    const char *scale = getenv("SC_TEST_SCALE");
    return scale && !strcmp(scale, "sanitizer");
}

static bool agrees(tally t, unsigned per_thousand)
{
    return is_short() ? t.steps > 50 && t.same * 10 >= t.steps * 9
                      : t.steps > 900 && t.same * 1000 >= t.steps * per_thousand;
}

static tally run_mode(sc_compute compute, sc_kv_type kv, bool *there)
{
    SC_AUTO_JSON *doc = NULL;
    SC_AUTO(sc_model) *m = NULL;
    const sc_model_opts opts = {.compute = compute, .kv_type = kv, .max_seqs = 2};
    tally t = {0};
    *there = open_real(&doc, &opts, &m);
    if (!*there)
        return t;
    const json_t *tasks = json_object_get(doc, "tasks");
    const size_t n = is_short() ? 1 : json_array_size(tasks);
    for (size_t i = 0; i < n; i++)
        check_task(m, json_array_get(tasks, i), &t);
    printf("# %s, keys and values %s: %u of %u steps agree, %u of %u with a gap of 0.01 or more\n",
           sc_model_compute(m), sc_model_kv(m), t.same, t.steps, t.sure_same, t.sure);
    return t;
}

TEST(every_sure_step_agrees_with_float_inputs)
{
    UNUSED;
    bool there = false;
    const tally t = run_mode(SC_COMPUTE_F32, SC_KV_AUTO, &there);
    if (!there)
        SKIP("real", "the real model or its reference is not there");
    CHECK(agrees(t, 990) && t.sure_same == t.sure);
}

TEST(ninety_nine_in_a_hundred_steps_agree_by_default)
{
    UNUSED;
    bool there = false;
    const tally t = run_mode(SC_COMPUTE_AUTO, SC_KV_AUTO, &there);
    if (!there)
        SKIP("real", "the real model or its reference is not there");
    CHECK(agrees(t, 990));
}

TEST(keys_and_values_of_bf16_change_few_steps)
{
    UNUSED;
    bool there = false;
    const tally t = run_mode(SC_COMPUTE_F32, SC_KV_BF16, &there);
    if (!there)
        SKIP("real", "the real model or its reference is not there");
    CHECK(agrees(t, 995));
    const tally usual = run_mode(SC_COMPUTE_BF16, SC_KV_AUTO, &there);
    CHECK(agrees(usual, 990));
}

TEST(keys_and_values_of_8_bits_change_few_steps)
{
    UNUSED;
    bool there = false;
    const tally t = run_mode(SC_COMPUTE_F32, SC_KV_Q8_0, &there);
    if (!there)
        SKIP("real", "the real model or its reference is not there");
    CHECK(agrees(t, 990));
    const tally fast = run_mode(SC_COMPUTE_AUTO, SC_KV_Q8_0, &there);
    CHECK(agrees(fast, 980));
}

/* Resident memory of this process, bytes. */
static uint64_t resident(void)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    CHECK(f && fscanf(f, "%*u %llu", &pages) == 1);
    (void)fclose(f); // opened for reading
    return pages * 4096;
}

TEST(memory_holds_the_weights_once_while_they_are_packed)
{
    UNUSED;
    SC_AUTO_JSON *doc = NULL;
    SC_AUTO(sc_model) *m = NULL;
    const sc_model_opts opts = {.threads = 2, .max_seqs = 2};
    const uint64_t before = resident();
    if (is_short()) // before there is anything to close
        SKIP("plain", "a sanitizer's own memory is in the figure");
    if (!open_real(&doc, &opts, &m))
        SKIP("real", "the real model or its reference is not there");
    sc_err err = {0};
    sc_seq seq = 0;
    uint64_t most = 0;
    CHECK_OK(sc_model_seq_new(m, &seq, &err), &err);
    for (int32_t i = 0; i < 20; i++) {
        const sc_row row = {seq, 100 + i, true};
        CHECK_OK(sc_model_step(m, &row, 1, &err), &err);
        const uint64_t now = resident() - before;
        most = now > most ? now : most;
    }
    const sc_model_memory held = sc_model_memory_get(m);
    const uint64_t least = held.packed + held.kv + held.workspace;
    printf("# at most %.1f MiB, of which weights, keys and values, workspace %.1f\n",
           (double)most / (1 << 20), (double)least / (1 << 20));
    CHECK(held.mapped == 0 && most < least + (28 << 20));
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(every_sure_step_agrees_with_float_inputs),
        T(ninety_nine_in_a_hundred_steps_agree_by_default),
        T(keys_and_values_of_bf16_change_few_steps),
        T(keys_and_values_of_8_bits_change_few_steps),
        T(memory_holds_the_weights_once_while_they_are_packed),
    };
    return RUN_TESTS(tests);
}
