/* SPDX-License-Identifier: BSD-3-Clause */
/* Strings and bytes: copies, bytes of any value, buffers, leases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "value/object.h"

static void string_copies_its_text(void **state)
{
    char text[] = "caf\xc3\xa9";
    plait_value v = plait_string(text);
    (void)state;
    text[0] = 'X';
    assert_int_equal(plait_kind_of(v), PLAIT_KIND_STRING);
    assert_string_equal(plait_as_string(v), "caf\xc3\xa9");
    plait_release(v);
}

static void string_of_null_is_an_error(void **state)
{
    plait_value v = plait_string(NULL);
    (void)state;
    assert_true(plait_is_error(v));
    assert_int_equal(plait_as_error(v)->status, PLAIT_EINVAL);
    plait_release(v);
    v = plait_string_n(NULL, 3);
    assert_true(plait_is_error(v));
    plait_release(v);
}

static void string_n_keeps_every_byte(void **state)
{
    const char path[] = "a\0b\xff\xfe";
    plait_value v = plait_string_n(path, 5);
    size_t length;
    (void)state;
    assert_memory_equal(plait_as_string_n(v, &length), path, 5);
    assert_int_equal(length, 5);
    assert_int_equal(plait_as_string(v)[5], '\0');
    plait_release(v);
}

static void empty_strings_and_bytes_have_an_address(void **state)
{
    plait_value s = plait_string_n(NULL, 0), b = plait_bytes(NULL, 0);
    size_t size = 9;
    (void)state;
    assert_string_equal(plait_as_string(s), "");
    assert_non_null(plait_as_bytes(b, &size));
    assert_int_equal(size, 0);
    plait_release(s);
    plait_release(b);
}

static void sizes_that_overflow_are_refused(void **state)
{
    void *data = &data;
    (void)state;
    assert_int_equal(plait_as_error(plait_string_n("", SIZE_MAX))->status,
                     PLAIT_ENOMEM);
    assert_int_equal(plait_as_error(plait_bytes("", SIZE_MAX))->status,
                     PLAIT_ENOMEM);
    plait_value v = plait_bytes_new(NULL, SIZE_MAX, &data);
    assert_int_equal(plait_as_error(v)->status, PLAIT_ENOMEM);
    assert_null(data);
}

static void bytes_copy_their_data(void **state)
{
    unsigned char data[] = { 1, 0, 255 };
    plait_value v = plait_bytes(data, 3);
    size_t size;
    (void)state;
    data[0] = 9;
    const unsigned char *kept = plait_as_bytes(v, &size);
    assert_int_equal(size, 3);
    assert_int_equal(kept[0], 1);
    assert_int_equal(kept[2], 255);
    plait_release(v);
}

static void bytes_of_null_are_an_error(void **state)
{
    plait_value v = plait_bytes(NULL, 1);
    (void)state;
    assert_int_equal(plait_as_error(v)->status, PLAIT_EINVAL);
    plait_release(v);
}

static void bytes_new_gives_a_zeroed_buffer(void **state)
{
    static const unsigned char zeros[1000];
    void *data;
    plait_value v = plait_bytes_new(NULL, sizeof zeros, &data);
    size_t size;
    (void)state;
    assert_memory_equal(data, zeros, sizeof zeros);
    memset(data, 7, sizeof zeros);
    const unsigned char *kept = plait_as_bytes(v, &size);
    assert_int_equal(size, sizeof zeros);
    assert_ptr_equal(kept, data);
    assert_int_equal(kept[999], 7);
    plait_release(v);
}

/* ---- bytes that lie elsewhere ---- */

static void count_release(void *user, unsigned char *data, size_t size)
{
    assert_int_equal(size, 4);
    assert_int_equal(data[0], 'd');
    ++*(int *)user;
}

static void adopted_bytes_are_released_once(void **state)
{
    unsigned char data[] = "data";
    int released = 0;
    plait_value v = pl_bytes_adopt(data, 4, count_release, &released);
    size_t size;
    (void)state;
    assert_ptr_equal(plait_as_bytes(v, &size), data);
    plait_release(plait_retain(v));
    assert_int_equal(released, 0);
    plait_release(v);
    assert_int_equal(released, 1);
}

static void adopted_bytes_need_no_release(void **state)
{
    unsigned char data[] = "data";
    (void)state;
    plait_release(pl_bytes_adopt(data, 4, NULL, NULL));
    assert_string_equal((char *)data, "data");
}

static uint32_t count_of(plait_value v)
{
    return ((pl_object *)v.as.object)->count;
}

static void leased_bytes_keep_their_lease(void **state)
{
    plait_value whole = plait_bytes("0123456789", 10);
    const char *data = plait_as_bytes(whole, NULL);
    plait_value part = pl_bytes_leased(data + 2, 3, plait_retain(whole));
    (void)state;
    assert_int_equal(count_of(whole), 2);
    plait_release(whole);
    assert_memory_equal(plait_as_bytes(part, NULL), "234", 3);
    plait_release(part);
}

