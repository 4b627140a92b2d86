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

/* One input has arrived; true: the task is ready, and the caller's. */
static bool arrive(plait_run *run, uint32_t task)
{
    _Atomic uint32_t *missing = &run->cells[task].missing;
    return atomic_load_explicit(missing, memory_order_acquire) == 1 ||
           atomic_fetch_sub_explicit(missing, 1, memory_order_acq_rel) == 1;
}

/* Whether the only successor's arrival is held back. */
static bool hold_arrival(pl_lane *lane, uint32_t successor)
{
    if (lane->held_successor != successor) {
        /* relaxed: a guess at how hot the counter is */
        if (lane->held_successor != PL_NONE ||
            atomic_load_explicit(&lane->run->cells[successor].missing,
                                 memory_order_relaxed) < HOT)
            return false;
        lane->held_successor = successor;
    }
    lane->held_arrivals++;
    return true;
}

/* Tells the successors. Falling order, so that the lowest is returned and the
 * next lowest is pushed last. */
static uint32_t feed_successors(pl_lane *lane, const pl_node *node)
{
    plait_run *run = lane->run;
    const uint32_t *first = run->successors + node->successors;
    const uint32_t *at = run->successors + node[1].successors;
    uint32_t best = PL_NONE;
    if (at - first == 1 && hold_arrival(lane, *first))
        return PL_NONE;
    while (at-- > first) {
        if (!arrive(run, *at))
            continue;
        pl_run_tell(run, PLAIT_TASK_READY, *at, lane->worker, plait_nil());
        if (best != PL_NONE)
            lane->push(lane, best);
        best = *at;
    }
    return best;
}

/* A plain use of an input is over. */
static void drop_use(plait_run *run, uint32_t input)
{
    pl_cell *cell = &run->cells[input];
    /* acquire and acq_rel: who frees comes after every reader */
    if (atomic_load_explicit(&cell->uses, memory_order_acquire) != 1 &&
        atomic_fetch_sub_explicit(&cell->uses, 1, memory_order_acq_rel) != 1)
        return;
    /* relaxed: without trouble nobody else looks at it any more */
    atomic_store_explicit(&cell->uses, 0, memory_order_relaxed);
    atomic_store_explicit(&cell->state, PL_FREED, memory_order_relaxed);
    pl_release(cell->slot.value);
}

static bool hold_use(pl_lane *lane, uint32_t input)
{
    if (lane->held_input != input) {
        /* relaxed: a guess */
        if (lane->held_input != PL_NONE ||
            atomic_load_explicit(&lane->run->cells[input].uses,
                                 memory_order_relaxed) < HOT)
            return false;
        lane->held_input = input;
    }
    lane->held_uses++;
    return true;
}

static void drop_inputs(pl_lane *lane, uint32_t task, const pl_node *node)
{
    plait_run *run = lane->run;
    if (node->inputs == 0)
        return;
    if (pl_run_trouble(run)) {
        pl_run_drop_inputs(run, task);
        return;
    }
    const uint32_t *word = run->words + node->words;
    const uint32_t *end = run->words + node[1].words;
    if (!(*word & PL_WORD_LITERAL) && hold_use(lane, *word))
        word++;
    for (; word < end; word++) {
        if (!(*word & PL_WORD_LITERAL))
            drop_use(run, *word);
    }
}

/* The task is over, with whatever state. */
static uint32_t conclude(pl_lane *lane, const pl_node *node)
{
    uint32_t best = feed_successors(lane, node);
    if (node->function & PL_NODE_TARGET)
        pl_run_target_resolved(lane->run);
    return best;
}

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

static uint32_t fail(pl_lane *lane, uint32_t task, plait_value error)
{
    plait_run *run = lane->run;
    pl_run_record_failure(run, task, lane->worker, error);
    pl_lane_count(&lane->failed);
    pl_run_poison_successors(run, task, task);
    pl_run_drop_inputs(run, task);
    return conclude(lane, &run->nodes[task]);
}

/* Their counters are needed right after the call. */
static inline void fetch_successors(const plait_run *run, const pl_node *node)
{
    const uint32_t *successor = run->successors + node->successors;
    uint32_t n = node[1].successors - node->successors;
    for (uint32_t i = 0; i < n && i < 4; i++)
        __builtin_prefetch(&run->cells[successor[i]], 1);
}

uint32_t pl_shared_run(pl_lane *lane, uint32_t task)
{
    plait_run *run = lane->run;
    const pl_node *node = &run->nodes[task];
    pl_cell *cell = &run->cells[task];
    fetch_successors(run, node);
    settle_before(lane, node);
    uint32_t trouble = pl_run_trouble(run);
    if (trouble && ((trouble & PL_TROUBLE_STOPPING) ||
                    pl_run_poison_of(run, task) != PL_NONE))
        return skip(lane, task);
    plait_value result = pl_lane_call(lane, task, node);
    if (plait_is_error(result))
        return fail(lane, task, result);
    cell->slot.value = result;
    /* release: plait_run_result may look at a target at any time */
    atomic_store_explicit(&cell->state, PL_DONE, memory_order_release);
    pl_lane_count(&lane->done);
    drop_inputs(lane, task, node);
    if (pl_run_trouble(run))
        pl_run_free_unused(run, task);
    return conclude(lane, node);
}
