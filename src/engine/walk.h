/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * walk.h: driving a run in the order of its plan numbers, one thread at a time.
 * Numbers are a topological order, so inputs need no counting. What `sync`
 * does, and a pool for a run that is limited to one worker.
 */
#ifndef PL_WALK_H
#define PL_WALK_H

#include "engine/lane.h"

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
