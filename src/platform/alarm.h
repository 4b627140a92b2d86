/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * alarm.h: calling a function at a time, on one thread that all alarms share.
 * It is begun at the first alarm, and ends when there is none left.
 */
#ifndef PL_ALARM_H
#define PL_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include <plait/error.h>

typedef struct pl_alarm {
    struct pl_alarm *next;
    struct pl_alarm *previous;
    int64_t at_ns; /* CLOCK_MONOTONIC */
    void (*ring)(struct pl_alarm *alarm);
    bool set;
} pl_alarm;

/*
 * Calls ring(alarm) at at_ns, with no lock held, at most once. The alarm must
 * live until it has been cancelled. PLAIT_ESYS: the thread can't be begun.
 * Thread: any.  Blocks: no.
 */
plait_status pl_alarm_set(pl_alarm *alarm, int64_t at_ns,
                          void (*ring)(pl_alarm *alarm), plait_error *err);

/* It doesn't ring any more when this returns; not set is fine.
 * Thread: any.  Blocks: while it rings, unless this is its thread. */
void pl_alarm_cancel(pl_alarm *alarm);

/* process.c calls them around fork; a child has no alarms. */
void pl_alarm_fork_prepare(void);
void pl_alarm_fork_parent(void);
void pl_alarm_fork_child(void);

#endif
