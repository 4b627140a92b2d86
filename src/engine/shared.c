/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shared.c: a run driven by many threads.
 *
 * Memory order. A result is stored, then `missing` of each successor is
 * decremented with release; who brings it to zero acquires, and so sees all
 * results that the task needs. A counter that reads 1 with acquire has no other
 * decrement to come but the reader's own, so that one needs no atomic
 * subtraction: an in-degree of one and a single use are free of it.
 *
 * Held decrements. A fan-in's counter, or the uses of a fan-out's source, is
 * hammered by all lanes. A lane keeps its decrements back while the next task
 * it runs feeds the same successor (or uses the same input), which can't be
 * ready (can't be freed) before that task ends. It settles before it runs a
 * task of another kind, and before it looks for work elsewhere.
 */
#include "engine/shared.h"

#include "engine/call.h"
#include "platform/prefetch.h"

/* Counters below this are near their end: nothing is held back. */
#define HOT 64

static void settle_successor(pl_lane *lane)
{
    uint32_t successor = lane->held_successor;
    uint32_t k = lane->held_arrivals;
    lane->held_successor = PL_NONE;
    lane->held_arrivals = 0;
    /* acq_rel: publishes the results of k tasks, sees those of all others */
    if (atomic_fetch_sub_explicit(&lane->run->cells[successor].missing, k,
                                  memory_order_acq_rel) != k)
        return;
    pl_run_tell(lane->run, PLAIT_TASK_READY, successor, lane->worker,
                plait_nil());
    lane->push(lane, successor);
}

static void settle_input(pl_lane *lane)
{
    uint32_t input = lane->held_input;
    uint32_t k = lane->held_uses;
    lane->held_input = PL_NONE;
    lane->held_uses = 0;
    pl_run_drop_uses(lane->run, input, k);
}

void pl_shared_flush(pl_lane *lane)
{
    if (lane->held_successor != PL_NONE)
        settle_successor(lane);
    if (lane->held_input != PL_NONE)
        settle_input(lane);
}

/* Settles what the task that is about to run doesn't keep from happening. */
static void settle_before(pl_lane *lane, const pl_node *node)
{
    const plait_run *run = lane->run;
    if (lane->held_successor != PL_NONE &&
        (node[1].successors - node->successors != 1 ||
         run->successors[node->successors] != lane->held_successor))
        settle_successor(lane);
    if (lane->held_input != PL_NONE &&
        (node->inputs == 0 || run->words[node->words] != lane->held_input))
        settle_input(lane);
}

static inline bool holds(const pl_lane *lane)
{
    return (lane->held_successor & lane->held_input) != PL_NONE;
}

/* Takes note that a task is ready, for who watches. */
static inline void tell_ready(pl_lane *lane, uint32_t task)
{
    if (lane->careful)
        pl_run_tell(lane->run, PLAIT_TASK_READY, task, lane->worker,
                    plait_nil());
}

/* ---- a task's successors ---- */

/* One input has arrived, by a counter that read `missing` with acquire; true:
 * the task is ready, and the caller's. */
static inline bool arrive(pl_cell *cell, uint32_t missing)
{
    return missing == 1 || atomic_fetch_sub_explicit(&cell->missing, 1,
                                                     memory_order_acq_rel) == 1;
}

/* Keeps the arrival at a hot counter back; false: holds another already. */
static bool hold_arrival(pl_lane *lane, uint32_t successor)
{
    if (lane->held_successor == PL_NONE)
        lane->held_successor = successor;
    if (lane->held_successor != successor)
        return false;
    lane->held_arrivals++;
    return true;
}

/* Falling order, so that the lowest is returned and the next lowest is pushed
 * last. */
static uint32_t feed_many(pl_lane *lane, const uint32_t *first,
                          const uint32_t *end)
{
    plait_run *run = lane->run;
    uint32_t best = PL_NONE;
    while (end-- > first) {
        pl_cell *cell = &run->cells[*end];
        if (!arrive(cell,
                    atomic_load_explicit(&cell->missing, memory_order_acquire)))
            continue;
        tell_ready(lane, *end);
        if (best != PL_NONE)
            lane->push(lane, best);
        best = *end;
    }
    return best;
}

static inline uint32_t feed_one(pl_lane *lane, uint32_t successor)
{
    pl_cell *cell = &lane->run->cells[successor];
    uint32_t missing =
        atomic_load_explicit(&cell->missing, memory_order_acquire);
    if (missing >= HOT && hold_arrival(lane, successor))
        return PL_NONE;
    if (!arrive(cell, missing))
        return PL_NONE;
    tell_ready(lane, successor);
    return successor;
}

static inline uint32_t feed(pl_lane *lane, const pl_node *node)
{
    const uint32_t *first = lane->run->successors + node->successors;
    uint32_t n = node[1].successors - node->successors;
    if (n == 1)
        return feed_one(lane, *first);
    return n > 1 ? feed_many(lane, first, first + n) : PL_NONE;
}

/* The task is over, with whatever state: tells its successors. */
static inline uint32_t conclude(pl_lane *lane, const pl_node *node)
{
    uint32_t best = feed(lane, node);
    if (node->function & PL_NODE_TARGET)
        pl_run_target_resolved(lane->run);
    return best;
}

uint32_t pl_shared_feed(pl_lane *lane, uint32_t task)
{
    return feed(lane, &lane->run->nodes[task]);
}

/* ---- a task's inputs ---- */

static bool hold_use(pl_lane *lane, uint32_t input)
{
    if (lane->held_input == PL_NONE)
        lane->held_input = input;
    if (lane->held_input != input)
        return false;
    lane->held_uses++;
    return true;
}

/* A use of an input is over; the first one may be held back. */
static inline void drop_use(pl_lane *lane, uint32_t input, bool is_first)
{
    pl_cell *cell = &lane->run->cells[input];
    if (!pl_is_object(cell->slot.value))
        return; /* nothing to free: uses of plain numbers need no counting */
    /* acquire and acq_rel: who frees comes after every reader */
    uint32_t uses = atomic_load_explicit(&cell->uses, memory_order_acquire);
    if (uses != 1 &&
        ((uses >= HOT && is_first && hold_use(lane, input)) ||
         atomic_fetch_sub_explicit(&cell->uses, 1, memory_order_acq_rel) != 1))
        return;
    /* relaxed: without trouble nobody else looks at it any more */
    atomic_store_explicit(&cell->uses, 0, memory_order_relaxed);
    atomic_store_explicit(&cell->state, PL_FREED, memory_order_relaxed);
    plait_release(cell->slot.value);
}

static inline void drop_inputs(pl_lane *lane, const pl_node *node)
{
    const uint32_t *first = lane->run->words + node->words;
    const uint32_t *end = lane->run->words + node[1].words;
    for (const uint32_t *word = first; word < end; word++) {
        if (!(*word & PL_WORD_LITERAL))
            drop_use(lane, *word, word == first);
    }
}

/* ---- a task ---- */

static uint32_t skip(pl_lane *lane, uint32_t task)
{
    plait_run *run = lane->run;
    uint32_t source = pl_run_poison_of(run, task);
    if (source == PL_NONE) { /* sound, but the run is stopping */
        source = PL_CANCELLED;
        pl_run_poison(run, task, source);
    }
    pl_run_poison_successors(run, task, source);
    atomic_store_explicit(&run->cells[task].state, PL_SKIPPED,
                          memory_order_release);
    pl_lane_count(&lane->skipped);
    pl_run_tell(run, PLAIT_TASK_SKIPPED, task, lane->worker,
                pl_run_error_of(run, task));
    return conclude(lane, &run->nodes[task]);
}

uint32_t pl_shared_fail(pl_lane *lane, uint32_t task, plait_value error)
{
    plait_run *run = lane->run;
    pl_run_record_failure(run, task, lane->worker, error);
    pl_lane_count(&lane->failed);
    pl_run_poison_successors(run, task, task);
    pl_run_drop_inputs(run, task);
    return conclude(lane, &run->nodes[task]);
}

static bool is_skipped(const plait_run *run, uint32_t task, uint32_t trouble)
{
    return (trouble & PL_TROUBLE_STOPPING) ||
           pl_run_poison_of(run, task) != PL_NONE;
}

/* The cells that the task will read, and those whose counters it will change:
 * asked for all at once, as each may lie with another CPU, and atomic
 * operations wait for each other. One is not worth it. */
static inline void fetch_cells(const plait_run *run, const pl_node *node)
{
    const uint32_t *input = run->words + node->words;
    const uint32_t *successor = run->successors + node->successors;
    uint32_t n = node[1].words - node->words;
    for (uint32_t i = 0; n > 1 && i < n && i < 4; i++)
        __builtin_prefetch(&run->cells[input[i] & ~PL_WORD_LITERAL]);
    n = node[1].successors - node->successors;
    for (uint32_t i = 0; n > 1 && i < n && i < 4; i++)
        pl_prefetch_write(&run->cells[successor[i]]);
}

static inline uint32_t run_task(pl_lane *lane, uint32_t task,
                                const pl_node *node)
{
    plait_run *run = lane->run;
    pl_cell *cell = &run->cells[task];
    fetch_cells(run, node);
    plait_value result = pl_lane_call(lane, task, node);
    if (plait_is_error(result))
        return pl_shared_fail(lane, task, result);
    cell->slot.value = result;
    /* release: plait_run_result may look at a target at any time */
    atomic_store_explicit(&cell->state, PL_DONE, memory_order_release);
    pl_lane_count(&lane->done);
    if (!pl_run_trouble(run)) {
        drop_inputs(lane, node);
    } else {
        pl_run_drop_inputs(run, task);
        pl_run_free_unused(run, task);
    }
    return conclude(lane, node);
}

uint32_t pl_shared_run(pl_lane *lane, uint32_t task,
                       const _Atomic uint32_t *hint)
{
    plait_run *run = lane->run;
    do {
        const pl_node *node = &run->nodes[task];
        if (holds(lane))
            settle_before(lane, node);
        uint32_t trouble = pl_run_trouble(run);
        if (trouble && is_skipped(run, task, trouble))
            task = skip(lane, task);
        else
            task = run_task(lane, task, node);
        /* relaxed: a hint */
    } while (task != PL_NONE &&
             !(run->nodes[task].function & PL_NODE_RUNTIME) &&
             !atomic_load_explicit(hint, memory_order_relaxed));
    return task;
}
