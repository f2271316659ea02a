/**
 * interval.h - confidence intervals of proportions and of ratios, and the paired tests beside them.
 *
 * Threads: any thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_STAT_INTERVAL_H
#define SC_STAT_INTERVAL_H

#include <stddef.h>
#include <stdint.h>

typedef struct sc_interval {
    double low;
    double high;
} sc_interval;

/**
 * The Wilson score interval of x successes in n trials, without continuity correction; exactly 0 at
 * x = 0 and exactly 1 at x = n at that end; [0, 1] for n = 0.
 *
 * Needs: x <= n, 0 < level < 1.  Source: Wilson 1927.
 */
sc_interval sc_wilson(uint64_t x, uint64_t n, double level);

/** The exact interval by beta quantiles. Needs: as above, n >= 1.  Source: Clopper & Pearson 1934.
 */
sc_interval sc_clopper_pearson(uint64_t x, uint64_t n, double level);

/** The interval of x1/n1 - x2/n2, independent samples; n1, n2 >= 1. Source: Newcombe 1998,
 * method 10. */
sc_interval sc_newcombe(uint64_t x1, uint64_t n1, uint64_t x2, uint64_t n2, double level);

/**
 * McNemar's exact two-sided p of b against c discordant pairs: min(1, 2 P(X <= min(b, c))),
 * X ~ Bin(b + c, 1/2); 1 when there is none.
 */
double sc_mcnemar(uint64_t b, uint64_t c);

typedef struct sc_ratio {
    double ratio;         // of the geometric means, a over b
    sc_interval interval; // t interval of the logs, exponentiated; NaN ends when it cannot be had
    double df;
} sc_ratio;

/** The ratio a/b of paired positive figures a[i], b[i]. Needs: n >= 1, all > 0, 0 < level < 1. */
sc_ratio sc_ratio_paired(const double *a, const double *b, size_t n, double level);

/** The ratio of two independent samples (Welch on the logs). Needs: na, nb >= 1, all > 0. */
sc_ratio sc_ratio_welch(const double *a, size_t na, const double *b, size_t nb, double level);

#endif
