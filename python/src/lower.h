/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lower.h: from Delayeds to a plait_graph.
 *
 * A walk lists what the targets need, inputs first, without recursion. A
 * Delayed's `mark` is its place in the list; it is checked against the list,
 * and never has to be reset. Now and then a walk pauses, and others may walk:
 * who finds that another has marked since marks its own list again.
 *
 * A lowering is one computation's graph with a row for each task. There is one
 * C function for all of them (task.c); its C arguments are the numbers of the
 * rows whose results it takes. Results stay in the rows, and are let go of
 * after their last use, as the engine does with values of its own; a task that
 * failed or was skipped has no more use for its inputs.
 */
#ifndef PY_LOWER_H
#define PY_LOWER_H

#include <stdatomic.h>

#include "delayed.h"

typedef struct py_walk py_walk;

struct py_walk {
    py_state *state;
    py_delayed_object **tasks; /* borrowed */
    uint32_t n;
    uint32_t room;
    struct py_frame *frames;
    size_t depth;
    size_t frames_room;
    uint64_t id;
    uint32_t steps; /* since the last pause */
    /* Called for each task when it has its place, and its inputs have. */
    int (*visit)(py_walk *walk, py_delayed_object *task);
    void *user;
};

/* Begins to walk, and ends it. */
void py_walk_init(py_walk *walk, py_state *state);
void py_walk_fini(py_walk *walk);

/* See py_walk_settle. */
void py_walk_mark_again(py_walk *walk);

/* Makes the marks those of this walk: before they are looked at, where Python
 * code may have run since. */
static inline void py_walk_settle(py_walk *walk)
{
    if (walk->state->marker != walk->id)
        py_walk_mark_again(walk);
}

/* Whether a task has its place, which is then its mark. Settled. */
static inline bool py_walk_has(const py_walk *walk,
                               const py_delayed_object *task)
{
    return task->mark < walk->n && walk->tasks[task->mark] == task;
}

/* Lists what `root` needs, and itself, where they are not listed yet. Leaves
 * are none: they are values. Signals are seen, and others run. */
int py_walk_add(py_walk *walk, py_delayed_object *root);

/* Lists a Delayed, a leaf too, and not what it needs; its mark is its place.
 * Signals are seen, and others run. */
int py_walk_note(py_walk *walk, py_delayed_object *task);

typedef struct py_row {
    py_delayed_object *task; /* borrowed: the targets keep it */
    PyObject *result;        /* or NULL */
    uint32_t uses;           /* left, one more for a target; of a task that
                                failed: where its Failure is listed */
    uint32_t number : 28;    /* among those of its label; see trail.c */
    uint32_t failed : 1;     /* its Failure is listed */
    uint32_t ended : 1;      /* with a result; see py_row_ended */
    uint32_t native : 1;     /* a C function: `result` is made when needed */
    uint32_t exported : 1;   /* C functions take the result */
} py_row;

/* The largest py_row.number. */
#define PY_MOST_NUMBER ((UINT32_C(1) << 28) - 1)

/* How a computation runs: what compute and start are told. */
typedef struct py_settings {
    const char *scheduler;
    unsigned workers;
    PyObject *executor;  /* borrowed: a Pool, or NULL */
    PyObject *observers; /* borrowed: a sequence, or NULL */
    PyObject *callbacks; /* borrowed: a sequence, or NULL */
    plait_on_error on_error;
    unsigned retries;
    unsigned timeout_ms;
    unsigned run_timeout_ms;
} py_settings;

#define PY_NO_ROW UINT32_MAX

