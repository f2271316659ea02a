// SPDX-License-Identifier: MIT
#include "model/sample.h"

#include "base/mem.h"
#include "base/rng.h"
#include "kern/cpu.h"
#include "kern/kern.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// A block of logits whose maximum stands for it when the k largest are looked for.
enum { BLOCK = 64 };

// A vocabulary from which on top_p alone is cut by a histogram of masses.
enum { WIDE = 4096 };

struct sc_sampler {
    size_t vocab;
    sc_kern kern;    // its softmax has the same bits at every level
    float *scores;   // owned, [vocab]: logits after the penalty; then masses
    float *peak;     // owned, [ceil(vocab / BLOCK)]: maximum of each block
    uint8_t *seen;   // owned, [vocab]: ids that were penalised; all zero between calls
    int32_t *id;     // owned, [vocab]: candidates, ascending
    double *value;   // owned, [vocab]: their scores over the temperature; then probabilities
    double *scratch; // owned, [vocab]
};

sc_code sc_sample_check(const sc_sample_params *p, sc_err *err)
{
    if (!(p->temperature >= 0 && p->temperature <= 1e6))
        return sc_fail(err, SC_E_USAGE, "temperature is %g, 0 to 1e6 expected", p->temperature);
    if (!(p->top_p > 0 && isfinite(p->top_p)))
        return sc_fail(err, SC_E_USAGE, "top_p is %g, above 0 expected", p->top_p);
    if (!(p->min_p >= 0 && p->min_p <= 1))
        return sc_fail(err, SC_E_USAGE, "min_p is %g, 0 to 1 expected", p->min_p);
    if (!(p->repetition_penalty > 0 && isfinite(p->repetition_penalty)))
        return sc_fail(err, SC_E_USAGE, "repetition penalty is %g, above 0 expected",
                       p->repetition_penalty);
    return SC_OK;
}

sc_code sc_sampler_new(size_t vocab, sc_sampler **out, sc_err *err)
{
    SC_AUTO(sc_sampler) *s = sc_new(sc_sampler);
    if (!s)
        return sc_fail_nomem(err);
    s->vocab = vocab;
    sc_kern_init(&s->kern, sc_cpu_levels());
    s->scores = sc_alloc(vocab, sizeof *s->scores);
    s->peak = sc_alloc(vocab / BLOCK + 1, sizeof *s->peak);
    s->seen = sc_alloc(vocab, sizeof *s->seen);
    s->id = sc_alloc(vocab, sizeof *s->id);
    s->value = sc_alloc(vocab, sizeof *s->value);
    s->scratch = sc_alloc(vocab, sizeof *s->scratch);
    if (!s->scores || !s->peak || !s->seen || !s->id || !s->value || !s->scratch)
        return sc_fail_nomem(err);
    *out = sc_take(s);
    return SC_OK;
}

void sc_sampler_free(sc_sampler *s)
{
    if (!s)
        return;
    sc_free(s->scores);
    sc_free(s->peak);
    sc_free(s->seen);
    sc_free(s->id);
    sc_free(s->value);
    sc_free(s->scratch);
    sc_free(s);
}

static double penalised(double score, double penalty)
{
    return score < 0 ? score * penalty : score / penalty;
}

/* Copies the logits and applies the penalty; marks the ids it touched. */
static const float *apply_penalty(sc_sampler *s, double penalty, const float *logits,
                                  const int32_t *previous, size_t n)
{
    memcpy(s->scores, logits, s->vocab * sizeof *logits);
    for (size_t i = 0; i < n; i++) {
        const size_t id = (size_t)previous[i];
        if (previous[i] < 0 || id >= s->vocab || s->seen[id])
            continue;
        s->seen[id] = 1;
        s->scores[id] = (float)penalised((double)logits[id], penalty);
    }
    return s->scores;
}

