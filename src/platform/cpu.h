/* SPDX-License-Identifier: BSD-3-Clause */
/* cpu.h: how many CPUs this process may use.  Thread: any.  Blocks: no. */
#ifndef PL_CPU_H
#define PL_CPU_H

/* By affinity and by the quotas of its cgroups (v2 and v1), rounded up; at
 * least 1. */
unsigned pl_cpu_count(void);

/* The quotas alone, with /proc and /sys found under `root` ("" for the real
 * ones); UINT_MAX: there are none. */
unsigned pl_cpu_quota(const char *root);

#endif
