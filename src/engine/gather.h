/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gather.h: a task's arguments, from its words. Plain references and literals
 * are borrowed; a list or dict that holds references is copied with the results
 * in their places, and released after the call.
 */
#ifndef PL_GATHER_H
#define PL_GATHER_H

#include "engine/lane.h"

/* How many arguments a task has. */
size_t pl_gather_count(const plait_run *run, const pl_node *node);

/* Writes the arguments of any task; error values stand for failed inputs.
 * False: a list or dict could not be copied, and `*failure` (borrowed from the
 * arguments) says why. The arguments are to be released all the same. */
bool pl_gather_careful(const plait_run *run, const pl_node *node,
                       plait_value *args, plait_value *failure);

/* Releases what pl_gather_careful copied. */
void pl_gather_release(const plait_run *run, const pl_node *node,
                       const plait_value *args);

/*
 * A result, read as two words. It was stored as two, a moment ago perhaps, and
 * a CPU can't forward two stores to one wide load: in a chain of tasks that
 * would cost more than all the rest. The empty asm keeps the compiler from
 * making them one.
 */
static inline plait_value pl_read_slot(const plait_slot *slot)
{
    plait_slot copy;
    uint64_t first = slot->words[0];
    uint64_t second = slot->words[1];
    __asm__("" : "+r"(first), "+r"(second));
    copy.words[0] = first;
    copy.words[1] = second;
    return copy.value;
}

/* The arguments of a task whose inputs all have values and whose literals hold
 * no references: the common case, inline in the hot loop. Returns how many. */
static inline size_t pl_gather_plain(const plait_run *run, const pl_node *node,
                                     plait_value *args)
{
    const uint32_t *word = run->words + node->words;
    size_t n = node[1].words - node->words;
    for (size_t i = 0; i < n; i++) {
        args[i] = word[i] & PL_WORD_LITERAL
                      ? pl_graph_literal(run->plan->graph, word[i])
                      : pl_read_slot(&run->cells[word[i]].slot);
    }
    return n;
}

#endif