static void forget_penalty(sc_sampler *s, const int32_t *previous, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (previous[i] >= 0 && (size_t)previous[i] < s->vocab)
            s->seen[previous[i]] = 0;
}

/* Four lanes, which every machine has: a plain maximum is one chain that no compiler may break up.
 */
typedef float lanes __attribute__((vector_size(16)));
typedef int32_t masks __attribute__((vector_size(16)));

/* Raises `top` to what is larger in `x`; marks in `fine` what is neither NaN nor +inf. */
static inline lanes raise(lanes top, lanes x, masks *fine)
{
    const lanes limit = {INFINITY, INFINITY, INFINITY, INFINITY};
    *fine &= (masks)(x < limit);
    const masks more = (masks)(x > top);
    return (lanes)(((masks)x & more) | ((masks)top & ~more));
}

/* The maximum of each block into s->peak; returns the largest; *bad when a score is NaN or +inf. */
static float scan(sc_sampler *s, const float *x, bool *bad)
{
    const lanes lowest = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};
    float best = -INFINITY;
    masks fine[2] = {{-1, -1, -1, -1}, {-1, -1, -1, -1}};
    for (size_t from = 0; from < s->vocab; from += BLOCK) {
        float block[BLOCK];
        const float *at = x + from;
        if (s->vocab - from < BLOCK) {
            for (size_t i = 0; i < BLOCK; i++)
                block[i] = from + i < s->vocab ? at[i] : -INFINITY;
            at = block;
        }
        lanes top[4] = {lowest, lowest, lowest, lowest};
        for (size_t i = 0; i < BLOCK; i += 16)
            for (size_t l = 0; l < 4; l++) {
                lanes four;
                memcpy(&four, at + i + 4 * l, sizeof four);
                top[l] = raise(top[l], four, &fine[l % 2]);
            }
        for (size_t l = 1; l < 4; l++)
            top[0] = raise(top[0], top[l], &fine[0]);
        float most = top[0][0];
        for (size_t l = 1; l < 4; l++)
            most = top[0][l] > most ? top[0][l] : most;
        s->peak[from / BLOCK] = most;
        best = most > best ? most : best;
    }
    fine[0] &= fine[1];
    *bad = !(fine[0][0] & fine[0][1] & fine[0][2] & fine[0][3]);
    return best;
}

/* The k-th largest of x[n], 1 <= k <= n, by partition; reorders x. */
static float kth_float(float *x, size_t n, size_t k)
{
    size_t low = 0;
    size_t high = n - 1;
    const size_t want = k - 1;
    while (low < high) {
        const float pivot = x[low + (high - low) / 2];
        size_t i = low;
        size_t j = high;
        while (i <= j) {
            while (x[i] > pivot)
                i++;
            while (x[j] < pivot)
                j--;
            if (i > j)
                break;
            const float t = x[i];
            x[i] = x[j];
            x[j] = t;
            i++;
            if (j == 0)
                break;
            j--;
        }
        if (want <= j)
            high = j;
        else if (want >= i)
            low = i;
        else
            break;
    }
    return x[want];
}

/* A score that at least k others reach, so that everything below it is surely not among the k
 * largest. */
static float lower_bound(sc_sampler *s, size_t k)
{
    const size_t blocks = (s->vocab + BLOCK - 1) / BLOCK;
    if (k >= blocks)
        return -INFINITY;
    float *copy = (float *)(void *)s->scratch;
    memcpy(copy, s->peak, blocks * sizeof *copy);
    return kth_float(copy, blocks, k);
}

/* Gathers the finite scores of at least `bound`, ascending by id; returns how many. */
static size_t gather(sc_sampler *s, const float *x, float bound)
{
    size_t n = 0;
    for (size_t from = 0; from < s->vocab; from += BLOCK) {
        if (s->peak[from / BLOCK] < bound)
            continue;
        const size_t to = from + BLOCK < s->vocab ? from + BLOCK : s->vocab;
        for (size_t i = from; i < to; i++)
            if (x[i] >= bound && x[i] > -INFINITY)
                s->id[n++] = (int32_t)i;
    }
    return n;
}

