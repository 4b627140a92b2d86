/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * order_cli.c: orders graphs from outside of the library, to compare and to
 * measure.
 *
 *   order_cli order [METHOD]        reads graphs, prints their orders
 *   order_cli score [METHOD]        reads graphs, prints the scores only
 *   order_cli time FAMILY N [METHOD...]  makes a graph, prints times
 *
 * METHOD: auto, memory, creation (pl_order), depth, walk, walk-inner (one
 * candidate alone). FAMILY: chain, fanin, tree, wavefront, layer, window.
 *
 * A graph is a line "graph NAME N" and then N lines "- K INPUT...", "+" in
 * place of "-" for a target that other tasks use too. Tasks count from 0.
 * Printed is "NAME N PEAK TOTAL", and by `order` the tasks in their order.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/order_candidate.h"
#include "platform/clock.h"

typedef struct text_graph {
    char name[256];
    uint32_t n, n_inputs, capacity;
    uint32_t *input_at, *inputs, *successor_at, *successors;
    unsigned char *is_target;
} text_graph;

static void *room(void *old, size_t n, size_t size)
{
    void *memory = realloc(old, (n + 1) * size);
    if (!memory) {
        fputs("order_cli: no memory\n", stderr);
        exit(2);
    }
    return memory;
}

static void bad(const char *what, const char *where)
{
    fprintf(stderr, "order_cli: %s: %s\n", where, what);
    exit(2);
}

static void begin(text_graph *graph, uint32_t n)
{
    graph->n = n;
    graph->n_inputs = 0;
    graph->input_at = room(graph->input_at, n + 1, sizeof(uint32_t));
    graph->successor_at = room(graph->successor_at, n + 1, sizeof(uint32_t));
    graph->is_target = room(graph->is_target, n, 1);
    memset(graph->is_target, 0, n);
}

static void add_input(text_graph *graph, uint32_t input)
{
    if (graph->n_inputs == graph->capacity) {
        graph->capacity = graph->capacity ? graph->capacity * 2 : 1024;
        graph->inputs = room(graph->inputs, graph->capacity, sizeof(uint32_t));
    }
    graph->inputs[graph->n_inputs++] = input;
}

/* Lays out the successors, when all inputs are there. */
static void finish(text_graph *graph)
{
    uint32_t n = graph->n, m = graph->n_inputs;
    uint32_t *at = graph->successor_at;
    graph->input_at[n] = m;
    graph->successors = room(graph->successors, m, sizeof(uint32_t));
    memset(at, 0, (n + 1) * sizeof *at);
    for (uint32_t i = 0; i < m; i++)
        at[graph->inputs[i] + 1]++;
    for (uint32_t t = 0; t < n; t++)
        at[t + 1] += at[t];
    for (uint32_t t = 0; t < n; t++) {
        for (uint32_t i = graph->input_at[t]; i < graph->input_at[t + 1]; i++)
            graph->successors[at[graph->inputs[i]]++] = t;
    }
    for (uint32_t t = n; t-- > 0;)
        at[t + 1] = at[t];
    at[0] = 0;
    for (uint32_t t = 0; t < n; t++)
        graph->is_target[t] |= at[t] == at[t + 1];
}

static bool read_graph(text_graph *graph)
{
    uint32_t n;
    int got = scanf(" graph %255s %" SCNu32, graph->name, &n);
    if (got == EOF)
        return false;
    if (got != 2)
        bad("expected \"graph NAME N\"", "standard input");
    begin(graph, n);
    for (uint32_t t = 0; t < n; t++) {
        char mark;
        uint32_t k, input;
        if (scanf(" %c %" SCNu32, &mark, &k) != 2 ||
            (mark != '-' && mark != '+'))
            bad("expected a task", graph->name);
        graph->input_at[t] = graph->n_inputs;
        graph->is_target[t] = mark == '+';
        for (uint32_t i = 0; i < k; i++) {
            if (scanf("%" SCNu32, &input) != 1 || input >= t)
                bad("an input is no earlier task", graph->name);
            add_input(graph, input);
        }
    }
    finish(graph);
    return true;
}

static uint32_t random_below(uint32_t below)
{
    static uint64_t state = 1;
    state =
        state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((state >> 33) % below);
}

/* The inputs of task t in a family of n tasks. */
static void make_inputs(text_graph *graph, const char *family, uint32_t t,
                        uint32_t side)
{
    uint32_t n = graph->n;
    if (strcmp(family, "chain") == 0) {
        if (t > 0)
            add_input(graph, t - 1);
    } else if (strcmp(family, "fanin") == 0) {
        for (uint32_t i = 0; t == n - 1 && i < t; i++)
            add_input(graph, i);
    } else if (strcmp(family, "tree") == 0) {
        uint32_t leaves = (n + 1) / 2;
        for (uint32_t i = 0; t >= leaves && i < 2; i++)
            add_input(graph, 2 * (t - leaves) + i);
    } else if (strcmp(family, "wavefront") == 0) {
        if (t >= side)
            add_input(graph, t - side);
        if (t % side > 0)
            add_input(graph, t - 1);
    } else if (strcmp(family, "layer") == 0) {
        for (uint32_t i = 0; t >= side && i < 4; i++)
            add_input(graph, (t / side - 1) * side + random_below(side));
    } else if (strcmp(family, "window") == 0) {
        uint32_t window = t < 1024 ? t : 1024;
        for (uint32_t i = 0; window > 0 && i < 4; i++)
            add_input(graph, t - 1 - random_below(window));
    } else {
        bad("no such family", family);
    }
}

