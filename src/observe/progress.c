/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * progress.c: progress on a stream.
 *
 * There is no thread of its own: the workers that deliver events draw. An event
 * costs a look at when the next line is due; when it is, one worker draws it
 * and the others go on, so that nobody waits for the stream. The numbers are
 * those of plait_run_counts, so nothing is counted here.
 *
 * One observer may watch several runs at once: they share a line, which ends
 * with the last of them.
 */
#include <plait/compute.h>

#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "observe/progress_line.h"
#include "platform/terminal.h"
#include "platform/thread.h"

#define TERMINAL_NS INT64_C(100000000)
#define PLAIN_NS INT64_C(5000000000)

typedef struct progress {
    plait_observer observer; /* first: the handle */
    FILE *stream;
    /* when the next line is due; relaxed: a late or early look does no harm */
    _Atomic int64_t due_ns;
    pl_mutex mutex;
    /* guarded by mutex */
    plait_run **runs; /* that go on */
    size_t n_runs;
    size_t capacity;
    pl_progress ended_runs; /* their sum, while others go on */
    int64_t begin_ns;
    size_t drawn; /* columns of the line that stands on the terminal */
    bool is_broken;
} progress;

static void add_run(pl_progress *sum, const plait_run *run)
{
    plait_counts counts = { PLAIT_COUNTS_INIT };
    if (plait_run_counts(run, &counts) != PLAIT_OK)
        return;
    sum->total += counts.total;
    sum->done += counts.done;
    sum->failed += counts.failed;
    sum->skipped += counts.skipped;
}

/* Writes a line over the one that stands there, on a terminal. */
static void put_line(progress *own, char *line, size_t length, unsigned width,
                     bool ended)
{
    char text[2 * PL_PROGRESS_LINE_BYTES + 2];
    size_t n = 0;
    if (width)
        text[n++] = '\r';
    memcpy(text + n, line, length);
    n += length;
    for (size_t i = length; width && i < own->drawn; i++)
        text[n++] = ' ';
    if (ended || !width)
        text[n++] = '\n';
    own->drawn = ended || !width ? 0 : length;
    if (fwrite(text, 1, n, own->stream) != n || fflush(own->stream) != 0)
        own->is_broken = true; /* a full disk, a closed pipe: say no more */
}

/* With the mutex held. */
static void draw(progress *own, int64_t now_ns)
{
    pl_progress sum = own->ended_runs;
    for (size_t i = 0; i < own->n_runs; i++)
        add_run(&sum, own->runs[i]);
    sum.elapsed_ns = now_ns > own->begin_ns ? now_ns - own->begin_ns : 0;
    sum.ended = own->n_runs == 0;
    unsigned columns = pl_terminal_width(own->stream);
    /* the last column stays free: some terminals would wrap */
    unsigned width = columns > 1 ? columns - 1 : columns;
    char line[PL_PROGRESS_LINE_BYTES];
    size_t length = pl_progress_line(&sum, width, line);
    if (!own->is_broken)
        put_line(own, line, length, width, sum.ended);
    atomic_store_explicit(&own->due_ns,
                          now_ns + (width ? TERMINAL_NS : PLAIN_NS),
                          memory_order_relaxed);
}

static void begin_run(progress *own, const plait_event *event)
{
    pl_mutex_lock(&own->mutex);
    /* with no memory for it the run is not shown */
    if (pl_grow(&own->runs, &own->capacity, own->n_runs, sizeof *own->runs)) {
        own->runs[own->n_runs++] = event->run;
        if (own->n_runs == 1) {
            own->begin_ns = event->time_ns;
            own->ended_runs = (pl_progress){ 0 };
            atomic_store_explicit(&own->due_ns, event->time_ns + PLAIN_NS,
                                  memory_order_relaxed);
        }
        if (pl_terminal_width(own->stream) > 0)
            draw(own, event->time_ns);
    }
    pl_mutex_unlock(&own->mutex);
}

static void end_run(progress *own, const plait_event *event)
{
    pl_mutex_lock(&own->mutex);
    size_t i = 0;
    while (i < own->n_runs && own->runs[i] != event->run)
        i++;
    if (i < own->n_runs) {
        add_run(&own->ended_runs, event->run);
        own->runs[i] = own->runs[--own->n_runs];
        if (own->n_runs == 0)
            draw(own, event->time_ns);
    }
    pl_mutex_unlock(&own->mutex);
}

static void tick(progress *own, int64_t now_ns)
{
    if (now_ns < atomic_load_explicit(&own->due_ns, memory_order_relaxed) ||
        !pl_mutex_try_lock(&own->mutex))
        return;
    /* another worker may have drawn since the look */
    if (own->n_runs > 0 &&
        now_ns >= atomic_load_explicit(&own->due_ns, memory_order_relaxed))
        draw(own, now_ns);
    pl_mutex_unlock(&own->mutex);
}

static void on_event(const plait_event *event, void *user)
{
    progress *own = user;
    if (event->kind == PLAIT_RUN_BEGIN)
        begin_run(own, event);
    else if (event->kind == PLAIT_RUN_END)
        end_run(own, event);
    else
        tick(own, event->time_ns);
}

plait_observer *plait_progress_new(FILE *stream)
{
    progress *own = stream ? pl_calloc(1, sizeof *own) : NULL;
    if (!own)
        return NULL;
    own->stream = stream;
    pl_mutex_init(&own->mutex);
    own->observer = (plait_observer){
        PLAIT_OBSERVER_INIT,
        .kinds = PLAIT_RUN_BEGIN | PLAIT_RUN_END | PLAIT_TASK_END |
                 PLAIT_TASK_FAILED | PLAIT_TASK_SKIPPED,
        .on_event = on_event,
        .user = own,
    };
    return &own->observer;
}

void plait_progress_free(plait_observer *observer)
{
    if (!observer)
        return;
    progress *own = observer->user;
    pl_mutex_fini(&own->mutex);
    pl_free(own->runs);
    pl_free(own);
}
