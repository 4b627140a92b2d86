/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run.h: the state of one run. Who is ready, what can be freed, what has
 * failed.
 *
 * The engine is passive: it starts no thread, takes no lock and does no I/O.
 * Executors drive it in one of three ways, and nothing else writes its state:
 *
 *   walk    (walk.h)    one thread, in the order of plan numbers
 *   shared  (shared.h)  many threads; atomics; the state only moves forward
 *   owned   (owned.h)   one thread, in any order, and results can be lost
 *
 * A walk can become shared on its way (spread.h).
 *
 * Per task there is a cell of 32 bytes:
 *
 *   slot     constant once the task is done: its result. While it waits the
 *            first word is the poison: 0, or UINT32_MAX - (the lowest plan
 *            number of the failed tasks that it needs)
 *   missing  inputs that have not arrived
 *   uses     uses of the result that are left; being a target is one
 *   state    pl_task_state
 *
 * Who brings `missing` to zero owns the task. A failed task poisons each
 * successor before it decrements it, so whoever gets the task sees the poison,
 * and completes it as skipped without running it. So when all targets are
 * resolved all tasks are, and only targets are counted.
 *
 * A doomed task gives up its uses at once, when it is first poisoned: an input
 * that only doomed tasks would still use is freed then, or when it is done.
 */
#ifndef PL_RUN_H
#define PL_RUN_H

#include <plait/executor_impl.h>
#include <plait/observe.h>
#include <plait/task.h>

#include <stdatomic.h>

#include "graph/plan.h"
#include "value/attachment.h"
#include "value/object.h"

#define PL_CACHE_LINE 64
#define PL_WORKERS_MAX 1024
#define PL_NO_WORKER UINT32_MAX

typedef enum pl_task_state {
    PL_WAITING = 0,
    PL_READY,   /* owned only */
    PL_RUNNING, /* owned only; elsewhere pl_lane.current tells */
    PL_DONE,
    PL_FREED, /* done, and its result is not kept any more */
    PL_FAILED,
    PL_SKIPPED
} pl_task_state;

typedef struct pl_cell {
    union {
        plait_slot slot;
        _Atomic uint32_t poison;
    };
    _Atomic uint32_t missing;
    _Atomic uint32_t uses;
    _Atomic uint8_t state;
    uint8_t losses;   /* owned: workers that died while it ran */
    uint16_t attempt; /* owned: the last that began */
    uint32_t link;    /* failed: the next failed task; else: errors so far */
} pl_cell;

_Static_assert(sizeof(pl_cell) == PL_RUN_BYTES_PER_TASK, "see plan.h");

/* A poison that stands for "cancelled": weaker than any task's. */
#define PL_CANCELLED (UINT32_MAX - 1)

typedef enum pl_trouble {
    PL_TROUBLE_FAILED = 1 << 0,    /* some task has failed */
    PL_TROUBLE_STOPPING = 1 << 1,  /* nothing new is begun */
    PL_TROUBLE_LOST = 1 << 2,      /* some result was lost (owned) */
    PL_TROUBLE_CANCELLED = 1 << 3, /* a task was skipped that was sound */
    PL_TROUBLES = (1 << 4) - 1,
    /* How a walk stands, in the same word, so that a walker looks once. */
    PL_WALK_ASIDE = 1 << 4, /* nobody walks */
    PL_WALK_SHARED = 1 << 5 /* it is a walk no more: see spread.h */
} pl_trouble;

/* How much an event adds to plait_run.event. */
#define PL_RUN_EVENT 4u

struct pl_lane;
struct pl_owned;

/* What the layer above is told. `worker` may be PL_NO_WORKER; `value` is
 * borrowed. Called by the thread that drives. */
typedef void (*pl_run_event_fn)(plait_run *run, plait_event_kind kind,
                                uint32_t task, unsigned worker,
                                plait_value value);

