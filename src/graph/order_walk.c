/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * order_walk.c: depth-first, but whatever frees a result is run at once.
 *
 * Three rules, the first that applies:
 *  1. A ready task that is the last user of some result runs now. No order that
 *     defers it has a lower peak: its result takes the place of its input.
 *  2. A task whose few missing inputs are all ready runs now, with them, when
 *     this leaves no more results alive than before.
 *  3. Else the walk goes on down from the targets. Of what is asked for, it
 *     takes what was touched last (an input of it ran), because it shares
 *     results that are alive; then what needs most results (order_number.c).
 *
 * There are two such walks. One keeps few results alive in all. The other keeps
 * few alive that are no targets: to it, a target weighs nothing, so a ready one
 * runs at once.
 *
 * Each use of a result is looked at a bounded number of times, so the walk is
 * linear but for sorting the inputs of each task. The stack is its own.
 */
#include "graph/order_candidate.h"

#include "base/alloc.h"
#include "graph/order_stack.h"

#define NOBODY UINT32_MAX
#define FEW_MISSING 3 /* what rule 2 runs together */

/* One task. The list of a task holds those that it asked for and that were
 * touched since, the last one first. */
typedef struct walk_task {
    uint32_t users;   /* tasks that use it and did not run yet, and one more if
                         it is a target */
    uint32_t user;    /* their xor: the last one, when it is alone */
    uint32_t used_by; /* the last to run: it may use it twice */
    uint32_t frees;   /* results that are alive and that it alone still uses */
    uint32_t missing; /* inputs that did not run yet */
    uint32_t unready; /* inputs that can't run yet */
    uint32_t asker;   /* the last one to ask for it, or NOBODY */
    uint32_t touched; /* when */
    uint32_t first;   /* of its list, or NOBODY */
    uint32_t next, previous; /* in its asker's list */
    bool is_target;
    bool is_listed;
    bool is_done;
    bool is_open;   /* has asked for its inputs */
    bool is_queued; /* in `small` */
} walk_task;

typedef struct walk {
    const pl_order_graph *graph;
    bool for_inner;
    uint32_t *position;
    uint16_t *numbers;
    uint64_t *keys;    /* room for the inputs of any one task, or the targets */
    walk_task *tasks;  /* and one more, that asks for the targets */
    uint32_t *freeing; /* rule 1: a stack */
    uint32_t n_freeing;
    uint32_t *small; /* rule 2: a stack */
    uint32_t n_small;
    pl_order_stack stack; /* rule 3 */
    uint32_t next;        /* place */
    uint32_t live;
    uint32_t inner; /* of them, no targets */
    pl_order_score score;
} walk;

static void unlist(walk *w, uint32_t t)
{
    walk_task *task = &w->tasks[t];
    if (!task->is_listed)
        return;
    task->is_listed = false;
    if (task->previous == NOBODY)
        w->tasks[task->asker].first = task->next;
    else
        w->tasks[task->previous].next = task->next;
    if (task->next != NOBODY)
        w->tasks[task->next].previous = task->previous;
}

static void list_first(walk *w, uint32_t t)
{
    walk_task *task = &w->tasks[t];
    walk_task *asker = &w->tasks[task->asker];
    if (asker->first == t)
        return;
    unlist(w, t);
    task->is_listed = true;
    task->previous = NOBODY;
    task->next = asker->first;
    if (task->next != NOBODY)
        w->tasks[task->next].previous = t;
    asker->first = t;
}

/* For rule 2, when something about t changed. */
static void consider(walk *w, uint32_t t)
{
    walk_task *task = &w->tasks[t];
    if (task->unready > 0 || task->missing > FEW_MISSING || task->is_queued)
        return;
    task->is_queued = true;
    w->small[w->n_small++] = t;
}

static bool weighs_nothing(const walk *w, const walk_task *task)
{
    return w->for_inner && task->is_target;
}

/* All inputs of t have run. */
static void become_ready(walk *w, uint32_t t)
{
    const pl_order_graph *graph = w->graph;
    if (w->tasks[t].frees > 0 || weighs_nothing(w, &w->tasks[t]))
        w->freeing[w->n_freeing++] = t;
    uint32_t end = graph->successor_at[t + 1];
    for (uint32_t i = graph->successor_at[t]; i < end; i++) {
        if (--w->tasks[graph->successors[i]].unready == 0)
            consider(w, graph->successors[i]);
    }
}

/* Only one task still uses this result, which is alive. */
static void note_last_user(walk *w, uint32_t t)
{
    walk_task *user = &w->tasks[t];
    if (user->missing > 0) {
        user->frees++;
        consider(w, t);
    } else if (user->frees++ == 0) {
        w->freeing[w->n_freeing++] = t;
    }
}

