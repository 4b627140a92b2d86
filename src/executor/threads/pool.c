/* SPDX-License-Identifier: BSD-3-Clause */
/* pool.c: workers, and their way from run to run. */
#include "executor/threads/pool.h"

#include <limits.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "engine/shared.h"
#include "engine/walk.h"
#include "platform/clock.h"
#include "platform/park.h"

#define SEARCH_NS 20000
#define TURN_NS 1000000 /* at one run, while another has nobody */

typedef struct pl_worker {
    pl_pool *pool;
    unsigned number;
    bool spawned; /* by the front end: not ours to join */
    pl_thread thread;
} pl_worker;

struct pl_pool {
    bool (*spawn)(void *user, unsigned worker, void (*main)(void *arg),
                  void *arg);
    void *spawn_user;
    pl_refcount count; /* the executor's, and one of each team */
    pl_mutex mutex;
    /* guarded by mutex */
    bool closing;   /* takes no run any more */
    pl_team *teams; /* a ring: the next to be served */
    pl_worker *workers[PL_WORKERS_MAX];
    unsigned n_workers;
    /* read anywhere */
    _Atomic uint32_t size;   /* n_workers */
    _Atomic uint32_t alive;  /* threads that have not ended: to park on */
    _Atomic uint32_t hungry; /* listed runs that nobody is at */
    _Atomic bool finished;   /* closing, and all runs have ended */
    pl_idle idle;
};

/* ---- joining and leaving ---- */

static uint32_t active(const pl_team *team)
{
    return atomic_load_explicit(&team->active, memory_order_relaxed);
}

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

/* Under the mutex. True: closing, and all runs have ended. */
static bool finish(pl_pool *pool)
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
    if (active(team) == 1)
        add_hungry(pool, UINT32_MAX); /* one less */
    pl_lane_enter(&lane->lane, attachment);
    return lane;
}

/* Joins a run where there is something to do: one that nobody is at, else the
 * next in turn. */
static pl_team_lane *join_any(pl_pool *pool, pl_attachment *attachment)
{
    pl_team_lane *lane = NULL;
    pl_mutex_lock(&pool->mutex);
    pl_team *first = pool->teams;
    for (int pass = 0; pass < 2 && first && !lane; pass++) {
        pl_team *team = first;
        do {
            if ((pass == 1 || active(team) == 0) && pl_team_has_work(team))
                lane = join(pool, team, attachment);
            team = team->next;
        } while (team != first && !lane);
    }
    if (lane)
        pool->teams = lane->team->next;
    pl_mutex_unlock(&pool->mutex);
    if (lane)
        lane->joined_ns = lane->claim_ns = pl_clock_ns();
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

/* Leaves the run, and ends it when it is over and this was the last worker. The
 * team may be gone afterwards. */
static void leave(pl_team_lane *lane)
{
    pl_team *team = lane->team;
    pl_pool *pool = team->pool;
    plait_run *run = team->run;
    bool over = false;
    bool finished = false;
    pl_mutex_lock(&pool->mutex);
    pl_lane_leave(&lane->lane);
    pl_team_leave(lane);
    if (active(team) == 0 && team->listed) {
        over = pl_run_resolved(run);
        if (over)
            unlist(pool, team);
        else
            add_hungry(pool, 1);
        finished = finish(pool);
    }
    bool more = !over && team->listed && pl_team_has_work(team);
    if (more) /* it is listed: the team lives as long as the mutex is held */
        wake_parked(team);
    pl_mutex_unlock(&pool->mutex);
    if (over)
        plait_run_end(run);
    else if (more)
        pl_idle_notify(&pool->idle);
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
    /* relaxed: the barrier orders it behind the work. A worker that leaves
     * looks again under the mutex. */
    wake_parked(team);
    if (active(team) < atomic_load_explicit(&team->limit, memory_order_relaxed))
        pl_idle_notify(&team->pool->idle);
}

/* ---- working ---- */

/* Whether a worker had better turn to a run that nobody is at. */
static bool wants_turn(pl_team_lane *lane)
{
    const pl_pool *pool = lane->team->pool;
    if (atomic_load_explicit(&pool->hungry, memory_order_relaxed) == 0)
        return false;
    return active(lane->team) > 1 || pl_clock_ns() - lane->joined_ns > TURN_NS;
}

static bool yields(void *user)
{
    return wants_turn(user);
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

/* The searcher has found something: lets another search where there is more. */
static void found(pl_team_lane *lane, bool *searching)
{
    pl_pool *pool = lane->team->pool;
    *searching = false;
    pl_idle_found(&pool->idle);
    if (pl_team_has_work(lane->team) ||
        atomic_load_explicit(&pool->hungry, memory_order_relaxed) > 0)
        pl_idle_notify(&pool->idle);
}

/* Attaching may block: meanwhile the task lies where it can be stolen. Returns
 * the task to run then, or PL_NONE. */
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
    if (!pl_attach(attachment, runtime, run, run->user))
        pl_detach(attachment); /* closed: the task will fail with that */
    return pl_deque_take(&lane->deque);
}

static void work_shared(pl_team_lane *lane, bool *searching, bool helps)
{
    const pl_pool *pool = lane->team->pool;
    uint32_t task = PL_NONE;
    for (;;) {
        if (task == PL_NONE)
            task = pl_team_find(lane);
        if (task == PL_NONE && !helps)
            task = search(lane, searching);
        if (task == PL_NONE)
            break;
        if (*searching)
            found(lane, searching);
        task = attach_before(lane, task);
        if (task != PL_NONE)
            task = pl_shared_run(&lane->lane, task, &pool->hungry);
        if (!helps && wants_turn(lane)) {
            if (task != PL_NONE)
                pl_team_put(lane, task);
            break;
        }
    }
    pl_shared_flush(&lane->lane);
}

/* Works at a run until nothing is found there. */
static void work(pl_team_lane *lane, bool *searching, bool helps)
{
    if (lane->team->run->n_lanes > 1) {
        work_shared(lane, searching, helps);
    } else {
        if (*searching)
            found(lane, searching);
        pl_walk_yield yield = { &lane->team->pool->hungry, yields, lane };
        pl_walk(&lane->lane, helps ? NULL : &yield);
    }
    leave(lane);
}

/* ---- workers ---- */

/* The next run for a worker, asleep until there is one; NULL: closing. */
static pl_team_lane *next_run(pl_pool *pool, pl_attachment *attachment,
                              bool *searching)
{
    for (;;) {
        pl_team_lane *lane = join_any(pool, attachment);
        if (lane)
            return lane;
        if (*searching) {
            *searching = false;
            pl_idle_found(&pool->idle);
        }
        pl_detach(attachment);
        pl_idle_lie_down(&pool->idle);
        lane = join_any(pool, attachment);
        if (lane) {
            *searching = pl_idle_stay(&pool->idle);
            return lane;
        }
        *searching = pl_idle_sleep(&pool->idle, &pool->finished);
        if (!*searching)
            return NULL;
    }
}

static void worker_main(void *arg)
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
        work(lane, &searching, false);
    pl_attachment_fini(&attachment);
    pl_attachment_set_current(NULL);
    /* release: the closer frees what this thread used */
    atomic_fetch_sub_explicit(&pool->alive, 1, memory_order_release);
    pl_unpark(&pool->alive, INT_MAX);
}

