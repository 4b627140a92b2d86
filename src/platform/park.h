/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * park.h: sleeping on a 32-bit word until somebody changes it and wakes.
 *
 * Linux: futexes. Elsewhere: a table of mutexes and condition variables by
 * address. Wake-ups may be spurious; the caller looks again.
 */
#ifndef PL_PARK_H
#define PL_PARK_H

#include <stdatomic.h>
#include <stdint.h>

#define PL_FOREVER INT64_MAX

typedef enum pl_park_result {
    PL_PARK_WOKEN,   /* or the word had changed already, or for no reason */
    PL_PARK_TIMEOUT, /* until_ns has passed */
    PL_PARK_SIGNAL   /* a signal's handler ran; told on Linux only */
} pl_park_result;

/* Sleeps while *word == expected, at most until until_ns (CLOCK_MONOTONIC).
 * Thread: any.  Blocks: yes. */
pl_park_result pl_park(_Atomic uint32_t *word, uint32_t expected,
                       int64_t until_ns);

/* Wakes up to n sleepers; the caller has changed the word before.
 * Thread: any.  Blocks: no. */
void pl_unpark(_Atomic uint32_t *word, int n);

#endif
