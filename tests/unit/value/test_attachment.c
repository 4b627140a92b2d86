/* SPDX-License-Identifier: BSD-3-Clause */
/* Attaching to a fake runtime: who is called when. */
#include "value/attachment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_runtime.h"

static char s[] = "s", i[] = "i", o[] = "o";

static bool refuse(void *user, void *thread)
{
    (void)thread;
    note("refuse", user);
    return false;
}

static bool attach_refuses;

static bool attach_or_refuse(void *user, void *thread)
{
    return attach_refuses ? refuse(user, thread) : attach(user, thread);
}

static void a_thread_attaches_once_for_many_tasks(void **state)
{
    static plait_runtime runtime = RUNTIME(a);
    pl_attachment own = { .worker = 3 };
    (void)state;
    assert_true(pl_attach_may_block(&own, &runtime));
    assert_true(pl_attach(&own, &runtime, r, r));
    assert_calls("start(a as 3) attach(a) enter(r)");
    assert_false(pl_attach_may_block(&own, &runtime));
    own.attached_ns = INT64_MAX / 2; /* not long ago, however slow this is */
    pl_attachment_task_done(&own);
    assert_true(pl_attach(&own, &runtime, r, r));
    assert_calls("");
    pl_attachment_fini(&own);
    assert_calls("leave(r) detach(a) stop(a)");
}

static void plain_tasks_run_detached(void **state)
{
    static plait_runtime runtime = RUNTIME(a);
    pl_attachment own = { .worker = 0 };
    (void)state;
    assert_false(pl_attach_may_block(&own, NULL));
    assert_true(pl_attach(&own, NULL, r, NULL));
    assert_calls("");
    assert_true(pl_attach(&own, &runtime, r, r));
    assert_false(pl_attach_may_block(&own, NULL));
    assert_true(pl_attach(&own, NULL, r, NULL));
    assert_calls("start(a as 0) attach(a) enter(r) leave(r) detach(a)");
    pl_detach(&own);
    pl_attachment_task_done(&own);
    assert_calls("");
    pl_attachment_fini(&own);
    assert_calls("stop(a)");
}

static void another_run_is_entered(void **state)
{
    static plait_runtime runtime = RUNTIME(a);
    pl_attachment own = { .worker = 0 };
    (void)state;
    assert_true(pl_attach(&own, &runtime, r, r));
    assert_true(pl_attach(&own, &runtime, s, s));
    assert_calls("start(a as 0) attach(a) enter(r) leave(r) enter(s)");
    pl_attachment_fini(&own);
    assert_calls("leave(s) detach(a) stop(a)");
}

static void another_runtime_is_turned_to(void **state)
{
    static plait_runtime one = RUNTIME(a), two = RUNTIME(b);
    pl_attachment own = { .worker = 0 };
    (void)state;
    assert_true(pl_attach(&own, &one, r, r));
    assert_true(pl_attach_may_block(&own, &two));
    assert_true(pl_attach(&own, &two, r, r));
    assert_true(pl_attach(&own, &one, r, r));
    assert_calls("start(a as 0) attach(a) enter(r) leave(r) detach(a) "
                 "start(b as 0) attach(b) enter(r) leave(r) detach(b) "
                 "attach(a) enter(r)");
    pl_attachment_fini(&own);
    assert_calls("leave(r) detach(a) stop(b) stop(a)");
}

static void the_lock_is_offered_after_many_tasks(void **state)
{
    static plait_runtime runtime = RUNTIME(a);
    pl_attachment own = { .worker = 0 };
    (void)state;
    assert_true(pl_attach(&own, &runtime, r, r));
    assert_calls("start(a as 0) attach(a) enter(r)");
    unsigned done = 0;
    while (!calls.length) {
        pl_attachment_task_done(&own);
        assert_true(++done <= 1000); /* fewer when they take long */
    }
    assert_calls("leave(r) detach(a)");
    pl_attachment_fini(&own);
    assert_calls("stop(a)");
}

static void the_lock_is_offered_after_a_long_time(void **state)
{
    static plait_runtime runtime = RUNTIME(a);
    pl_attachment own = { .worker = 0 };
    (void)state;
    assert_true(pl_attach(&own, &runtime, r, r));
    own.attached_ns -= 2000000;
    pl_attachment_task_done(&own);
    assert_calls("start(a as 0) attach(a) enter(r) leave(r) detach(a)");
    pl_attachment_fini(&own);
    assert_calls("stop(a)");
}

