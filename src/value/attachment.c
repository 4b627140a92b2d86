/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * attachment.c: which language runtime this thread is attached to.
 */
#include "value/runtime_state.h"

#include <limits.h>

#include "base/alloc.h"
#include "platform/clock.h"
#include "platform/thread.h"
#include "value/type.h"

#define MOST_TASKS 1000
#define MOST_NS 2000000
/* The clock is looked at after each task, and after so many when they are
 * short. */
#define SHORT_NS 20000
#define STRIDE 8

struct pl_attached_thread {
    pl_attached_thread *next;
    pl_runtime_state *state;
    void *thread;
};

static PL_THREAD_LOCAL pl_attachment *current;

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
        pl_runtime_free_data(object);
    } else if (state && pl_runtime_enter(state)) {
        pl_runtime_defer(state, object);
        pl_runtime_leave(state);
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

static void begin_turn(pl_attachment *attachment)
{
    attachment->tasks = 0;
    attachment->look_at = 0;
    attachment->attached_ns = pl_clock_ns();
}

static bool call_attach(pl_attachment *attachment, pl_attached_thread *thread)
{
    const plait_runtime *runtime = &thread->state->runtime;
    if (runtime->attach && !runtime->attach(runtime->user, thread->thread))
        return false;
    /* release: who interrupts sees the thread's struct */
    atomic_store_explicit(&attachment->now, thread, memory_order_release);
    begin_turn(attachment);
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
    if (!pl_runtime_enter(state))
        return false;
    pl_attached_thread *thread = thread_of(attachment, state);
    if (!thread || !call_attach(attachment, thread)) {
        pl_runtime_leave(state);
        return false;
    }
    pl_runtime_free_deferred(state);
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
    pl_runtime_leave(now->state);
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
        pl_runtime_leave(aside->now->state);
        return;
    }
    attachment->entered = aside->entered;
    attachment->run = aside->run;
}

/* Lets others have the lock, where the tasks themselves don't. */
static void offer(pl_attachment *attachment, pl_attached_thread *now)
{
    if (!now->state->runtime.yields) {
        pl_detach(attachment);
        return;
    }
    pl_runtime_free_deferred(now->state);
    begin_turn(attachment);
}

void pl_attachment_task_done(pl_attachment *attachment)
{
    pl_attached_thread *now = now_of(attachment);
    if (!now)
        return;
    attachment->tasks++;
    if (attachment->tasks < attachment->look_at &&
        attachment->tasks < MOST_TASKS)
        return;
    int64_t held_ns = pl_clock_ns() - attachment->attached_ns;
    if (attachment->tasks >= MOST_TASKS || held_ns >= MOST_NS)
        offer(attachment, now);
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
        if (pl_runtime_enter(at->state)) {
            if (runtime->thread_stop)
                runtime->thread_stop(runtime->user, at->thread);
            pl_runtime_leave(at->state);
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
    if (!now || !pl_runtime_enter(now->state))
        return;
    const plait_runtime *runtime = &now->state->runtime;
    if (runtime->interrupt)
        runtime->interrupt(runtime->user, now->thread);
    pl_runtime_leave(now->state);
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
    pl_runtime_state *state = pl_runtime_states();
    /* relaxed, all: a child has one thread */
    for (; state; state = state->next) {
        uint32_t gate =
            atomic_load_explicit(&state->gate, memory_order_relaxed);
        atomic_store_explicit(&state->gate,
                              (gate & PL_RUNTIME_CLOSED) |
                                  times_inside(current, state),
                              memory_order_relaxed);
    }
}

/* ---- outside of tasks ---- */

void pl_runtime_drain(pl_attachment *attachment)
{
    pl_runtime_state *state = pl_runtime_states();
    for (; state; state = state->next) {
        if (!atomic_load_explicit(&state->deferred, memory_order_relaxed))
            continue;
        pl_attached_thread *now = now_of(attachment);
        if (now && now->state == state) {
            pl_runtime_free_deferred(state);
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
