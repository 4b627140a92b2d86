/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_random.c: the engine, driven in each of its ways over random graphs,
 * does what the reference says: states, values, failures, and what is alive.
 *   test_random [GRAPHS [FIRST_SEED]]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "engine/owned.h"
#include "engine/walk.h"
#include "random_run.h"

static uint32_t n_graphs = 100000;
static uint64_t first_seed;
static random_graph graph;

/* ---- checks ---- */

static void check_counters(random_graph *g, const plait_run *run)
{
    for (uint32_t t = 0; t < run->plan->n_tasks; t++) {
        if (run->cells[t].missing != 0)
            complain(g, "an input is missing at the end");
        if (run->cells[t].uses != (run->nodes[t].function & PL_NODE_TARGET))
            complain(g, "uses are left at the end");
    }
}

/* ---- walk ---- */

static bool now_and_then(void *user)
{
    return dice(user, 4) == 0;
}

static void drive_walk(random_graph *g)
{
    static const _Atomic uint32_t hint = 1;
    plait_run *run = run_new(g, 1, NULL);
    pl_lane *lane = pl_calloc_aligned(PL_CACHE_LINE, sizeof *lane);
    pl_walk_until until = {
        .hint = &hint, .yield = now_and_then, .user = g, .limit = PL_NONE
    };
    assert_non_null(lane);
    pl_walk_init(run);
    pl_lane_init(lane, run, 0);
    pl_walk_init(run);
    g->checks_alive = g->knows_alive;
    pl_lane_enter(lane, NULL);
    while (pl_walk(lane, &until) != PL_WALK_OVER)
        ;
    pl_lane_leave(lane);
    check_run(g, run, true);
    if (!pl_run_resolved(run))
        complain(g, "not resolved");
    if (lane->done + lane->failed + lane->skipped != run->plan->n_tasks)
        complain(g, "the walk's counts are wrong");
    pl_lane_fini(lane);
    pl_free(lane);
    run_free(g, run);
}

/* ---- owned: any order, old attempts, losses ---- */

#define MOST_BEGUN 6

typedef struct owner {
    random_graph *g;
    plait_run *run;
    bool is_remote; /* slots are tokens */
    uint32_t losses;
    uint32_t n;
    plait_attempt begun[MOST_BEGUN];
    plait_slot results[MOST_BEGUN];
    bool failed[MOST_BEGUN]; /* the result is an error value */
} owner;

/* What a worker elsewhere would do: the value from the inputs' tokens. */
static bool evaluate(owner *o, uint32_t t, plait_slot *result)
{
    random_graph *g = o->g;
    uint32_t inputs[MOST_INPUTS];
    uint32_t id = pl_plan_id(g->plan, t);
    size_t n = plait_run_inputs(o->run, t, inputs, MOST_INPUTS);
    uint32_t value = id;
    for (size_t i = 0; i < n; i++) {
        const plait_slot *slot = plait_run_slot(o->run, inputs[i]);
        value = slot ? mix_value(value, g->token_values[slot->words[0]])
                     : mix_error(value, g->sources[inputs[i]]);
        if (slot && !g->token_alive[slot->words[0]])
            complain(g, "an input is dead when its task begins");
    }
    bool fails = attempt_fails(g, id);
    if (fails)
        result->value = plait_error_value(PLAIT_ETASK, "as it should");
    else
        *result = (plait_slot){ .words = { token_new(g, value), 0 } };
    return fails;
}

static bool begin_one(owner *o)
{
    plait_attempt *attempt = &o->begun[o->n];
    plait_slot *result = &o->results[o->n];
    if (o->n == MOST_BEGUN || !plait_run_next(o->run, attempt))
        return false;
    if (o->is_remote) {
        o->failed[o->n] = evaluate(o, attempt->task, result);
    } else {
        result->value = plait_run_execute(o->run, *attempt, 0);
        o->failed[o->n] = plait_is_error(result->value);
    }
    o->n++;
    return true;
}

static void complete_one(owner *o)
{
    uint32_t i = dice(o->g, o->n);
    plait_attempt attempt = o->begun[i];
    plait_slot result = o->results[i];
    bool failed = o->failed[i];
    o->n--;
    o->begun[i] = o->begun[o->n];
    o->results[i] = o->results[o->n];
    o->failed[i] = o->failed[o->n];
    bool again = !o->is_remote && dice(o->g, 5) == 0;
    if (again)
        plait_retain(result.value);
    if (failed)
        plait_run_fail(o->run, attempt, result.value);
    else
        plait_run_complete(o->run, attempt, result);
    if (again)
        plait_run_complete(o->run, attempt, result);
}

static void lose_one(owner *o)
{
    uint32_t t = dice(o->g, o->run->plan->n_tasks);
    plait_slot *slot = plait_run_slot(o->run, t);
    plait_slot dead = slot ? *slot : (plait_slot){ .words = { 0, 0 } };
    o->losses--;
    plait_run_lose(o->run, t);
    if (slot && o->is_remote)
        token_free(o->g, (uint32_t)dead.words[0]);
    else if (slot)
        plait_release(dead.value);
}

static void drop_token(plait_run *run, plait_slot *slot)
{
    (void)run;
    token_free(&graph, (uint32_t)slot->words[0]);
}

static void drive_owned(random_graph *g, bool is_remote, uint32_t losses)
{
    plait_run *run = run_new(g, 1, is_remote ? drop_token : NULL);
    owner o = { .g = g, .run = run, .is_remote = is_remote, .losses = losses };
    assert_true(pl_owned_init(run));
    while (!plait_run_finished(run)) {
        while (dice(g, 3) && begin_one(&o))
            ;
        if (o.losses && dice(g, 3) == 0)
            lose_one(&o);
        else if (o.n)
            complete_one(&o);
        else if (!begin_one(&o) && !plait_run_finished(run)) {
            complain(g, "nothing is ready, and the run is not finished");
            break;
        }
    }
    while (o.n) /* of tasks that nobody needs any more */
        complete_one(&o);
    check_run(g, run, losses == 0);
    if (losses == 0 && !plait_run_stopping(run))
        check_counters(g, run);
    pl_owned_fini(run);
    run_free(g, run);
}

/* ---- */

static void all_ways_agree(void **state)
{
    (void)state;
    random_graph *g = &graph;
    printf("# %u graphs from seed %llu on\n", n_graphs,
           (unsigned long long)first_seed);
    for (uint32_t i = 0; i < n_graphs; i++) {
        uint64_t seed = first_seed + i;
        const char *how = "walk";
        assert_true(random_graph_make(g, seed));
        drive_walk(g);
        if (!g->complaint && (how = "shared"))
            drive_shared(g);
        if (!g->complaint && (how = "spread"))
            drive_spread(g);
        if (!g->complaint && (how = "owned"))
            drive_owned(g, false, 0);
        if (!g->complaint && (how = "owned, remote"))
            drive_owned(g, true, 0);
        if (!g->complaint && (how = "owned, with losses"))
            drive_owned(g, false, 1 + dice(g, 20));
        if (!g->complaint && (how = "owned, remote, with losses"))
            drive_owned(g, true, 1 + dice(g, 20));
        if (g->complaint)
            fail_msg("seed %llu, %s: %s", (unsigned long long)seed, how,
                     g->complaint);
        random_graph_unmake(g);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(all_ways_agree) };
    if (argc > 1)
        n_graphs = (uint32_t)strtoul(argv[1], NULL, 10);
    first_seed =
        argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL) * 1000000;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
