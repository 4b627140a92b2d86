/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * call.h: calling a task's function, inline where it is a plain C function with
 * plain arguments in a run that nobody watches: the hot path of every executor.
 */
#ifndef PL_CALL_H
#define PL_CALL_H

#include "engine/gather.h"

/* Any task: runtimes, retries, deadlines, observers, nested arguments. */
plait_value pl_lane_call_carefully(pl_lane *lane, uint32_t task);

/* What a task returned that is no plain number: refuses references, names the
 * task in errors. Takes and returns it. */
plait_value pl_lane_check(pl_lane *lane, plait_value result);

/*
 * Calls the function of a task whose inputs are there, again after an error
 * while it has retries; returns its result, which is the caller's. Never a
 * task reference.  Thread: the lane's.  Blocks: as the function does.
 */
static inline plait_value pl_lane_call(pl_lane *lane, uint32_t task,
                                       const pl_node *node)
{
    plait_run *run = lane->run;
    uint32_t special = pl_node_flags(node) & ~(uint32_t)PL_NODE_TARGET;
    /* relaxed: a statistic */
    atomic_store_explicit(&lane->current, task, memory_order_relaxed);
    if (special | lane->careful)
        return pl_lane_call_carefully(lane, task);
    plait_value args[PL_ARGS_INLINE];
    size_t n = pl_gather_plain(run, node, args);
    const pl_function *function =
        run->functions[node->function >> PL_NODE_FLAG_BITS];
    plait_value result = function->fn(&lane->context, args, n);
    if (result.kind >= PLAIT_KIND_REF)
        result = pl_lane_check(lane, result);
    return result;
}

#endif
