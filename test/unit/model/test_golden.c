/*
 * Every model of the goldens, at every level of this machine, in float32: logits within 1e-4 of
 * the reference's, greedy continuations identical.
 */
// SPDX-License-Identifier: MIT
#include "goldens.h"

#include "kern/cpu.h"

#include <math.h>

static const char *const levels[] = {"ref", "avx2", "avx512"};

/* Where the first hidden state goes wrong, for whoever reads the failure. */
static void report_layers(sc_model *m, sc_weights *w, size_t n)
{
    const uint32_t layers = sc_model_config(m)->layers, hidden = sc_model_config(m)->hidden;
    for (uint32_t l = 0; l <= layers; l++) {
        size_t count = 0;
        const float *want = golden_f32(w, "hidden.0", l, &count);
        if (!want || count != n * hidden)
            return;
        double worst = 0;
        for (size_t i = 0; i < n; i++)
            for (uint32_t j = 0; j < hidden; j++)
                worst = fmax(worst, fabs((double)sc_model_hidden(m, l, i)[j] -
                                         (double)want[i * hidden + j]));
        printf("#   hidden %u: off by %.3g\n", l, worst);
    }
}

/* The largest difference of one pass over ids.i; negative when there is no such tensor. */
static double pass(sc_model *m, sc_weights *w, unsigned i)
{
    size_t n = 0, count = 0;
    const int64_t *ids = golden_i64(w, "ids", i, &n);
    const float *want = golden_f32(w, "logits", i, &count);
    if (!ids || !want)
        return -1;
    const size_t vocab = sc_model_config(m)->vocab;
    CHECK(count == n * vocab);
    float *got = sc_alloc(count, sizeof *got);
    CHECK(got);
    sc_err err = {0};
    CHECK_OK(golden_feed(m, ids, n, 512, got, &err), &err);
    double worst = 0;
    for (size_t j = 0; j < count; j++) {
        const double diff = fabs((double)got[j] - (double)want[j]);
        worst = !(diff <= worst) ? diff : worst; // NaN stays
    }
    if (i == 0 && !(worst <= 1e-4))
        report_layers(m, w, n);
    sc_free(got);
    return worst;
}

/* How many tokens of greedy.i agree before the first that does not; *total is their number. */
static size_t greedy(sc_model *m, sc_weights *w, unsigned i, size_t *total)
{
    size_t n = 0;
    *total = 0;
    const int64_t *prompt = golden_i64(w, "greedy_prompt", i, &n);
    const int64_t *want = golden_i64(w, "greedy", i, total);
    if (!prompt || !want)
        return 0;
    sc_err err = {0};
    sc_seq seq = 0;
    CHECK_OK(sc_model_seq_new(m, &seq, &err), &err);
    sc_model_seq_expect(m, seq, (uint32_t)n);
    sc_row rows[64];
    CHECK(n <= 64);
    for (size_t j = 0; j < n; j++)
        rows[j] = (sc_row){seq, (int32_t)prompt[j], j + 1 == n};
    size_t same = 0;
    for (; same < *total; same++) {
        CHECK_OK(sc_model_step(m, rows, n, &err), &err);
        const float *logits = sc_model_logits(m, n - 1);
        const size_t id = sc_model_kern(m)->argmax(logits, sc_model_config(m)->vocab);
        if ((int64_t)id != want[same])
            break;
        rows[0] = (sc_row){seq, (int32_t)id, true};
        n = 1;
    }
    sc_model_seq_free(m, seq);
    return same;
}

/* One model at one level; returns how many things were wrong. */
static int check_case(const golden_case *c, const char *level)
{
    sc_err err = {0};
    SC_AUTO(sc_weights) *w = NULL;
    CHECK_OK(sc_weights_open(c->expected, &w, &err), &err);
    // Two threads at one level only: a busy machine makes every barrier of a tiny model long.
    const sc_model_opts opts = {.threads = strcmp(level, "avx512") == 0 ? 2 : 1,
                                .cpu_level = level,
                                .compute = SC_COMPUTE_F32,
                                .max_seqs = 4,
                                .kv_size = 64u << 20,
                                .hidden = true};
    SC_AUTO(sc_model) *m = NULL;
    if (sc_model_open(c->model, &opts, &m, &err) != SC_OK) {
        printf("# %s: %s\n", level, err.msg);
        return 1;
    }
    int bad = 0;
    for (unsigned i = 0; i < 64; i++) {
        const double worst = pass(m, w, i);
        if (worst < 0)
            break;
        if (!(worst <= 1e-4)) {
            printf("# %s: %s: logits.%u off by %.3g\n", level, c->model, i, worst);
            bad++;
        }
    }
    for (unsigned i = 0; i < 64; i++) {
        size_t total = 0;
        const size_t same = greedy(m, w, i, &total);
        if (total == 0)
            break;
        if (same != total) {
            printf("# %s: %s: greedy.%u differs at token %zu of %zu\n", level, c->model, i, same,
                   total);
            bad++;
        }
    }
    return bad;
}

/* Every case below `dir` at one level. */
static void check_folder(const char *dir, const char *level)
{
    golden_list list = {0};
    golden_list_read(&list, dir);
    CHECK(list.n > 0);
    int bad = 0;
    for (size_t i = 0; i < list.n; i++)
        bad += check_case(&list.at[i], level);
    printf("# %s: %zu models\n", level, list.n);
    golden_list_drop(&list);
    assert_int_equal(bad, 0);
}

static void check_level(const char *level)
{
    unsigned have = 0;
    if (!golden_dir())
        SKIP("goldens", "SC_GOLDENS is not there");
    if (!sc_cpu_parse(sc_str_c(level), sc_cpu_levels(), &have))
        SKIP(level, "this machine does not have it");
    check_folder(golden_dir(), level);
}

TEST(agrees_with_the_few_that_travel_with_the_source)
{
    UNUSED;
    char dir[GOLDEN_PATH];
    const char *source = getenv("SC_SOURCE");
    (void)snprintf(dir, sizeof dir, "%s/test/data/goldens", source ? source : "."); // fits
    for (size_t i = 0; i < SC_LEN(levels); i++) {
        unsigned have = 0;
        if (sc_cpu_parse(sc_str_c(levels[i]), sc_cpu_levels(), &have))
            check_folder(dir, levels[i]);
    }
}

TEST(agrees_with_the_goldens_in_plain_c)
{
    UNUSED;
    check_level(levels[0]);
}

TEST(agrees_with_the_goldens_at_avx2)
{
    UNUSED;
    check_level(levels[1]);
}

TEST(agrees_with_the_goldens_at_avx512)
{
    UNUSED;
    check_level(levels[2]);
}

int main(void)
{
    sc_json_setup();
    const struct CMUnitTest tests[] = {
        T(agrees_with_the_few_that_travel_with_the_source),
        T(agrees_with_the_goldens_in_plain_c),
        T(agrees_with_the_goldens_at_avx2),
        T(agrees_with_the_goldens_at_avx512),
    };
    return RUN_TESTS(tests);
}
