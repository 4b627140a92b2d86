/* SPDX-License-Identifier: BSD-3-Clause */
/* result.c: asking a run how it went, and what came of it. */
#include "executor/computation.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "engine/lane.h"

/* Fills `err` with a failed task's error, which names the task. */
static plait_status report(const plait_run *run, uint32_t task,
                           plait_value error, plait_error *err)
{
    plait_error full = *plait_as_error(error);
    if (full.task.id == 0) { /* no memory to name it where it happened */
        char text[sizeof full.message];
        pl_copy_text(text, sizeof text, full.message);
        full.task = plait_run_task(run, task);
        pl_plan_key(run->plan, task, full.key, sizeof full.key);
        snprintf(full.message, sizeof full.message, "%s: %.300s", full.key,
                 text);
    }
    return pl_error_copy(err, &full);
}

/* The lowest failed task that a target is, or was skipped for: what only tasks
 * that accept errors needed has been dealt with. */
static plait_status first_failed_target(const plait_run *run, plait_error *err)
{
    const plait_plan *plan = run->plan;
    uint32_t first = PL_NONE;
    if (!(pl_run_trouble(run) & PL_TROUBLE_FAILED))
        return PLAIT_OK;
    for (uint32_t i = 0; i < plan->n_targets; i++) {
        uint32_t target = plan->targets[i];
        pl_task_state state = pl_run_state(run, target);
        uint32_t source = state == PL_FAILED    ? target
                          : state == PL_SKIPPED ? pl_run_poison_of(run, target)
                                                : PL_NONE;
        first = source < first ? source : first;
    }
    if (first >= PL_CANCELLED)
        return PLAIT_OK;
    return report(run, first, run->cells[first].slot.value, err);
}

/* The lowest task that failed: what stopped the run may be needed by none. */
static plait_status first_failure(const plait_run *run, plait_error *err)
{
    size_t n;
    uint32_t *tasks = pl_run_failures(run, &n);
    if (!tasks)
        return n ? pl_error_nomem(err) : PLAIT_OK;
    uint32_t first = tasks[0];
    pl_free(tasks);
    return report(run, first, run->cells[first].slot.value, err);
}

static plait_status stop_status(const pl_computation *c)
{
    /* acquire: what it stopped for is read next */
    return (plait_status)atomic_load_explicit(&c->run.stop_status,
                                              memory_order_acquire);
}

static plait_status report_stop(const pl_computation *c, plait_status status,
                                plait_error *err)
{
    if (status == PLAIT_ETIMEDOUT)
        return pl_error_set(err, status, "the run took longer than its %u ms",
                            c->run_timeout_ms);
    return pl_error_set(err, PLAIT_ECANCELED, "the run was cancelled");
}

plait_status pl_computation_status(pl_computation *c, plait_error *err)
{
    const plait_run *run = &c->run;
    plait_status stop = stop_status(c);
    if (stop != PLAIT_OK && stop != PLAIT_ETASK &&
        pl_computation_is_cut_short(c))
        return report_stop(c, stop, err);
    plait_status status = PLAIT_OK;
    if (stop == PLAIT_ETASK)
        status = first_failure(run, err);
    else if (run->on_error != PLAIT_COLLECT)
        status = first_failed_target(run, err);
    if (status == PLAIT_OK)
        pl_error_clear(err);
    return status;
}

/* A failed or skipped target. */
static plait_status failed_result(pl_computation *c, uint32_t number,
                                  plait_value *out, plait_error *err)
{
    const plait_run *run = &c->run;
    plait_value error = pl_run_error_of(run, number);
    if (!plait_is_error(error)) { /* cancelled before it began */
        plait_status status = stop_status(c);
        if (status == PLAIT_OK)
            return pl_error_set(err, PLAIT_EAGAIN,
                                "the task has not ended yet");
        status = report_stop(c, status, err);
        if (run->on_error == PLAIT_COLLECT)
            *out = plait_error_value(status, "%s", plait_status_text(status));
        return status;
    }
    if (run->on_error == PLAIT_COLLECT)
        *out = plait_retain(error);
    uint32_t source = pl_run_state(run, number) == PL_FAILED
                          ? number
                          : pl_run_poison_of(run, number);
    return report(run, source, error, err);
}

