/* SPDX-License-Identifier: BSD-3-Clause */
/* Types by name: registering, and structs of older and newer callers. */
#include "value/type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "platform/thread.h"

static void registered_types_are_found_by_name(void **state)
{
    static const plait_type type = { PLAIT_TYPE_INIT, .name = "type.found" };
    (void)state;
    assert_null(pl_type_find("type.found", 10));
    assert_int_equal(plait_type_register(&type, NULL), PLAIT_OK);
    assert_ptr_equal(pl_type_find("type.found and more", 10), &type);
    assert_null(pl_type_find("type.foun", 9));
    assert_null(pl_type_find("type.found2", 11));
}

static void registering_again_is_fine_and_the_first_decodes(void **state)
{
    static const plait_type first = { PLAIT_TYPE_INIT, .name = "type.twice" };
    static const plait_type second = { PLAIT_TYPE_INIT, .name = "type.twice" };
    (void)state;
    assert_int_equal(plait_type_register(&first, NULL), PLAIT_OK);
    assert_int_equal(plait_type_register(&first, NULL), PLAIT_OK);
    assert_int_equal(plait_type_register(&second, NULL), PLAIT_OK);
    assert_ptr_equal(pl_type_find("type.twice", 10), &first);
}

static void a_type_needs_a_name(void **state)
{
    static const plait_type type = { PLAIT_TYPE_INIT };
    plait_error err = { PLAIT_ERROR_INIT };
    (void)state;
    assert_int_equal(plait_type_register(&type, &err), PLAIT_EINVAL);
    assert_non_null(strstr(err.message, "plait_type.name"));
    assert_int_equal(plait_type_register(NULL, &err), PLAIT_EINVAL);
}

static void a_type_needs_a_size(void **state)
{
    static const plait_type type = { .name = "type.sizeless" };
    plait_error err = { PLAIT_ERROR_INIT };
    (void)state;
    assert_int_equal(plait_type_register(&type, &err), PLAIT_EINVAL);
    assert_non_null(strstr(err.message, "PLAIT_TYPE_INIT"));
    assert_null(pl_type_find("type.sizeless", 13));
}

/* As a library built with an older header: the struct ends after `free`. */
static void an_older_struct_reads_as_defaults(void **state)
{
    struct {
        size_t size;
        const char *name;
        plait_runtime *runtime;
        void (*free)(void *data);
        void *garbage[3];
    } older = { offsetof(plait_type, encode),
                "type.older",
                NULL,
                NULL,
                { &older, &older, &older } };
    plait_type ours;
    (void)state;
    assert_int_equal(pl_type_read((plait_type *)&older, &ours, NULL), PLAIT_OK);
    assert_string_equal(ours.name, "type.older");
    assert_null(ours.encode);
    assert_null(ours.decode);
    assert_null(ours.format);
}

static void a_newer_struct_may_have_a_tail_of_zeros(void **state)
{
    struct {
        plait_type type;
        void *extra;
    } newer = { { .size = sizeof newer, .name = "type.newer" }, NULL };
    plait_error err = { PLAIT_ERROR_INIT };
    plait_type ours;
    (void)state;
    assert_int_equal(pl_type_read(&newer.type, &ours, &err), PLAIT_OK);
    assert_int_equal(ours.size, sizeof ours);
    newer.extra = &newer;
    assert_int_equal(pl_type_read(&newer.type, &ours, &err), PLAIT_EINVAL);
    assert_int_equal(plait_type_register(&newer.type, &err), PLAIT_EINVAL);
    assert_null(pl_type_find("type.newer", 10));
}

static void many_types_are_found(void **state)
{
    enum { TYPES = 300 };
    static plait_type types[TYPES];
    static char names[TYPES][16];
    (void)state;
    for (int i = 0; i < TYPES; i++) {
        names[i][0] = 'm';
        names[i][1] = (char)('a' + i / 26);
        names[i][2] = (char)('a' + i % 26);
        types[i] = (plait_type){ PLAIT_TYPE_INIT, .name = names[i] };
        assert_int_equal(plait_type_register(&types[i], NULL), PLAIT_OK);
    }
    for (int i = 0; i < TYPES; i++)
        assert_ptr_equal(pl_type_find(names[i], strlen(names[i])), &types[i]);
}

static void register_from_a_thread(void *arg)
{
    assert_int_equal(plait_type_register(arg, NULL), PLAIT_OK);
}

/* Between prepare and release nobody is inside, so a fork leaves it whole. */
static void fork_handlers_hold_the_registry(void **state)
{
    static const plait_type type = { PLAIT_TYPE_INIT, .name = "type.forked" };
    pl_thread thread;
    (void)state;
    pl_type_fork_prepare();
    assert_true(pl_thread_begin(&thread, register_from_a_thread, (void *)&type,
                                "registers"));
    pl_type_fork_release();
    pl_thread_join(thread);
    assert_ptr_equal(pl_type_find("type.forked", 11), &type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registered_types_are_found_by_name),
        cmocka_unit_test(registering_again_is_fine_and_the_first_decodes),
        cmocka_unit_test(a_type_needs_a_name),
        cmocka_unit_test(a_type_needs_a_size),
        cmocka_unit_test(an_older_struct_reads_as_defaults),
        cmocka_unit_test(a_newer_struct_may_have_a_tail_of_zeros),
        cmocka_unit_test(many_types_are_found),
        cmocka_unit_test(fork_handlers_hold_the_registry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
