/* SPDX-License-Identifier: BSD-3-Clause */
/* computation.c: a run from its start to its end. */
#include "executor/computation.h"

#include <limits.h>

#include "base/alloc.h"
#include "base/error.h"
#include "engine/lane.h"
#include "engine/owned.h"
#include "platform/clock.h"
#include "platform/park.h"
#include "process.h"

#define HELP_AGAIN_NS 1000000

/* The run whose on_done callbacks this thread is in. */
static PL_THREAD_LOCAL const pl_computation *calling_back;

/* ---- ending ---- */

/* Whether the executor has let go of it; in a callback, as good as. */
static bool has_ended(const pl_computation *c)
{
    /* acquire: results are read after it */
    return (atomic_load_explicit(&c->run.event, memory_order_acquire) &
            PL_LET_GO_BY_EXECUTOR) ||
           calling_back == c;
}

static void destroy(pl_computation *c)
{
    plait_run *run = &c->run;
    if (c->executor->ops.forget)
        c->executor->ops.forget(c->executor->self, run);
    pl_owned_fini(run);
    pl_run_fini(run);
    pl_mutex_fini(&c->mutex);
    pl_executor_release(c->executor);
    pl_free(c->observers);
    pl_free(c);
}

/* Who lets go last destroys. True: the other holds it still, and may destroy it
 * at any moment. */
static bool let_go(pl_computation *c, uint32_t by)
{
    uint32_t both = PL_LET_GO_BY_EXECUTOR | PL_LET_GO_BY_USER;
    /* acq_rel: what either did to the run is behind it when it goes */
    uint32_t before =
        atomic_fetch_or_explicit(&c->run.event, by, memory_order_acq_rel);
    if (((before | by) & both) != both)
        return true;
    destroy(c);
    return false;
}

/* Wakes who waits for the run. Only an atomic and a futex: a signal's handler
 * may call it. */
static void changed(plait_run *run)
{
    /* release: what has happened to the run is seen by who wakes */
    atomic_fetch_add_explicit(&run->event, PL_RUN_EVENT, memory_order_release);
    pl_unpark(&run->event, INT_MAX);
}

static void on_stop(plait_run *run)
{
    const plait_executor *executor = pl_computation_of(run)->executor;
    changed(run);
    if (executor->ops.cancel)
        executor->ops.cancel(executor->self, run);
}

static pl_on_done *take_on_done(pl_computation *c)
{
    pl_mutex_lock(&c->mutex);
    pl_on_done *list = c->on_done;
    c->on_done = NULL;
    c->ended = true; /* a callback that comes later is called by who adds it */
    pl_mutex_unlock(&c->mutex);
    return list;
}

static void call_on_done(pl_computation *c, pl_on_done *list)
{
    const pl_computation *outer = calling_back;
    calling_back = c;
    while (list) {
        pl_on_done *done = list;
        list = done->next;
        done->fn(&c->run, done->user);
        pl_free(done);
    }
    calling_back = outer;
}

/* Frees the run's objects that could not be freed where they were released, and
 * lets go of the runtime before user code is called. */
static void free_deferred(void)
{
    pl_attachment own = { .worker = UINT_MAX };
    pl_attachment *current = pl_attachment_current();
    pl_attachment *attachment = current ? current : &own;
    pl_attachment_set_current(attachment);
    pl_runtime_drain(attachment);
    pl_detach(attachment);
    pl_attachment_set_current(current);
    if (!current)
        pl_attachment_fini(&own);
}

static void on_end(plait_run *run)
{
    pl_computation *c = pl_computation_of(run);
    pl_alarm_cancel(&c->alarm);
    if (pl_run_resolved(run))
        pl_run_sweep(run);
    free_deferred();
    pl_telling_end(c);
    call_on_done(c, take_on_done(c));
    /* Waits may return from here on: only the address is used any more. A
     * sleeper on what lies there next looks again, as after any wake. */
    if (let_go(c, PL_LET_GO_BY_EXECUTOR))
        pl_unpark(&run->event, INT_MAX);
}

