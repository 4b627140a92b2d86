/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tally.h: a map from texts to a count and a mean, in the order in which the
 * texts came. It counts distinct values, and holds the groups of a group-by.
 */
#ifndef EXAMPLE_TALLY_H
#define EXAMPLE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally_entry {
    char *text;
    uint64_t hash;
    size_t count; /* of the numbers that were added */
    double mean;  /* theirs */
};

/* All zero is an empty one. */
struct tally {
    struct tally_entry *entries;
    size_t n;
    size_t capacity;
    size_t *slots; /* index of an entry + 1; 0: free. A power of two of them. */
    size_t n_slots;
};

void tally_fini(struct tally *tally);

/* The entry of a text, made when it is new; valid until the next call. NULL
 * when there is no memory. */
struct tally_entry *tally_at(struct tally *tally, const char *text);

/* Adds a number, or `count` numbers with that mean. */
void tally_add(struct tally_entry *entry, double number);
void tally_add_many(struct tally_entry *entry, size_t count, double mean);

/* Adds all of `from`. False when there is no memory. */
bool tally_merge(struct tally *into, const struct tally *from);

#endif
