/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lane.h: one worker's part in one run: the context that tasks get, the tasks
 * it has counted, and the calling of a task's function.
 *
 * A lane is used by one thread at a time. Its counters are read by others, so
 * they are atomic; only the owner writes them, with a load and a store.
 */
#ifndef PL_LANE_H
#define PL_LANE_H

#include "engine/run.h"
#include "platform/alarm.h"

/* What plait_context is: the running task, seen from inside. */
struct plait_context {
    plait_run *run;
    struct pl_lane *lane;
    plait_context *outer; /* of the task that this thread waits in; or NULL */
    uint32_t attempt;     /* from 1 */
    int64_t deadline_ns;  /* INT64_MAX: none */
    uint32_t key_task;    /* that `key` belongs to; PL_NONE: none */
    char key[sizeof(((plait_error *)0)->key)];
};

typedef struct pl_lane {
    plait_run *run;
    unsigned worker;
    plait_context context;
    pl_attachment *attachment; /* of the thread that uses the lane */
    pl_alarm deadline;         /* of a runtime's task: interrupts it */
    plait_value *args;         /* room for more than PL_ARGS_INLINE */
    size_t args_room;
    plait_value walk_error; /* walk: of the task that it stands at; nil */
    /* shared: decrements kept back; see shared.c */
    uint32_t held_successor;
    uint32_t held_arrivals;
    uint32_t held_input;
    uint32_t held_uses;
    void (*push)(struct pl_lane *lane, uint32_t task); /* shared: takes a
                                                          task that is ready */
    uint32_t careful; /* not 0: every task takes the slow path, because the run
                         is watched or the thread is attached to a runtime */
    _Atomic uint32_t current; /* the task that runs; PL_NONE: nothing */
    _Atomic uint32_t done;
    _Atomic uint32_t failed;
    _Atomic uint32_t skipped;
} pl_lane;

void pl_lane_init(pl_lane *lane, plait_run *run, unsigned worker);
void pl_lane_fini(pl_lane *lane);

/* The thread begins to use the lane, and ends it. Its tasks are then inside the
 * task that the thread was in. */
void pl_lane_enter(pl_lane *lane, pl_attachment *attachment);
void pl_lane_leave(pl_lane *lane);

/* Looks whether its thread is attached to a runtime: plain tasks must then be
 * detached before. After each pl_attach for the lane. */
void pl_lane_attached(pl_lane *lane);

/* Counting: the owner is the only writer, so no atomic addition is needed. */
static inline void pl_lane_count(_Atomic uint32_t *counter)
{
    /* relaxed: a statistic */
    atomic_store_explicit(
        counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
        memory_order_relaxed);
}

/* The lane runs no task for a while. */
static inline void pl_lane_rest(pl_lane *lane)
{
    /* relaxed: a statistic */
    atomic_store_explicit(&lane->current, PL_NONE, memory_order_relaxed);
}

/* One call, no retries: for owned runs, which begin each attempt anew. */
plait_value pl_lane_call_once(pl_lane *lane, uint32_t task, uint32_t attempt);

/* The number of the task that a context is of. */
static inline uint32_t pl_context_task(const plait_context *ctx)
{
    return atomic_load_explicit(&ctx->lane->current, memory_order_relaxed);
}

/* The context of the task that this thread is in; NULL: in none. */
plait_context *pl_context_current(void);

/* How often a task may fail before its failure counts. */
unsigned pl_run_retries_of(const plait_run *run, uint32_t task);

#endif
