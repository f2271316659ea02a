// SPDX-License-Identifier: MIT
#include "stat/interval.h"

#include "stat/special.h"

#include <assert.h>
#include <math.h>

/* The normal quantile that leaves (1 - level) / 2 above it. */
static long double z_of(double level)
{
    // -ppf(lower tail) instead of ppf(upper): 1 - tail would lose the tail's digits.
    return -(long double)sc_norm_ppf((double)((1 - (long double)level) / 2));
}

sc_interval sc_wilson(uint64_t x, uint64_t n, double level)
{
    assert(x <= n && level > 0 && level < 1);
    if (n == 0)
        return (sc_interval){0, 1};
    const long double z = z_of(level);
    const long double z2 = z * z;
    const long double m = (long double)n;
    const long double p = (long double)x / m;
    const long double mid = (p + z2 / (2 * m)) / (1 + z2 / m);
    const long double half = z / (1 + z2 / m) * sqrtl(p * (1 - p) / m + z2 / (4 * m * m));
    return (sc_interval){x == 0 ? 0 : (double)(mid - half), x == n ? 1 : (double)(mid + half)};
}

sc_interval sc_clopper_pearson(uint64_t x, uint64_t n, double level)
{
    assert(n >= 1 && x <= n && level > 0 && level < 1);
    const double tail = (double)((1 - (long double)level) / 2);
    const double k = (double)x;
    const double m = (double)n;
    return (sc_interval){x == 0 ? 0 : sc_betainc_inv(k, m - k + 1, tail),
                         x == n ? 1 : 1 - sc_betainc_inv(m - k, k + 1, tail)};
}

sc_interval sc_newcombe(uint64_t x1, uint64_t n1, uint64_t x2, uint64_t n2, double level)
{
    const sc_interval a = sc_wilson(x1, n1, level);
    const sc_interval b = sc_wilson(x2, n2, level);
    const double p1 = (double)x1 / (double)n1;
    const double p2 = (double)x2 / (double)n2;
    return (sc_interval){p1 - p2 - hypot(p1 - a.low, b.high - p2),
                         p1 - p2 + hypot(a.high - p1, p2 - b.low)};
}

double sc_mcnemar(uint64_t b, uint64_t c)
{
    const uint64_t n = b + c;
    const uint64_t low = b < c ? b : c;
    if (n == 0)
        return 1;
    // The terms from the largest down, relative to it; the scale joins in the logarithm, so that
    // 2^-1000 is no 0.
    long double sum = 0;
    long double term = 1;
    for (uint64_t i = low;; i--) {
        sum += term;
        if (i == 0)
            break;
        term *= (long double)i / (long double)(n - i + 1);
    }
    const long double m = (long double)n;
    const long double k = (long double)low;
    const long double ln_top = lgammal(m + 1) - lgammal(k + 1) - lgammal(m - k + 1) -
                               m * 0.693147180559945309417232121458176568L;
    const long double p = 2 * expl(ln_top + logl(sum));
    return p < 1 ? (double)p : 1;
}

typedef struct moments {
    long double mean;
    long double var; // of the sample, n - 1 in the denominator; 0 for one figure
} moments;

/* Mean and variance of ln a[i], or of ln a[i] - ln b[i]. */
static moments of_logs(const double *a, const double *b, size_t n)
{
    moments m = {0, 0};
    for (size_t i = 0; i < n; i++)
        m.mean += logl((long double)a[i]) - (b ? logl((long double)b[i]) : 0);
    m.mean /= (long double)n;
    for (size_t i = 0; i < n; i++) {
        const long double d = logl((long double)a[i]) - (b ? logl((long double)b[i]) : 0) - m.mean;
        m.var += d * d;
    }
    m.var = n > 1 ? m.var / (long double)(n - 1) : 0;
    return m;
}

static sc_ratio ratio(long double mean, long double se, long double df, double level)
{
    sc_ratio r = {(double)expl(mean), {(double)NAN, (double)NAN}, (double)df};
    if (df > 0) {
        const double tail = (double)((1 - (long double)level) / 2);
        const long double t = -(long double)sc_t_ppf(tail, (double)df);
        r.interval = (sc_interval){(double)expl(mean - t * se), (double)expl(mean + t * se)};
    }
    return r;
}

sc_ratio sc_ratio_paired(const double *a, const double *b, size_t n, double level)
{
    const moments m = of_logs(a, b, n);
    return ratio(m.mean, sqrtl(m.var / (long double)n), (long double)n - 1, level);
}

sc_ratio sc_ratio_welch(const double *a, size_t na, const double *b, size_t nb, double level)
{
    const moments x = of_logs(a, NULL, na);
    const moments y = of_logs(b, NULL, nb);
    const long double vx = x.var / (long double)na;
    const long double vy = y.var / (long double)nb;
    long double df = 0;
    if (na > 1 && nb > 1 && vx + vy > 0)
        df = (vx + vy) * (vx + vy) /
             (vx * vx / ((long double)na - 1) + vy * vy / ((long double)nb - 1));
    return ratio(x.mean - y.mean, sqrtl(vx + vy), df, level);
}
