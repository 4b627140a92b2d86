/* SPDX-License-Identifier: BSD-3-Clause */
/* Values: inline kinds, asking with the wrong kind, counting references. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "value/object.h"

static uint32_t count_of(plait_value v)
{
    return ((pl_object *)v.as.object)->count;
}

static void zero_bytes_are_nil(void **state)
{
    plait_value v;
    (void)state;
    memset(&v, 0, sizeof v);
    assert_int_equal(plait_kind_of(v), PLAIT_KIND_NIL);
    assert_int_equal(plait_kind_of(plait_nil()), PLAIT_KIND_NIL);
    plait_release(v);
}

static void inline_kinds_hold_what_they_were_given(void **state)
{
    (void)state;
    assert_int_equal(plait_kind_of(plait_bool(true)), PLAIT_KIND_BOOL);
    assert_true(plait_as_bool(plait_bool(true)));
    assert_false(plait_as_bool(plait_bool(false)));
    assert_int_equal(plait_kind_of(plait_int(7)), PLAIT_KIND_INT);
    assert_true(plait_as_int(plait_int(INT64_MIN)) == INT64_MIN);
    assert_true(plait_as_int(plait_int(INT64_MAX)) == INT64_MAX);
    assert_int_equal(plait_kind_of(plait_float(0.5)), PLAIT_KIND_FLOAT);
    assert_true(plait_as_float(plait_float(0.5)) == 0.5);
}

static void an_int_is_a_float_too(void **state)
{
    (void)state;
    assert_true(plait_as_float(plait_int(3)) == 3.0);
    assert_int_equal(plait_as_int(plait_float(3.0)), 0);
}

static void a_ref_names_its_task(void **state)
{
    plait_value v = plait_ref((plait_task){ 4, 9 });
    (void)state;
    assert_int_equal(plait_kind_of(v), PLAIT_KIND_REF);
    assert_int_equal(v.as.integer, 4);
    assert_int_equal(v.graph, 9);
}

static void uint_over_int64_is_an_error(void **state)
{
    (void)state;
    assert_true(plait_as_int(plait_uint(INT64_MAX)) == INT64_MAX);
    plait_value v = plait_uint((uint64_t)INT64_MAX + 1);
    assert_true(plait_is_error(v));
    assert_int_equal(plait_as_error(v)->status, PLAIT_EINVAL);
    assert_non_null(strstr(plait_error_text(v), "9223372036854775808"));
    plait_release(v);
}

static void the_wrong_kind_gives_an_empty_view(void **state)
{
    plait_value wrong[] = { plait_nil(), plait_string("x"), plait_int(1) };
    size_t size = 5;
    const plait_value *keys = wrong, *values = wrong;
    (void)state;
    assert_false(plait_as_bool(wrong[2]));
    assert_int_equal(plait_as_int(wrong[1]), 0);
    assert_true(plait_as_float(wrong[1]) == 0.0);
    assert_null(plait_as_string(wrong[2]));
    assert_null(plait_as_string_n(wrong[2], &size));
    assert_int_equal(size, 0);
    size = 5;
    assert_null(plait_as_bytes(wrong[1], &size));
    assert_int_equal(size, 0);
    size = 5;
    assert_null(plait_as_list(wrong[1], &size));
    assert_int_equal(size, 0);
    assert_int_equal(plait_as_dict(wrong[1], &keys, &values), 0);
    assert_null(keys);
    assert_null(values);
    assert_null(plait_as_error(wrong[1]));
    assert_null(plait_error_text(wrong[1]));
    assert_null(plait_object_type_name(wrong[1]));
    assert_false(plait_is_error(wrong[0]));
    pl_release_all(wrong, 3);
}

static void to_bool_tells_the_kind(void **state)
{
    bool out = true;
    (void)state;
    assert_int_equal(plait_to_bool(plait_int(1), &out), PLAIT_ETYPE);
    assert_false(out);
    assert_int_equal(plait_to_bool(plait_bool(true), &out), PLAIT_OK);
    assert_true(out);
}

static void to_int_tells_the_kind(void **state)
{
    int64_t out = 5;
    (void)state;
    assert_int_equal(plait_to_int(plait_float(1), &out), PLAIT_ETYPE);
    assert_int_equal(out, 0);
    assert_int_equal(plait_to_int(plait_int(-1), &out), PLAIT_OK);
    assert_int_equal(out, -1);
}

static void to_float_tells_the_kind(void **state)
{
    double out = 5;
    (void)state;
    assert_int_equal(plait_to_float(plait_nil(), &out), PLAIT_ETYPE);
    assert_true(out == 0.0);
    assert_int_equal(plait_to_float(plait_int(2), &out), PLAIT_OK);
    assert_true(out == 2.0);
    assert_int_equal(plait_to_float(plait_float(2.5), &out), PLAIT_OK);
    assert_true(out == 2.5);
}

static void to_string_tells_the_kind(void **state)
{
    const char *out = "";
    plait_value v = plait_string("text");
    (void)state;
    assert_int_equal(plait_to_string(plait_nil(), &out), PLAIT_ETYPE);
    assert_null(out);
    assert_int_equal(plait_to_string(v, &out), PLAIT_OK);
    assert_string_equal(out, "text");
    plait_release(v);
}

static void references_are_counted(void **state)
{
    plait_value v = plait_string("shared");
    (void)state;
    assert_int_equal(count_of(v), 1);
    plait_value again = plait_retain(v);
    assert_ptr_equal(again.as.object, v.as.object);
    assert_int_equal(count_of(v), 2);
    plait_release(v);
    assert_string_equal(plait_as_string(again), "shared");
    plait_release(again);
}

static void internal_references_are_the_same(void **state)
{
    plait_value v = plait_string("shared");
    (void)state;
    plait_release(pl_retain(v));
    pl_release(plait_retain(v));
    assert_int_equal(count_of(v), 1);
    assert_int_equal(pl_retain(plait_int(4)).as.integer, 4);
    pl_release(plait_int(4));
    pl_release(v);
}

static void release_all_releases_each(void **state)
{
    plait_value v = plait_string("x");
    plait_value items[] = { plait_retain(v), plait_nil(), plait_retain(v) };
    (void)state;
    assert_int_equal(count_of(v), 3);
    pl_release_all(items, 3);
    assert_int_equal(count_of(v), 1);
    plait_release(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_bytes_are_nil),
        cmocka_unit_test(inline_kinds_hold_what_they_were_given),
        cmocka_unit_test(an_int_is_a_float_too),
        cmocka_unit_test(a_ref_names_its_task),
        cmocka_unit_test(uint_over_int64_is_an_error),
        cmocka_unit_test(the_wrong_kind_gives_an_empty_view),
        cmocka_unit_test(to_bool_tells_the_kind),
        cmocka_unit_test(to_int_tells_the_kind),
        cmocka_unit_test(to_float_tells_the_kind),
        cmocka_unit_test(to_string_tells_the_kind),
        cmocka_unit_test(references_are_counted),
        cmocka_unit_test(internal_references_are_the_same),
        cmocka_unit_test(release_all_releases_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
