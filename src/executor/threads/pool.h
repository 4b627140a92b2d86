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

#include "executor/threads/idle.h"
#include "executor/threads/team.h"
#include "platform/thread.h"

typedef struct pl_pool pl_pool;

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
 * something, then sleeps; returns when the run has stopped or ended, or at
 * until_ns.  Thread: any.  Blocks: yes. */
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

#endif
