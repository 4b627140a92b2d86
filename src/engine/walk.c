/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * walk.c: a run in the order of its plan numbers.
 *
 * A run that spreads may be shared at any moment, by another thread: before
 * each task the walker says where it stands, and then looks whether it is still
 * alone (spread.h says why that is enough). So it counts uses with atomic
 * operations: others may count beside it while it ends its last task.
 */
#include "engine/walk.h"

#include "engine/call.h"
#include "platform/barrier.h"

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

/* The lane's task has failed with the lane's error. */
static void fail(pl_lane *lane, uint32_t task)
{
    plait_run *run = lane->run;
    plait_value error = lane->walk_error;
    lane->walk_error = plait_nil();
    need_cells(run, task);
    pl_run_record_failure(run, task, lane->worker, error);
    pl_lane_count(&lane->failed);
    pl_run_poison_successors(run, task, task);
    pl_run_drop_inputs(run, task);
}

/* Gives up a use of each input: pl_run_drop_inputs, but only of what there is
 * to free: uses of plain numbers need no counting. Not inline: it would cost
 * the loop around it its registers. */
static void drop_objects(plait_run *run, const pl_node *node)
{
    const uint32_t *end = run->words + node[1].words;
    for (const uint32_t *word = run->words + node->words; word < end; word++) {
        if (*word & PL_WORD_LITERAL)
            continue;
        pl_cell *cell = &run->cells[*word];
        if (!pl_is_object(cell->slot.value))
            continue;
        /* acquire and acq_rel: who frees comes after every reader; one that
         * reads 1 is the last */
        if (atomic_load_explicit(&cell->uses, memory_order_acquire) != 1 &&
            atomic_fetch_sub_explicit(&cell->uses, 1, memory_order_acq_rel) !=
                1)
            continue;
        /* relaxed, all: nobody else has a use of it */
        atomic_store_explicit(&cell->uses, 0, memory_order_relaxed);
        if (atomic_load_explicit(&cell->state, memory_order_relaxed) ==
            PL_DONE) {
            atomic_store_explicit(&cell->state, PL_FREED, memory_order_relaxed);
            plait_release(cell->slot.value);
        }
    }
}

/* How many words ahead of the task that runs its later ones are fetched. */
#define AHEAD 24

static inline void drop_inputs(plait_run *run, const pl_node *node)
{
    const uint32_t *word = run->words + node->words;
    const uint32_t *end = run->words + node[1].words;
    const pl_cell *cells = run->cells;
    bool any = false;
    for (; word < end; word++) {
        __builtin_prefetch(&cells[word[AHEAD] & ~PL_WORD_LITERAL], 1);
        if (!(*word & PL_WORD_LITERAL))
            any |= pl_is_object(cells[*word].slot.value);
    }
    if (any)
        drop_objects(run, node);
}

/* The result of a task, in a cell that may not be set up yet. In a run that
 * spreads it never is. */
static inline void store_result(plait_run *run, uint32_t task, bool is_set_up,
                                plait_value result)
{
    pl_cell *cell = &run->cells[task];
    cell->slot.value = result;
    if (!is_set_up)
        atomic_store_explicit(&cell->uses, pl_plan_uses(run->plan, task),
                              memory_order_relaxed);
    set_state(cell, PL_DONE);
}

/* False: the task failed, and the error is the lane's. */
static inline bool run_task(pl_lane *lane, uint32_t task, const pl_node *node)
{
    plait_run *run = lane->run;
    if (lane->careful)
        pl_run_tell(run, PLAIT_TASK_READY, task, lane->worker, plait_nil());
    plait_value result = pl_lane_call(lane, task, node);
    if (plait_is_error(result)) {
        lane->walk_error = result;
        return false;
    }
    store_result(run, task, !run->spreads && run->cells_ready, result);
    pl_lane_count(&lane->done);
    drop_inputs(run, node);
    if (pl_run_trouble(run))
        pl_run_free_unused(run, task);
    return true;
}

static bool is_skipped(const plait_run *run, uint32_t task, uint32_t trouble)
{
    return (trouble & PL_TROUBLE_STOPPING) ||
           pl_run_poison_of(run, task) != PL_NONE;
}

void pl_walk_init(plait_run *run)
{
    const plait_plan *plan = run->plan;
    for (uint32_t i = 0; i < plan->n_targets; i++)
        atomic_init(&run->cells[plan->targets[i]].state, PL_WAITING);
}

/* The word that says what is wrong, and whether the walker is alone; 0: all is
 * well. It has said where it stands. */
static inline uint32_t look_around(const plait_run *run)
{
    if (run->spreads)
        pl_barrier_light();
    /* relaxed: the barrier orders it behind walk_at; who shares the run finds
     * walk_at behind a heavy one. What is set up then is read behind
     * shared_from. */
    return atomic_load_explicit(&run->trouble, memory_order_relaxed);
}

/* There is trouble, in a walk to the end; true: the task is not to run. */
static bool passes_over(pl_lane *lane, uint32_t task, uint32_t trouble)
{
    need_cells(lane->run, task);
    if (!is_skipped(lane->run, task, trouble))
        return false;
    skip(lane, task);
    return true;
}

/* Runs task t, or skips it. False: the run is to be shared. */
static inline bool step(pl_lane *lane, uint32_t t, const pl_node *node)
{
    plait_run *run = lane->run;
    uint32_t trouble = look_around(run);
    if (trouble && run->spreads)
        return false;
    if (!(trouble && passes_over(lane, t, trouble)) &&
        !run_task(lane, t, node)) {
        if (run->spreads)
            return false;
        fail(lane, t);
    }
    if (node->function & PL_NODE_TARGET)
        pl_run_target_resolved(run);
    return true;
}

pl_walk_end pl_walk(pl_lane *lane, const pl_walk_until *until)
{
    plait_run *run = lane->run;
    uint32_t n = run->plan->n_tasks;
    uint32_t limit = until->limit < n ? until->limit : n;
    const _Atomic uint32_t *hint = until->hint;
    /* relaxed: who hands the run over to this thread orders it */
    uint32_t t = atomic_load_explicit(&run->walk_at, memory_order_relaxed);
    for (; t < limit; t++) {
        /* release: who shares the run reads results before this task */
        atomic_store_explicit(&run->walk_at, t, memory_order_release);
        /* relaxed: a hint */
        if (atomic_load_explicit(hint, memory_order_relaxed) &&
            until->yield(until->user))
            return PL_WALK_YIELDED;
        if (!step(lane, t, &run->nodes[t]))
            return PL_WALK_SHARE;
    }
    atomic_store_explicit(&run->walk_at, t, memory_order_release);
    if (t < n)
        return PL_WALK_LIMIT;
    return look_around(run) & PL_WALK_SHARED ? PL_WALK_SHARE : PL_WALK_OVER;
}

static bool never(void *user)
{
    (void)user;
    return false;
}

void pl_walk_to_end(pl_lane *lane)
{
    static const _Atomic uint32_t no_hint;
    const pl_walk_until until = { .hint = &no_hint,
                                  .yield = never,
                                  .limit = PL_NONE };
    pl_walk(lane, &until);
}
