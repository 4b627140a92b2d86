/* SPDX-License-Identifier: BSD-3-Clause */
/* summary_order.c: see summary_order.h. */
#include "summary_order.h"

#include <stdlib.h>
#include <string.h>

#include "clean.h"

static int compare(const void *left, const void *right)
{
    const struct tally_entry *a = *(const struct tally_entry *const *)left;
    const struct tally_entry *b = *(const struct tally_entry *const *)right;
    double x;
    double y;
    bool a_is_number = number_read(a->text, &x) == NUMBER_FITS;
    bool b_is_number = number_read(b->text, &y) == NUMBER_FITS;
    if (a_is_number != b_is_number)
        return a_is_number ? -1 : 1;
    if (a_is_number && (x < y || x > y))
        return x < y ? -1 : 1;
    return strcmp(a->text, b->text);
}

const struct tally_entry **summary_sorted(const struct tally *tally)
{
    size_t n = tally->n;
    const struct tally_entry **sorted = malloc((n ? n : 1) * sizeof *sorted);
    if (!sorted)
        return NULL;
    for (size_t i = 0; i < n; i++)
        sorted[i] = &tally->entries[i];
    qsort(sorted, n, sizeof *sorted, compare);
    return sorted;
}
