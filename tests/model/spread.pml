/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spread.pml: from a walk to a run that is shared, in src/engine/spread.c and
 * walk.c.
 *
 * A walker runs five tasks in order: 1 and 2 need 0, 3 needs both, 4 needs
 * none. It may leave between two tasks and come again, and share the run
 * itself. Two others may share it at any moment, and then all are lanes.
 *
 * What the walker stores (results, and where it stands) reaches the others in
 * order, but late: at its next atomic operation at the latest, or when somebody
 * calls pl_barrier_heavy.
 *
 * Checked: each task runs once, and when its inputs are there for who runs it;
 * and all tasks run, or somebody waits for ever, which is an invalid end state.
 */
#define TASKS 5
#define NONE 15

#define INPUTS_FROM(t, first) \
    ((t) == 3 -> (1 >= (first)) + (2 >= (first)) : \
     ((t) == 1 || (t) == 2 -> 0 >= (first) : 0))
#define INPUTS_DONE(t) \
    ((t) == 3 -> done[1] && done[2] : \
     ((t) == 1 || (t) == 2 -> done[0] : true))

bool aside = true, shared; /* plait_run.trouble: atomic operations alone */
byte walk_at;              /* as others see it */
bool done[TASKS];
byte stored_at;            /* as the walker has stored it */
bool stored[TASKS];

bool published;
byte own = NONE;
byte missing[TASKS];
bool ready[TASKS]; /* deques and sources: taken by one, once */

bool begun[TASKS];
byte n_run;

inline drain()
{
    walk_at = stored_at;
    done[0] = done[0] || stored[0]; done[1] = done[1] || stored[1];
    done[2] = done[2] || stored[2]; done[3] = done[3] || stored[3];
    done[4] = done[4] || stored[4]
}

inline begin(t)
{
    assert(!begun[t]);
    begun[t] = true
}

/* pl_spread_share, by whoever was the first to say so */
inline set_up(is_own)
{
    d_step {
        at = walk_at;
        if
        :: is_own && at < TASKS -> own = at
        :: else -> skip
        fi;
        i = at;
#ifndef BROKEN_OWN
        if
        :: own != NONE -> i++
        :: else -> skip
        fi;
#endif
#ifdef BROKEN_COUNT
        at = i;
#endif
        do
        :: i < TASKS ->
            missing[i] = INPUTS_FROM(i, at);
            ready[i] = (missing[i] == 0);
            i++
        :: else -> break
        od;
        published = true;
        i = 0;
        at = 0
    }
}

inline arrive(successor)
{
    missing[successor]--;
    if
    :: missing[successor] == 0 -> ready[successor] = true
    :: else -> skip
    fi
}

inline feed(t)
{
    d_step {
        if
        :: t == 0 -> arrive(1); arrive(2)
        :: t == 1 || t == 2 -> arrive(3)
        :: else -> skip
        fi
    }
}

/* A lane of a run that is shared, until all is done. */
inline work()
{
    do
    :: n_run == TASKS -> break
    :: atomic { ready[0] -> ready[0] = false; i = 0 }; take(i)
    :: atomic { ready[1] -> ready[1] = false; i = 1 }; take(i)
    :: atomic { ready[2] -> ready[2] = false; i = 2 }; take(i)
    :: atomic { ready[3] -> ready[3] = false; i = 3 }; take(i)
    :: atomic { ready[4] -> ready[4] = false; i = 4 }; take(i)
    od
}

inline take(t)
{
    atomic { begin(t); assert(INPUTS_DONE(t)) };
    atomic { done[t] = true; n_run++; feed(t); i = 0 }
}

active proctype walker()
{
    byte i, at, t;
    bool first;
enter:
    atomic { drain(); aside = false };
    if
    :: shared -> goto leave_walk
    :: else -> skip
    fi;
step:
    stored_at = t;
    if
    :: true -> skip
    :: t < TASKS -> /* yields, or its tasks are long */
        if
        :: true -> atomic { drain(); first = !shared; shared = true };
            if
            :: first -> set_up(false)
            :: else -> skip
            fi;
            goto leave_walk
        :: true ->
#ifdef BROKEN_ASIDE
            atomic { drain(); aside = true };
#else
            atomic { drain(); aside = true;
                     if
                     :: shared -> goto leave_walk
                     :: else -> skip
                     fi };
#endif
            if /* it comes again, but not to a run that is no walk any more */
            :: shared -> goto as_lane
            :: else -> goto enter
            fi
        fi
    fi;
    if
    :: shared -> goto leave_walk
    :: !shared && t == TASKS -> goto over
    :: !shared && t < TASKS -> skip
    fi;
    begin(t);
    assert((t == 3 -> stored[1] && stored[2] :
            ((t == 1 || t == 2) -> stored[0] : true)));
    atomic { stored[t] = true; n_run++ };
    t++;
    goto step;
leave_walk:
    published;
    if
    :: own == NONE -> skip
    :: own == t -> take(t)
#ifdef BROKEN_FEED
    :: own + 1 == t -> drain()
#else
    :: own + 1 == t -> atomic { drain(); feed(own) }
#endif
    fi;
as_lane:
    work();
over:
    atomic { drain(); assert(n_run == TASKS) }
}

active [2] proctype other()
{
    byte i, at;
    bool first, was_aside;
    if
    :: goto over
    :: atomic { first = !shared; was_aside = aside; shared = true }
    fi;
    if
    :: first ->
#ifndef BROKEN_BARRIER
        atomic { drain() }; /* the heavy barrier */
#endif
        set_up(!was_aside)
    :: else -> published
    fi;
    work();
over:
    skip
}

/* What the walker has stored becomes visible at any time. */
active proctype memory()
{
end:
    do
    :: atomic { walk_at != stored_at -> drain() }
    od
}
