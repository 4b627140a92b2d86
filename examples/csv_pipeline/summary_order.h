/* SPDX-License-Identifier: BSD-3-Clause */
/* summary_order.h: the order in which groups are shown. */
#ifndef EXAMPLE_SUMMARY_ORDER_H
#define EXAMPLE_SUMMARY_ORDER_H

#include "tally.h"

/* The entries, numbers first and by value, then texts byte by byte. The caller
 * frees the array; NULL when there is no memory. */
const struct tally_entry **summary_sorted(const struct tally *tally);

#endif
