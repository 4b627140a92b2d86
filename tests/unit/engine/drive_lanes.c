/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * drive_lanes.c: a random graph run by several lanes, one after the other at
 * random: shared from the start, and as a walk that is shared on its way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "engine/shared.h"
#include "engine/spread.h"
#include "engine/walk.h"
#include "random_run.h"

#define MOST_LANES 4

typedef struct hand_lane {
    pl_lane lane;
    uint32_t next; /* what pl_shared_run returned */
    uint32_t stack[MOST_TASKS];
    uint32_t n;
} hand_lane;

static void hand_push(pl_lane *lane, uint32_t task)
{
    hand_lane *own = (hand_lane *)lane;
    own->stack[own->n++] = task;
}

/* A task for a lane: its own next, its stack's last, another's first, or a
 * source. */
static uint32_t hand_find(random_graph *g, hand_lane *lanes, uint32_t n_lanes,
                          uint32_t self, plait_run *run)
{
    hand_lane *own = &lanes[self];
    uint32_t task = own->next;
    own->next = PL_NONE;
    if (task != PL_NONE)
        return task;
    hand_lane *victim = dice(g, 3) ? own : &lanes[dice(g, n_lanes)];
    if (victim->n && victim == own)
        return own->stack[--own->n];
    if (victim->n) {
        task = victim->stack[0];
        victim->n--;
        for (uint32_t i = 0; i < victim->n; i++)
            victim->stack[i] = victim->stack[i + 1];
        return task;
    }
    return run->cursor < run->plan->n_sources
               ? run->plan->sources[run->cursor++]
               : PL_NONE;
}

/* 0: a chain is run to its end; 1: one task at a time. */
static const _Atomic uint32_t hints[2] = { 0, 1 };

static void drive_lanes(random_graph *g, plait_run *run, hand_lane *lanes,
                        uint32_t n_lanes, uint32_t patience)
{
    for (uint32_t idle = 0; !pl_run_resolved(run) && idle < patience;) {
        uint32_t self = dice(g, n_lanes);
        pl_lane_enter(&lanes[self].lane, NULL);
        uint32_t task = hand_find(g, lanes, n_lanes, self, run);
        idle = task == PL_NONE ? idle + 1 : 0;
        if (task != PL_NONE)
            lanes[self].next =
                pl_shared_run(&lanes[self].lane, task, &hints[dice(g, 2)]);
        else if (dice(g, 2))
            pl_shared_flush(&lanes[self].lane);
        pl_lane_leave(&lanes[self].lane);
    }
    for (uint32_t i = 0; i < n_lanes; i++)
        pl_shared_flush(&lanes[i].lane);
}

#define PATIENCE 10000

static hand_lane *lanes_new(plait_run *run)
{
    hand_lane *lanes =
        pl_calloc_aligned(PL_CACHE_LINE, run->n_lanes * sizeof *lanes);
    assert_non_null(lanes);
    for (uint32_t i = 0; i < run->n_lanes; i++) {
        pl_lane_init(&lanes[i].lane, run, i);
        lanes[i].lane.push = hand_push;
        lanes[i].next = PL_NONE;
    }
    return lanes;
}

static void end_lanes(random_graph *g, plait_run *run, hand_lane *lanes)
{
    uint32_t ended = 0;
    check_run(g, run, true);
    if (!pl_run_resolved(run))
        complain(g, "not resolved");
    for (uint32_t i = 0; i < run->n_lanes; i++) {
        ended +=
            lanes[i].lane.done + lanes[i].lane.failed + lanes[i].lane.skipped;
        pl_lane_fini(&lanes[i].lane);
    }
    if (ended != run->plan->n_tasks)
        complain(g, "a task has not run, or twice");
    pl_free(lanes);
    run_free(g, run);
}

void drive_shared(random_graph *g)
{
    uint32_t n_lanes = 1 + dice(g, MOST_LANES);
    plait_run *run = run_new(g, n_lanes, NULL);
    hand_lane *lanes = lanes_new(run);
    pl_spread_at_once(run);
    drive_lanes(g, run, lanes, n_lanes, PATIENCE);
    end_lanes(g, run, lanes);
}

/* ---- spread: a walk by the first lane, which is shared on its way ---- */

typedef struct spreading {
    random_graph *g;
    plait_run *run;
    hand_lane *lanes;
    bool walks; /* the first lane is in pl_walk */
} spreading;

static void share_by_another(spreading *s)
{
    pl_lane *lane = &s->lanes[1 + dice(s->g, s->run->n_lanes - 1)].lane;
    pl_lane_enter(lane, NULL);
    pl_spread_share(lane, false);
    pl_lane_leave(lane);
}

/* In a task of the walker another lane shares the run, and the others do some
 * of it, until the walker's task is all that is left perhaps. */
static void meanwhile(void *user)
{
    spreading *s = user;
    if (!s->walks || dice(s->g, 6))
        return;
    s->walks = false;
    share_by_another(s);
    drive_lanes(s->g, s->run, s->lanes + 1, s->run->n_lanes - 1,
                dice(s->g, 100));
}

/* Between two tasks: the walker yields, or another shares the run, so that the
 * next task is the walker's own before it has begun. */
static bool between(void *user)
{
    spreading *s = user;
    if (dice(s->g, 4) == 0)
        return true;
    meanwhile(s);
    return false;
}

/* True: the run is shared, and the walker's part done. */
static bool walk_and_share(spreading *s)
{
    static const _Atomic uint32_t hint = 1;
    random_graph *g = s->g;
    pl_lane *lane = &s->lanes[0].lane;
    pl_walk_until until = { .hint = &hint, .yield = between, .user = s };
    pl_walk_end end = PL_WALK_YIELDED;
    while (end != PL_WALK_SHARE && pl_spread_enter(s->run)) {
        until.limit = s->run->walk_at + 1 + dice(g, 10);
        s->walks = true;
        end = pl_walk(lane, &until);
        s->walks = false;
        if (end == PL_WALK_OVER)
            return false;
        if (dice(g, 20) == 0)
            end = PL_WALK_SHARE;
        if (end != PL_WALK_SHARE && !pl_spread_leave(s->run))
            break;
        if (end != PL_WALK_SHARE && dice(g, 20) == 0)
            share_by_another(s);
    }
    pl_spread_share(lane, true);
    s->lanes[0].next = pl_spread_finish(lane);
    return true;
}

void drive_spread(random_graph *g)
{
    plait_run *run = run_new(g, 2 + dice(g, MOST_LANES - 1), NULL);
    hand_lane *lanes = lanes_new(run);
    spreading s = { .g = g, .run = run, .lanes = lanes };
    g->meanwhile = meanwhile;
    g->meanwhile_user = &s;
    pl_spread_init(run);
    pl_lane_enter(&lanes[0].lane, NULL);
    bool is_shared = walk_and_share(&s);
    pl_lane_leave(&lanes[0].lane);
    if (is_shared)
        drive_lanes(g, run, lanes, run->n_lanes, PATIENCE);
    end_lanes(g, run, lanes);
}
