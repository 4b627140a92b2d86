/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * idle.pml: sleeping and waking, in src/executor/threads/idle.c and pool.c.
 *
 * Three workers, and two runs that get tasks from outside and from their own
 * tasks. The first run takes two workers at most. A task, and what is called
 * when a run ends, may go on for ever: so whatever nobody looks at will never
 * be looked at, and a lost wake-up is a state in which nothing moves.
 *
 * A push is seen by its worker at once, by others when it leaves the worker's
 * store buffer: at any time, at the latest at its next sequentially consistent
 * access, or when somebody calls pl_barrier_heavy.
 *
 * Checked: at most one worker searches; and when nothing moves any more, no
 * worker sleeps that could join a run that has work, every sleeper is counted,
 * and no token is left.
 */
#define WORKERS 3
#define RUNS 2
#define LANES (RUNS * WORKERS)
#define NO_LANE LANES
#ifndef PUSHES
#define PUSHES 2
#endif
#ifndef ADDS
#define ADDS 2
#endif
#define LIMIT(r) ((r) -> WORKERS : 2)

/* pl_idle.word: changed by atomic operations alone */
byte sleepers = WORKERS; /* to begin with */
byte tokens;
bool searching;

byte epoch;
bool parked[WORKERS] = true; /* in the kernel */
byte searchers;       /* workers that take themselves for the searcher */

byte source[RUNS];        /* tasks that a run's cursor shows */
byte seen[LANES + 1];     /* tasks in a lane's deque, as others see it */
byte buffered[LANES + 1]; /* and pushed, but not seen yet */
byte n_active[RUNS];
byte pushes = PUSHES;

#define SEEN(r) (source[r] || seen[(r) * WORKERS] || \
                 seen[(r) * WORKERS + 1] || seen[(r) * WORKERS + 2])
#define JOINABLE(r) (n_active[r] < LIMIT(r) && SEEN(r))

inline drain(lane)
{
    seen[lane] = seen[lane] + buffered[lane];
    buffered[lane] = 0
}

inline barrier_heavy()
{
    d_step {
        drain(0); drain(1); drain(2); drain(3); drain(4); drain(5)
    }
}

/* ---- idle.c: in what a worker does, below ---- */

/* Wakes one, when somebody sleeps and nobody searches. Where somebody searches,
 * it writes the word as it is: who clears `searching` comes behind that, and
 * behind the stores of who notifies. */
inline notify(lane_)
{
    atomic {
        if
        :: sleepers == 0 -> woken = false
#ifdef BROKEN_SKIP
        :: sleepers > 0 && searching -> woken = false
#else
        :: sleepers > 0 && searching -> drain(lane_); woken = false
#endif
        :: sleepers > 0 && !searching ->
            drain(lane_); sleepers--; tokens++; searching = true; woken = true
        fi
    }
    atomic {
        if
        :: woken ->
            woken = false;
            epoch++;
            if
            :: parked[0] -> parked[0] = false
            :: parked[1] -> parked[1] = false
            :: parked[2] -> parked[2] = false
            :: !parked[0] && !parked[1] && !parked[2]
            fi
        :: else
        fi
    }
}

/* In one step with what is around them. */
inline become_searcher()
{
    assert(searchers == 0);
    searchers++; is_searcher = true
}

inline found()
{
    is_searcher = false; searchers--; searching = false
}

/* ---- pool.c ---- */

/* The searcher searches no more: another does, where there is more to find. */
inline stop_searching()
{
    d_step { found() };
#ifndef BROKEN_FOUND
    if
    :: sleepers > 0 && (JOINABLE(0) || JOINABLE(1)) -> notify(NO_LANE)
    :: else
    fi
#endif
}

/* Under the mutex; false: falls through. */
#define JOIN_ANY(where) \
    if \
    :: JOINABLE(0) -> at = 0; n_active[0]++; goto where \
    :: JOINABLE(1) -> at = 1; n_active[1]++; goto where \
    :: !JOINABLE(0) && !JOINABLE(1) \
    fi

/* Own deque, then the cursor, then a steal. */
#define FIND(where) \
    drain(at * WORKERS + me); \
    if \
    :: seen[at * WORKERS + me] -> seen[at * WORKERS + me]--; goto where \
    :: !seen[at * WORKERS + me] && source[at] -> source[at]--; goto where \
    :: !seen[at * WORKERS + me] && !source[at] -> \
        if \
        :: seen[at * WORKERS] -> seen[at * WORKERS]--; goto where \
        :: seen[at * WORKERS + 1] -> seen[at * WORKERS + 1]--; goto where \
        :: seen[at * WORKERS + 2] -> seen[at * WORKERS + 2]--; goto where \
        :: !SEEN(at) \
        fi \
    fi

