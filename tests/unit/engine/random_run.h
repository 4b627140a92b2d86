/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * random_run.h: a run of a random graph, and what must have come of it.
 */
#ifndef RANDOM_RUN_H
#define RANDOM_RUN_H

#include "random_graph.h"

/* A run with random options, which may be stopped at random. */
plait_run *run_new(random_graph *g, uint32_t n_lanes,
                   void (*drop)(plait_run *run, plait_slot *slot));
void run_free(random_graph *g, plait_run *run);

/* `is_exact`: nothing was lost, so all tasks have ended, as the reference. */
void check_run(random_graph *g, plait_run *run, bool is_exact);

/* Ways of driving it by several lanes (drive_lanes.c). */
void drive_shared(random_graph *g);
void drive_spread(random_graph *g);

#endif
