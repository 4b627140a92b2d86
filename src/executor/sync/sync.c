/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sync.c: the executor that runs everything in the caller's thread, in the
 * order of plan numbers: the reference for the others, and what a debugger
 * steps through.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "engine/walk.h"
#include "executor/computation.h"
#include "platform/thread.h"

typedef struct sync_driver {
    pl_lane lane;
    pl_mutex mutex;
    bool is_running; /* guarded by mutex: the lane has its thread */
} sync_driver;

static sync_driver *new_driver(plait_run *run)
{
    sync_driver *driver = pl_calloc_aligned(PL_CACHE_LINE, sizeof *driver);
    if (!driver)
        return NULL;
    pl_mutex_init(&driver->mutex);
    pl_lane_init(&driver->lane, run, 0);
    /* release: plait_run_counts finds a whole lane */
    atomic_store_explicit(&run->lanes[0], &driver->lane, memory_order_release);
    run->driver = driver;
    return driver;
}

static void set_running(sync_driver *driver, bool is_running)
{
    pl_mutex_lock(&driver->mutex);
    driver->is_running = is_running;
    pl_mutex_unlock(&driver->mutex);
}

static void walk(sync_driver *driver, pl_attachment *attachment)
{
    pl_lane *lane = &driver->lane;
    pl_lane_enter(lane, attachment);
    set_running(driver, true);
    /* Nobody has the run yet, so that only its alarms interrupt it. */
    pl_computation_started(lane->run);
    pl_walk_to_end(lane);
    set_running(driver, false);
    pl_lane_leave(lane);
}

static plait_status sync_start(void *self, plait_run *run, plait_error *err)
{
    (void)self;
    sync_driver *driver = new_driver(run);
    if (!driver)
        return pl_error_nomem(err);
    pl_walk_init(run);
    /* in a task of another run: the thread has an attachment already */
    pl_attachment *outer = pl_attachment_current();
    pl_attachment own = { .worker = 0 };
    if (!outer)
        pl_attachment_set_current(&own);
    walk(driver, outer ? outer : &own);
    plait_run_end(run);
    if (!outer) {
        pl_attachment_fini(&own);
        pl_attachment_set_current(NULL);
    }
    return PLAIT_OK;
}

void pl_sync_interrupt(void *self, plait_run *run, unsigned worker)
{
    (void)self;
    (void)worker;
    sync_driver *driver = run->driver;
    pl_mutex_lock(&driver->mutex);
    if (driver->is_running)
        pl_attachment_interrupt(driver->lane.attachment);
    pl_mutex_unlock(&driver->mutex);
}

static void sync_forget(void *self, plait_run *run)
{
    (void)self;
    sync_driver *driver = run->driver;
    if (!driver)
        return;
    pl_lane_fini(&driver->lane);
    pl_mutex_fini(&driver->mutex);
    pl_free(driver);
}

const plait_executor_ops pl_sync_ops = {
    .size = sizeof(plait_executor_ops),
    .name = "sync",
    .flags = PL_EXECUTOR_NOT_OWNED,
    .start = sync_start,
    .forget = sync_forget,
};
