/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory: sizes that overflow are refused, growth keeps what was there. */
#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void mul_size_multiplies(void **state)
{
    size_t product = 1;
    (void)state;
    assert_true(pl_mul_size(6, 7, &product));
    assert_int_equal(product, 42);
    assert_true(pl_mul_size(0, SIZE_MAX, &product));
    assert_int_equal(product, 0);
    assert_true(pl_mul_size(SIZE_MAX, 0, &product));
    assert_int_equal(product, 0);
    assert_true(pl_mul_size(SIZE_MAX, 1, &product));
    assert_true(product == SIZE_MAX);
}

static void mul_size_refuses_overflow(void **state)
{
    size_t product;
    (void)state;
    assert_false(pl_mul_size(SIZE_MAX, 2, &product));
    assert_false(pl_mul_size(SIZE_MAX / 2 + 1, 2, &product));
    assert_true(pl_mul_size(SIZE_MAX / 2, 2, &product));
}

static void alloc_of_nothing_can_be_freed(void **state)
{
    void *memory = pl_alloc(0);
    (void)state;
    assert_non_null(memory);
    memory = pl_realloc(memory, 0);
    assert_non_null(memory);
    pl_free(memory);
    pl_free(NULL);
    memory = pl_calloc(0, 8);
    assert_non_null(memory);
    pl_free(memory);
}

static void calloc_zeroes_and_refuses_overflow(void **state)
{
    const unsigned char zeros[24] = { 0 };
    void *memory = pl_calloc(3, 8);
    (void)state;
    assert_non_null(memory);
    assert_memory_equal(memory, zeros, sizeof zeros);
    pl_free(memory);
    assert_null(pl_calloc(SIZE_MAX / 2, 4));
}

static void calloc_aligned_aligns_and_zeroes(void **state)
{
    const unsigned char zeros[200] = { 0 };
    (void)state;
    for (size_t alignment = 16; alignment <= 4096; alignment *= 2) {
        for (size_t size = 0; size <= sizeof zeros; size += 40) {
            void *memory = pl_calloc_aligned(alignment, size);
            assert_non_null(memory);
            assert_int_equal((uintptr_t)memory % alignment, 0);
            assert_memory_equal(memory, zeros, size);
            pl_free(memory);
        }
    }
    assert_null(pl_calloc_aligned(64, SIZE_MAX));
    assert_null(pl_calloc_aligned(64, SIZE_MAX - 63));
}

static void realloc_keeps_the_content(void **state)
{
    char *memory = pl_realloc(NULL, 4);
    (void)state;
    assert_non_null(memory);
    memcpy(memory, "abc", 4);
    memory = pl_realloc(memory, 4000);
    assert_non_null(memory);
    assert_string_equal(memory, "abc");
    pl_free(memory);
}

static void strdup_and_strndup_copy(void **state)
{
    char *whole = pl_strdup("text");
    char *part = pl_strndup("text", 2);
    char *nuls = pl_strndup("a\0b", 3);
    (void)state;
    assert_string_equal(whole, "text");
    assert_string_equal(part, "te");
    assert_memory_equal(nuls, "a\0b", 4);
    assert_null(pl_strndup("", SIZE_MAX));
    pl_free(whole);
    pl_free(part);
    pl_free(nuls);
}

static void grow_makes_room_for_one_more(void **state)
{
    int *items = NULL;
    size_t capacity = 0;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_true(pl_grow(&items, &capacity, (size_t)i, sizeof *items));
        assert_true(capacity > (size_t)i);
        items[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    assert_true(capacity < 4000);
    pl_free(items);
}

static void grow_refuses_overflow_and_changes_nothing(void **state)
{
    int item;
    int *items = &item;
    size_t capacity = SIZE_MAX / 2 + 1;
    (void)state;
    assert_false(pl_grow(&items, &capacity, capacity, sizeof *items));
    assert_ptr_equal(items, &item);
    assert_true(capacity == SIZE_MAX / 2 + 1);
    capacity = SIZE_MAX / 4;
    assert_false(pl_grow(&items, &capacity, capacity, sizeof *items));
    assert_ptr_equal(items, &item);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mul_size_multiplies),
        cmocka_unit_test(mul_size_refuses_overflow),
        cmocka_unit_test(alloc_of_nothing_can_be_freed),
        cmocka_unit_test(calloc_zeroes_and_refuses_overflow),
        cmocka_unit_test(calloc_aligned_aligns_and_zeroes),
        cmocka_unit_test(realloc_keeps_the_content),
        cmocka_unit_test(strdup_and_strndup_copy),
        cmocka_unit_test(grow_makes_room_for_one_more),
        cmocka_unit_test(grow_refuses_overflow_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
