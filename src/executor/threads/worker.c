/* SPDX-License-Identifier: BSD-3-Clause */
/* worker.c: what a worker does: finds tasks, searches, sleeps, helps. */
#include <limits.h>
#include <stdio.h>

#include "engine/shared.h"
#include "engine/spread.h"
#include "engine/walk.h"
#include "executor/threads/pool.h"
#include "platform/clock.h"
#include "platform/park.h"

/* How long a watcher sleeps: at first, and then twice as long each time. */
#define WATCH_NS 25000
#define WATCH_MOST_NS 200000
#define SEARCH_NS 20000
#define TURN_NS 1000000 /* at one run, while another has nobody */

/* Whether a worker had better turn to a run that nobody is at. */
static bool wants_turn(pl_team_lane *lane)
{
    const pl_pool *pool = lane->team->pool;
    if (atomic_load_explicit(&pool->hungry, memory_order_relaxed) == 0)
        return false;
    return pl_team_active(lane->team) > 1 ||
           pl_clock_ns() - lane->joined_ns > TURN_NS;
}

/* The next time that a watcher sleeps, after this one. */
static int64_t longer(int64_t delay)
{
    return 2 * delay < WATCH_MOST_NS ? 2 * delay : WATCH_MOST_NS;
}

static bool helps(const pl_team_lane *lane)
{
    return lane->help_until_ns != 0;
}

/* Whether it is time to leave the run, although there are tasks. */
static bool yields(void *user)
{
    pl_team_lane *lane = user;
    if (!helps(lane))
        return wants_turn(lane);
    return lane->help_until_ns != PL_FOREVER &&
           pl_clock_ns() >= lane->help_until_ns;
}

/* Not 0: `yields` is to be asked before the next task. */
static const _Atomic uint32_t *yield_hint(const pl_team_lane *lane)
{
    static const _Atomic uint32_t always = 1;
    return helps(lane) && lane->help_until_ns != PL_FOREVER
               ? &always
               : &lane->team->pool->hungry;
}

/* Looks for a task of this run for a while, as the one searcher. *searching
 * says whether this worker is that. */
static uint32_t search(pl_team_lane *lane, bool *searching)
{
    pl_pool *pool = lane->team->pool;
    if (!*searching && !(*searching = pl_idle_search(&pool->idle)))
        return PL_NONE;
    int64_t until = pl_clock_ns() + SEARCH_NS;
    do {
        for (int i = 0; i < 32; i++)
            pl_cpu_relax();
        uint32_t task = pl_team_find(lane);
        if (task != PL_NONE)
            return task;
    } while (!pl_run_resolved(lane->team->run) && pl_clock_ns() < until);
    return PL_NONE;
}

/* Attaching may block: meanwhile the task lies where it can be stolen, and what
 * was held back for it is settled. Returns the task to run then, or PL_NONE. */
static uint32_t attach_before(pl_team_lane *lane, uint32_t task)
{
    plait_run *run = lane->team->run;
    const pl_node *node = &run->nodes[task];
    pl_attachment *attachment = lane->lane.attachment;
    if (!(node->function & PL_NODE_RUNTIME))
        return task;
    plait_runtime *runtime = pl_plan_function(run->plan, node)->runtime;
    if (!pl_attach_may_block(attachment, runtime))
        return task;
    pl_team_put(lane, task);
    pl_pool_notify(lane->team);
    pl_shared_flush(&lane->lane);
    if (!pl_attach(attachment, runtime, run, run->user))
        pl_detach(attachment); /* closed: the task will fail with that */
    pl_lane_attached(&lane->lane);
    return pl_deque_take(&lane->deque);
}

/* Works at a run that is shared; `task` is the first, or PL_NONE. */
static void work_shared(pl_team_lane *lane, uint32_t task, bool *searching)
{
    pl_pool *pool = lane->team->pool;
    for (;;) {
        if (task == PL_NONE)
            task = pl_team_find(lane);
        if (task == PL_NONE && !helps(lane))
            task = search(lane, searching);
        if (task == PL_NONE)
            break;
        pl_pool_stop_searching(pool, searching);
        task = attach_before(lane, task);
        if (task != PL_NONE)
            task = pl_shared_run(&lane->lane, task, yield_hint(lane));
        if (yields(lane)) {
            if (task != PL_NONE)
                pl_team_put(lane, task);
            break;
        }
    }
    pl_shared_flush(&lane->lane);
}

/* Walks a run; true: it has become shared, and *task, or PL_NONE, is the
 * worker's. */
static bool walk(pl_team_lane *lane, uint32_t *task, bool *searching)
{
    pl_team *team = lane->team;
    pl_walk_until asked = { .hint = yield_hint(lane),
                            .yield = yields,
                            .user = lane };
    pl_pool_stop_searching(team->pool, searching);
    if (team->run->spreads && team->run->plan->n_tasks > 1)
        pl_pool_want_watcher(team->pool);
    return pl_team_walk(lane, &asked, task);
}