static void make_graph(text_graph *graph, const char *family, uint32_t n)
{
    snprintf(graph->name, sizeof graph->name, "%s", family);
    n += strcmp(family, "tree") == 0 && n % 2 == 0;
    begin(graph, n);
    uint32_t side = 1;
    while ((uint64_t)(side + 1) * (side + 1) <= n)
        side++;
    for (uint32_t t = 0; t < n; t++) {
        graph->input_at[t] = graph->n_inputs;
        make_inputs(graph, family, t, side);
    }
    finish(graph);
}

static void order_by(const pl_order_graph *graph, const char *method,
                     uint32_t *position, size_t *bytes)
{
    pl_order_trial trial = { .graph = graph,
                             .position = position,
                             .limit = UINT32_MAX,
                             .for_inner = strcmp(method, "walk-inner") == 0 };
    bool is_identity = false, ok;
    if (strcmp(method, "depth") == 0)
        ok = pl_order_depth(&trial) == PL_ORDER_DONE;
    else if (strncmp(method, "walk", 4) == 0)
        ok = pl_order_walk(&trial) == PL_ORDER_DONE;
    else
        ok = pl_order(graph,
                      strcmp(method, "memory") == 0     ? PLAIT_ORDER_MEMORY
                      : strcmp(method, "creation") == 0 ? PLAIT_ORDER_CREATION
                                                        : PLAIT_ORDER_AUTO,
                      position, &is_identity, &trial.bytes);
    if (!ok)
        bad("no memory", method);
    for (uint32_t t = 0; is_identity && t < graph->n; t++)
        position[t] = t;
    *bytes = trial.bytes;
}

static void print_order(const text_graph *text, const char *method,
                        bool with_order)
{
    pl_order_graph graph = {
        text->n,          text->input_at,  text->inputs, text->successor_at,
        text->successors, text->is_target, NULL
    };
    uint32_t *position = room(NULL, graph.n, sizeof *position);
    uint32_t *sequence = room(NULL, graph.n, sizeof *sequence);
    size_t bytes;
    pl_order_score score;
    order_by(&graph, method, position, &bytes);
    if (!pl_order_sweep(&graph, position, &score))
        bad("no memory", text->name);
    printf("%s %" PRIu32 " %" PRIu32 " %" PRIu64 "\n", text->name, graph.n,
           score.peak, score.total);
    for (uint32_t t = 0; t < graph.n; t++)
        sequence[position[t]] = t;
    for (uint32_t i = 0; with_order && i < graph.n; i++)
        printf("%" PRIu32 "%c", sequence[i], i + 1 < graph.n ? ' ' : '\n');
    free(position);
    free(sequence);
}

static void print_time(const text_graph *text, const char *method)
{
    pl_order_graph graph = {
        text->n,          text->input_at,  text->inputs, text->successor_at,
        text->successors, text->is_target, NULL
    };
    uint32_t *position = room(NULL, graph.n, sizeof *position);
    memset(position, 0, graph.n * sizeof *position);
    pl_order_score score;
    size_t bytes = 0;
    int64_t best = INT64_MAX;
    for (int repeat = 0; repeat < 15; repeat++) {
        int64_t begun = pl_clock_ns();
        order_by(&graph, method, position, &bytes);
        int64_t took = pl_clock_ns() - begun;
        best = took < best ? took : best;
    }
    if (!pl_order_sweep(&graph, position, &score))
        bad("no memory", text->name);
    printf("%-10s %9" PRIu32 " %-13s %7.1f ns/task %6.1f B/task  peak %" PRIu32
           "\n",
           text->name, graph.n, method, (double)best / graph.n,
           (double)bytes / graph.n, score.peak);
    free(position);
}

int main(int argc, char **argv)
{
    text_graph graph = { .n = 0 };
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "time") == 0 && argc > 3) {
        make_graph(&graph, argv[2], (uint32_t)strtoul(argv[3], NULL, 10));
        for (int i = 4; i < argc || i == 4; i++)
            print_time(&graph, i < argc ? argv[i] : "auto");
    } else if (strcmp(command, "order") == 0 || strcmp(command, "score") == 0) {
        while (read_graph(&graph))
            print_order(&graph, argc > 2 ? argv[2] : "auto", command[0] == 'o');
    } else {
        bad("usage: order_cli order|score [METHOD] | time FAMILY N [METHOD...]",
            command);
    }
    free(graph.input_at);
    free(graph.inputs);
    free(graph.successor_at);
    free(graph.successors);
    free(graph.is_target);
    return 0;
}
