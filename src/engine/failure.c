/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * failure.c: what happens to the rest of a run when a task fails. The slow path
 * of all three ways of driving, so it is written once, with atomics.
 *
 * Order within a cell. A doomed task gives up uses of inputs that may not be
 * done yet. The input's completer stores the result, then the state, then looks
 * whether uses are left (pl_run_free_unused); the giver brings uses to zero,
 * then looks whether the state is done. Whoever frees it moves the state from
 * DONE to FREED with one compare-and-exchange, so it is freed once. Both may
 * miss each other (a store and a later load of another word can pass): then the
 * result lives on until pl_run_sweep, which is late but not lost.
 */
#include "engine/run.h"

#include <stdlib.h>

#include "base/alloc.h"

static bool free_result(plait_run *run, uint32_t task)
{
    pl_cell *cell = &run->cells[task];
    uint8_t done = PL_DONE;
    /* acquire: the result was stored before the state; relaxed on failure: not
     * done, or freed by another, or an error, which stays for the record */
    if (!atomic_compare_exchange_strong_explicit(&cell->state, &done, PL_FREED,
                                                 memory_order_acquire,
                                                 memory_order_relaxed))
        return false;
    if (run->drop)
        run->drop(run, &cell->slot);
    else
        plait_release(cell->slot.value);
    return true;
}

void pl_run_drop_uses(plait_run *run, uint32_t task, uint32_t k)
{
    /* acq_rel: who frees sees that every other user has read the result */
    if (atomic_fetch_sub_explicit(&run->cells[task].uses, k,
                                  memory_order_acq_rel) == k)
        free_result(run, task);
}

void pl_run_drop_inputs(plait_run *run, uint32_t task)
{
    const pl_node *node = &run->nodes[task];
    if (node->inputs == 0)
        return;
    for (uint32_t at = node->words; at < node[1].words; at++) {
        if (!(run->words[at] & PL_WORD_LITERAL))
            pl_run_drop_uses(run, run->words[at], 1);
    }
}

void pl_run_free_unused(plait_run *run, uint32_t task)
{
    /* acquire: pairs with the subtraction of the last user */
    if (atomic_load_explicit(&run->cells[task].uses, memory_order_acquire) == 0)
        free_result(run, task);
}

/* Since when the walker's own task has a cell, in plait_run.walk_owed. */
#define IS_SET_UP (UINT32_C(1) << 31)

void pl_run_settle_owed(plait_run *run)
{
    /* acq_rel: the cell is set up before; what was owed is behind its reading
     * of the inputs */
    uint32_t owed = atomic_fetch_or_explicit(&run->walk_owed, IS_SET_UP,
                                             memory_order_acq_rel);
    if (owed)
        pl_run_drop_uses(run, run->walk_own, owed);
}

/* A doomed task gives up a use of an input that may not be done, nor, when the
 * walker of a run that was shared stands at it, have a cell yet. */
static void give_up(plait_run *run, uint32_t input)
{
    /* acquire: sees the cell */
    if (input == run->walk_own &&
        !(atomic_fetch_add_explicit(&run->walk_owed, 1, memory_order_acquire) &
          IS_SET_UP))
        return;
    pl_run_drop_uses(run, input, 1);
}

static void give_up_inputs(plait_run *run, uint32_t task)
{
    const pl_node *node = &run->nodes[task];
    if (node->inputs == 0)
        return;
    for (uint32_t at = node->words; at < node[1].words; at++) {
        if (!(run->words[at] & PL_WORD_LITERAL))
            give_up(run, run->words[at]);
    }
}

void pl_run_poison(plait_run *run, uint32_t task, uint32_t source)
{
    pl_cell *cell = &run->cells[task];
    uint32_t poison = UINT32_MAX - source;
    if (source == PL_CANCELLED && !(pl_run_trouble(run) & PL_TROUBLE_CANCELLED))
        atomic_fetch_or_explicit(&run->trouble, PL_TROUBLE_CANCELLED,
                                 memory_order_relaxed);
    /* relaxed: the decrement that follows publishes the poison */
    uint32_t old = atomic_load_explicit(&cell->poison, memory_order_relaxed);
    while (old < poison && !atomic_compare_exchange_weak_explicit(
                               &cell->poison, &old, poison,
                               memory_order_relaxed, memory_order_relaxed))
        ;
    if (old == 0) /* it was sound: from here on it needs no input */
        give_up_inputs(run, task);
}

