/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists and dicts: what they take, how deep they nest, keys that repeat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "value/object.h"

static uint32_t count_of(plait_value v)
{
    return ((pl_object *)v.as.object)->count;
}

static void list_takes_its_items(void **state)
{
    plait_value text = plait_string("x");
    plait_value items[] = { plait_int(1), plait_retain(text) };
    plait_value v = plait_list(items, 2);
    size_t n;
    (void)state;
    items[0] = plait_nil();
    const plait_value *kept = plait_as_list(v, &n);
    assert_int_equal(n, 2);
    assert_int_equal(plait_as_int(kept[0]), 1);
    assert_int_equal(count_of(text), 2);
    plait_release(v);
    assert_int_equal(count_of(text), 1);
    plait_release(text);
}

static void list_of_nothing(void **state)
{
    plait_value v = plait_list(NULL, 0);
    size_t n = 3;
    (void)state;
    assert_int_equal(plait_kind_of(v), PLAIT_KIND_LIST);
    assert_non_null(plait_as_list(v, &n));
    assert_int_equal(n, 0);
    plait_release(v);
}

static void list_given_an_error_is_that_error(void **state)
{
    plait_value text = plait_string("x");
    plait_value first = plait_error_value(PLAIT_ETASK, "first");
    plait_value items[] = { plait_retain(text), first,
                            plait_error_value(PLAIT_ETASK, "second") };
    plait_value v = plait_list(items, 3);
    (void)state;
    assert_ptr_equal(v.as.object, first.as.object);
    assert_int_equal(count_of(v), 1);
    assert_int_equal(count_of(text), 1);
    plait_release(v);
    plait_release(text);
}

static void list_of_null_is_an_error(void **state)
{
    plait_value v = plait_list(NULL, 2);
    (void)state;
    assert_int_equal(plait_as_error(v)->status, PLAIT_EINVAL);
    plait_release(v);
    v = plait_tasks(NULL, 2);
    assert_int_equal(plait_as_error(v)->status, PLAIT_EINVAL);
    plait_release(v);
}

static plait_value nested(unsigned levels, bool dicts)
{
    plait_value v = plait_int(1);
    plait_value key = plait_string("deeper");
    for (unsigned i = 0; i < levels; i++) {
        plait_value again = plait_retain(key);
        bool as_dict = dicts && i % 2;
        v = as_dict ? plait_dict(&again, &v, 1) : plait_list(&v, 1);
        if (!as_dict)
            plait_release(again);
    }
    plait_release(key);
    return v;
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    for (int dicts = 0; dicts < 2; dicts++) {
        plait_value v = nested(PLAIT_NESTING_LIMIT, dicts);
        assert_false(plait_is_error(v));
        plait_release(v);
        v = nested(PLAIT_NESTING_LIMIT + 1, dicts);
        assert_true(plait_is_error(v));
        assert_int_equal(plait_as_error(v)->status, PLAIT_EINVAL);
        assert_non_null(strstr(plait_error_text(v), "1000"));
        plait_release(v);
    }
}

static void nesting_too_deep_releases_the_items(void **state)
{
    plait_value deep = nested(PLAIT_NESTING_LIMIT, false);
    plait_value items[] = { plait_int(1), plait_retain(deep) };
    (void)state;
    plait_release(plait_list(items, 2));
    assert_int_equal(count_of(deep), 1);
    plait_value key = plait_int(1), value = plait_retain(deep);
    plait_release(plait_dict(&key, &value, 1));
    assert_int_equal(count_of(deep), 1);
    plait_release(deep);
}

static void tasks_are_a_list_of_references(void **state)
{
    plait_task tasks[] = { { 3, 1 }, { 5, 1 } };
    plait_value v = plait_tasks(tasks, 2);
    size_t n;
    (void)state;
    const plait_value *items = plait_as_list(v, &n);
    assert_int_equal(n, 2);
    assert_int_equal(items[1].kind, PLAIT_KIND_REF);
    assert_int_equal(items[1].as.integer, 5);
    assert_true(pl_has_refs(v));
    plait_release(v);
    v = plait_tasks(tasks, 0);
    assert_false(pl_has_refs(v));
    plait_release(v);
}

static void references_inside_are_known(void **state)
{
    plait_value item = plait_ref((plait_task){ 1, 1 });
    (void)state;
    assert_true(pl_has_refs(item));
    plait_value key = plait_string("k"), value = plait_list(&item, 1);
    plait_value v = plait_dict(&key, &value, 1);
    assert_true(pl_has_refs(v));
    plait_release(v);
    item = plait_int(1);
    v = plait_list(&item, 1);
    assert_false(pl_has_refs(v));
    plait_release(v);
}

/* ---- dicts ---- */

static void dict_keeps_its_order(void **state)
{
    plait_value keys[] = { plait_string("z"), plait_string("a"),
                           plait_float(0.5), plait_nil() };
    plait_value values[] = { plait_int(1), plait_int(2), plait_int(3),
                             plait_int(4) };
    plait_value v = plait_dict(keys, values, 4);
    const plait_value *ks, *vs;
    (void)state;
    assert_int_equal(plait_as_dict(v, &ks, &vs), 4);
    assert_string_equal(plait_as_string(ks[0]), "z");
    assert_string_equal(plait_as_string(ks[1]), "a");
    assert_int_equal(plait_as_int(vs[3]), 4);
    assert_int_equal(plait_as_dict(v, NULL, NULL), 4);
    plait_release(v);
}

