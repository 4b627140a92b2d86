/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * single_log.c: many tasks on many threads, one log file.
 *
 *   single_log LOG [TASKS [LINES]]
 *
 * Each of TASKS tasks (24) logs LINES lines (50). Every line is whole, and
 * names the thread and the task that wrote it. At the end the lines in the file
 * are counted: as many as were logged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <plait/plait.h>

static plait_value work(plait_context *ctx, const plait_value *args,
                        size_t n_args)
{
    (void)n_args;
    int64_t number = plait_as_int(args[0]);
    int64_t n_lines = plait_as_int(args[1]);
    for (int64_t i = 1; i <= n_lines; i++)
        plait_log(ctx, PLAIT_INFO, "input %lld: step %lld of %lld",
                  (long long)number, (long long)i, (long long)n_lines);
    return plait_int(n_lines);
}

static plait_value add_up(plait_context *ctx, const plait_value *args,
                          size_t n_args)
{
    (void)n_args;
    size_t n;
    const plait_value *counts = plait_as_list(args[0], &n);
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += plait_as_int(counts[i]);
    /* A message can't forge a line: its own line ends are escaped. */
    plait_log(ctx, PLAIT_INFO, "all done:\n%lld lines", (long long)sum);
    return plait_int(sum + 1);
}

static plait_task draw(plait_graph *graph, size_t n_tasks, long n_lines)
{
    plait_task *tasks = calloc(n_tasks, sizeof *tasks);
    if (!tasks) {
        plait_graph_fail(graph, PLAIT_ENOMEM, "out of memory");
        return (plait_task){ 0, 0 };
    }
    for (size_t i = 0; i < n_tasks; i++)
        tasks[i] = plait_delayed(graph, work, (unsigned)i, n_lines);
    plait_task sum = plait_delayed(graph, add_up, plait_tasks(tasks, n_tasks));
    free(tasks);
    return sum;
}

/* -1 when the file can't be read. */
static long count_lines(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return -1;
    long n = 0;
    for (int c = getc(file); c != EOF; c = getc(file))
        n += c == '\n';
    fclose(file);
    return n;
}

static int fail(const plait_error *err)
{
    fprintf(stderr, "single_log: %s\n", err->message);
    return 1;
}

int main(int argc, char **argv)
{
    long n_tasks = argc > 2 ? strtol(argv[2], NULL, 10) : 24;
    long n_lines = argc > 3 ? strtol(argv[3], NULL, 10) : 50;
    if (argc < 2 || n_tasks < 1 || n_lines < 1) {
        fprintf(stderr, "usage: %s LOG [TASKS [LINES]]\n", argv[0]);
        return 2;
    }
    remove(argv[1]); /* the log is opened for appending */
    plait_error err = { PLAIT_ERROR_INIT };
    const char *format = "%(asctime)s [%(threadName)s] %(levelname)s "
                         "%(task)s: %(message)s";
    if (plait_log_open(argv[1], format, &err) != PLAIT_OK)
        return fail(&err);
    plait_graph *graph = plait_graph_new();
    plait_task sum = draw(graph, (size_t)n_tasks, n_lines);
    plait_options options = { PLAIT_OPTIONS_INIT, .scheduler = "threads",
                              .workers = 8 };
    plait_value logged;
    plait_status status = plait_compute(graph, sum, &options, &logged, &err);
    plait_graph_free(graph);
    plait_log_close();
    if (status != PLAIT_OK)
        return fail(&err);
    printf("logged %lld lines, %s has %ld\n", (long long)plait_as_int(logged),
           argv[1], count_lines(argv[1]));
    return 0;
}
