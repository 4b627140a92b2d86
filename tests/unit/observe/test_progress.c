/* SPDX-License-Identifier: BSD-3-Clause */
/* Progress of real runs, on files and on a terminal. */
#include <plait/plait.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

static plait_value nothing(plait_context *ctx, const plait_value *args,
                           size_t n_args)
{
    (void)ctx;
    (void)args;
    (void)n_args;
    return plait_nil();
}

static plait_value broken(plait_context *ctx, const plait_value *args,
                          size_t n_args)
{
    (void)args;
    (void)n_args;
    return plait_fail(ctx, "broken");
}

/* 10 tasks: 8 that work, one that fails, one that is skipped. */
static plait_graph *new_graph(plait_task *last)
{
    plait_task parts[9];
    plait_graph *graph = plait_graph_new();
    for (int i = 0; i < 9; i++)
        parts[i] = i == 4 ? plait_delayed(graph, broken)
                          : plait_delayed(graph, nothing);
    *last = plait_delayed(graph, nothing, plait_tasks(parts, 9));
    return graph;
}

static void assert_begins(const char *text, const char *with)
{
    if (strncmp(text, with, strlen(with)) != 0)
        fail_msg("\"%s\" doesn't begin with \"%s\"", text, with);
}

static void assert_has(const char *text, const char *what)
{
    if (!strstr(text, what))
        fail_msg("\"%s\" has no \"%s\"", text, what);
}

static void a_file_gets_a_line_at_the_end(void **state)
{
    const char *scheduler = *state;
    plait_task last;
    plait_graph *graph = new_graph(&last);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    plait_options options = { PLAIT_OPTIONS_INIT, .scheduler = scheduler,
                              .workers = 2, .progress = stream };
    plait_value out;
    assert_int_equal(plait_compute(graph, last, &options, &out, NULL),
                     PLAIT_ETASK);
    plait_release(out);
    assert_int_equal(fclose(stream), 0);
    assert_begins(text, "10/10 tasks, 100%, ");
    assert_has(text, "1 failed, 1 skipped\n");
    assert_ptr_equal(strchr(text, '\n'), text + size - 1);
    free(text);
    plait_graph_free(graph);
}

static void each_run_has_its_line(void **state)
{
    const char *scheduler = *state;
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    plait_observer *progress = plait_progress_new(stream);
    assert_non_null(progress);
    plait_options options = {
        PLAIT_OPTIONS_INIT,
        .scheduler = scheduler,
        .observers = (const plait_observer *[]){ progress },
        .n_observers = 1,
    };
    for (int i = 1; i <= 3; i++) {
        plait_graph *graph = plait_graph_new();
        plait_task last = plait_delayed(graph, nothing);
        for (int k = 1; k < i; k++)
            last = plait_delayed(graph, nothing, last);
        plait_value out;
        assert_int_equal(plait_compute(graph, last, &options, &out, NULL),
                         PLAIT_OK);
        plait_graph_free(graph);
    }
    plait_progress_free(progress);
    fclose(stream);
    assert_begins(text, "1/1 tasks, 100%, ");
    assert_has(text, "\n2/2 tasks, 100%, ");
    assert_has(text, "\n3/3 tasks, 100%, ");
    free(text);
}

/* Events whose times the test makes up, of a run that is over: a line per five
 * seconds, and none in between. */
static void lines_come_every_five_seconds(void **state)
{
    (void)state;
    plait_task last;
    char *text = NULL;
    size_t size = 0;
    plait_graph *graph = new_graph(&last);
    plait_options options = { PLAIT_OPTIONS_INIT, .scheduler = "sync" };
    plait_run *run = plait_start(graph, &last, 1, &options, NULL);
    assert_non_null(run);
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    plait_observer *progress = plait_progress_new(stream);
    plait_event event = { .size = sizeof event,
                          .run = run,
                          .key = "",
                          .kind = PLAIT_RUN_BEGIN,
                          .n_tasks = 10 };
    progress->on_event(&event, progress->user);
    event.kind = PLAIT_TASK_END;
    for (int second = 1; second <= 22; second++) {
        event.time_ns = second * INT64_C(1000000000);
        progress->on_event(&event, progress->user);
        progress->on_event(&event, progress->user);
    }
    fflush(stream);
    size_t lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    assert_int_equal(lines, 4);
    assert_begins(text, "10/10 tasks, 100%, 1.8/s, 1 failed, 1 skipped\n");
    event.kind = PLAIT_RUN_END;
    progress->on_event(&event, progress->user);
    progress->on_event(&event, progress->user); /* it is known no more */
    plait_progress_free(progress);
    fclose(stream);
    assert_has(text, "\n10/10 tasks, 100%, 22.0 s, 24.5/min, 1 failed");
    free(text);
    plait_run_free(run);
    plait_graph_free(graph);
}

