// SPDX-License-Identifier: MIT
#include "stat/special.h"

#include <float.h>
#include <math.h>

static const long double SQRT2 = 1.41421356237309504880168872420969808L;
static const long double SQRT_2PI = 2.50662827463100050241576528481104525L;

static long double norm_cdf(long double x)
{
    return erfcl(-x / SQRT2) / 2;
}

double sc_norm_cdf(double x)
{
    return (double)norm_cdf((long double)x);
}

/* p <= 1/2: a start from the tail's leading term, then Newton's method on ln P, which is concave.
 */
static long double lower_ppf(long double p)
{
    const long double u = sqrtl(-2 * logl(p));
    long double x = -(u - (2.30753L + 0.27061L * u) / (1 + u * (0.99229L + 0.04481L * u)));
    for (int i = 0; i < 60; i++) {
        const long double cdf = norm_cdf(x);
        const long double pdf = expl(-x * x / 2) / SQRT_2PI;
        const long double step = (logl(cdf) - logl(p)) * cdf / pdf;
        x -= step;
        if (fabsl(step) <= 4 * LDBL_EPSILON * (1 + fabsl(x)))
            break;
    }
    return x;
}

double sc_norm_ppf(double p)
{
    const long double q = (long double)p;
    return (double)(q <= 0.5L ? lower_ppf(q) : -lower_ppf(1 - q));
}

/* The continued fraction of I_x(a, b) for x below the mean. */
static long double fraction(long double a, long double b, long double x)
{
    const long double tiny = LDBL_MIN / LDBL_EPSILON;
    long double c = 1;
    long double d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabsl(d) < tiny ? tiny : d);
    long double h = d;
    for (int m = 1; m < 100000; m++) {
        const long double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 + even * d;
        c = 1 + even / c;
        d = 1 / (fabsl(d) < tiny ? tiny : d);
        c = fabsl(c) < tiny ? tiny : c;
        h *= d * c;
        const long double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + odd * d;
        c = 1 + odd / c;
        d = 1 / (fabsl(d) < tiny ? tiny : d);
        c = fabsl(c) < tiny ? tiny : c;
        h *= d * c;
        if (fabsl(d * c - 1) < 2 * LDBL_EPSILON)
            break;
    }
    return h;
}

/* I_x(a, b); y = 1 - x is given apart, so that a tiny x or y keeps its digits. */
static long double betainc(long double a, long double b, long double x, long double y)
{
    if (x <= 0)
        return 0;
    if (y <= 0)
        return 1;
    const long double front =
        expl(lgammal(a + b) - lgammal(a) - lgammal(b) + a * logl(x) + b * logl(y));
    if (x < (a + 1) / (a + b + 2))
        return front * fraction(a, b, x) / a;
    return 1 - front * fraction(b, a, y) / b;
}

double sc_betainc(double a, double b, double x)
{
    return (double)betainc((long double)a, (long double)b, (long double)x, 1 - (long double)x);
}

/* Halving always converges; Newton's step is taken when it stays inside the bracket. */
static long double betainc_inv(long double a, long double b, long double p)
{
    long double low = 0;
    long double high = 1;
    long double x = a / (a + b);
    const long double ln_beta = lgammal(a) + lgammal(b) - lgammal(a + b);
    for (int i = 0; i < 20000; i++) {
        const long double f = betainc(a, b, x, 1 - x) - p;
        if (f == 0)
            break;
        if (f > 0)
            high = x;
        else
            low = x;
        const long double slope = expl((a - 1) * logl(x) + (b - 1) * log1pl(-x) - ln_beta);
        long double next = x - f / slope;
        if (!(next > low && next < high))
            next = (low + high) / 2;
        const long double step = fabsl(next - x);
        x = next;
        if (step <= 2 * LDBL_EPSILON * x)
            break;
    }
    return x;
}

double sc_betainc_inv(double a, double b, double p)
{
    if (p <= 0)
        return 0;
    if (p >= 1)
        return 1;
    return (double)betainc_inv((long double)a, (long double)b, (long double)p);
}

double sc_t_two_sided(double t, double df)
{
    const long double n = (long double)df;
    const long double t2 = (long double)t * (long double)t;
    return (double)betainc(n / 2, 0.5L, n / (n + t2), t2 / (n + t2));
}

double sc_t_ppf(double p, double df)
{
    if (p == 0.5)
        return 0;
    const long double n = (long double)df;
    const long double tail = 2 * (p < 0.5 ? (long double)p : 1 - (long double)p);
    // P(|T| >= t) = I_{n/(n+t^2)}(n/2, 1/2). Near the centre the other side keeps more digits.
    long double t = 0;
    if (tail < 0.5L) {
        const long double x = betainc_inv(n / 2, 0.5L, tail);
        t = sqrtl(n * (1 - x) / x);
    } else {
        const long double y = betainc_inv(0.5L, n / 2, 1 - tail);
        t = sqrtl(n * y / (1 - y));
    }
    return (double)(p < 0.5 ? -t : t);
}

double sc_ln_factorial(double n)
{
    return (double)lgammal((long double)n + 1);
}
