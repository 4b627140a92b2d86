/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * computation.h: a run as its user sees it: the engine's state, and around it
 * who waits, who watches, when time is up, and when it may be freed.
 *
 * Two hold it: the user, until plait_run_free, and the executor, until
 * plait_run_end is done with it. Each lets go by a bit of run.event; who finds
 * the other's bit set destroys it. So when a wait has returned for a run that
 * ended, plait_run_free destroys it at once.
 *
 * A run has *stopped* when nothing new is begun (cancel, time, PLAIT_STOP):
 * waits return. It has *ended* when nothing of it runs any more; waits return
 * after the callbacks of plait_run_on_done have.
 */
#ifndef PL_COMPUTATION_H
#define PL_COMPUTATION_H

#include "engine/run.h"
#include "executor/executor.h"
#include "platform/alarm.h"
#include "platform/thread.h"

/* In run.event, below PL_RUN_EVENT. */
#define PL_LET_GO_BY_EXECUTOR 1u
#define PL_LET_GO_BY_USER 2u

typedef struct pl_on_done {
    struct pl_on_done *next;
    void (*fn)(plait_run *run, void *user);
    void *user;
} pl_on_done;

typedef struct pl_computation {
    plait_run run; /* first: a plait_run * is a pl_computation * */
    plait_executor *executor;
    uint32_t generation; /* pl_process_generation at the start */
    unsigned run_timeout_ms;
    _Atomic bool started; /* the executor has taken it */
    pl_alarm alarm;
    pl_mutex mutex;
    /* guarded by mutex */
    pl_on_done *on_done;
    bool ended;
    /* watching (telling.c) */
    plait_observer *observers; /* copies */
    size_t n_observers;
    _Atomic bool unwatched; /* observers are not to be called any more */
    _Atomic bool told_end;
    _Atomic uint32_t telling; /* calls of observers under way: to park on */
} pl_computation;

static inline pl_computation *pl_computation_of(const plait_run *run)
{
    return (pl_computation *)run;
}

/* Starts a plan. `watcher` is one observer more, or NULL. NULL when it failed.
 * Thread: any.  Blocks: with sync, until it ends. */
plait_run *pl_computation_start(plait_plan *plan, const plait_options *options,
                                const plait_observer *watcher,
                                plait_error *err);

/* The executor has taken the run: from now on stopping it interrupts it. For an
 * executor whose start lasts as long as the run. */
void pl_computation_started(plait_run *run);

/* Of a run that was stopped: whether some task did not run for that. */
bool pl_computation_is_cut_short(const pl_computation *c);

/* Whether a wait has something to return. It stays so, but for a run that was
 * stopped when its last tasks ran: it may yet end well. */
bool pl_computation_is_over(const pl_computation *c);

/* How it went; for a computation that is over. */
plait_status pl_computation_status(pl_computation *c, plait_error *err);

/* The result of the task of a plan number: see plait_run_result. */
plait_status pl_computation_result(pl_computation *c, uint32_t number,
                                   plait_value *out, plait_error *err);

/* ---- watching (telling.c) ---- */

/* Copies the observers, of whatever version their structs are. */
plait_status pl_telling_init(pl_computation *c, const plait_options *options,
                             const plait_observer *watcher, plait_error *err);

/* The kinds of events that anybody wants, and failures, for the log. */
unsigned pl_telling_kinds(const pl_computation *c);

/* The engine's on_event. */
void pl_telling_event(plait_run *run, plait_event_kind kind, uint32_t task,
                      unsigned worker, plait_value value);

/* Tells RUN_END, once. */
void pl_telling_end(pl_computation *c);

/* No observer is called any more when it returns.  Blocks: until the calls that
 * are under way return, but for those of this thread. */
void pl_telling_stop(pl_computation *c);

#endif
