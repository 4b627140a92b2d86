/* SPDX-License-Identifier: BSD-3-Clause */
/* pipeline.c: see pipeline.h. Four functions, and the graph of their calls. */
#include "pipeline.h"

#include <stdlib.h>
#include <string.h>

#include <plait/log.h>
#include <plait/task.h>

#include "clean.h"
#include "csv_reader.h"
#include "statistics_type.h"
#include "summary.h"
#include "table_type.h"

/* ---- the tasks ---- */

static plait_value fail_with_problem(plait_context *ctx, const char *path,
                                     const struct problem *problem)
{
    if (problem->line == 0)
        return plait_fail(ctx, "%s: %s", path, problem->text);
    return plait_fail(ctx, "%s:%zu: %s", path, problem->line, problem->text);
}

/* The table among the arguments; NULL: there is none. */
static const struct table *table_of(const plait_value *args, size_t n_args)
{
    return n_args > 0 ? plait_as_object(args[0], &table_type) : NULL;
}

plait_value load_data(plait_context *ctx, const plait_value *args,
                      size_t n_args)
{
    const char *path = n_args > 0 ? plait_as_string(args[0]) : NULL;
    if (!path)
        return plait_fail(ctx, "the path of a file is needed");
    struct problem problem;
    struct csv_reader *reader = csv_reader_open(path, &problem);
    if (!reader)
        return fail_with_problem(ctx, path, &problem);
    enum csv_progress progress = CSV_MORE;
    while (progress == CSV_MORE && !plait_cancelled(ctx))
        progress = csv_reader_step(reader, &problem);
    struct table *table = progress == CSV_END ? csv_reader_take(reader) : NULL;
    csv_reader_close(reader);
    if (progress == CSV_MORE)
        return plait_fail(ctx, "%s: cancelled while it was read", path);
    if (!table)
        return fail_with_problem(ctx, path, &problem);
    plait_log(ctx, PLAIT_INFO, "read %s: %zu rows, %zu columns", path,
              table->n_rows, table->n_columns);
    return plait_object(&table_type, table);
}

struct noter {
    plait_context *ctx;
    const char *path;
};

static void log_note(const struct problem *found, void *user)
{
    const struct noter *noter = user;
    plait_log(noter->ctx, PLAIT_WARNING, "%s:%zu: %s", noter->path, found->line,
              found->text);
}

static bool is_text(const struct table *table)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (table->columns[i].kind != COLUMN_TEXT)
            return false;
    }
    return true;
}

plait_value clean_data(plait_context *ctx, const plait_value *args,
                       size_t n_args)
{
    const struct table *raw = table_of(args, n_args);
    if (!raw || !is_text(raw))
        return plait_fail(ctx, "a table of text is needed");
    struct problem problem;
    struct noter noter = { ctx, raw->path };
    struct table *clean = table_clean(raw, log_note, &noter, &problem);
    if (!clean)
        return fail_with_problem(ctx, raw->path, &problem);
    return plait_object(&table_type, clean);
}

static bool are_strings(const plait_value *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!plait_as_string(items[i]))
            return false;
    }
    return true;
}

plait_value analyze(plait_context *ctx, const plait_value *args, size_t n_args)
{
    const struct table *table = table_of(args, n_args);
    size_t n = 0;
    const plait_value *groups = n_args > 1 ? plait_as_list(args[1], &n) : NULL;
    if (!table || !are_strings(groups, n))
        return plait_fail(ctx, "a table and a list of names are needed");
    struct statistics *statistics = statistics_new();
    if (!statistics)
        return plait_fail(ctx, "%s: out of memory", table->path);
    struct problem problem;
    bool done = true;
    for (size_t i = 0; done && i + 1 < n; i += 2)
        done = statistics_group(statistics, plait_as_string(groups[i]),
                                plait_as_string(groups[i + 1]), &problem);
    done = done && statistics_of(statistics, table, &problem);
    if (done)
        return plait_object(&statistics_type, statistics);
    statistics_free(statistics);
    return fail_with_problem(ctx, table->path, &problem);
}

static plait_value present(plait_context *ctx,
                           const struct statistics *statistics, bool as_data)
{
    if (as_data)
        return summary_data(statistics);
    char *text = summary_text(statistics);
    if (!text)
        return plait_fail(ctx, "out of memory");
    plait_value value = plait_string(text);
    free(text);
    return value;
}

static bool are_statistics(const plait_value *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!plait_as_object(items[i], &statistics_type))
            return false;
    }
    return true;
}

plait_value summarize(plait_context *ctx, const plait_value *args,
                      size_t n_args)
{
    size_t n = 0;
    const plait_value *parts = n_args > 0 ? plait_as_list(args[0], &n) : NULL;
    if (!parts || !are_statistics(parts, n))
        return plait_fail(ctx, "a list of statistics is needed");
    bool as_data = n_args > 1 && plait_as_bool(args[1]);
    struct statistics *all = statistics_new();
    bool merged = all != NULL;
    for (size_t i = 0; merged && i < n; i++)
        merged =
            statistics_merge(all, plait_as_object(parts[i], &statistics_type));
    plait_value summary =
        merged ? present(ctx, all, as_data) : plait_fail(ctx, "out of memory");
    statistics_free(all);
    return summary;
}

