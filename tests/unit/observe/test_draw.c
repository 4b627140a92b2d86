/* SPDX-License-Identifier: BSD-3-Clause */
/* Pictures of graphs, by the Graphviz that is installed. */
#include <plait/observe.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/thread.h"

static char folder[] = "/tmp/plait-draw-XXXXXX";
static char path[sizeof folder + 32];

static const char *in_folder(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static plait_value nothing(plait_context *ctx, const plait_value *args,
                           size_t n_args)
{
    (void)ctx;
    (void)args;
    (void)n_args;
    return plait_nil();
}

/* What is in the file, which is then removed. To be freed. */
static char *take_file(const char *name, size_t *size)
{
    size_t most = 4000000;
    char *text = calloc(1, most);
    assert_non_null(text);
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    *size = fread(text, 1, most - 1, file);
    fclose(file);
    unlink(name);
    return text;
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

/* load-0 -> clean-0 -> total-0 <- load-1 */
static plait_graph *new_graph(plait_task *total)
{
    plait_graph *graph = plait_graph_new();
    plait_task a = plait_call(graph, nothing, "load", NULL, 0);
    plait_value ref = plait_ref(a);
    plait_task b = plait_call(graph, nothing, "clean", &ref, 1);
    plait_task c = plait_call(graph, nothing, "load", NULL, 0);
    plait_value refs[] = { plait_ref(b), plait_ref(c) };
    *total = plait_call(graph, nothing, "total", refs, 2);
    assert_int_equal(plait_graph_status(graph, NULL), PLAIT_OK);
    return graph;
}

static void an_svg_shows_tasks_and_uses(void **state)
{
    (void)state;
    plait_task total;
    size_t size;
    plait_error err = { PLAIT_ERROR_INIT, .status = PLAIT_ETASK };
    plait_graph *graph = new_graph(&total);
    const char *name = in_folder("graph.SVG");
    assert_int_equal(plait_graph_draw(graph, &total, 1, NULL, name, &err),
                     PLAIT_OK);
    assert_int_equal(err.status, PLAIT_OK);
    char *text = take_file(name, &size);
    assert_int_equal(count(text, "class=\"node\""), 4);
    assert_int_equal(count(text, "class=\"edge\""), 3);
    assert_non_null(strstr(text, ">load&#45;1</text>"));
    free(text);
    plait_graph_free(graph);
}

static void other_formats_are_drawn_too(void **state)
{
    (void)state;
    plait_task total;
    size_t size;
    plait_graph *graph = new_graph(&total);
    const struct {
        const char *name, *begin;
    } formats[] = {
        { "g.png", "\x89PNG" },
        { "g.pdf", "%PDF" },
        { "g.dot", "digraph plait {" },
        { "g.gv", "digraph plait {" },
    };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const char *name = in_folder(formats[i].name);
        assert_int_equal(plait_graph_draw(graph, NULL, 0, NULL, name, NULL),
                         PLAIT_OK);
        char *data = take_file(name, &size);
        assert_true(size > 100);
        assert_memory_equal(data, formats[i].begin, strlen(formats[i].begin));
        free(data);
    }
    plait_graph_free(graph);
}

static void happen(const plait_observer *observer, plait_event_kind kind,
                   plait_task task, int64_t time_ns)
{
    plait_event event = { .size = sizeof event,
                          .kind = kind,
                          .task = task,
                          .key = "",
                          .worker = 1,
                          .time_ns = time_ns };
    observer->on_event(&event, observer->user);
}

static void a_profile_colours_by_outcome_and_time(void **state)
{
    (void)state;
    plait_task total;
    size_t size;
    plait_graph *graph = new_graph(&total);
    plait_observer *profile = plait_profile_new();
    plait_task load = { 1, total.graph }, clean = { 2, total.graph };
    happen(profile, PLAIT_TASK_BEGIN, load, 1000);
    happen(profile, PLAIT_TASK_END, load, 2501000);
    happen(profile, PLAIT_TASK_BEGIN, clean, 3000000);
    happen(profile, PLAIT_TASK_RETRIED, clean, 3000100);
    happen(profile, PLAIT_TASK_BEGIN, clean, 3000200);
    happen(profile, PLAIT_TASK_FAILED, clean, 3001200);
    happen(profile, PLAIT_TASK_SKIPPED, total, 3001300);
    const char *name = in_folder("profile.dot");
    assert_int_equal(plait_graph_draw(graph, &total, 1, profile, name, NULL),
                     PLAIT_OK);
    char *text = take_file(name, &size);
    assert_non_null(strstr(text, "t1 [label=\"load-0\", tooltip=\"load-0: ok, "
                                 "2.5 ms on plait-1\", "
                                 "fillcolor=\"#ff8c00\"]"));
    assert_non_null(strstr(text, "tooltip=\"clean-0: failed, 1.0 us on "
                                 "plait-1, attempt 2\", "
                                 "fillcolor=\"#e0524d\"]"));
    assert_non_null(strstr(text, "tooltip=\"load-1: did not run\""));
    assert_non_null(strstr(text, "tooltip=\"total-0: skipped\", "
                                 "fillcolor=\"#c8c8c8\"]"));
    free(text);
    name = in_folder("profile.svg");
    assert_int_equal(plait_graph_draw(graph, &total, 1, profile, name, NULL),
                     PLAIT_OK);
    text = take_file(name, &size);
    assert_int_equal(count(text, "fill=\"#e0524d\""), 1);
    assert_non_null(strstr(text, "load&#45;0: ok, 2.5 ms on plait&#45;1"));
    free(text);
    plait_profile_free(profile);
    plait_graph_free(graph);
}

static void hostile_names_stay_names(void **state)
{
    (void)state;
    size_t size;
    const char *const keys[] = {
        "</text><script>alert(1)</script>",
        "\"]; evil [label=\"x",
        "\\N\\",
        "a\nb",
        "\x1b[31m\x01\xff\xfe",
        "&lt;",
        "<<b>x</b>>",
        "]]>",
        "image.png\" image=\"/etc/passwd",
    };
    size_t n = sizeof keys / sizeof *keys;
    plait_graph *graph = plait_graph_new();
    for (size_t i = 0; i < n; i++) {
        plait_task task = plait_call(graph, nothing, "f", NULL, 0);
        plait_task_options options = { PLAIT_TASK_OPTIONS_INIT,
                                       .key = keys[i] };
        assert_int_equal(plait_task_set(graph, task, &options), PLAIT_OK);
    }
    const char *name = in_folder("hostile.svg");
    assert_int_equal(plait_graph_draw(graph, NULL, 0, NULL, name, NULL),
                     PLAIT_OK);
    char command[sizeof path + 128];
    snprintf(command, sizeof command,
             "python3 -c 'import sys, xml.dom.minidom as d; "
             "d.parse(sys.argv[1])' %s",
             name);
    assert_int_equal(system(command), 0);
    char *text = take_file(name, &size);
    assert_int_equal(count(text, "class=\"node\""), n);
    assert_int_equal(count(text, "<script"), 0);
    assert_int_equal(count(text, "<image"), 0);
    free(text);
    plait_graph_free(graph);
}

static void assert_refused(const plait_graph *graph, const char *file,
                           plait_status status, const char *words)
{
    plait_error err = { PLAIT_ERROR_INIT };
    assert_int_equal(plait_graph_draw(graph, NULL, 0, NULL, file, &err),
                     status);
    assert_int_equal(err.status, status);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" says nothing of \"%s\"", err.message, words);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    plait_task total;
    plait_graph *graph = new_graph(&total);
    assert_refused(graph, in_folder("g.xyz"), PLAIT_EINVAL, " svg");
    assert_int_not_equal(access(path, F_OK), 0);
    assert_refused(graph, in_folder("g.xlib"), PLAIT_EINVAL, "xlib");
    assert_refused(graph, in_folder("nothing"), PLAIT_EINVAL, "extension");
    assert_refused(graph, "./a.b/nothing", PLAIT_EINVAL, "extension");
    assert_refused(graph, in_folder("g."), PLAIT_EINVAL, "extension");
    assert_refused(graph, NULL, PLAIT_EINVAL, "extension");
    assert_refused(graph, "/nowhere/g.svg", PLAIT_ESYS, "/nowhere/g.svg");
    assert_refused(graph, "/nowhere/g.dot", PLAIT_ESYS, "/nowhere/g.dot");
    assert_refused(NULL, in_folder("g.svg"), PLAIT_ENOMEM, "NULL");
    plait_graph_fail(graph, PLAIT_ETYPE, "built wrong");
    assert_refused(graph, in_folder("g.dot"), PLAIT_ETYPE, "built wrong");
    assert_int_not_equal(access(path, F_OK), 0);
    plait_graph_free(graph);
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    plait_task total;
    plait_graph *graph = new_graph(&total);
    char name[sizeof path];
    snprintf(name, sizeof name, "%s", in_folder("full.svg"));
    assert_int_equal(symlink("/dev/full", name), 0);
    assert_refused(graph, name, PLAIT_ESYS, "full.svg: No space left");
    unlink(name);
    snprintf(name, sizeof name, "%s", in_folder("full.dot"));
    assert_int_equal(symlink("/dev/full", name), 0);
    assert_refused(graph, name, PLAIT_ESYS, "full.dot: No space left");
    unlink(name);
    plait_graph_free(graph);
}

