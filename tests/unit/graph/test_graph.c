/* SPDX-License-Identifier: BSD-3-Clause */
/* test_graph.c: building graphs: arguments, functions, keys, what sticks. */
#include "graph/graph.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "counted.h"

static plait_value f(plait_context *ctx, const plait_value *args, size_t n)
{
    (void)ctx;
    (void)args;
    (void)n;
    return plait_nil();
}

static plait_value g(plait_context *ctx, const plait_value *args, size_t n)
{
    return f(ctx, args, n);
}

/* The i-th argument of a task, as a value. */
static plait_value argument(const plait_graph *graph, plait_task task,
                            uint32_t i)
{
    uint32_t word =
        pl_graph_word(graph, pl_graph_node_at(graph, task.id)->words + i);
    return word & PL_WORD_LITERAL
               ? pl_graph_literal(graph, word)
               : plait_ref((plait_task){ word, graph->number });
}

static void assert_key(const plait_graph *graph, plait_task task,
                       const char *key)
{
    char buf[128];
    assert_int_equal(plait_task_key(graph, task, buf, sizeof buf), strlen(key));
    assert_string_equal(buf, key);
}

static void delayed_takes_every_kind(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_task x = plait_delayed(graph, f);
    char text[] = "writable";
    plait_task t = plait_delayed(graph, f, -1, 2u, 3L, 4UL, (short)5, 'c', 1.5,
                                 2.5f, (bool)true, "text", text, x, plait_nil(),
                                 14LL, (uint8_t)15, 16ULL);
    assert_int_equal(plait_graph_status(graph, NULL), PLAIT_OK);
    assert_int_equal(plait_graph_size(graph), 2);
    assert_int_equal(plait_as_int(argument(graph, t, 0)), -1);
    assert_int_equal(plait_as_int(argument(graph, t, 3)), 4);
    assert_int_equal(plait_as_int(argument(graph, t, 5)), 'c');
    assert_true(plait_as_float(argument(graph, t, 7)) == 2.5);
    assert_int_equal(plait_kind_of(argument(graph, t, 8)), PLAIT_KIND_BOOL);
    assert_string_equal(plait_as_string(argument(graph, t, 10)), "writable");
    assert_int_equal(plait_kind_of(argument(graph, t, 11)), PLAIT_KIND_REF);
    assert_int_equal(plait_kind_of(argument(graph, t, 12)), PLAIT_KIND_NIL);
    assert_int_equal(plait_as_int(argument(graph, t, 15)), 16);
    plait_graph_free(graph);
}

static void arguments_that_cannot_be(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_task t = plait_delayed(graph, f, UINT64_MAX);
    assert_int_equal(t.id, 0);
    assert_int_equal(plait_graph_status(graph, NULL), PLAIT_EINVAL);
    plait_graph_free(graph);
    graph = plait_graph_new();
    const char *null = NULL;
    t = plait_delayed(graph, f, null, counted_new(1));
    assert_int_equal(t.id, 0);
    assert_int_equal(plait_graph_status(graph, NULL), PLAIT_EINVAL);
    assert_int_equal(counted_alive(), 0);
    plait_graph_free(graph);
    graph = plait_graph_new();
    plait_value one = counted_new(1);
    t = plait_call(graph, NULL, "nothing", &one, 1);
    assert_int_equal(t.id, 0);
    plait_error err = { PLAIT_ERROR_INIT };
    assert_int_equal(plait_graph_status(graph, &err), PLAIT_EINVAL);
    assert_non_null(strstr(err.message, "nothing"));
    assert_int_equal(counted_alive(), 0);
    plait_graph_free(graph);
}

/* References name earlier tasks only: a cycle can't be built. */
static void a_reference_to_a_later_task(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_task x = plait_delayed(graph, f);
    plait_task later = { x.id + 1, x.graph };
    assert_int_equal(plait_delayed(graph, f, later).id, 0);
    assert_int_equal(plait_graph_status(graph, NULL), PLAIT_EINVAL);
    plait_graph_free(graph);
}

