/* SPDX-License-Identifier: BSD-3-Clause */
/* event_queue.c: a list of events, first in, first out. */
#include "event_queue.h"

void py_events_init(py_event_queue *self)
{
    *self = (py_event_queue){ .end = &self->first };
}

void py_events_push(py_event_queue *self, py_event *event)
{
    *self->end = event;
    self->end = &event->next;
    self->n_posted += event->posted;
}

py_event *py_events_pop(py_event_queue *self)
{
    py_event *event = self->first;
    self->first = event->next;
    if (!self->first)
        self->end = &self->first;
    self->n_posted -= event->posted;
    event->next = NULL;
    return event;
}

py_event *py_events_clear(py_event_queue *self)
{
    py_event *posted = NULL;
    while (self->first) {
        py_event *event = py_events_pop(self);
        if (event->posted) {
            event->next = posted;
            posted = event;
        } else {
            py_event_tell(event);
        }
    }
    return posted;
}

py_event *py_event_post(const py_event *event, PyObject *result)
{
    py_event *copy = PyMem_RawMalloc(sizeof *copy);
    if (!copy)
        return NULL;
    *copy = *event;
    copy->posted = true;
    copy->result = Py_XNewRef(result);
    plait_retain(copy->value);
    return copy;
}

void py_event_tell(py_event *event)
{
    event->done = true;
    pthread_cond_signal(&event->told);
}

void py_events_free(py_event *posted)
{
    while (posted) {
        py_event *next = posted->next;
        Py_XDECREF(posted->result);
        plait_release(posted->value);
        PyMem_RawFree(posted);
        posted = next;
    }
}
