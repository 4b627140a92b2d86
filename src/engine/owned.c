/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * owned.c: a run driven by one thread, where results can be lost.
 *
 * A task is *finished* when it is DONE, FREED, FAILED or SKIPPED. At any time
 * `missing` of a task is the number of its uses of tasks that are not finished,
 * and `uses` of a task is the number of uses by tasks that are neither finished
 * nor doomed, and one more for a target. Losing a result undoes one step:
 *
 *   lose t          t waits; each successor misses one input more; t uses its
 *                   inputs again, and an input that was FREED is lost in turn
 *   t runs again    as the first time
 *   nobody uses t   (all its users finished meanwhile) it is FREED unrun
 *
 * Lineage recomputation by worklist, as in the engines of Spark (Zaharia et
 * al., "Resilient Distributed Datasets", NSDI 2012).
 */
#include "engine/owned.h"

#include "base/alloc.h"
#include "engine/context.h"
#include "engine/lane.h"
#include "engine/ready_heap.h"
#include "platform/pages.h"

typedef enum pl_owned_mark {
    PL_OWNED_QUEUED = 1 << 0, /* it is in the heap */
    PL_OWNED_LOST = 1 << 1    /* it was done once */
} pl_owned_mark;

struct pl_owned {
    pl_ready_heap ready;  /* some of them withdrawn since */
    unsigned char *marks; /* by task: pl_owned_mark */
    uint32_t doomed;      /* tasks to be skipped, by cell.link; PL_NONE ends */
    uint32_t running;
    pl_lane lane; /* for executing in this process */
};

/* ---- cells: one thread, so loads and stores are relaxed ---- */

static pl_task_state state_of(const plait_run *run, uint32_t task)
{
    return (pl_task_state)atomic_load_explicit(&run->cells[task].state,
                                               memory_order_relaxed);
}

static void set_state(plait_run *run, uint32_t task, pl_task_state state)
{
    /* release: plait_run_result may look at a target at any time */
    atomic_store_explicit(&run->cells[task].state, state, memory_order_release);
}

static uint32_t add_missing(plait_run *run, uint32_t task, int32_t change)
{
    uint32_t missing =
        atomic_load_explicit(&run->cells[task].missing, memory_order_relaxed) +
        (uint32_t)change;
    atomic_store_explicit(&run->cells[task].missing, missing,
                          memory_order_relaxed);
    return missing;
}

static void make_ready(plait_run *run, uint32_t task)
{
    struct pl_owned *own = run->owned;
    if (pl_run_poison_of(run, task) != PL_NONE) {
        run->cells[task].link = own->doomed;
        own->doomed = task;
        return;
    }
    set_state(run, task, PL_READY);
    if (!(own->marks[task] & PL_OWNED_QUEUED)) {
        own->marks[task] |= PL_OWNED_QUEUED;
        pl_ready_heap_push(&own->ready, task);
    }
    pl_run_tell(run, PLAIT_TASK_READY, task, PL_NO_WORKER, plait_nil());
}

/* A task is finished: its successors have one input more. */
static void feed_successors(plait_run *run, uint32_t task)
{
    const pl_node *node = &run->nodes[task];
    for (uint32_t at = node->successors; at < node[1].successors; at++) {
        uint32_t successor = run->successors[at];
        if (add_missing(run, successor, -1) == 0 &&
            state_of(run, successor) == PL_WAITING)
            make_ready(run, successor);
    }
    if (node->function & PL_NODE_TARGET)
        pl_run_target_resolved(run);
}

/* Skips what has become ready but is doomed, and what that dooms. */
static void skip_doomed(plait_run *run)
{
    struct pl_owned *own = run->owned;
    while (own->doomed != PL_NONE) {
        uint32_t task = own->doomed;
        own->doomed = run->cells[task].link;
        pl_run_poison_successors(run, task, pl_run_poison_of(run, task));
        set_state(run, task, PL_SKIPPED);
        pl_lane_count(&own->lane.skipped);
        pl_run_tell(run, PLAIT_TASK_SKIPPED, task, PL_NO_WORKER,
                    pl_run_error_of(run, task));
        feed_successors(run, task);
    }
}

static void discard(plait_run *run, plait_slot *slot)
{
    if (run->drop)
        run->drop(run, slot);
    else
        plait_release(slot->value);
}