static void a_graph_that_is_null(void **state)
{
    (void)state;
    plait_value values[] = { counted_new(1), counted_new(2) };
    plait_task t = plait_call(NULL, f, "f", values, 2);
    assert_int_equal(t.id, 0);
    assert_int_equal(plait_literal(NULL, counted_new(3)).id, 0);
    assert_int_equal(counted_alive(), 0);
    assert_int_equal(plait_graph_size(NULL), 0);
    assert_int_equal(plait_graph_status(NULL, NULL), PLAIT_ENOMEM);
    assert_int_equal(plait_graph_fail(NULL, PLAIT_EINVAL, "no"), PLAIT_EINVAL);
    assert_int_equal(plait_task_set(NULL, t, NULL), PLAIT_ENOMEM);
    plait_function function = { PLAIT_FUNCTION_INIT, .fn = f };
    assert_int_equal(plait_function_add(NULL, &function).id, 0);
    assert_key(NULL, t, "(no task)");
    plait_graph_free(NULL);
}

static void the_first_error_sticks(void **state)
{
    (void)state;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_graph *graph = plait_graph_new();
    assert_int_equal(plait_graph_fail(graph, PLAIT_ETYPE, "bad %s", "file"),
                     PLAIT_ETYPE);
    assert_int_equal(plait_graph_fail(graph, PLAIT_EINVAL, "worse"),
                     PLAIT_EINVAL);
    assert_int_equal(plait_graph_status(graph, &err), PLAIT_ETYPE);
    assert_string_equal(err.message, "bad file");
    assert_int_equal(plait_delayed(graph, f, counted_new(1)).id, 0);
    assert_int_equal(counted_alive(), 0);
    plait_graph_free(graph);
}

static void keys_count_the_calls_of_a_name(void **state)
{
    (void)state;
    char buf[4];
    plait_graph *graph = plait_graph_new();
    plait_task a = plait_delayed(graph, f);
    plait_task b = plait_call(graph, g, "f", NULL, 0); /* a namesake */
    plait_task c = plait_delayed(graph, f);
    plait_task d = plait_call(graph, g, NULL, NULL, 0);
    plait_task e = plait_literal(graph, plait_int(1));
    assert_key(graph, a, "f-0");
    assert_key(graph, b, "f-1");
    assert_key(graph, c, "f-2");
    assert_key(graph, d, "task-0");
    assert_key(graph, e, "literal-0");
    assert_int_equal(plait_task_key(graph, d, buf, sizeof buf), 6);
    assert_string_equal(buf, "tas");
    assert_int_equal(plait_task_key(graph, d, NULL, 0), 6);
    plait_graph_free(graph);
}

static void a_function_is_added_once(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    for (int i = 0; i < 100; i++) {
        plait_delayed(graph, f);
        plait_delayed(graph, g);
        plait_call(graph, f, "other", NULL, 0);
    }
    assert_int_equal(graph->functions.length, 3);
    for (int i = 0; i < 300; i++) { /* found among many, too */
        char name[16];
        snprintf(name, sizeof name, "f%d", i % 150);
        plait_call(graph, f, name, NULL, 0);
    }
    assert_int_equal(graph->functions.length, 153);
    assert_key(graph, (plait_task){ 600, graph->number }, "f149-1");
    plait_graph_free(graph);
}

static int payloads_freed;

static void free_payload(void *payload)
{
    payloads_freed++;
    free(payload);
}

static void payloads_are_freed_once(void **state)
{
    (void)state;
    plait_function function = { PLAIT_FUNCTION_INIT, .fn = f, .name = "own",
                                .free_payload = free_payload };
    payloads_freed = 0;
    plait_graph *graph = plait_graph_new();
    function.payload = malloc(1);
    plait_func own = plait_function_add(graph, &function);
    function.payload = malloc(1);
    plait_func second = plait_function_add(graph, &function);
    assert_int_not_equal(own.id, second.id);
    assert_key(graph, plait_call_func(graph, own, NULL, 0), "own-0");
    assert_key(graph, plait_call_func(graph, second, NULL, 0), "own-1");
    assert_int_equal(payloads_freed, 0);
    plait_graph_fail(graph, PLAIT_EINVAL, "over");
    function.payload = malloc(1);
    assert_int_equal(plait_function_add(graph, &function).id, 0);
    assert_int_equal(payloads_freed, 1);
    plait_graph_free(graph);
    assert_int_equal(payloads_freed, 3);
}

