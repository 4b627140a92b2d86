/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * walk.c: a run in the order of its plan numbers. One thread at a time, so
 * counters are changed with a load and a store; the functions of failure.c,
 * which use atomic operations, serve the slow path.
 */
#include "engine/walk.h"

#include "engine/call.h"

static void set_state(pl_cell *cell, pl_task_state state)
{
    /* release: plait_run_result may look at a target at any time */
    atomic_store_explicit(&cell->state, state, memory_order_release);
}

/* There is trouble: from here on all cells are needed. */
static void need_cells(plait_run *run, uint32_t task)
{
    if (!run->cells_ready)
        pl_run_set_up_cells(run, task);
}

static void skip(pl_lane *lane, uint32_t task)
{
    plait_run *run = lane->run;
    uint32_t source = pl_run_poison_of(run, task);
    if (source == PL_NONE) { /* sound, but the run is stopping */
        source = PL_CANCELLED;
        pl_run_poison(run, task, source);
    }
    pl_run_poison_successors(run, task, source);
    set_state(&run->cells[task], PL_SKIPPED);
    pl_lane_count(&lane->skipped);
    pl_run_tell(run, PLAIT_TASK_SKIPPED, task, lane->worker,
                pl_run_error_of(run, task));
}

static void fail(pl_lane *lane, uint32_t task, plait_value error)
{
    plait_run *run = lane->run;
    need_cells(run, task);
    pl_run_record_failure(run, task, lane->worker, error);
    pl_lane_count(&lane->failed);
    pl_run_poison_successors(run, task, task);
    pl_run_drop_inputs(run, task);
}

/* How many words ahead of the task that runs its later ones are fetched. */
#define AHEAD 24

/* Gives up a use of each input: pl_run_drop_inputs without atomic operations,
 * and only where there is something to free: uses of plain numbers need no
 * counting. */
static inline void drop_inputs(plait_run *run, const pl_node *node)
{
    const uint32_t *word = run->words + node->words;
    const uint32_t *end = run->words + node[1].words;
    for (; word < end; word++) {
        __builtin_prefetch(&run->cells[word[AHEAD] & ~PL_WORD_LITERAL], 1);
        if (*word & PL_WORD_LITERAL)
            continue;
        pl_cell *cell = &run->cells[*word];
        if (!pl_is_object(cell->slot.value))
            continue;
        /* relaxed, all: one thread */
        uint32_t uses =
            atomic_load_explicit(&cell->uses, memory_order_relaxed) - 1;
        atomic_store_explicit(&cell->uses, uses, memory_order_relaxed);
        if (uses == 0 && atomic_load_explicit(
                             &cell->state, memory_order_relaxed) == PL_DONE) {
            atomic_store_explicit(&cell->state, PL_FREED, memory_order_relaxed);
            plait_release(cell->slot.value);
        }
    }
}

/* The result of a task, in a cell that may not be set up yet. */
static inline void store_result(plait_run *run, uint32_t task,
                                const pl_node *node, plait_value result)
{
    pl_cell *cell = &run->cells[task];
    cell->slot.value = result;
    if (!run->cells_ready)
        atomic_store_explicit(&cell->uses,
                              node[1].successors - node->successors +
                                  (node->function & PL_NODE_TARGET),
                              memory_order_relaxed);
    set_state(cell, PL_DONE);
}

static inline void run_task(pl_lane *lane, uint32_t task, const pl_node *node)
{
    plait_run *run = lane->run;
    if (lane->careful)
        pl_run_tell(run, PLAIT_TASK_READY, task, lane->worker, plait_nil());
    plait_value result = pl_lane_call(lane, task, node);
    if (plait_is_error(result)) {
        fail(lane, task, result);
        return;
    }
    store_result(run, task, node, result);
    pl_lane_count(&lane->done);
    drop_inputs(run, node);
    if (pl_run_trouble(run))
        pl_run_free_unused(run, task);
}

static bool is_skipped(const plait_run *run, uint32_t task, uint32_t trouble)
{
    return (trouble & PL_TROUBLE_STOPPING) ||
           pl_run_poison_of(run, task) != PL_NONE;
}

static bool wants_to_yield(const pl_walk_yield *yield)
{
    return yield && atomic_load_explicit(yield->hint, memory_order_relaxed) &&
           yield->yield(yield->user);
}

void pl_walk_init(plait_run *run)
{
    const plait_plan *plan = run->plan;
    for (uint32_t i = 0; i < plan->n_targets; i++)
        atomic_init(&run->cells[plan->targets[i]].state, PL_WAITING);
}

bool pl_walk(pl_lane *lane, const pl_walk_yield *yield)
{
    plait_run *run = lane->run;
    uint32_t n = run->plan->n_tasks;
    /* relaxed: who hands the run over to this thread orders it */
    uint32_t t = atomic_load_explicit(&run->cursor, memory_order_relaxed);
    for (; t < n && !wants_to_yield(yield); t++) {
        const pl_node *node = &run->nodes[t];
        uint32_t trouble = pl_run_trouble(run);
        if (trouble)
            need_cells(run, t);
        if (trouble && is_skipped(run, t, trouble))
            skip(lane, t);
        else
            run_task(lane, t, node);
        if (node->function & PL_NODE_TARGET)
            pl_run_target_resolved(run);
    }
    atomic_store_explicit(&run->cursor, t, memory_order_relaxed);
    return t == n;
}
