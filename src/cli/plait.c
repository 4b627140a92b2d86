/* SPDX-License-Identifier: BSD-3-Clause */
/* plait.c: the plait command. */
#include <stdio.h>
#include <string.h>

#include <plait/version.h>

#include "cli/command.h"
#include "cli/report.h"

static const char usage[] =
    "usage: plait run [OPTION]... LIB.so [ARG]...   run a pipeline\n"
    "       plait info                              what can be had here\n"
    "       plait --version | --help\n"
    "\n"
    "A pipeline is a shared library that exports\n"
    "    plait_task plait_pipeline(plait_graph *graph, int argc, char **argv)\n"
    "See 'plait run --help' and plait(1).\n";

static bool is_one_of(const char *text, const char *a, const char *b)
{
    return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs(usage, stderr);
        return PL_EXIT_USAGE;
    }
    const char *command = argv[1];
    if (strcmp(command, "run") == 0)
        return pl_command_run(argc - 1, argv + 1);
    if (strcmp(command, "info") == 0)
        return pl_command_info(argc - 1, argv + 1);
    if (is_one_of(command, "--version", "-V"))
        printf("plait %s\n", plait_version());
    else if (is_one_of(command, "--help", "-h"))
        fputs(usage, stdout);
    else
        return pl_report_usage("", "unknown command %s", command);
    return pl_flush_output() ? PL_EXIT_OK : PL_EXIT_FAILED;
}
