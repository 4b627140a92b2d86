/* SPDX-License-Identifier: BSD-3-Clause */
/* Graphs as Graphviz text, read back by Graphviz itself. */
#include "graph/dot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"

static plait_value nothing(plait_context *ctx, const plait_value *args,
                           size_t n_args)
{
    (void)ctx;
    (void)args;
    (void)n_args;
    return plait_nil();
}

/* The text of what these tasks need; freed with pl_free. */
static char *text_of(const plait_graph *graph, const plait_task *tasks,
                     size_t n)
{
    pl_dot_request request = { .graph = graph, .tasks = tasks, .n = n };
    pl_strbuf text = { 0 };
    plait_error err = { PLAIT_ERROR_INIT };
    assert_int_equal(pl_dot_text(&request, &text, &err), PLAIT_OK);
    return pl_strbuf_take(&text);
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

/* What a program of Graphviz says of the text. */
static void read_back(const char *text, const char *command, char *answer,
                      size_t size)
{
    char path[] = "/tmp/plait-dot-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    char line[256];
    snprintf(line, sizeof line, "%s %s 2>&1", command, path);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    size_t n = fread(answer, 1, size - 1, pipe);
    answer[n] = '\0';
    assert_int_equal(pclose(pipe), 0);
    unlink(path);
}

static void tasks_are_nodes_and_uses_arrows(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_task load = plait_call(graph, nothing, "load", NULL, 0);
    plait_task clean = plait_delayed(graph, nothing, load);
    plait_task list = plait_delayed(
        graph, nothing, plait_tasks((plait_task[]){ load, clean }, 2));
    char *text = text_of(graph, NULL, 0);
    assert_non_null(strstr(text, "digraph"));
    assert_int_equal(count(text, " [label="), 3);
    assert_non_null(strstr(text, "label=\"load-0\""));
    assert_int_equal(count(text, " -> "), 3);
    assert_non_null(strstr(text, "t1 -> t2;"));
    assert_non_null(strstr(text, "t1 -> t3;"));
    assert_non_null(strstr(text, "t2 -> t3;"));
    assert_int_equal(count(text, "peripheries"), 0);
    assert_int_equal(list.id, 3);
    pl_free(text);
    plait_graph_free(graph);
}

static void only_what_the_targets_need_is_drawn(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_task a = plait_call(graph, nothing, "a", NULL, 0);
    plait_task b = plait_delayed(graph, nothing, a);
    plait_call(graph, nothing, "unused", NULL, 0);
    plait_task after = plait_delayed(graph, nothing, b);
    char *text = text_of(graph, (plait_task[]){ b, b }, 2);
    assert_int_equal(count(text, " [label="), 2);
    assert_null(strstr(text, "unused"));
    assert_int_equal(count(text, "peripheries=2"), 1);
    assert_non_null(strstr(strstr(text, "t2 [label"), "peripheries=2"));
    assert_int_equal(after.id, 4);
    pl_free(text);
    plait_graph_free(graph);
}

static void a_task_used_twice_has_one_arrow(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_task a = plait_call(graph, nothing, "a", NULL, 0);
    plait_task b = plait_delayed(graph, nothing, a, a, a);
    char *text = text_of(graph, &b, 1);
    assert_int_equal(count(text, " -> "), 1);
    pl_free(text);
    plait_graph_free(graph);
}

static void literals_are_boxes_with_their_value(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_task v = plait_literal(graph, plait_int(4711));
    plait_task named = plait_call(graph, nothing, "literal",
                                  (plait_value[]){ plait_ref(v) }, 1);
    char *text = text_of(graph, &named, 1);
    assert_non_null(strstr(text, "t1 [label=\"4711\", shape=box"));
    assert_int_equal(count(text, "shape=box"), 1);
    pl_free(text);
    plait_graph_free(graph);
}

static void long_keys_are_cut(void **state)
{
    (void)state;
    char name[3001];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    plait_graph *graph = plait_graph_new();
    plait_task t = plait_call(graph, nothing, name, NULL, 0);
    char *text = text_of(graph, &t, 1);
    assert_true(strlen(text) < 1000);
    assert_non_null(strstr(text, "xxx\xe2\x80\xa6\", shape=ellipse"));
    pl_free(text);
    plait_graph_free(graph);
}

typedef struct hostile {
    const char *key;
    const char *shown; /* in the label, as Graphviz has read it */
} hostile;

static const hostile names[] = {
    { "plain", "plain" },
    { "", "" },
    { "say \"hi\"", "say \"hi\"" },
    { "ends with \\", "ends with \\\\" },
    { "\\\"];evil [label=\"x", "\\\\\"];evil [label=\"x" },
    { "\\N \\G \\l", "\\\\N \\\\G \\\\l" },
    { "two\nlines", "two\\nlines" },
    { "<b>bold</b>", "<b>bold</b>" },
    { "<<table><tr><td>x</td></tr></table>>",
      "<<table><tr><td>x</td></tr></table>>" },
    { "&lt;&#65;&", "&amp;lt;&amp;#65;&amp;" },
    { "{a|b}", "{a|b}" },
    { "stop \x01\x1b[31m", "stop \xef\xbf\xbd\xef\xbf\xbd[31m" },
    { "\xff\xfe latin \xe9", "\xef\xbf\xbd\xef\xbf\xbd latin \xef\xbf\xbd" },
    { "snow \xe2\x98\x83", "snow \xe2\x98\x83" },
    { "half \xe2\x98", "half \xef\xbf\xbd\xef\xbf\xbd" },
    { "-> t1; /* */ // #", "-> t1; /* */ // #" },
};

static void graphviz_reads_hostile_names_as_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char answer[4096];
        plait_graph *graph = plait_graph_new();
        plait_task t = plait_call(graph, nothing, "f", NULL, 0);
        plait_task_options options = { PLAIT_TASK_OPTIONS_INIT,
                                       .key = names[i].key };
        assert_int_equal(plait_task_set(graph, t, &options), PLAIT_OK);
        char *text = text_of(graph, &t, 1);
        read_back(text, "gvpr 'N { print($.name, \":\", $.label) }'", answer,
                  sizeof answer);
        char expected[256];
        snprintf(expected, sizeof expected, "t1:%s\n", names[i].shown);
        assert_string_equal(answer, expected);
        pl_free(text);
        plait_graph_free(graph);
    }
}

