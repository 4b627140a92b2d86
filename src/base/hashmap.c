/* SPDX-License-Identifier: BSD-3-Clause */
/* hashmap.c: from 64-bit hashes to 32-bit numbers. */
#include "base/hashmap.h"

#include "base/alloc.h"

uint64_t pl_hash_mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    x ^= x >> 33;
    return x;
}

/* FNV-1a, mixed: names are short. */
uint64_t pl_hash_bytes(const void *data, size_t size, uint64_t seed)
{
    const unsigned char *bytes = data;
    uint64_t hash = seed ^ UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return pl_hash_mix(hash);
}

void pl_hashmap_fini(pl_hashmap *map)
{
    pl_free(map->entries);
    *map = (pl_hashmap){ 0 };
}

/* Where the search for an entry begins: by the half of the hash that is kept,
 * so that growing needs no hash anew. */
static size_t home(const pl_hashmap *map, uint32_t upper)
{
    return (size_t)pl_hash_mix(upper) & (map->capacity - 1);
}

uint32_t pl_hashmap_find(const pl_hashmap *map, uint64_t hash,
                         pl_hashmap_equal_fn equal, const void *key,
                         const void *user)
{
    if (map->capacity == 0)
        return PL_HASHMAP_NONE;
    uint32_t upper = (uint32_t)(hash >> 32);
    for (size_t at = home(map, upper);; at = (at + 1) & (map->capacity - 1)) {
        const pl_hashmap_entry *entry = &map->entries[at];
        if (entry->number == PL_HASHMAP_NONE)
            return PL_HASHMAP_NONE;
        if (entry->hash == upper && equal(entry->number, key, user))
            return entry->number;
    }
}

static void put(pl_hashmap *map, pl_hashmap_entry entry)
{
    size_t at = home(map, entry.hash);
    while (map->entries[at].number != PL_HASHMAP_NONE)
        at = (at + 1) & (map->capacity - 1);
    map->entries[at] = entry;
}

static bool grow(pl_hashmap *map)
{
    size_t bytes;
    pl_hashmap grown = { .capacity = map->capacity ? 2 * map->capacity : 16,
                         .length = map->length };
    if (!pl_mul_size(grown.capacity, sizeof *grown.entries, &bytes))
        return false;
    grown.entries = pl_alloc(bytes);
    if (!grown.entries)
        return false;
    for (size_t i = 0; i < grown.capacity; i++)
        grown.entries[i].number = PL_HASHMAP_NONE;
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->entries[i].number != PL_HASHMAP_NONE)
            put(&grown, map->entries[i]);
    }
    pl_free(map->entries);
    *map = grown;
    return true;
}

bool pl_hashmap_add(pl_hashmap *map, uint64_t hash, uint32_t number)
{
    if (2 * (map->length + 1) > map->capacity && !grow(map))
        return false;
    put(map, (pl_hashmap_entry){ (uint32_t)(hash >> 32), number });
    map->length++;
    return true;
}
