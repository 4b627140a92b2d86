/* SPDX-License-Identifier: BSD-3-Clause */
/* pipeline.h: a pipeline that lies in a shared library. */
#ifndef PL_PIPELINE_H
#define PL_PIPELINE_H

#include <plait/graph.h>

/* What the library exports as plait_pipeline. argv[0] is the library. */
typedef plait_task (*pl_pipeline_fn)(plait_graph *graph, int argc, char **argv);

/*
 * Loads the library, for good: its tasks may run, and its types be used, until
 * the process ends. A name without a slash is one in this directory. NULL,
 * reported: it can't be loaded, has no plait_pipeline, or has another libplait
 * than this program.
 */
pl_pipeline_fn pl_pipeline_load(const char *path);

#endif