static void graphviz_lays_hostile_names_out(void **state)
{
    (void)state;
    static char answer[100000];
    plait_graph *graph = plait_graph_new();
    size_t n = sizeof names / sizeof *names;
    for (size_t i = 0; i < n; i++) {
        plait_task t = plait_call(graph, nothing, names[i].key, NULL, 0);
        plait_literal(graph, plait_string(names[i].key));
        plait_task_options options = { PLAIT_TASK_OPTIONS_INIT,
                                       .key = names[i].key };
        assert_int_equal(plait_task_set(graph, t, &options), PLAIT_OK);
    }
    char *text = text_of(graph, NULL, 0);
    read_back(text, "dot -Tsvg", answer, sizeof answer);
    assert_null(strstr(answer, "Warning"));
    assert_null(strstr(answer, "Error"));
    assert_int_equal(count(answer, "class=\"node\""), 2 * n);
    assert_int_equal(count(answer, "class=\"edge\""), 0);
    assert_non_null(strstr(answer, ">\\N \\G \\l</text>"));
    assert_non_null(strstr(answer, ">ends with \\</text>"));
    pl_free(text);
    plait_graph_free(graph);
}

static void red(plait_task task, pl_dot_look *look, void *user)
{
    *(unsigned *)user += task.id;
    snprintf(look->fill, sizeof look->fill, "#ff0000");
    snprintf(look->note, sizeof look->note, "note \"%u\"", task.id);
}

/* Graphviz 2.43 undoes the escapes of a tooltip twice: a backslash at its end
 * made it read what is behind. */
static void tooltips_have_no_backslash(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_task t = plait_call(graph, nothing, "\\N\\", NULL, 0);
    char *text = text_of(graph, &t, 1);
    const char *tooltip = strstr(text, "tooltip=");
    assert_non_null(tooltip);
    assert_null(strchr(tooltip, '\\'));
    assert_non_null(strstr(tooltip, "\"\xe2\xa7\xb5N\xe2\xa7\xb5-0\""));
    pl_free(text);
    plait_graph_free(graph);
}

