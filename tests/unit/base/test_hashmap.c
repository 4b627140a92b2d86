/* SPDX-License-Identifier: BSD-3-Clause */
/* The hash map finds what was added and nothing else, collisions included. */
#include "base/hashmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define N_KEYS 10000

static uint64_t keys[N_KEYS];

static bool is_key(uint32_t number, const void *key, const void *user)
{
    return ((const uint64_t *)user)[number] == *(const uint64_t *)key;
}

static uint32_t find(const pl_hashmap *map, uint64_t hash, uint64_t key)
{
    return pl_hashmap_find(map, hash, is_key, &key, keys);
}

static void an_empty_map_finds_nothing(void **state)
{
    pl_hashmap map = { 0 };
    (void)state;
    assert_int_equal(find(&map, 1, 1), PL_HASHMAP_NONE);
    pl_hashmap_fini(&map);
    assert_int_equal(find(&map, 1, 1), PL_HASHMAP_NONE);
}

static void add_then_find(void **state)
{
    pl_hashmap map = { 0 };
    (void)state;
    for (uint32_t i = 0; i < N_KEYS; i++) {
        keys[i] = i * UINT64_C(2654435761);
        uint64_t hash = pl_hash_mix(keys[i]);
        assert_int_equal(find(&map, hash, keys[i]), PL_HASHMAP_NONE);
        assert_true(pl_hashmap_add(&map, hash, i));
        assert_int_equal(find(&map, hash, keys[i]), i);
    }
    assert_int_equal(map.length, N_KEYS);
    for (uint32_t i = 0; i < N_KEYS; i++)
        assert_int_equal(find(&map, pl_hash_mix(keys[i]), keys[i]), i);
    assert_int_equal(find(&map, pl_hash_mix(3), 3), PL_HASHMAP_NONE);
    pl_hashmap_fini(&map);
    assert_int_equal(map.length, 0);
}

/* All in one chain: only `equal` tells them apart. */
static void equal_hashes_are_told_apart(void **state)
{
    pl_hashmap map = { 0 };
    (void)state;
    for (uint32_t i = 0; i < 200; i++) {
        keys[i] = i;
        assert_true(pl_hashmap_add(&map, 42, i));
    }
    for (uint32_t i = 0; i < 200; i++)
        assert_int_equal(find(&map, 42, i), i);
    assert_int_equal(find(&map, 42, 200), PL_HASHMAP_NONE);
    pl_hashmap_fini(&map);
}

/* Only the upper half is kept; hashes that differ below may ask `equal`. */
static void halves_of_hashes(void **state)
{
    pl_hashmap map = { 0 };
    (void)state;
    keys[0] = 0;
    keys[1] = 1;
    assert_true(pl_hashmap_add(&map, UINT64_C(1) << 32, 0));
    assert_true(pl_hashmap_add(&map, UINT64_C(2) << 32, 1));
    assert_int_equal(find(&map, UINT64_C(1) << 32 | 7, 0), 0);
    assert_int_equal(find(&map, UINT64_C(2) << 32, 0), PL_HASHMAP_NONE);
    pl_hashmap_fini(&map);
}

static void hash_bytes_depends_on_all_of_it(void **state)
{
    uint64_t hash = pl_hash_bytes("load_data", 9, 0);
    (void)state;
    assert_true(hash == pl_hash_bytes("load_data", 9, 0));
    assert_true(hash != pl_hash_bytes("load_datb", 9, 0));
    assert_true(hash != pl_hash_bytes("load_data", 8, 0));
    assert_true(hash != pl_hash_bytes("load_data\0", 10, 0));
    assert_true(hash != pl_hash_bytes("load_data", 9, 1));
    assert_true(pl_hash_bytes("", 0, 0) == pl_hash_bytes(NULL, 0, 0));
}

/* A bijection: no two of many neighbours meet, in either half. */
static void hash_mix_spreads(void **state)
{
    uint32_t seen[64] = { 0 };
    (void)state;
    for (uint64_t i = 0; i < 6400; i++)
        seen[pl_hash_mix(i) >> 58]++;
    for (size_t i = 0; i < 64; i++)
        assert_in_range(seen[i], 50, 150);
    assert_true(pl_hash_mix(1) != pl_hash_mix(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_finds_nothing),
        cmocka_unit_test(add_then_find),
        cmocka_unit_test(equal_hashes_are_told_apart),
        cmocka_unit_test(halves_of_hashes),
        cmocka_unit_test(hash_bytes_depends_on_all_of_it),
        cmocka_unit_test(hash_mix_spreads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
