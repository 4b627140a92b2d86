/* SPDX-License-Identifier: BSD-3-Clause */
/* openmp_probe.c: compiles where the other compiler has an OpenMP runtime. */
#include <omp.h>

int main(void)
{
    return omp_get_max_threads() < 1;
}