static void a_style_colours_tasks(void **state)
{
    (void)state;
    unsigned seen = 0;
    plait_graph *graph = plait_graph_new();
    plait_task a = plait_call(graph, nothing, "a", NULL, 0);
    plait_task b = plait_delayed(graph, nothing, a);
    pl_dot_style style = { red, &seen };
    pl_dot_request request = {
        .graph = graph, .tasks = &b, .n = 1, .style = &style
    };
    pl_strbuf text = { 0 };
    assert_int_equal(pl_dot_text(&request, &text, NULL), PLAIT_OK);
    assert_int_equal(seen, 3);
    assert_int_equal(count(text.text, "fillcolor=\"#ff0000\""), 2);
    assert_non_null(strstr(text.text, "tooltip=\"a-0: note \\\"1\\\"\""));
    pl_strbuf_fini(&text);
    plait_graph_free(graph);
}

static void too_many_are_refused_before_anything_is_written(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_task a = plait_call(graph, nothing, "a", NULL, 0);
    plait_task b = plait_delayed(graph, nothing, a, a);
    pl_dot_request request = {
        .graph = graph, .tasks = &b, .n = 1, .limit = 2
    };
    pl_strbuf text = { 0 };
    plait_error err = { PLAIT_ERROR_INIT };
    assert_int_equal(pl_dot_text(&request, &text, &err), PLAIT_EINVAL);
    assert_int_equal(text.length, 0);
    assert_non_null(strstr(err.message, "3 tasks and uses"));
    request.limit = 3;
    assert_int_equal(pl_dot_text(&request, &text, &err), PLAIT_OK);
    pl_strbuf_fini(&text);
    request.n = 0;
    request.limit = 2;
    assert_int_equal(pl_dot_text(&request, &text, &err), PLAIT_EINVAL);
    pl_strbuf_fini(&text);
    plait_graph_free(graph);
}

static void plait_graph_dot_writes_to_a_stream(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_task last = plait_call(graph, nothing, "first", NULL, 0);
    for (int i = 0; i < 5000; i++) /* more than a chunk */
        last = plait_delayed(graph, nothing, last);
    char *written = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&written, &size);
    assert_non_null(stream);
    assert_int_equal(plait_graph_dot(graph, &last, 1, stream), PLAIT_OK);
    assert_int_equal(fclose(stream), 0);
    char *text = text_of(graph, &last, 1);
    assert_true(size > 64 * 1024);
    assert_string_equal(written, text);
    pl_free(text);
    free(written);
    plait_graph_free(graph);
}

static void an_empty_graph_is_an_empty_picture(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    char *text = text_of(graph, NULL, 0);
    assert_int_equal(count(text, " [label="), 0);
    assert_int_equal(text[strlen(text) - 2], '}');
    pl_free(text);
    plait_graph_free(graph);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_graph *other = plait_graph_new();
    plait_task t = plait_call(other, nothing, "f", NULL, 0);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(plait_graph_dot(NULL, NULL, 0, full), PLAIT_ENOMEM);
    assert_int_equal(plait_graph_dot(graph, NULL, 0, NULL), PLAIT_EINVAL);
    assert_int_equal(plait_graph_dot(graph, NULL, 1, full), PLAIT_EINVAL);
    assert_int_equal(plait_graph_dot(graph, &t, 1, full), PLAIT_EINVAL);
    t.graph--;
    t.id = 7;
    assert_int_equal(plait_graph_dot(graph, &t, 1, full), PLAIT_EINVAL);
    assert_int_equal(plait_graph_dot(other, NULL, 0, full), PLAIT_ESYS);
    plait_graph_fail(other, PLAIT_ETYPE, "wrong");
    assert_int_equal(plait_graph_dot(other, NULL, 0, full), PLAIT_ETYPE);
    fclose(full);
    plait_graph_free(graph);
    plait_graph_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_are_nodes_and_uses_arrows),
        cmocka_unit_test(only_what_the_targets_need_is_drawn),
        cmocka_unit_test(a_task_used_twice_has_one_arrow),
        cmocka_unit_test(literals_are_boxes_with_their_value),
        cmocka_unit_test(long_keys_are_cut),
        cmocka_unit_test(graphviz_reads_hostile_names_as_they_are),
        cmocka_unit_test(graphviz_lays_hostile_names_out),
        cmocka_unit_test(tooltips_have_no_backslash),
        cmocka_unit_test(a_style_colours_tasks),
        cmocka_unit_test(too_many_are_refused_before_anything_is_written),
        cmocka_unit_test(plait_graph_dot_writes_to_a_stream),
        cmocka_unit_test(an_empty_graph_is_an_empty_picture),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
