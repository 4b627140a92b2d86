/* SPDX-License-Identifier: BSD-3-Clause */
/* counted.h: objects that are counted, so that a test sees what is freed. */
#ifndef COUNTED_H
#define COUNTED_H

#include <plait/value.h>

/* An object that holds a number. */
plait_value counted_new(int64_t number);

/* The number of a counted object, or of an integer. */
int64_t counted_number(plait_value v);

/* How many live, and the most that did since the last counted_reset. */
long counted_alive(void);
long counted_peak(void);
void counted_reset(void);

#endif
