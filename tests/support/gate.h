/* SPDX-License-Identifier: BSD-3-Clause */
/* gate.h: a place where tasks wait until a test lets them pass. */
#ifndef GATE_H
#define GATE_H

#include <pthread.h>
#include <stdbool.h>

typedef struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int entered; /* how many have come, ever */
    bool open;
} gate;

#define GATE_INIT                                                 \
    {                                                             \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 \
    }

/* For a task: comes to the gate, and waits until it is open. */
void gate_pass(gate *g);

/* Comes to the gate, and does not wait. */
void gate_enter(gate *g);

/* For a test: waits until n have come. */
void gate_await(gate *g, int n);

void gate_open(gate *g);

#endif
