/* SPDX-License-Identifier: BSD-3-Clause */
/* run_options.c: reads the options of `plait run`. */
#include "cli/run_options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/report.h"

#define MAX_WORKERS 1024

enum option_code {
    OPTION_SCHEDULER = 256,
    OPTION_WORKERS,
    OPTION_ADDRESS,
    OPTION_LOG,
    OPTION_LOG_LEVEL,
    OPTION_PROGRESS,
    OPTION_COLLECT,
    OPTION_STOP,
    OPTION_RETRIES,
    OPTION_TIMEOUT,
    OPTION_TRACE,
    OPTION_GRAPH,
    OPTION_DRY_RUN,
    OPTION_JSON,
    OPTION_HELP
};

static const struct option long_options[] = {
    { "scheduler", required_argument, NULL, OPTION_SCHEDULER },
    { "workers", required_argument, NULL, OPTION_WORKERS },
    { "address", required_argument, NULL, OPTION_ADDRESS },
    { "log", required_argument, NULL, OPTION_LOG },
    { "log-level", required_argument, NULL, OPTION_LOG_LEVEL },
    { "progress", no_argument, NULL, OPTION_PROGRESS },
    { "collect", no_argument, NULL, OPTION_COLLECT },
    { "stop", no_argument, NULL, OPTION_STOP },
    { "retries", required_argument, NULL, OPTION_RETRIES },
    { "timeout", required_argument, NULL, OPTION_TIMEOUT },
    { "trace", required_argument, NULL, OPTION_TRACE },
    { "graph", required_argument, NULL, OPTION_GRAPH },
    { "dry-run", no_argument, NULL, OPTION_DRY_RUN },
    { "json", no_argument, NULL, OPTION_JSON },
    { "help", no_argument, NULL, OPTION_HELP },
    { NULL, 0, NULL, 0 },
};

void pl_run_options_help(void)
{
    fputs(
        "usage: plait run [OPTION]... LIB.so [ARG]...\n"
        "\n"
        "Loads LIB.so (./LIB.so when it has no slash), calls its\n"
        "plait_pipeline(graph, argc, argv), computes the task that it returns\n"
        "and prints the result. Options come before LIB.so; what follows it "
        "is\n"
        "the pipeline's: argv[0] is LIB.so.\n"
        "\n"
        "  --scheduler NAME   sync, threads (default, or $PLAIT_SCHEDULER),\n"
        "                     processes or distributed; see plait info\n"
        "  --workers N        at most N tasks at one time (default: the CPUs,\n"
        "                     or $PLAIT_WORKERS), up to 1024\n"
        "  --address ADDRESS  of the scheduler, for distributed\n"
        "  --log FILE         append log lines to FILE\n"
        "  --log-level LEVEL  debug, info (default), warning, error or "
        "critical\n"
        "  --progress         show progress on standard error\n"
        "  --collect          go on after failures, and print what there is\n"
        "  --stop             start nothing new after the first failure\n"
        "  --retries N        run a failed task up to N times more\n"
        "  --timeout SECONDS  of a task\n"
        "  --trace FILE       write a Chrome trace (opens in Perfetto)\n"
        "  --graph FILE       draw the graph, coloured by outcome and time, "
        "in\n"
        "                     the format of FILE's extension: .svg .png .pdf "
        ".dot\n"
        "  --dry-run          run nothing: draw to --graph FILE, else print "
        "DOT\n"
        "  --json             print the result as JSON\n"
        "  --help             print this text\n"
        "\n"
        "Exit status: 0 all tasks succeeded, 1 a task failed (each is a line "
        "on\n"
        "standard error), 2 bad usage, 130 after Ctrl-C.\n",
        stdout);
}

/* ---- values ---- */

static bool read_count(const char *name, const char *text, unsigned min,
                       unsigned max, unsigned *count)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    bool digits = *text >= '0' && *text <= '9';
    if (!digits || *end || errno || n < min || n > max) {
        pl_report("%s %s: it should be a number from %u to %u", name, text, min,
                  max);
        return false;
    }
    *count = (unsigned)n;
    return true;
}

/* Seconds, as in 1.5, to milliseconds; at least 1. */
static bool read_seconds(const char *name, const char *text, unsigned *ms)
{
    char *end;
    errno = 0;
    double seconds = strtod(text, &end);
    double wanted = ceil(seconds * 1000);
    bool number = *text && !*end && !errno && isfinite(seconds);
    if (!number || seconds <= 0 || wanted > UINT_MAX) {
        pl_report("%s %s: it should be a number of seconds, as in 1.5", name,
                  text);
        return false;
    }
    *ms = (unsigned)wanted;
    return true;
}

