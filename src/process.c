/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process.c: the one struct of process-wide state.
 *
 * Fork: a child has none of its parent's threads, so it forgets the default
 * executors (their memory stays the parent's), and begins its own at first use.
 * Exit: the default pools are stopped; idle ones are joined, and a task that
 * doesn't end keeps nobody waiting for longer than EXIT_GRACE_MS.
 */
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "executor/threads/threads.h"
#include "log/log.h"
#include "platform/alarm.h"
#include "platform/clock.h"
#include "platform/thread.h"
#include "value/attachment.h"
#include "value/type.h"

#define EXIT_GRACE_MS 1000

static struct process {
    pl_mutex mutex;
    /* guarded by mutex */
    plait_executor_ops registered[PL_SCHEDULERS_MAX];
    size_t n_registered;
    plait_executor *defaults[PL_SCHEDULERS_MAX + 2];
    size_t n_defaults;
    /* read anywhere */
    _Atomic bool hooked;
    _Atomic uint32_t generation;
} process = { .mutex = PL_MUTEX_INIT };

const char *plait_version(void)
{
#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)
    return TEXT_OF(PLAIT_VERSION_MAJOR) "." TEXT_OF(
        PLAIT_VERSION_MINOR) "." TEXT_OF(PLAIT_VERSION_PATCH);
#undef TEXT_OF
#undef TEXT
}

unsigned plait_abi_version(void)
{
    return 0;
}

uint32_t pl_process_generation(void)
{
    /* relaxed: only the forked child changes it, alone */
    return atomic_load_explicit(&process.generation, memory_order_relaxed);
}

/* ---- fork and exit ---- */

static void before_fork(void)
{
    pl_mutex_lock(&process.mutex);
    pl_type_fork_prepare();
    pl_alarm_fork_prepare();
    pl_log_fork_prepare();
}

static void after_fork_parent(void)
{
    pl_log_fork_parent();
    pl_alarm_fork_parent();
    pl_type_fork_release();
    pl_mutex_unlock(&process.mutex);
}

static void after_fork_child(void)
{
    pl_log_fork_child();
    pl_alarm_fork_child();
    pl_type_fork_release();
    pl_runtime_fork_child();
    process.n_defaults = 0;
    atomic_fetch_add_explicit(&process.generation, 1, memory_order_relaxed);
    pl_mutex_unlock(&process.mutex);
}

static void at_exit(void)
{
    int64_t until_ns = pl_clock_after_ms(EXIT_GRACE_MS);
    pl_mutex_lock(&process.mutex);
    plait_executor *defaults[PL_SCHEDULERS_MAX + 2];
    memcpy(defaults, process.defaults, sizeof defaults);
    size_t n = process.n_defaults;
    process.n_defaults = 0;
    pl_mutex_unlock(&process.mutex);
    for (size_t i = 0; i < n; i++) {
        plait_executor *executor = defaults[i];
        if (executor->ops.start == pl_threads_ops.start)
            pl_threads_exit(executor->self, until_ns);
        else if (executor->ops.close)
            executor->ops.close(executor->self);
        pl_executor_release(executor);
    }
}

void pl_process_hook(void)
{
    /* relaxed: only that it is done once matters */
    if (atomic_exchange_explicit(&process.hooked, true, memory_order_relaxed))
        return;
    pl_thread_atfork(before_fork, after_fork_parent, after_fork_child);
    atexit(at_exit);
}

/* ---- executors ---- */

static bool find_ops(const char *name, plait_executor_ops *ops)
{
    const plait_executor_ops *own[] = { &pl_sync_ops, &pl_threads_ops };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (strcmp(name, own[i]->name) == 0) {
            *ops = *own[i];
            return true;
        }
    }
    for (size_t i = 0; i < process.n_registered; i++) {
        if (strcmp(name, process.registered[i].name) == 0) {
            *ops = process.registered[i];
            return true;
        }
    }
    return false;
}

bool pl_process_ops(const char *name, plait_executor_ops *ops)
{
    pl_mutex_lock(&process.mutex);
    bool found = find_ops(name, ops);
    pl_mutex_unlock(&process.mutex);
    return found;
}

static plait_executor *find_default(const char *name)
{
    for (size_t i = 0; i < process.n_defaults; i++) {
        if (strcmp(process.defaults[i]->ops.name, name) == 0)
            return process.defaults[i];
    }
    return NULL;
}

plait_executor *pl_process_default(const char *name)
{
    pl_mutex_lock(&process.mutex);
    plait_executor *executor = find_default(name);
    if (executor)
        pl_refcount_take(&executor->count);
    pl_mutex_unlock(&process.mutex);
    return executor;
}

bool pl_process_set_default(plait_executor *executor)
{
    pl_mutex_lock(&process.mutex);
    bool is_first = !find_default(executor->ops.name) &&
                    process.n_defaults < PL_SCHEDULERS_MAX + 2;
    if (is_first) {
        process.defaults[process.n_defaults++] = executor;
        pl_refcount_take(&executor->count);
    }
    pl_mutex_unlock(&process.mutex);
    return is_first;
}

plait_status plait_executor_register(const plait_executor_ops *ops,
                                     plait_error *err)
{
    plait_executor_ops read, taken;
    plait_status status =
        pl_read_struct(&read, sizeof read, ops, "plait_executor_ops",
                       "PLAIT_EXECUTOR_OPS_INIT", err);
    if (status != PLAIT_OK)
        return status;
    if (!read.name || !read.start)
        return pl_error_set(err, PLAIT_EINVAL,
                            "an executor needs a name and a start function");
    read.flags &= ~PL_EXECUTOR_NOT_OWNED;
    char *name = pl_strdup(read.name);
    if (!name)
        return pl_error_nomem(err);
    read.name = name;
    pl_mutex_lock(&process.mutex);
    bool is_free =
        !find_ops(name, &taken) && process.n_registered < PL_SCHEDULERS_MAX;
    if (is_free)
        process.registered[process.n_registered++] = read;
    pl_mutex_unlock(&process.mutex);
    if (is_free)
        return PLAIT_OK;
    status = pl_error_set(err, PLAIT_EINVAL,
                          "a scheduler called \"%s\" is there already, or %d "
                          "are registered",
                          name, PL_SCHEDULERS_MAX);
    pl_free(name);
    return status;
}

plait_status plait_init(void)
{
    return PLAIT_OK;
}