/* Leaves the k largest candidates and those equal to the k-th. */
static size_t keep_top_k(sc_sampler *s, const float *x, size_t n, size_t k)
{
    if (n <= k)
        return n;
    // scores may alias x when there was a penalty: the doubles' scratch serves as room for the
    // floats.
    float *copy = (float *)(void *)s->scratch;
    for (size_t i = 0; i < n; i++)
        copy[i] = x[s->id[i]];
    const float limit = kth_float(copy, n, k);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (x[s->id[i]] >= limit)
            s->id[kept++] = s->id[i];
    return kept;
}

/*
 * Where a walk over the masses w[n] from the largest down stops: *cut is the smallest mass that
 * stays and *ties how many of that mass do. A mass stays while the sum before it is below `limit`
 * (or equal to it, when `inclusive`). Reorders w.
 *
 * Expected linear time: each round splits the undecided part at a pivot and looks at one side.
 */
static void find_cut(double *w, size_t n, double limit, bool inclusive, double *cut, size_t *ties)
{
    size_t low = 0;
    size_t high = n;
    double before = 0;
    for (;;) {
        const double a = w[low];
        const double b = w[low + (high - low) / 2];
        const double c = w[high - 1];
        const double pivot = a < b ? (b < c ? b : (a < c ? c : a)) : (a < c ? a : (b < c ? c : b));
        size_t larger = low;
        size_t i = low;
        size_t smaller = high;
        double sum = 0;
        while (i < smaller) {
            const double v = w[i];
            if (v > pivot) {
                w[i++] = w[larger];
                w[larger++] = v;
                sum += v;
            } else if (v < pivot) {
                w[i] = w[--smaller];
                w[smaller] = v;
            } else {
                i++;
            }
        }
        const double at_pivot = before + sum;
        if (larger > low && !(inclusive ? at_pivot <= limit : at_pivot < limit)) {
            high = larger; // the walk stops among the larger ones
            continue;
        }
        // The equal ones: each stays while the sum before it allows.
        const size_t equal = smaller - larger;
        size_t stay = 0;
        double here = at_pivot;
        while (stay < equal && (inclusive ? here <= limit : here < limit)) {
            here += pivot;
            stay++;
        }
        if (stay < equal || smaller == high) {
            *cut = pivot;
            *ties = stay;
            return;
        }
        if (!(inclusive ? here <= limit : here < limit)) {
            *cut = pivot;
            *ties = equal;
            return;
        }
        before = here;
        low = smaller;
    }
}

/* exp of the candidates' values less the largest, into value[]; returns the sum. */
static double exponentiate(sc_sampler *s, size_t n)
{
    double top = -INFINITY;
    for (size_t i = 0; i < n; i++)
        top = s->value[i] > top ? s->value[i] : top;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        s->value[i] = exp(s->value[i] - top);
        sum += s->value[i];
    }
    return sum;
}

/* The masses in value[]: drops what top_p drops; returns how many stay (at least one). */
static size_t keep_top_p(sc_sampler *s, const sc_sample_params *p, size_t n, double sum)
{
    for (size_t i = 0; i < n; i++)
        s->scratch[i] = s->value[i];
    double cut = 0;
    size_t ties = 0;
    find_cut(s->scratch, n, p->top_p * sum, p->rule == SC_SAMPLE_SMALLCODER, &cut, &ties);
    if (ties == 0)
        ties = 1; // the largest always stays
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (s->value[i] < cut || (s->value[i] == cut && ties == 0))
            continue;
        if (s->value[i] == cut)
            ties--;
        s->id[kept] = s->id[i];
        s->value[kept++] = s->value[i];
    }
    return kept;
}