static bool read_level(const char *text, plait_level *level)
{
    static const struct {
        const char *name;
        plait_level level;
    } levels[] = {
        { "debug", PLAIT_DEBUG },       { "info", PLAIT_INFO },
        { "warning", PLAIT_WARNING },   { "error", PLAIT_ERROR },
        { "critical", PLAIT_CRITICAL },
    };
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (strcasecmp(text, levels[i].name) == 0) {
            *level = levels[i].level;
            return true;
        }
    }
    pl_report("--log-level %s: it should be debug, info, warning, error or "
              "critical",
              text);
    return false;
}

/* A file to write: an empty name is a mistake of a script's. */
static bool read_path(const char *name, const char *text, const char **path)
{
    if (!*text)
        pl_report("%s: the name of the file is empty", name);
    *path = text;
    return *text != '\0';
}

static bool read_scheduler(const char *name, const char **scheduler)
{
    plait_error err = { PLAIT_ERROR_INIT };
    *scheduler = name;
    if (plait_scheduler_available(name, &err) == PLAIT_OK)
        return true;
    pl_report("%s", err.message);
    return false;
}

static bool read_on_error(plait_on_error wanted, plait_on_error *on_error)
{
    bool both = *on_error != PLAIT_FINISH && *on_error != wanted;
    if (both)
        pl_report("--collect and --stop exclude each other");
    *on_error = wanted;
    return !both;
}

/* ---- options ---- */

static bool read_valued(pl_run_options *run, int code, const char *value)
{
    plait_options *options = &run->options;
    switch (code) {
    case OPTION_SCHEDULER:
        return read_scheduler(value, &options->scheduler);
    case OPTION_WORKERS:
        return read_count("--workers", value, 1, MAX_WORKERS,
                          &options->workers);
    case OPTION_ADDRESS:
        options->address = value;
        return true;
    case OPTION_LOG:
        return read_path("--log", value, &run->log);
    case OPTION_LOG_LEVEL:
        return read_level(value, &run->log_level);
    case OPTION_RETRIES:
        return read_count("--retries", value, 0, INT_MAX, &options->retries);
    case OPTION_TIMEOUT:
        return read_seconds("--timeout", value, &options->timeout_ms);
    case OPTION_TRACE:
        return read_path("--trace", value, &run->trace);
    case OPTION_GRAPH:
        return read_path("--graph", value, &run->graph);
    default:
        return false;
    }
}

static bool read_option(pl_run_options *run, int code, const char *value)
{
    switch (code) {
    case OPTION_PROGRESS:
        run->progress = true;
        return true;
    case OPTION_COLLECT:
        return read_on_error(PLAIT_COLLECT, &run->options.on_error);
    case OPTION_STOP:
        return read_on_error(PLAIT_STOP, &run->options.on_error);
    case OPTION_DRY_RUN:
        run->dry_run = true;
        return true;
    case OPTION_JSON:
        run->json = true;
        return true;
    case OPTION_HELP:
    case 'h':
        run->help = true;
        return true;
    default:
        return read_valued(run, code, value);
    }
}

/* getopt_long's '?' and ':': it doesn't tell which, in words. */
static void report_option(int code, const char *argument)
{
    int length = (int)strcspn(argument, "=");
    if (code == ':')
        pl_report("%s needs a value", argument);
    else if (optopt > 255)
        pl_report("%.*s takes no value", length, argument);
    else
        pl_report("unknown option %.*s", length, argument);
}

bool pl_run_options_read(pl_run_options *run, int argc, char **argv)
{
    *run = (pl_run_options){ .options = { PLAIT_OPTIONS_INIT },
                             .log_level = PLAIT_INFO };
    opterr = 0;
    optind = 1;
    for (;;) {
        int at = optind;
        /* '+': the first argument that is no option ends them. There is one
         * thread yet. NOLINTNEXTLINE(concurrency-mt-unsafe) */
        int code = getopt_long(argc, argv, "+:h", long_options, NULL);
        if (code == -1)
            break;
        if (code == '?' || code == ':') {
            report_option(code, argv[at]);
            return false;
        }
        if (!read_option(run, code, optarg))
            return false;
        if (run->help)
            return true;
    }
    if (optind >= argc) {
        pl_report("no library: plait run [OPTION]... LIB.so [ARG]...");
        return false;
    }
    run->argc = argc - optind;
    run->argv = argv + optind;
    return true;
}
