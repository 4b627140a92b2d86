/* SPDX-License-Identifier: BSD-3-Clause */
/* Task references inside values: found in order, replaced in copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "value/object.h"

static plait_value ref(uint32_t id)
{
    return plait_ref((plait_task){ id, 6 });
}

/* [1, #1, {#2: "x", 3: [#3, #4]}, #5]; keys come before values. */
static plait_value sample(void)
{
    plait_value inner[] = { ref(3), ref(4) };
    plait_value keys[] = { ref(2), plait_int(3) };
    plait_value values[] = { plait_string("x"), plait_list(inner, 2) };
    plait_value items[] = { plait_int(1), ref(1), plait_dict(keys, values, 2),
                            ref(5) };
    return plait_list(items, 4);
}

typedef struct seen {
    uint32_t ids[16];
    size_t n;
    size_t most;
} seen;

static bool note(plait_task task, void *user)
{
    seen *all = user;
    assert_int_equal(task.graph, 6);
    all->ids[all->n++] = task.id;
    return all->n < all->most;
}

static void refs_are_visited_in_order(void **state)
{
    plait_value v = sample();
    seen all = { .most = 16 };
    (void)state;
    assert_true(pl_each_ref(v, note, &all));
    assert_int_equal(all.n, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(all.ids[i], i + 1);
    plait_release(v);
}

static void a_visit_can_stop(void **state)
{
    plait_value v = sample();
    seen all = { .most = 3 };
    (void)state;
    assert_false(pl_each_ref(v, note, &all));
    assert_int_equal(all.n, 3);
    plait_release(v);
}

static void a_ref_itself_is_visited(void **state)
{
    seen all = { .most = 16 };
    (void)state;
    assert_true(pl_each_ref(ref(8), note, &all));
    assert_int_equal(all.n, 1);
    assert_int_equal(all.ids[0], 8);
    assert_true(pl_each_ref(plait_int(1), note, &all));
    assert_int_equal(all.n, 1);
}

typedef struct results {
    plait_value values[16];
    size_t next;
} results;

static plait_value give_next(void *user)
{
    results *from = user;
    return plait_retain(from->values[from->next++]);
}

static void assert_format(plait_value v, const char *expected)
{
    char text[200];
    plait_format(v, text, sizeof text);
    assert_string_equal(text, expected);
}

static void refs_are_replaced_in_order(void **state)
{
    plait_value v = sample();
    results from = { .next = 0 };
    (void)state;
    for (int i = 0; i < 5; i++)
        from.values[i] = plait_int(101 + i);
    plait_value made = pl_replace_refs(v, give_next, &from);
    assert_int_equal(from.next, 5);
    assert_format(made, "[1, 101, {102: \"x\", 3: [103, 104]}, 105]");
    assert_false(pl_has_refs(made));
    assert_true(pl_has_refs(v));
    plait_release(made);
    plait_release(v);
}

static void a_ref_itself_is_replaced(void **state)
{
    results from = { .values = { plait_string("result") } };
    plait_value made = pl_replace_refs(ref(1), give_next, &from);
    (void)state;
    assert_ptr_equal(made.as.object, from.values[0].as.object);
    plait_release(made);
    plait_release(from.values[0]);
}

static void parts_without_refs_are_shared(void **state)
{
    plait_value item = plait_int(1);
    plait_value plain = plait_list(&item, 1);
    plait_value items[] = { plain, ref(1) };
    plait_value v = plait_list(items, 2);
    results from = { .values = { plait_nil() } };
    (void)state;
    plait_value made = pl_replace_refs(v, give_next, &from);
    assert_ptr_equal(plait_as_list(made, NULL)[0].as.object, plain.as.object);
    plait_release(made);
    made = pl_replace_refs(plain, give_next, &from);
    assert_ptr_equal(made.as.object, plain.as.object);
    plait_release(made);
    plait_release(v);
}

/* For tasks that accept errors: unlike in plait_list, they stay items. */
static void replacements_may_be_errors(void **state)
{
    plait_value v = sample();
    results from = { .next = 0 };
    (void)state;
    for (int i = 0; i < 5; i++)
        from.values[i] = plait_error_value(PLAIT_ETASK, "e%d", i);
    plait_value made = pl_replace_refs(v, give_next, &from);
    assert_format(made, "[1, error: e0, {error: e1: \"x\", 3: [error: e2, "
                        "error: e3]}, error: e4]");
    plait_release(made);
    pl_release_all(from.values, 5);
    plait_release(v);
}

static void keys_that_become_equal_are_one(void **state)
{
    plait_value keys[] = { ref(1), ref(2) };
    plait_value values[] = { plait_int(1), plait_int(2) };
    plait_value v = plait_dict(keys, values, 2);
    results from = { .values = { plait_int(7), plait_int(7) } };
    (void)state;
    plait_value made = pl_replace_refs(v, give_next, &from);
    assert_format(made, "{7: 2}");
    plait_release(made);
    plait_release(v);
}

static plait_value nested(plait_value v, unsigned levels)
{
    for (unsigned i = 0; i < levels; i++)
        v = plait_list(&v, 1);
    return v;
}

static void a_copy_keeps_the_nesting_limit(void **state)
{
    plait_value v = nested(ref(1), PLAIT_NESTING_LIMIT / 2);
    results from = { .values = {
                         nested(plait_int(1), PLAIT_NESTING_LIMIT / 2) } };
    (void)state;
    plait_value made = pl_replace_refs(v, give_next, &from);
    assert_int_equal(plait_kind_of(made), PLAIT_KIND_LIST);
    plait_release(made);
    from.values[0] = plait_list(&from.values[0], 1);
    from.next = 0;
    made = pl_replace_refs(v, give_next, &from);
    assert_true(plait_is_error(made));
    assert_int_equal(plait_as_error(made)->status, PLAIT_EINVAL);
    plait_release(made);
    /* a failure inside: what was copied before it is released */
    plait_value part = plait_string("copied");
    plait_value items[] = { plait_retain(part), v };
    plait_value outer = plait_list(&items[1], 1);
    assert_true(plait_is_error(outer) == false);
    items[1] = outer;
    v = plait_list(items, 2);
    from.next = 0;
    made = pl_replace_refs(v, give_next, &from);
    assert_int_equal(plait_as_error(made)->status, PLAIT_EINVAL);
    plait_release(made);
    assert_int_equal(((pl_object *)part.as.object)->count, 2);
    plait_value key = plait_int(1);
    v = plait_dict(&key, &v, 1);
    from.next = 0;
    made = pl_replace_refs(v, give_next, &from);
    assert_int_equal(plait_as_error(made)->status, PLAIT_EINVAL);
    plait_release(made);
    assert_int_equal(((pl_object *)part.as.object)->count, 2);
    plait_release(part);
    plait_release(from.values[0]);
    plait_release(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refs_are_visited_in_order),
        cmocka_unit_test(a_visit_can_stop),
        cmocka_unit_test(a_ref_itself_is_visited),
        cmocka_unit_test(refs_are_replaced_in_order),
        cmocka_unit_test(a_ref_itself_is_replaced),
        cmocka_unit_test(parts_without_refs_are_shared),
        cmocka_unit_test(replacements_may_be_errors),
        cmocka_unit_test(keys_that_become_equal_are_one),
        cmocka_unit_test(a_copy_keeps_the_nesting_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
