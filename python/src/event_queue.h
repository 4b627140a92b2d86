/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * event_queue.h: what callbacks are still to be called for. An event lies on
 * the stack of a thread that waits for it, or it is posted: nobody waits, and
 * it holds what it needs.
 */
#ifndef PY_EVENT_QUEUE_H
#define PY_EVENT_QUEUE_H

#include <pthread.h>

#include "module.h"

typedef struct py_event {
    struct py_event *next;
    plait_event_kind kind;
    plait_run *run;
    uint32_t row;
    unsigned worker;
    plait_value value; /* of PLAIT_TASK_END: borrowed, if not posted */
    PyObject *result;  /* of a posted one, or NULL */
    bool posted;
    bool done;
    pthread_cond_t told; /* done, or it is its turn; if not posted */
} py_event;

typedef struct py_event_queue {
    py_event *first;
    py_event **end;
    unsigned n_posted;
} py_event_queue;

void py_events_init(py_event_queue *queue);
void py_events_push(py_event_queue *queue, py_event *event);
py_event *py_events_pop(py_event_queue *queue);

/* Empties it: tells all that wait that they are done, and returns a list of
 * those that were posted. */
py_event *py_events_clear(py_event_queue *queue);

/* A copy to be posted, with a result (borrowed) or NULL; NULL: no memory. */
py_event *py_event_post(const py_event *event, PyObject *result);

/* The thread that waits goes on. */
void py_event_tell(py_event *event);

/* Frees a list of posted ones. With the GIL, and no mutex: objects may do
 * anything when they die. */
void py_events_free(py_event *posted);

#endif
