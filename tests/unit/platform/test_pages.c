/* SPDX-License-Identifier: BSD-3-Clause */
/* Big arrays: zeroed, usable to the last byte, from heap and kernel alike. */
#include "platform/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_usable(size_t n, size_t size)
{
    unsigned char *memory = pl_pages_alloc(n, size);
    assert_non_null(memory);
    for (size_t i = 0; i < n * size; i++) {
        if (memory[i] != 0)
            fail_msg("byte %zu of %zu is not zero", i, n * size);
    }
    memset(memory, 0xff, n * size);
    pl_pages_free(memory, n, size);
}

static void all_sizes_are_zeroed_and_usable(void **state)
{
    const size_t huge = (size_t)2 << 20;
    (void)state;
    assert_usable(1, 1);
    assert_usable(100, 8);
    assert_usable(1, huge / 2 - 1); /* the last that the heap gives */
    assert_usable(1, huge / 2);
    assert_usable(1, huge / 2 + 1);
    assert_usable(2, huge);
    assert_usable(3, huge + 1);
}

static void nothing_can_be_freed(void **state)
{
    void *memory = pl_pages_alloc(0, 8);
    (void)state;
    assert_non_null(memory);
    pl_pages_free(memory, 0, 8);
    pl_pages_free(NULL, 1000, 1000);
}

static void overflow_is_refused(void **state)
{
    (void)state;
    assert_null(pl_pages_alloc(SIZE_MAX / 2, 4));
    assert_null(pl_pages_alloc(SIZE_MAX, 1));
}

/* Pages of address space that this process has. */
static long pages_in_use(void)
{
    long pages = -1;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &pages), 1);
    fclose(file);
    return pages;
}

static void freed_memory_goes_back(void **state)
{
    const size_t n = 64 << 20;
    const int rounds = 50;
    (void)state;
    long before = pages_in_use();
    for (int i = 0; i < rounds; i++) {
        char *memory = pl_pages_alloc(n, 1);
        assert_non_null(memory);
        memory[i] = 1;
        pl_pages_free(memory, n, 1);
    }
    long kept = pages_in_use() - before;
    assert_true(kept * sysconf(_SC_PAGESIZE) < rounds * (long)n / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sizes_are_zeroed_and_usable),
        cmocka_unit_test(nothing_can_be_freed),
        cmocka_unit_test(overflow_is_refused),
        cmocka_unit_test(freed_memory_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
