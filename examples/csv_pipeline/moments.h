/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * moments.h: count, mean, spread and range of numbers that come one by one
 * (Welford's method), and of two such sets together (Chan's). Both keep their
 * precision where a sum of squares would lose it.
 */
#ifndef EXAMPLE_MOMENTS_H
#define EXAMPLE_MOMENTS_H

#include <stddef.h>

/* All zero is the empty set. */
struct moments {
    size_t count;
    double mean;
    double squares; /* the sum of squared distances from the mean */
    double min;
    double max;
};

void moments_add(struct moments *moments, double number);
void moments_merge(struct moments *into, const struct moments *from);

/* The standard deviation of a sample (ddof 1); NaN for fewer than two. */
double moments_deviation(const struct moments *moments);

#endif
