/* The scheduler over a model that is a hash: what matters here is who is fed what, when, and what
 * becomes of it. */
// SPDX-License-Identifier: MIT
#include "base/rng.h"
#include "gen/local.h"
#include "t.h"

#include <math.h>

enum { VOCAB = 64, EOS = 63, NAN_TOKEN = 62, CTX = 200, MAX_SEQS = 64, MAX_ROWS = 40 };

/* Token k is the letter 'a' + k % 26; so a text says which tokens came. */
static char letter(int32_t id)
{
    return (char)('a' + id % 26);
}

struct fake_seq {
    bool open;
    uint32_t n;
    uint32_t shared; // tokens that came from a fork
    int32_t tok[CTX];
};

struct sc_model {
    struct fake_seq seq[MAX_SEQS];
    float logits[MAX_ROWS][VOCAB];
    bool has[MAX_ROWS];
    uint64_t room; // positions
    unsigned open;
    unsigned steps;
    size_t widest;
    sc_pool *pool;
    sc_config config;
};

/* What this model thinks comes after tok[n]: any function of the tokens alone. */
static void think(const int32_t *tok, uint32_t n, float *logits)
{
    uint64_t h = n;
    for (uint32_t i = 0; i < n; i++)
        h = sc_rng_u64(h, 0, (uint64_t)tok[i]);
    for (uint64_t i = 0; i < VOCAB; i++)
        logits[i] = (float)(sc_rng_unit(h, 1, i) * 6);
    logits[EOS] -= 3;
    logits[NAN_TOKEN] = tok[0] == NAN_TOKEN && n > 4 ? NAN : -INFINITY;
}

const sc_config *sc_model_config(const sc_model *m)
{
    return &m->config;
}
uint32_t sc_model_ctx(const sc_model *m)
{
    (void)m;
    return CTX;
}
uint32_t sc_model_max_rows(const sc_model *m)
{
    (void)m;
    return MAX_ROWS;
}
uint32_t sc_model_max_seqs(const sc_model *m)
{
    (void)m;
    return MAX_SEQS;
}
sc_pool *sc_model_pool(sc_model *m)
{
    return m->pool;
}
static uint64_t pages(uint64_t n)
{
    return (n + SC_KV_PAGE - 1) / SC_KV_PAGE;
}
/* Whole shared pages are counted with the sequence they came from. */
static uint64_t used(const sc_model *m)
{
    uint64_t sum = 0;
    for (int i = 0; i < MAX_SEQS; i++)
        if (m->seq[i].open)
            sum += pages(m->seq[i].n) - m->seq[i].shared / SC_KV_PAGE;
    return sum;
}
uint64_t sc_model_room(const sc_model *m)
{
    return m->room - used(m) * SC_KV_PAGE;
}
sc_code sc_model_seq_new(sc_model *m, sc_seq *out, sc_err *err)
{
    for (int i = 0; i < MAX_SEQS; i++)
        if (!m->seq[i].open) {
            m->seq[i] = (struct fake_seq){.open = true};
            m->open++;
            *out = i;
            return SC_OK;
        }
    return sc_fail(err, SC_E_LIMIT, "no sequence is free");
}
sc_code sc_model_seq_fork(sc_model *m, sc_seq from, sc_seq *out, sc_err *err)
{
    SC_TRY(sc_model_seq_new(m, out, err));
    m->seq[*out] = m->seq[from];
    m->seq[*out].shared = m->seq[from].n;
    return SC_OK;
}
void sc_model_seq_free(sc_model *m, sc_seq s)
{
    assert_true(m->seq[s].open);
    m->seq[s].open = false;
    m->open--;
}
void sc_model_seq_expect(sc_model *m, sc_seq s, uint32_t n)
{
    (void)n;
    assert_true(m->seq[s].open && m->seq[s].n == 0);
}
sc_code sc_model_step(sc_model *m, const sc_row *rows, size_t n, sc_err *err)
{
    assert_true(n >= 1 && n <= MAX_ROWS);
    m->steps++;
    m->widest = n > m->widest ? n : m->widest;
    for (size_t i = 0; i < n; i++) {
        struct fake_seq *s = &m->seq[rows[i].seq];
        assert_true(s->open);
        if (s->n == CTX)
            return sc_fail(err, SC_E_LIMIT, "the sequence is full");
        s->tok[s->n++] = rows[i].token;
        m->has[i] = rows[i].want_logits;
        if (rows[i].want_logits)
            think(s->tok, s->n, m->logits[i]);
    }
    return used(m) * SC_KV_PAGE <= m->room ? SC_OK : sc_fail(err, SC_E_LIMIT, "no page is free");
}
float *sc_model_logits(sc_model *m, size_t i)
{
    assert_true(m->has[i]);
    return m->logits[i];
}