static size_t keep_min_p(sc_sampler *s, double min_p, size_t n)
{
    // The largest mass is exp(0) = 1, and a ratio of masses does not depend on the normalisation.
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (s->value[i] >= min_p) {
            s->id[kept] = s->id[i];
            s->value[kept++] = s->value[i];
        }
    return kept;
}

/* The masses of all ids into s->scores, which x may be; the bound is that of sample.h. */
static void masses_of_all(sc_sampler *s, double temperature, const float *x, float top)
{
    // What is lower adds nothing to a double; and no mass becomes subnormal.
    const float by = (float)(1 / temperature), least = -60;
    for (size_t i = 0; i < s->vocab; i++) {
        const float z = (x[i] - top) * by;
        s->scores[i] = z > least ? z : least;
    }
    s->kern.softmax(s->scores, s->vocab);
}

/* Which of the steps a mass, 0 to 1, falls into: sixteen to each power of two. */
static inline size_t step_of(float mass)
{
    uint32_t bits = 0;
    memcpy(&bits, &mass, sizeof bits);
    return bits >> 19;
}

enum { STEPS = (0x3f800000 >> 19) + 1 };

/* What stays of all ids: masses above `cut`, and the first `ties` of that mass. */
typedef struct wide {
    float cut;
    bool all;    // every mass of `cut` stays
    bool lowest; // ids of -inf may be among them: look
    size_t ties;
    double sum; // of what stays
} wide;

/* The step that the walk from the largest mass down stops in; *before is the sum of those above. */
static size_t stop_step(double part[2][STEPS], double top_p, bool inclusive, double *limit,
                        double *before, bool *lowest)
{
    double sum = 0;
    size_t last = 0;
    for (size_t k = STEPS; k-- > 0;) {
        part[0][k] += part[1][k];
        sum += part[0][k];
        if (part[0][k] > 0)
            last = k;
    }
    *limit = top_p * sum;
    *before = 0;
    size_t step = STEPS - 1;
    for (; step > last; step--) {
        const double here = *before + part[0][step];
        if (part[0][step] > 0 && !(inclusive ? here <= *limit : here < *limit))
            break;
        *before = here;
    }
    *lowest = step == last;
    return step;
}

/* The masses of a step into s->scratch; sixteen without one are passed over at once. */
static size_t collect_step(sc_sampler *s, size_t step)
{
    const uint32_t bits[2] = {(uint32_t)step << 19, (uint32_t)(step + 1) << 19};
    float end[2];
    memcpy(end, bits, sizeof end);
    const lanes low = {end[0], end[0], end[0], end[0]}, high = {end[1], end[1], end[1], end[1]};
    const float *mass = s->scores;
    size_t n = 0, i = 0;
    while (i < s->vocab) {
        const size_t to = s->vocab - i < 16 ? s->vocab : i + 16;
        masks any = {0};
        for (size_t l = 0; l < 4 && to - i == 16; l++) {
            lanes four;
            memcpy(&four, mass + i + 4 * l, sizeof four);
            any |= (masks)(four >= low) & (masks)(four < high);
        }
        uint64_t two[2];
        memcpy(two, &any, sizeof two);
        if (to - i == 16 && (two[0] | two[1]) == 0) {
            i = to;
            continue;
        }
        for (; i < to; i++)
            if (step_of(mass[i]) == step)
                s->scratch[n++] = (double)mass[i];
    }
    return n;
}

