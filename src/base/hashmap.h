/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hashmap.h: from 64-bit hashes to 32-bit numbers, open addressing with linear
 * probing. The caller compares keys: the map only finds candidates.
 *
 * Thread: one at a time.  Blocks: no.
 */
#ifndef PL_HASHMAP_H
#define PL_HASHMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PL_HASHMAP_NONE UINT32_MAX

typedef struct pl_hashmap_entry {
    uint32_t hash; /* the hash's upper half */
    uint32_t number;
} pl_hashmap_entry;

/* All zero is empty. */
typedef struct pl_hashmap {
    pl_hashmap_entry *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t length;
} pl_hashmap;

typedef bool (*pl_hashmap_equal_fn)(uint32_t number, const void *key,
                                    const void *user);

void pl_hashmap_fini(pl_hashmap *map);

/* The number under a key, or PL_HASHMAP_NONE. `equal` says whether the entry
 * with that number has this key. */
uint32_t pl_hashmap_find(const pl_hashmap *map, uint64_t hash,
                         pl_hashmap_equal_fn equal, const void *key,
                         const void *user);

/* Adds a number (not PL_HASHMAP_NONE) that is not in the map. */
bool pl_hashmap_add(pl_hashmap *map, uint64_t hash, uint32_t number);

uint64_t pl_hash_bytes(const void *data, size_t size, uint64_t seed);
/* A bijection that spreads its bits (the finalizer of MurmurHash3). */
uint64_t pl_hash_mix(uint64_t x);

#endif