void sc_detok_init(sc_detok *d, const sc_tok *t, bool skip_special)
{
    (void)t;
    *d = (sc_detok){.skip_special = skip_special};
}
void sc_detok_push(sc_detok *d, int32_t id, sc_buf *out)
{
    (void)d;
    if (id < NAN_TOKEN)
        sc_buf_add_char(out, letter(id));
}
void sc_detok_flush(sc_detok *d, sc_buf *out)
{
    (void)d;
    (void)out;
}

/* What came out, by request and sample. */
enum { MAX_REQ = 12, MAX_SAMPLE = 9 };
struct out {
    unsigned done;
    sc_finish finish[MAX_REQ][MAX_SAMPLE];
    char text[MAX_REQ][MAX_SAMPLE][CTX + 1];
    char streamed[MAX_REQ][MAX_SAMPLE][CTX + 1];
    size_t n_ids[MAX_REQ][MAX_SAMPLE];
    const sc_gen_request *first;
    atomic_bool *stop_after; // set once `stop_at` samples are done
    unsigned stop_at;
};

static void piece(void *ctx, const sc_gen_request *r, uint32_t sample, sc_str text)
{
    struct out *o = ctx;
    strncat(o->streamed[(size_t)(uintptr_t)r->user][sample], text.p, text.n);
}

static sc_code done(void *ctx, const sc_gen_result *r, sc_err *err)
{
    (void)err;
    struct out *o = ctx;
    const size_t i = (size_t)(uintptr_t)r->request->user;
    o->finish[i][r->sample] = r->finish;
    o->n_ids[i][r->sample] = r->n_ids;
    (void)snprintf(o->text[i][r->sample], CTX + 1, "%.*s", (int)r->text.n, r->text.p);
    for (size_t k = 1; k < r->n_ids; k++)
        CHECK(r->token_ns[k] >= r->token_ns[k - 1]);
    o->done++;
    if (o->stop_after && o->done == o->stop_at)
        atomic_store(o->stop_after, true);
    return SC_OK;
}

static const sc_str stops[] = {{"qu", 2}, {"zz", 2}, {"abc", 3}};
static const int32_t eos[] = {EOS};
static int32_t prompts[MAX_REQ][100];
static uint64_t seeds[MAX_SAMPLE];

static void make_requests(sc_gen_request *r)
{
    for (size_t s = 0; s < MAX_SAMPLE; s++)
        seeds[s] = 1000 + s;
    for (size_t i = 0; i < MAX_REQ; i++) {
        const size_t n = 1 + i * 7 % 53;
        for (size_t k = 0; k < n; k++)
            prompts[i][k] = (int32_t)((i * 31 + k * 17) % 60);
        r[i] = (sc_gen_request){
            .name = "task",
            .prompt = prompts[i],
            .n_prompt = n,
            .seeds = seeds,
            .n_samples = (uint32_t)(1 + i % MAX_SAMPLE),
            .max_tokens = (uint32_t)(5 + 13 * (i % 4)),
            .params = {.rule = SC_SAMPLE_SMALLCODER,
                       .temperature = 0.7,
                       .top_k = 50,
                       .top_p = 0.9,
                       .repetition_penalty = 1},
            .stop_ids = eos,
            .n_stop_ids = 1,
            .stop_texts = stops,
            .n_stop_texts = SC_LEN(stops),
            .user = (void *)(uintptr_t)i,
        };
    }
}

