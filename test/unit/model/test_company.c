/*
 * The rule of model.h, on every model that there is: a row's logits depend on its sequence alone.
 *
 * A random life: sequences begin, take a few tokens or a whole prompt, are forked, cut back and
 * freed, in any company, at any place, with any number of threads, steps of any size and level.
 * What each of their rows gave is then compared, bit by bit, with one thread of another model that
 * reads the whole text alone.
 *
 * SC_COMPANY_LIVES=N leads N lives a model instead of one, each from seeds of its own.
 */
// SPDX-License-Identifier: MIT
#include "goldens.h"

#include "base/rng.h"
#include "kern/cpu.h"

enum { SEQS = 9, ROWS = 40, STEPS = 24, LONGEST = 70, KEPT = 400 };

/* The logits that a row gave, and the text up to it. */
typedef struct kept {
    int32_t ids[LONGEST];
    uint32_t n;
    float *logits; // owned, [vocab]
} kept;

/* A sequence of the life. */
typedef struct being {
    bool open;
    sc_seq seq;
    int32_t ids[LONGEST];
    uint32_t n;
} being;

typedef struct life {
    sc_model *m; // borrowed
    uint64_t seed, drawn;
    uint32_t vocab, longest;
    being at[SEQS];
    kept *kept; // owned, [KEPT]
    size_t n_kept;
} life;

static uint32_t draw(life *l, uint32_t below)
{
    return (uint32_t)(sc_rng_u64(l->seed, 1, l->drawn++) % below);
}

/* Begins, forks, cuts back or frees sequences. */
static void change(life *l)
{
    sc_err err = {0};
    being *b = &l->at[draw(l, SEQS)], *from = &l->at[draw(l, SEQS)];
    if (!b->open) {
        const bool fork = from->open && draw(l, 3) > 0;
        if (fork) {
            *b = *from;
            CHECK_OK(sc_model_seq_fork(l->m, from->seq, &b->seq, &err), &err);
        } else {
            *b = (being){.open = true};
            CHECK_OK(sc_model_seq_new(l->m, &b->seq, &err), &err);
        }
    } else if (draw(l, 4) == 0) {
        sc_model_seq_free(l->m, b->seq);
        b->open = false;
    } else if (draw(l, 4) == 0) {
        b->n = draw(l, b->n + 1);
        sc_model_seq_cut(l->m, b->seq, b->n);
    }
}

/* Tokens of some sequences, in an order of its own; returns how many, and whose each is. */
static size_t compose(life *l, size_t most, sc_row rows[ROWS], being *whose[ROWS])
{
    const uint32_t first = draw(l, SEQS), prompt = draw(l, 3);
    size_t n = 0;
    for (uint32_t i = 0; i < SEQS; i++) {
        being *b = &l->at[(first + i * 4) % SEQS]; // 4 and 9 have no common factor
        uint32_t take = draw(l, 4) == 0 ? 0 : draw(l, prompt ? 2 : 20);
        for (; b->open && take > 0 && n < most && b->n < l->longest; take--, n++) {
            const int32_t id = (int32_t)draw(l, l->vocab);
            b->ids[b->n++] = id;
            whose[n] = b;
            rows[n] = (sc_row){b->seq, id, draw(l, 3) > 0};
        }
    }
    return n;
}

/* Keeps what some rows of a step gave. */
static void keep(life *l, const sc_row *rows, being *const *whose, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t behind = 0; // rows of the same sequence that follow
        for (size_t j = i + 1; j < n; j++)
            behind += whose[j] == whose[i];
        if (!rows[i].want_logits || l->n_kept == KEPT || draw(l, 3) > 0)
            continue;
        kept *k = &l->kept[l->n_kept++];
        k->n = whose[i]->n - behind;
        memcpy(k->ids, whose[i]->ids, k->n * sizeof k->ids[0]);
        k->logits = sc_alloc(l->vocab, sizeof *k->logits);
        CHECK(k->logits);
        memcpy(k->logits, sc_model_logits(l->m, i), l->vocab * sizeof *k->logits);
    }
}

static void live(life *l, size_t most)
{
    sc_err err = {0};
    for (unsigned step = 0; step < STEPS; step++) {
        sc_row rows[ROWS];
        being *whose[ROWS];
        for (uint32_t i = draw(l, 5); i > 0; i--)
            change(l);
        const size_t n = compose(l, most, rows, whose);
        if (n == 0)
            continue;
        CHECK_OK(sc_model_step(l->m, rows, n, &err), &err);
        keep(l, rows, whose, n);
    }
    for (unsigned i = 0; i < SEQS; i++)
        if (l->at[i].open)
            sc_model_seq_free(l->m, l->at[i].seq);
    CHECK(sc_model_memory_get(l->m).kv == 0); // every page came back
}

