/* SPDX-License-Identifier: BSD-3-Clause */
/* The segmented vector: items stay where they are, and are found again. */
#include "graph/segvec.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define N_ITEMS 100000u

static void push_and_at(void **state)
{
    pl_segvec vec;
    uint64_t *first = NULL;
    (void)state;
    pl_segvec_init(&vec, sizeof(uint64_t));
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        uint64_t *item = pl_segvec_push(&vec);
        assert_non_null(item);
        assert_ptr_equal(item, pl_segvec_at(&vec, i));
        *item = i * UINT64_C(3);
        first = first ? first : item;
    }
    assert_int_equal(vec.length, N_ITEMS);
    assert_ptr_equal(first, pl_segvec_at(&vec, 0));
    for (uint32_t i = 0; i < N_ITEMS; i++)
        assert_int_equal(*(uint64_t *)pl_segvec_at(&vec, i), i * UINT64_C(3));
    pl_segvec_fini(&vec);
}

/* The first and last item of each segment lie within it, and a span names its
 * bounds. */
static void segments_end_where_the_next_begin(void **state)
{
    pl_segvec vec;
    (void)state;
    pl_segvec_init(&vec, 1);
    for (uint32_t i = 0; i < N_ITEMS; i++)
        assert_non_null(pl_segvec_push(&vec));
    uint32_t begin = 0;
    for (uint32_t k = 0; k < vec.n_segments; k++) {
        uint32_t n = PL_SEGVEC_FIRST << k;
        char *segment = vec.segments[k];
        pl_segvec_span span = pl_segvec_span_of(&vec, begin);
        assert_ptr_equal(pl_segvec_at(&vec, begin), segment);
        assert_ptr_equal(pl_segvec_at(&vec, begin + n - 1), segment + n - 1);
        assert_ptr_equal(span.item, segment);
        assert_ptr_equal(span.begin, segment);
        if (k + 1 < vec.n_segments)
            assert_ptr_equal(span.end, segment + n);
        else
            assert_ptr_equal(span.end, segment + N_ITEMS - begin);
        begin += n;
    }
    assert_true(begin >= N_ITEMS);
    pl_segvec_fini(&vec);
}

static void bytes_count_whole_segments(void **state)
{
    pl_segvec vec;
    (void)state;
    pl_segvec_init(&vec, 4);
    assert_int_equal(pl_segvec_bytes(&vec), 0);
    for (int i = 0; i < 33; i++)
        assert_non_null(pl_segvec_push(&vec));
    assert_int_equal(pl_segvec_bytes(&vec), (32 + 64) * 4);
    pl_segvec_fini(&vec);
    assert_int_equal(pl_segvec_bytes(&vec), 0);
}

static void fini_leaves_an_empty_vector(void **state)
{
    pl_segvec vec;
    (void)state;
    pl_segvec_init(&vec, 4);
    assert_non_null(pl_segvec_push(&vec));
    pl_segvec_fini(&vec);
    assert_int_equal(vec.length, 0);
    assert_int_equal(pl_segvec_bytes(&vec), 0);
    assert_non_null(pl_segvec_push(&vec));
    assert_int_equal(vec.length, 1);
    pl_segvec_fini(&vec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(push_and_at),
        cmocka_unit_test(segments_end_where_the_next_begin),
        cmocka_unit_test(bytes_count_whole_segments),
        cmocka_unit_test(fini_leaves_an_empty_vector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