/* The definition: one sample after the other, nothing shared. */
static void expect(const sc_gen_request *r, uint32_t sample, char *text, sc_finish *why)
{
    sc_err err = {0};
    SC_AUTO(sc_sampler) *s = NULL;
    CHECK_OK(sc_sampler_new(VOCAB, &s, &err), &err);
    int32_t tok[CTX];
    memcpy(tok, r->prompt, r->n_prompt * sizeof *tok);
    uint32_t n = (uint32_t)r->n_prompt;
    text[0] = '\0';
    for (uint32_t k = 0;; k++) {
        float logits[VOCAB];
        think(tok, n, logits);
        CHECK_OK(sc_sample(s, &r->params, logits, tok, n, r->seeds[sample], k, &tok[n], &err),
                 &err);
        const int32_t id = tok[n++];
        if (id == EOS && r->n_stop_ids) {
            *why = SC_FINISH_STOP_ID;
            return;
        }
        const size_t len = strlen(text);
        text[len] = letter(id);
        text[len + 1] = '\0';
        for (size_t i = 0; i < r->n_stop_texts; i++) {
            char *at = strstr(text, stops[i].p);
            if (at) {
                *at = '\0';
                *why = SC_FINISH_STOP_TEXT;
                return;
            }
        }
        if (k + 1 == r->max_tokens) {
            *why = SC_FINISH_LENGTH;
            return;
        }
    }
}

static sc_model *fake(unsigned threads, uint64_t room)
{
    sc_err err = {0};
    sc_model *m = sc_new(sc_model);
    CHECK(m);
    m->config.vocab = VOCAB;
    m->room = room;
    CHECK_OK(sc_pool_new(threads, &m->pool, &err), &err);
    return m;
}

static void fake_free(sc_model *m)
{
    assert_int_equal(m->open, 0); // whatever happened, every sequence was given back
    sc_pool_free(m->pool);
    sc_free(m);
}

static void check_all(const sc_gen_request *r, const struct out *o)
{
    for (size_t i = 0; i < MAX_REQ; i++)
        for (uint32_t s = 0; s < r[i].n_samples; s++) {
            const size_t id = (size_t)(uintptr_t)r[i].user;
            char text[CTX + 1];
            sc_finish why = SC_FINISH_ERROR;
            expect(&r[i], s, text, &why);
            assert_string_equal(o->text[id][s], text);
            assert_string_equal(o->streamed[id][s], text);
            assert_int_equal(o->finish[id][s], why);
        }
}

TEST(a_sample_is_the_same_whatever_runs_beside_it)
{
    UNUSED;
    static const struct {
        unsigned threads;
        uint32_t batch;
        uint32_t rows;
        uint64_t room;
        bool reverse;
    } ways[] = {
        {1, 1, 2, 10000, false},
        {1, 1, 40, 10000, true},
        {2, 3, 5, 10000, false},
        {3, 0, 0, 10000, false},
        {1, 30, 40, 10000, true},
        {2, 7, 9, 7 * SC_KV_PAGE, false},
        {2, 31, 40, 12 * SC_KV_PAGE, true},
    };
    for (size_t w = 0; w < SC_LEN(ways); w++) {
        sc_gen_request r[MAX_REQ];
        make_requests(r);
        if (ways[w].reverse)
            for (size_t i = 0; i < MAX_REQ / 2; i++) {
                const sc_gen_request t = r[i];
                r[i] = r[MAX_REQ - 1 - i];
                r[MAX_REQ - 1 - i] = t;
            }
        sc_err err = {0};
        sc_model *m = fake(ways[w].threads, ways[w].room);
        SC_AUTO(sc_gen) *g = NULL;
        const sc_gen_local_opts opts = {.batch = ways[w].batch, .rows = ways[w].rows};
        CHECK_OK(sc_gen_local_open(m, NULL, &opts, &g, &err), &err);
        struct out *o = sc_new(struct out);
        CHECK(o);
        const sc_gen_sink sink = {piece, done, o};
        CHECK_OK(sc_gen_run(g, r, MAX_REQ, &sink, NULL, &err), &err);
        check_all(r, o);
        const sc_gen_local_stats stats = sc_gen_local_last(g);
        CHECK(stats.batch >= 1 && stats.why);
        if (ways[w].batch) // what was asked for is not measured
            assert_int_equal(stats.n_trials, 0);
        if (ways[w].rows)
            CHECK(m->widest <= ways[w].rows || m->widest <= ways[w].batch + 1);
        sc_free(o);
        fake_free(m);
    }
}

