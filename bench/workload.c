/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * workload.c: values, the spinning and the sleeping tasks, and the reference
 * that says what a run must give.
 */
#include "workload.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct grain {
    uint64_t rounds;
    struct timespec duration;
} grain;

uint64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Of this thread: what other programs take doesn't count. */
static uint64_t thread_cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* A chain of dependent operations: no other task on the core speeds it up. The
 * empty assembly keeps the compiler from working it out beforehand. */
static void spin(uint64_t rounds)
{
    double x = 1.5;
    for (uint64_t i = 0; i < rounds; i++) {
        x = x * 0.999999 + 0.000001;
        __asm__ volatile("" : "+x"(x));
    }
}

static void spin_work(void *self, uint32_t task)
{
    (void)task;
    spin(((const grain *)self)->rounds);
}

static void sleep_work(void *self, uint32_t task)
{
    (void)task;
    nanosleep(&((const grain *)self)->duration, NULL);
}

/* The quickest of several tries: a busy machine only ever slows them down. */
static uint64_t rounds_for(uint64_t ns)
{
    const uint64_t probe = 500000;
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 10; i++) {
        uint64_t begin = thread_cpu_ns();
        spin(probe);
        uint64_t took = thread_cpu_ns() - begin;
        if (took < best)
            best = took;
    }
    return ns * probe / best;
}

static grain *grain_new(bench_work work, uint64_t ns)
{
    grain *made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    made->rounds = work == BENCH_SPIN ? rounds_for(ns) : 0;
    made->duration.tv_sec = (time_t)(ns / 1000000000u);
    made->duration.tv_nsec = (long)(ns % 1000000000u);
    return made;
}

static uint64_t sum_of_sinks(const bench_workload *workload)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < workload->graph.n_sinks; i++)
        sum += workload->values[workload->graph.sinks[i]].number;
    return sum;
}

static void forget_sinks(bench_workload *workload)
{
    for (uint32_t i = 0; i < workload->graph.n_sinks; i++)
        memset(&workload->values[workload->graph.sinks[i]], 0,
               sizeof(bench_value));
}

bool bench_workload_init(bench_workload *workload, bench_work work,
                         uint64_t grain_ns)
{
    uint32_t n = workload->graph.n_tasks;
    workload->values = calloc((size_t)n + 1, sizeof *workload->values);
    if (!workload->values)
        return false;
    for (uint32_t task = 0; task < n; task++) {
        bench_value *out = &workload->values[task];
        *out = (bench_value){ BENCH_KIND_INT, 0, 1 };
        for (uint32_t i = workload->graph.input_at[task];
             i < workload->graph.input_at[task + 1]; i++)
            out->number += workload->values[workload->graph.inputs[i]].number;
    }
    workload->expected = sum_of_sinks(workload);
    forget_sinks(workload);
    if (work == BENCH_NOTHING)
        return true;
    workload->self = grain_new(work, grain_ns);
    workload->free = free;
    workload->work = work == BENCH_SPIN ? spin_work : sleep_work;
    return workload->self != NULL;
}

void bench_workload_fini(bench_workload *workload)
{
    if (workload->free)
        workload->free(workload->self);
    free(workload->values);
    bench_graph_fini(&workload->graph);
}

bool bench_workload_check(bench_workload *workload)
{
    bool right = sum_of_sinks(workload) == workload->expected;
    forget_sinks(workload);
    return right && (!workload->check || workload->check(workload->self));
}

uint64_t bench_workload_serial_ns(bench_workload *workload)
{
    if (!workload->work || workload->work == sleep_work)
        return 0;
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 3; i++) {
        if (workload->prepare)
            workload->prepare(workload->self);
        uint64_t begin = thread_cpu_ns();
        for (uint32_t task = 0; task < workload->graph.n_tasks; task++)
            workload->work(workload->self, task);
        uint64_t took = thread_cpu_ns() - begin;
        if (took < best)
            best = took;
    }
    return best;
}
