/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spread.h: a run begins as a walk by one lane, the walker, and is shared when
 * that pays. Two workers on tasks that do nothing mostly move cache lines
 * between two CPUs, and counting arrivals costs more than such a task: the walk
 * is the better half for tasks under half a microsecond.
 *
 * Sharing takes the rest of the plan from the walker in one step, while it is
 * in a task. The walker stores the task that it stands at, then (a light
 * barrier between) looks whether the run is shared. Who shares says so, then (a
 * heavy barrier between) reads where the walker stands. One of them sees the
 * other, so:
 *
 *   - the task that was read is the walker's own, begun or not, and it begins
 *     none behind it;
 *   - the cells behind it are set up by who shares; missing counts only inputs
 *     from the own task on, as all before have arrived;
 *   - the walker, when it sees that the run is shared, waits until that is
 *     done, then runs its own task if it had not, tells the own task's
 *     successors, and goes on as a lane like others.
 *
 * So nothing but what needs the own task waits for it, however long it runs.
 *
 * A walker that leaves for a while says so by an atomic operation on the same
 * word; a run that is shared meanwhile has no own task. The cell of the own
 * task may not be set up when a doomed task gives up a use of it: such uses are
 * owed, and given up by the walker (failure.c).
 *
 * Modelled in tests/model/spread.pml.
 */
#ifndef PL_SPREAD_H
#define PL_SPREAD_H

#include "engine/lane.h"

/* Instead of pl_walk_init: lanes can come to share the run. Nobody walks yet.
 * Thread: any.  Blocks: no. */
void pl_spread_init(plait_run *run);

/* Begins to walk a run that nobody walks. False: it is being shared.
 * Thread: the lane's; one walks at a time.  Blocks: no. */
bool pl_spread_enter(plait_run *run);

/* The walker leaves, behind pl_walk. False: the run is being shared, and the
 * walker has its own part to do (pl_spread_finish).
 * Thread: the walker's.  Blocks: no. */
bool pl_spread_leave(plait_run *run);

/* Shares the run; pushes, through lane->push, what is ready and no source.
 * `walks`: the lane is the walker's, behind pl_walk. False: another does it, or
 * has.  Thread: the lane's.  Blocks: no. */
bool pl_spread_share(pl_lane *lane, bool walks);

/* Shares a run that nobody has begun, nor knows.  Blocks: no. */
void pl_spread_at_once(plait_run *run);

/* Whether the run is shared, and all is set up for it. */
static inline bool pl_spread_is_done(const plait_run *run)
{
    /* acquire: the cells, and the walker's results */
    return atomic_load_explicit(&run->shared_from, memory_order_acquire) !=
           PL_NONE;
}

/* Whether somebody has begun to share it. relaxed: a hint to who waits. */
static inline bool pl_spread_is_begun(const plait_run *run)
{
    return atomic_load_explicit(&run->trouble, memory_order_relaxed) &
           PL_WALK_SHARED;
}

/* What is left to the walker of a run that was shared (pl_spread_is_done), once
 * in a run. Returns PL_NONE, or a task that is ready and the caller's.
 * Thread: the walker's.  Blocks: no. */
uint32_t pl_spread_finish(pl_lane *lane);

#endif
