/**
 * special.h - the tail functions that intervals and tests stand on.
 *
 * All are pure. Computed in extended precision: relative error below 1e-12 in the ranges that the
 * statistics of this program use (parameters up to 1e6).
 *
 * Threads: any thread.
 * Source:  Abramowitz & Stegun, 26.5 and 26.7; the continued fraction by Lentz's method.
 */
// SPDX-License-Identifier: MIT
#ifndef SC_STAT_SPECIAL_H
#define SC_STAT_SPECIAL_H

/** P(Z <= x) of the standard normal distribution. */
double sc_norm_cdf(double x);

/** The x with P(Z <= x) = p. Needs: 0 < p < 1. */
double sc_norm_ppf(double p);

/** The regularised incomplete beta function I_x(a, b). Needs: a, b > 0; 0 <= x <= 1. */
double sc_betainc(double a, double b, double x);

/** The x with I_x(a, b) = p. Needs: a, b > 0; 0 <= p <= 1. */
double sc_betainc_inv(double a, double b, double p);

/** P(|T| >= |t|) of Student's t with `df` degrees of freedom. Needs: df > 0. */
double sc_t_two_sided(double t, double df);

/** The t with P(T <= t) = p. Needs: 0 < p < 1; df > 0. */
double sc_t_ppf(double p, double df);

/** ln(n!). Needs: n >= 0. */
double sc_ln_factorial(double n);

#endif
