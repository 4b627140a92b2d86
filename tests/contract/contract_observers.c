/* SPDX-License-Identifier: BSD-3-Clause */
/* contract_observers.c: what observers are told, in order for one task. */
#include "contract.h"

#include <pthread.h>

#define MOST 4096

/* What has been told, under a mutex: events come from several threads. */
typedef struct record {
    pthread_mutex_t mutex;
    size_t n;
    struct {
        plait_event_kind kind;
        uint32_t task;
        bool has_error;
        bool has_key;
        int64_t time_ns;
        size_t n_tasks;
    } events[MOST];
} record;

static void note(const plait_event *event, void *user)
{
    record *r = user;
    pthread_mutex_lock(&r->mutex);
    if (r->n < MOST) {
        r->events[r->n].kind = event->kind;
        r->events[r->n].task = event->task.id;
        r->events[r->n].has_error = event->error != NULL;
        r->events[r->n].has_key = event->key[0] != '\0';
        r->events[r->n].time_ns = event->time_ns;
        r->events[r->n].n_tasks = event->n_tasks;
        r->n++;
    }
    pthread_mutex_unlock(&r->mutex);
}

static size_t count(const record *r, plait_event_kind kind, uint32_t task)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += r->events[i].kind == kind && r->events[i].task == task;
    return n;
}

/* What may come after what, for one task. */
static bool may_follow(plait_event_kind before, plait_event_kind now)
{
    switch (now) {
    case PLAIT_TASK_READY:
        return before == 0 || before == PLAIT_TASK_LOST ||
               before == PLAIT_TASK_RETRIED ||
               /* withdrawn between, when an input was lost */
               (before == PLAIT_TASK_READY && !under_test.is_exact);
    case PLAIT_TASK_BEGIN:
        return before == PLAIT_TASK_READY || before == PLAIT_TASK_RETRIED;
    case PLAIT_TASK_END:
        return before == PLAIT_TASK_BEGIN;
    case PLAIT_TASK_FAILED:
    case PLAIT_TASK_RETRIED:
        return before == PLAIT_TASK_BEGIN;
    case PLAIT_TASK_SKIPPED:
        return before == 0 || before == PLAIT_TASK_READY ||
               before == PLAIT_TASK_LOST;
    case PLAIT_TASK_LOST:
        return before == PLAIT_TASK_END || before == PLAIT_TASK_BEGIN;
    case PLAIT_RUN_BEGIN:
    case PLAIT_RUN_END:
        return false;
    }
    return false;
}

static void check_order(const record *r, uint32_t task)
{
    plait_event_kind before = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (r->events[i].task != task)
            continue;
        assert_true(r->events[i].has_key);
        if (!may_follow(before, r->events[i].kind))
            fail_msg("task %u: event %d follows %d", task,
                     (int)r->events[i].kind, (int)before);
        before = r->events[i].kind;
    }
}

static plait_value fail_once(plait_context *ctx, const plait_value *args,
                             size_t n)
{
    if (plait_context_attempt(ctx) == 1)
        return plait_fail(ctx, "the first time");
    return sum(ctx, args, n);
}

/* Sound tasks, a retried one, a failure and what it dooms. */
static void check_run(record *r, plait_on_error on_error)
{
    plait_options options = contract_options();
    plait_observer observer = { PLAIT_OBSERVER_INIT, .on_event = note,
                                .user = r };
    const plait_observer *observers[] = { &observer };
    plait_task targets[41];
    plait_value outs[41];
    options.on_error = on_error;
    options.retries = 1;
    options.observers = observers;
    options.n_observers = 1;
    plait_graph *g = plait_graph_new();
    for (int i = 0; i < 40; i++)
        targets[i] = i ? plait_delayed(g, sum, targets[i / 2], i)
                       : plait_delayed(g, fail_once, 1);
    plait_task bad = plait_delayed(g, broken, targets[3]);
    targets[40] = plait_delayed(g, sum, bad);
    plait_status status =
        plait_compute_all(g, targets, 41, &options, outs, NULL);
    assert_int_equal(status,
                     on_error == PLAIT_COLLECT ? PLAIT_OK : PLAIT_ETASK);
    for (int i = 0; i < 41; i++)
        plait_release(outs[i]);
    plait_graph_free(g);
}

