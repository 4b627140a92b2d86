/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * locked_runtime.h: a language runtime with a lock, as Python has, which
 * complains when it is used without it; its objects and tasks.
 */
#ifndef LOCKED_RUNTIME_H
#define LOCKED_RUNTIME_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <plait/plait.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* What the runtime knows of a thread. */
typedef struct fake_thread {
    bool attached;
    int entered; /* runs, one in the other */
} fake_thread;

static struct fake {
    pthread_mutex_t lock; /* held by the attached thread */
    _Atomic int attached; /* at once: at most one */
    _Atomic int most_attached;
    _Atomic int attaches, detaches;
    _Atomic int starts, stops;
    _Atomic int enters, leaves;
    _Atomic int objects; /* alive */
    _Atomic int interrupts;
    _Atomic int complaints;
} fake;

static _Thread_local fake_thread *self_thread;

static inline void complain_unless(bool ok)
{
    if (!ok)
        fake.complaints++;
}

static inline void *fake_start(void *user, unsigned worker)
{
    (void)user;
    (void)worker;
    fake.starts++;
    self_thread = calloc(1, sizeof *self_thread);
    return self_thread;
}

static inline void fake_stop(void *user, void *thread)
{
    (void)user;
    complain_unless(thread == self_thread && !self_thread->attached);
    complain_unless(self_thread->entered == 0);
    fake.stops++;
    free(thread);
    self_thread = NULL;
}

static inline bool fake_attach(void *user, void *thread)
{
    (void)user;
    complain_unless(thread == self_thread && !self_thread->attached);
    pthread_mutex_lock(&fake.lock);
    self_thread->attached = true;
    fake.attaches++;
    int now = ++fake.attached;
    if (now > fake.most_attached)
        fake.most_attached = now;
    return true;
}

static inline void fake_detach(void *user, void *thread)
{
    (void)user;
    complain_unless(thread == self_thread && self_thread->attached);
    self_thread->attached = false;
    fake.attached--;
    fake.detaches++;
    pthread_mutex_unlock(&fake.lock);
}

static inline void *fake_enter(void *user, void *thread, void *run_user)
{
    (void)user;
    complain_unless(thread == self_thread && self_thread->attached);
    self_thread->entered++;
    fake.enters++;
    return run_user;
}

static inline void fake_leave(void *user, void *thread, void *entered)
{
    (void)user;
    (void)entered;
    complain_unless(thread == self_thread && self_thread->attached);
    complain_unless(self_thread->entered-- > 0);
    fake.leaves++;
}

static inline void fake_interrupt(void *user, void *thread)
{
    (void)user;
    (void)thread;
    fake.interrupts++;
}

static plait_runtime runtime = {
    PLAIT_RUNTIME_INIT,         .name = "fake",
    .thread_start = fake_start, .thread_stop = fake_stop,
    .attach = fake_attach,      .detach = fake_detach,
    .run_enter = fake_enter,    .run_leave = fake_leave,
    .interrupt = fake_interrupt
};

/* ---- objects and tasks of the runtime ---- */

static inline bool is_attached(void)
{
    return self_thread && self_thread->attached;
}

static inline void object_free(void *data)
{
    complain_unless(is_attached());
    fake.objects--;
    free(data);
}

static const plait_type object_type = { PLAIT_TYPE_INIT, .name = "fake",
                                        .runtime = &runtime,
                                        .free = object_free };

static inline plait_value object_new(void)
{
    fake.objects++;
    return plait_object(&object_type, malloc(1));
}

static inline plait_value runtime_task(plait_context *ctx,
                                       const plait_value *args, size_t n)
{
    (void)ctx;
    (void)args;
    (void)n;
    complain_unless(is_attached() && self_thread->entered > 0);
    return object_new();
}

static inline plait_value plain_task(plait_context *ctx,
                                     const plait_value *args, size_t n)
{
    (void)ctx;
    (void)args;
    (void)n;
    complain_unless(!is_attached()); /* others may have the lock meanwhile */
    return plait_int(1);
}

static inline plait_func runtime_func(plait_graph *g, plait_fn fn)
{
    return plait_function_add(g, &(plait_function){ PLAIT_FUNCTION_INIT,
                                                    .fn = fn, .name = "fake",
                                                    .runtime = &runtime });
}

static inline int begin(void **state)
{
    (void)state;
    fake = (struct fake){ .lock = PTHREAD_MUTEX_INITIALIZER };
    return 0;
}

static inline void check_pairs(void)
{
    assert_int_equal(fake.complaints, 0);
    assert_int_equal(fake.attached, 0);
    assert_int_equal(fake.attaches, fake.detaches);
    assert_int_equal(fake.starts, fake.stops);
    assert_int_equal(fake.enters, fake.leaves);
    assert_true(fake.most_attached <= 1);
}

static inline plait_executor *open_pool(const char *name, unsigned workers)
{
    plait_options options = { PLAIT_OPTIONS_INIT, .workers = workers };
    plait_executor *ex = plait_executor_open(name, &options, NULL);
    assert_non_null(ex);
    return ex;
}

#endif
