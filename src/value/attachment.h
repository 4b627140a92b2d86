/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * attachment.h: which language runtime this thread is attached to.
 *
 * A worker stays attached over consecutive tasks of one runtime; a task of
 * another, or of plain C, detaches it first. Objects of a runtime's types that
 * lose their last reference on a thread that is not attached are pushed on the
 * runtime's list, lock-free, and freed at the next attach, or at the end of the
 * run by the thread that ends it.
 *
 * The state of a runtime is found by the address of its plait_runtime, in a
 * table that only grows: the structs are few, and live long.
 */
#ifndef PL_ATTACHMENT_H
#define PL_ATTACHMENT_H

#include <plait/runtime.h>

#include "value/object.h"

typedef struct pl_runtime_state pl_runtime_state;

/* What a runtime knows of one thread: what thread_start returned. */
typedef struct pl_attached_thread pl_attached_thread;

/* What one thread knows of runtimes. All zero is detached. Lives as long as
 * the thread uses runtimes; pl_attachment_fini ends it. */
typedef struct pl_attachment {
    /* The attached runtime's; NULL: detached. Written by this thread alone,
     * read by who interrupts it. */
    _Atomic(pl_attached_thread *) now;
    void *entered;               /* what run_enter returned */
    const void *run;             /* the run that was entered; NULL: none */
    pl_attached_thread *threads; /* per runtime that this thread knows */
    struct pl_attachment_aside *asides; /* the innermost; NULL: none */
    unsigned worker;
    unsigned tasks;   /* since the attach */
    unsigned look_at; /* so many of them: the next look at the clock */
    int64_t attached_ns;
} pl_attachment;

/* The state of a runtime, made at its first use; NULL: no memory, or a struct
 * that can't be read.  Thread: any.  Blocks: no. */
pl_runtime_state *pl_runtime_state_of(plait_runtime *runtime);

/*
 * Makes this thread ready for a task of `runtime` (NULL: plain C) of `run`:
 * detaches from another, starts the thread's part, attaches, enters the run.
 * False: the runtime is closed (or there is no memory), and nothing is
 * attached.  Thread: the attachment's.  Blocks: as attach does.
 */
bool pl_attach(pl_attachment *attachment, plait_runtime *runtime,
               const void *run, void *run_user);

/* Whether pl_attach would have to wait for the runtime's lock. */
bool pl_attach_may_block(const pl_attachment *attachment,
                         const plait_runtime *runtime);

/* Detaches; detached is fine.  Blocks: no. */
void pl_detach(pl_attachment *attachment);

/*
 * Sets aside what the attachment is in, in the middle of a task that waits or
 * calls back: the thread is detached, and may attach for other tasks. The run
 * stays entered, and what comes in between is entered on top of it. A runtime
 * is not closed while a task of it is set aside.
 */
typedef struct pl_attachment_aside {
    pl_attached_thread *now; /* NULL: was detached */
    void *entered;
    const void *run;
    struct pl_attachment_aside *outer; /* set aside before it; NULL: none */
} pl_attachment_aside;

void pl_attachment_set_aside(pl_attachment *attachment,
                             pl_attachment_aside *aside);

/* Detaches from what came in between, and attaches again.
 * Blocks: as attach does. */
void pl_attachment_take_up(pl_attachment *attachment,
                           const pl_attachment_aside *aside);

/* After a task of a runtime: offers its lock to others, by detaching, once
 * 1,000 tasks or 2 ms have gone by since the attach. One that yields stays
 * attached, and its objects that wait are freed.  Blocks: no. */
void pl_attachment_task_done(pl_attachment *attachment);

/* Whether it is attached to the runtime, for tasks of this run. */
bool pl_attachment_is_in(const pl_attachment *attachment,
                         const plait_runtime *runtime, const void *run);

/* Detaches, and calls thread_stop of each runtime the thread had started.
 * Blocks: as those do. */
void pl_attachment_fini(pl_attachment *attachment);

/* Tells the runtime's thread to stop what it runs: plait_runtime.interrupt.
 * Thread: any, while the attachment lives; the caller makes sure of that. */
void pl_attachment_interrupt(pl_attachment *attachment);

/* The attachment of this thread, NULL when it has none: set by workers. */
pl_attachment *pl_attachment_current(void);
void pl_attachment_set_current(pl_attachment *attachment);

/* Frees an object of a runtime's type now, when this thread is attached to the
 * runtime, or defers it. */
void pl_runtime_free_object(pl_user_object *object);

/* Frees what was deferred, attaching this thread where that is needed and it
 * has an attachment: at the end of a run. */
void pl_runtime_drain(pl_attachment *attachment);

/* In a forked child, which has none of its parent's threads: of those inside a
 * runtime only this one is left, so that plait_runtime_close waits for none. */
void pl_runtime_fork_child(void);

/* Calls fn(arg) attached to `runtime` (NULL: just calls): a function's
 * free_payload, a type's encode. A thread that has no attachment gets one for
 * the call (as worker UINT_MAX). False: the runtime is closed, and fn was not
 * called.  Blocks: as attach does. */
bool pl_runtime_call(plait_runtime *runtime, void (*fn)(void *arg), void *arg);

#endif