TEST(a_sample_is_the_same_in_any_order_room_and_batch)
{
    UNUSED;
    for (uint64_t way = 0; way < 60; way++) {
        sc_gen_request r[MAX_REQ];
        make_requests(r);
        for (size_t i = MAX_REQ; i > 1; i--) { // shuffled
            const size_t j = sc_rng_u64(way, 0, i) % i;
            const sc_gen_request t = r[j];
            r[j] = r[i - 1];
            r[i - 1] = t;
        }
        const uint64_t pages_more = sc_rng_u64(way, 1, 0) % 30;
        const sc_gen_local_opts opts = {.batch = (uint32_t)(sc_rng_u64(way, 1, 1) % 33),
                                        .rows = (uint32_t)(sc_rng_u64(way, 1, 2) % 41)};
        sc_err err = {0};
        sc_model *m = fake(1 + (unsigned)(way % 3), (7 + pages_more * pages_more) * SC_KV_PAGE);
        SC_AUTO(sc_gen) *g = NULL;
        CHECK_OK(sc_gen_local_open(m, NULL, &opts, &g, &err), &err);
        struct out *o = sc_new(struct out);
        CHECK(o);
        CHECK_OK(sc_gen_run(g, r, MAX_REQ, &(sc_gen_sink){piece, done, o}, NULL, &err), &err);
        check_all(r, o);
        sc_free(o);
        fake_free(m);
    }
}

TEST(a_sample_is_the_same_while_the_width_is_measured)
{
    UNUSED;
    sc_gen_request r[MAX_REQ];
    make_requests(r);
    for (size_t i = 0; i < MAX_REQ; i++) {
        r[i].n_stop_ids = r[i].n_stop_texts = 0;
        r[i].max_tokens = 140;
    }
    sc_err err = {0};
    sc_model *m = fake(2, 10000);
    SC_AUTO(sc_gen) *g = NULL;
    CHECK_OK(sc_gen_local_open(m, NULL, &(sc_gen_local_opts){0}, &g, &err), &err);
    struct out *o = sc_new(struct out);
    CHECK(o);
    CHECK_OK(sc_gen_run(g, r, MAX_REQ, &(sc_gen_sink){piece, done, o}, NULL, &err), &err);
    check_all(r, o);
    CHECK(sc_gen_local_last(g).n_trials >= 1); // so some steps took some of the samples
    sc_free(o);
    fake_free(m);
}

TEST(a_prompt_that_does_not_fit_is_refused_before_any_work)
{
    UNUSED;
    sc_gen_request r[MAX_REQ];
    make_requests(r);
    r[5].max_tokens = CTX;
    sc_err err = {0};
    sc_model *m = fake(1, 10000);
    SC_AUTO(sc_gen) *g = NULL;
    CHECK_OK(sc_gen_local_open(m, NULL, &(sc_gen_local_opts){0}, &g, &err), &err);
    struct out *o = sc_new(struct out);
    CHECK(o);
    const sc_gen_sink sink = {piece, done, o};
    CHECK_CODE(SC_E_LIMIT, sc_gen_run(g, r, MAX_REQ, &sink, NULL, &err), &err);
    CHECK(strstr(err.msg, "task: 36 prompt tokens and 200 new ones do not fit the context of 200"));
    assert_int_equal(m->steps + o->done, 0);

    r[5].may_clip = true;
    r[5].n_stop_ids = 0;
    r[5].n_stop_texts = 0;
    CHECK_OK(sc_gen_run(g, &r[5], 1, &sink, NULL, &err), &err);
    assert_int_equal(o->finish[5][0], SC_FINISH_CONTEXT);
    assert_int_equal(o->n_ids[5][0], CTX - r[5].n_prompt);

    r[5].n_prompt = CTX;
    CHECK_CODE(SC_E_LIMIT, sc_gen_run(g, &r[5], 1, &sink, NULL, &err), &err);
    assert_string_equal(err.msg, "task: 200 prompt tokens leave no room in the context of 200");
    r[5].n_prompt = 36;

    prompts[5][0] = VOCAB;
    CHECK_CODE(SC_E_USAGE, sc_gen_run(g, &r[5], 1, &sink, NULL, &err), &err);
    sc_free(o);
    fake_free(m);
}