plait_status pl_computation_result(pl_computation *c, uint32_t number,
                                   plait_value *out, plait_error *err)
{
    plait_run *run = &c->run;
    *out = plait_nil();
    switch (pl_run_state(run, number)) {
    case PL_DONE:
        pl_error_clear(err);
        if (run->drop)
            return c->executor->ops.fetch(c->executor->self, run, number,
                                          &run->cells[number].slot, out, err);
        *out = plait_retain(run->cells[number].slot.value);
        return PLAIT_OK;
    case PL_FAILED:
    case PL_SKIPPED:
        return failed_result(c, number, out, err);
    case PL_WAITING:
    case PL_READY:
    case PL_RUNNING:
    case PL_FREED:
        break;
    }
    if (pl_computation_is_over(c) && stop_status(c) != PLAIT_OK) {
        plait_status status = report_stop(c, stop_status(c), err);
        if (run->on_error == PLAIT_COLLECT)
            *out = plait_error_value(status, "%s", plait_status_text(status));
        return status;
    }
    return pl_error_set(err, PLAIT_EAGAIN, "the task has not ended yet");
}

plait_status plait_run_result(plait_run *run, plait_task task, plait_value *out,
                              plait_error *err)
{
    *out = plait_nil();
    if (!run)
        return pl_error_set(err, PLAIT_EINVAL, "the run is NULL");
    uint32_t number = pl_plan_target(run->plan, task);
    if (number == PL_NONE)
        return pl_error_set(err, PLAIT_EINVAL,
                            "task %u of graph %u is no target of the run: name "
                            "it where the run is started",
                            task.id, task.graph);
    return pl_computation_result(pl_computation_of(run), number, out, err);
}

/* ---- counts ---- */

static const pl_lane *lane_at(const plait_run *run, uint32_t i)
{
    /* acquire: the lane was filled before it was published */
    return atomic_load_explicit(&run->lanes[i], memory_order_acquire);
}

/* relaxed, here: each number is of some moment, no two of the same */
static uint32_t read_count(const _Atomic uint32_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

size_t plait_run_running(const plait_run *run, plait_task *tasks, size_t n)
{
    size_t found = 0;
    if (!run)
        return 0;
    for (uint32_t t = 0; run->owned && t < run->plan->n_tasks; t++) {
        if (pl_run_state(run, t) != PL_RUNNING)
            continue;
        if (found < n)
            tasks[found] = plait_run_task(run, t);
        found++;
    }
    for (uint32_t i = 0; !run->owned && i < run->n_lanes; i++) {
        const pl_lane *lane = lane_at(run, i);
        uint32_t task = lane ? read_count(&lane->current) : PL_NONE;
        if (task == PL_NONE)
            continue;
        if (found < n)
            tasks[found] = plait_run_task(run, task);
        found++;
    }
    return found;
}

plait_status plait_run_counts(const plait_run *run, plait_counts *counts)
{
    if (!run || !counts || counts->size < sizeof counts->size)
        return PLAIT_EINVAL;
    plait_counts all = { .size = counts->size, .total = run->plan->n_tasks };
    for (uint32_t i = 0; i < run->n_lanes; i++) {
        const pl_lane *lane = lane_at(run, i);
        if (!lane)
            continue;
        all.done += read_count(&lane->done);
        all.failed += read_count(&lane->failed);
        all.skipped += read_count(&lane->skipped);
    }
    all.running = plait_run_running(run, NULL, 0);
    size_t begun = all.done + all.failed + all.skipped + all.running;
    all.waiting = begun < all.total ? all.total - begun : 0;
    size_t size = counts->size < sizeof all ? counts->size : sizeof all;
    memcpy(counts, &all, size);
    return PLAIT_OK;
}

size_t plait_run_failure_count(const plait_run *run)
{
    return run ? read_count(&run->failed_count) : 0;
}

plait_status plait_run_failure(plait_run *run, size_t i, plait_value *out,
                               plait_error *err)
{
    size_t n = 0;
    *out = plait_nil();
    uint32_t *tasks = run ? pl_run_failures(run, &n) : NULL;
    if (!tasks && n)
        return pl_error_nomem(err);
    if (i >= n) {
        pl_free(tasks);
        return pl_error_set(err, PLAIT_EINVAL,
                            "failure %zu is asked for, and there are %zu", i,
                            n);
    }
    uint32_t task = tasks[i];
    pl_free(tasks);
    *out = plait_retain(run->cells[task].slot.value);
    report(run, task, *out, err);
    return PLAIT_OK;
}
