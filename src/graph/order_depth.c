/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * order_depth.c: depth-first, from the targets to what they need; of a task's
 * inputs first the one that needs most results alive (order_number.c), which
 * is the best order for a tree. It has a stack of its own: chains may be ten
 * million tasks long.
 */
#include "graph/order_candidate.h"

#include "base/alloc.h"
#include "graph/order_stack.h"

/* In `position`, until the task has its place. */
#define UNSEEN UINT32_MAX
#define OPENED (UINT32_MAX - 1)

typedef struct depth_walk {
    const pl_order_graph *graph;
    uint32_t *position;
    uint16_t *numbers;
    uint32_t *uses; /* left, of each result */
    uint64_t *keys; /* room for the inputs of any one task, or the targets */
    pl_order_stack stack;
    uint32_t next; /* place */
    uint32_t live;
    uint32_t inner; /* of them, no targets */
    pl_order_score score;
} depth_walk;

static uint64_t key_of(const depth_walk *walk, uint32_t t)
{
    return pl_order_key(walk->numbers[t], t);
}

/* Pushes the inputs of t that have no place yet. */
static bool open_task(depth_walk *walk, uint32_t t)
{
    const pl_order_graph *graph = walk->graph;
    walk->position[t] = OPENED;
    if (!pl_order_stack_reserve(&walk->stack, pl_order_n_inputs(graph, t)))
        return false;
    uint32_t k = 0;
    for (uint32_t i = graph->input_at[t]; i < graph->input_at[t + 1]; i++) {
        if (walk->position[graph->inputs[i]] == UNSEEN)
            walk->keys[k++] = key_of(walk, graph->inputs[i]);
    }
    pl_order_stack_push(&walk->stack, walk->keys, k);
    return true;
}

static void place(depth_walk *walk, uint32_t t)
{
    const pl_order_graph *graph = walk->graph;
    walk->position[t] = walk->next++;
    walk->live++;
    walk->inner += !pl_order_is_target(graph, t);
    if (walk->live > walk->score.peak)
        walk->score.peak = walk->live;
    if (walk->inner > walk->score.inner)
        walk->score.inner = walk->inner;
    walk->score.total += walk->live;
    uint32_t freed = 0;
    for (uint32_t i = graph->input_at[t]; i < graph->input_at[t + 1]; i++)
        freed += --walk->uses[graph->inputs[i]] == 0;
    walk->live -= freed;
    walk->inner -= freed;
}

/* Runs what is on the stack and what that needs. */
static pl_order_outcome empty_stack(depth_walk *walk, uint32_t limit)
{
    while (walk->stack.height > 0) {
        uint32_t t = pl_order_stack_top(&walk->stack);
        uint32_t k = pl_order_n_inputs(walk->graph, t);
        if (walk->position[t] == UNSEEN && k > 0) {
            if (!open_task(walk, t))
                return PL_ORDER_NO_MEMORY;
            if (pl_order_stack_top(&walk->stack) != t)
                continue;
        }
        walk->stack.height--;
        /* It may be there twice: two tasks may have asked for it. */
        if (walk->position[t] >= OPENED)
            place(walk, t);
        if (walk->score.peak > limit)
            return PL_ORDER_GAVE_UP;
    }
    return PL_ORDER_DONE;
}

/* Puts the targets on the stack that no other task uses. */
static bool push_targets(depth_walk *walk)
{
    const pl_order_graph *graph = walk->graph;
    uint32_t k = 0;
    for (uint32_t t = graph->n; t-- > 0;) {
        if (graph->successor_at[t] == graph->successor_at[t + 1])
            walk->keys[k++] = key_of(walk, t);
    }
    if (!pl_order_stack_reserve(&walk->stack, k))
        return false;
    pl_order_stack_push(&walk->stack, walk->keys, k);
    return true;
}

static pl_order_outcome walk_all(depth_walk *walk, const pl_order_trial *trial)
{
    for (uint32_t t = 0; t < walk->graph->n; t++) {
        walk->position[t] = UNSEEN;
        walk->uses[t] = pl_order_n_uses(walk->graph, t);
    }
    pl_order_number(walk->graph, walk->numbers, walk->keys);
    if (!push_targets(walk))
        return PL_ORDER_NO_MEMORY;
    return empty_stack(walk, trial->limit);
}

pl_order_outcome pl_order_depth(pl_order_trial *trial)
{
    size_t n = trial->graph->n, n_keys = pl_order_widest(trial->graph);
    depth_walk walk = { .graph = trial->graph, .position = trial->position };
    walk.numbers = pl_order_array(n, sizeof *walk.numbers);
    walk.uses = pl_order_array(n, sizeof *walk.uses);
    walk.keys = pl_order_array(n_keys, sizeof *walk.keys);
    pl_order_outcome outcome = PL_ORDER_NO_MEMORY;
    if (walk.numbers && walk.uses && walk.keys)
        outcome = walk_all(&walk, trial);
    trial->score = walk.score;
    trial->bytes = n * (sizeof *walk.numbers + sizeof *walk.uses) +
                   n_keys * sizeof *walk.keys +
                   walk.stack.capacity * sizeof(uint32_t);
    pl_free(walk.numbers);
    pl_free(walk.uses);
    pl_free(walk.keys);
    pl_order_stack_fini(&walk.stack);
    return outcome;
}