static void dict_get_finds_string_keys(void **state)
{
    plait_value keys[] = { plait_int(1), plait_string("one") };
    plait_value values[] = { plait_int(10), plait_int(11) };
    plait_value v = plait_dict(keys, values, 2);
    (void)state;
    assert_int_equal(plait_as_int(plait_dict_get(v, "one")), 11);
    assert_int_equal(plait_dict_get(v, "on").kind, PLAIT_KIND_NIL);
    assert_int_equal(plait_dict_get(v, NULL).kind, PLAIT_KIND_NIL);
    assert_int_equal(plait_dict_get(plait_int(1), "one").kind, PLAIT_KIND_NIL);
    plait_release(v);
}

/* n entries with keys i % kinds: even ones as strings, odd ones as integers. */
static plait_value repeating(size_t n, size_t kinds)
{
    plait_value keys[300], values[300];
    for (size_t i = 0; i < n; i++) {
        char text[32];
        size_t key = i % kinds;
        snprintf(text, sizeof text, "key %zu", key);
        keys[i] = key % 2 ? plait_int((int64_t)key) : plait_string(text);
        snprintf(text, sizeof text, "value %zu", i);
        values[i] = plait_string(text);
    }
    return plait_dict(keys, values, n);
}

static void assert_last_ones(plait_value v, size_t n, size_t kinds)
{
    const plait_value *keys, *values;
    assert_int_equal(plait_as_dict(v, &keys, &values), kinds);
    for (size_t key = 0; key < kinds; key++) {
        size_t last = (n - 1 - key) / kinds * kinds + key;
        char text[32];
        snprintf(text, sizeof text, "value %zu", last);
        assert_string_equal(plait_as_string(values[key]), text);
        if (key % 2)
            assert_int_equal(plait_as_int(keys[key]), key);
        else
            assert_int_equal(keys[key].kind, PLAIT_KIND_STRING);
    }
}

static void the_later_of_two_keys_counts(void **state)
{
    static const size_t sizes[][2] = { { 2, 1 },   { 7, 3 },    { 8, 5 },
                                       { 9, 5 },   { 9, 9 },    { 100, 7 },
                                       { 255, 1 }, { 300, 128 } };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        plait_value v = repeating(sizes[i][0], sizes[i][1]);
        assert_last_ones(v, sizes[i][0], sizes[i][1]);
        plait_release(v);
    }
}

static void keys_of_other_kinds_stay(void **state)
{
    (void)state;
    for (size_t n = 4; n <= 20; n += 16) {
        plait_value keys[20], values[20];
        for (size_t i = 0; i < n; i++) {
            keys[i] = i % 2 ? plait_float(1.0) : plait_nil();
            values[i] = plait_int((int64_t)i);
        }
        plait_value v = plait_dict(keys, values, n);
        assert_int_equal(plait_as_dict(v, NULL, NULL), n);
        plait_release(v);
    }
}

/* "a" and "a\0" differ, as do 1 and "1". */
static void keys_are_compared_whole(void **state)
{
    plait_value keys[] = { plait_string("a"), plait_string_n("a\0", 2),
                           plait_int(1), plait_string("1"), plait_int(-1) };
    plait_value values[5] = { plait_nil(), plait_nil(), plait_nil() };
    plait_value v = plait_dict(keys, values, 5);
    (void)state;
    assert_int_equal(plait_as_dict(v, NULL, NULL), 5);
    plait_release(v);
}

static void dict_given_an_error_is_that_error(void **state)
{
    plait_value text = plait_string("x");
    (void)state;
    for (int in_keys = 0; in_keys < 2; in_keys++) {
        plait_value error = plait_error_value(PLAIT_ETASK, "bad");
        plait_value keys[] = { plait_retain(text),
                               in_keys ? error : plait_int(1) };
        plait_value values[] = { plait_retain(text),
                                 in_keys ? plait_int(1) : error };
        plait_value v = plait_dict(keys, values, 2);
        assert_ptr_equal(v.as.object, error.as.object);
        assert_int_equal(count_of(text), 1);
        plait_release(v);
    }
    plait_release(text);
}

static void dict_of_null_is_an_error(void **state)
{
    plait_value text = plait_string("x");
    plait_value given = plait_retain(text);
    (void)state;
    plait_value v = plait_dict(&given, NULL, 1);
    assert_int_equal(plait_as_error(v)->status, PLAIT_EINVAL);
    assert_int_equal(count_of(text), 1);
    plait_release(v);
    v = plait_dict(NULL, NULL, 0);
    assert_int_equal(plait_as_dict(v, NULL, NULL), 0);
    assert_int_equal(plait_kind_of(v), PLAIT_KIND_DICT);
    plait_release(v);
    plait_release(text);
}

static void filled_lists_may_hold_errors(void **state)
{
    pl_list *list = pl_list_new(2);
    (void)state;
    assert_int_equal(list->items[1].kind, PLAIT_KIND_NIL);
    list->items[0] = plait_error_value(PLAIT_ETASK, "kept");
    plait_value v = pl_list_seal(list);
    assert_int_equal(plait_kind_of(v), PLAIT_KIND_LIST);
    assert_true(plait_is_error(plait_as_list(v, NULL)[0]));
    plait_release(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_takes_its_items),
        cmocka_unit_test(list_of_nothing),
        cmocka_unit_test(list_given_an_error_is_that_error),
        cmocka_unit_test(list_of_null_is_an_error),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(nesting_too_deep_releases_the_items),
        cmocka_unit_test(tasks_are_a_list_of_references),
        cmocka_unit_test(references_inside_are_known),
        cmocka_unit_test(dict_keeps_its_order),
        cmocka_unit_test(dict_get_finds_string_keys),
        cmocka_unit_test(the_later_of_two_keys_counts),
        cmocka_unit_test(keys_of_other_kinds_stay),
        cmocka_unit_test(keys_are_compared_whole),
        cmocka_unit_test(dict_given_an_error_is_that_error),
        cmocka_unit_test(dict_of_null_is_an_error),
        cmocka_unit_test(filled_lists_may_hold_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
