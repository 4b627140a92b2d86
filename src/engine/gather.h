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

/* Writes the arguments of any task; error values stand for failed inputs. */
void pl_gather_careful(const plait_run *run, const pl_node *node,
                       plait_value *args);

/* Releases what pl_gather_careful copied. */
void pl_gather_release(const plait_run *run, const pl_node *node,
                       const plait_value *args);

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
                      : run->cells[word[i]].slot.value;
    }
    return n;
}

#endif
