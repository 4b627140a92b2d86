/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * walk.h: driving a run in the order of its plan numbers, one thread at a time.
 * Numbers are a topological order, so inputs need no counting. What `sync`
 * does, a pool for a run that is limited to one worker, and how a pool begins
 * all others, until it pays to share them (spread.h).
 *
 * A cell is set up when its task ends, not before: that saves a pass over all
 * of them. Only when a task fails, the run stops, or is shared, are the rest
 * set up, since poison, arrivals, and uses that doomed tasks give up are kept
 * in cells of tasks to come.
 */
#ifndef PL_WALK_H
#define PL_WALK_H

#include "engine/lane.h"

/* Makes targets readable from other threads: before the first pl_walk, and
 * before anybody else knows the run.  Thread: any.  Blocks: no. */
void pl_walk_init(plait_run *run);

/* When a walk is to stop for now: `yield` is asked before each task while
 * *hint is not 0. */
typedef struct pl_walk_until {
    const _Atomic uint32_t *hint;
    bool (*yield)(void *user);
    void *user;
    uint32_t limit; /* a task not to begin yet */
} pl_walk_until;

/* Why a walk has stopped. The last is for runs that spread only. */
typedef enum pl_walk_end {
    PL_WALK_OVER,    /* the run is resolved; the caller ends it */
    PL_WALK_YIELDED, /* `yield` said so */
    PL_WALK_LIMIT,   /* at `limit` */
    PL_WALK_SHARE    /* the run is to be shared, or is: see spread.h */
} pl_walk_end;

/*
 * Runs tasks until the run is resolved, or `until` says to stop.
 * Thread: one at a time, handing over with release and acquire.
 * Blocks: as tasks do.
 */
pl_walk_end pl_walk(pl_lane *lane, const pl_walk_until *until);

/* The same, without stopping, of a run that does not spread. */
void pl_walk_to_end(pl_lane *lane);

#endif
