/* SPDX-License-Identifier: BSD-3-Clause */
/* tally.c: counting tasks. */
#include "tally.h"

typedef struct tally {
    plait_observer observer; /* first */
    _Atomic size_t total, done, failed, skipped;
} tally;

static void on_event(const plait_event *event, void *user)
{
    tally *self = user;
    /* relaxed: they are counts, each for itself */
    if (event->kind == PLAIT_TASK_END)
        atomic_fetch_add_explicit(&self->done, 1, memory_order_relaxed);
    else if (event->kind == PLAIT_TASK_FAILED)
        atomic_fetch_add_explicit(&self->failed, 1, memory_order_relaxed);
    else if (event->kind == PLAIT_TASK_SKIPPED)
        atomic_fetch_add_explicit(&self->skipped, 1, memory_order_relaxed);
    else
        atomic_fetch_add_explicit(&self->total, event->n_tasks,
                                  memory_order_relaxed);
}

plait_observer *py_tally_new(void)
{
    tally *self = PyMem_RawCalloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->observer = (plait_observer){
        PLAIT_OBSERVER_INIT,
        .kinds = PLAIT_RUN_BEGIN | PLAIT_TASK_END | PLAIT_TASK_FAILED |
                 PLAIT_TASK_SKIPPED,
        .on_event = on_event,
        .user = self,
    };
    return &self->observer;
}

py_counts py_tally_counts(const plait_observer *observer)
{
    const tally *self = (const tally *)observer;
    /* relaxed: as where they are counted */
    return (py_counts){
        .total = atomic_load_explicit(&self->total, memory_order_relaxed),
        .done = atomic_load_explicit(&self->done, memory_order_relaxed),
        .failed = atomic_load_explicit(&self->failed, memory_order_relaxed),
        .skipped = atomic_load_explicit(&self->skipped, memory_order_relaxed),
    };
}
