/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pipeline.h: the pipeline as a graph. `plait run csv_pipeline.so …` calls
 * plait_pipeline by its name; the program calls it too.
 */
#ifndef EXAMPLE_PIPELINE_H
#define EXAMPLE_PIPELINE_H

#include <plait/graph.h>

/*
 * The tasks, for whoever draws a graph of his own (plait.native in Python
 * finds them by their names). Wrong arguments are an error.
 *
 *   load_data(path)              a table of text
 *   clean_data(table of text)    a typed table
 *   analyze(typed table, [key, value, key, value…])       statistics
 *   summarize([statistics…], as data or as text)          the summary
 */
PLAIT_API plait_value load_data(plait_context *ctx, const plait_value *args,
                                size_t n_args);
PLAIT_API plait_value clean_data(plait_context *ctx, const plait_value *args,
                                 size_t n_args);
PLAIT_API plait_value analyze(plait_context *ctx, const plait_value *args,
                              size_t n_args);
PLAIT_API plait_value summarize(plait_context *ctx, const plait_value *args,
                                size_t n_args);

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