static void a_runtime_that_yields_stays_attached(void **state)
{
    static plait_runtime runtime = RUNTIME(a);
    pl_attachment own = { .worker = 0 };
    (void)state;
    runtime.yields = true;
    assert_true(pl_attach(&own, &runtime, r, r));
    for (unsigned n = 0; n < 5000; n++) {
        own.attached_ns -= 2000000;
        pl_attachment_task_done(&own);
    }
    assert_calls("start(a as 0) attach(a) enter(r)");
    pl_attachment_fini(&own);
    assert_calls("leave(r) detach(a) stop(a)");
}

static void a_runtime_needs_no_callbacks(void **state)
{
    static plait_runtime runtime = { PLAIT_RUNTIME_INIT, .name = "bare" };
    pl_attachment own = { .worker = 0 };
    (void)state;
    assert_true(pl_attach(&own, &runtime, r, NULL));
    assert_true(pl_attach(&own, &runtime, s, NULL));
    pl_attachment_interrupt(&own);
    pl_attachment_fini(&own);
}

static void a_refusal_is_told(void **state)
{
    static plait_runtime runtime = RUNTIME(a);
    pl_attachment own = { .worker = 0 };
    (void)state;
    runtime.attach = refuse;
    assert_false(pl_attach(&own, &runtime, r, r));
    assert_calls("start(a as 0) refuse(a)");
    assert_true(pl_attach_may_block(&own, &runtime));
    pl_attachment_fini(&own);
    assert_calls("stop(a)");
    plait_runtime_close(&runtime); /* nobody is left inside */
}

static void a_runtime_that_cant_be_read_is_refused(void **state)
{
    static plait_runtime runtime; /* size 0 */
    pl_attachment own = { .worker = 0 };
    (void)state;
    assert_false(pl_attach(&own, &runtime, r, r));
    pl_attachment_fini(&own);
}

/* As a front end built with an older header: the struct ends after `attach`. */
static void an_older_runtime_works(void **state)
{
    static struct {
        size_t size;
        const char *name;
        void *user;
        void *(*thread_start)(void *user, unsigned worker);
        void (*thread_stop)(void *user, void *thread);
        bool (*attach)(void *user, void *thread);
        const char *garbage[4];
    } older = { offsetof(plait_runtime, detach),
                "o",
                o,
                thread_start,
                thread_stop,
                attach,
                { "not", "a", "callback", "here" } };
    pl_attachment own = { .worker = 0 };
    (void)state;
    assert_true(pl_attach(&own, (plait_runtime *)&older, r, r));
    pl_attachment_fini(&own);
    assert_calls("start(o as 0) attach(o) stop(o)");
}

static void interrupt_reaches_the_attached_runtime(void **state)
{
    static plait_runtime runtime = RUNTIME(a);
    pl_attachment own = { .worker = 0 };
    (void)state;
    pl_attachment_interrupt(&own);
    assert_true(pl_attach(&own, &runtime, r, r));
    pl_strbuf_fini(&calls);
    pl_attachment_interrupt(&own);
    assert_calls("interrupt(a)");
    pl_attachment_fini(&own);
    assert_calls("leave(r) detach(a) stop(a)");
}

/* A task that waits lends its thread: what comes in between is entered on top,
 * and the task's run is not left. */
static void a_task_can_be_set_aside(void **state)
{
    static plait_runtime runtime = RUNTIME(a);
    pl_attachment own = { .worker = 0 };
    pl_attachment_aside aside;
    (void)state;
    assert_true(pl_attach(&own, &runtime, r, r));
    pl_strbuf_fini(&calls);
    pl_attachment_set_aside(&own, &aside);
    assert_calls("detach(a)");
    pl_attachment_interrupt(&own);
    assert_calls("");
    assert_true(pl_attach(&own, &runtime, i, i));
    pl_attachment_take_up(&own, &aside);
    assert_calls("attach(a) enter(i) leave(i) detach(a) attach(a)");
    pl_attachment_fini(&own);
    assert_calls("leave(r) detach(a) stop(a)");
}