/* Tells tasks of language runtimes that they had better end. In a forked child
 * there are none, and a lock of the pool may be held for ever. */
static void interrupt_worker(pl_computation *c, unsigned worker)
{
    if (c->executor->interrupt && c->generation == pl_process_generation() &&
        !has_ended(c))
        c->executor->interrupt(c->executor->self, &c->run, worker);
}

/* All tasks, once the run has a driver. */
static void interrupt(pl_computation *c)
{
    if (atomic_load_explicit(&c->started, memory_order_seq_cst))
        interrupt_worker(c, PL_NO_WORKER);
}

static void task_time_is_up(pl_alarm *alarm)
{
    pl_lane *lane = (pl_lane *)((char *)alarm - offsetof(pl_lane, deadline));
    interrupt_worker(pl_computation_of(lane->run), lane->worker);
}

/* Without the thread for alarms a task is still told by plait_cancelled. */
static void on_deadline(pl_lane *lane, int64_t at_ns)
{
    if (at_ns == INT64_MAX)
        pl_alarm_cancel(&lane->deadline);
    else
        pl_alarm_set(&lane->deadline, at_ns, task_time_is_up, NULL);
}

static void time_is_up(pl_alarm *alarm)
{
    pl_computation *c =
        (pl_computation *)((char *)alarm - offsetof(pl_computation, alarm));
    if (pl_run_resolved(&c->run))
        return;
    pl_run_stop(&c->run, PLAIT_ETIMEDOUT);
    interrupt(c);
}

/* ---- starting ---- */

static void drop_slot(plait_run *run, plait_slot *slot)
{
    const plait_executor *executor = pl_computation_of(run)->executor;
    if (executor->ops.drop)
        executor->ops.drop(executor->self, run, slot);
}

/* As many lanes as tasks may run at one time. */
static uint32_t lanes_for(const pl_computation *c, const plait_plan *plan,
                          const plait_options *options)
{
    uint32_t n =
        atomic_load_explicit(&c->executor->workers, memory_order_relaxed);
    if (options->workers && options->workers < n)
        n = options->workers;
    else if (!options->workers && !options->executor)
        n = plait_cpu_count();
    if (plan->n_tasks < n)
        n = plan->n_tasks;
    return n ? n : 1;
}

static plait_status set_up(pl_computation *c, plait_plan *plan,
                           const plait_options *options,
                           const plait_observer *watcher, plait_error *err)
{
    const plait_executor_ops *ops = &c->executor->ops;
    plait_status status = pl_telling_init(c, options, watcher, err);
    if (status != PLAIT_OK)
        return status;
    pl_run_setup setup = {
        .on_event = pl_telling_event,
        .on_stop = on_stop,
        .on_end = on_end,
        .on_deadline = on_deadline,
        .drop = ops->flags & PLAIT_EXECUTOR_REMOTE_VALUES ? drop_slot : NULL,
        .event_kinds = pl_telling_kinds(c),
        .on_error = options->on_error,
        .retries = options->retries,
        .worker_losses = options->worker_losses,
        .timeout_ms = options->timeout_ms,
        .n_lanes = lanes_for(c, plan, options),
        .user = options->user,
    };
    return pl_run_init(&c->run, plan, &setup) ? PLAIT_OK : pl_error_nomem(err);
}

static pl_computation *new_computation(plait_plan *plan,
                                       const plait_options *options,
                                       const plait_observer *watcher,
                                       plait_error *err)
{
    plait_executor *executor = pl_executor_find(options, err);
    if (!executor)
        return NULL;
    pl_computation *c = pl_calloc_aligned(PL_CACHE_LINE, sizeof *c);
    if (!c) {
        pl_error_nomem(err);
        pl_executor_release(executor);
        return NULL;
    }
    c->executor = executor;
    c->generation = pl_process_generation();
    c->run_timeout_ms = options->run_timeout_ms;
    if (set_up(c, plan, options, watcher, err) != PLAIT_OK) {
        pl_executor_release(executor);
        pl_free(c->observers);
        pl_free(c);
        return NULL;
    }
    pl_mutex_init(&c->mutex);
    return c;
}