struct plait_run {
    /* constant while it runs */
    plait_plan *plan;
    const pl_node *nodes;
    const uint32_t *words;
    const uint32_t *successors;
    const pl_function *const *functions;
    pl_cell *cells;
    pl_run_event_fn on_event;
    unsigned event_kinds; /* that on_event is called for */
    bool careful; /* each task needs a look: observers, retries, timeouts */
    plait_on_error on_error;
    unsigned retries;
    unsigned worker_losses; /* PLAIT_ONCE, or how many */
    unsigned timeout_ms;
    void *user;
    void (*drop)(plait_run *run, plait_slot *slot); /* NULL: plain values */
    /* A runtime's task that has a deadline begins; INT64_MAX: it has ended. */
    void (*on_deadline)(struct pl_lane *lane, int64_t at_ns);
    void (*on_stop)(plait_run *run); /* once, by whoever stops; a signal's
                                        handler perhaps: must be safe there */
    void (*on_end)(plait_run *run);  /* once, by who drove it last */
    void *driver;                    /* the executor's own */
    bool cells_ready;                /* all are set up; see walk.h */
    bool spreads;      /* a walk that lanes can come to share: spread.h */
    uint32_t walk_own; /* since it is shared: the walker's own task; PL_NONE */
    uint32_t n_lanes;  /* room in `lanes` */
    struct pl_lane *_Atomic *lanes; /* by worker; they count, and say what
                                       runs now */
    struct pl_owned *owned;         /* ready tasks of an owned run */

    /* changing, seldom */
    _Alignas(PL_CACHE_LINE) _Atomic uint32_t trouble; /* pl_trouble */
    _Atomic uint32_t shared_from; /* lanes run the tasks from here on, and
                                     walk_own is set; PL_NONE: not yet */
    _Atomic uint32_t walk_owed;   /* uses of walk_own that were given up before
                                     its cell was set up */
    _Atomic int32_t stop_status;  /* why it stops: a plait_status, or 0 */
    _Atomic uint32_t failed;      /* the last task that failed; PL_NONE */
    _Atomic uint32_t failed_count;
    _Atomic bool resolved;  /* every task is */
    _Atomic uint32_t event; /* changes when the run stops or ends, or has
                               work for who helps: to park on. The lowest bits
                               are the layer's above */

    /* changing, often */
    _Alignas(PL_CACHE_LINE) _Atomic uint32_t targets_left;
    _Alignas(PL_CACHE_LINE) _Atomic uint32_t walk_at; /* walk: the task that
                                        runs, or is next */
    _Atomic uint32_t cursor; /* shared: the next of plan->sources */
};

/* How a run is to be set up: fields of plait_run with the same names. */
typedef struct pl_run_setup {
    pl_run_event_fn on_event;
    void (*on_stop)(plait_run *run);
    void (*on_end)(plait_run *run);
    void (*drop)(plait_run *run, plait_slot *slot);
    void (*on_deadline)(struct pl_lane *lane, int64_t at_ns);
    unsigned event_kinds;
    plait_on_error on_error;
    unsigned retries;
    unsigned worker_losses;
    unsigned timeout_ms;
    uint32_t n_lanes;
    void *user;
} pl_run_setup;

/* Fills a zeroed run; retains the plan. False: no memory, nothing to undo.
 * Thread: any.  Blocks: no. */
bool pl_run_init(plait_run *run, plait_plan *plan, const pl_run_setup *setup);

/* Sets up the cells of the tasks from `first` on; what no cell has been set up
 * for holds anything. Owned runs, and those that are shared from the start, do
 * it for all. */
void pl_run_set_up_cells(plait_run *run, uint32_t first);

