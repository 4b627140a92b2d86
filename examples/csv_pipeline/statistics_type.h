/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * statistics_type.h: statistics as values. They can be encoded, so they may
 * also leave the process.
 */
#ifndef EXAMPLE_STATISTICS_TYPE_H
#define EXAMPLE_STATISTICS_TYPE_H

#include <plait/value.h>

extern const plait_type statistics_type; /* the data is a struct statistics */

#endif