/* The two ends of a terminal of 60 columns. */
static FILE *open_terminal(int *master)
{
    struct winsize window = { .ws_row = 24, .ws_col = 60 };
    struct termios modes;
    *master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(*master >= 0);
    assert_int_equal(grantpt(*master), 0);
    assert_int_equal(unlockpt(*master), 0);
    int fd = open(ptsname(*master), O_RDWR | O_NOCTTY);
    assert_true(fd >= 0);
    assert_int_equal(ioctl(*master, TIOCSWINSZ, &window), 0);
    assert_int_equal(tcgetattr(fd, &modes), 0);
    modes.c_oflag &= ~(tcflag_t)OPOST; /* what is read is what was written */
    assert_int_equal(tcsetattr(fd, TCSANOW, &modes), 0);
    FILE *terminal = fdopen(fd, "w");
    assert_non_null(terminal);
    return terminal;
}

/* What is written up to the newline, which may come in pieces. */
static size_t read_line(int master, char *text, size_t size)
{
    size_t n = 0;
    do {
        ssize_t got = read(master, text + n, size - 1 - n);
        assert_true(got > 0);
        n += (size_t)got;
        text[n] = '\0';
    } while (text[n - 1] != '\n');
    return n;
}

static void a_terminal_gets_a_bar(void **state)
{
    const char *scheduler = *state;
    plait_task last;
    int master;
    char text[8192] = "";
    FILE *terminal = open_terminal(&master);
    plait_graph *graph = new_graph(&last);
    plait_options options = { PLAIT_OPTIONS_INIT, .scheduler = scheduler,
                              .workers = 2, .progress = terminal };
    plait_value out;
    assert_int_equal(plait_compute(graph, last, &options, &out, NULL),
                     PLAIT_ETASK);
    plait_release(out);
    size_t n = read_line(master, text, sizeof text);
    assert_begins(text, "\r[");
    assert_has(text, "]  0/10  0%"); /* at once */
    const char *line = strrchr(text, '\r');
    assert_begins(line, "\r[#");
    assert_has(line, "#]  10/10  100%  ");
    assert_has(line, "1 failed  1 skipped");
    assert_int_equal(text[n - 1], '\n');
    assert_true(strlen(line) <= 1 + 59 + 1);
    fclose(terminal);
    close(master);
    plait_graph_free(graph);
}

static void a_stream_that_fails_disturbs_nothing(void **state)
{
    const char *scheduler = *state;
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    plait_graph *graph = plait_graph_new();
    plait_task task = plait_delayed(graph, nothing);
    plait_options options = { PLAIT_OPTIONS_INIT, .scheduler = scheduler,
                              .progress = full };
    plait_value out;
    assert_int_equal(plait_compute(graph, task, &options, &out, NULL),
                     PLAIT_OK);
    fclose(full);
    plait_graph_free(graph);
}

static void without_a_stream_there_is_none(void **state)
{
    (void)state;
    assert_null(plait_progress_new(NULL));
    plait_progress_free(NULL);
}

int main(void)
{
    char sync[] = "sync", threads[] = "threads";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(a_file_gets_a_line_at_the_end, sync),
        cmocka_unit_test_prestate(a_file_gets_a_line_at_the_end, threads),
        cmocka_unit_test_prestate(each_run_has_its_line, sync),
        cmocka_unit_test_prestate(each_run_has_its_line, threads),
        cmocka_unit_test(lines_come_every_five_seconds),
        cmocka_unit_test_prestate(a_terminal_gets_a_bar, sync),
        cmocka_unit_test_prestate(a_terminal_gets_a_bar, threads),
        cmocka_unit_test_prestate(a_stream_that_fails_disturbs_nothing, sync),
        cmocka_unit_test_prestate(a_stream_that_fails_disturbs_nothing,
                                  threads),
        cmocka_unit_test(without_a_stream_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
