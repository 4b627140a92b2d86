/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table_type.h: tables as values. They can be encoded, so they may also leave
 * the process.
 */
#ifndef EXAMPLE_TABLE_TYPE_H
#define EXAMPLE_TABLE_TYPE_H

#include <plait/value.h>

extern const plait_type table_type; /* the data is a struct table */

#endif
