/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * modes.c: pipelines for the tests of the command. The first argument names
 * one of them.
 */
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <plait/plait.h>

/* ---- tasks that end ---- */

static plait_value echo(plait_context *ctx, const plait_value *args,
                        size_t n_args)
{
    (void)ctx;
    (void)n_args;
    return plait_retain(args[0]);
}

static plait_value twice(plait_context *ctx, const plait_value *args,
                         size_t n_args)
{
    (void)ctx;
    (void)n_args;
    return plait_int(2 * plait_as_int(args[0]));
}

static plait_value sum(plait_context *ctx, const plait_value *args,
                       size_t n_args)
{
    (void)ctx;
    (void)n_args;
    size_t n;
    int64_t total = 0;
    const plait_value *items = plait_as_list(args[0], &n);
    for (size_t i = 0; i < n; i++)
        total += plait_as_int(items[i]);
    return plait_int(total);
}

static plait_value broken(plait_context *ctx, const plait_value *args,
                          size_t n_args)
{
    (void)n_args;
    return plait_fail(ctx, "cannot read %s", plait_as_string(args[0]));
}

static plait_value count_errors(plait_context *ctx, const plait_value *args,
                                size_t n_args)
{
    (void)ctx;
    (void)n_args;
    size_t n;
    int64_t errors = 0;
    const plait_value *items = plait_as_list(args[0], &n);
    for (size_t i = 0; i < n; i++)
        errors += plait_is_error(items[i]);
    return plait_int(errors);
}

static plait_value reference(plait_context *ctx, const plait_value *args,
                             size_t n_args)
{
    (void)args;
    (void)n_args;
    return plait_ref(plait_context_task(ctx));
}

static plait_value say(plait_context *ctx, const plait_value *args,
                       size_t n_args)
{
    (void)n_args;
    plait_log(ctx, PLAIT_DEBUG, "quietly: %s", plait_as_string(args[0]));
    plait_log(ctx, PLAIT_INFO, "loudly: %s", plait_as_string(args[0]));
    return plait_nil();
}

/* Fails on its first attempt. */
static plait_value second_time(plait_context *ctx, const plait_value *args,
                               size_t n_args)
{
    (void)args;
    (void)n_args;
    if (plait_context_attempt(ctx) == 1)
        return plait_fail(ctx, "not yet");
    return plait_string("at last");
}

/* Ends at its deadline, or when cancelled. */
static plait_value obedient(plait_context *ctx, const plait_value *args,
                            size_t n_args)
{
    (void)n_args;
    (void)!write(STDOUT_FILENO, "begun\n", 6);
    while (!plait_cancelled(ctx))
        usleep(1000);
    const char *path = plait_as_string(args[0]);
    if (path) /* it has a moment to clean up */
        close(open(path, O_WRONLY | O_CREAT, 0600));
    return plait_fail(ctx, "told to stop");
}

/* ---- tasks that never end ---- */

static volatile bool never;

static plait_value sleeps(plait_context *ctx, const plait_value *args,
                          size_t n_args)
{
    (void)ctx;
    (void)args;
    (void)n_args;
    (void)!write(STDOUT_FILENO, "begun\n", 6);
    while (!never)
        sleep(1000);
    return plait_nil();
}

static plait_value spins(plait_context *ctx, const plait_value *args,
                         size_t n_args)
{
    (void)ctx;
    (void)args;
    (void)n_args;
    (void)!write(STDOUT_FILENO, "begun\n", 6);
    while (!never)
        continue;
    return plait_nil();
}

/* Ignores the signals of the process, blocks those of its thread. */
static plait_value ignores(plait_context *ctx, const plait_value *args,
                           size_t n_args)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    return sleeps(ctx, args, n_args);
}

/* Lets them through, on its thread. */
static plait_value unblocks(plait_context *ctx, const plait_value *args,
                            size_t n_args)
{
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    return spins(ctx, args, n_args);
}

/* Holds what the command may need to say its last words. */
static plait_value holds(plait_context *ctx, const plait_value *args,
                         size_t n_args)
{
    flockfile(stdout);
    flockfile(stderr);
    return sleeps(ctx, args, n_args);
}

/* ---- results of every kind ---- */

static int format_point(const void *data, char *buf, size_t size)
{
    const double *point = data;
    return snprintf(buf, size, "(%g, %g)", point[0], point[1]);
}

static const plait_type point_type = { PLAIT_TYPE_INIT, .name = "modes.point",
                                       .free = free, .format = format_point };

static plait_value make_point(void)
{
    double *point = calloc(2, sizeof *point);
    if (point)
        point[1] = 1.5;
    return plait_object(&point_type, point);
}

