/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * watch.pml: who watches the walks, in src/executor/threads/joining.c and
 * worker.c.
 *
 * Workers of a pool, and runs that come one after the other. A walker's task
 * never ends, nor does what is done by who shares the run. So a walk that is
 * not shared is shared by a watcher, or stands for ever. How sleepers are woken
 * is idle.pml's; here a notification does at once what it says there.
 *
 * Checked: when nothing moves any more, no worker sleeps while a walk is not
 * shared.
 */
#ifndef WORKERS
#define WORKERS 4
#endif
#define RUNS 2
#define NONE RUNS

/* pl_idle.word */
byte sleepers = WORKERS;
byte tokens;
bool searching;

/* under the pool's mutex */
bool watched;
bool listed[RUNS], walked[RUNS];
bool shared[RUNS]; /* pl_spread_is_begun */

#define IS_WALK(r) (walked[r] && !shared[r])
#define HAS_WALK (IS_WALK(0) || IS_WALK(1))
#define IS_NEW(r) (listed[r] && !walked[r])
#define HAS_NEW (IS_NEW(0) || IS_NEW(1))

inline notify()
{
    atomic {
        if
        :: sleepers > 0 && !searching ->
            sleepers--; tokens++; searching = true
        :: else -> skip
        fi
    }
}

/* pl_pool_join_any: a new run to walk; else one whose walker stands still, if
 * it has been seen before. */
inline join_any(late)
{
    atomic {
        r = NONE;
        walks = false;
        if
        :: IS_NEW(0) -> r = 0
        :: IS_NEW(1) -> r = 1
        :: !HAS_NEW && IS_WALK(0) -> r = 0
        :: !HAS_NEW && IS_WALK(1) -> r = 1
        :: !HAS_NEW && !(late && HAS_WALK) -> skip
        fi;
        if
        :: r != NONE && !walked[r] -> walked[r] = true; walks = true
        :: else -> skip
        fi
    }
}

inline stop_searching()
{
    if
    :: mine ->
        mine = false;
        atomic { searching = false; look = sleepers > 0 };
        atomic {
#ifdef BROKEN_SEARCHER
            look = look && HAS_NEW
#else
            look = look && (HAS_NEW || (!watched && HAS_WALK))
#endif
        };
        if
        :: look -> notify(); look = false
        :: else -> skip
        fi
    :: else -> skip
    fi
}

inline unwatch()
{
    if
    :: watches ->
        watches = false;
        atomic { watched = false; look = HAS_WALK };
#ifdef BROKEN_UNWATCH
        look = false;
#endif
        if
        :: look -> notify(); look = false
        :: else -> skip
        fi
    :: else -> skip
    fi
}

/* There was work after all. With a token it is the searcher; else it becomes
 * that if nobody is. */
inline stay()
{
    atomic {
        if
        :: tokens > 0 -> tokens--; mine = true
        :: else -> sleepers--; mine = !searching; searching = true
        fi
    }
}

active [WORKERS] proctype worker()
{
    byte r;
    bool walks, watches, mine, look;
    goto asleep;
next:
    join_any(false);
    if
    :: r != NONE -> goto work
    :: else -> skip
    fi;
    if
    :: mine -> mine = false; searching = false
    :: else -> skip
    fi;
    sleepers++;
    join_any(false);
    if
    :: r != NONE ->
        stay();
        goto work
    :: else -> skip
    fi;
asleep:
    atomic {
        r = NONE;
        walks = false;
        if
        :: watches || !watched -> watches = HAS_WALK; watched = watches
        :: else -> skip
        fi
    };
end_asleep:
    if
    :: atomic { tokens > 0 -> tokens--; mine = true }; unwatch(); goto next
    :: watches && HAS_WALK -> /* late */
        join_any(true);
        if
        :: r != NONE ->
            stay();
            unwatch();
            goto work
        :: else -> goto asleep
        fi
    :: watches && !HAS_WALK -> goto asleep
    fi;
work:
    stop_searching();
    if
    :: walks ->
        atomic { look = !watched }; /* pl_pool_want_watcher */
        if
        :: look -> notify(); look = false
        :: else -> skip
        fi
    :: else -> shared[r] = true
    fi;
    atomic { r = NONE; walks = false; watches = false };
end_task:
    false
}

active proctype program()
{
    byte i;
    do
    :: i < RUNS -> listed[i] = true; notify(); i++
    :: else -> break
    od
}

active proctype monitor()
{
    timeout -> assert(!(sleepers + tokens > 0 && HAS_WALK))
}