static void functions_that_cannot_be(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_graph *other = plait_graph_new();
    plait_func own = plait_function_add(
        graph, &(plait_function){ PLAIT_FUNCTION_INIT, .fn = f });
    plait_value one = counted_new(1);
    assert_int_equal(plait_call_func(other, own, &one, 1).id, 0);
    assert_int_equal(plait_graph_status(other, NULL), PLAIT_EINVAL);
    assert_int_equal(counted_alive(), 0);
    plait_graph_free(other);
    other = plait_graph_new();
    plait_function_add(other, &(plait_function){ PLAIT_FUNCTION_INIT });
    assert_int_equal(plait_graph_status(other, NULL), PLAIT_EINVAL);
    plait_graph_free(other);
    other = plait_graph_new();
    plait_function_add(other, &(plait_function){ .size = 0, .fn = f });
    assert_int_equal(plait_graph_status(other, NULL), PLAIT_EINVAL);
    plait_graph_free(other);
    plait_graph_free(graph);
}

static void options_of_a_task(void **state)
{
    (void)state;
    plait_graph *graph = plait_graph_new();
    plait_task x = plait_delayed(graph, f);
    plait_task y = plait_delayed(graph, f);
    plait_task_options options = { PLAIT_TASK_OPTIONS_INIT, .key = "mine",
                                   .retries = 2, .priority = -3 };
    assert_null(pl_graph_options(graph, x.id));
    assert_int_equal(plait_task_set(graph, x, &options), PLAIT_OK);
    assert_key(graph, x, "mine");
    assert_key(graph, y, "f-1");
    assert_int_equal(pl_graph_options(graph, x.id)->priority, -3);
    options = (plait_task_options){ PLAIT_TASK_OPTIONS_INIT, .key = "new" };
    assert_int_equal(plait_task_set(graph, x, &options), PLAIT_OK);
    assert_key(graph, x, "new"); /* all of them are set */
    assert_int_equal(pl_graph_options(graph, x.id)->retries, 0);
    assert_int_equal(plait_task_set(graph, x, NULL), PLAIT_OK);
    assert_key(graph, x, "f-0");
    plait_task none = { 0, 0 };
    assert_int_equal(plait_task_set(graph, none, &options), PLAIT_EINVAL);
    assert_int_equal(plait_graph_status(graph, NULL), PLAIT_EINVAL);
    plait_graph_free(graph);
}

static void options_of_older_and_newer_callers(void **state)
{
    (void)state;
    struct {
        plait_task_options known;
        uint64_t unknown;
    } newer = { .known = { .size = sizeof newer, .key = "newer" } };
    plait_graph *graph = plait_graph_new();
    plait_task x = plait_delayed(graph, f);
    plait_task_options older = { .size = offsetof(plait_task_options, priority),
                                 .retries = 4,
                                 .priority = 5 };
    assert_int_equal(plait_task_set(graph, x, &older), PLAIT_OK);
    assert_int_equal(pl_graph_options(graph, x.id)->retries, 4);
    assert_int_equal(pl_graph_options(graph, x.id)->priority, 0);
    assert_int_equal(plait_task_set(graph, x, &newer.known), PLAIT_OK);
    assert_key(graph, x, "newer");
    newer.unknown = 1;
    assert_int_equal(plait_task_set(graph, x, &newer.known), PLAIT_EINVAL);
    plait_graph_free(graph);
}

static bool note_input(uint32_t input, void *user)
{
    uint32_t **at = user;
    *(*at)++ = input;
    return true;
}

static void inputs_in_the_order_of_arguments(void **state)
{
    (void)state;
    uint32_t inputs[8], *at = inputs;
    plait_graph *graph = plait_graph_new();
    plait_task x = plait_delayed(graph, f);
    plait_task y = plait_delayed(graph, f);
    plait_task two[] = { y, x };
    plait_task t =
        plait_delayed(graph, f, y, 1, plait_tasks(two, 2), x, "text", x);
    assert_true(pl_graph_each_input(graph, t.id, note_input, &at));
    const uint32_t expected[] = { y.id, y.id, x.id, x.id, x.id };
    assert_int_equal(at - inputs, 5);
    assert_memory_equal(inputs, expected, sizeof expected);
    plait_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delayed_takes_every_kind),
        cmocka_unit_test(arguments_that_cannot_be),
        cmocka_unit_test(a_reference_to_a_later_task),
        cmocka_unit_test(a_graph_that_is_null),
        cmocka_unit_test(the_first_error_sticks),
        cmocka_unit_test(keys_count_the_calls_of_a_name),
        cmocka_unit_test(a_function_is_added_once),
        cmocka_unit_test(payloads_are_freed_once),
        cmocka_unit_test(functions_that_cannot_be),
        cmocka_unit_test(options_of_a_task),
        cmocka_unit_test(options_of_older_and_newer_callers),
        cmocka_unit_test(inputs_in_the_order_of_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
