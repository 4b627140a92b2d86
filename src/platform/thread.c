/* SPDX-License-Identifier: BSD-3-Clause */
/* thread.c: threads over POSIX threads. */
#include "platform/thread.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "base/alloc.h"
#include "base/error.h"

/* Some C libraries give threads 128 KiB, which is too little for tasks. */
#define STACK_MIN ((size_t)1 << 20)

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

/* All signals but those that a thread's own instructions raise: blocked, they
 * would kill the process past its handlers. */
static void block_signals(sigset_t *before)
{
    static const int own[] = { SIGABRT, SIGBUS,  SIGFPE, SIGILL,
                               SIGSEGV, SIGTRAP, SIGSYS };
    sigset_t blocked;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        sigdelset(&blocked, own[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, before);
}

static int create(pl_thread *thread, beginning *begin)
{
    pthread_attr_t attributes;
    int failed = pthread_attr_init(&attributes);
    if (failed)
        return failed;
    size_t size = 0;
    pthread_attr_getstacksize(&attributes, &size);
    if (size < STACK_MIN)
        pthread_attr_setstacksize(&attributes, STACK_MIN);
    failed = pthread_create(thread, &attributes, thread_main, begin);
    pthread_attr_destroy(&attributes);
    return failed;
}

bool pl_thread_begin(pl_thread *thread, void (*main)(void *arg), void *arg,
                     const char *name)
{
    beginning *begin = pl_alloc(sizeof *begin);
    if (!begin)
        return false;
    begin->main = main;
    begin->arg = arg;
    pl_copy_text(begin->name, sizeof begin->name, name);
    sigset_t before;
    block_signals(&before);
    int failed = create(thread, begin);
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

bool pl_thread_is_self(pl_thread thread)
{
    return pthread_equal(thread, pthread_self()) != 0;
}

static PL_THREAD_LOCAL char own_name[32];

#if defined(__linux__)

long pl_thread_id(void)
{
    return syscall(SYS_gettid);
}

static bool is_main(void)
{
    return pl_thread_id() == (long)getpid();
}

#else

long pl_thread_id(void)
{
    uint64_t id = 0;
    pthread_threadid_np(NULL, &id);
    return (long)id;
}

static bool is_main(void)
{
    return pthread_main_np() != 0;
}

#endif

const char *pl_thread_name(void)
{
    static atomic_uint count;
    if (own_name[0])
        return own_name;
    if (is_main())
        snprintf(own_name, sizeof own_name, "MainThread");
    else /* relaxed: only distinct numbers matter */
        snprintf(own_name, sizeof own_name, "Thread-%u",
                 atomic_fetch_add_explicit(&count, 1, memory_order_relaxed) +
                     1);
    return own_name;
}

void pl_thread_set_name(const char *name)
{
    pl_copy_text(own_name, sizeof own_name, name);
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
