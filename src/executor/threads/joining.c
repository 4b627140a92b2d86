/* SPDX-License-Identifier: BSD-3-Clause */
/* joining.c: which worker is at which run, under the pool's mutex. */
#include <limits.h>

#include "engine/spread.h"
#include "executor/threads/pool.h"
#include "platform/clock.h"
#include "platform/park.h"

/* relaxed, for `hungry`: changed under the mutex, elsewhere a hint */
static void add_hungry(pl_pool *pool, uint32_t change)
{
    atomic_fetch_add_explicit(&pool->hungry, change, memory_order_relaxed);
}

static void list(pl_pool *pool, pl_team *team)
{
    pl_team *ring = pool->teams;
    team->next = ring ? ring : team;
    team->previous = ring ? ring->previous : team;
    team->previous->next = team;
    team->next->previous = team;
    if (!ring)
        pool->teams = team;
    team->listed = true;
    add_hungry(pool, 1);
}

static void unlist(pl_pool *pool, pl_team *team)
{
    if (pool->teams == team)
        pool->teams = team->next == team ? NULL : team->next;
    team->previous->next = team->next;
    team->next->previous = team->previous;
    team->listed = false;
}

bool pl_pool_finish(pl_pool *pool)
{
    if (!pool->closing || pool->teams)
        return false;
    /* release: a worker that sees it finds no run */
    atomic_store_explicit(&pool->finished, true, memory_order_release);
    return true;
}

/* Under the mutex: joins a team. The lane knows its thread's attachment as long
 * as the mutex says that it is in use: see pl_pool_interrupt. */
static pl_team_lane *join(pl_pool *pool, pl_team *team,
                          pl_attachment *attachment)
{
    pl_team_lane *lane = team->listed ? pl_team_join(team) : NULL;
    if (!lane)
        return NULL;
    if (pl_team_active(team) == 1)
        add_hungry(pool, UINT32_MAX); /* one less */
    pl_lane_enter(&lane->lane, attachment);
    return lane;
}

/* Whether a worker that looks for a run would join this one. */
static bool wants_workers(pl_team *team)
{
    return pl_team_has_work(team) || pl_team_stands_still(team);
}

static void begin_stay(pl_team_lane *lane, int64_t help_until_ns)
{
    lane->joined_ns = lane->claim_ns = pl_clock_ns();
    lane->help_until_ns = help_until_ns;
}

/* One that nobody is at, else the next in turn. */
pl_team_lane *pl_pool_join_any(pl_pool *pool, pl_attachment *attachment)
{
    pl_team_lane *lane = NULL;
    pl_mutex_lock(&pool->mutex);
    pl_team *first = pool->teams;
    for (int pass = 0; pass < 2 && first && !lane; pass++) {
        pl_team *team = first;
        do {
            if ((pass == 1 || pl_team_active(team) == 0) && wants_workers(team))
                lane = join(pool, team, attachment);
            team = team->next;
        } while (team != first && !lane);
    }
    if (lane)
        pool->teams = lane->team->next;
    pl_mutex_unlock(&pool->mutex);
    if (lane)
        begin_stay(lane, 0);
    return lane;
}

/* Wakes the tasks' threads that wait for the run asleep. */
static void wake_parked(pl_team *team)
{
    /* relaxed: the caller's barrier, or mutex, orders it behind the work; a
     * helper that parks looks again behind a heavy barrier */
    if (atomic_load_explicit(&team->parked, memory_order_relaxed) == 0)
        return;
    atomic_fetch_add_explicit(&team->run->event, PL_RUN_EVENT,
                              memory_order_release);
    pl_unpark(&team->run->event, INT_MAX);
}

static uint32_t limit(const pl_team *team)
{
    /* relaxed: as pl_team_active */
    return atomic_load_explicit(&team->limit, memory_order_relaxed);
}

/* Under the mutex, of a run that goes on: whether there is work for others now
 * that a worker has left. While the run had all the workers that it may have,
 * pushes told nobody (pl_pool_notify): if anybody waits to be told, what they
 * were about to tell is looked for behind a heavy barrier. */
static bool has_more(pl_pool *pool, pl_team *team)
{
    if (pl_team_has_work(team))
        return true;
    uint32_t left = pl_team_active(team);
    if (left == 0 || left + 1 != limit(team) ||
        (!pl_idle_sleeps(&pool->idle) &&
         atomic_load_explicit(&team->parked, memory_order_relaxed) == 0))
        return false;
    pl_barrier_heavy();
    return pl_team_has_work(team);
}

