/* SPDX-License-Identifier: BSD-3-Clause */
/* gate.c: passes events on until it is closed. */
#include "cli/gate.h"

static void pass(const plait_event *event, void *user)
{
    const pl_gate_way *way = user;
    pthread_rwlock_rdlock(&way->gate->lock);
    if (!way->gate->closed)
        way->inner->on_event(event, way->inner->user);
    pthread_rwlock_unlock(&way->gate->lock);
}

void pl_gate_add(pl_gate *gate, const plait_observer *observer)
{
    pl_gate_way *way = &gate->ways[gate->n];
    *way =
        (pl_gate_way){ .outer = { PLAIT_OBSERVER_INIT, .kinds = observer->kinds,
                                  .on_event = pass, .user = way },
                       .inner = observer,
                       .gate = gate };
    gate->observers[gate->n++] = &way->outer;
}

void pl_gate_close(pl_gate *gate)
{
    pthread_rwlock_wrlock(&gate->lock);
    gate->closed = true;
    pthread_rwlock_unlock(&gate->lock);
}
