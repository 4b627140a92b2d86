/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sync.c: the executor that runs everything in the caller's thread, in the
 * order of plan numbers: the reference for the others, and what a debugger
 * steps through.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "engine/walk.h"
#include "executor/executor.h"

static plait_status sync_start(void *self, plait_run *run, plait_error *err)
{
    (void)self;
    pl_lane *lane = pl_calloc_aligned(PL_CACHE_LINE, sizeof *lane);
    if (!lane)
        return pl_error_nomem(err);
    pl_walk_init(run);
    pl_lane_init(lane, run, 0);
    /* release: plait_run_counts finds a whole lane */
    atomic_store_explicit(&run->lanes[0], lane, memory_order_release);
    run->driver = lane;
    /* in a task of another run: the thread has an attachment already */
    pl_attachment *outer = pl_attachment_current();
    pl_attachment own = { .worker = 0 };
    if (!outer)
        pl_attachment_set_current(&own);
    pl_lane_enter(lane, outer ? outer : &own);
    pl_walk(lane, NULL);
    pl_lane_leave(lane);
    plait_run_end(run);
    if (!outer) {
        pl_attachment_fini(&own);
        pl_attachment_set_current(NULL);
    }
    return PLAIT_OK;
}

static void sync_forget(void *self, plait_run *run)
{
    (void)self;
    pl_lane *lane = run->driver;
    if (lane)
        pl_lane_fini(lane);
    pl_free(lane);
}

const plait_executor_ops pl_sync_ops = {
    .size = sizeof(plait_executor_ops),
    .name = "sync",
    .flags = PL_EXECUTOR_NOT_OWNED,
    .start = sync_start,
    .forget = sync_forget,
};
