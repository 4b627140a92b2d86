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

/* What one thread knows of runtimes. All zero is detached. Lives as long as
 * the thread uses runtimes; pl_attachment_fini ends it. */
typedef struct pl_attachment {
    pl_runtime_state *attached; /* NULL: detached */
    void *thread;               /* of the attached runtime */
    void *entered;              /* what run_enter returned */
    const void *run;            /* the run that was entered; NULL: none */
    struct pl_attached_thread *threads; /* per runtime that this thread knows */
    unsigned worker;
    unsigned tasks; /* since the attach */
    int64_t attached_ns;
} pl_attachment;

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

/* After a task of a runtime: offers its lock to others, by detaching, once
 * 1,000 tasks or 2 ms have gone by since the attach.  Blocks: no. */
void pl_attachment_task_done(pl_attachment *attachment);

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

/* Calls fn(arg) attached to `runtime` (NULL: just calls): a function's
 * free_payload. Not called when the runtime is closed. */
void pl_runtime_call(plait_runtime *runtime, void (*fn)(void *arg), void *arg);

#endif
