/* SPDX-License-Identifier: BSD-3-Clause */
/* clock.c: time in nanoseconds. */
#include "platform/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t pl_clock_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

int64_t pl_clock_wall_ns(void)
{
    return read_ns(CLOCK_REALTIME);
}

int64_t pl_clock_after_ms(int64_t ms)
{
    int64_t now = pl_clock_ns();
    if (ms < 0 || ms > (INT64_MAX - now) / 1000000)
        return INT64_MAX;
    return now + ms * 1000000;
}
