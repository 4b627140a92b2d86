/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * finish.pml: how a run ends, in src/executor/threads/pool.c (join, leave) and
 * src/executor/computation.c (let_go).
 *
 * Two workers and a helper, a task's thread that waits for the run and is its
 * user, work at two tasks. The user may also give the run up at any time before
 * it waits. Then it is the executor that destroys it.
 *
 * Checked: plait_run_end is called once, by the last to leave, and the run is
 * destroyed once, by whoever lets go last; nobody looks at it afterwards.
 */
#define TASKS 2
#define WORKERS 2
#define BY_EXECUTOR 1
#define BY_USER 2

bool mutex;      /* the pool's */
bool listed = true;
byte n_active;
byte ready = 1;  /* a source, which makes the others ready */
byte to_push = TASKS - 1;
byte left = TASKS;
bool resolved;
byte event;      /* who has let go */
bool destroyed;
bool ended;

#define LOCK d_step { !mutex -> mutex = true }
#define UNLOCK mutex = false
#define TOUCH assert(!destroyed) /* the run, or its team */

inline destroy()
{
    assert(!destroyed);
    assert(event == (BY_EXECUTOR | BY_USER));
    assert(n_active == 0);
    destroyed = true
}

inline let_go(by)
{
    d_step { TOUCH; event = event | by; both = (event == 3) }
    if
    :: both -> destroy()
    :: else
    fi
}

inline run_end()
{
    d_step {
        TOUCH;
        assert(!ended);
        assert(n_active == 0 && resolved);
        ended = true
    }
    let_go(BY_EXECUTOR)
}

/* join_any, join_one: what is listed is alive; the helper keeps it alive. */
inline join()
{
    LOCK;
    if
    :: listed && !resolved && ready ->
        TOUCH; n_active++; joined = true
    :: else
    fi;
    UNLOCK
}

inline work()
{
    do
    :: atomic { ready -> TOUCH; ready-- }
        if
        :: atomic { to_push -> to_push--; ready++ }
            TOUCH; /* pl_pool_notify */
        :: to_push == 0
        fi;
        TOUCH; /* pl_run_target_resolved */
        d_step { left--; last = (left == 0) }
        if
        :: last -> TOUCH; resolved = true; last = false
        :: else
        fi
    :: !ready -> break
    od
}

inline leave()
{
#ifdef BROKEN_LOCK
    /* counts under the mutex, but looks outside whether the run is over */
    LOCK; n_active--; UNLOCK;
    over = (n_active == 0 && resolved);
    if
    :: over -> listed = false
    :: else
    fi;
#else
    LOCK;
    TOUCH;
    n_active--;
    if
    :: n_active == 0 && listed && resolved -> listed = false; over = true
    :: n_active == 0 && listed && !resolved
#ifdef BROKEN_ACTIVE
    :: n_active > 0 && listed && resolved -> listed = false; over = true
    :: n_active > 0 && !(listed && resolved)
#else
    :: n_active > 0
#endif
    :: n_active == 0 && !listed
    fi;
    more = (!over && listed && ready);
    UNLOCK;
#endif
    joined = false;
    if
    :: over -> over = false; run_end()
    :: else ->
        if
        :: more ->
            more = false;
#ifdef BROKEN_NOTIFY
            TOUCH /* asks the team, not the pool, whom to wake */
#endif
        :: else
        fi
    fi
}

active [WORKERS] proctype worker()
{
    bool joined, over, more, last, both;
    do
    :: join();
        if
        :: joined -> work(); leave()
        :: else
        fi
    :: !listed -> break
    od
}

active proctype user()
{
    bool joined, over, more, last, both;
    do
    :: !resolved -> /* helps */
        TOUCH;
        join();
        if
        :: joined -> work(); leave()
        :: else
        fi
    :: event & BY_EXECUTOR -> break /* the wait returns */
    :: break                        /* or it doesn't wait */
    od;
    TOUCH;
    let_go(BY_USER)
}

active proctype monitor()
{
    timeout;
    assert(ended && destroyed && left == 0)
}
