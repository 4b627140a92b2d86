/* SPDX-License-Identifier: BSD-3-Clause */
/* trace.c: recording what a Chrome trace shows; trace_write.c writes it. */
#include "observe/trace.h"

#include <errno.h>
#include <string.h>

#include <plait/executor_impl.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hashmap.h"
#include "platform/clock.h"

/* ---- tasks; with the stripe's mutex held ---- */

static pl_trace_open *find_open(pl_trace_stripe *stripe,
                                const plait_event *event)
{
    for (size_t i = 0; i < stripe->n_open; i++) {
        const pl_trace_slice *slice = stripe->open[i].slice;
        if (slice->id == event->task.id && slice->run == event->run)
            return &stripe->open[i];
    }
    return NULL;
}

static void close_open(pl_trace_stripe *stripe, pl_trace_open *open)
{
    *open = stripe->open[--stripe->n_open];
}

static size_t keep_text(pl_trace_stripe *stripe, const char *text,
                        uint32_t *length)
{
    size_t at = stripe->text.length;
    size_t n = strlen(text);
    *length = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
    pl_strbuf_add(&stripe->text, text, *length);
    if (!pl_strbuf_ok(&stripe->text))
        *length = 0;
    return at;
}

/* NULL: no memory. */
static pl_trace_slice *add_slice(pl_trace_stripe *stripe)
{
    pl_trace_chunk *chunk = stripe->chunks;
    if (!chunk || chunk->n == PL_TRACE_CHUNK) {
        chunk = pl_alloc(sizeof *chunk);
        if (!chunk)
            return NULL;
        chunk->before = stripe->chunks;
        chunk->n = 0;
        stripe->chunks = chunk;
    }
    stripe->n_slices++;
    return &chunk->slices[chunk->n++];
}

static void free_chunks(pl_trace_stripe *stripe)
{
    while (stripe->chunks) {
        pl_trace_chunk *before = stripe->chunks->before;
        pl_free(stripe->chunks);
        stripe->chunks = before;
    }
}

static void begin(pl_trace_stripe *stripe, const plait_event *event)
{
    pl_trace_open *open = find_open(stripe, event);
    pl_trace_slice *slice = NULL;
    if (pl_grow(&stripe->open, &stripe->open_capacity, stripe->n_open,
                sizeof *stripe->open)) {
        open = find_open(stripe, event); /* it may have moved */
        slice = add_slice(stripe);
    }
    if (!slice) {
        stripe->is_short = true;
        return;
    }
    *slice = (pl_trace_slice){ .run = event->run,
                               .begin_ns = event->time_ns,
                               .end_ns = event->time_ns,
                               .id = event->task.id,
                               .worker = event->worker,
                               .attempt = open ? open->slice->attempt + 1 : 1 };
    slice->key_at =
        keep_text(stripe, event->key ? event->key : "", &slice->key_length);
    if (!open)
        open = &stripe->open[stripe->n_open++];
    *open = (pl_trace_open){ slice, true };
}

static void end(pl_trace_stripe *stripe, const plait_event *event,
                pl_trace_outcome outcome)
{
    pl_trace_open *open = find_open(stripe, event);
    if (!open)
        return;
    if (open->is_running) {
        pl_trace_slice *slice = open->slice;
        slice->end_ns = event->time_ns;
        slice->outcome = outcome;
        if (event->error)
            slice->error_at =
                keep_text(stripe, event->error->message, &slice->error_length);
    }
    open->is_running = false;
    if (outcome == PL_TRACE_OK || outcome == PL_TRACE_FAILED)
        close_open(stripe, open);
}

static void note(pl_trace_stripe *stripe, const plait_event *event)
{
    switch (event->kind) {
    case PLAIT_TASK_BEGIN:
        begin(stripe, event);
        break;
    case PLAIT_TASK_END:
        end(stripe, event, PL_TRACE_OK);
        break;
    case PLAIT_TASK_FAILED:
        end(stripe, event, PL_TRACE_FAILED);
        break;
    case PLAIT_TASK_RETRIED:
        end(stripe, event, PL_TRACE_RETRIED);
        break;
    case PLAIT_TASK_LOST:
        end(stripe, event, PL_TRACE_LOST);
        break;
    case PLAIT_TASK_READY:
    case PLAIT_TASK_SKIPPED:
    case PLAIT_RUN_BEGIN:
    case PLAIT_RUN_END:
        break;
    }
}

/* ---- runs ---- */

/* Copies who uses whom: the graph may be gone when the trace is written. It is
 * read from the run's plan, since its builder may go on with the graph. */
static bool copy_inputs(pl_trace_run *own, const plait_run *run, size_t n)
{
    own->ids = pl_calloc(n, sizeof *own->ids);
    own->input_at = pl_calloc(n + 1, sizeof *own->input_at);
    if (!own->ids || !own->input_at)
        return false;
    for (uint32_t t = 0; t < n; t++) {
        own->ids[t] = plait_run_task(run, t).id;
        own->input_at[t + 1] =
            own->input_at[t] + (uint32_t)plait_run_inputs(run, t, NULL, 0);
    }
    own->inputs = pl_calloc(own->input_at[n], sizeof *own->inputs);
    if (!own->inputs)
        return false;
    for (uint32_t t = 0; t < n; t++)
        plait_run_inputs(run, t, own->inputs + own->input_at[t],
                         own->input_at[t + 1] - own->input_at[t]);
    own->n_tasks = (uint32_t)n;
    return true;
}

static void free_inputs(pl_trace_run *run)
{
    pl_free(run->ids);
    pl_free(run->input_at);
    pl_free(run->inputs);
    run->ids = run->input_at = run->inputs = NULL;
}