void pl_computation_started(plait_run *run)
{
    pl_computation *c = pl_computation_of(run);
    /* sequentially consistent, here and in `interrupt`'s callers: who stops a
     * run that is just being started, or who starts it, interrupts it */
    atomic_store_explicit(&c->started, true, memory_order_seq_cst);
    if (atomic_load_explicit(&run->stop_status, memory_order_seq_cst) != 0)
        interrupt(c);
}

static plait_status start(pl_computation *c, plait_error *err)
{
    plait_run *run = &c->run;
    const plait_executor_ops *ops = &c->executor->ops;
    if (!(ops->flags & PL_EXECUTOR_NOT_OWNED) && !pl_owned_init(run))
        return pl_error_nomem(err);
    plait_status status = ops->start(c->executor->self, run, err);
    if (status != PLAIT_OK)
        return status;
    pl_computation_started(run);
    return PLAIT_OK;
}

/* Hands the run to its executor, which ends it, at once perhaps. */
static plait_status hand_over(pl_computation *c, plait_error *err)
{
    plait_run *run = &c->run;
    if (c->run_timeout_ms) {
        plait_status status = pl_alarm_set(
            &c->alarm, pl_clock_after_ms(c->run_timeout_ms), time_is_up, err);
        if (status != PLAIT_OK)
            return status;
    }
    pl_run_tell(run, PLAIT_RUN_BEGIN, PL_NONE, PL_NO_WORKER, plait_nil());
    if (pl_run_resolved(run)) { /* nothing to do */
        on_end(run);
        return PLAIT_OK;
    }
    plait_status status = start(c, err);
    if (status != PLAIT_OK)
        pl_telling_end(c);
    return status;
}

/* Sets aside, for as long as a task waits, the runtime that it runs in. */
static pl_attachment *step_out(pl_attachment_aside *aside)
{
    pl_attachment *attachment =
        pl_context_current() ? pl_attachment_current() : NULL;
    if (attachment)
        pl_attachment_set_aside(attachment, aside);
    return attachment;
}

static void step_in(pl_attachment *attachment, const pl_attachment_aside *aside)
{
    if (attachment)
        pl_attachment_take_up(attachment, aside);
}

plait_run *pl_computation_start(plait_plan *plan, const plait_options *options,
                                const plait_observer *watcher, plait_error *err)
{
    pl_computation *c = new_computation(plan, options, watcher, err);
    if (!c)
        return NULL;
    pl_attachment_aside aside;
    pl_attachment *attachment = step_out(&aside);
    plait_status status = hand_over(c, err);
    step_in(attachment, &aside);
    if (status != PLAIT_OK) {
        pl_alarm_cancel(&c->alarm);
        destroy(c);
        return NULL;
    }
    return &c->run;
}

/* ---- waiting ---- */

bool pl_computation_is_over(const pl_computation *c)
{
    /* acquire: what it stopped for is read next */
    int32_t stop =
        atomic_load_explicit(&c->run.stop_status, memory_order_acquire);
    return has_ended(c) || stop == PLAIT_ETASK ||
           (stop != PLAIT_OK && pl_computation_is_cut_short(c));
}

bool pl_computation_is_cut_short(const pl_computation *c)
{
    /* in this order: a task is cancelled before the run is resolved by that */
    return !pl_run_resolved(&c->run) ||
           (pl_run_trouble(&c->run) & PL_TROUBLE_CANCELLED);
}

/* Whether this thread is in a task of the run. */
static bool is_inside(const plait_run *run)
{
    for (const plait_context *ctx = pl_context_current(); ctx;
         ctx = ctx->outer) {
        if (ctx->run == run)
            return true;
    }
    return false;
}

