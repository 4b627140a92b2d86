/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * walking.c: the worker that walks a run, and when the run is shared: by the
 * walker, when its tasks are long enough, and by another worker, when it sees
 * the walker in the same task for a while (see pl_pool_watch).
 */
#include <limits.h>

#include "engine/spread.h"
#include "executor/threads/pool.h"
#include "platform/clock.h"
#include "platform/cpu.h"
#include "platform/park.h"

/* Tasks of this length, at two looks in a row and for so long, are worth more
 * workers. One that touches fresh memory may take as long by chance. */
#define LONG_TASK_NS 500
/* With a language runtime's lock, which others need too. */
#define LONG_IN_RUNTIME_NS 50000
#define LONG_FOR_NS 5000
/* The walker looks at the clock after so many tasks at most. */
#define STRIDE_MOST 64
/* So long in one task is standing still. A task of a language runtime has its
 * lock, so that others could often only wait. */
#define STILL_NS 20000
#define STILL_IN_RUNTIME_NS 200000

static bool is_in_runtime(const plait_run *run, uint32_t task)
{
    return task < run->plan->n_tasks &&
           (run->nodes[task].function & PL_NODE_RUNTIME) != 0;
}

bool pl_team_stands_still(pl_team *team)
{
    plait_run *run = team->run;
    if (!team->walker || !run->spreads || pl_spread_is_begun(run))
        return false;
    int64_t now = pl_clock_ns();
    /* relaxed: a guess; sharing reads it again, behind a barrier */
    uint32_t at = atomic_load_explicit(&run->walk_at, memory_order_relaxed);
    if (at != team->seen_at) {
        team->seen_at = at;
        team->seen_ns = now;
        return false;
    }
    return now - team->seen_ns >=
           (is_in_runtime(run, at) ? STILL_IN_RUNTIME_NS : STILL_NS);
}

static void share(pl_team_lane *lane, bool walks)
{
    plait_run *run = lane->team->run;
    if (!pl_spread_share(&lane->lane, walks))
        return;
    pl_unpark(&run->shared_from, INT_MAX);
    pl_pool_notify(lane->team);
}

/* Another sets the cells up, which takes a moment. */
static void wait_until_shared(plait_run *run)
{
    for (int i = 0; i < 100 && !pl_spread_is_done(run); i++)
        pl_cpu_relax();
    while (!pl_spread_is_done(run))
        pl_park(&run->shared_from, PL_NONE, PL_FOREVER);
}

void pl_team_share(pl_team_lane *lane)
{
    share(lane, false);
    wait_until_shared(lane->team->run);
}

/* How a walker finds out that its tasks are long. */
typedef struct walk_pace {
    uint32_t stride; /* tasks to the next look at the clock */
    int64_t ns;      /* when the last look was */
    int64_t long_ns; /* how long tasks have been long; 0: they are not */
} walk_pace;

/* At the end of a stride; true: the tasks are long. */
static bool is_long(walk_pace *pace, const pl_team_lane *lane)
{
    int64_t now = pl_clock_ns();
    int64_t took = now - pace->ns;
    pace->ns = now;
    /* careful: attached, as runs that are watched are not walked */
    int64_t is_long_ns = lane->lane.careful ? LONG_IN_RUNTIME_NS : LONG_TASK_NS;
    if (took < (int64_t)pace->stride * is_long_ns) {
        pace->long_ns = 0;
        if (pace->stride < STRIDE_MOST)
            pace->stride *= 2;
        return false;
    }
    bool is_again = pace->long_ns > 0;
    pace->stride = 1;
    pace->long_ns += took;
    return is_again && pace->long_ns >= LONG_FOR_NS;
}

/* Until the run is over (OVER), the worker leaves (YIELDED), or somebody shares
 * it, or should (SHARE). */
static pl_walk_end walk(pl_team_lane *lane, const pl_walk_until *asked)
{
    plait_run *run = lane->team->run;
    pl_walk_until until = *asked;
    walk_pace pace = { .stride = 1, .ns = pl_clock_ns() };
    while (run->spreads) {
        /* relaxed: only the walker writes it */
        until.limit = pace.stride +
                      atomic_load_explicit(&run->walk_at, memory_order_relaxed);
        pl_walk_end end = pl_walk(&lane->lane, &until);
        if (end != PL_WALK_LIMIT)
            return end;
        if (is_long(&pace, lane))
            return PL_WALK_SHARE;
    }
    until.limit = PL_NONE;
    return pl_walk(&lane->lane, &until);
}

bool pl_team_walk(pl_team_lane *lane, const pl_walk_until *asked,
                  uint32_t *task)
{
    plait_run *run = lane->team->run;
    *task = PL_NONE;
    if (!run->spreads || pl_spread_enter(run)) {
        pl_walk_end end = walk(lane, asked);
        if (end == PL_WALK_OVER || !run->spreads ||
            (end == PL_WALK_YIELDED && pl_spread_leave(run)))
            return false;
        share(lane, true);
    }
    wait_until_shared(run);
    *task = pl_spread_finish(&lane->lane);
    return true;
}