static void use_input(walk *w, uint32_t input, uint32_t user)
{
    walk_task *task = &w->tasks[input];
    if (task->used_by == user)
        return;
    task->used_by = user;
    task->user ^= user;
    if (--task->users == 0) {
        w->live--;
        w->inner--;
    }
    if (task->users == 1 && !task->is_target)
        note_last_user(w, task->user);
}

/* An input of t ran. */
static void touch(walk *w, uint32_t t)
{
    walk_task *task = &w->tasks[t];
    task->touched = w->next;
    if (task->asker != NOBODY)
        list_first(w, t);
    if (--task->missing == 0)
        become_ready(w, t);
    else
        consider(w, t);
}

static void run(walk *w, uint32_t t)
{
    const pl_order_graph *graph = w->graph;
    walk_task *task = &w->tasks[t];
    unlist(w, t);
    task->is_done = true;
    if (task->users == 1 && !task->is_target)
        w->tasks[task->user].frees++;
    w->position[t] = w->next++;
    w->live++;
    w->inner += !task->is_target;
    if (w->live > w->score.peak)
        w->score.peak = w->live;
    if (w->inner > w->score.inner)
        w->score.inner = w->inner;
    w->score.total += w->live;
    for (uint32_t i = graph->input_at[t]; i < graph->input_at[t + 1]; i++)
        use_input(w, graph->inputs[i], t);
    /* What is touched last is taken first. Two walks do better than one when
     * they break this tie in opposite ways. */
    uint32_t at = graph->successor_at[t], end = graph->successor_at[t + 1];
    for (uint32_t i = 0; i < end - at; i++)
        touch(w, graph->successors[w->for_inner ? end - 1 - i : at + i]);
}

/* Whether t and its missing inputs, which can all run, would leave no more
 * results alive than there are. */
static bool is_no_loss(const walk *w, uint32_t t)
{
    const pl_order_graph *graph = w->graph;
    uint32_t new = !weighs_nothing(w, &w->tasks[t]);
    uint32_t freed = w->tasks[t].frees;
    for (uint32_t i = graph->input_at[t]; i < graph->input_at[t + 1]; i++) {
        const walk_task *input = &w->tasks[graph->inputs[i]];
        if (input->is_done)
            continue;
        new += input->users > 1 && !weighs_nothing(w, input);
        freed += input->frees;
    }
    return new <= freed;
}

/* Rule 2. */
static void run_together(walk *w, uint32_t t)
{
    const pl_order_graph *graph = w->graph;
    const walk_task *task = &w->tasks[t];
    if (task->is_done || task->missing == 0)
        return;
    if (!is_no_loss(w, t))
        return;
    for (uint32_t i = graph->input_at[t]; i < graph->input_at[t + 1]; i++) {
        if (!w->tasks[graph->inputs[i]].is_done)
            run(w, graph->inputs[i]);
    }
    run(w, t);
}

/* Rules 1 and 2, as long as they apply. */
static void run_what_frees(walk *w)
{
    while (w->n_freeing > 0 || w->n_small > 0) {
        if (w->n_freeing > 0) {
            uint32_t t = w->freeing[--w->n_freeing];
            if (!w->tasks[t].is_done)
                run(w, t);
        } else {
            uint32_t t = w->small[--w->n_small];
            w->tasks[t].is_queued = false;
            run_together(w, t);
        }
    }
}

/* Asks for the missing inputs of t: pushes those that nothing touched yet, then
 * the others. */
static bool open_task(walk *w, uint32_t t)
{
    const pl_order_graph *graph = w->graph;
    w->tasks[t].is_open = true;
    uint32_t k = pl_order_n_inputs(graph, t), untouched = 0, touched = k;
    if (!pl_order_stack_reserve(&w->stack, k))
        return false;
    for (uint32_t i = graph->input_at[t]; i < graph->input_at[t + 1]; i++) {
        uint32_t input = graph->inputs[i];
        walk_task *task = &w->tasks[input];
        if (task->is_done)
            continue;
        unlist(w, input);
        task->asker = t;
        if (task->touched > 0)
            w->keys[--touched] = pl_order_key(task->touched, input);
        else
            w->keys[untouched++] = pl_order_key(w->numbers[input], input);
    }
    pl_order_stack_push(&w->stack, w->keys, untouched);
    pl_order_stack_push(&w->stack, w->keys + touched, k - touched);
    return true;
}