static bool begin_thread(pl_pool *pool, pl_worker *worker)
{
    char name[32];
    worker->spawned = pool->spawn != NULL;
    if (worker->spawned)
        return pool->spawn(pool->spawn_user, worker->number, worker_main,
                           worker);
    snprintf(name, sizeof name, "plait-%u", worker->number);
    return pl_thread_begin(&worker->thread, worker_main, worker, name);
}

/* A worker with its number, and no thread yet; NULL: enough, or no memory. */
static pl_worker *new_worker(pl_pool *pool, unsigned wanted)
{
    pl_worker *worker = pl_calloc(1, sizeof *worker);
    if (!worker)
        return NULL;
    worker->pool = pool;
    pl_mutex_lock(&pool->mutex);
    bool enough = pool->n_workers >= wanted;
    if (!enough) {
        worker->number = pool->n_workers;
        pool->workers[pool->n_workers++] = worker;
        atomic_store_explicit(&pool->size, pool->n_workers,
                              memory_order_relaxed);
    }
    pl_mutex_unlock(&pool->mutex);
    if (!enough)
        return worker;
    pl_free(worker);
    return NULL;
}

/* Begins the thread of a new worker. No lock is held: a front end's `spawn` may
 * wait for its own. */
static bool begin_worker(pl_pool *pool, pl_worker *worker)
{
    /* relaxed: counted before the thread can end */
    atomic_fetch_add_explicit(&pool->alive, 1, memory_order_relaxed);
    if (begin_thread(pool, worker))
        return true;
    atomic_fetch_sub_explicit(&pool->alive, 1, memory_order_relaxed);
    pl_mutex_lock(&pool->mutex);
    pool->workers[worker->number] = NULL;
    if (worker->number + 1 == pool->n_workers)
        pool->n_workers--;
    atomic_store_explicit(&pool->size, pool->n_workers, memory_order_relaxed);
    pl_mutex_unlock(&pool->mutex);
    pl_free(worker);
    return false;
}

plait_status pl_pool_grow(pl_pool *pool, unsigned workers, plait_error *err)
{
    unsigned wanted = workers < PL_WORKERS_MAX ? workers : PL_WORKERS_MAX;
    pl_worker *worker;
    while (pl_pool_workers(pool) < wanted &&
           (worker = new_worker(pool, wanted))) {
        if (!begin_worker(pool, worker))
            break;
    }
    if (pl_pool_workers(pool) == 0)
        return pl_error_set(err, PLAIT_ESYS,
                            "threads: not one worker thread could be begun");
    return PLAIT_OK;
}

