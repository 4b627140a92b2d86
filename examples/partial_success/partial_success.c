/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * partial_success.c: some of the inputs are broken, and the rest should count.
 * Three ways, over the same files of one number a line:
 *
 *   safe     a task that can't fail: it says { path, ok, result, error }
 *   collect  PLAIT_COLLECT: each target gets its value or its error value
 *   accept   a summary that takes errors as arguments and names the files
 *
 *   partial_success FILE…
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <plait/plait.h>

/* ---- the work: the sum of a file's numbers ---- */

/* The value of one line, or an error that names file and line. */
static plait_value read_line(plait_context *ctx, const char *path,
                             size_t number, const char *line)
{
    char *end;
    double x = strtod(line, &end);
    if (end == line || (*end != '\n' && *end != '\0'))
        return plait_fail(ctx, "%s:%zu: this is no number: %.*s", path, number,
                          (int)strcspn(line, "\n"), line);
    return plait_float(x);
}

static plait_value sum_lines(plait_context *ctx, const char *path, FILE *file)
{
    char line[256];
    double sum = 0;
    for (size_t number = 1; fgets(line, sizeof line, file); number++) {
        plait_value x = read_line(ctx, path, number, line);
        if (plait_is_error(x))
            return x;
        sum += plait_as_float(x);
    }
    if (ferror(file))
        return plait_fail(ctx, "%s: cannot be read: %s", path, strerror(errno));
    return plait_float(sum);
}

/* (path) -> the sum */
static plait_value sum_file(plait_context *ctx, const plait_value *args,
                            size_t n_args)
{
    (void)n_args;
    const char *path = plait_as_string(args[0]);
    FILE *file = fopen(path, "r");
    if (!file)
        return plait_fail(ctx, "%s: cannot be opened: %s", path,
                          strerror(errno));
    plait_value sum = sum_lines(ctx, path, file);
    fclose(file);
    return sum;
}

static int fail(const char *way, const plait_error *err)
{
    fprintf(stderr, "partial_success: %s: %s\n", way, err->message);
    return 1;
}

/* ---- one: the safe task ---- */

/* (path) -> { path, ok, result, error }: an error becomes a part of a value. */
static plait_value safe_sum_file(plait_context *ctx, const plait_value *args,
                                 size_t n_args)
{
    plait_value sum = sum_file(ctx, args, n_args);
    bool ok = !plait_is_error(sum);
    const plait_value keys[] = { plait_string("path"), plait_string("ok"),
                                 plait_string("result"),
                                 plait_string("error") };
    const plait_value values[] = { plait_retain(args[0]), plait_bool(ok),
                                   ok ? plait_retain(sum) : plait_nil(),
                                   ok ? plait_nil()
                                      : plait_string(plait_error_text(sum)) };
    plait_release(sum);
    return plait_dict(keys, values, 4);
}

/* ([{ path, ok, result, error }…]) -> text */
static plait_value summarize_safe(plait_context *ctx, const plait_value *args,
                                  size_t n_args)
{
    (void)ctx;
    (void)n_args;
    size_t n;
    const plait_value *parts = plait_as_list(args[0], &n);
    double sum = 0;
    size_t n_failed = 0;
    for (size_t i = 0; i < n; i++) {
        sum += plait_as_float(plait_dict_get(parts[i], "result"));
        n_failed += !plait_as_bool(plait_dict_get(parts[i], "ok"));
    }
    char text[128];
    snprintf(text, sizeof text, "sum %g of %zu files, %zu failed", sum,
             n - n_failed, n_failed);
    return plait_string(text);
}

static int by_safe_task(char **paths, size_t n, plait_task *tasks)
{
    plait_graph *graph = plait_graph_new();
    for (size_t i = 0; i < n; i++)
        tasks[i] = plait_delayed(graph, safe_sum_file, paths[i]);
    plait_task summary =
        plait_delayed(graph, summarize_safe, plait_tasks(tasks, n));
    plait_value text;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_status status = plait_compute(graph, summary, NULL, &text, &err);
    if (status == PLAIT_OK)
        printf("safe: %s\n", plait_as_string(text));
    plait_release(text);
    plait_graph_free(graph);
    return status == PLAIT_OK ? 0 : fail("safe", &err);
}

