/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool.h: the threads of the threads executor, and which run each is at.
 *
 * A worker joins a run, stays while it finds tasks there, searches a little,
 * leaves, and joins another or sleeps. The pool's mutex guards only joining and
 * leaving: no task is run, and no deque used, under it.
 */
#ifndef PL_POOL_H
#define PL_POOL_H

#include "base/refcount.h"
#include "executor/threads/idle.h"
#include "executor/threads/team.h"
#include "platform/thread.h"

typedef struct pl_pool pl_pool;

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
    bool watched;   /* a sleeping worker watches those that walk */
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

/* ---- the pool (pool.c) ---- */

/* A pool of `workers` threads, made by `spawn` when that is not NULL.
 * Thread: any.  Blocks: no. */
plait_status pl_pool_new(unsigned workers, const plait_options *options,
                         pl_pool **out, plait_error *err);

/* More threads; PLAIT_OK too when only some could be made.
 * Thread: any.  Blocks: no. */
plait_status pl_pool_grow(pl_pool *pool, unsigned workers, plait_error *err);

unsigned pl_pool_workers(const pl_pool *pool);

/* References to the pool's memory: a team holds one.
 * Thread: any.  Blocks: no. */
void pl_pool_retain(pl_pool *pool);
void pl_pool_release(pl_pool *pool);

/* Gives the pool a run to work at, by a team; false: it is closing.
 * Thread: any.  Blocks: no. */
bool pl_pool_add(pl_pool *pool, pl_team *team);

/* A task's thread, which waits for the team's run, works at it while it finds
 * something, then sleeps; returns when the run has stopped or ended, or, after
 * the task that it is at, at until_ns.  Thread: any.  Blocks: yes. */
void pl_pool_help(pl_pool *pool, pl_team *team, int64_t until_ns);

/* Interrupts the tasks of language runtimes that run on one lane of a team, or
 * (PL_NO_WORKER) on all. The pool's mutex is held meanwhile, so that workers
 * stay: plait_runtime.interrupt must not block.
 * Thread: any.  Blocks: no. */
void pl_pool_interrupt(pl_pool *pool, pl_team *team, unsigned worker);

/* Work was made visible in the team's run: wakes a worker, when one sleeps that
 * may join it.  Thread: any.  Blocks: no. */
void pl_pool_notify(pl_team *team);

/* Stops the runs, and waits for the workers until until_ns. True: all runs have
 * ended, all workers are gone, and the caller's reference is given up. False:
 * some task goes on; the pool is left to it. Thread: any but its workers.
 * Blocks: yes. */
bool pl_pool_close(pl_pool *pool, int64_t until_ns);

/* ---- which worker is at which run (joining.c) ---- */

/* Joins a run where there is something to do; NULL: there is none.
 * Thread: the attachment's.  Blocks: no. */
pl_team_lane *pl_pool_join_any(pl_pool *pool, pl_attachment *attachment);

/* Joins this run to help until until_ns, if there is something to do and room.
 * Thread: the attachment's.  Blocks: no. */
pl_team_lane *pl_pool_join(pl_pool *pool, pl_team *team,
                           pl_attachment *attachment, int64_t until_ns);

/* A worker that is going to sleep, or to sleep on, watches the walkers of runs,
 * so that it can take a run from one that stands still (pl_pool_join_any): it
 * sleeps for a short time only. One worker is enough. Sets *watches, and
 * returns it.  Thread: the worker's.  Blocks: no. */
bool pl_pool_watch(pl_pool *pool, bool *watches);

/* If this worker watches, it does no more: it has found something to do.
 * Another takes its place, where that is needed and one sleeps.
 * Thread: the worker's.  Blocks: no. */
void pl_pool_unwatch(pl_pool *pool, bool *watches);

/* A walk begins: wakes a sleeper to watch it, unless one does.
 * Thread: the walker's.  Blocks: no. */
void pl_pool_want_watcher(pl_pool *pool);

/* Under the pool's mutex. True: it is closing, and all runs have ended, so that
 * its workers may go. */
bool pl_pool_finish(pl_pool *pool);

/* Leaves the run, and ends it when it is over and this was the last worker;
 * *searching is given up then. The team may be gone afterwards.
 * Thread: the lane's.  Blocks: no. */
void pl_pool_leave(pl_team_lane *lane, bool *searching);

/* If this worker is the searcher, it is one no more: another searches, where
 * one sleeps and there is more to find, in any run.
 * Thread: the searcher.  Blocks: no. */
void pl_pool_stop_searching(pl_pool *pool, bool *searching);

/* ---- what a worker's thread does (worker.c) ---- */

/* `arg`: its pl_worker. */
void pl_worker_main(void *arg);

#endif
