/* SPDX-License-Identifier: BSD-3-Clause */
/* moments.c: see moments.h. */
#include "moments.h"

#include <math.h>

void moments_add(struct moments *moments, double number)
{
    if (moments->count == 0) {
        *moments = (struct moments){ 1, number, 0, number, number };
        return;
    }
    moments->count++;
    double distance = number - moments->mean;
    moments->mean += distance / (double)moments->count;
    moments->squares += distance * (number - moments->mean);
    moments->min = fmin(moments->min, number);
    moments->max = fmax(moments->max, number);
}

void moments_merge(struct moments *into, const struct moments *from)
{
    if (from->count == 0)
        return;
    if (into->count == 0) {
        *into = *from;
        return;
    }
    double n_into = (double)into->count;
    double n_from = (double)from->count;
    double distance = from->mean - into->mean;
    double share = n_from / (n_into + n_from);
    into->count += from->count;
    into->mean += distance * share;
    into->squares += from->squares + distance * distance * n_into * share;
    into->min = fmin(into->min, from->min);
    into->max = fmax(into->max, from->max);
}

double moments_deviation(const struct moments *moments)
{
    if (moments->count < 2)
        return NAN;
    return sqrt(moments->squares / (double)(moments->count - 1));
}
