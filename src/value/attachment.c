/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * attachment.c: which language runtime this thread is attached to, and the
 * objects whose release waits for an attach.
 *
 * A state's `gate` counts who is inside the runtime: attached threads, tasks
 * that are set aside, and calls of its callbacks that need no attachment. Its
 * highest bit says that the runtime is closed; closing sets the bit and waits
 * for the count to reach zero. States are never freed.
 */
#include "value/attachment.h"

#include <limits.h>

#include "base/alloc.h"
#include "base/error.h"
#include "platform/clock.h"
#include "platform/park.h"
#include "platform/thread.h"
#include "value/type.h"

#define CLOSED (UINT32_C(1) << 31)
#define MOST_TASKS 1000
#define MOST_NS 2000000
/* The clock is looked at after each task, and after so many when they are
 * short. */
#define SHORT_NS 20000
#define STRIDE 8

struct pl_runtime_state {
    pl_runtime_state *next; /* in `states`; set before it is published */
    const plait_runtime *address;
    plait_runtime runtime; /* ours: the caller's struct may be older */
    _Atomic uint32_t gate;
    _Atomic(pl_user_object *) deferred;
};

struct pl_attached_thread {
    pl_attached_thread *next;
    pl_runtime_state *state;
    void *thread;
};

/* Pushed to, never taken from. */
static _Atomic(pl_runtime_state *) states;

static PL_THREAD_LOCAL pl_attachment *current;

/* ---- states ---- */

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

/* Whether the runtime is open; it then stays so until leave. */
static bool enter(pl_runtime_state *state)
{
    /* acquire and release: what happens inside is not moved out of the gate,
     * and close sees all of it */
    uint32_t before =
        atomic_fetch_add_explicit(&state->gate, 1, memory_order_acq_rel);
    if (!(before & CLOSED))
        return true;
    if (atomic_fetch_sub_explicit(&state->gate, 1, memory_order_acq_rel) ==
        (CLOSED | 1))
        pl_unpark(&state->gate, INT_MAX);
    return false;
}

static void leave(pl_runtime_state *state)
{
    if (atomic_fetch_sub_explicit(&state->gate, 1, memory_order_acq_rel) ==
        (CLOSED | 1))
        pl_unpark(&state->gate, INT_MAX);
}

/* ---- deferred releases ---- */

static void push_deferred(pl_runtime_state *state, pl_user_object *object)
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

static void free_data(const pl_user_object *object)
{
    plait_type type;
    if (pl_type_read(object->type, &type, NULL) == PLAIT_OK && type.free)
        type.free(object->data);
}

/* Attached. A free may release further objects of the runtime: they are freed
 * at once, as this thread is attached. */
static void free_deferred(pl_runtime_state *state)
{
    pl_user_object *next;
    for (pl_user_object *at = take_deferred(state); at; at = next) {
        next = at->next;
        free_data(at);
        pl_object_wipe(at, sizeof *at);
    }
}

static pl_attached_thread *now_of(const pl_attachment *attachment)
{
    /* relaxed: this thread's own writes */
    return attachment
               ? atomic_load_explicit(&attachment->now, memory_order_relaxed)
               : NULL;
}

void pl_runtime_free_object(pl_user_object *object)
{
    plait_type type;
    pl_type_read(object->type, &type, NULL);
    pl_runtime_state *state = pl_runtime_state_of(type.runtime);
    pl_attached_thread *now = now_of(current);
    if (now && now->state == state) {
        free_data(object);
    } else if (state && enter(state)) {
        push_deferred(state, object);
        leave(state);
        return;
    }
    pl_object_wipe(object, sizeof *object); /* closed: the data is left */
}

/* ---- attaching ---- */

/* This thread's part of the runtime, started at its first use. */
static pl_attached_thread *thread_of(pl_attachment *attachment,
                                     pl_runtime_state *state)
{
    pl_attached_thread *thread = attachment->threads;
    while (thread && thread->state != state)
        thread = thread->next;
    if (thread)
        return thread;
    thread = pl_alloc(sizeof *thread);
    if (!thread)
        return NULL;
    const plait_runtime *runtime = &state->runtime;
    *thread =
        (pl_attached_thread){ .next = attachment->threads, .state = state };
    if (runtime->thread_start)
        thread->thread =
            runtime->thread_start(runtime->user, attachment->worker);
    attachment->threads = thread;
    return thread;
}