/* relaxed: a statistic */
static void count_done(plait_run *run, int change)
{
    atomic_fetch_add_explicit(&run->owned->lane.done, (uint32_t)change,
                              memory_order_relaxed);
}

/* ---- beginning and ending tasks ---- */

/* A task whose result was lost, and that nobody uses any more. */
static bool is_unused(const plait_run *run, uint32_t task)
{
    return (run->owned->marks[task] & PL_OWNED_LOST) &&
           atomic_load_explicit(&run->cells[task].uses, memory_order_relaxed) ==
               0;
}

static void finish_unrun(plait_run *run, uint32_t task)
{
    set_state(run, task, PL_FREED);
    count_done(run, 1); /* as it was before it was lost */
    pl_run_drop_inputs(run, task);
    feed_successors(run, task);
    skip_doomed(run);
}

bool plait_run_next(plait_run *run, plait_attempt *out)
{
    struct pl_owned *own = run->owned;
    while (own->ready.n > 0 && !(pl_run_trouble(run) & PL_TROUBLE_STOPPING)) {
        uint32_t task = pl_ready_heap_pop(&own->ready);
        own->marks[task] &= (unsigned char)~PL_OWNED_QUEUED;
        if (state_of(run, task) != PL_READY)
            continue; /* withdrawn */
        if (is_unused(run, task)) {
            finish_unrun(run, task);
            continue;
        }
        set_state(run, task, PL_RUNNING);
        own->running++;
        *out = (plait_attempt){ task, ++run->cells[task].attempt };
        return true;
    }
    return false;
}

/* Whether an attempt is the one that runs; if so it runs no more. */
static bool end_attempt(plait_run *run, plait_attempt attempt)
{
    if (attempt.task >= run->plan->n_tasks ||
        state_of(run, attempt.task) != PL_RUNNING ||
        run->cells[attempt.task].attempt != (uint16_t)attempt.number)
        return false;
    run->owned->running--;
    set_state(run, attempt.task, PL_WAITING);
    return true;
}

static bool may_retry(plait_run *run, uint32_t task, plait_value error)
{
    return run->cells[task].link < pl_run_retries_of(run, task) &&
           !plait_error_is_stop(error) &&
           !(pl_run_trouble(run) & PL_TROUBLE_STOPPING);
}

/* A task that ran no more is ready again, or waits for inputs that were lost
 * while it ran. */
static void begin_again(plait_run *run, uint32_t task)
{
    if (atomic_load_explicit(&run->cells[task].missing, memory_order_relaxed) ==
        0)
        make_ready(run, task);
}

static void fail_for_good(plait_run *run, uint32_t task, plait_value error)
{
    pl_run_record_failure(run, task, PL_NO_WORKER, error);
    pl_lane_count(&run->owned->lane.failed);
    pl_run_poison_successors(run, task, task);
    pl_run_drop_inputs(run, task);
    feed_successors(run, task);
    skip_doomed(run);
}

void plait_run_fail(plait_run *run, plait_attempt attempt, plait_value error)
{
    if (!plait_is_error(error)) {
        plait_release(error);
        error = plait_error_value(PLAIT_ETYPE,
                                  "the executor failed a task with a value "
                                  "that is no error");
    }
    if (!end_attempt(run, attempt)) {
        plait_release(error);
        return;
    }
    uint32_t task = attempt.task;
    if (may_retry(run, task, error)) {
        run->cells[task].link++;
        pl_run_tell(run, PLAIT_TASK_RETRIED, task, PL_NO_WORKER, error);
        plait_release(error);
        begin_again(run, task);
        return;
    }
    fail_for_good(run, task, error);
}

void plait_run_complete(plait_run *run, plait_attempt attempt,
                        plait_slot result)
{
    if (!run->drop && plait_is_error(result.value)) {
        plait_run_fail(run, attempt, result.value);
        return;
    }
    if (!end_attempt(run, attempt)) {
        discard(run, &result);
        return;
    }
    uint32_t task = attempt.task;
    run->cells[task].slot = result;
    set_state(run, task, PL_DONE);
    count_done(run, 1);
    pl_run_drop_inputs(run, task);
    pl_run_free_unused(run, task);
    feed_successors(run, task);
    skip_doomed(run);
}

/* ---- losing ---- */

static void withdraw(plait_run *run, uint32_t task)
{
    add_missing(run, task, 1);
    if (state_of(run, task) == PL_READY)
        set_state(run, task, PL_WAITING); /* the heap forgets it when it pops */
}

