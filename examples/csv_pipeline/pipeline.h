/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pipeline.h: the pipeline as a graph. `plait run csv_pipeline.so …` calls
 * plait_pipeline by its name; the program calls it too.
 */
#ifndef EXAMPLE_PIPELINE_H
#define EXAMPLE_PIPELINE_H

#include <plait/graph.h>

/* In one line, and what the options mean. */
#define PIPELINE_USAGE \
    "[--group KEY:VALUE]... [--format text|data] [--] FILE.csv..."
#define PIPELINE_OPTIONS                                                       \
    "  --group KEY:VALUE   the mean of column VALUE per value of column KEY\n" \
    "  --format text       a table for people (as it is without)\n"            \
    "  --format data       a dict for programs, for plait run --json\n"

/*
 * load_data -> clean_data -> analyze for each file, then summarize over all;
 * returns the summary's task. argv[0] is the program or library. What is wrong
 * with the arguments sticks to the graph.
 */
PLAIT_API plait_task plait_pipeline(plait_graph *graph, int argc, char **argv);

#endif
