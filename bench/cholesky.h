/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cholesky.h: a real program as a workload: A = L * L^T of a dense symmetric
 * positive definite matrix of doubles, by tiles, one task per tile update. The
 * kernels are the same plain C for every system.
 */
#ifndef BENCH_CHOLESKY_H
#define BENCH_CHOLESKY_H

#include "workload.h"

/* Makes graph, work, prepare and check of a matrix of n x n doubles in tiles
 * of tile x tile (tile divides n). False: a bad size, or no memory. */
bool bench_cholesky_init(bench_workload *workload, uint32_t n, uint32_t tile);

#endif
