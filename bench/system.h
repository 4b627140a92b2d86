/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * system.h: what each measured system gives to child.c, which owns the clock.
 * One program per system, so that memory is its own and a crash is one row.
 */
#ifndef BENCH_SYSTEM_H
#define BENCH_SYSTEM_H

#include <stddef.h>

#include "workload.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Calls return NULL or false when they failed, and have said why on stderr. */
typedef struct bench_system {
    const char *name;
    /* Begins the threads and warms them up. Not timed. */
    void *(*open)(bench_workload *workload, unsigned workers);
    /* Make the graph in the system's own form, and what can be run. Either may
     * be NULL: the system makes its graph as it runs. */
    bool (*build)(void *self);
    bool (*plan)(void *self);
    /* Runs it all and waits. Called several times. */
    bool (*run)(void *self);
    /* Not timed: puts the sinks into workload->values. May be NULL. */
    bool (*collect)(void *self);
    /* Lets go of the run. Timed with it. May be NULL. */
    void (*end_run)(void *self);
    /* Bytes by the system's own account; 0: it has none. May be NULL. */
    size_t (*bytes)(void *self);
    /* Frees the graph. Timed by itself. May be NULL. */
    void (*discard)(void *self);
    void (*close)(void *self);
} bench_system;

extern const bench_system bench_system_measured;

#ifdef __cplusplus
}
#endif

#endif
