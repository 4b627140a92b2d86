/* SPDX-License-Identifier: BSD-3-Clause */
/* tally.c: see tally.h. A hash table with open addressing over an array. */
#include "tally.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

/* FNV-1a */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (const char *c = text; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    return hash ^ hash >> 32;
}

void tally_fini(struct tally *tally)
{
    for (size_t i = 0; i < tally->n; i++)
        free(tally->entries[i].text);
    free(tally->entries);
    free(tally->slots);
    *tally = (struct tally){ 0 };
}

/* Where a text is, or where it would go. */
static size_t *find_slot(const struct tally *tally, const char *text,
                         uint64_t hash)
{
    size_t at = (size_t)hash & (tally->n_slots - 1);
    for (;; at = (at + 1) & (tally->n_slots - 1)) {
        size_t *slot = &tally->slots[at];
        if (*slot == 0)
            return slot;
        const struct tally_entry *entry = &tally->entries[*slot - 1];
        if (entry->hash == hash && strcmp(entry->text, text) == 0)
            return slot;
    }
}

static bool grow_slots(struct tally *tally)
{
    struct tally grown = *tally;
    grown.n_slots = tally->n_slots ? tally->n_slots * 2 : 32;
    grown.slots = calloc(grown.n_slots, sizeof *grown.slots);
    if (!grown.slots)
        return false;
    for (size_t i = 0; i < tally->n; i++) {
        const struct tally_entry *entry = &tally->entries[i];
        *find_slot(&grown, entry->text, entry->hash) = i + 1;
    }
    free(tally->slots);
    *tally = grown;
    return true;
}

static bool grow_entries(struct tally *tally)
{
    size_t capacity = tally->capacity * 2 + 16;
    struct tally_entry *grown =
        realloc(tally->entries, capacity * sizeof *tally->entries);
    if (!grown)
        return false;
    tally->entries = grown;
    tally->capacity = capacity;
    return true;
}

struct tally_entry *tally_at(struct tally *tally, const char *text)
{
    if (tally->n * 2 >= tally->n_slots && !grow_slots(tally))
        return NULL;
    uint64_t hash = hash_of(text);
    size_t *slot = find_slot(tally, text, hash);
    if (*slot)
        return &tally->entries[*slot - 1];
    if (tally->n == tally->capacity && !grow_entries(tally))
        return NULL;
    char *copy = text_copy(text, strlen(text));
    if (!copy)
        return NULL;
    struct tally_entry *entry = &tally->entries[tally->n++];
    *entry = (struct tally_entry){ .text = copy, .hash = hash };
    *slot = tally->n;
    return entry;
}

void tally_add(struct tally_entry *entry, double number)
{
    entry->count++;
    entry->mean += (number - entry->mean) / (double)entry->count;
}

void tally_add_many(struct tally_entry *entry, size_t count, double mean)
{
    if (count == 0)
        return;
    entry->count += count;
    double share = (double)count / (double)entry->count;
    entry->mean += (mean - entry->mean) * share;
}

bool tally_merge(struct tally *into, const struct tally *from)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct tally_entry *entry = &from->entries[i];
        struct tally_entry *target = tally_at(into, entry->text);
        if (!target)
            return false;
        tally_add_many(target, entry->count, entry->mean);
    }
    return true;
}