/* How many kept rows differ from their text read alone. */
static size_t differing(const life *l, sc_model *alone)
{
    sc_err err = {0};
    size_t bad = 0;
    for (size_t i = 0; i < l->n_kept; i++) {
        const kept *k = &l->kept[i];
        sc_row rows[LONGEST];
        sc_seq seq = 0;
        CHECK_OK(sc_model_seq_new(alone, &seq, &err), &err);
        for (uint32_t j = 0; j < k->n; j++)
            rows[j] = (sc_row){seq, k->ids[j], j + 1 == k->n};
        // In one block, or the last token apart.
        const uint32_t apart = i % 2 && k->n > 1;
        if (apart)
            CHECK_OK(sc_model_step(alone, rows, k->n - 1, &err), &err);
        CHECK_OK(sc_model_step(alone, rows + (apart ? k->n - 1 : 0), apart ? 1 : k->n, &err), &err);
        const float *want = sc_model_logits(alone, apart ? 0 : k->n - 1);
        bad += memcmp(want, k->logits, l->vocab * sizeof *want) != 0;
        sc_model_seq_free(alone, seq);
    }
    return bad;
}

static const char *level(life *l)
{
    static const char *const names[] = {"ref", "avx2", "avx512", NULL};
    const char *name = names[draw(l, 4)];
    unsigned have = 0;
    return name && sc_cpu_parse(sc_str_c(name), sc_cpu_levels(), &have) ? name : NULL;
}

/* One life of the model at `path`; returns how many rows were wrong. */
static size_t lead(const char *path, uint64_t seed, size_t *rows)
{
    static const unsigned teams[] = {1, 2, 3, 7};
    sc_err err = {0};
    life *l = sc_new(life);
    CHECK(l && (l->kept = sc_alloc(KEPT, sizeof *l->kept)));
    l->seed = seed;
    const size_t most = 1 + draw(l, ROWS);
    sc_model_opts opts = {.threads = teams[draw(l, SC_LEN(teams))],
                          .cpu_level = level(l),
                          .compute = draw(l, SC_COMPUTE_N),
                          .kv_type = draw(l, SC_KV_Q8_0 + 1),
                          .max_seqs = SEQS,
                          .max_rows = ROWS,
                          .pack_now = draw(l, 4) == 0,
                          .kv_size = 16u << 20};
    SC_AUTO(sc_model) *m = NULL;
    CHECK_OK(sc_model_open(path, &opts, &m, &err), &err);
    l->m = m;
    l->vocab = sc_model_config(m)->vocab;
    l->longest = sc_model_ctx(m) < LONGEST ? sc_model_ctx(m) : LONGEST;
    live(l, most);
    const unsigned threads = opts.threads;
    opts.threads = 1;
    opts.max_rows = LONGEST;
    opts.cpu_level = level(l);
    opts.pack_now = draw(l, 2) == 0;
    SC_AUTO(sc_model) *alone = NULL;
    CHECK_OK(sc_model_open(path, &opts, &alone, &err), &err);
    const size_t bad = differing(l, alone);
    if (bad)
        printf("# %s: seed %llu, %u threads, %s, %s, keys %s: %zu of %zu rows differ\n", path,
               (unsigned long long)seed, threads, sc_model_level(m), sc_model_compute(m),
               sc_model_kv(m), bad, l->n_kept);
    *rows += l->n_kept;
    for (size_t i = 0; i < l->n_kept; i++)
        sc_free(l->kept[i].logits);
    sc_free(l->kept);
    sc_free(l);
    return bad;
}

static void lead_all(const char *dir, uint64_t seed, unsigned lives)
{
    golden_list list = {0};
    golden_list_read(&list, dir);
    CHECK(list.n > 0);
    size_t bad = 0, rows = 0;
    for (size_t i = 0; i < list.n; i++)
        for (unsigned k = 0; k < lives; k++)
            bad += lead(list.at[i].model, seed + 1000 * k + i, &rows);
    printf("# %zu models, %u lives each: %zu rows\n", list.n, lives, rows);
    golden_list_drop(&list);
    CHECK(rows > 100 && bad == 0);
}

static unsigned lives(unsigned usual)
{
    const char *text = getenv("SC_COMPANY_LIVES"); // NOLINT(concurrency-mt-unsafe): one thread
    return text ? (unsigned)strtoul(text, NULL, 10) : usual;
}

TEST(the_few_that_travel_with_the_source_give_the_same_in_any_company)
{
    UNUSED;
    char dir[GOLDEN_PATH];
    const char *source = getenv("SC_SOURCE");
    (void)snprintf(dir, sizeof dir, "%s/test/data/goldens", source ? source : "."); // fits
    lead_all(dir, 1 << 20, lives(2));
}

TEST(every_architecture_and_type_gives_the_same_in_any_company)
{
    UNUSED;
    if (!golden_dir())
        SKIP("goldens", "SC_GOLDENS is not there");
    lead_all(golden_dir(), 1, lives(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_few_that_travel_with_the_source_give_the_same_in_any_company),
        T(every_architecture_and_type_gives_the_same_in_any_company),
    };
    return RUN_TESTS(tests);
}
