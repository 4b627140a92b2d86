/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * graphs.c: generators of the measured graphs. The random ones draw from
 * splitmix64, so that they are the same with every compiler and C library.
 */
#include "graphs.h"

#include <stdlib.h>
#include <string.h>

#define LAYER 1000u
#define WINDOW 1024u
#define RANDOM_INPUTS 4u
#define STENCIL_WIDTH 8u

static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint32_t draw_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(((draw(state) >> 32) * limit) >> 32);
}

bool bench_graph_begin(bench_graph *graph, uint32_t n_tasks, uint32_t n_inputs)
{
    memset(graph, 0, sizeof *graph);
    graph->input_at = malloc(((size_t)n_tasks + 1) * sizeof *graph->input_at);
    graph->inputs = malloc(((size_t)n_inputs + 1) * sizeof *graph->inputs);
    if (!graph->input_at || !graph->inputs) {
        bench_graph_fini(graph);
        return false;
    }
    graph->input_at[0] = 0;
    return true;
}

void bench_graph_add(bench_graph *graph, const uint32_t *inputs, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        graph->inputs[graph->n_inputs++] = inputs[i];
    graph->input_at[++graph->n_tasks] = graph->n_inputs;
    if (n > graph->max_inputs)
        graph->max_inputs = n;
}

bool bench_graph_end(bench_graph *graph)
{
    uint32_t n = graph->n_tasks;
    unsigned char *used = calloc((size_t)n + 1, 1);
    graph->sources = malloc(((size_t)n + 1) * sizeof *graph->sources);
    graph->sinks = malloc(((size_t)n + 1) * sizeof *graph->sinks);
    if (!used || !graph->sources || !graph->sinks) {
        free(used);
        bench_graph_fini(graph);
        return false;
    }
    for (uint32_t i = 0; i < graph->n_inputs; i++)
        used[graph->inputs[i]] = 1;
    for (uint32_t i = 0; i < n; i++) {
        if (bench_graph_in_degree(graph, i) == 0)
            graph->sources[graph->n_sources++] = i;
        if (!used[i])
            graph->sinks[graph->n_sinks++] = i;
    }
    free(used);
    return true;
}

void bench_graph_fini(bench_graph *graph)
{
    free(graph->input_at);
    free(graph->inputs);
    free(graph->sources);
    free(graph->sinks);
    memset(graph, 0, sizeof *graph);
}

static bool make_chain(bench_graph *graph, uint32_t n, uint64_t seed)
{
    (void)seed;
    if (!bench_graph_begin(graph, n, n))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t before = i - 1;
        bench_graph_add(graph, &before, i > 0);
    }
    return bench_graph_end(graph);
}

static void add_user_of_range(bench_graph *graph, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        graph->inputs[graph->n_inputs + i - from] = i;
    bench_graph_add(graph, &graph->inputs[graph->n_inputs], to - from);
}

static bool make_fanin(bench_graph *graph, uint32_t n, uint64_t seed)
{
    (void)seed;
    if (!bench_graph_begin(graph, n, n))
        return false;
    for (uint32_t i = 0; i + 1 < n; i++)
        bench_graph_add(graph, NULL, 0);
    add_user_of_range(graph, 0, n - 1);
    return bench_graph_end(graph);
}

static bool make_fanout(bench_graph *graph, uint32_t n, uint64_t seed)
{
    (void)seed;
    const uint32_t first = 0;
    if (n < 3 || !bench_graph_begin(graph, n, 2 * n))
        return false;
    bench_graph_add(graph, NULL, 0);
    for (uint32_t i = 1; i + 1 < n; i++)
        bench_graph_add(graph, &first, 1);
    add_user_of_range(graph, 1, n - 1);
    return bench_graph_end(graph);
}

/* n / 2 leaves; each task after them uses the two oldest not used yet. */
static bool make_tree(bench_graph *graph, uint32_t n, uint64_t seed)
{
    (void)seed;
    uint32_t leaves = (n + 1) / 2;
    if (!bench_graph_begin(graph, n, n))
        return false;
    for (uint32_t i = 0; i < leaves; i++)
        bench_graph_add(graph, NULL, 0);
    for (uint32_t i = 0; i + 1 < leaves; i++)
        bench_graph_add(graph, (uint32_t[]){ 2 * i, 2 * i + 1 }, 2);
    return bench_graph_end(graph);
}

static bool make_wavefront(bench_graph *graph, uint32_t n, uint64_t seed)
{
    (void)seed;
    uint32_t side = 1;
    while ((side + 1) * (side + 1) <= n)
        side++;
    if (!bench_graph_begin(graph, side * side, 2 * side * side))
        return false;
    for (uint32_t i = 0; i < side * side; i++) {
        uint32_t inputs[2], count = 0;
        if (i >= side)
            inputs[count++] = i - side;
        if (i % side > 0)
            inputs[count++] = i - 1;
        bench_graph_add(graph, inputs, count);
    }
    return bench_graph_end(graph);
}

/* Four distinct tasks of from .. from + width - 1, or all when fewer. */
static void add_random(bench_graph *graph, uint32_t from, uint32_t width,
                       uint64_t *state)
{
    uint32_t inputs[RANDOM_INPUTS], count = 0;
    uint32_t wanted = width < RANDOM_INPUTS ? width : RANDOM_INPUTS;
    while (count < wanted) {
        uint32_t drawn = from + draw_below(state, width);
        bool twice = false;
        for (uint32_t k = 0; k < count; k++)
            twice = twice || inputs[k] == drawn;
        if (!twice)
            inputs[count++] = drawn;
    }
    bench_graph_add(graph, inputs, count);
}

static bool make_layers(bench_graph *graph, uint32_t n, uint64_t seed)
{
    uint64_t state = seed;
    if (!bench_graph_begin(graph, n, RANDOM_INPUTS * n))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t layer = i / LAYER;
        add_random(graph, layer ? (layer - 1) * LAYER : 0, layer ? LAYER : 0,
                   &state);
    }
    return bench_graph_end(graph);
}

static bool make_window(bench_graph *graph, uint32_t n, uint64_t seed)
{
    uint64_t state = seed;
    if (!bench_graph_begin(graph, n, RANDOM_INPUTS * n))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t width = i < WINDOW ? i : WINDOW;
        add_random(graph, i - width, width, &state);
    }
    return bench_graph_end(graph);
}

static bool make_stencil(bench_graph *graph, uint32_t n, uint64_t seed)
{
    (void)seed;
    if (!bench_graph_begin(graph, n, 3 * n))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t column = i % STENCIL_WIDTH, above = i - STENCIL_WIDTH;
        uint32_t inputs[3], count = 0;
        if (column > 0)
            inputs[count++] = above - 1;
        inputs[count++] = above;
        if (column + 1 < STENCIL_WIDTH)
            inputs[count++] = above + 1;
        bench_graph_add(graph, inputs, i < STENCIL_WIDTH ? 0 : count);
    }
    return bench_graph_end(graph);
}

bool bench_graph_init(bench_graph *graph, const char *name, uint32_t n_tasks,
                      uint64_t seed)
{
    static const struct {
        const char *name;
        bool (*make)(bench_graph *graph, uint32_t n, uint64_t seed);
    } shapes[] = {
        { "chain", make_chain },         { "fanin", make_fanin },
        { "fanout", make_fanout },       { "tree", make_tree },
        { "wavefront", make_wavefront }, { "layers", make_layers },
        { "window", make_window },       { "stencil", make_stencil },
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (strcmp(shapes[i].name, name) == 0)
            return n_tasks > 0 && shapes[i].make(graph, n_tasks, seed);
    return false;
}
