/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * walk.h: driving a run in the order of its plan numbers, one thread at a time.
 * Numbers are a topological order, so inputs need no counting. What `sync`
 * does, and a pool for a run that is limited to one worker.
 */
#ifndef PL_WALK_H
#define PL_WALK_H

#include "engine/lane.h"

/*
 * Runs tasks until the run is resolved, or `yield` (NULL: never; asked before
 * each task) says to stop for now. True: resolved; the caller ends the run.
 * Thread: one at a time, handing over with release and acquire.
 * Blocks: as tasks do.
 */
bool pl_walk(pl_lane *lane, bool (*yield)(void *user), void *user);

#endif
