/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shared.h: driving a run by many threads.
 *
 * A lane that has got a ready task runs it with pl_shared_run, and then the
 * lowest of the tasks that this made ready, and so on; the others are pushed
 * through lane->push, lowest last. Decrements of counters that all lanes hammer
 * may be held back; before a lane looks for work elsewhere, or leaves, it calls
 * pl_shared_flush, which may push too.
 */
#ifndef PL_SHARED_H
#define PL_SHARED_H

#include "engine/lane.h"

/* Runs a ready task and what follows from it. Returns PL_NONE, or a task that
 * is ready and the caller's, when *hint is not 0 or that task needs a runtime.
 * Thread: the lane's.  Blocks: as tasks do. */
uint32_t pl_shared_run(pl_lane *lane, uint32_t task,
                       const _Atomic uint32_t *hint);

/* A task of this lane's has failed with `error` (taken), or has ended and is
 * counted, but its successors don't know yet. Returns as pl_shared_run: a task
 * that became ready.  Thread: the lane's.  Blocks: no. */
uint32_t pl_shared_fail(pl_lane *lane, uint32_t task, plait_value error);
uint32_t pl_shared_feed(pl_lane *lane, uint32_t task);

/* Thread: the lane's.  Blocks: no. */
void pl_shared_flush(pl_lane *lane);

#endif