/* The runtime closes by itself: the task goes on, unattached. */
static void a_task_may_not_be_taken_up(void **state)
{
    static plait_runtime runtime = RUNTIME(a);
    pl_attachment own = { .worker = 0 };
    pl_attachment_aside aside;
    (void)state;
    attach_refuses = false;
    runtime.attach = attach_or_refuse;
    assert_true(pl_attach(&own, &runtime, r, r));
    pl_strbuf_fini(&calls);
    pl_attachment_set_aside(&own, &aside);
    attach_refuses = true;
    pl_attachment_take_up(&own, &aside);
    assert_calls("detach(a) refuse(a)");
    assert_true(pl_attach_may_block(&own, &runtime));
    plait_runtime_close(&runtime); /* nobody is left inside */
    pl_attachment_fini(&own);
    assert_calls("");
}

static plait_runtime other_threads = { PLAIT_RUNTIME_INIT };
static pthread_barrier_t inside;

static void *stay_inside(void *arg)
{
    /* static: the child has no stack of this thread that valgrind could find
     * what it owns in */
    static pl_attachment attachment = { .worker = 5 };
    (void)arg;
    pl_attach(&attachment, &other_threads, r, r);
    pthread_barrier_wait(&inside);
    pthread_barrier_wait(&inside);
    pl_attachment_fini(&attachment);
    return NULL;
}

/* Detaches and closes, in a child; an alarm ends it when that waits. */
static void close_in_a_child(pl_attachment *attachment,
                             const pl_attachment_aside *aside)
{
    alarm(20);
    pl_runtime_fork_child();
    pl_attachment_take_up(attachment, aside);
    if (attachment->now == NULL) /* its own stay is not forgotten */
        _exit(1);
    pl_attachment_fini(attachment);
    plait_runtime_close(&other_threads);
    _exit(pl_attach(attachment, &other_threads, r, r) ? 2 : 0);
}

static void a_child_waits_for_no_thread_of_its_parent(void **state)
{
    (void)state;
    pl_attachment attachment = { .worker = 1 };
    pl_attachment_aside aside;
    pthread_t thread;
    int status;
    assert_int_equal(pthread_barrier_init(&inside, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, stay_inside, NULL), 0);
    pthread_barrier_wait(&inside);
    pl_attachment_set_current(&attachment);
    assert_true(pl_attach(&attachment, &other_threads, r, r));
    pl_attachment_set_aside(&attachment, &aside);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        close_in_a_child(&attachment, &aside);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    pl_attachment_take_up(&attachment, &aside);
    pl_attachment_fini(&attachment);
    pl_attachment_set_current(NULL);
    pthread_barrier_wait(&inside);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&inside);
    plait_runtime_close(&other_threads);
}

static void setting_aside_nothing_is_fine(void **state)
{
    static plait_runtime runtime = RUNTIME(a);
    pl_attachment own = { .worker = 0 };
    pl_attachment_aside aside;
    (void)state;
    pl_attachment_set_aside(&own, &aside);
    assert_true(pl_attach(&own, &runtime, r, r));
    pl_strbuf_fini(&calls);
    pl_attachment_take_up(&own, &aside);
    assert_calls("leave(r) detach(a)");
    pl_attachment_fini(&own);
    assert_calls("stop(a)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_attaches_once_for_many_tasks),
        cmocka_unit_test(plain_tasks_run_detached),
        cmocka_unit_test(another_run_is_entered),
        cmocka_unit_test(another_runtime_is_turned_to),
        cmocka_unit_test(the_lock_is_offered_after_many_tasks),
        cmocka_unit_test(the_lock_is_offered_after_a_long_time),
        cmocka_unit_test(a_runtime_that_yields_stays_attached),
        cmocka_unit_test(a_runtime_needs_no_callbacks),
        cmocka_unit_test(a_refusal_is_told),
        cmocka_unit_test(a_runtime_that_cant_be_read_is_refused),
        cmocka_unit_test(an_older_runtime_works),
        cmocka_unit_test(interrupt_reaches_the_attached_runtime),
        cmocka_unit_test(a_task_can_be_set_aside),
        cmocka_unit_test(a_task_may_not_be_taken_up),
        cmocka_unit_test(setting_aside_nothing_is_fine),
        cmocka_unit_test(a_child_waits_for_no_thread_of_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