static void a_lease_on_the_whole_is_the_whole(void **state)
{
    plait_value whole = plait_bytes("0123456789", 10);
    const char *data = plait_as_bytes(whole, NULL);
    plait_value same = pl_bytes_leased(data, 10, plait_retain(whole));
    (void)state;
    assert_ptr_equal(same.as.object, whole.as.object);
    plait_release(same);
    plait_release(whole);
}

static void without_a_lease_bytes_are_copied(void **state)
{
    char data[] = "abc";
    plait_value v = pl_bytes_leased(data, 3, plait_nil());
    (void)state;
    data[0] = 'X';
    assert_memory_equal(plait_as_bytes(v, NULL), "abc", 3);
    plait_release(v);
}

/* Bytes leased from leased bytes go to the one that holds the memory: a hundred
 * thousand of them are no chain to be freed deep down the stack. */
static void leases_do_not_chain(void **state)
{
    const size_t size = 100000;
    void *data;
    plait_value v = plait_bytes_new(NULL, size, &data);
    const char *text = memset(data, 'x', size);
    (void)state;
    for (size_t i = 1; i < size; i++)
        v = pl_bytes_leased(text + i, size - i, v);
    assert_ptr_equal(plait_as_bytes(v, NULL), text + size - 1);
    assert_int_equal(pl_depth_of(v), 0);
    plait_release(v);
}

/* Where a lease can't be looked through, the depth is bounded by copying. */
static void leases_through_lists_are_bounded(void **state)
{
    plait_value v = plait_bytes("0123456789", 10);
    const char *data = plait_as_bytes(v, NULL);
    (void)state;
    for (int i = 0; i < 100000; i++) {
        v = plait_list(&v, 1);
        if (plait_is_error(v))
            break;
        v = pl_bytes_leased(data, 3, v);
        data = plait_as_bytes(v, NULL);
    }
    assert_int_equal(plait_kind_of(v), PLAIT_KIND_BYTES);
    assert_memory_equal(data, "012", 3);
    plait_release(v);
}

/* ---- plait_bytes_leased ---- */

static void count_free(void *data)
{
    ++*(int *)data;
}

static const plait_type counted_type = { .size = sizeof(plait_type),
                                         .name = "test.counted",
                                         .free = count_free };

static void bytes_are_lent_as_long_as_they_are_used(void **state)
{
    static const char text[] = "0123456789";
    int freed = 0;
    plait_value v =
        plait_bytes_leased(text, 10, plait_object(&counted_type, &freed));
    plait_value part = plait_bytes_leased(text + 2, 3, plait_retain(v));
    size_t size;
    (void)state;
    assert_ptr_equal(plait_as_bytes(v, &size), text);
    assert_int_equal(size, 10);
    assert_ptr_equal(plait_as_bytes(part, &size), text + 2);
    assert_int_equal(size, 3);
    plait_release(v);
    assert_int_equal(freed, 0);
    plait_release(part);
    assert_int_equal(freed, 1);
}

static void lent_bytes_of_null_are_an_error(void **state)
{
    int freed = 0;
    plait_value v =
        plait_bytes_leased(NULL, 1, plait_object(&counted_type, &freed));
    (void)state;
    assert_int_equal(plait_as_error(v)->status, PLAIT_EINVAL);
    assert_int_equal(freed, 1);
    plait_release(v);
    v = plait_bytes_leased(NULL, 0, plait_object(&counted_type, &freed));
    assert_non_null(plait_as_bytes(v, NULL));
    plait_release(v);
    assert_int_equal(freed, 2);
}

static void a_lease_that_is_an_error_is_returned(void **state)
{
    plait_value lease = plait_error_value(PLAIT_ESYS, "no memory to map");
    plait_value v = plait_bytes_leased("abc", 3, lease);
    (void)state;
    assert_int_equal(plait_as_error(v)->status, PLAIT_ESYS);
    plait_release(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(string_copies_its_text),
        cmocka_unit_test(string_of_null_is_an_error),
        cmocka_unit_test(string_n_keeps_every_byte),
        cmocka_unit_test(empty_strings_and_bytes_have_an_address),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(bytes_copy_their_data),
        cmocka_unit_test(bytes_of_null_are_an_error),
        cmocka_unit_test(bytes_new_gives_a_zeroed_buffer),
        cmocka_unit_test(adopted_bytes_are_released_once),
        cmocka_unit_test(adopted_bytes_need_no_release),
        cmocka_unit_test(leased_bytes_keep_their_lease),
        cmocka_unit_test(a_lease_on_the_whole_is_the_whole),
        cmocka_unit_test(without_a_lease_bytes_are_copied),
        cmocka_unit_test(leases_do_not_chain),
        cmocka_unit_test(leases_through_lists_are_bounded),
        cmocka_unit_test(bytes_are_lent_as_long_as_they_are_used),
        cmocka_unit_test(lent_bytes_of_null_are_an_error),
        cmocka_unit_test(a_lease_that_is_an_error_is_returned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