/* Works at a run until nothing is found there. */
static void work(pl_team_lane *lane, bool *searching)
{
    uint32_t task = PL_NONE;
    bool is_shared = pl_spread_is_done(lane->team->run);
    if (lane->shares) { /* setting up all cells may take long */
        pl_pool_stop_searching(lane->team->pool, searching);
        pl_team_share(lane);
        is_shared = true;
    } else if (!is_shared) {
        is_shared = walk(lane, &task, searching);
    }
    if (is_shared)
        work_shared(lane, task, searching);
    pl_pool_leave(lane, searching);
}

/* Asleep until there is something to do: a lane, or NULL when it was woken to
 * look for it. */
static pl_team_lane *sleep_in(pl_pool *pool, pl_attachment *attachment,
                              bool *searching)
{
    bool watches = false;
    pl_team_lane *lane = NULL;
    int64_t delay = WATCH_NS;
    for (;;) {
        int64_t until =
            pl_pool_watch(pool, &watches) ? pl_clock_ns() + delay : PL_FOREVER;
        pl_idle_end end = pl_idle_sleep(&pool->idle, &pool->finished, until);
        *searching = end == PL_IDLE_WOKEN;
        if (end != PL_IDLE_LATE)
            break;
        lane = pl_pool_join_any(pool, attachment);
        if (lane) {
            *searching =
                pl_idle_stay(&pool->idle) || pl_idle_search(&pool->idle);
            break;
        }
        delay = longer(delay);
    }
    pl_pool_unwatch(pool, &watches);
    return lane;
}

/* The next run for a worker, asleep until there is one; NULL: closing. */
static pl_team_lane *next_run(pl_pool *pool, pl_attachment *attachment,
                              bool *searching)
{
    for (;;) {
        pl_team_lane *lane = pl_pool_join_any(pool, attachment);
        if (lane)
            return lane;
        if (*searching) {
            *searching = false;
            pl_idle_found(&pool->idle);
        }
        pl_detach(attachment);
        pl_idle_lie_down(&pool->idle);
        lane = pl_pool_join_any(pool, attachment);
        if (lane) {
            /* as the searcher that it was, perhaps: more may have come, and not
             * have been told of, before it lay down */
            *searching =
                pl_idle_stay(&pool->idle) || pl_idle_search(&pool->idle);
            return lane;
        }
        lane = sleep_in(pool, attachment, searching);
        if (lane || !*searching)
            return lane;
    }
}

void pl_worker_main(void *arg)
{
    pl_worker *worker = arg;
    pl_pool *pool = worker->pool;
    char name[32];
    snprintf(name, sizeof name, "plait-%u", worker->number);
    pl_thread_set_name(name);
    pl_attachment attachment = { .worker = worker->number };
    pl_attachment_set_current(&attachment);
    bool searching = false;
    pl_team_lane *lane;
    while ((lane = next_run(pool, &attachment, &searching)))
        work(lane, &searching);
    pl_attachment_fini(&attachment);
    pl_attachment_set_current(NULL);
    /* release: the closer frees what this thread used */
    atomic_fetch_sub_explicit(&pool->alive, 1, memory_order_release);
    pl_unpark(&pool->alive, INT_MAX);
}

static bool is_over(const plait_run *run)
{
    return pl_run_resolved(run) ||
           (pl_run_trouble(run) & PL_TROUBLE_STOPPING) != 0;
}

/* Until when a helper may sleep: a run that another walks is watched. */
static int64_t watch_until(const plait_run *run, int64_t *delay,
                           int64_t until_ns)
{
    if (!run->spreads || pl_spread_is_done(run))
        return until_ns;
    int64_t until = pl_clock_ns() + *delay;
    *delay = longer(*delay);
    return until < until_ns ? until : until_ns;
}

void pl_pool_help(pl_pool *pool, pl_team *team, int64_t until_ns)
{
    plait_run *run = team->run;
    pl_attachment *attachment = pl_attachment_current();
    bool searching = false;
    int64_t delay = WATCH_NS;
    while (!is_over(run) && pl_clock_ns() < until_ns) {
        /* acquire: what changes the event after this wakes the park below */
        uint32_t event =
            atomic_load_explicit(&run->event, memory_order_acquire);
        /* relaxed: the barrier orders it before the last look */
        atomic_fetch_add_explicit(&team->parked, 1, memory_order_relaxed);
        pl_barrier_heavy();
        pl_team_lane *lane = pl_pool_join(pool, team, attachment, until_ns);
        if (!lane && !is_over(run))
            pl_park(&run->event, event, watch_until(run, &delay, until_ns));
        atomic_fetch_sub_explicit(&team->parked, 1, memory_order_relaxed);
        if (lane) {
            work(lane, &searching);
            pl_detach(attachment); /* it may sleep next, here or outside */
        }
    }
}