/* Under the mutex: whether some run is walked that could be shared. */
static bool has_walk(const pl_pool *pool)
{
    const pl_team *team = pool->teams;
    bool found = false;
    while (team && !found) {
        found = team->walker && team->run->spreads &&
                !pl_spread_is_begun(team->run);
        team = team->next == pool->teams ? NULL : team->next;
    }
    return found;
}

/* Whether a worker that sleeps could join some run. */
static bool has_room_and_work(pl_pool *pool)
{
    pl_mutex_lock(&pool->mutex);
    bool found = !pool->watched && has_walk(pool);
    pl_team *team = pool->teams;
    while (team && !found) {
        found = pl_team_active(team) < limit(team) && pl_team_has_work(team);
        team = team->next == pool->teams ? NULL : team->next;
    }
    pl_mutex_unlock(&pool->mutex);
    return found;
}

void pl_pool_stop_searching(pl_pool *pool, bool *searching)
{
    if (!*searching)
        return;
    *searching = false;
    if (pl_idle_found(&pool->idle) && has_room_and_work(pool))
        pl_idle_notify(&pool->idle);
}

void pl_pool_leave(pl_team_lane *lane, bool *searching)
{
    pl_team *team = lane->team;
    pl_pool *pool = team->pool;
    plait_run *run = team->run;
    bool over = false;
    bool finished = false;
    pl_mutex_lock(&pool->mutex);
    pl_lane_leave(&lane->lane);
    pl_team_leave(lane);
    if (pl_team_active(team) == 0 && team->listed) {
        over = pl_run_resolved(run);
        if (over)
            unlist(pool, team);
        else
            add_hungry(pool, 1);
        finished = pl_pool_finish(pool);
    }
    bool more = !over && team->listed && has_more(pool, team);
    if (more) /* it is listed: the team lives as long as the mutex is held */
        wake_parked(team);
    pl_mutex_unlock(&pool->mutex);
    if (over) { /* calls user code: nobody is to rely on this searcher */
        pl_pool_stop_searching(pool, searching);
        plait_run_end(run);
    } else if (more) {
        pl_idle_notify(&pool->idle);
    }
    if (finished)
        pl_idle_wake_all(&pool->idle);
}

bool pl_pool_add(pl_pool *pool, pl_team *team)
{
    pl_mutex_lock(&pool->mutex);
    bool is_open = !pool->closing;
    if (is_open)
        list(pool, team);
    pl_mutex_unlock(&pool->mutex);
    if (is_open)
        pl_idle_notify(&pool->idle);
    return is_open;
}

void pl_pool_notify(pl_team *team)
{
    pl_barrier_light();
    /* Nobody can join: who leaves tells of it (has_more). */
    if (pl_team_active(team) >= limit(team))
        return;
    wake_parked(team);
    pl_idle_notify(&team->pool->idle);
}

pl_team_lane *pl_pool_join(pl_pool *pool, pl_team *team,
                           pl_attachment *attachment, int64_t until_ns)
{
    pl_mutex_lock(&pool->mutex);
    pl_team_lane *lane =
        wants_workers(team) ? join(pool, team, attachment) : NULL;
    pl_mutex_unlock(&pool->mutex);
    if (lane)
        begin_stay(lane, until_ns);
    return lane;
}

bool pl_pool_watch(pl_pool *pool, bool *watches)
{
    pl_mutex_lock(&pool->mutex);
    if (*watches || !pool->watched)
        *watches = pool->watched = has_walk(pool);
    pl_mutex_unlock(&pool->mutex);
    return *watches;
}

void pl_pool_unwatch(pl_pool *pool, bool *watches)
{
    if (!*watches)
        return;
    *watches = false;
    pl_mutex_lock(&pool->mutex);
    pool->watched = false;
    bool wanted = has_walk(pool);
    pl_mutex_unlock(&pool->mutex);
    if (wanted)
        pl_idle_notify(&pool->idle);
}

void pl_pool_want_watcher(pl_pool *pool)
{
    pl_mutex_lock(&pool->mutex);
    bool watched = pool->watched;
    pl_mutex_unlock(&pool->mutex);
    if (!watched)
        pl_idle_notify(&pool->idle);
}