static bool is_taken(const pl_trace *trace, unsigned place)
{
    for (size_t i = trace->first_active; i < trace->n_runs; i++) {
        if (trace->runs[i].end_ns == INT64_MAX && trace->runs[i].place == place)
            return true;
    }
    return false;
}

/* The lowest place that no run has now; with the mutex held. */
static unsigned free_place(const pl_trace *trace)
{
    unsigned place = 1;
    while (is_taken(trace, place))
        place++;
    return place;
}

static void begin_run(pl_trace *trace, const plait_event *event)
{
    pl_trace_run run = { .run = event->run,
                         .begin_ns = event->time_ns,
                         .end_ns = INT64_MAX };
    bool is_whole = copy_inputs(&run, event->run, event->n_tasks);
    if (!is_whole)
        free_inputs(&run);
    pl_mutex_lock(&trace->mutex);
    if (pl_grow(&trace->runs, &trace->run_capacity, trace->n_runs,
                sizeof *trace->runs)) {
        run.place = free_place(trace);
        trace->runs[trace->n_runs++] = run;
    } else {
        is_whole = false;
        free_inputs(&run);
    }
    trace->is_short = trace->is_short || !is_whole;
    pl_mutex_unlock(&trace->mutex);
}

/* What runs still, or would begin again, is over for the trace. */
static void abandon(pl_trace_stripe *stripe, const plait_event *event)
{
    pl_mutex_lock(&stripe->mutex);
    for (size_t i = stripe->n_open; i-- > 0;) {
        pl_trace_open *open = &stripe->open[i];
        if (open->slice->run != event->run)
            continue;
        if (open->is_running)
            open->slice->end_ns = event->time_ns;
        close_open(stripe, open);
    }
    pl_mutex_unlock(&stripe->mutex);
}

static void end_run(pl_trace *trace, const plait_event *event)
{
    for (size_t i = 0; i < PL_TRACE_STRIPES; i++)
        abandon(&trace->stripes[i], event);
    pl_mutex_lock(&trace->mutex);
    for (size_t i = trace->n_runs; i-- > 0;) {
        pl_trace_run *run = &trace->runs[i];
        if (run->run == event->run && run->end_ns == INT64_MAX) {
            run->end_ns = event->time_ns;
            break;
        }
    }
    while (trace->first_active < trace->n_runs &&
           trace->runs[trace->first_active].end_ns != INT64_MAX)
        trace->first_active++;
    pl_mutex_unlock(&trace->mutex);
}

static void on_event(const plait_event *event, void *user)
{
    pl_trace *trace = user;
    if (event->kind == PLAIT_RUN_BEGIN) {
        begin_run(trace, event);
    } else if (event->kind == PLAIT_RUN_END) {
        end_run(trace, event);
    } else {
        pl_trace_stripe *stripe =
            &trace->stripes[pl_hash_mix(event->task.id) % PL_TRACE_STRIPES];
        pl_mutex_lock(&stripe->mutex);
        note(stripe, event);
        pl_mutex_unlock(&stripe->mutex);
    }
}

/* ---- from new to free ---- */

static void free_trace(pl_trace *trace)
{
    for (size_t i = 0; i < PL_TRACE_STRIPES; i++) {
        pl_trace_stripe *stripe = &trace->stripes[i];
        pl_mutex_fini(&stripe->mutex);
        free_chunks(stripe);
        pl_strbuf_fini(&stripe->text);
        pl_free(stripe->open);
    }
    for (size_t i = 0; i < trace->n_runs; i++)
        free_inputs(&trace->runs[i]);
    pl_mutex_fini(&trace->mutex);
    pl_free(trace->runs);
    pl_free(trace->path);
    pl_free(trace);
}

plait_observer *plait_trace_new(const char *path, plait_error *err)
{
    if (!path || !*path) {
        pl_error_set(err, PLAIT_EINVAL, "the trace has no path");
        return NULL;
    }
    pl_trace *trace = pl_calloc(1, sizeof *trace);
    if (!trace) {
        pl_error_nomem(err);
        return NULL;
    }
    pl_mutex_init(&trace->mutex);
    for (size_t i = 0; i < PL_TRACE_STRIPES; i++)
        pl_mutex_init(&trace->stripes[i].mutex);
    trace->path = pl_strdup(path);
    trace->file = trace->path ? fopen(path, "we") : NULL;
    if (!trace->file) {
        if (trace->path)
            pl_error_sys(err, errno, "cannot create the trace %s", path);
        else
            pl_error_nomem(err);
        free_trace(trace);
        return NULL;
    }
    trace->origin_ns = pl_clock_ns();
    trace->observer = (plait_observer){
        PLAIT_OBSERVER_INIT,
        .kinds = PLAIT_RUN_BEGIN | PLAIT_TASK_BEGIN | PLAIT_TASK_END |
                 PLAIT_TASK_FAILED | PLAIT_TASK_RETRIED | PLAIT_TASK_LOST |
                 PLAIT_RUN_END,
        .on_event = on_event,
        .user = trace,
    };
    pl_error_clear(err);
    return &trace->observer;
}

plait_status plait_trace_free(plait_observer *observer, plait_error *err)
{
    pl_error_clear(err);
    if (!observer)
        return PLAIT_OK;
    if (observer->on_event != on_event)
        return pl_error_set(err, PLAIT_EINVAL, "the observer is no trace");
    pl_trace *trace = observer->user;
    plait_status status = pl_trace_write(trace, err);
    if (fclose(trace->file) != 0 && status == PLAIT_OK)
        status =
            pl_error_sys(err, errno, "cannot write the trace %s", trace->path);
    free_trace(trace);
    return status;
}