/* As keep_top_p, of all ids: by the sums of steps of the masses, in the last step by partition. */
static wide cut_wide(sc_sampler *s, const sc_sample_params *p)
{
    const float *mass = s->scores;
    const bool inclusive = p->rule == SC_SAMPLE_SMALLCODER;
    double part[2][STEPS] = {{0}}; // two, as neighbours often share a step
    const size_t n = s->vocab;
    for (size_t i = 0; i + 1 < n; i += 2) {
        part[0][step_of(mass[i])] += (double)mass[i];
        part[1][step_of(mass[i + 1])] += (double)mass[i + 1];
    }
    if (n % 2)
        part[0][step_of(mass[n - 1])] += (double)mass[n - 1];
    wide w = {0};
    double limit = 0, before = 0, cut = 0;
    const size_t step = stop_step(part, p->top_p, inclusive, &limit, &before, &w.lowest);
    const size_t inside = collect_step(s, step);
    size_t equal = 0;
    find_cut(s->scratch, inside, limit - before, inclusive, &cut, &w.ties);
    if (w.ties == 0 && !(before > 0))
        w.ties = 1; // the largest always stays
    w.sum = before + (double)w.ties * cut;
    for (size_t i = 0; i < inside; i++) {
        w.sum += s->scratch[i] > cut ? s->scratch[i] : 0;
        equal += s->scratch[i] == cut;
    }
    w.cut = (float)cut; // it was one
    w.all = w.ties == equal;
    return w;
}

/* Which of the ids [from, to) stay and their masses, into id and value; returns how many. */
static size_t keep_wide(const sc_sampler *s, wide *w, const float *logits, size_t from, size_t to,
                        int32_t *id, double *value)
{
    size_t kept = 0;
    for (size_t i = from; i < to; i++) {
        const float v = s->scores[i];
        if (v < w->cut || (w->lowest && !(logits[i] > -INFINITY)))
            continue;
        if (v == w->cut && !w->all) {
            if (w->ties == 0)
                continue;
            w->ties--;
        }
        id[kept] = (int32_t)i;
        value[kept++] = (double)v;
    }
    return kept;
}

/* The sum of the masses of at least `cut` in a block, in a fixed order. */
static double block_sum(const float *mass, float cut)
{
    const lanes least = {cut, cut, cut, cut};
    lanes sum[4] = {{0}};
    for (size_t i = 0; i < BLOCK; i += 16)
        for (size_t l = 0; l < 4; l++) {
            lanes four;
            memcpy(&four, mass + i + 4 * l, sizeof four);
            sum[l] += (lanes)((masks)four & (masks)(four >= least));
        }
    sum[0] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    return ((double)sum[0][0] + (double)sum[0][1]) + ((double)sum[0][2] + (double)sum[0][3]);
}

/* As sc_sample_draw, without the candidates: blocks are passed over by their sums. */
static int32_t draw_wide(sc_sampler *s, const wide all, const float *logits, double u)
{
    wide w = all;
    double before = 0;
    for (size_t from = 0; from < s->vocab; from += BLOCK) {
        const size_t to = from + BLOCK < s->vocab ? from + BLOCK : s->vocab;
        // A block is passed over only where all that counts in it surely stays.
        const bool plain = w.all && !w.lowest && to - from == BLOCK;
        const double sum = plain ? block_sum(s->scores + from, w.cut) : (double)INFINITY;
        if (before + sum * (1 + 1e-5) <= u * w.sum && to < s->vocab) {
            before += sum;
            continue;
        }
        const size_t n = keep_wide(s, &w, logits, from, to, s->id, s->value);
        for (size_t i = 0; i < n; i++) {
            before += s->value[i];
            if (before > u * w.sum)
                return s->id[i];
        }
    }
    // Rounding: the last that stays.
    w = all;
    return s->id[keep_wide(s, &w, logits, 0, s->vocab, s->id, s->value) - 1];
}

static bool is_wide(const sc_sampler *s, const sc_sample_params *p)
{
    return (p->top_k == 0 || p->top_k >= s->vocab) && p->top_p < 1 && s->vocab >= WIDE &&
           p->temperature >= 1e-3 && !(p->min_p > 0);
}

static sc_candidates argmax(sc_sampler *s, const float *x, float best)
{
    size_t i = 0;
    while (s->peak[i / BLOCK] < best)
        i += BLOCK;
    while (x[i] != best)
        i++;
    s->id[0] = (int32_t)i;
    s->value[0] = 1;
    return (sc_candidates){s->id, s->value, 1};
}

