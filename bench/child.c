/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * child.c: main of each measured program. Makes the workload, times build,
 * plan, first run and more runs of one system, and prints one line of JSON.
 * run.py starts it; see there for the tables.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cholesky.h"
#include "system.h"

#define RUNS_MAX 100u

typedef struct settings {
    const char *graph;
    uint32_t tasks, workers, runs, matrix, tile;
    bench_work work;
    uint64_t grain_ns, seed;
} settings;

typedef struct measured {
    uint64_t build_ns, plan_ns, first_ns, first_cpu_ns, discard_ns;
    uint64_t again_ns[RUNS_MAX];
    uint64_t again_cpu_ns[RUNS_MAX]; /* of all threads together */
    uint64_t serial_ns;
    size_t before_bytes, graph_bytes, peak_bytes, own_bytes;
    uint32_t runs; /* after the first */
} measured;

/* A line of /proc/self/status in bytes. */
static size_t status_bytes(const char *field)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    size_t kib = 0, length = strlen(field);
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, field, length) == 0)
            kib = strtoul(line + length, NULL, 10);
    if (file)
        fclose(file);
    return kib * 1024;
}

/* From here on the peak is that of what follows. */
static void forget_peak(void)
{
    malloc_trim(0);
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (!file)
        return;
    fputs("5\n", file);
    fclose(file);
}

static uint64_t cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* A span of time: the clock's, and that of the process's threads. */
typedef struct span {
    uint64_t *wall_ns, *cpu_ns;
} span;

static void begin(span s)
{
    *s.cpu_ns -= cpu_ns();
    *s.wall_ns -= bench_now_ns();
}

static void end(span s)
{
    *s.wall_ns += bench_now_ns();
    *s.cpu_ns += cpu_ns();
}

static bool timed_run(const bench_system *system, void *self,
                      bench_workload *workload, span took)
{
    if (workload->prepare)
        workload->prepare(workload->self);
    begin(took);
    bool ran = system->run(self);
    end(took);
    ran = ran && (!system->collect || system->collect(self));
    begin(took);
    if (system->end_run)
        system->end_run(self);
    end(took);
    if (!ran)
        return false;
    if (bench_workload_check(workload))
        return true;
    fprintf(stderr, "%s: wrong result\n", system->name);
    return false;
}

static bool measure_making(const bench_system *system, void *self, measured *m)
{
    uint64_t building = bench_now_ns();
    if (system->build && !system->build(self))
        return false;
    uint64_t built = bench_now_ns();
    m->graph_bytes = status_bytes("VmRSS:");
    uint64_t planning = bench_now_ns();
    if (system->plan && !system->plan(self))
        return false;
    m->build_ns = built - building;
    m->plan_ns = bench_now_ns() - planning;
    return true;
}

static bool measure(const bench_system *system, void *self,
                    bench_workload *workload, measured *m)
{
    forget_peak();
    m->before_bytes = status_bytes("VmRSS:");
    if (!measure_making(system, self, m) ||
        !timed_run(system, self, workload,
                   (span){ &m->first_ns, &m->first_cpu_ns }))
        return false;
    m->peak_bytes = status_bytes("VmHWM:");
    /* Without collect the results lie in the workload's array: they count. */
    if (!system->collect)
        m->peak_bytes += workload->graph.n_tasks * sizeof(bench_value);
    m->own_bytes = system->bytes ? system->bytes(self) : 0;
    for (uint32_t i = 0; i < m->runs; i++) {
        span took = { &m->again_ns[i], &m->again_cpu_ns[i] };
        if (!timed_run(system, self, workload, took))
            return false;
    }
    uint64_t discarding = bench_now_ns();
    if (system->discard)
        system->discard(self);
    m->discard_ns = bench_now_ns() - discarding;
    m->serial_ns = bench_workload_serial_ns(workload);
    return true;
}

static void print_list(const char *name, const uint64_t *list, uint32_t n)
{
    printf(", \"%s\": [", name);
    for (uint32_t i = 0; i < n; i++)
        printf("%s%" PRIu64, i ? ", " : "", list[i]);
    printf("]");
}

static void print(const bench_system *system, const settings *s,
                  const bench_workload *workload, const measured *m)
{
    printf("{\"system\": \"%s\", \"graph\": \"%s\", \"workers\": %u, "
           "\"tasks\": %u, \"edges\": %u, \"build_ns\": %" PRIu64
           ", \"plan_ns\": %" PRIu64 ", \"first_ns\": %" PRIu64
           ", \"discard_ns\": %" PRIu64 ", \"serial_ns\": %" PRIu64
           ", \"graph_bytes\": %zu, \"bytes\": %zu, \"own_bytes\": %zu, "
           "\"peak_rss\": %zu",
           system->name, s->graph, s->workers, workload->graph.n_tasks,
           workload->graph.n_inputs, m->build_ns, m->plan_ns, m->first_ns,
           m->discard_ns, m->serial_ns, m->graph_bytes - m->before_bytes,
           m->peak_bytes - m->before_bytes, m->own_bytes, m->peak_bytes);
    print_list("again_ns", m->again_ns, m->runs);
    print_list("again_cpu_ns", m->again_cpu_ns, m->runs);
    printf("}\n");
}

static bool set(settings *s, const char *name, const char *value)
{
    uint64_t number = strtoull(value, NULL, 10);
    if (strcmp(name, "--graph") == 0)
        s->graph = value;
    else if (strcmp(name, "--tasks") == 0)
        s->tasks = (uint32_t)number;
    else if (strcmp(name, "--workers") == 0)
        s->workers = (uint32_t)number;
    else if (strcmp(name, "--runs") == 0)
        s->runs = number > RUNS_MAX ? RUNS_MAX : (uint32_t)number;
    else if (strcmp(name, "--seed") == 0)
        s->seed = number;
    else if (strcmp(name, "--spin-ns") == 0)
        s->work = BENCH_SPIN, s->grain_ns = number;
    else if (strcmp(name, "--sleep-ns") == 0)
        s->work = BENCH_SLEEP, s->grain_ns = number;
    else if (strcmp(name, "--matrix") == 0)
        s->matrix = (uint32_t)number;
    else if (strcmp(name, "--tile") == 0)
        s->tile = (uint32_t)number;
    else
        return false;
    return true;
}

static bool make(bench_workload *workload, const settings *s)
{
    if (strcmp(s->graph, "cholesky") == 0)
        return bench_cholesky_init(workload, s->matrix, s->tile);
    return bench_graph_init(&workload->graph, s->graph, s->tasks, s->seed) &&
           bench_workload_init(workload, s->work, s->grain_ns);
}

int main(int argc, char **argv)
{
    const bench_system *system = &bench_system_measured;
    settings s = { .graph = "chain",
                   .tasks = 1000000,
                   .workers = 2,
                   .runs = 5,
                   .matrix = 1024,
                   .tile = 64,
                   .seed = 1 };
    for (int i = 1; i < argc; i += 2)
        if (i + 1 == argc || !set(&s, argv[i], argv[i + 1])) {
            fprintf(stderr, "%s: bad option %s\n", argv[0], argv[i]);
            return 2;
        }
    static bench_workload workload;
    static measured m;
    m.runs = s.runs;
    if (!make(&workload, &s)) {
        fprintf(stderr, "%s: cannot make %s\n", argv[0], s.graph);
        return 2;
    }
    void *self = system->open(&workload, s.workers);
    bool measured_all = self && measure(system, self, &workload, &m);
    if (measured_all)
        print(system, &s, &workload, &m);
    if (self)
        system->close(self);
    bench_workload_fini(&workload);
    return measured_all ? 0 : 1;
}