/* ---- two: PLAIT_COLLECT ---- */

static void print_collected(plait_value *values, size_t n)
{
    double sum = 0;
    size_t n_failed = 0;
    for (size_t i = 0; i < n; i++) {
        if (plait_is_error(values[i])) {
            printf("collect: failed: %s\n", plait_error_text(values[i]));
            n_failed++;
        }
        sum += plait_as_float(values[i]);
        plait_release(values[i]);
    }
    printf("collect: sum %g of %zu files, %zu failed\n", sum, n - n_failed,
           n_failed);
}

static int by_collecting(char **paths, size_t n, plait_task *tasks)
{
    plait_value *values = calloc(n, sizeof *values);
    if (!values) {
        perror("partial_success");
        return 1;
    }
    plait_graph *graph = plait_graph_new();
    for (size_t i = 0; i < n; i++)
        tasks[i] = plait_delayed(graph, sum_file, paths[i]);
    plait_options options = { PLAIT_OPTIONS_INIT, .on_error = PLAIT_COLLECT };
    plait_error err = { PLAIT_ERROR_INIT };
    plait_status status =
        plait_compute_all(graph, tasks, n, &options, values, &err);
    if (status == PLAIT_OK)
        print_collected(values, n);
    free(values);
    plait_graph_free(graph);
    return status == PLAIT_OK ? 0 : fail("collect", &err);
}

/* ---- three: a summary that accepts errors ---- */

/* ([sum or error…], [path…]) -> text that names the broken files */
static plait_value summarize_accepting(plait_context *ctx,
                                       const plait_value *args, size_t n_args)
{
    (void)n_args;
    if (plait_is_error(args[0])) /* no memory for the list itself */
        return plait_retain(args[0]);
    size_t n;
    const plait_value *sums = plait_as_list(args[0], &n);
    const plait_value *paths = plait_as_list(args[1], &n);
    double sum = 0;
    size_t n_failed = 0;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return plait_fail(ctx, "out of memory");
    for (size_t i = 0; i < n; i++) {
        sum += plait_as_float(sums[i]);
        if (plait_is_error(sums[i]))
            fprintf(out, "%s%s",
                    n_failed++ ? ", " : "broken: ", plait_as_string(paths[i]));
    }
    fprintf(out, "%ssum %g of %zu files, %zu failed", n_failed ? "; " : "", sum,
            n - n_failed, n_failed);
    bool whole = fclose(out) == 0;
    plait_value value =
        whole ? plait_string(text) : plait_fail(ctx, "out of memory");
    free(text);
    return value;
}

static int by_accepting(char **paths, size_t n, plait_task *tasks)
{
    plait_graph *graph = plait_graph_new();
    plait_value *names = calloc(n, sizeof *names);
    if (!names) {
        plait_graph_free(graph);
        perror("partial_success");
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        tasks[i] = plait_delayed(graph, sum_file, paths[i]);
        names[i] = plait_string(paths[i]);
    }
    plait_task summary =
        plait_delayed(graph, summarize_accepting, plait_tasks(tasks, n),
                      plait_list(names, n));
    plait_task_options accepting = { PLAIT_TASK_OPTIONS_INIT,
                                     .accepts_errors = true };
    plait_task_set(graph, summary, &accepting);
    plait_value text;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_status status = plait_compute(graph, summary, NULL, &text, &err);
    if (status == PLAIT_OK)
        printf("accept: %s\n", plait_as_string(text));
    plait_release(text);
    free(names);
    plait_graph_free(graph);
    return status == PLAIT_OK ? 0 : fail("accept", &err);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE...\n", argv[0]);
        return 2;
    }
    size_t n = (size_t)argc - 1;
    plait_task *tasks = calloc(n, sizeof *tasks);
    if (!tasks) {
        perror("partial_success");
        return 1;
    }
    int failed = by_safe_task(argv + 1, n, tasks);
    failed |= by_collecting(argv + 1, n, tasks);
    failed |= by_accepting(argv + 1, n, tasks);
    free(tasks);
    return failed;
}
