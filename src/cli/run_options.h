/* SPDX-License-Identifier: BSD-3-Clause */
/* run_options.h: the options of `plait run`. */
#ifndef PL_RUN_OPTIONS_H
#define PL_RUN_OPTIONS_H

#include <plait/plait.h>

typedef struct pl_run_options {
    plait_options options; /* scheduler, workers, address, on_error, … */
    plait_level log_level;
    const char *log; /* paths, or NULL */
    const char *trace;
    const char *graph;
    bool progress;
    bool dry_run;
    bool json;
    bool help;
    int argc; /* the library and what is for the pipeline */
    char **argv;
} pl_run_options;

/* Reads the command line: argv[0] is "run". Strings stay argv's. False: it is
 * wrong, and that is reported. */
bool pl_run_options_read(pl_run_options *run, int argc, char **argv);

void pl_run_options_help(void);

#endif
