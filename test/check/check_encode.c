// SPDX-License-Identifier: MIT
#include "check.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The encoding of a batch is the same at every level, however the rows are split. */
static void check_batch(check *c, sc_acts_kind kind, size_t cols, size_t batch)
{
    const size_t size = sc_acts_size(kind, cols, batch), ldx = cols + 3;
    uint8_t *got = sc_alloc(size + 64, 1), *want = sc_alloc(size + 64, 1);
    float *x = sc_alloc(batch * ldx, 4);
    if (!got || !want || !x)
        abort();
    for (size_t i = 0; i < batch * ldx; i++)
        x[i] = check_random(c);
    for (size_t i = 0; i < cols && batch > 1; i++)
        x[ldx + i] = 0; // one input of zeros
    memset(got, 0xa5, size + 64);
    memset(want, 0xa5, size + 64);
    const sc_acts a = {kind, cols, batch, got}, b = {kind, cols, batch, want};
    c->now.encode(&a, x, ldx, batch / 2, batch);
    c->now.encode(&a, x, ldx, 0, batch / 2);
    c->ref.encode(&b, x, ldx, 0, batch);
    check_true(c, memcmp(got, want, size + 64) == 0, "encode %d: %zu x %zu", (int)kind, batch,
               cols);
    sc_free(got);
    sc_free(want);
    sc_free(x);
}

/* One input alone: each value is within half a step, the sums are those of the integers. */
static void check_steps(check *c, sc_acts_kind kind)
{
    const size_t behind = kind == SC_ACTS_Q8X ? 40 : 32;
    for (size_t round = 0; round < 200; round++) {
        float x[32], s = 0, u = 0;
        uint8_t data[80];
        for (size_t i = 0; i < 32; i++)
            x[i] = round == 0 ? 0.0f : check_random(c);
        const sc_acts a = {kind, 32, 1, data};
        c->now.encode(&a, x, 32, 0, 1);
        int32_t corr = 0, first = 0, sum = 0, half = 0;
        memcpy(&s, data + behind, 4);
        memcpy(&u, data + behind + 4, 4);
        memcpy(&corr, data + behind + 8, 4);
        memcpy(&first, data + behind + 12, 4);
        uint32_t place = 8;
        if (kind == SC_ACTS_Q8X)
            memcpy(&place, data + 36, 4);
        check_true(c, kind == SC_ACTS_Q8 || place < 8, "encode: place %u", place);
        const double top = check_top(kind, x);
        for (size_t i = 0; i < 32; i++) {
            const int32_t q =
                (int8_t)data[i] + (i / 4 == place ? 128 * (int8_t)data[32 + i % 4] : 0);
            sum += q;
            half += i < 16 ? q : 0;
            check_near(c, "encode", 8, i, (float)((double)q * (double)s), (double)x[i],
                       top / 127 * 0.5 + fabs((double)x[i]) * 0x1p-20 + top * 0x1p-20);
        }
        check_true(c, corr == -128 * sum && first == -128 * half && u == s * (float)sum, "sums");
    }
}

/* Infinity or NaN must not come out as an ordinary number. */
static void check_poisoned(check *c, sc_acts_kind kind)
{
    const float bad[] = {INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < 96; i++) {
        float x[32] = {1.0f}, s = 0;
        uint8_t data[80];
        x[i % 32] = bad[i / 32];
        const sc_acts a = {kind, 32, 1, data};
        c->now.encode(&a, x, 32, 0, 1);
        memcpy(&s, data + (kind == SC_ACTS_Q8X ? 40 : 32), 4);
        check_true(c, !isfinite(s), "encode: a block with %g got the scale %g", (double)bad[i / 32],
                   (double)s);
    }
}

void check_encode(check *c)
{
    static const size_t batches[] = {1, 2, 5, 8, 9, 12, 13, 24, 31};
    for (unsigned kind = 0; kind < SC_ACTS_KIND_N; kind++)
        for (size_t i = 0; i < SC_LEN(batches); i++) {
            const bool ints = kind == SC_ACTS_Q8 || kind == SC_ACTS_Q8X;
            check_batch(c, (sc_acts_kind)kind, ints ? 96 : 95, batches[i]);
            check_batch(c, (sc_acts_kind)kind, ints ? 32 : 1, batches[i]);
        }
    check_steps(c, SC_ACTS_Q8);
    check_steps(c, SC_ACTS_Q8X);
    check_poisoned(c, SC_ACTS_Q8);
    check_poisoned(c, SC_ACTS_Q8X);
}
