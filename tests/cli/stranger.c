/* SPDX-License-Identifier: BSD-3-Clause */
/* stranger.c: a pipeline that was linked to a libplait of its own. */
#include <plait/plait.h>

plait_task plait_pipeline(plait_graph *graph, int argc, char **argv);

plait_task plait_pipeline(plait_graph *graph, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return plait_literal(graph, plait_int((int64_t)plait_abi_version()));
}
