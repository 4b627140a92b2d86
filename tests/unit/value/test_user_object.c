/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects of users' types: freeing, matching by name, old and new structs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "value/object.h"

static int freed;

static void count_free(void *data)
{
    freed++;
    free(data);
}

static const plait_type table = { PLAIT_TYPE_INIT, .name = "table",
                                  .free = count_free };

static int begin(void **state)
{
    (void)state;
    freed = 0;
    return 0;
}

static void an_object_holds_its_data(void **state)
{
    void *data = malloc(8);
    plait_value v = plait_object(&table, data);
    (void)state;
    assert_int_equal(plait_kind_of(v), PLAIT_KIND_OBJECT);
    assert_ptr_equal(plait_as_object(v, &table), data);
    assert_string_equal(plait_object_type_name(v), "table");
    plait_release(plait_retain(v));
    assert_int_equal(freed, 0);
    plait_release(v);
    assert_int_equal(freed, 1);
}

static void a_type_needs_no_free(void **state)
{
    static const plait_type type = { PLAIT_TYPE_INIT, .name = "constant" };
    int data = 3;
    plait_value v = plait_object(&type, &data);
    (void)state;
    assert_ptr_equal(plait_as_object(v, &type), &data);
    plait_release(v);
}

/* Two libraries that each have their own struct, and their own copy of the
 * name's text, for one type. */
static void types_of_two_libraries_match_by_name(void **state)
{
    static char name_here[] = "shared.type", name_there[] = "shared.type";
    static const plait_type here = { PLAIT_TYPE_INIT, .name = name_here,
                                     .free = count_free };
    static const plait_type there = { PLAIT_TYPE_INIT, .name = name_there };
    static const plait_type other = { PLAIT_TYPE_INIT, .name = "shared.typ" };
    void *data = malloc(8);
    plait_value v = plait_object(&here, data);
    (void)state;
    assert_ptr_equal(plait_as_object(v, &there), data);
    assert_null(plait_as_object(v, &other));
    assert_null(plait_as_object(v, NULL));
    plait_release(v);
    assert_int_equal(freed, 1);
}

static void as_object_of_what_is_none(void **state)
{
    (void)state;
    assert_null(plait_as_object(plait_int(1), &table));
    assert_null(plait_object_type_name(plait_int(1)));
}

static void assert_refused(plait_value v, const char *why)
{
    assert_true(plait_is_error(v));
    assert_int_equal(plait_as_error(v)->status, PLAIT_EINVAL);
    assert_non_null(strstr(plait_error_text(v), why));
    plait_release(v);
}

static void a_type_that_cant_be_read_frees_the_data(void **state)
{
    struct {
        plait_type type;
        void *extra;
    } newer = { { .size = sizeof newer, .name = "newer", .free = count_free },
                &newer };
    plait_type nameless = { PLAIT_TYPE_INIT, .free = count_free };
    (void)state;
    assert_refused(plait_object(&newer.type, malloc(8)), "doesn't know");
    assert_int_equal(freed, 1);
    assert_refused(plait_object(&nameless, malloc(8)), "name");
    assert_int_equal(freed, 2);
    assert_refused(plait_object(NULL, NULL), "NULL");
}

/* As a library built with an older header: the struct ends after `free`. */
static void an_older_struct_works(void **state)
{
    struct {
        size_t size;
        const char *name;
        plait_runtime *runtime;
        void (*free)(void *data);
        void *garbage[3];
    } older = { offsetof(plait_type, encode),
                "older",
                NULL,
                count_free,
                { &older, &older, &older } };
    plait_type *type = (plait_type *)&older;
    void *data = malloc(8);
    plait_value v = plait_object(type, data);
    char text[16];
    plait_encoded encoded;
    (void)state;
    assert_ptr_equal(plait_as_object(v, type), data);
    plait_format(v, text, sizeof text);
    assert_string_equal(text, "<older>");
    assert_int_equal(plait_encode(v, true, &encoded, NULL), PLAIT_ECODEC);
    plait_release(v);
    assert_int_equal(freed, 1);
}

static void a_newer_struct_with_zeros_works(void **state)
{
    struct {
        plait_type type;
        void *extra;
    } newer = { { .size = sizeof newer, .name = "newer", .free = count_free },
                NULL };
    plait_value v = plait_object(&newer.type, malloc(8));
    (void)state;
    assert_string_equal(plait_object_type_name(v), "newer");
    plait_release(v);
    assert_int_equal(freed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_object_holds_its_data, begin),
        cmocka_unit_test_setup(a_type_needs_no_free, begin),
        cmocka_unit_test_setup(types_of_two_libraries_match_by_name, begin),
        cmocka_unit_test_setup(as_object_of_what_is_none, begin),
        cmocka_unit_test_setup(a_type_that_cant_be_read_frees_the_data, begin),
        cmocka_unit_test_setup(an_older_struct_works, begin),
        cmocka_unit_test_setup(a_newer_struct_with_zeros_works, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
