/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * order.c: chooses an order. Measured costs and gains, and why the limits are
 * what they are: docs/internals/order.md.
 */
#include "graph/order.h"

#include "base/alloc.h"
#include "graph/order_candidate.h"

/* Up to here all candidates compete, unless PLAIT_ORDER_MEMORY asks for it. */
#define SMALL 2048
/* Up to here the walk does, if creation order leaves much to save. */
#define MEDIUM 100000
/* More results than one in so many tasks are much. */
#define MUCH 64
/* Up to one in so many tasks is too little to look for. */
#define LITTLE 256

/* The best order so far, and room for one that may be better. */
typedef struct contest {
    const pl_order_graph *graph;
    pl_order_bound bound;
    pl_order_score best;
    uint32_t *leader; /* the best one's places; NULL: creation order */
    uint32_t *spare;  /* NULL: not needed yet */
    uint32_t *room;   /* whichever of the two is not the caller's array */
    size_t bytes;     /* the most that was held at a time */
    uint32_t little;  /* results above the bound that nobody looks for */
} contest;

typedef pl_order_outcome (*candidate)(pl_order_trial *trial);

static bool beats(pl_order_score a, pl_order_score b)
{
    if (a.peak != b.peak)
        return a.peak < b.peak;
    if (a.inner != b.inner)
        return a.inner < b.inner;
    return a.total < b.total;
}

static void note_bytes(contest *c, size_t bytes)
{
    if (c->room)
        bytes += c->graph->n * sizeof *c->room;
    if (bytes > c->bytes)
        c->bytes = bytes;
}

/* Lets one more order compete. False: no memory. */
static bool let_try(contest *c, candidate run, bool for_inner)
{
    if (c->best.peak <= c->bound.peak + c->little &&
        c->best.inner <= c->bound.inner + c->little)
        return true;
    if (!c->spare) {
        c->spare = c->room = pl_order_array(c->graph->n, sizeof *c->room);
        if (!c->room)
            return false;
    }
    pl_order_trial trial = { .graph = c->graph,
                             .position = c->spare,
                             .limit = c->best.peak,
                             .for_inner = for_inner };
    pl_order_outcome outcome = run(&trial);
    note_bytes(c, trial.bytes);
    if (outcome == PL_ORDER_DONE && beats(trial.score, c->best)) {
        uint32_t *loser = c->leader;
        c->leader = c->spare;
        c->spare = loser;
        c->best = trial.score;
    }
    return outcome != PL_ORDER_NO_MEMORY;
}

/* Where the walk is taken, depth-first never was better, but for trees, where
 * it is the best there is. False: no memory. */
static bool try_walks(contest *c, bool is_small)
{
    if (c->bound.is_forest)
        return let_try(c, pl_order_depth, false);
    return let_try(c, pl_order_walk, false) &&
           (!is_small || let_try(c, pl_order_walk, true));
}

/* Whether creation order leaves little to save: at its peak, targets and the
 * inputs of the widest task apart, there are few results. */
static bool is_low(uint32_t n, const pl_order_look *look)
{
    uint32_t one_task = look->widest + 1, much = n / MUCH;
    uint32_t least = look->targets > one_task ? look->targets : one_task;
    return look->peak <= least + much && look->inner <= one_task + much;
}

bool pl_order_creation_will_do(uint32_t n, const pl_order_look *look,
                               plait_order wanted)
{
    return wanted == PLAIT_ORDER_CREATION || n <= 1 ||
           (wanted == PLAIT_ORDER_AUTO && n > SMALL && is_low(n, look));
}

/* False: no memory. */
static bool compete(contest *c, plait_order wanted)
{
    uint32_t n = c->graph->n;
    bool is_small = n <= SMALL || wanted == PLAIT_ORDER_MEMORY;
    pl_order_look look;
    c->little = wanted == PLAIT_ORDER_MEMORY ? 0 : n / LITTLE;
    note_bytes(c, n);
    if (!pl_order_look_at_creation(c->graph, &look, &c->best))
        return false;
    if (pl_order_creation_will_do(n, &look, wanted))
        return true;
    if (!is_small && n > MEDIUM)
        return let_try(c, pl_order_depth, false);
    return pl_order_find_bound(c->graph, &c->bound) && try_walks(c, is_small);
}

bool pl_order(const pl_order_graph *graph, plait_order wanted,
              uint32_t *position, bool *is_identity, size_t *temporary_bytes)
{
    contest c = { .graph = graph, .spare = position };
    bool ok = wanted == PLAIT_ORDER_CREATION || compete(&c, wanted);
    if (ok && c.leader && c.leader != position) {
        for (uint32_t t = 0; t < graph->n; t++)
            position[t] = c.leader[t];
    }
    pl_free(c.room);
    c.room = NULL;
    size_t bytes = 0;
    *is_identity = !c.leader;
    ok = ok && pl_order_apply_priorities(graph, position, is_identity, &bytes);
    note_bytes(&c, bytes);
    if (temporary_bytes)
        *temporary_bytes = c.bytes;
    return ok;
}
