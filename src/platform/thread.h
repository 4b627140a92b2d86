/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * thread.h: threads, mutexes and thread-local storage, over POSIX threads.
 * (C11 <threads.h> crashes ThreadSanitizer in Debian 12.)
 */
#ifndef PL_THREAD_H
#define PL_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

typedef pthread_mutex_t pl_mutex;
#define PL_MUTEX_INIT PTHREAD_MUTEX_INITIALIZER

void pl_mutex_init(pl_mutex *mutex);
void pl_mutex_fini(pl_mutex *mutex);
void pl_mutex_lock(pl_mutex *mutex);
/* False: another thread holds it. */
bool pl_mutex_try_lock(pl_mutex *mutex);
void pl_mutex_unlock(pl_mutex *mutex);

typedef pthread_t pl_thread;

/* Begins a thread with a stack of 1 MiB or more and all signals blocked (they
 * are the program's business), but for those of faults, SIGSEGV and its kin.
 * `name` (at most 15 bytes count) is shown by debuggers. */
bool pl_thread_begin(pl_thread *thread, void (*main)(void *arg), void *arg,
                     const char *name);
void pl_thread_join(pl_thread thread);
void pl_thread_detach(pl_thread thread);
bool pl_thread_is_self(pl_thread thread);

/* The name that log lines show for this thread: set by workers; else
 * "MainThread", or "Thread-N". Valid as long as the thread. */
const char *pl_thread_name(void);
/* Copied, at most 31 bytes. */
void pl_thread_set_name(const char *name);

/* The kernel's number of this thread. */
long pl_thread_id(void);

/* Gives the rest of this thread's turn away; tells the CPU that it spins. */
void pl_thread_yield(void);
static inline void pl_cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Registers handlers for fork; as pthread_atfork. */
bool pl_thread_atfork(void (*prepare)(void), void (*parent)(void),
                      void (*child)(void));

#define PL_THREAD_LOCAL _Thread_local

#endif
