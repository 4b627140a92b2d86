/* SPDX-License-Identifier: BSD-3-Clause */
/* pool.c: a pool's threads, from their making to their end. */
#include "executor/threads/pool.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "platform/park.h"

static bool begin_thread(pl_pool *pool, pl_worker *worker)
{
    char name[32];
    worker->spawned = pool->spawn != NULL;
    if (worker->spawned)
        return pool->spawn(pool->spawn_user, worker->number, pl_worker_main,
                           worker);
    snprintf(name, sizeof name, "plait-%u", worker->number);
    return pl_thread_begin(&worker->thread, pl_worker_main, worker, name);
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

static void stop_runs(pl_pool *pool)
{
    pl_mutex_lock(&pool->mutex);
    pool->closing = true;
    pl_pool_finish(pool);
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
        /* acquire: see pl_worker_main */
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
