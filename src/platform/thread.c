/* SPDX-License-Identifier: BSD-3-Clause */
/* thread.c: threads over POSIX threads. */
#include "platform/thread.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "base/alloc.h"

/* The results of locking calls are not looked at: with an initialised, normal
 * mutex, held by its owner only, they can't fail. */
void pl_mutex_init(pl_mutex *mutex)
{
    pthread_mutex_init(mutex, NULL);
}

void pl_mutex_fini(pl_mutex *mutex)
{
    pthread_mutex_destroy(mutex);
}

void pl_mutex_lock(pl_mutex *mutex)
{
    pthread_mutex_lock(mutex);
}

bool pl_mutex_try_lock(pl_mutex *mutex)
{
    return pthread_mutex_trylock(mutex) == 0;
}

void pl_mutex_unlock(pl_mutex *mutex)
{
    pthread_mutex_unlock(mutex);
}

typedef struct beginning {
    void (*main)(void *arg);
    void *arg;
    char name[16];
} beginning;

static void *thread_main(void *arg)
{
    beginning begin = *(beginning *)arg;
    pl_free(arg);
#if defined(__linux__)
    pthread_setname_np(pthread_self(), begin.name);
#endif
    begin.main(begin.arg);
    return NULL;
}

bool pl_thread_begin(pl_thread *thread, void (*main)(void *arg), void *arg,
                     const char *name)
{
    beginning *begin = pl_alloc(sizeof *begin);
    if (!begin)
        return false;
    begin->main = main;
    begin->arg = arg;
    snprintf(begin->name, sizeof begin->name, "%s", name);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread, NULL, thread_main, begin);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        pl_free(begin);
    return !failed;
}

void pl_thread_join(pl_thread thread)
{
    pthread_join(thread, NULL);
}

void pl_thread_detach(pl_thread thread)
{
    pthread_detach(thread);
}

static PL_THREAD_LOCAL char own_name[32];

long pl_thread_id(void)
{
#if defined(__linux__)
    return syscall(SYS_gettid);
#else
    return (long)getpid();
#endif
}

const char *pl_thread_name(void)
{
    static atomic_uint count;
    if (own_name[0])
        return own_name;
    if (pl_thread_id() == (long)getpid())
        snprintf(own_name, sizeof own_name, "MainThread");
    else /* relaxed: only distinct numbers matter */
        snprintf(own_name, sizeof own_name, "Thread-%u",
                 atomic_fetch_add_explicit(&count, 1, memory_order_relaxed) +
                     1);
    return own_name;
}

void pl_thread_set_name(const char *name)
{
    snprintf(own_name, sizeof own_name, "%s", name);
}

void pl_thread_yield(void)
{
    sched_yield();
}

bool pl_thread_atfork(void (*prepare)(void), void (*parent)(void),
                      void (*child)(void))
{
    return pthread_atfork(prepare, parent, child) == 0;
}
