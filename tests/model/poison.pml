/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * poison.pml: who frees a result while tasks fail, in src/engine/failure.c and
 * shared.c.
 *
 * Three tasks use the result of one. Each is sound, or doomed by one or two
 * failed tasks: a sound one runs after the result is there, reads it, and gives
 * up its use; a doomed one gives up its use when it is first poisoned, which
 * may be before the result is there. The completer's stores, and the one of a
 * sound task that saw no trouble, go through a store buffer.
 *
 * Checked: the result is freed once, not while a sound task may read it, and
 * what nobody has freed is found by the sweep at the end of the run.
 */
#define USERS 3

mtype = { WAITING, DONE, FREED };

mtype state = WAITING;
byte uses = USERS;
byte sound;            /* tasks that have not read the result yet */
bool poisoned[USERS];
bool concluded;        /* the completer has told the successors */
bool freed;
byte busy;             /* processes */

chan stores = [1] of { mtype }; /* to `state`: only the completer's, then only
                                   the last user's */

active proctype store_buffer()
{
    mtype value;
end:
    do
    :: d_step { stores ? value -> state = value; value = 0 }
    od
}

inline release_result()
{
    d_step { assert(!freed); assert(sound == 0); freed = true }
}

/* Other processors' buffers aren't touched: an atomic operation flushes its
 * own, which is empty in all but the completer. */
inline free_result()
{
#ifdef BROKEN_CAS
    if /* a look and a store */
    :: state == DONE -> state = FREED; release_result()
    :: else
    fi
#else
    d_step {
        won = (state == DONE);
        if
        :: won -> state = FREED
        :: else
        fi
    }
    if
    :: won -> release_result()
    :: else
    fi
#endif
}

/* pl_run_drop_uses */
inline drop_use()
{
    d_step { uses--; won = (uses == 0) }
    if
    :: won -> free_result()
    :: else
    fi
}

/* drop_use of shared.c, for who has seen no trouble yet */
inline drop_use_without_trouble()
{
    if
    :: uses == 1 -> won = true
    :: else -> d_step { uses--; won = (uses == 0) }
    fi;
    if
    :: won -> uses = 0; stores ! FREED; release_result()
    :: else
    fi
}

proctype completer()
{
    bool won;
    stores ! DONE;
    if
    :: true -> /* sees trouble: pl_run_free_unused */
        if
        :: uses == 0 ->
            empty(stores); /* its compare-and-exchange */
            free_result()
        :: uses > 0
        fi
    :: true
    fi;
    empty(stores); /* the atomic subtraction that tells the successors */
    concluded = true;
    busy--
}

proctype sound_user()
{
    bool won;
    concluded; /* it has become ready */
    assert(!freed); /* it reads */
    sound--;
    if
    :: drop_use()
    :: drop_use_without_trouble()
    fi;
    busy--
}

/* pl_run_poison, by a failed input of the user */
proctype poisoner(byte user)
{
    bool won;
#ifdef BROKEN_POISON
    won = !poisoned[user];
    poisoned[user] = true;
#else
    d_step { won = !poisoned[user]; poisoned[user] = true }
#endif
    if
    :: won -> drop_use()
    :: else
    fi;
    busy--
}

init {
    byte user;
    bool won;
    atomic {
        for (user : 0 .. USERS - 1) {
            if
            :: sound++; busy++; run sound_user()
            :: busy = busy + 2; run poisoner(user); run poisoner(user)
            fi
        }
        busy++;
        run completer()
    }
    /* the mutex under which lanes leave: all stores are seen */
    busy == 0 && empty(stores);
    assert(uses == 0);
    assert(state != WAITING);
    if /* pl_run_sweep */
    :: state == DONE -> release_result()
    :: else
    fi;
    assert(freed)
}