/* ---- the graph ---- */

struct arguments {
    int argc;
    char **argv;
    int at;
    plait_value *groups; /* key, value, key, value… */
    size_t n_groups;
    const char **paths;
    size_t n_paths;
    bool as_data;
};

static plait_status read_group(plait_graph *graph, struct arguments *arguments,
                               const char *text)
{
    const char *colon = strchr(text, ':');
    if (!colon || colon == text || colon[1] == '\0')
        return plait_graph_fail(graph, PLAIT_EINVAL,
                                "--group %s: it should be KEY:VALUE, as in "
                                "carrier:arr_delay",
                                text);
    arguments->groups[arguments->n_groups++] =
        plait_string_n(text, (size_t)(colon - text));
    arguments->groups[arguments->n_groups++] = plait_string(colon + 1);
    return PLAIT_OK;
}

static plait_status read_format(plait_graph *graph, struct arguments *arguments,
                                const char *text)
{
    arguments->as_data = strcmp(text, "data") == 0;
    if (!arguments->as_data && strcmp(text, "text") != 0)
        return plait_graph_fail(graph, PLAIT_EINVAL,
                                "--format %s: it should be text or data", text);
    return PLAIT_OK;
}

static plait_status read_option(plait_graph *graph, struct arguments *arguments,
                                const char *option)
{
    bool is_group = strcmp(option, "--group") == 0;
    if (!is_group && strcmp(option, "--format") != 0)
        return plait_graph_fail(graph, PLAIT_EINVAL,
                                "unknown option %s; the arguments are %s",
                                option, PIPELINE_USAGE);
    if (arguments->at == arguments->argc)
        return plait_graph_fail(graph, PLAIT_EINVAL, "%s needs a value",
                                option);
    const char *text = arguments->argv[arguments->at++];
    return is_group ? read_group(graph, arguments, text)
                    : read_format(graph, arguments, text);
}

static plait_status read_arguments(plait_graph *graph,
                                   struct arguments *arguments)
{
    bool options_end = false;
    while (arguments->at < arguments->argc) {
        const char *text = arguments->argv[arguments->at++];
        if (options_end || text[0] != '-' || text[1] == '\0') {
            arguments->paths[arguments->n_paths++] = text;
        } else if (strcmp(text, "--") == 0) {
            options_end = true;
        } else {
            plait_status status = read_option(graph, arguments, text);
            if (status != PLAIT_OK)
                return status;
        }
    }
    if (arguments->n_paths == 0)
        return plait_graph_fail(graph, PLAIT_EINVAL,
                                "no files; the arguments are %s",
                                PIPELINE_USAGE);
    return PLAIT_OK;
}

static plait_task draw(plait_graph *graph, struct arguments *arguments,
                       plait_task *results)
{
    plait_task groups = plait_literal(
        graph, plait_list(arguments->groups, arguments->n_groups));
    arguments->n_groups = 0; /* the list has taken them */
    for (size_t i = 0; i < arguments->n_paths; i++) {
        plait_task table = plait_delayed(graph, load_data, arguments->paths[i]);
        plait_task clean = plait_delayed(graph, clean_data, table);
        results[i] = plait_delayed(graph, analyze, clean, groups);
    }
    return plait_delayed(graph, summarize,
                         plait_tasks(results, arguments->n_paths),
                         arguments->as_data);
}

plait_task plait_pipeline(plait_graph *graph, int argc, char **argv)
{
    plait_task none = { 0, 0 };
    size_t n = argc > 0 ? (size_t)argc : 1;
    struct arguments arguments = { .argc = argc, .argv = argv, .at = 1 };
    arguments.groups = calloc(2 * n, sizeof *arguments.groups);
    arguments.paths = calloc(n, sizeof *arguments.paths);
    plait_task *results = calloc(n, sizeof *results);
    plait_task summary = none;
    plait_error err = { PLAIT_ERROR_INIT };
    if (!arguments.groups || !arguments.paths || !results)
        plait_graph_fail(graph, PLAIT_ENOMEM, "out of memory");
    else if (plait_type_register(&table_type, &err) != PLAIT_OK ||
             plait_type_register(&statistics_type, &err) != PLAIT_OK)
        plait_graph_fail(graph, err.status, "%s", err.message);
    else if (read_arguments(graph, &arguments) == PLAIT_OK)
        summary = draw(graph, &arguments, results);
    for (size_t i = 0; i < arguments.n_groups; i++)
        plait_release(arguments.groups[i]);
    free(arguments.groups);
    free(arguments.paths);
    free(results);
    return summary;
}
