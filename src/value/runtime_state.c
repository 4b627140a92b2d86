/* SPDX-License-Identifier: BSD-3-Clause */
/* runtime_state.c: the states of language runtimes, and closing one. */
#include "value/runtime_state.h"

#include <limits.h>

#include "base/alloc.h"
#include "base/error.h"
#include "platform/park.h"
#include "value/type.h"

/* Pushed to, never taken from. */
static _Atomic(pl_runtime_state *) states;

pl_runtime_state *pl_runtime_states(void)
{
    /* acquire: pairs with pl_runtime_state_of */
    return atomic_load_explicit(&states, memory_order_acquire);
}

static pl_runtime_state *find_state(pl_runtime_state *from,
                                    const pl_runtime_state *to,
                                    const plait_runtime *address)
{
    for (pl_runtime_state *state = from; state != to; state = state->next) {
        if (state->address == address)
            return state;
    }
    return NULL;
}

static pl_runtime_state *state_new(plait_runtime *runtime)
{
    pl_runtime_state *made = pl_calloc(1, sizeof *made);
    if (!made)
        return NULL;
    made->address = runtime;
    if (pl_read_struct(&made->runtime, sizeof made->runtime, runtime,
                       "plait_runtime", "PLAIT_RUNTIME_INIT",
                       NULL) != PLAIT_OK) {
        pl_free(made);
        return NULL;
    }
    return made;
}

pl_runtime_state *pl_runtime_state_of(plait_runtime *runtime)
{
    /* acquire: pairs with the release below, to see the states' contents */
    pl_runtime_state *seen =
        atomic_load_explicit(&states, memory_order_acquire);
    pl_runtime_state *state = find_state(seen, NULL, runtime);
    if (state)
        return state;
    pl_runtime_state *made = state_new(runtime);
    if (!made)
        return NULL;
    made->next = seen;
    while (!atomic_compare_exchange_weak_explicit(
        &states, &seen, made, memory_order_release, memory_order_acquire)) {
        state = find_state(seen, made->next, runtime);
        if (state) {
            pl_free(made);
            return state;
        }
        made->next = seen;
    }
    return made;
}

bool pl_runtime_enter(pl_runtime_state *state)
{
    /* acquire and release: what happens inside is not moved out of the gate,
     * and close sees all of it */
    uint32_t before =
        atomic_fetch_add_explicit(&state->gate, 1, memory_order_acq_rel);
    if (!(before & PL_RUNTIME_CLOSED))
        return true;
    if (atomic_fetch_sub_explicit(&state->gate, 1, memory_order_acq_rel) ==
        (PL_RUNTIME_CLOSED | 1))
        pl_unpark(&state->gate, INT_MAX);
    return false;
}

void pl_runtime_leave(pl_runtime_state *state)
{
    if (atomic_fetch_sub_explicit(&state->gate, 1, memory_order_acq_rel) ==
        (PL_RUNTIME_CLOSED | 1))
        pl_unpark(&state->gate, INT_MAX);
}

/* ---- deferred releases ---- */

void pl_runtime_defer(pl_runtime_state *state, pl_user_object *object)
{
    pl_user_object *top =
        atomic_load_explicit(&state->deferred, memory_order_relaxed);
    do {
        object->next = top;
        /* release: who takes the list sees the objects */
    } while (!atomic_compare_exchange_weak_explicit(
        &state->deferred, &top, object, memory_order_release,
        memory_order_relaxed));
}

/* Takes the whole list, so that there is no ABA. */
static pl_user_object *take_deferred(pl_runtime_state *state)
{
    /* relaxed: only a glance, to save the exchange */
    if (!atomic_load_explicit(&state->deferred, memory_order_relaxed))
        return NULL;
    return atomic_exchange_explicit(&state->deferred, NULL,
                                    memory_order_acquire);
}

void pl_runtime_free_data(const pl_user_object *object)
{
    plait_type type;
    if (pl_type_read(object->type, &type, NULL) == PLAIT_OK && type.free)
        type.free(object->data);
}

void pl_runtime_free_deferred(pl_runtime_state *state)
{
    pl_user_object *next;
    for (pl_user_object *at = take_deferred(state); at; at = next) {
        next = at->next;
        pl_runtime_free_data(at);
        pl_object_wipe(at, sizeof *at);
    }
}

/* ---- closing ---- */

/* After the last thread has left nobody frees the data: the objects' own
 * memory is ours. */
static void drop_deferred(pl_runtime_state *state)
{
    pl_user_object *next;
    for (pl_user_object *at = take_deferred(state); at; at = next) {
        next = at->next;
        pl_object_wipe(at, sizeof *at);
    }
}

void plait_runtime_close(plait_runtime *runtime)
{
    pl_runtime_state *state = runtime ? pl_runtime_state_of(runtime) : NULL;
    if (!state)
        return;
    uint32_t gate = atomic_fetch_or_explicit(&state->gate, PL_RUNTIME_CLOSED,
                                             memory_order_acq_rel);
    gate |= PL_RUNTIME_CLOSED;
    while (gate != PL_RUNTIME_CLOSED) {
        pl_park(&state->gate, gate, PL_FOREVER);
        gate = atomic_load_explicit(&state->gate, memory_order_acquire);
    }
    drop_deferred(state);
}
