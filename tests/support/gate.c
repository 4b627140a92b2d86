/* SPDX-License-Identifier: BSD-3-Clause */
/* gate.c: a place where tasks wait until a test lets them pass. */
#include "gate.h"

void gate_enter(gate *g)
{
    pthread_mutex_lock(&g->mutex);
    g->entered++;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->mutex);
}

void gate_pass(gate *g)
{
    pthread_mutex_lock(&g->mutex);
    g->entered++;
    pthread_cond_broadcast(&g->changed);
    while (!g->open)
        pthread_cond_wait(&g->changed, &g->mutex);
    pthread_mutex_unlock(&g->mutex);
}

void gate_await(gate *g, int n)
{
    pthread_mutex_lock(&g->mutex);
    while (g->entered < n)
        pthread_cond_wait(&g->changed, &g->mutex);
    pthread_mutex_unlock(&g->mutex);
}

void gate_open(gate *g)
{
    pthread_mutex_lock(&g->mutex);
    g->open = true;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->mutex);
}
