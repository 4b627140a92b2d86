/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * runtime.h: what a language front end gives, so that its functions and
 * objects may be used on Plait's threads (Python: take and leave the GIL).
 *
 * A runtime is named by functions (plait_function.runtime) and types
 * (plait_type.runtime), never by pools: a pool may be older than the
 * interpreter. Its functions, and its types' free, encode, decode and format,
 * run only on an attached thread. A release elsewhere waits for the next
 * attach, or the end of the run. plait_encode, plait_decode and plait_format
 * attach a thread for the call when they meet such a type: a thread that holds
 * the runtime's lock by itself must let go of it before.
 */
#ifndef PLAIT_RUNTIME_H
#define PLAIT_RUNTIME_H

#include <plait/error.h>

PLAIT_BEGIN_DECLS

#define PLAIT_RUNTIME_INIT .size = sizeof(plait_runtime)

/*
 * Lives, at one address, until plait_runtime_close has returned. Every
 * callback may be NULL. `thread` is what thread_start returned.
 */
typedef struct plait_runtime {
    PLAIT_SIZE_FIRST(plait_runtime);
    const char *name;
    void *user;
    /* At this runtime's first task on a worker's thread; for plait_encode and
     * its like on another thread, with worker (unsigned)-1. */
    void *(*thread_start)(void *user, unsigned worker);
    /* When that thread ends. */
    void (*thread_stop)(void *user, void *thread);
    /* May block. false: closing, and the task fails with PLAIT_ECLOSED. */
    bool (*attach)(void *user, void *thread);
    void (*detach)(void *user, void *thread);
    /* The worker turns to a task of another run; attached. `run_user` is
     * plait_options.user of that run. What run_enter returns goes to the
     * run_leave that ends it. */
    void *(*run_enter)(void *user, void *thread, void *run_user);
    void (*run_leave)(void *user, void *thread, void *entered);
    /* From any thread, at a timeout or cancel while a task of this runtime
     * runs on `thread`. Must not block, nor call Plait. */
    void (*interrupt)(void *user, void *thread);
    /* Its tasks let others have the lock when these ask for it, so that a
     * thread stays attached over any number of them. false: it is detached
     * after 1,000 tasks or 2 ms, and others may take the lock then. */
    bool yields;
} plait_runtime;

/*
 * Closes a runtime: waits until no thread is attached; from then on its tasks
 * fail with PLAIT_ECLOSED and its objects are left unfreed.
 * Thread: any that is not attached.  Blocks: yes, until tasks in it end.
 */
PLAIT_API void plait_runtime_close(plait_runtime *runtime);

PLAIT_END_DECLS

#endif