/* An executor's help may return when there is nothing to do: when it is to be
 * asked again, unless something happens to the run before. */
static int64_t help(pl_computation *c, int64_t until_ns)
{
    const plait_executor *executor = c->executor;
    executor->ops.help(executor->self, &c->run, until_ns);
    int64_t again_ns = pl_clock_ns() + HELP_AGAIN_NS;
    return again_ns < until_ns ? again_ns : until_ns;
}

static plait_status wait_until(pl_computation *c, int64_t until_ns)
{
    plait_run *run = &c->run;
    bool helps = pl_context_current() && c->executor->ops.help;
    for (;;) {
        /* acquire: what changes after this look wakes the park */
        uint32_t event =
            atomic_load_explicit(&run->event, memory_order_acquire);
        if (pl_computation_is_over(c))
            return PLAIT_OK;
        int64_t sleep_ns = until_ns;
        if (helps && !pl_run_resolved(run))
            sleep_ns = help(c, until_ns);
        pl_park_result woken = pl_park(&run->event, event, sleep_ns);
        if (woken == PL_PARK_SIGNAL)
            return PLAIT_EINTR;
        if (woken == PL_PARK_TIMEOUT && pl_clock_ns() >= until_ns)
            return pl_computation_is_over(c) ? PLAIT_OK : PLAIT_EAGAIN;
    }
}

plait_status plait_run_wait(plait_run *run, int64_t timeout_ms,
                            plait_error *err)
{
    if (!run)
        return pl_error_set(err, PLAIT_EINVAL, "the run is NULL");
    pl_computation *c = pl_computation_of(run);
    if (is_inside(run))
        return pl_error_set(err, PLAIT_EINVAL,
                            "a task waits for the run that it is part of, "
                            "which can't end before the task does");
    if (!has_ended(c) && c->generation != pl_process_generation())
        return pl_error_set(err, PLAIT_EINVAL,
                            "the run was started before fork, by the parent "
                            "process: start it again in the child");
    pl_attachment_aside aside;
    pl_attachment *attachment = step_out(&aside);
    plait_status status = wait_until(c, pl_clock_after_ms(timeout_ms));
    step_in(attachment, &aside);
    if (status == PLAIT_OK)
        return pl_computation_status(c, err);
    return pl_error_set(err, status, "the run goes on: %s",
                        plait_status_text(status));
}

static bool uses_runtimes(const plait_run *run)
{
    for (uint32_t i = 0; i < run->plan->n_functions; i++) {
        if (run->functions[i]->runtime)
            return true;
    }
    return false;
}

void plait_run_cancel(plait_run *run)
{
    if (!run || pl_run_resolved(run))
        return;
    pl_run_stop(run, PLAIT_ECANCELED);
    if (uses_runtimes(run))
        interrupt(pl_computation_of(run));
}

void plait_run_free(plait_run *run)
{
    if (!run)
        return;
    pl_computation *c = pl_computation_of(run);
    if (!has_ended(c)) {
        plait_run_cancel(run);
        pl_telling_end(c);
    }
    pl_telling_stop(c);
    let_go(c, PL_LET_GO_BY_USER);
}

plait_status plait_run_on_done(plait_run *run,
                               void (*fn)(plait_run *run, void *user),
                               void *user)
{
    if (!run || !fn)
        return PLAIT_EINVAL;
    pl_computation *c = pl_computation_of(run);
    pl_on_done *done = pl_alloc(sizeof *done);
    if (!done)
        return PLAIT_ENOMEM;
    pl_mutex_lock(&c->mutex);
    if (!c->ended) {
        *done = (pl_on_done){ c->on_done, fn, user };
        c->on_done = done;
    }
    bool ended = c->ended;
    pl_mutex_unlock(&c->mutex);
    if (ended) {
        pl_free(done);
        fn(run, user);
    }
    return PLAIT_OK;
}