/* Makes a finished task wait again, and puts it on the chain of the lost. */
static void unfinish(plait_run *run, uint32_t task, uint32_t *lost)
{
    pl_cell *cell = &run->cells[task];
    set_state(run, task, PL_WAITING);
    run->owned->marks[task] |= PL_OWNED_LOST;
    count_done(run, -1);
    cell->slot = (plait_slot){ .words = { 0, 0 } };
    cell->link = *lost;
    *lost = task;
    if (run->nodes[task].function & PL_NODE_TARGET) {
        /* relaxed: only this thread resolves targets */
        atomic_fetch_add_explicit(&run->targets_left, 1, memory_order_relaxed);
        atomic_store_explicit(&run->resolved, false, memory_order_release);
    }
    pl_run_tell(run, PLAIT_TASK_LOST, task, PL_NO_WORKER, plait_nil());
}

/* A task that waits again needs its inputs again. */
static void use_inputs_again(plait_run *run, uint32_t task, uint32_t *lost)
{
    const pl_node *node = &run->nodes[task];
    for (uint32_t at = node->words; node->inputs && at < node[1].words; at++) {
        uint32_t input = run->words[at];
        if (input & PL_WORD_LITERAL)
            continue;
        atomic_fetch_add_explicit(&run->cells[input].uses, 1,
                                  memory_order_relaxed);
        if (state_of(run, input) == PL_FREED)
            unfinish(run, input, lost);
    }
}

/* A task that waits again may by now use a task that has failed: failures that
 * came after it was done, or while it ran, did not poison it. */
static void poison_by_inputs(plait_run *run, uint32_t task)
{
    const pl_node *node = &run->nodes[task];
    if (!(pl_run_trouble(run) & PL_TROUBLE_FAILED) ||
        node->function & PL_NODE_ACCEPTS_ERRORS)
        return;
    for (uint32_t at = node->words; at < node[1].words; at++) {
        uint32_t input = run->words[at];
        if (input & PL_WORD_LITERAL)
            continue;
        if (state_of(run, input) == PL_FAILED)
            pl_run_poison(run, task, input);
        else if (state_of(run, input) == PL_SKIPPED)
            pl_run_poison(run, task, pl_run_poison_of(run, input));
    }
}

static void lose_result(plait_run *run, uint32_t task)
{
    atomic_fetch_or_explicit(&run->trouble, PL_TROUBLE_LOST,
                             memory_order_relaxed);
    uint32_t todo = PL_NONE; /* lost, successors not told yet */
    uint32_t lost = PL_NONE; /* lost, all told */
    unfinish(run, task, &todo);
    while (todo != PL_NONE) {
        uint32_t t = todo;
        todo = run->cells[t].link;
        const pl_node *node = &run->nodes[t];
        for (uint32_t at = node->successors; at < node[1].successors; at++)
            withdraw(run, run->successors[at]);
        use_inputs_again(run, t, &todo);
        poison_by_inputs(run, t);
        run->cells[t].link = lost;
        lost = t;
    }
    while (lost != PL_NONE) {
        uint32_t t = lost;
        lost = run->cells[t].link;
        run->cells[t].link = 0; /* errors so far */
        begin_again(run, t);
    }
    skip_doomed(run);
}

static void lose_attempt(plait_run *run, uint32_t task)
{
    pl_cell *cell = &run->cells[task];
    end_attempt(run, (plait_attempt){ task, cell->attempt });
    pl_run_tell(run, PLAIT_TASK_LOST, task, PL_NO_WORKER, plait_nil());
    if (cell->losses < UINT8_MAX)
        cell->losses++;
    unsigned allowed = run->worker_losses ? run->worker_losses : 3;
    if (run->worker_losses != PLAIT_ONCE && cell->losses < allowed) {
        poison_by_inputs(run, task);
        begin_again(run, task);
        skip_doomed(run);
        return;
    }
    char key[sizeof(((plait_error *)0)->key)];
    pl_plan_key(run->plan, task, key, sizeof key);
    fail_for_good(run, task,
                  plait_error_value(PLAIT_EWORKER,
                                    "%s: lost with its worker %u times", key,
                                    cell->losses));
}

void plait_run_lose(plait_run *run, uint32_t task)
{
    if (task >= run->plan->n_tasks)
        return;
    pl_task_state state = state_of(run, task);
    if (state == PL_DONE)
        lose_result(run, task);
    else if (state == PL_RUNNING)
        lose_attempt(run, task);
}

