/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * csv_pipeline.c: the pipeline as a program.
 *
 *   csv_pipeline [--scheduler S] [--workers N] [--log FILE] ARGS…
 *
 * ARGS are those of pipeline.h. Exit status: 0, 1 when a task failed, 2 for bad
 * usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <plait/plait.h>

#include "pipeline.h"

static int usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [--scheduler NAME] [--workers N] [--log FILE] %s\n%s",
            program, PIPELINE_USAGE, PIPELINE_OPTIONS);
    return 2;
}

/* Reads the options that come first; returns how many arguments they are, or
 * -1 for bad usage. */
static int read_options(int argc, char **argv, plait_options *options,
                        const char **log_path)
{
    int at = 1;
    for (; at + 1 < argc; at += 2) {
        const char *text = argv[at + 1];
        if (strcmp(argv[at], "--scheduler") == 0) {
            options->scheduler = text;
        } else if (strcmp(argv[at], "--log") == 0) {
            *log_path = text;
        } else if (strcmp(argv[at], "--workers") == 0) {
            char *end;
            unsigned long workers = strtoul(text, &end, 10);
            if (end == text || *end || workers < 1 || workers > 1024)
                return -1;
            options->workers = (unsigned)workers;
        } else {
            break;
        }
    }
    return at - 1;
}

static void print_value(plait_value value)
{
    if (plait_kind_of(value) == PLAIT_KIND_STRING) {
        fputs(plait_as_string(value), stdout);
        return;
    }
    int length = plait_format(value, NULL, 0);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (text) {
        plait_format(value, text, (size_t)length + 1);
        puts(text);
    }
    free(text);
}

static int run(plait_graph *graph, plait_task summary,
               const plait_options *options)
{
    plait_value value;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_status status = plait_compute(graph, summary, options, &value, &err);
    if (status == PLAIT_OK)
        print_value(value);
    else
        fprintf(stderr, "csv_pipeline: %s\n", err.message);
    plait_release(value);
    return status == PLAIT_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    plait_options options = { PLAIT_OPTIONS_INIT };
    plait_error err = { PLAIT_ERROR_INIT };
    const char *log_path = NULL;
    int n_read = read_options(argc, argv, &options, &log_path);
    if (n_read < 0 || n_read + 1 >= argc)
        return usage(argv[0]);
    if (log_path && plait_log_open(log_path, NULL, &err) != PLAIT_OK) {
        fprintf(stderr, "csv_pipeline: %s\n", err.message);
        return 2;
    }
    plait_graph *graph = plait_graph_new();
    plait_task summary = plait_pipeline(graph, argc - n_read, argv + n_read);
    int exit_status = 2;
    if (plait_graph_status(graph, &err) == PLAIT_OK)
        exit_status = run(graph, summary, &options);
    else
        fprintf(stderr, "csv_pipeline: %s\n", err.message);
    plait_graph_free(graph);
    plait_log_close();
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("csv_pipeline: standard output");
        return 1;
    }
    return exit_status;
}