unsigned pl_pool_workers(const pl_pool *pool)
{
    return atomic_load_explicit(&pool->size, memory_order_relaxed);
}

plait_status pl_pool_new(unsigned workers, const plait_options *options,
                         pl_pool **out, plait_error *err)
{
    *out = NULL;
    pl_pool *pool = pl_calloc_aligned(PL_CACHE_LINE, sizeof *pool);
    if (!pool)
        return pl_error_nomem(err);
    pl_barrier_init();
    pl_mutex_init(&pool->mutex);
    atomic_init(&pool->count, 1);
    pool->spawn = options->spawn;
    pool->spawn_user = options->spawn_user;
    plait_status status = pl_pool_grow(pool, workers, err);
    if (status == PLAIT_OK)
        *out = pool;
    else
        pl_pool_release(pool);
    return status;
}

void pl_pool_retain(pl_pool *pool)
{
    pl_refcount_take(&pool->count);
}

void pl_pool_release(pl_pool *pool)
{
    if (!pl_refcount_give(&pool->count))
        return;
    pl_mutex_fini(&pool->mutex);
    pl_free(pool);
}

/* ---- helping ---- */

static bool is_over(const plait_run *run)
{
    return pl_run_resolved(run) ||
           (pl_run_trouble(run) & PL_TROUBLE_STOPPING) != 0;
}

static pl_team_lane *join_one(pl_pool *pool, pl_team *team,
                              pl_attachment *attachment)
{
    pl_mutex_lock(&pool->mutex);
    pl_team_lane *lane =
        pl_team_has_work(team) ? join(pool, team, attachment) : NULL;
    pl_mutex_unlock(&pool->mutex);
    if (lane)
        lane->joined_ns = lane->claim_ns = pl_clock_ns();
    return lane;
}

void pl_pool_help(pl_pool *pool, pl_team *team, int64_t until_ns)
{
    plait_run *run = team->run;
    pl_attachment *attachment = pl_attachment_current();
    bool searching = false;
    while (!is_over(run) && pl_clock_ns() < until_ns) {
        /* acquire: what changes the event after this wakes the park below */
        uint32_t event =
            atomic_load_explicit(&run->event, memory_order_acquire);
        /* relaxed: the barrier orders it before the last look */
        atomic_fetch_add_explicit(&team->parked, 1, memory_order_relaxed);
        pl_barrier_heavy();
        pl_team_lane *lane = join_one(pool, team, attachment);
        if (!lane && !is_over(run))
            pl_park(&run->event, event, until_ns);
        atomic_fetch_sub_explicit(&team->parked, 1, memory_order_relaxed);
        if (lane)
            work(lane, &searching, true);
    }
}

void pl_pool_interrupt(pl_pool *pool, pl_team *team, unsigned worker)
{
    pl_mutex_lock(&pool->mutex);
    for (uint32_t i = 0; i < team->run->n_lanes; i++) {
        if (worker != PL_NO_WORKER && i != worker)
            continue;
        /* acquire: the lane was filled before it was published */
        pl_lane *lane =
            atomic_load_explicit(&team->run->lanes[i], memory_order_acquire);
        if (lane && lane->attachment)
            pl_attachment_interrupt(lane->attachment);
    }
    pl_mutex_unlock(&pool->mutex);
}

/* ---- closing ---- */

static void stop_runs(pl_pool *pool)
{
    pl_mutex_lock(&pool->mutex);
    pool->closing = true;
    finish(pool);
    pl_team *team = pool->teams;
    if (team) {
        do {
            pl_run_stop(team->run, PLAIT_ECANCELED);
            team = team->next;
        } while (team != pool->teams);
    }
    pl_mutex_unlock(&pool->mutex);
}

static bool wait_for_workers(pl_pool *pool, int64_t until_ns)
{
    for (;;) {
        /* acquire: see worker_main */
        uint32_t alive =
            atomic_load_explicit(&pool->alive, memory_order_acquire);
        if (alive == 0)
            return true;
        if (pl_park(&pool->alive, alive, until_ns) == PL_PARK_TIMEOUT)
            return false;
    }
}

bool pl_pool_close(pl_pool *pool, int64_t until_ns)
{
    stop_runs(pool);
    pl_idle_wake_all(&pool->idle);
    if (!wait_for_workers(pool, until_ns))
        return false;
    for (unsigned i = 0; i < pool->n_workers; i++) {
        pl_worker *worker = pool->workers[i];
        if (worker && !worker->spawned)
            pl_thread_join(worker->thread);
        pl_free(worker);
    }
    pl_pool_release(pool);
    return true;
}