typedef struct py_lowering {
    _Atomic uint32_t count; /* references: the caller's, the run's */
    py_state *state;
    PyObject *module; /* keeps the state */
    plait_graph *graph;
    plait_func func;
    py_row *rows;
    uint32_t n_rows;
    uint32_t room;
    py_delayed_object **places; /* all tasks that were walked through */
    uint32_t *ids;              /* and the row of each */
    uint32_t n_places;
    uint32_t ids_room;
    py_walk *walk;   /* while it is made */
    uint32_t *index; /* by address, of places; NULL: not asked for yet */
    uint32_t index_room;
    /* of mixed graphs, else NULL and 0; see native.h */
    struct py_native *natives; /* the C functions */
    size_t n_natives;
    uint32_t *input_rows;       /* of the tasks in Python, in order */
    size_t *first_inputs;       /* where those of each row begin */
    _Atomic bool *native_ended; /* by row: with a result */
    _Atomic bool has_obstacles; /* a result could not be converted */
    bool looks;                 /* C functions run where signals are seen */
    int64_t look_ns;            /* when to look for them next */
    struct py_listing *listing; /* of failures; see failure_list.c */
    PyObject *targets;          /* list of Delayeds */
    uint32_t *target_rows;      /* of each; PY_NO_ROW: a leaf */
    plait_task *tasks;          /* of those that are none, n_tasks of them */
    size_t n_tasks;
    struct py_watch *watch; /* who watches; NULL: nobody */
    PyObject *context;      /* of who submitted it */
    PyObject *failures;     /* list of Failure, as they happened */
    PyObject *stopped_by;   /* what is no Exception, or NULL */
    bool warned;            /* of a Delayed that nobody runs */
    bool numbered;          /* rows have their numbers */
    bool has_options;       /* some tasks have options of their own */
    bool passes_failures;   /* some tasks take failed inputs */
    _Atomic bool cancelled; /* by us */
    /* Of a task that computes: it, and its run; valid until `cancelled`. */
    const plait_context *outer_ctx;
    const struct py_lowering *outer;
    unsigned retries;
    unsigned timeout_ms;
    int64_t deadline_ns; /* the run's; INT64_MAX: none */
} py_lowering;

/* The graph of what the targets (a list of Delayeds) need. */
py_lowering *py_lower(py_state *state, PyObject *targets,
                      const py_settings *settings);

void py_lowering_retain(py_lowering *low);
/* With or without the GIL; takes it to free. */
void py_lowering_release(py_lowering *low);

/* Whether the caller's is the only reference. Then it stays so, while the GIL
 * is held. */
static inline bool py_lowering_is_sole(const py_lowering *low)
{
    /* acquire: what others did with theirs is over */
    return atomic_load_explicit(&low->count, memory_order_acquire) == 1;
}

/* That the run is cancelled, before it is; and whether it was. */
static inline void py_lowering_set_cancelled(py_lowering *low)
{
    /* relaxed: nothing else is said by it. Tasks that end for it, and with them
     * the run, come later by what they are sent. */
    atomic_store_explicit(&low->cancelled, true, memory_order_relaxed);
}

static inline bool py_lowering_is_cancelled(const py_lowering *low)
{
    return atomic_load_explicit(&low->cancelled, memory_order_relaxed);
}

/* Whether a task that begins now would be for nobody: the one that computes it
 * is to end itself. With the GIL. */
static inline bool py_lowering_is_left(const py_lowering *low)
{
    for (; low->outer_ctx; low = low->outer) {
        if (py_lowering_is_cancelled(low) || plait_cancelled(low->outer_ctx))
            return true;
    }
    return false;
}

/* The task of a row. */
static inline plait_task py_lowering_task(const py_lowering *low, uint32_t row)
{
    return (plait_task){ row + 1, low->func.graph };
}

/* Whether a row's task has ended with a result. */
static inline bool py_row_ended(const py_lowering *low, uint32_t row)
{
    /* relaxed: a statistic */
    return low->rows[row].native ? atomic_load_explicit(&low->native_ended[row],
                                                        memory_order_relaxed)
                                 : low->rows[row].ended;
}

/* The row of input i of a running task, which is no error. */
static inline uint32_t py_input_row(const py_lowering *low, uint32_t row,
                                    const plait_value *args, size_t i)
{
    return low->input_rows ? low->input_rows[low->first_inputs[row] + i]
                           : (uint32_t)args[i].as.integer;
}

/* The options of a row's task, the run's where it has none of its own. */
unsigned py_lowering_retries(const py_lowering *low, uint32_t row);
unsigned py_lowering_timeout_ms(const py_lowering *low, uint32_t row);

/* While it is made: the row of a task that was walked through. */
static inline uint32_t py_lowering_row(const py_lowering *low,
                                       const py_delayed_object *task)
{
    py_walk_settle(low->walk);
    return low->ids[task->mark];
}

/* CLOCK_MONOTONIC. */
int64_t py_now_ns(void);

/* Seconds as milliseconds, rounded up. */
unsigned py_milliseconds(double seconds);

/* Gives the engine a name for each task, for those who watch. */
int py_lowering_name_tasks(py_lowering *low);

/* The row of a Delayed that is in it; PY_NO_ROW, or no memory. */
uint32_t py_lowering_find(py_lowering *low, const PyObject *delayed);

#endif
