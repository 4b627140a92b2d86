/* SPDX-License-Identifier: BSD-3-Clause */
/* unresolved.c: a pipeline that needs a function that nobody has. */
#include <plait/plait.h>

plait_task nobody_has_this(plait_graph *graph);
plait_task plait_pipeline(plait_graph *graph, int argc, char **argv);

plait_task plait_pipeline(plait_graph *graph, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return nobody_has_this(graph);
}
