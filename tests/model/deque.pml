/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deque.pml: the deque of src/executor/threads/deque.c: its owner, who pushes
 * and takes in any order, and two thieves.
 *
 * Only the owner stores plainly; its stores go through a buffer, first in first
 * out, that empties at any time (the memory of x86). A sequentially consistent
 * store, and a compare-and-exchange, wait until the buffer is empty. top is
 * changed by compare-and-exchange alone.
 *
 * Checked: each task that was pushed is got once, by whomever.
 */
#define TASKS 3  /* pushed in all: more than the first ring has places */
#define THIEVES 2
#define NONE 0   /* tasks are 1, 2, 3 */

/* addresses: the first ring has 2 places, the grown one 4 */
#define RING 0
#define BOTTOM 1
#define PLACE(ring, at) ((ring) -> 4 + (at) % 4 : 2 + (at) % 2)
#define CAPACITY(ring) ((ring) -> 4 : 2)

byte memory[8]; /* what thieves see */
byte own[8];    /* what the owner sees: its stores are the only ones */
byte top;
chan stores = [2] of { byte, byte };
bool over;
byte thieves = THIEVES;
bool got[TASKS + 1];

active proctype store_buffer()
{
    byte address, value;
end:
    do
    :: d_step { stores ? address, value ->
                memory[address] = value; address = 0; value = 0 }
    od
}

#define STORE(address, value) \
    atomic { stores ! address, value; own[address] = value }
#define FLUSH empty(stores)

/* top from t to t + 1 */
#define TAKE_TOP(t, won) \
    d_step { won = (top == t); if :: won -> top = t + 1 :: else fi }

#define GOT(task) \
    d_step { assert(task != NONE); assert(!got[task]); got[task] = true }

active proctype owner()
{
    byte pushed, b, t, at, task;
    bool won;
    do
    :: pushed < TASKS -> /* pl_deque_push */
        pushed++;
        t = top;
        if
        :: own[BOTTOM] - t >= CAPACITY(own[RING]) -> /* grow */
            assert(own[RING] == 0);
#ifdef BROKEN_GROW
            STORE(RING, 1);
#endif
            at = t;
            do
            :: at < own[BOTTOM] ->
                STORE(PLACE(1, at), own[PLACE(0, at)]);
                at++
            :: else -> break
            od;
            at = 0;
#ifndef BROKEN_GROW
            STORE(RING, 1)
#endif
        :: else
        fi;
        b = own[BOTTOM];
        t = 0;
#ifdef BROKEN_PUSH
        /* relaxed: the two stores may be seen the other way round */
        STORE(BOTTOM, b + 1);
        STORE(PLACE(own[RING], b), pushed);
#else
        STORE(PLACE(own[RING], b), pushed);
        STORE(BOTTOM, b + 1);
#endif
        b = 0
    :: true -> /* pl_deque_take */
        t = top;
        if
        :: t >= own[BOTTOM] ->
            t = 0;
            if
            :: pushed == TASKS -> break
            :: else
            fi
        :: else ->
            b = own[BOTTOM] - 1;
            STORE(BOTTOM, b);
#ifndef BROKEN_TAKE
            FLUSH;
#endif
            t = top;
            task = own[PLACE(own[RING], b)];
            if
            :: t < b -> GOT(task)
            :: t == b ->
#ifdef BROKEN_LAST
                GOT(task);
                top = t + 1;
#else
                FLUSH;
                TAKE_TOP(t, won);
                if
                :: won -> GOT(task)
                :: else
                fi;
#endif
                STORE(BOTTOM, b + 1)
            :: t > b -> STORE(BOTTOM, b + 1)
            fi;
            b = 0; t = 0; task = 0; won = false
        fi
    od;
    over = true;
    thieves == 0;
    byte i;
    for (i : 1 .. TASKS) {
        assert(got[i])
    }
}

active [THIEVES] proctype thief()
{
    byte t, b, ring, task;
    bool won;
    do
    :: over -> break
    :: !over -> /* pl_deque_steal */
#ifdef BROKEN_STEAL
        b = memory[BOTTOM];
        t = top;
#else
        t = top;
        b = memory[BOTTOM];
#endif
        if
        :: t < b ->
            ring = memory[RING];
            task = memory[PLACE(ring, t)];
            TAKE_TOP(t, won);
            if
            :: won -> GOT(task)
            :: else
            fi
        :: else
        fi;
        t = 0; b = 0; ring = 0; task = 0; won = false
    od;
    thieves--
}
