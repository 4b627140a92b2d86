/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * observe.h: watching runs, and pictures of graphs.
 *
 * An observer is given to a run in plait_options.observers. Unobserved runs
 * pay nothing.
 */
#ifndef PLAIT_OBSERVE_H
#define PLAIT_OBSERVE_H

#include <plait/graph.h>

PLAIT_BEGIN_DECLS

typedef struct plait_run plait_run;

typedef enum plait_event_kind {
    PLAIT_RUN_BEGIN = 1 << 0,
    PLAIT_TASK_READY = 1 << 1,
    PLAIT_TASK_BEGIN = 1 << 2,
    PLAIT_TASK_END = 1 << 3,     /* with a value: `value` */
    PLAIT_TASK_FAILED = 1 << 4,  /* the task's own failure: `value`, `error` */
    PLAIT_TASK_RETRIED = 1 << 5, /* failed, and begins again: `error` */
    PLAIT_TASK_LOST = 1 << 6,    /* its result or attempt died with a worker */
    PLAIT_RUN_END = 1 << 7,
    PLAIT_TASK_SKIPPED = 1 << 8 /* never ran: `error` is the cause */
} plait_event_kind;

/* Borrowed for the call. */
typedef struct plait_event {
    PLAIT_SIZE_FIRST(plait_event);
    plait_event_kind kind;
    plait_run *run;
    const plait_graph *graph;
    plait_task task;          /* { 0, 0 } for events of the run */
    const char *key;          /* the task's key, or "" */
    unsigned worker;          /* from 0; UINT_MAX: none */
    int64_t time_ns;          /* CLOCK_MONOTONIC */
    plait_value value;        /* TASK_END: the result; else nil */
    const plait_error *error; /* NULL when there is none */
    size_t n_tasks;           /* RUN_BEGIN: how many the run has */
} plait_event;

#define PLAIT_OBSERVER_INIT .size = sizeof(plait_observer)

/* Outlives the runs that it observes. */
typedef struct plait_observer {
    PLAIT_SIZE_FIRST(plait_observer);
    unsigned kinds; /* plait_event_kind, or'ed; 0: all */
    /* From several threads at once; in order for one task; no lock is held.
     * What it costs is paid by the thread that runs the task. */
    void (*on_event)(const plait_event *event, void *user);
    void *user;
} plait_observer;

/* Ready-made observers. Each *_new returns NULL when there is no memory (or,
 * with `err`, says why); each *_free takes NULL, when no run that it observes
 * goes on any more. One observer may watch several runs at once. */

/*
 * Progress on a stream: a bar on a terminal, else a plain line every few
 * seconds and at the end, with counts, rate, failures and time left.
 * Thread: any.  Blocks: as the stream does.
 */
PLAIT_API plait_observer *plait_progress_new(FILE *stream);
PLAIT_API void plait_progress_free(plait_observer *progress);

/*
 * A Chrome trace (JSON), which Perfetto opens: a lane per worker, a slice per
 * task, an arrow per dependency. The file is created at once, so that a bad
 * path is known before the run, and written when the observer is freed.
 * Thread: any.  Blocks: as the file system does.
 */
PLAIT_API plait_observer *plait_trace_new(const char *path, plait_error *err);
/* Writes the file; what went wrong in writing it is the result.
 * Thread: any.  Blocks: as the file system does. */
PLAIT_API plait_status plait_trace_free(plait_observer *trace,
                                        plait_error *err);

/* Per task, in its last run: when its last attempt ran, where, how it ended.
 * Thread: any.  Blocks: no. */
PLAIT_API plait_observer *plait_profile_new(void);
PLAIT_API void plait_profile_free(plait_observer *profile);

typedef enum plait_outcome {
    PLAIT_OUTCOME_NONE = 0, /* has not ended, or was not in the run */
    PLAIT_OUTCOME_OK,
    PLAIT_OUTCOME_FAILED,
    PLAIT_OUTCOME_SKIPPED
} plait_outcome;

#define PLAIT_TIMING_INIT .size = sizeof(plait_timing)

typedef struct plait_timing {
    PLAIT_SIZE_FIRST(plait_timing);
    plait_outcome outcome;
    unsigned worker;
    unsigned attempts;
    int64_t begin_ns; /* CLOCK_MONOTONIC; 0: never began */
    int64_t end_ns;
} plait_timing;

/* What a profile knows of a task; worker is UINT_MAX when none ran it.
 * PLAIT_EINVAL: the observer is no profile.  Thread: any.  Blocks: no. */
PLAIT_API plait_status plait_profile_task(const plait_observer *profile,
                                          plait_task task,
                                          plait_timing *timing);

/*
 * Draws what the n tasks need, and them (n == 0: the whole graph), in the
 * format of the file's extension: .svg .png .pdf and what Graphviz knows, or
 * .dot for its text. With a profile, coloured by outcome and time. Graphviz is
 * loaded at the first call; PLAIT_EUNAVAILABLE says how to install it. More
 * than 5,000 tasks and uses are PLAIT_EINVAL, but for .dot and .gv. Thread:
 * builder.  Blocks: as the file system does.
 */
PLAIT_API plait_status plait_graph_draw(const plait_graph *graph,
                                        const plait_task *tasks, size_t n,
                                        const plait_observer *profile,
                                        const char *path, plait_error *err);

PLAIT_END_DECLS

#endif