TEST(a_request_larger_than_the_cache_is_refused_with_figures)
{
    UNUSED;
    sc_gen_request r[MAX_REQ];
    make_requests(r);
    sc_err err = {0};
    sc_model *m = fake(1, 2 * SC_KV_PAGE);
    SC_AUTO(sc_gen) *g = NULL;
    CHECK_OK(sc_gen_local_open(m, NULL, &(sc_gen_local_opts){0}, &g, &err), &err);
    const sc_gen_sink sink = {0};
    CHECK_CODE(SC_E_LIMIT, sc_gen_run(g, r, MAX_REQ, &sink, NULL, &err), &err);
    CHECK(strstr(err.msg, "room for 2"));
    fake_free(m);
}

TEST(stopping_hands_over_what_was_begun)
{
    UNUSED;
    sc_gen_request r[MAX_REQ];
    make_requests(r);
    sc_err err = {0};
    sc_model *m = fake(2, 10000);
    SC_AUTO(sc_gen) *g = NULL;
    CHECK_OK(sc_gen_local_open(m, NULL, &(sc_gen_local_opts){.batch = 8}, &g, &err), &err);
    struct out *o = sc_new(struct out);
    CHECK(o);
    atomic_bool stop = false;
    o->stop_after = &stop;
    o->stop_at = 10;
    const sc_gen_sink sink = {piece, done, o};
    CHECK_CODE(SC_E_INTERRUPTED, sc_gen_run(g, r, MAX_REQ, &sink, &stop, &err), &err);
    CHECK(o->done >= 10 && o->done <= 10 + 8);
    sc_free(o);
    fake_free(m);
}

TEST(broken_logits_end_one_sample_and_no_other)
{
    UNUSED;
    sc_gen_request r[MAX_REQ];
    make_requests(r);
    prompts[3][0] = NAN_TOKEN;
    sc_err err = {0};
    sc_model *m = fake(2, 10000);
    SC_AUTO(sc_gen) *g = NULL;
    CHECK_OK(sc_gen_local_open(m, NULL, &(sc_gen_local_opts){0}, &g, &err), &err);
    struct out *o = sc_new(struct out);
    CHECK(o);
    const sc_gen_sink sink = {piece, done, o};
    CHECK_OK(sc_gen_run(g, r, MAX_REQ, &sink, NULL, &err), &err);
    for (uint32_t s = 0; s < r[3].n_samples; s++)
        assert_int_equal(o->finish[3][s], SC_FINISH_ERROR);
    char text[CTX + 1];
    sc_finish why = SC_FINISH_ERROR;
    expect(&r[4], 0, text, &why);
    assert_string_equal(o->text[4][0], text);
    sc_free(o);
    fake_free(m);
}

TEST(survives_every_failed_allocation)
{
    UNUSED;
    sc_gen_request r[MAX_REQ];
    make_requests(r);
    long nth = 0;
    sc_code code = SC_E_NOMEM;
    while (code != SC_OK) {
        sc_err err = {0};
        sc_model *m = fake(1, 10000);
        SC_AUTO(sc_gen) *g = NULL;
        sc_alloc_fail_at(++nth);
        code = sc_gen_local_open(m, NULL, &(sc_gen_local_opts){.batch = 4}, &g, &err);
        if (code == SC_OK)
            code = sc_gen_run(g, r, MAX_REQ, &(sc_gen_sink){0}, NULL, &err);
        sc_alloc_fail_at(0);
        CHECK(code == SC_OK || code == SC_E_NOMEM);
        CHECK(nth < 1000);
        fake_free(m);
    }
    CHECK(nth > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_sample_is_the_same_whatever_runs_beside_it),
        T(a_sample_is_the_same_in_any_order_room_and_batch),
        T(a_sample_is_the_same_while_the_width_is_measured),
        T(a_prompt_that_does_not_fit_is_refused_before_any_work),
        T(a_request_larger_than_the_cache_is_refused_with_figures),
        T(stopping_hands_over_what_was_begun),
        T(broken_logits_end_one_sample_and_no_other),
        T(survives_every_failed_allocation),
    };
    return RUN_TESTS(tests);
}
