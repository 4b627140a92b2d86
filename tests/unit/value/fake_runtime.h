/* SPDX-License-Identifier: BSD-3-Clause */
/* fake_runtime.h: language runtimes that only note what they are asked. */
#ifndef FAKE_RUNTIME_H
#define FAKE_RUNTIME_H

#include "base/strbuf.h"
#include "value/attachment.h"

/* What the fake runtimes were asked to do: "a" is their name. */
static pl_strbuf calls;

/* Names of runtimes, runs and data, by their addresses too. */
static char a[] = "a", b[] = "b", r[] = "r";

static inline void note(const char *what, void *user)
{
    pl_strbuf_printf(&calls, "%s%s(%s)", calls.length ? " " : "", what,
                     (const char *)user);
}

static inline void assert_calls(const char *expected)
{
    assert_string_equal(calls.text ? calls.text : "", expected);
    pl_strbuf_fini(&calls);
}

static inline void *thread_start(void *user, unsigned worker)
{
    pl_strbuf_printf(&calls, "%sstart(%s as %u)", calls.length ? " " : "",
                     (const char *)user, worker);
    return user;
}

static inline void thread_stop(void *user, void *thread)
{
    assert_ptr_equal(user, thread);
    note("stop", user);
}

static inline bool attach(void *user, void *thread)
{
    assert_ptr_equal(user, thread);
    note("attach", user);
    return true;
}

static inline void detach(void *user, void *thread)
{
    assert_ptr_equal(user, thread);
    note("detach", user);
}

static inline void *run_enter(void *user, void *thread, void *run_user)
{
    (void)user;
    (void)thread;
    note("enter", run_user);
    return run_user;
}

static inline void run_leave(void *user, void *thread, void *entered)
{
    (void)user;
    (void)thread;
    note("leave", entered);
}

static inline void interrupt(void *user, void *thread)
{
    assert_ptr_equal(user, thread);
    note("interrupt", user);
}

#define RUNTIME(its_name)                                                      \
    {                                                                          \
        PLAIT_RUNTIME_INIT,                                                    \
            .name = #its_name, .user = its_name, .thread_start = thread_start, \
            .thread_stop = thread_stop, .attach = attach, .detach = detach,    \
            .run_enter = run_enter, .run_leave = run_leave,                    \
            .interrupt = interrupt                                             \
    }

#endif
