/* SPDX-License-Identifier: BSD-3-Clause */
/* random_run.c: a run of a random graph, and what must have come of it. */
#include "random_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

/* ---- checks ---- */

static fate fate_of(pl_task_state state)
{
    return state == PL_FAILED    ? FATE_FAILED
           : state == PL_SKIPPED ? FATE_SKIPPED
                                 : FATE_VALUE;
}

static void check_task(random_graph *g, plait_run *run, uint32_t t)
{
    bool is_target = run->nodes[t].function & PL_NODE_TARGET;
    pl_task_state state = pl_run_state(run, t);
    if (g->fates[t] != fate_of(state))
        complain(g, "a task has ended otherwise");
    if (g->fates[t] == FATE_SKIPPED &&
        pl_run_poison_of(run, t) != g->sources[t])
        complain(g, "a task was skipped for another failure");
    if (g->fates[t] != FATE_VALUE)
        return;
    if (is_target != (state == PL_DONE))
        complain(g, "a target's value is gone, or another's is there");
    if (is_target && !run->drop &&
        value_of(g, run->cells[t].slot.value) != g->values[t])
        complain(g, "a target has another value");
    if (is_target && run->drop &&
        g->token_values[run->cells[t].slot.words[0]] != g->values[t])
        complain(g, "a target has another value");
}

static void check_failures(random_graph *g, const plait_run *run)
{
    size_t n;
    uint32_t *failed = pl_run_failures(run, &n);
    size_t at = 0;
    for (uint32_t t = 0; t < run->plan->n_tasks; t++) {
        if (g->fates[t] == FATE_FAILED && (at == n || failed[at++] != t))
            complain(g, "a failure is missing");
    }
    if (at != n)
        complain(g, "a failure is too many");
    pl_free(failed);
}

void check_run(random_graph *g, plait_run *run, bool is_exact)
{
    uint32_t targets = 0;
    if (pl_run_trouble(run) & PL_TROUBLE_STOPPING) /* anything may be undone */
        return;
    if (!pl_run_resolved(run))
        complain(g, "not resolved");
    if (!is_exact)
        pl_run_sweep(run);
    for (uint32_t t = 0; t < run->plan->n_tasks; t++) {
        bool is_target = run->nodes[t].function & PL_NODE_TARGET;
        targets += is_target && g->fates[t] == FATE_VALUE;
        if (is_exact || is_target)
            check_task(g, run, t);
    }
    if (g->alive != targets)
        complain(g, "more, or less, than the targets is alive");
    check_failures(g, run);
}

plait_run *run_new(random_graph *g, uint32_t n_lanes,
                   void (*drop)(plait_run *run, plait_slot *slot))
{
    static const plait_on_error modes[] = { PLAIT_FINISH, PLAIT_COLLECT,
                                            PLAIT_STOP };
    pl_run_setup setup = { .n_lanes = n_lanes,
                           .on_error = modes[dice(g, 7) % 3],
                           .worker_losses = 1000,
                           .drop = drop };
    plait_run *run = pl_calloc_aligned(PL_CACHE_LINE, sizeof *run);
    assert_non_null(run);
    assert_true(pl_run_init(run, g->plan, &setup));
    random_graph_begin_run(g, run);
    if (dice(g, 5) == 0)
        g->stop_in = 1 + dice(g, g->n);
    return run;
}

void run_free(random_graph *g, plait_run *run)
{
    g->checks_alive = false;
    pl_run_fini(run);
    pl_free(run);
    if (g->alive != 0)
        complain(g, "something is alive after the run");
}
