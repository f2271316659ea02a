// SPDX-License-Identifier: MIT
#include "stat/quantile.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

void sc_sort(double *x, size_t n)
{
    if (n > 1)
        qsort(x, n, sizeof *x, ascending);
}

double sc_quantile(const double *sorted, size_t n, double p)
{
    assert(n >= 1 && p >= 0 && p <= 1);
    const long double h = (long double)(n - 1) * (long double)p;
    const size_t i = (size_t)h;
    if (i + 1 >= n)
        return sorted[n - 1];
    const long double part = h - (long double)i;
    return (double)((long double)sorted[i] +
                    part * ((long double)sorted[i + 1] - (long double)sorted[i]));
}

double sc_median(const double *sorted, size_t n)
{
    return sc_quantile(sorted, n, 0.5);
}

void sc_modified_z(const double *x, size_t n, double *z, double *scratch)
{
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        scratch[i] = x[i];
    sc_sort(scratch, n);
    const double mid = sc_median(scratch, n);
    long double sum = 0;
    for (size_t i = 0; i < n; i++) {
        scratch[i] = fabs(x[i] - mid);
        sum += (long double)scratch[i];
    }
    sc_sort(scratch, n);
    const double mad = sc_median(scratch, n);
    const double mean = (double)(sum / (long double)n);
    for (size_t i = 0; i < n; i++)
        z[i] = mad > 0    ? 0.6745 * (x[i] - mid) / mad
               : mean > 0 ? (x[i] - mid) / (1.253314 * mean)
                          : 0;
}
