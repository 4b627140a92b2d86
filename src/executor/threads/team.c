/* SPDX-License-Identifier: BSD-3-Clause */
/* team.c: the lanes of a run, and finding the next task. */
#include "executor/threads/team.h"

#include "base/alloc.h"
#include "engine/shared.h"
#include "engine/spread.h"
#include "executor/threads/pool.h"
#include "platform/clock.h"

#define CLAIM_MOST 64
#define SHORT_TASK_NS 1000

/* ---- lanes ---- */

static pl_team_lane *lane_at(const pl_team *team, uint32_t i)
{
    /* acquire: the lane was filled before it was published */
    return (pl_team_lane *)atomic_load_explicit(&team->run->lanes[i],
                                                memory_order_acquire);
}

static uint32_t n_lanes(const pl_team *team)
{
    return atomic_load_explicit(&team->n_lanes, memory_order_acquire);
}

/* For pl_shared_run: a task has become ready beside the one that runs next.
 * While the run is only being shared nobody could join for it. */
static void push(pl_lane *lane, uint32_t task)
{
    pl_team_lane *own = (pl_team_lane *)lane;
    pl_team_put(own, task);
    if (pl_spread_is_done(lane->run))
        pl_pool_notify(own->team);
}

static pl_team_lane *new_lane(pl_team *team, uint32_t worker)
{
    pl_team_lane *lane = pl_calloc_aligned(PL_CACHE_LINE, sizeof *lane);
    if (!lane)
        return NULL;
    pl_lane_init(&lane->lane, team->run, worker);
    lane->lane.push = push;
    lane->team = team;
    lane->claim = 1;
    lane->random = worker * 2654435761u + 1;
    pl_deque_init(&lane->deque);
    /* release: who sees the lane sees it filled */
    atomic_store_explicit(&team->run->lanes[worker], &lane->lane,
                          memory_order_release);
    atomic_store_explicit(&team->n_lanes, worker + 1, memory_order_release);
    return lane;
}

pl_team *pl_team_new(plait_run *run, struct pl_pool *pool, uint32_t limit)
{
    pl_team *team = pl_calloc(1, sizeof *team);
    if (!team)
        return NULL;
    team->run = run;
    team->pool = pool;
    atomic_init(&team->limit, limit);
    atomic_init(&team->overflow, PL_NONE);
    if (!new_lane(team, 0)) {
        pl_free(team);
        return NULL;
    }
    pl_pool_retain(pool);
    run->driver = team;
    return team;
}

void pl_team_free(pl_team *team)
{
    for (uint32_t i = 0; i < n_lanes(team); i++) {
        pl_team_lane *lane = lane_at(team, i);
        pl_deque_fini(&lane->deque);
        pl_lane_fini(&lane->lane);
        pl_free(lane);
    }
    pl_pool_release(team->pool);
    pl_free(team);
}

static void begin_walk(pl_team *team, pl_team_lane *lane)
{
    team->walker = lane;
    team->seen_at = PL_NONE;
}

pl_team_lane *pl_team_join(pl_team *team)
{
    /* relaxed: both change only under the pool's mutex, which is held */
    uint32_t limit = atomic_load_explicit(&team->limit, memory_order_relaxed);
    if (atomic_load_explicit(&team->active, memory_order_relaxed) >= limit)
        return NULL;
    uint32_t i = 0;
    while (i < n_lanes(team) && lane_at(team, i)->in_use)
        i++;
    pl_team_lane *lane =
        i < n_lanes(team) ? lane_at(team, i) : new_lane(team, i);
    if (!lane) {
        atomic_store_explicit(&team->limit, i, memory_order_relaxed);
        return NULL;
    }
    lane->in_use = true;
    lane->shares = !pl_spread_is_done(team->run) && team->walker;
    if (!pl_spread_is_done(team->run) && !team->walker)
        begin_walk(team, lane);
    atomic_fetch_add_explicit(&team->active, 1, memory_order_relaxed);
    return lane;
}

void pl_team_leave(pl_team_lane *lane)
{
    lane->in_use = false;
    if (lane->team->walker == lane)
        lane->team->walker = NULL;
    /* relaxed: under the pool's mutex, which orders what the lane did before
     * what its next user does */
    atomic_fetch_sub_explicit(&lane->team->active, 1, memory_order_relaxed);
}

/* ---- overflow: only when memory has run out ---- */

static void overflow_push(pl_team *team, uint32_t task)
{
    uint32_t *link = &team->run->cells[task].link;
    *link = atomic_load_explicit(&team->overflow, memory_order_relaxed);
    /* release: who takes the stack reads the links */
    while (!atomic_compare_exchange_weak_explicit(&team->overflow, link, task,
                                                  memory_order_release,
                                                  memory_order_relaxed))
        ;
}

/* Takes the whole stack at once (so that no number can come back meanwhile),
 * keeps one, and puts the others where there is room. */
static uint32_t overflow_take(pl_team_lane *lane)
{
    pl_team *team = lane->team;
    if (atomic_load_explicit(&team->overflow, memory_order_relaxed) == PL_NONE)
        return PL_NONE;
    uint32_t first = atomic_exchange_explicit(&team->overflow, PL_NONE,
                                              memory_order_acquire);
    if (first == PL_NONE)
        return PL_NONE;
    uint32_t rest = team->run->cells[first].link;
    bool more = rest != PL_NONE;
    while (rest != PL_NONE) {
        uint32_t task = rest;
        rest = team->run->cells[task].link;
        pl_team_put(lane, task);
    }
    if (more) /* nobody saw them on their way */
        pl_pool_notify(team);
    return first;
}