/* ---- asking ---- */

bool plait_run_finished(const plait_run *run)
{
    return pl_run_resolved(run) ||
           (plait_run_stopping(run) && run->owned->running == 0);
}

/* What a stopped run has not begun is skipped when it ends, as in a run that is
 * driven in another way. */
static void skip_rest(plait_run *run)
{
    for (uint32_t t = 0; t < run->plan->n_tasks; t++) {
        pl_task_state state = state_of(run, t);
        if (state != PL_WAITING && state != PL_READY)
            continue;
        if (pl_run_poison_of(run, t) == PL_NONE)
            pl_run_poison(run, t, PL_CANCELLED);
        pl_run_poison_successors(run, t, pl_run_poison_of(run, t));
        set_state(run, t, PL_SKIPPED);
        pl_lane_count(&run->owned->lane.skipped);
        pl_run_tell(run, PLAIT_TASK_SKIPPED, t, PL_NO_WORKER,
                    pl_run_error_of(run, t));
        if (run->nodes[t].function & PL_NODE_TARGET)
            pl_run_target_resolved(run);
    }
}

void plait_run_end(plait_run *run)
{
    if (run->owned && !pl_run_resolved(run))
        skip_rest(run);
    run->on_end(run);
}

bool plait_run_stopping(const plait_run *run)
{
    return (pl_run_trouble(run) & PL_TROUBLE_STOPPING) != 0;
}

plait_value plait_run_execute(plait_run *run, plait_attempt attempt,
                              unsigned worker)
{
    pl_lane *lane = &run->owned->lane;
    pl_attachment attachment = { .worker = worker };
    lane->worker = worker;
    pl_attachment *outer = pl_attachment_current();
    pl_lane_enter(lane, outer ? outer : &attachment);
    pl_attachment_set_current(outer ? outer : &attachment);
    plait_value result = pl_lane_call_once(lane, attempt.task, attempt.number);
    if (!outer)
        pl_attachment_fini(&attachment);
    pl_attachment_set_current(outer);
    pl_lane_leave(lane);
    return result;
}

size_t plait_run_inputs(const plait_run *run, uint32_t task, uint32_t *inputs,
                        size_t n)
{
    const pl_node *node = &run->nodes[task];
    size_t found = 0;
    for (uint32_t at = node->words; at < node[1].words; at++) {
        if (run->words[at] & PL_WORD_LITERAL)
            continue;
        if (found < n)
            inputs[found] = run->words[at];
        found++;
    }
    return found;
}

plait_slot *plait_run_slot(plait_run *run, uint32_t task)
{
    return pl_run_state(run, task) == PL_DONE ? &run->cells[task].slot : NULL;
}

plait_task plait_run_task(const plait_run *run, uint32_t task)
{
    return (plait_task){ pl_plan_id(run->plan, task),
                         run->plan->graph->number };
}

void plait_run_set_driver(plait_run *run, void *driver)
{
    run->driver = driver;
}

void *plait_run_driver(const plait_run *run)
{
    return run->driver;
}

/* ---- setting up ---- */

bool pl_owned_init(plait_run *run)
{
    uint32_t n = run->plan->n_tasks;
    struct pl_owned *own = pl_calloc_aligned(PL_CACHE_LINE, sizeof *own);
    if (!own)
        return false;
    bool ok = pl_ready_heap_init(&own->ready, n);
    own->marks = pl_pages_alloc(n, 1);
    own->doomed = PL_NONE;
    pl_lane_init(&own->lane, run, 0);
    run->owned = own;
    pl_run_set_up_cells(run, 0);
    if (!ok || !own->marks) {
        pl_owned_fini(run);
        return false;
    }
    /* release: plait_run_counts finds a whole lane */
    atomic_store_explicit(&run->lanes[0], &own->lane, memory_order_release);
    for (uint32_t i = 0; i < run->plan->n_sources; i++)
        make_ready(run, run->plan->sources[i]);
    return true;
}

void pl_owned_fini(plait_run *run)
{
    struct pl_owned *own = run->owned;
    if (!own)
        return;
    uint32_t n = run->plan->n_tasks;
    pl_ready_heap_fini(&own->ready);
    pl_pages_free(own->marks, n, 1);
    pl_lane_fini(&own->lane);
    pl_free(own);
    run->owned = NULL;
}
