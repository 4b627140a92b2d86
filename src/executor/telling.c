/* SPDX-License-Identifier: BSD-3-Clause */
/* telling.c: what the engine reports, told to the observers and to the log. */
#include "executor/computation.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "log/log.h"
#include "platform/clock.h"
#include "platform/park.h"
#include "process.h"

#define ALL_KINDS ((1u << 9) - 1)

/* How many calls of observers this thread is in, and of which run. */
static PL_THREAD_LOCAL const pl_computation *telling_of;
static PL_THREAD_LOCAL uint32_t telling_depth;

static unsigned kinds_of(const plait_observer *observer)
{
    return observer->kinds ? observer->kinds : ALL_KINDS;
}

/* Copies an observer; one without a function observes nothing. */
static plait_status add_observer(pl_computation *c,
                                 const plait_observer *observer,
                                 plait_error *err)
{
    plait_observer *own = &c->observers[c->n_observers];
    if (!observer)
        return pl_error_set(err, PLAIT_EINVAL,
                            "an observer in plait_options.observers is NULL");
    plait_status status =
        pl_read_struct(own, sizeof *own, observer, "plait_observer",
                       "PLAIT_OBSERVER_INIT", err);
    if (status == PLAIT_OK && own->on_event)
        c->n_observers++;
    return status;
}

plait_status pl_telling_init(pl_computation *c, const plait_options *options,
                             const plait_observer *watcher, plait_error *err)
{
    plait_status status = PLAIT_OK;
    if (options->n_observers == SIZE_MAX)
        return pl_error_nomem(err);
    c->observers = pl_calloc(options->n_observers + 1, sizeof *c->observers);
    if (!c->observers)
        return pl_error_nomem(err);
    for (size_t i = 0; i < options->n_observers && status == PLAIT_OK; i++)
        status = add_observer(c, options->observers[i], err);
    if (watcher && status == PLAIT_OK)
        status = add_observer(c, watcher, err);
    return status;
}

unsigned pl_telling_kinds(const pl_computation *c)
{
    unsigned kinds = PLAIT_TASK_FAILED;
    for (size_t i = 0; i < c->n_observers; i++)
        kinds |= kinds_of(&c->observers[i]);
    return kinds;
}

static void call_observers(const pl_computation *c, const plait_event *event)
{
    for (size_t i = 0; i < c->n_observers; i++) {
        const plait_observer *observer = &c->observers[i];
        if (kinds_of(observer) & (unsigned)event->kind)
            observer->on_event(event, observer->user);
    }
}

/*
 * A call counts itself, then looks whether the observers are still there;
 * pl_telling_stop says that they aren't, then waits for the count. Sequentially
 * consistent, so that one of them sees the other.
 */
static void tell(pl_computation *c, const plait_event *event)
{
    const pl_computation *outer = telling_of;
    uint32_t outer_depth = telling_depth;
    telling_depth = outer == c ? outer_depth + 1 : 1;
    telling_of = c;
    atomic_fetch_add_explicit(&c->telling, 1, memory_order_seq_cst);
    if (!atomic_load_explicit(&c->unwatched, memory_order_seq_cst))
        call_observers(c, event);
    atomic_fetch_sub_explicit(&c->telling, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&c->unwatched, memory_order_seq_cst))
        pl_unpark(&c->telling, INT_MAX);
    telling_of = outer;
    telling_depth = outer_depth;
}

void pl_telling_stop(pl_computation *c)
{
    /* in a forked child the parent's calls never return */
    if (c->n_observers == 0 || c->generation != pl_process_generation())
        return;
    uint32_t own = telling_of == c ? telling_depth : 0;
    atomic_store_explicit(&c->unwatched, true, memory_order_seq_cst);
    uint32_t calls;
    while ((calls = atomic_load_explicit(&c->telling, memory_order_seq_cst)) >
           own)
        pl_park(&c->telling, calls, PL_FOREVER);
}

static void log_failure(const char *key, plait_value error)
{
    if (!plait_error_is_stop(error) && pl_log_enabled(PLAIT_ERROR))
        pl_log_line(PLAIT_ERROR, key, "%s", plait_error_text(error));
}

void pl_telling_event(plait_run *run, plait_event_kind kind, uint32_t task,
                      unsigned worker, plait_value value)
{
    pl_computation *c = pl_computation_of(run);
    char key[sizeof(((plait_error *)0)->key)] = "";
    plait_event event = { .size = sizeof event,
                          .kind = kind,
                          .run = run,
                          .graph = run->plan->graph,
                          .key = key,
                          .worker = worker,
                          .time_ns = pl_clock_ns(),
                          .n_tasks = run->plan->n_tasks };
    if (task != PL_NONE) {
        event.task = plait_run_task(run, task);
        pl_plan_key(run->plan, task, key, sizeof key);
    }
    if (plait_is_error(value))
        event.error = plait_as_error(value);
    event.value = value;
    if (kind == PLAIT_TASK_FAILED)
        log_failure(key, value);
    if (c->n_observers)
        tell(c, &event);
}

void pl_telling_end(pl_computation *c)
{
    /* relaxed: only that it is told once matters */
    if (pl_run_wants(&c->run, PLAIT_RUN_END) &&
        !atomic_exchange_explicit(&c->told_end, true, memory_order_relaxed))
        pl_telling_event(&c->run, PLAIT_RUN_END, PL_NONE, PL_NO_WORKER,
                         plait_nil());
}
