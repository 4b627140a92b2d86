/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * team.h: the workers that are at one run, and where its ready tasks lie.
 *
 * A run that many workers share has a deque for each of its lanes; entries are
 * plain plan numbers. So nothing of a run is ever in another's deque: runs
 * share a pool, a worker can leave a run at any task, and when a run ends
 * nothing of it is left behind.
 *
 * A worker looks for its next task in this order: the lowest task that its last
 * one made ready; its own deque; then a steal or the run's source cursor,
 * whichever shows the lower number, so that branches are finished before new
 * ones are begun.
 *
 * A run begins as a walk by the first worker that joins (engine/walk.h), and is
 * shared when that pays (walking.c, engine/spread.h). A team of one walks to
 * the end.
 */
#ifndef PL_TEAM_H
#define PL_TEAM_H

#include "engine/lane.h"
#include "engine/walk.h"
#include "executor/threads/deque.h"

struct pl_pool;
struct pl_team;

/* A lane and its deque. Used by one worker at a time; its deque outlives the
 * worker's stay. */
typedef struct pl_team_lane {
    pl_lane lane;
    struct pl_team *team;
    bool in_use;         /* guarded by the pool's mutex */
    bool shares;         /* joined to take the run from its walker */
    uint32_t claim;      /* sources to claim at once */
    uint32_t claim_done; /* lane.done at the last claim */
    uint32_t random;
    int64_t claim_ns; /* when the last claim was */
    int64_t joined_ns;
    int64_t help_until_ns; /* of a task's thread that helps; 0: a worker's */
    pl_deque deque;
} pl_team_lane;

typedef struct pl_team {
    plait_run *run;
    struct pl_pool *pool;
    /* guarded by the pool's mutex */
    struct pl_team *next; /* of the pool's runs, in a ring */
    struct pl_team *previous;
    bool listed;
    pl_team_lane *walker; /* in use; NULL: none, or no walk any more */
    uint32_t seen_at;     /* where the walker stood when somebody looked, */
    int64_t seen_ns;      /* and since when at least */
    /* written under the pool's mutex, read anywhere */
    _Atomic uint32_t limit;   /* lanes at most */
    _Atomic uint32_t active;  /* lanes in use */
    _Atomic uint32_t n_lanes; /* lanes ever made */
    /* tasks that no deque had room for: a stack by cell.link */
    _Atomic uint32_t overflow;
    _Atomic uint32_t parked; /* tasks' threads that wait for this run asleep */
} pl_team;

/* A team for a run, with its first lane; NULL: no memory. Becomes the run's
 * driver.  Thread: any.  Blocks: no. */
pl_team *pl_team_new(plait_run *run, struct pl_pool *pool, uint32_t limit);

/* Nobody is in it any more.  Thread: any.  Blocks: no. */
void pl_team_free(pl_team *team);

/* How many workers are in it. relaxed: changed under the pool's mutex; a hint
 * to who doesn't hold it */
static inline uint32_t pl_team_active(const pl_team *team)
{
    return atomic_load_explicit(&team->active, memory_order_relaxed);
}

/* Whether a worker that joins would find a task. The pool's mutex is held. */
bool pl_team_has_work(const pl_team *team);

/* Whether others had better take the run from its walker, which has been in the
 * same task since somebody last looked.  The pool's mutex is held. */
bool pl_team_stands_still(pl_team *team);

/* Takes the lowest free lane, as the walker of a run that is to be walked;
 * NULL: none is free, or no memory (the limit is then lowered to the lanes
 * there are).  The pool's mutex is held. */
pl_team_lane *pl_team_join(pl_team *team);

/* Gives the lane back. The pool's mutex is held. */
void pl_team_leave(pl_team_lane *lane);

/* ---- walks (walking.c) ---- */

/* Walks the run until it is over, or the worker had better leave (*asked says
 * when): false. True: it is shared, and *task, unless it is PL_NONE, is ready
 * and the caller's.  Thread: the lane's, which is the walker.
 * Blocks: as tasks do. */
bool pl_team_walk(pl_team_lane *lane, const pl_walk_until *asked,
                  uint32_t *task);

/* Takes the run from its walker.
 * Thread: a lane's that joined for it.  Blocks: until it is shared. */
void pl_team_share(pl_team_lane *lane);

/* ---- tasks of a run that is shared ---- */

/* A task for this lane; PL_NONE: none to be seen.
 * Thread: the lane's.  Blocks: no. */
uint32_t pl_team_find(pl_team_lane *lane);

/* Takes in a task that is ready, without waking anybody.
 * Thread: the lane's.  Blocks: no. */
void pl_team_put(pl_team_lane *lane, uint32_t task);

#endif