active [WORKERS] proctype worker()
{
    byte at, slept;
    bool is_searcher, woken;
    byte me = _pid;

    goto asleep;

next_run:
    atomic {
        JOIN_ANY(work);
        if
        :: is_searcher
        :: else -> goto lie_down
        fi
    }
    d_step { found() };
lie_down: /* pl_idle_lie_down */
    sleepers++;
    atomic {
#ifndef BROKEN_BARRIER
        barrier_heavy();
#endif
#ifndef BROKEN_LOOK
        JOIN_ANY(stay);
#endif
        goto sleep
    }
stay:
    atomic { /* pl_idle_stay */
        if
#ifdef BROKEN_TOKEN
        :: sleepers > 0 -> sleepers--
#else
        :: tokens > 0 -> tokens--; become_searcher()
        :: tokens == 0 -> sleepers--
#endif
        fi;
#ifndef BROKEN_STAY
        if
        :: is_searcher -> goto work
        :: else
        fi
    }
    atomic { /* pl_idle_search */
        if
        :: !searching -> searching = true; become_searcher()
        :: searching
        fi;
#endif
        goto work
    }

sleep: /* pl_idle_sleep */
    slept = epoch;
    atomic {
        if
        :: tokens > 0 -> tokens--; slept = 0; become_searcher(); goto next_run
        :: tokens == 0
        fi
    }
    atomic {
        if
        :: epoch == slept -> parked[me] = true
        :: else
        fi;
        slept = 0
    }
asleep:
end_asleep:
    !parked[me];
    goto sleep;

work: /* work_shared */
    atomic {
        FIND(task);
        if
        :: is_searcher -> goto search
        :: else
        fi
    }
    atomic { /* pl_idle_search */
        if
        :: !searching -> searching = true; become_searcher()
        :: searching -> goto leave
        fi
    }
search:
    atomic { FIND(task); goto leave }
task:
    atomic {
        if
        :: is_searcher
        :: else -> goto run_task
        fi
    }
    stop_searching();
run_task:
    atomic {
        if
        :: pushes > 0 ->
            pushes--;
            buffered[at * WORKERS + me]++
        :: goto work
        :: goto busy
        fi
    }
    atomic { /* pl_pool_notify */
        if
        :: n_active[at] < LIMIT(at)
        :: n_active[at] == LIMIT(at) -> goto run_task
        fi
    }
    notify(at * WORKERS + me);
    goto run_task;

leave:
    atomic {
        n_active[at]--;
        if
        :: SEEN(at) -> goto tell
#ifndef BROKEN_LEAVE
        :: !SEEN(at) && n_active[at] + 1 == LIMIT(at) && n_active[at] > 0 &&
           sleepers > 0
#endif
        :: else -> goto left
        fi
    }
    atomic {
        barrier_heavy();
        if
        :: SEEN(at)
        :: else -> goto left
        fi
    }
tell:
    at = 0;
    notify(NO_LANE);
left:
    at = 0;
    atomic {
        if
        :: !is_searcher -> goto next_run
        :: is_searcher -> goto next_run
        :: is_searcher /* the run is over: plait_run_end calls user code */
        fi
    }
#ifndef BROKEN_END
    stop_searching();
#endif
busy: /* for ever */
    at = 0;
end_busy:
    false
}

/* Adds tasks to runs: pl_pool_add, whose mutex drains its stores. */
active proctype outside()
{
    bool woken;
    byte adds = ADDS;
    do
    :: adds > 0 ->
        atomic {
            adds--;
            if
            :: source[0]++
            :: source[1]++
            fi
        }
        notify(NO_LANE)
    :: adds == 0 -> break
    od
}

active proctype store_buffers()
{
end:
    do
    :: d_step { buffered[0] -> drain(0) }
    :: d_step { buffered[1] -> drain(1) }
    :: d_step { buffered[2] -> drain(2) }
    :: d_step { buffered[3] -> drain(3) }
    :: d_step { buffered[4] -> drain(4) }
    :: d_step { buffered[5] -> drain(5) }
    od
}

/* When nothing moves any more. */
active proctype monitor()
{
    timeout;
    assert(sleepers == parked[0] + parked[1] + parked[2]);
    assert(tokens == 0);
    assert(sleepers == 0 || !(JOINABLE(0) || JOINABLE(1)))
}
