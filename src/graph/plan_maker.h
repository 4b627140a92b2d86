/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan_maker.h: making a plan. plan_make.c goes from graph to plan in creation
 * order; plan_layout.c inverts it, and lays it out in another order.
 */
#ifndef PL_PLAN_MAKER_H
#define PL_PLAN_MAKER_H

#include "graph/order.h"
#include "graph/plan.h"

/* What is needed only while a plan is made. */
typedef struct pl_plan_maker {
    plait_graph *graph;
    plait_plan *plan;
    const plait_task *targets;
    size_t n_targets;
    uint32_t last_id;      /* the highest that is needed */
    unsigned char *needed; /* by id - 1 */
    uint32_t *ranks;       /* id - 1 -> rank; NULL: all ids are needed */
    uint32_t *position;    /* rank -> plan number; NULL: the same */
    uint32_t at;           /* words written */
    pl_order_look look;    /* at creation order */
} pl_plan_maker;

/* The plan number of a task that is needed, while the plan is in creation
 * order. */
static inline uint32_t pl_rank_of(const pl_plan_maker *m, uint32_t id)
{
    return m->ranks ? m->ranks[id - 1] : id - 1;
}

/* Fills successors from words, and m->look. False: no memory. */
bool pl_plan_invert(pl_plan_maker *m);

/* Chooses an order, and lays the plan out in it: m->position. False: no
 * memory. */
bool pl_plan_reorder(pl_plan_maker *m, plait_order wanted);

#endif
