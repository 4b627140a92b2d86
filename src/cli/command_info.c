/* SPDX-License-Identifier: BSD-3-Clause */
/* command_info.c: `plait info`: what this installation can do. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <plait/plait.h>

#include "cli/command.h"
#include "cli/report.h"

static void print_scheduler(const char *name, const char *wanted)
{
    plait_error err = { PLAIT_ERROR_INIT };
    bool there = plait_scheduler_available(name, &err) == PLAIT_OK;
    printf("  %-12s ", name);
    if (there)
        printf("available%s\n", strcmp(name, wanted) ? "" : " (default)");
    else
        printf("not available: %s\n", err.message);
}

static const char *library_file(void)
{
    Dl_info info;
    unsigned (*function)(void) = plait_abi_version;
    void *address;
    memcpy(&address, &function, sizeof address);
    return dladdr(address, &info) && info.dli_fname ? info.dli_fname : "?";
}

int pl_command_info(int argc, char **argv)
{
    bool help = argc == 2 &&
                (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    if (argc > 1 && !help)
        return pl_report_usage("", "info takes no arguments: %s", argv[1]);
    if (help) {
        puts("usage: plait info\n\n"
             "Shows the version, the CPUs that this process may use, and the\n"
             "schedulers: which can be had, and why one can't.");
        return pl_flush_output() ? PL_EXIT_OK : PL_EXIT_FAILED;
    }
    static const char *const schedulers[] = { "sync", "threads", "processes",
                                              "distributed" };
    const char *wanted = secure_getenv("PLAIT_SCHEDULER");
    if (!wanted || !*wanted)
        wanted = "threads";
    printf("plait %s (ABI %u)\n", plait_version(), plait_abi_version());
    printf("library: %s\n", library_file());
    printf("CPUs: %u\n", plait_cpu_count());
    puts("schedulers:");
    for (size_t i = 0; i < sizeof schedulers / sizeof *schedulers; i++)
        print_scheduler(schedulers[i], wanted);
    return pl_flush_output() ? PL_EXIT_OK : PL_EXIT_FAILED;
}