void pl_team_put(pl_team_lane *lane, uint32_t task)
{
    if (!pl_deque_push(&lane->deque, task))
        overflow_push(lane->team, task);
}

/* ---- finding ---- */

static uint32_t next_source(const pl_team *team)
{
    const plait_plan *plan = team->run->plan;
    /* relaxed: sources are ready from the start; the number is all there is */
    uint32_t at =
        atomic_load_explicit(&team->run->cursor, memory_order_relaxed);
    return at < plan->n_sources ? plan->sources[at] : PL_NONE;
}

/* How many sources to claim: more while tasks are short, as a claim costs a
 * look at the clock and a counter that all lanes share. */
static uint32_t claim_size(pl_team_lane *lane)
{
    int64_t now = pl_clock_ns();
    uint32_t done =
        atomic_load_explicit(&lane->lane.done, memory_order_relaxed);
    int64_t tasks = (int64_t)(done - lane->claim_done);
    bool are_short = tasks > 0 && now - lane->claim_ns < tasks * SHORT_TASK_NS;
    lane->claim_ns = now;
    lane->claim_done = done;
    if (!are_short)
        lane->claim = 1;
    else if (lane->claim < CLAIM_MOST)
        lane->claim *= 2;
    return lane->claim;
}

/* Claims sources: one to run, the others into the own deque, lowest last. */
static uint32_t claim(pl_team_lane *lane)
{
    const plait_plan *plan = lane->team->run->plan;
    uint32_t k = claim_size(lane);
    uint32_t begin = atomic_fetch_add_explicit(&lane->team->run->cursor, k,
                                               memory_order_relaxed);
    if (begin >= plan->n_sources)
        return PL_NONE;
    uint32_t end = begin + k < plan->n_sources ? begin + k : plan->n_sources;
    for (uint32_t i = end; i-- > begin + 1;)
        pl_team_put(lane, plan->sources[i]);
    if (end - begin > 1)
        pl_pool_notify(lane->team);
    return plan->sources[begin];
}

/* Some other lane (xorshift; Marsaglia 2003). */
static pl_team_lane *random_victim(pl_team_lane *lane)
{
    uint32_t n = n_lanes(lane->team);
    uint32_t x = lane->random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    lane->random = x;
    uint32_t i = x % n;
    return lane_at(lane->team, i == lane->lane.worker ? (i + 1) % n : i);
}

/* Steals a task, and while tasks are short up to half of what lies there with
 * it, as each steal takes a cache line from the victim, and many at once take
 * the same one. What is stolen beyond one can be stolen again. */
static uint32_t steal(pl_team_lane *lane, pl_team_lane *victim)
{
    int64_t n = pl_deque_length(&victim->deque) / 2;
    uint32_t task = pl_deque_steal(&victim->deque);
    if (task == PL_NONE || n < 2)
        return task;
    uint32_t most = claim_size(lane);
    uint32_t i = 1;
    for (; i < most && i < n; i++) {
        uint32_t more = pl_deque_steal(&victim->deque);
        if (more == PL_NONE)
            break;
        pl_team_put(lane, task);
        task = more;
    }
    if (i > 1) /* nobody saw them on their way */
        pl_pool_notify(lane->team);
    return task;
}

static uint32_t steal_anywhere(pl_team_lane *lane)
{
    uint32_t n = n_lanes(lane->team);
    for (uint32_t k = 1; k < n; k++) {
        pl_team_lane *victim = lane_at(lane->team, (lane->lane.worker + k) % n);
        uint32_t task = steal(lane, victim);
        if (task != PL_NONE)
            return task;
    }
    return PL_NONE;
}

/* Whether a task that another lane has ready goes before the next source: one
 * of a branch that has begun does, when its number is lower. A source that lies
 * there is only part of a claim: while there are others to be had, that lane is
 * left to run it, with what follows from it. */
static bool goes_before(const pl_team *team, uint32_t task, uint32_t source)
{
    return task != PL_NONE &&
           (source == PL_NONE ||
            (task < source && team->run->nodes[task].inputs > 0));
}

/* A steal or a source, whichever shows the lower number. */
static uint32_t look_elsewhere(pl_team_lane *lane)
{
    pl_team *team = lane->team;
    uint32_t source = next_source(team);
    uint32_t task = PL_NONE;
    if (n_lanes(team) > 1) {
        pl_team_lane *victim = random_victim(lane);
        uint32_t top = pl_deque_peek(&victim->deque);
        if (goes_before(team, top, source))
            task = steal(lane, victim);
    }
    if (task == PL_NONE && source != PL_NONE)
        task = claim(lane);
    if (task == PL_NONE)
        task = steal_anywhere(lane);
    return task != PL_NONE ? task : overflow_take(lane);
}

uint32_t pl_team_find(pl_team_lane *lane)
{
    uint32_t task = pl_deque_take(&lane->deque);
    if (task == PL_NONE)
        task = look_elsewhere(lane);
    if (task != PL_NONE)
        return task;
    pl_shared_flush(&lane->lane); /* may make a task ready, into the deque */
    return pl_deque_take(&lane->deque);
}

bool pl_team_has_work(const pl_team *team)
{
    if (pl_run_resolved(team->run))
        return false;
    if (!pl_spread_is_done(team->run))
        return !team->walker && !pl_spread_is_begun(team->run);
    if (next_source(team) != PL_NONE ||
        atomic_load_explicit(&team->overflow, memory_order_relaxed) != PL_NONE)
        return true;
    for (uint32_t i = 0; i < n_lanes(team); i++) {
        if (pl_deque_peek(&lane_at(team, i)->deque) != PL_NONE)
            return true;
    }
    return false;
}