static plait_value make_everything(void)
{
    static const char odd[] = "\"\\\n\x01\xff \xc5\xbc";
    plait_value items[] = { plait_nil(),
                            plait_bool(true),
                            plait_int(INT64_MIN),
                            plait_float(0.1),
                            plait_float(1e300),
                            plait_float(3),
                            plait_float((double)NAN),
                            plait_float((double)INFINITY),
                            plait_string_n(odd, sizeof odd - 1),
                            plait_bytes("\0\xffhello", 7),
                            plait_bytes("", 0),
                            make_point() };
    plait_value keys[] = { plait_string("list"), plait_int(3) };
    plait_value values[] = { plait_list(items, sizeof items / sizeof *items),
                             plait_list(NULL, 0) };
    return plait_dict(keys, values, 2);
}

static plait_value everything(plait_context *ctx, const plait_value *args,
                              size_t n_args)
{
    (void)ctx;
    (void)args;
    (void)n_args;
    return make_everything();
}

/* ---- pipelines ---- */

static plait_task draw_sum(plait_graph *graph, int argc, char **argv)
{
    plait_task doubled[16];
    size_t n = 0;
    for (int i = 2; i < argc && n < 16; i++)
        doubled[n++] = plait_delayed(graph, twice, atoi(argv[i]));
    return plait_delayed(graph, sum, plait_tasks(doubled, n));
}

/* Two inputs are broken, one is not. */
static plait_task draw_broken(plait_graph *graph, bool handled)
{
    plait_task inputs[] = { plait_delayed(graph, broken, "a\nb.csv"),
                            plait_delayed(graph, echo, 5),
                            plait_delayed(graph, broken, "c.csv") };
    plait_task all = plait_delayed(graph, count_errors, plait_tasks(inputs, 3));
    if (handled)
        plait_task_set(graph, all,
                       &(plait_task_options){ PLAIT_TASK_OPTIONS_INIT,
                                              .accepts_errors = true });
    return all;
}

/* Its own options, by getopt. */
static plait_task draw_arguments(plait_graph *graph, int argc, char **argv)
{
    char text[256];
    int n = snprintf(text, sizeof text, "%s %d", argv[0], argc);
    int code;
    optind = 2;
    while ((code = getopt(argc, argv, "a:b")) != -1)
        n += snprintf(text + n, sizeof text - (size_t)n, " -%c%s", code,
                      optarg ? optarg : "");
    for (int i = optind; i < argc; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, " %s", argv[i]);
    return plait_delayed(graph, echo, text);
}

static plait_task draw_many(plait_graph *graph, int n, plait_fn fn,
                            const char *name)
{
    plait_task tasks[64];
    for (int i = 0; i < n; i++) {
        plait_value none = plait_nil();
        tasks[i] = plait_call(graph, fn, name, &none, 1);
    }
    return plait_delayed(graph, sum, plait_tasks(tasks, (size_t)n));
}

static plait_task draw_foreign(void)
{
    plait_graph *other = plait_graph_new();
    plait_task task = plait_delayed(other, echo, 1);
    plait_graph_free(other);
    return task;
}

static plait_task draw_endless(plait_graph *graph, const char *mode, int n)
{
    static const struct {
        const char *mode;
        plait_fn fn;
    } endless[] = { { "sleeps", sleeps },
                    { "spins", spins },
                    { "ignores", ignores },
                    { "holds", holds },
                    { "unblocks", unblocks } };
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        if (strcmp(mode, endless[i].mode) == 0)
            return draw_many(graph, n, endless[i].fn, mode);
    }
    plait_graph_fail(graph, PLAIT_EINVAL, "there is no mode \"%s\"", mode);
    return (plait_task){ 0, 0 };
}

plait_task plait_pipeline(plait_graph *graph, int argc, char **argv);

plait_task plait_pipeline(plait_graph *graph, int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    const char *more = argc > 2 ? argv[2] : "";
#define IS(name) (strcmp(mode, name) == 0)
    if (IS("sum"))
        return draw_sum(graph, argc, argv);
    if (IS("broken") || IS("handled"))
        return draw_broken(graph, IS("handled"));
    if (IS("arguments"))
        return draw_arguments(graph, argc, argv);
    if (IS("echo"))
        return plait_delayed(graph, echo, more);
    if (IS("everything"))
        return plait_delayed(graph, everything);
    if (IS("reference"))
        return plait_delayed(graph, reference);
    if (IS("say"))
        return plait_delayed(graph, say, more);
    if (IS("second"))
        return plait_delayed(graph, second_time);
    if (IS("obedient"))
        return plait_delayed(graph, obedient, more);
    if (IS("none"))
        return (plait_task){ 0, 0 };
    if (IS("foreign"))
        return draw_foreign();
    if (IS("waits"))
        sleeps(NULL, NULL, 0);
#undef IS
    return draw_endless(graph, mode, *more ? atoi(more) : 1);
}