static bool call_attach(pl_attachment *attachment, pl_attached_thread *thread)
{
    const plait_runtime *runtime = &thread->state->runtime;
    if (runtime->attach && !runtime->attach(runtime->user, thread->thread))
        return false;
    /* release: who interrupts sees the thread's struct */
    atomic_store_explicit(&attachment->now, thread, memory_order_release);
    attachment->tasks = 0;
    attachment->look_at = 0;
    attachment->attached_ns = pl_clock_ns();
    return true;
}

/* Leaves the runtime's lock, not its gate. */
static void call_detach(pl_attachment *attachment, pl_attached_thread *thread)
{
    const plait_runtime *runtime = &thread->state->runtime;
    atomic_store_explicit(&attachment->now, NULL, memory_order_relaxed);
    if (runtime->detach)
        runtime->detach(runtime->user, thread->thread);
}

static void leave_run(pl_attachment *attachment, pl_attached_thread *thread)
{
    const plait_runtime *runtime = &thread->state->runtime;
    if (attachment->run && runtime->run_leave)
        runtime->run_leave(runtime->user, thread->thread, attachment->entered);
    attachment->run = NULL;
    attachment->entered = NULL;
}

static void enter_run(pl_attachment *attachment, pl_attached_thread *thread,
                      const void *run, void *run_user)
{
    const plait_runtime *runtime = &thread->state->runtime;
    if (attachment->run == run)
        return;
    leave_run(attachment, thread);
    attachment->run = run;
    if (run && runtime->run_enter)
        attachment->entered =
            runtime->run_enter(runtime->user, thread->thread, run_user);
}

/* Detached; attaches, entering no run. */
static bool attach_to(pl_attachment *attachment, pl_runtime_state *state)
{
    if (!enter(state))
        return false;
    pl_attached_thread *thread = thread_of(attachment, state);
    if (!thread || !call_attach(attachment, thread)) {
        leave(state);
        return false;
    }
    free_deferred(state);
    return true;
}

bool pl_attach(pl_attachment *attachment, plait_runtime *runtime,
               const void *run, void *run_user)
{
    pl_attached_thread *now = now_of(attachment);
    if (!now || now->state->address != runtime) {
        pl_detach(attachment);
        if (!runtime)
            return true;
        pl_runtime_state *state = pl_runtime_state_of(runtime);
        if (!state || !attach_to(attachment, state))
            return false;
        now = now_of(attachment);
    }
    enter_run(attachment, now, run, run_user);
    return true;
}

bool pl_attach_may_block(const pl_attachment *attachment,
                         const plait_runtime *runtime)
{
    const pl_attached_thread *now = now_of(attachment);
    return runtime && (!now || now->state->address != runtime);
}

void pl_detach(pl_attachment *attachment)
{
    pl_attached_thread *now = now_of(attachment);
    if (!now)
        return;
    leave_run(attachment, now);
    call_detach(attachment, now);
    leave(now->state);
}

void pl_attachment_set_aside(pl_attachment *attachment,
                             pl_attachment_aside *aside)
{
    *aside = (pl_attachment_aside){ .now = now_of(attachment),
                                    .outer = attachment->asides };
    attachment->asides = aside;
    if (!aside->now)
        return;
    aside->entered = attachment->entered;
    aside->run = attachment->run;
    attachment->entered = NULL;
    attachment->run = NULL;
    call_detach(attachment, aside->now);
}

void pl_attachment_take_up(pl_attachment *attachment,
                           const pl_attachment_aside *aside)
{
    pl_detach(attachment);
    attachment->asides = aside->outer;
    if (!aside->now)
        return;
    /* The gate was not left, so only the runtime's own attach can refuse; the
     * task then goes on unattached, and its next attach is refused too. */
    if (!call_attach(attachment, aside->now)) {
        leave(aside->now->state);
        return;
    }
    attachment->entered = aside->entered;
    attachment->run = aside->run;
}

void pl_attachment_task_done(pl_attachment *attachment)
{
    if (!now_of(attachment))
        return;
    attachment->tasks++;
    if (attachment->tasks < attachment->look_at &&
        attachment->tasks < MOST_TASKS)
        return;
    int64_t held_ns = pl_clock_ns() - attachment->attached_ns;
    if (attachment->tasks >= MOST_TASKS || held_ns >= MOST_NS)
        pl_detach(attachment);
    else if (held_ns < (int64_t)attachment->tasks * SHORT_NS)
        attachment->look_at = attachment->tasks + STRIDE;
}

