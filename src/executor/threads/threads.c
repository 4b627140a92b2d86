/* SPDX-License-Identifier: BSD-3-Clause */
/* threads.c: the ops of the threads executor. */
#include "executor/threads/threads.h"

#include "base/error.h"
#include "engine/spread.h"
#include "engine/walk.h"
#include "executor/executor.h"
#include "executor/threads/pool.h"
#include "platform/park.h"

static plait_status threads_open(const plait_options *options, void **self,
                                 plait_error *err)
{
    pl_pool *pool;
    plait_status status = pl_pool_new(options->workers, options, &pool, err);
    *self = pool;
    return status;
}

static plait_status threads_grow(void *self, unsigned workers, plait_error *err)
{
    return pl_pool_grow(self, workers, err);
}

static void tell_sources(plait_run *run)
{
    const plait_plan *plan = run->plan;
    for (uint32_t i = 0; i < plan->n_sources; i++)
        pl_run_tell(run, PLAIT_TASK_READY, plan->sources[i], PL_NO_WORKER,
                    plait_nil());
}

static plait_status threads_start(void *self, plait_run *run, plait_error *err)
{
    /* who watches wants to be told when tasks become ready, not when a walker
     * comes to them */
    bool at_once = run->n_lanes > 1 && run->careful;
    if (at_once)
        pl_spread_at_once(run);
    else if (run->n_lanes > 1)
        pl_spread_init(run);
    else
        pl_walk_init(run);
    pl_team *team = pl_team_new(run, self, run->n_lanes);
    if (!team)
        return pl_error_nomem(err);
    if (at_once && pl_run_wants(run, PLAIT_TASK_READY))
        tell_sources(run);
    if (!pl_pool_add(self, team))
        return pl_error_set(err, PLAIT_ECLOSED, "the executor is closed");
    return PLAIT_OK;
}

static void threads_help(void *self, plait_run *run, int64_t until_ns)
{
    pl_pool_help(self, run->driver, until_ns);
}

void pl_threads_interrupt(void *self, plait_run *run, unsigned worker)
{
    if (run->driver)
        pl_pool_interrupt(self, run->driver, worker);
}

static void threads_forget(void *self, plait_run *run)
{
    (void)self;
    if (run->driver)
        pl_team_free(run->driver);
}

static void threads_close(void *self)
{
    pl_pool_close(self, PL_FOREVER);
}

void pl_threads_exit(void *self, int64_t until_ns)
{
    pl_pool_close(self, until_ns);
}

const plait_executor_ops pl_threads_ops = {
    .size = sizeof(plait_executor_ops),
    .name = "threads",
    .flags = PL_EXECUTOR_NOT_OWNED,
    .open = threads_open,
    .start = threads_start,
    .help = threads_help,
    .forget = threads_forget,
    .close = threads_close,
    .grow = threads_grow,
};