static sc_candidates filter(sc_sampler *s, const sc_sample_params *p, const float *logits,
                            const float *x, float best, const double *u)
{
    const bool cut = p->top_k > 0 && p->top_k < s->vocab;
    if (is_wide(s, p)) {
        masses_of_all(s, p->temperature, x, best);
        wide w = cut_wide(s, p);
        if (u) {
            s->id[0] = draw_wide(s, w, logits, *u);
            s->value[0] = 1;
            return (sc_candidates){s->id, s->value, 1};
        }
        const size_t n = keep_wide(s, &w, logits, 0, s->vocab, s->id, s->value);
        for (size_t i = 0; i < n; i++)
            s->value[i] /= w.sum;
        return (sc_candidates){s->id, s->value, n};
    }
    size_t n = gather(s, x, cut ? lower_bound(s, p->top_k) : -INFINITY);
    if (cut)
        n = keep_top_k(s, x, n, p->top_k);
    for (size_t i = 0; i < n; i++) {
        const size_t id = (size_t)s->id[i];
        const double score = (double)logits[id];
        // From the logit, in double: the float copy served only to choose.
        s->value[i] =
            (s->seen[id] ? penalised(score, p->repetition_penalty) : score) / p->temperature;
    }
    double sum = exponentiate(s, n);
    if (p->top_p < 1)
        n = keep_top_p(s, p, n, sum);
    if (p->min_p > 0 && p->rule == SC_SAMPLE_HF)
        n = keep_min_p(s, p->min_p, n);
    sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += s->value[i];
    for (size_t i = 0; i < n; i++)
        s->value[i] /= sum;
    return (sc_candidates){s->id, s->value, n};
}

/* As sc_sample_filter; with `u` it may leave only the one that sc_sample_draw would find by it. */
static sc_code filter_row(sc_sampler *s, const sc_sample_params *p, const float *logits,
                          const int32_t *previous, size_t n_previous, const double *u,
                          sc_candidates *out, sc_err *err)
{
    const bool penalty =
        p->rule == SC_SAMPLE_HF && p->repetition_penalty != 1 && previous && n_previous;
    const float *x =
        penalty ? apply_penalty(s, p->repetition_penalty, logits, previous, n_previous) : logits;
    bool bad = false;
    const float best = scan(s, x, &bad);
    sc_code code = SC_OK;
    if (bad)
        code = sc_fail(err, SC_E_FORMAT, "the model gave a logit that is NaN or infinite");
    else if (!(best > -INFINITY))
        code = sc_fail(err, SC_E_FORMAT, "the model gave no token a finite logit");
    else
        *out = p->temperature > 0 ? filter(s, p, logits, x, best, u) : argmax(s, x, best);
    if (penalty)
        forget_penalty(s, previous, n_previous);
    return code;
}

sc_code sc_sample_filter(sc_sampler *s, const sc_sample_params *p, const float *logits,
                         const int32_t *previous, size_t n_previous, sc_candidates *out,
                         sc_err *err)
{
    return filter_row(s, p, logits, previous, n_previous, NULL, out, err);
}

int32_t sc_sample_draw(sc_candidates c, double u)
{
    double sum = 0;
    for (size_t i = 0; i + 1 < c.n; i++) {
        sum += c.prob[i];
        if (sum > u)
            return c.id[i];
    }
    return c.id[c.n - 1];
}

sc_code sc_sample(sc_sampler *s, const sc_sample_params *p, const float *logits,
                  const int32_t *previous, size_t n_previous, uint64_t seed, uint64_t position,
                  int32_t *out, sc_err *err)
{
    sc_candidates c = {0};
    const double u = sc_rng_unit(seed, 0, position);
    SC_TRY(filter_row(s, p, logits, previous, n_previous, &u, &c, err));
    *out = c.n == 1 ? c.id[0] : sc_sample_draw(c, u);
    return SC_OK;
}
