/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * walk.h: driving a run in the order of its plan numbers, one thread at a time.
 * Numbers are a topological order, so inputs need no counting. What `sync`
 * does, and a pool for a run that is limited to one worker.
 *
 * A cell is set up when its task ends, not before: that saves a pass over all
 * of them. Only when a task fails, or the run stops, are the rest set up, since
 * poison and uses that doomed tasks give up are kept in cells of tasks to come.
 */
#ifndef PL_WALK_H
#define PL_WALK_H

#include "engine/lane.h"

/* Makes targets readable from other threads: before the first pl_walk, and
 * before anybody else knows the run.  Thread: any.  Blocks: no. */
void pl_walk_init(plait_run *run);

/* When a walk is to stop for now: `yield` is asked before each task while
 * *hint is not 0. */
typedef struct pl_walk_yield {
    const _Atomic uint32_t *hint;
    bool (*yield)(void *user);
    void *user;
} pl_walk_yield;

/*
 * Runs tasks until the run is resolved, or `yield` (NULL: never) says to stop
 * for now. True: resolved; the caller ends the run.
 * Thread: one at a time, handing over with release and acquire.
 * Blocks: as tasks do.
 */
bool pl_walk(pl_lane *lane, const pl_walk_yield *yield);

#endif
