/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * order.h: in which order tasks run. The order decides how many results are
 * alive at once; it never decides whether a run is right.
 *
 * Candidates (creation order, depth-first, a walk that frees what it can) are
 * scored by an exact sweep of live results. The lowest peak wins; at a tie the
 * lowest without targets, then the lowest total, then creation order.
 */
#ifndef PL_ORDER_H
#define PL_ORDER_H

#include <plait/compute.h>

/*
 * A culled graph. Task i's inputs are inputs[input_at[i] .. input_at[i + 1]),
 * all lower than i (creation order is topological), repeats possible; its
 * successors likewise, all higher. Tasks without successors are targets; others
 * may be too: is_target, a byte per task (a target's result stays alive).
 */
typedef struct pl_order_graph {
    uint32_t n;
    const uint32_t *input_at;
    const uint32_t *inputs;
    const uint32_t *successor_at;
    const uint32_t *successors;
    const unsigned char *is_target;
    const int32_t *priorities; /* NULL: all 0; higher runs earlier */
} pl_order_graph;

typedef struct pl_order_score {
    uint32_t peak;  /* the most results alive at one time */
    uint32_t inner; /* the same, targets not counted */
    uint64_t total; /* live results, summed over all steps */
} pl_order_score;

/* What one sweep of creation order tells. */
typedef struct pl_order_look {
    uint32_t peak;
    uint32_t inner;
    uint32_t targets; /* how many */
    uint32_t widest;  /* the most inputs of a task, repeats included */
} pl_order_look;

/*
 * Writes to `position` (room for n) each task's place, from 0, every input
 * before what uses it. `*is_identity` says that it is creation order, in which
 * case `position` may be left unwritten. `*temporary_bytes`, when not NULL, is
 * the most memory it held. False: no memory.
 * Thread: any.  Blocks: no.
 */
bool pl_order(const pl_order_graph *graph, plait_order wanted,
              uint32_t *position, bool *is_identity, size_t *temporary_bytes);

/* Whether creation order is so good in a graph of n tasks that pl_order need
 * not be asked. Priorities are the caller's to look at.
 * Thread: any.  Blocks: no. */
bool pl_order_creation_will_do(uint32_t n, const pl_order_look *look,
                               plait_order wanted);

/* The exact sweep: runs the tasks in this order (NULL: creation order), one at
 * a time, freeing each result after its last use. False: no memory. */
bool pl_order_sweep(const pl_order_graph *graph, const uint32_t *position,
                    pl_order_score *score);

#endif
