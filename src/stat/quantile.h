/**
 * quantile.h - quantiles, medians and what stands out.
 *
 * Threads: any thread.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_STAT_QUANTILE_H
#define SC_STAT_QUANTILE_H

#include <stddef.h>

/** Sorts x[n] ascending, in place. Needs: no NaN. */
void sc_sort(double *x, size_t n);

/**
 * The quantile of the sorted x[n] at p: linear between order statistics, h = (n - 1) p.
 *
 * Needs: n >= 1, 0 <= p <= 1.  Source: Hyndman & Fan 1996, type 7.
 */
double sc_quantile(const double *sorted, size_t n, double p);

/** The median of the sorted x[n]. Needs: n >= 1. */
double sc_median(const double *sorted, size_t n);

/**
 * Modified z scores: 0.6745 (x - median) / MAD; with MAD 0, (x - median) / (1.253314 mean |x -
 * median|); with both 0, 0. |z| > 3.5 is called an outlier.
 *
 * Shapes: x [n], z [n] out, scratch [n].  Source: Iglewicz & Hoaglin 1993.
 */
void sc_modified_z(const double *x, size_t n, double *z, double *scratch);

#endif