/* Sets up one cell: `missing` inputs have not arrived. */
static inline void pl_run_set_up_cell(plait_run *run, uint32_t task,
                                      uint32_t missing)
{
    pl_cell *cell = &run->cells[task];
    cell->slot = (plait_slot){ .words = { 0, 0 } };
    /* relaxed, all: published with the run, or with its being shared; only the
     * state may be read before, by who asks for a target */
    atomic_store_explicit(&cell->missing, missing, memory_order_relaxed);
    atomic_store_explicit(&cell->uses, pl_plan_uses(run->plan, task),
                          memory_order_relaxed);
    atomic_store_explicit(&cell->state, PL_WAITING, memory_order_relaxed);
    cell->losses = 0;
    cell->attempt = 0;
    cell->link = 0;
}

/* Frees what the run holds, results included. Nobody drives it any more. */
void pl_run_fini(plait_run *run);

/* Frees results that nobody will use: for the one who ends a resolved run, so
 * that only targets survive it. */
void pl_run_sweep(plait_run *run);

/* Stops the run for `status`, unless it is stopping already. Thread: any, also
 * a signal's handler. */
void pl_run_stop(plait_run *run, plait_status status);

/* relaxed: a driver that sees it late begins a task more, as if it had looked
 * a moment earlier; what it needs for skipping comes with the task's counter */
static inline uint32_t pl_run_trouble(const plait_run *run)
{
    return atomic_load_explicit(&run->trouble, memory_order_relaxed) &
           PL_TROUBLES;
}

static inline pl_task_state pl_run_state(const plait_run *run, uint32_t task)
{
    return (pl_task_state)atomic_load_explicit(&run->cells[task].state,
                                               memory_order_acquire);
}

static inline bool pl_run_resolved(const plait_run *run)
{
    /* acquire: results and failures are read after it */
    return atomic_load_explicit(&run->resolved, memory_order_acquire);
}

static inline bool pl_run_wants(const plait_run *run, plait_event_kind kind)
{
    return (run->event_kinds & (unsigned)kind) != 0;
}

static inline void pl_run_tell(plait_run *run, plait_event_kind kind,
                               uint32_t task, unsigned worker,
                               plait_value value)
{
    if (pl_run_wants(run, kind))
        run->on_event(run, kind, task, worker, value);
}

/* ---- failures (failure.c): for all three ways of driving ---- */

/* Records that `task` failed itself: takes `error` into its slot, tells, and
 * stops the run where that is called for. */
void pl_run_record_failure(plait_run *run, uint32_t task, unsigned worker,
                           plait_value error);

/* Poisons each successor of `task`, which failed or was skipped because of
 * `source`, but those that accept errors (they are not to run when cancelled).
 * Gives up the uses of those that were sound. */
void pl_run_poison_successors(plait_run *run, uint32_t task, uint32_t source);

/* Poisons one task. */
void pl_run_poison(plait_run *run, uint32_t task, uint32_t source);

/* The failed task, or PL_CANCELLED, that a task is poisoned with; PL_NONE: it
 * is sound. */
uint32_t pl_run_poison_of(const plait_run *run, uint32_t task);

/* Gives up k uses of a task's result; frees it when they were the last. */
void pl_run_drop_uses(plait_run *run, uint32_t task, uint32_t k);

/* Gives up one use of each input of a task that ran. */
void pl_run_drop_inputs(plait_run *run, uint32_t task);

/* The cell of walk_own is set up now: gives up what doomed tasks have, of its
 * uses, before.  Thread: the walker's. */
void pl_run_settle_owed(plait_run *run);

/* Frees the result of a task that was just done, when doomed tasks were all
 * that would have used it. Needed once there is trouble. */
void pl_run_free_unused(plait_run *run, uint32_t task);

/* Counts a target; true: it was the last one. */
bool pl_run_target_resolved(plait_run *run);

/* The failed tasks in rising order, in memory to be freed with pl_free; NULL
 * when there is none, or no memory (*n is then 0, or not). */
uint32_t *pl_run_failures(const plait_run *run, size_t *n);

/* The error value that stands for a task that failed or was skipped: borrowed,
 * nil when it was cancelled. */
plait_value pl_run_error_of(const plait_run *run, uint32_t task);

#endif
