/* SPDX-License-Identifier: BSD-3-Clause */
/* alarm.c: one thread that waits for the earliest of all alarms. */
#include "platform/alarm.h"

#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/error.h"
#include "platform/clock.h"
#include "platform/park.h"
#include "platform/thread.h"

static struct clockwork {
    pl_mutex mutex;
    /* guarded by mutex */
    pl_alarm *alarms;
    pl_alarm *ringing; /* the alarm whose function is being called */
    bool has_thread;
    pl_thread thread;
    /* changes when the thread has to look again, or has rung: to park on */
    _Atomic uint32_t event;
} clockwork = { .mutex = PL_MUTEX_INIT };

/* Under the mutex. */
static void unlink_alarm(pl_alarm *alarm)
{
    if (alarm->previous)
        alarm->previous->next = alarm->next;
    else
        clockwork.alarms = alarm->next;
    if (alarm->next)
        alarm->next->previous = alarm->previous;
    alarm->set = false;
}

static pl_alarm *earliest(void)
{
    pl_alarm *first = clockwork.alarms;
    for (pl_alarm *a = first; a; a = a->next)
        first = a->at_ns < first->at_ns ? a : first;
    return first;
}

static void changed(void)
{
    /* release: pairs with the acquire of who parks */
    atomic_fetch_add_explicit(&clockwork.event, 1, memory_order_release);
    pl_unpark(&clockwork.event, INT_MAX);
}

/* Rings one alarm, the mutex let go meanwhile. */
static void ring(pl_alarm *alarm)
{
    unlink_alarm(alarm);
    clockwork.ringing = alarm;
    pl_mutex_unlock(&clockwork.mutex);
    alarm->ring(alarm);
    pl_mutex_lock(&clockwork.mutex);
    clockwork.ringing = NULL;
    changed();
}

static void clockwork_main(void *arg)
{
    (void)arg;
    pl_thread_set_name("plait-alarm");
    pl_mutex_lock(&clockwork.mutex);
    pl_alarm *alarm;
    while ((alarm = earliest())) {
        if (alarm->at_ns <= pl_clock_ns()) {
            ring(alarm);
            continue;
        }
        int64_t until_ns = alarm->at_ns;
        uint32_t event =
            atomic_load_explicit(&clockwork.event, memory_order_acquire);
        pl_mutex_unlock(&clockwork.mutex);
        pl_park(&clockwork.event, event, until_ns);
        pl_mutex_lock(&clockwork.mutex);
    }
    clockwork.has_thread = false;
    pl_thread_detach(clockwork.thread);
    pl_mutex_unlock(&clockwork.mutex);
}

plait_status pl_alarm_set(pl_alarm *alarm, int64_t at_ns,
                          void (*ring_fn)(pl_alarm *alarm), plait_error *err)
{
    plait_status status = PLAIT_OK;
    pl_mutex_lock(&clockwork.mutex);
    *alarm = (pl_alarm){
        .next = clockwork.alarms, .at_ns = at_ns, .ring = ring_fn, .set = true
    };
    if (alarm->next)
        alarm->next->previous = alarm;
    clockwork.alarms = alarm;
    if (!clockwork.has_thread)
        clockwork.has_thread = pl_thread_begin(
            &clockwork.thread, clockwork_main, NULL, "plait-alarm");
    if (!clockwork.has_thread) {
        unlink_alarm(alarm);
        status = pl_error_set(err, PLAIT_ESYS,
                              "the thread that watches timeouts could not be "
                              "begun");
    }
    changed();
    pl_mutex_unlock(&clockwork.mutex);
    return status;
}

void pl_alarm_cancel(pl_alarm *alarm)
{
    pl_mutex_lock(&clockwork.mutex);
    if (alarm->set) {
        unlink_alarm(alarm);
        changed();
    }
    while (clockwork.ringing == alarm && !pl_thread_is_self(clockwork.thread)) {
        uint32_t event =
            atomic_load_explicit(&clockwork.event, memory_order_acquire);
        pl_mutex_unlock(&clockwork.mutex);
        pl_park(&clockwork.event, event, PL_FOREVER);
        pl_mutex_lock(&clockwork.mutex);
    }
    pl_mutex_unlock(&clockwork.mutex);
}

void pl_alarm_fork_prepare(void)
{
    pl_mutex_lock(&clockwork.mutex);
}

void pl_alarm_fork_parent(void)
{
    pl_mutex_unlock(&clockwork.mutex);
}

void pl_alarm_fork_child(void)
{
    for (pl_alarm *a = clockwork.alarms; a; a = a->next)
        a->set = false;
    clockwork.alarms = NULL;
    clockwork.ringing = NULL;
    clockwork.has_thread = false;
    pl_mutex_unlock(&clockwork.mutex);
}
