/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads: what they are given, their names, numbers and signals; mutexes. */
#include "platform/thread.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define N_ROUNDS 20000

typedef struct seen {
    char first_name[32];
    char set_name[32];
    char kernel_name[16];
    long id;
    sigset_t blocked;
    size_t stack;
} seen;

static void look(void *arg)
{
    seen *saw = arg;
    pthread_attr_t attributes;
    snprintf(saw->first_name, sizeof saw->first_name, "%s", pl_thread_name());
    pl_thread_set_name("plait-7");
    snprintf(saw->set_name, sizeof saw->set_name, "%s", pl_thread_name());
    pthread_getname_np(pthread_self(), saw->kernel_name,
                       sizeof saw->kernel_name);
    saw->id = pl_thread_id();
    pthread_sigmask(SIG_SETMASK, NULL, &saw->blocked);
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstacksize(&attributes, &saw->stack);
        pthread_attr_destroy(&attributes);
    }
}

static seen look_in_a_thread(const char *name)
{
    seen saw;
    pl_thread thread;
    memset(&saw, 0, sizeof saw);
    assert_true(pl_thread_begin(&thread, look, &saw, name));
    pl_thread_join(thread);
    return saw;
}

static void a_thread_has_names(void **state)
{
    seen saw = look_in_a_thread("a-name-that-is-too-long");
    seen other = look_in_a_thread("short");
    (void)state;
    assert_int_equal(strncmp(saw.first_name, "Thread-", 7), 0);
    assert_string_not_equal(saw.first_name, other.first_name);
    assert_string_equal(saw.set_name, "plait-7");
    assert_string_equal(saw.kernel_name, "a-name-that-is-");
    assert_string_equal(other.kernel_name, "short");
    assert_string_equal(pl_thread_name(), "MainThread");
}

static void long_names_are_cut(void **state)
{
    (void)state;
    pl_thread_set_name("0123456789012345678901234567890123456789");
    assert_string_equal(pl_thread_name(), "0123456789012345678901234567890");
    pl_thread_set_name("");
    assert_string_equal(pl_thread_name(), "MainThread");
}

static void a_thread_has_a_number_of_its_own(void **state)
{
    seen saw = look_in_a_thread("x");
    (void)state;
    assert_true(saw.id > 0);
    assert_true(saw.id != pl_thread_id());
    assert_int_equal(pl_thread_id(), getpid());
}

static void signals_are_blocked_but_faults(void **state)
{
    seen saw = look_in_a_thread("x");
    sigset_t own;
    (void)state;
    assert_int_equal(sigismember(&saw.blocked, SIGINT), 1);
    assert_int_equal(sigismember(&saw.blocked, SIGTERM), 1);
    assert_int_equal(sigismember(&saw.blocked, SIGUSR1), 1);
    assert_int_equal(sigismember(&saw.blocked, SIGSEGV), 0);
    assert_int_equal(sigismember(&saw.blocked, SIGABRT), 0);
    pthread_sigmask(SIG_SETMASK, NULL, &own); /* ours is as it was */
    assert_int_equal(sigismember(&own, SIGINT), 0);
}

static void the_stack_is_large_enough(void **state)
{
    seen saw = look_in_a_thread("x");
    (void)state;
    assert_true(saw.stack >= (size_t)1 << 20);
}

static pl_thread main_thread;

static void ask_whether_main(void *arg)
{
    *(bool *)arg = pl_thread_is_self(main_thread);
}

static void a_thread_knows_itself(void **state)
{
    pl_thread thread;
    bool was_main = true;
    (void)state;
    main_thread = pthread_self();
    assert_true(pl_thread_is_self(main_thread));
    assert_true(pl_thread_begin(&thread, ask_whether_main, &was_main, "other"));
    assert_false(pl_thread_is_self(thread));
    pl_thread_join(thread);
    assert_false(was_main);
}

static atomic_bool was_detached;

static void say_detached(void *arg)
{
    (void)arg;
    atomic_store(&was_detached, true);
}

static void a_detached_thread_runs(void **state)
{
    pl_thread thread;
    (void)state;
    assert_true(pl_thread_begin(&thread, say_detached, NULL, "detached"));
    pl_thread_detach(thread);
    while (!atomic_load(&was_detached))
        pl_thread_yield();
}

static struct counter {
    pl_mutex mutex;
    long count; /* guarded by mutex */
} counter;

static void count_up(void *arg)
{
    (void)arg;
    for (int i = 0; i < N_ROUNDS; i++) {
        pl_mutex_lock(&counter.mutex);
        counter.count++;
        pl_mutex_unlock(&counter.mutex);
        pl_cpu_relax();
    }
}

static void a_mutex_excludes(void **state)
{
    pl_thread threads[3];
    (void)state;
    pl_mutex_init(&counter.mutex);
    for (int i = 0; i < 3; i++)
        assert_true(pl_thread_begin(&threads[i], count_up, NULL, "count"));
    for (int i = 0; i < 3; i++)
        pl_thread_join(threads[i]);
    assert_int_equal(counter.count, 3 * N_ROUNDS);
    pl_mutex_fini(&counter.mutex);
}

static void try_to_lock(void *arg)
{
    bool *locked = arg;
    *locked = pl_mutex_try_lock(&counter.mutex);
    if (*locked)
        pl_mutex_unlock(&counter.mutex);
}

static void try_lock_does_not_wait(void **state)
{
    pl_thread thread;
    bool locked = true;
    (void)state;
    pl_mutex_init(&counter.mutex);
    assert_true(pl_mutex_try_lock(&counter.mutex));
    assert_true(pl_thread_begin(&thread, try_to_lock, &locked, "try"));
    pl_thread_join(thread);
    assert_false(locked);
    pl_mutex_unlock(&counter.mutex);
    assert_true(pl_thread_begin(&thread, try_to_lock, &locked, "try"));
    pl_thread_join(thread);
    assert_true(locked);
    pl_mutex_fini(&counter.mutex);
}

static int n_prepared, n_in_parent, n_in_child;

static void prepare(void)
{
    n_prepared++;
}

static void in_parent(void)
{
    n_in_parent++;
}

static void in_child(void)
{
    n_in_child++;
}

static void fork_handlers_are_called(void **state)
{
    int status = -1;
    (void)state;
    assert_true(pl_thread_atfork(prepare, in_parent, in_child));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(n_prepared == 1 && n_in_child == 1 && n_in_parent == 0 ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(n_prepared, 1);
    assert_int_equal(n_in_parent, 1);
    assert_int_equal(n_in_child, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_has_names),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(a_thread_has_a_number_of_its_own),
        cmocka_unit_test(signals_are_blocked_but_faults),
        cmocka_unit_test(the_stack_is_large_enough),
        cmocka_unit_test(a_thread_knows_itself),
        cmocka_unit_test(a_detached_thread_runs),
        cmocka_unit_test(a_mutex_excludes),
        cmocka_unit_test(try_lock_does_not_wait),
        cmocka_unit_test(fork_handlers_are_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
