/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gate.h: observers that can be let go while tasks still run. An observer must
 * outlive its runs; after --stop, a timeout or Ctrl-C some tasks may never end.
 * Events pass through the gate until it is closed; then nobody is inside, and
 * what is behind it may be read and freed.
 */
#ifndef PL_GATE_H
#define PL_GATE_H

#include <pthread.h>

#include <plait/observe.h>

#define PL_GATE_ROOM 4

typedef struct pl_gate pl_gate;

typedef struct pl_gate_way {
    plait_observer outer; /* what the run is given */
    const plait_observer *inner;
    pl_gate *gate;
} pl_gate_way;

struct pl_gate {
    pthread_rwlock_t lock; /* held for reading while an event passes */
    bool closed;           /* guarded by lock */
    pl_gate_way ways[PL_GATE_ROOM];
    const plait_observer *observers[PL_GATE_ROOM];
    size_t n;
};

/* For a static one: a gate stays where it is until the process ends. */
#define PL_GATE_INIT                       \
    {                                      \
        .lock = PTHREAD_RWLOCK_INITIALIZER \
    }

/* At most PL_GATE_ROOM, before the run. */
void pl_gate_add(pl_gate *gate, const plait_observer *observer);

/* Waits for events that are passing; idempotent.  Thread: any. */
void pl_gate_close(pl_gate *gate);

#endif