/* Rule 3. Until all has run. */
static pl_order_outcome walk_down(walk *w, uint32_t limit)
{
    while (w->stack.height > 0) {
        uint32_t t = pl_order_stack_top(&w->stack);
        walk_task *task = &w->tasks[t];
        if (task->is_done) {
            w->stack.height--;
            continue;
        }
        /* What its asker asked for too, and was touched since? */
        uint32_t rival = task->is_open ? NOBODY : w->tasks[task->asker].first;
        if (rival != NOBODY && rival != t) {
            if (!pl_order_stack_reserve(&w->stack, 1))
                return PL_ORDER_NO_MEMORY;
            w->stack.tasks[w->stack.height++] = t = rival;
            task = &w->tasks[t];
        }
        if (task->missing > 0) {
            if (!open_task(w, t))
                return PL_ORDER_NO_MEMORY;
            continue;
        }
        w->stack.height--;
        run(w, t);
        run_what_frees(w);
        if (w->score.peak > limit)
            return PL_ORDER_GAVE_UP;
    }
    return PL_ORDER_DONE;
}

/* Of what is kept, first comes what needs most; what weighs nothing begins with
 * what needs least. */
static bool push_targets(walk *w)
{
    const pl_order_graph *graph = w->graph;
    uint32_t k = 0;
    for (uint32_t t = 0; t < graph->n; t++) {
        if (graph->successor_at[t] != graph->successor_at[t + 1])
            continue;
        w->tasks[t].asker = graph->n;
        w->keys[k++] = pl_order_key(
            w->for_inner ? UINT16_MAX - w->numbers[t] : w->numbers[t], t);
    }
    if (!pl_order_stack_reserve(&w->stack, k))
        return false;
    pl_order_stack_push(&w->stack, w->keys, k);
    return true;
}

static void init_task(walk *w, uint32_t t)
{
    const pl_order_graph *graph = w->graph;
    uint32_t k = pl_order_n_inputs(graph, t);
    w->tasks[t] = (walk_task){ .users = pl_order_is_target(graph, t),
                               .is_target = pl_order_is_target(graph, t),
                               .used_by = NOBODY,
                               .missing = k,
                               .unready = k,
                               .asker = NOBODY,
                               .first = NOBODY };
    for (uint32_t i = graph->input_at[t]; i < graph->input_at[t + 1]; i++) {
        walk_task *input = &w->tasks[graph->inputs[i]];
        if (input->used_by == t)
            continue;
        input->used_by = t;
        input->user ^= t;
        input->users++;
    }
}

static void init_tasks(walk *w)
{
    uint32_t n = w->graph->n;
    for (uint32_t t = 0; t < n; t++)
        init_task(w, t);
    w->tasks[n] = (walk_task){ .first = NOBODY };
    for (uint32_t t = 0; t < n; t++) {
        w->tasks[t].used_by = NOBODY;
        if (w->tasks[t].missing == 0)
            become_ready(w, t);
    }
    /* With nothing alive, nothing can be freed. */
    while (w->n_small > 0)
        w->tasks[w->small[--w->n_small]].is_queued = false;
}

static pl_order_outcome walk_all(walk *w, const pl_order_trial *trial)
{
    pl_order_number(w->graph, w->numbers, w->keys);
    init_tasks(w);
    if (!push_targets(w))
        return PL_ORDER_NO_MEMORY;
    return walk_down(w, trial->limit);
}

pl_order_outcome pl_order_walk(pl_order_trial *trial)
{
    size_t n = trial->graph->n, n_keys = pl_order_widest(trial->graph);
    walk w = { .graph = trial->graph,
               .for_inner = trial->for_inner,
               .position = trial->position };
    w.numbers = pl_order_array(n, sizeof *w.numbers);
    w.keys = pl_order_array(n_keys, sizeof *w.keys);
    w.tasks = pl_order_array(n + 1, sizeof *w.tasks);
    w.freeing = pl_order_array(n, 2 * sizeof *w.freeing);
    w.small = pl_order_array(n, sizeof *w.small);
    pl_order_outcome outcome = PL_ORDER_NO_MEMORY;
    if (w.numbers && w.keys && w.tasks && w.freeing && w.small)
        outcome = walk_all(&w, trial);
    trial->score = w.score;
    trial->bytes = n * (sizeof *w.numbers + 3 * sizeof *w.freeing) +
                   n_keys * sizeof *w.keys + (n + 1) * sizeof *w.tasks +
                   w.stack.capacity * sizeof(uint32_t);
    pl_free(w.numbers);
    pl_free(w.keys);
    pl_free(w.tasks);
    pl_free(w.freeing);
    pl_free(w.small);
    pl_order_stack_fini(&w.stack);
    return outcome;
}
