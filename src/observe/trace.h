/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trace.h: what a trace keeps until it is written.
 *
 * Tasks are spread over stripes by id, each with a lock of its own, so that
 * workers seldom meet; all events of a task, which come in order, go to one
 * stripe. A slice is one attempt at a task.
 */
#ifndef PL_TRACE_H
#define PL_TRACE_H

#include <plait/compute.h>

#include "base/strbuf.h"
#include "platform/thread.h"

#define PL_TRACE_STRIPES 32
#define PL_TRACE_CHUNK 64

typedef enum pl_trace_outcome {
    PL_TRACE_UNFINISHED, /* the run ended before it */
    PL_TRACE_OK,
    PL_TRACE_FAILED,
    PL_TRACE_RETRIED,
    PL_TRACE_LOST
} pl_trace_outcome;

typedef struct pl_trace_slice {
    const plait_run *run;
    int64_t begin_ns;
    int64_t end_ns;
    size_t key_at; /* in the stripe's text */
    size_t error_at;
    uint32_t key_length;
    uint32_t error_length;
    uint32_t id; /* plait_task.id */
    unsigned worker;
    unsigned attempt;
    pl_trace_outcome outcome;
} pl_trace_slice;

/* Slices don't move: open tasks point to them. */
typedef struct pl_trace_chunk {
    struct pl_trace_chunk *before;
    size_t n;
    pl_trace_slice slices[PL_TRACE_CHUNK];
} pl_trace_chunk;

/* A task that runs, or that will begin again. */
typedef struct pl_trace_open {
    pl_trace_slice *slice; /* of the last attempt */
    bool is_running;
} pl_trace_open;

typedef struct pl_trace_stripe {
    pl_mutex mutex;
    /* guarded by mutex */
    pl_trace_chunk *chunks; /* the last one; NULL: no slices */
    size_t n_slices;
    pl_strbuf text;
    pl_trace_open *open;
    size_t n_open;
    size_t open_capacity;
    bool is_short; /* of memory: something is missing */
} pl_trace_stripe;

typedef struct pl_trace_run {
    const plait_run *run;
    int64_t begin_ns;
    int64_t end_ns; /* INT64_MAX: it goes on */
    unsigned place; /* from 1; runs that don't overlap share one */
    /* by plan number: ids, and inputs[input_at[i] .. input_at[i + 1]) as plan
     * numbers. NULL when there was no memory: no arrows. */
    uint32_t n_tasks;
    uint32_t *ids;
    uint32_t *input_at;
    uint32_t *inputs;
} pl_trace_run;

typedef struct pl_trace {
    plait_observer observer; /* first: the handle */
    FILE *file;
    char *path;
    int64_t origin_ns; /* what the file calls 0 */
    pl_trace_stripe stripes[PL_TRACE_STRIPES];
    pl_mutex mutex;
    /* guarded by mutex */
    pl_trace_run *runs;
    size_t n_runs;
    size_t first_active; /* the runs before this one have ended */
    size_t run_capacity;
    bool is_short;
} pl_trace;

/* Writes the file; all events are over, nobody else uses the trace. Sorts
 * `runs`.  Blocks: as the file system does. */
plait_status pl_trace_write(pl_trace *trace, plait_error *err);

#endif