static void a_graph_too_large_for_a_picture_is_still_text(void **state)
{
    (void)state;
    size_t size;
    plait_graph *graph = plait_graph_new();
    for (int i = 0; i < 5001; i++)
        plait_call(graph, nothing, "f", NULL, 0);
    assert_refused(graph, in_folder("large.svg"), PLAIT_EINVAL, "too many");
    const char *name = in_folder("large.dot");
    assert_int_equal(plait_graph_draw(graph, NULL, 0, NULL, name, NULL),
                     PLAIT_OK);
    char *text = take_file(name, &size);
    assert_int_equal(count(text, " [label="), 5001);
    free(text);
    plait_graph_free(graph);
}

static void only_a_profile_is_a_profile(void **state)
{
    (void)state;
    plait_task total;
    plait_observer other = { PLAIT_OBSERVER_INIT };
    plait_graph *graph = new_graph(&total);
    assert_int_equal(
        plait_graph_draw(graph, NULL, 0, &other, in_folder("g.svg"), NULL),
        PLAIT_EINVAL);
    plait_graph_free(graph);
}

static void draw_often(void *arg)
{
    plait_task total;
    plait_graph *graph = new_graph(&total);
    for (int i = 0; i < 5; i++)
        assert_int_equal(plait_graph_draw(graph, &total, 1, NULL, arg, NULL),
                         PLAIT_OK);
    plait_graph_free(graph);
}

static void threads_may_draw_at_once(void **state)
{
    (void)state;
    char names[3][sizeof path];
    pl_thread threads[3];
    size_t size;
    for (int i = 0; i < 3; i++) {
        snprintf(names[i], sizeof names[i], "%s/g%d.svg", folder, i);
        assert_true(
            pl_thread_begin(&threads[i], draw_often, names[i], "draws"));
    }
    for (int i = 0; i < 3; i++) {
        pl_thread_join(threads[i]);
        char *text = take_file(names[i], &size);
        assert_int_equal(count(text, "class=\"node\""), 4);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_svg_shows_tasks_and_uses),
        cmocka_unit_test(other_formats_are_drawn_too),
        cmocka_unit_test(a_profile_colours_by_outcome_and_time),
        cmocka_unit_test(hostile_names_stay_names),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(a_graph_too_large_for_a_picture_is_still_text),
        cmocka_unit_test(only_a_profile_is_a_profile),
        cmocka_unit_test(threads_may_draw_at_once),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
