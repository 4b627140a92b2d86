/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * runtime_state.h: what there is of each language runtime: who is inside, and
 * the objects whose release waits for an attach. For attachment.c alone.
 *
 * The gate counts who is inside the runtime: attached threads, tasks that are
 * set aside, and calls of its callbacks that need no attachment. Its highest
 * bit says that the runtime is closed; closing sets the bit and waits for the
 * count to reach zero. States are never freed.
 */
#ifndef PL_RUNTIME_STATE_H
#define PL_RUNTIME_STATE_H

#include <stdatomic.h>

#include "value/attachment.h"

#define PL_RUNTIME_CLOSED (UINT32_C(1) << 31)

struct pl_runtime_state {
    pl_runtime_state *next; /* in the list of all; set before it is published */
    const plait_runtime *address;
    plait_runtime runtime; /* ours: the caller's struct may be older */
    _Atomic uint32_t gate;
    _Atomic(pl_user_object *) deferred;
};

/* The list of all.  Thread: any.  Blocks: no. */
pl_runtime_state *pl_runtime_states(void);

/* Whether the runtime is open; it then stays so until pl_runtime_leave.
 * Thread: any.  Blocks: no. */
bool pl_runtime_enter(pl_runtime_state *state);
void pl_runtime_leave(pl_runtime_state *state);

/* An object's release waits for an attach.  Thread: inside.  Blocks: no. */
void pl_runtime_defer(pl_runtime_state *state, pl_user_object *object);

/* Frees what waits. A free may release further objects of the runtime: they are
 * freed at once, as this thread is attached.  Thread: attached. */
void pl_runtime_free_deferred(pl_runtime_state *state);

/* Calls the type's free.  Thread: attached. */
void pl_runtime_free_data(const pl_user_object *object);

#endif