bool pl_attachment_is_in(const pl_attachment *attachment,
                         const plait_runtime *runtime, const void *run)
{
    const pl_attached_thread *now = now_of(attachment);
    return now && now->state->address == runtime && attachment->run == run;
}

void pl_attachment_fini(pl_attachment *attachment)
{
    pl_detach(attachment);
    pl_attached_thread *next;
    for (pl_attached_thread *at = attachment->threads; at; at = next) {
        next = at->next;
        const plait_runtime *runtime = &at->state->runtime;
        /* a closed runtime has ended its threads itself */
        if (enter(at->state)) {
            if (runtime->thread_stop)
                runtime->thread_stop(runtime->user, at->thread);
            leave(at->state);
        }
        pl_free(at);
    }
    *attachment = (pl_attachment){ .worker = attachment->worker };
}

void pl_attachment_interrupt(pl_attachment *attachment)
{
    /* acquire: pairs with call_attach */
    pl_attached_thread *now =
        atomic_load_explicit(&attachment->now, memory_order_acquire);
    if (!now || !enter(now->state))
        return;
    const plait_runtime *runtime = &now->state->runtime;
    if (runtime->interrupt)
        runtime->interrupt(runtime->user, now->thread);
    leave(now->state);
}

pl_attachment *pl_attachment_current(void)
{
    return current;
}

void pl_attachment_set_current(pl_attachment *attachment)
{
    current = attachment;
}

/* ---- forking ---- */

/* How often a thread is inside a runtime. */
static uint32_t times_inside(const pl_attachment *attachment,
                             const pl_runtime_state *state)
{
    const pl_attached_thread *now = now_of(attachment);
    uint32_t n = now && now->state == state;
    const pl_attachment_aside *aside = attachment ? attachment->asides : NULL;
    for (; aside; aside = aside->outer)
        n += aside->now && aside->now->state == state;
    return n;
}

void pl_runtime_fork_child(void)
{
    /* relaxed, all: a child has one thread */
    pl_runtime_state *state =
        atomic_load_explicit(&states, memory_order_relaxed);
    for (; state; state = state->next) {
        uint32_t gate =
            atomic_load_explicit(&state->gate, memory_order_relaxed);
        atomic_store_explicit(&state->gate,
                              (gate & CLOSED) | times_inside(current, state),
                              memory_order_relaxed);
    }
}

/* ---- outside of tasks ---- */

void pl_runtime_drain(pl_attachment *attachment)
{
    /* acquire: pairs with pl_runtime_state_of */
    pl_runtime_state *state =
        atomic_load_explicit(&states, memory_order_acquire);
    for (; state; state = state->next) {
        if (!atomic_load_explicit(&state->deferred, memory_order_relaxed))
            continue;
        pl_attached_thread *now = now_of(attachment);
        if (now && now->state == state) {
            free_deferred(state);
        } else if (attachment) {
            pl_attachment_aside aside;
            pl_attachment_set_aside(attachment, &aside);
            attach_to(attachment, state);
            pl_attachment_take_up(attachment, &aside);
        }
    }
}

/* On a thread that is attached, or can be. */
static bool call_with(pl_attachment *attachment, pl_runtime_state *state,
                      void (*fn)(void *arg), void *arg)
{
    pl_attached_thread *now = now_of(attachment);
    if (now && now->state == state) {
        fn(arg);
        return true;
    }
    pl_attachment_aside aside;
    pl_attachment_set_aside(attachment, &aside);
    bool is_open = attach_to(attachment, state);
    if (is_open)
        fn(arg);
    pl_attachment_take_up(attachment, &aside);
    return is_open;
}

bool pl_runtime_call(plait_runtime *runtime, void (*fn)(void *arg), void *arg)
{
    if (!runtime) {
        fn(arg);
        return true;
    }
    pl_runtime_state *state = pl_runtime_state_of(runtime);
    if (!state)
        return false;
    if (current)
        return call_with(current, state, fn, arg);
    pl_attachment own = { .worker = UINT_MAX };
    current = &own;
    bool called = call_with(&own, state, fn, arg);
    current = NULL;
    pl_attachment_fini(&own);
    return called;
}

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
    uint32_t gate =
        atomic_fetch_or_explicit(&state->gate, CLOSED, memory_order_acq_rel);
    gate |= CLOSED;
    while (gate != CLOSED) {
        pl_park(&state->gate, gate, PL_FOREVER);
        gate = atomic_load_explicit(&state->gate, memory_order_acquire);
    }
    drop_deferred(state);
}
