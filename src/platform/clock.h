/* SPDX-License-Identifier: BSD-3-Clause */
/* clock.h: time in nanoseconds.  Thread: any.  Blocks: no. */
#ifndef PL_CLOCK_H
#define PL_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC. */
int64_t pl_clock_ns(void);

/* Since 1970, UTC. */
int64_t pl_clock_wall_ns(void);

/* pl_clock_ns() + ms, PL_FOREVER (INT64_MAX) for what doesn't fit or ms < 0. */
int64_t pl_clock_after_ms(int64_t ms);

#endif
