/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_order_golden.c: orders beside those of dask.order, from a table. On each
 * graph of Dask's own tests no more results are alive at the peak, with targets
 * and without; on random graphs no more on the geometric mean.
 * tests/order/compare_dask.py compares with the Dask that is installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "graph/order.h"
#include "order_golden.h"

#define MOST_TASKS 2000
#define MOST_INPUTS 8000

typedef struct golden_graph {
    pl_order_graph graph;
    uint32_t peak, inner; /* Dask's */
    uint32_t input_at[MOST_TASKS + 1], inputs[MOST_INPUTS];
    uint32_t successor_at[MOST_TASKS + 2], successors[MOST_INPUTS];
    unsigned char is_target[MOST_TASKS];
} golden_graph;

static golden_graph one;

static void lay_out_successors(golden_graph *g, uint32_t n)
{
    /* One place further, so that filling moves each to where it belongs. */
    uint32_t *at = g->successor_at + 1;
    memset(g->successor_at, 0, sizeof g->successor_at);
    for (uint32_t i = 0; i < g->input_at[n]; i++)
        at[g->inputs[i]]++;
    for (uint32_t t = 0, sum = 0; t < n; t++) {
        uint32_t count = at[t];
        at[t] = sum;
        sum += count;
    }
    for (uint32_t t = 0; t < n; t++) {
        for (uint32_t i = g->input_at[t]; i < g->input_at[t + 1]; i++)
            g->successors[at[g->inputs[i]]++] = t;
    }
    for (uint32_t t = 0; t < n; t++)
        g->is_target[t] = g->successor_at[t] == g->successor_at[t + 1];
}

/* The graph whose words begin there; where the next one's do. */
static const uint16_t *load(golden_graph *g, const uint16_t *words)
{
    uint32_t n = *words++, m = 0;
    assert_true(n <= MOST_TASKS);
    g->peak = *words++;
    g->inner = *words++;
    for (uint32_t t = 0; t < n; t++) {
        g->input_at[t] = m;
        for (uint32_t k = *words++; k > 0; k--) {
            assert_true(*words >= 1 && *words <= t && m < MOST_INPUTS);
            g->inputs[m++] = t - *words++;
        }
    }
    g->input_at[n] = m;
    lay_out_successors(g, n);
    g->graph = (pl_order_graph){ n,
                                 g->input_at,
                                 g->inputs,
                                 g->successor_at,
                                 g->successors,
                                 g->is_target,
                                 NULL };
    return words;
}

static pl_order_score score_of(const golden_graph *g, plait_order wanted)
{
    static uint32_t position[MOST_TASKS];
    bool is_identity;
    pl_order_score score;
    assert_true(pl_order(&g->graph, wanted, position, &is_identity, NULL));
    assert_true(
        pl_order_sweep(&g->graph, is_identity ? NULL : position, &score));
    return score;
}

static void test_no_more_than_dask(void **state)
{
    const plait_order wanted[] = { PLAIT_ORDER_AUTO, PLAIT_ORDER_MEMORY };
    (void)state;
    const uint16_t *words = golden;
    for (uint32_t i = 0; i < GOLDEN_DASK; i++) {
        words = load(&one, words);
        for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++) {
            pl_order_score score = score_of(&one, wanted[k]);
            if (score.peak > one.peak || score.inner > one.inner)
                print_error("graph %u of the table\n", i);
            assert_true(score.peak <= one.peak);
            assert_true(score.inner <= one.inner);
        }
    }
}

static void test_mean_of_families(void **state)
{
    (void)state;
    const uint16_t *words = golden;
    double peaks = 0, inners = 0;
    for (uint32_t i = 0; i < GOLDEN_GRAPHS; i++) {
        words = load(&one, words);
        if (i < GOLDEN_DASK)
            continue;
        pl_order_score score = score_of(&one, PLAIT_ORDER_AUTO);
        peaks += log((double)score.peak / one.peak);
        inners += log((score.inner ? score.inner : 1.0) /
                      (one.inner ? one.inner : 1.0));
    }
    assert_true(words == golden + sizeof golden / sizeof *golden);
    assert_true(peaks <= 0);
    assert_true(inners <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_more_than_dask),
        cmocka_unit_test(test_mean_of_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