static void events_come_in_order(void **state)
{
    (void)state;
    static record r = { .mutex = PTHREAD_MUTEX_INITIALIZER };
    check_run(&r, PLAIT_FINISH);
    assert_int_equal(r.events[0].kind, PLAIT_RUN_BEGIN);
    assert_int_equal(r.events[0].n_tasks, 42);
    assert_int_equal(r.events[r.n - 1].kind, PLAIT_RUN_END);
    assert_int_equal(count(&r, PLAIT_RUN_BEGIN, 0), 1);
    assert_int_equal(count(&r, PLAIT_RUN_END, 0), 1);
    for (uint32_t id = 1; id <= 42; id++)
        check_order(&r, id);
    for (uint32_t id = 1; id <= 40; id++)
        assert_true(count(&r, PLAIT_TASK_END, id) >= 1);
    if (!under_test.is_exact)
        return;
    for (uint32_t id = 1; id <= 40; id++)
        assert_int_equal(count(&r, PLAIT_TASK_END, id), 1);
    assert_int_equal(count(&r, PLAIT_TASK_RETRIED, 1), 1);
    assert_int_equal(count(&r, PLAIT_TASK_RETRIED, 41), 1);
    assert_int_equal(count(&r, PLAIT_TASK_FAILED, 41), 1);
    assert_int_equal(count(&r, PLAIT_TASK_SKIPPED, 42), 1);
    assert_int_equal(count(&r, PLAIT_TASK_BEGIN, 42), 0);
}

static void only_the_kinds_asked_for(void **state)
{
    (void)state;
    static record r = { .mutex = PTHREAD_MUTEX_INITIALIZER };
    plait_options options = contract_options();
    plait_observer ends = { PLAIT_OBSERVER_INIT, .kinds = PLAIT_TASK_END,
                            .on_event = note, .user = &r };
    plait_observer nothing = { PLAIT_OBSERVER_INIT };
    const plait_observer *observers[] = { &nothing, &ends };
    plait_value out;
    options.observers = observers;
    options.n_observers = 2;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, sum, 1);
    plait_task y = plait_delayed(g, sum, x);
    assert_int_equal(plait_compute(g, y, &options, &out, NULL), PLAIT_OK);
    for (size_t i = 0; i < r.n; i++)
        assert_int_equal(r.events[i].kind, PLAIT_TASK_END);
    assert_true(r.n >= 2);
    plait_graph_free(g);
}

static void observers_of_older_and_newer_callers(void **state)
{
    (void)state;
    static record r = { .mutex = PTHREAD_MUTEX_INITIALIZER };
    struct {
        plait_observer known;
        uint64_t unknown;
    } newer = { .known = { .size = sizeof newer,
                           .kinds = PLAIT_RUN_END,
                           .on_event = note,
                           .user = &r } };
    const plait_observer *observers[] = { &newer.known };
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    options.observers = observers;
    options.n_observers = 1;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, sum, 1);
    assert_int_equal(plait_compute(g, x, &options, &out, &err), PLAIT_OK);
    assert_int_equal(r.n, 1);
    newer.unknown = 3;
    assert_int_equal(plait_compute(g, x, &options, &out, &err), PLAIT_EINVAL);
    assert_int_equal(r.n, 1);
    plait_graph_free(g);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(events_come_in_order),
    cmocka_unit_test(only_the_kinds_asked_for),
    cmocka_unit_test(observers_of_older_and_newer_callers),
};

const contract_group contract_observers = { cases, COUNT_OF(cases), 0 };