/* In an owned run a successor may have run, or run now, from a result that was
 * lost since; if it comes to wait again, it looks for failed inputs itself. */
static bool waits(const plait_run *run, uint32_t task)
{
    if (!(pl_run_trouble(run) & PL_TROUBLE_LOST))
        return true;
    pl_task_state state = pl_run_state(run, task);
    return state == PL_WAITING || state == PL_READY;
}

void pl_run_poison_successors(plait_run *run, uint32_t task, uint32_t source)
{
    const pl_node *node = &run->nodes[task];
    for (uint32_t at = node->successors; at < node[1].successors; at++) {
        uint32_t successor = run->successors[at];
        if (waits(run, successor) &&
            (!(run->nodes[successor].function & PL_NODE_ACCEPTS_ERRORS) ||
             source == PL_CANCELLED))
            pl_run_poison(run, successor, source);
    }
}

uint32_t pl_run_poison_of(const plait_run *run, uint32_t task)
{
    /* relaxed: the caller owns the task, or has seen its state */
    uint32_t poison =
        atomic_load_explicit(&run->cells[task].poison, memory_order_relaxed);
    return UINT32_MAX - poison; /* 0 gives PL_NONE */
}

static bool ends_run(const plait_run *run, plait_value error)
{
    return run->on_error == PLAIT_STOP || plait_error_is_stop(error);
}

void pl_run_record_failure(plait_run *run, uint32_t task, unsigned worker,
                           plait_value error)
{
    pl_cell *cell = &run->cells[task];
    cell->slot.value = error;
    cell->link = atomic_load_explicit(&run->failed, memory_order_relaxed);
    /* release, here and next: who finds the task finds its error */
    atomic_store_explicit(&cell->state, PL_FAILED, memory_order_release);
    while (!atomic_compare_exchange_weak_explicit(&run->failed, &cell->link,
                                                  task, memory_order_release,
                                                  memory_order_relaxed))
        ;
    atomic_fetch_add_explicit(&run->failed_count, 1, memory_order_relaxed);
    atomic_fetch_or_explicit(&run->trouble, PL_TROUBLE_FAILED,
                             memory_order_release);
    pl_run_tell(run, PLAIT_TASK_FAILED, task, worker, error);
    if (ends_run(run, error))
        pl_run_stop(run, PLAIT_ETASK);
}

bool pl_run_target_resolved(plait_run *run)
{
    /* acq_rel: who resolves the last target has seen all results */
    if (atomic_fetch_sub_explicit(&run->targets_left, 1,
                                  memory_order_acq_rel) != 1)
        return false;
    atomic_store_explicit(&run->resolved, true, memory_order_release);
    return true;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

uint32_t *pl_run_failures(const plait_run *run, size_t *n)
{
    /* acquire: the list's cells were written before the head */
    uint32_t head = atomic_load_explicit(&run->failed, memory_order_acquire);
    *n = 0;
    for (uint32_t t = head; t != PL_NONE; t = run->cells[t].link)
        ++*n;
    if (*n == 0)
        return NULL;
    uint32_t *tasks = pl_alloc(*n * sizeof *tasks);
    if (!tasks)
        return NULL;
    size_t i = 0;
    for (uint32_t t = head; t != PL_NONE; t = run->cells[t].link)
        tasks[i++] = t;
    qsort(tasks, *n, sizeof *tasks, by_number);
    return tasks;
}

plait_value pl_run_error_of(const plait_run *run, uint32_t task)
{
    if (pl_run_state(run, task) == PL_FAILED)
        return run->cells[task].slot.value;
    uint32_t source = pl_run_poison_of(run, task);
    return source < run->plan->n_tasks ? run->cells[source].slot.value
                                       : plait_nil();
}
