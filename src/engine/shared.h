/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shared.h: driving a run by many threads.
 *
 * A lane that has got a ready task runs it with pl_shared_run, which returns
 * the lowest of the tasks that this made ready, or PL_NONE; the others have
 * been pushed through lane->push, lowest last. Decrements of counters that all
 * lanes hammer may be held back; before a lane looks for work elsewhere, or
 * leaves, it calls pl_shared_flush, which may push too.
 */
#ifndef PL_SHARED_H
#define PL_SHARED_H

#include "engine/lane.h"

/* Thread: the lane's.  Blocks: as the task does. */
uint32_t pl_shared_run(pl_lane *lane, uint32_t task);

/* Thread: the lane's.  Blocks: no. */
void pl_shared_flush(pl_lane *lane);

#endif
