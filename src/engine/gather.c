/* SPDX-License-Identifier: BSD-3-Clause */
/* gather.c: arguments with references inside, and with errors among them. */
#include "engine/gather.h"

typedef struct cursor {
    const plait_run *run;
    uint32_t at; /* the next word */
} cursor;

static bool is_nested(plait_value literal)
{
    return pl_has_refs(literal);
}

/* Borrowed. */
static plait_value input_value(const plait_run *run, uint32_t task)
{
    return pl_run_state(run, task) == PL_DONE ? run->cells[task].slot.value
                                              : pl_run_error_of(run, task);
}

static plait_value next_input(void *user)
{
    cursor *c = user;
    return pl_retain(input_value(c->run, c->run->words[c->at++]));
}

static bool skip_ref(plait_task task, void *user)
{
    (void)task;
    ++*(uint32_t *)user;
    return true;
}

/* How many words the references inside a literal take. */
static uint32_t words_inside(plait_value literal)
{
    uint32_t n = 0;
    if (is_nested(literal))
        pl_each_ref(literal, skip_ref, &n);
    return n;
}

size_t pl_gather_count(const plait_run *run, const pl_node *node)
{
    size_t n = node[1].words - node->words;
    if (!(node->function & PL_NODE_NESTED))
        return n;
    n = 0;
    for (uint32_t at = node->words; at < node[1].words; n++) {
        uint32_t word = run->words[at++];
        if (word & PL_WORD_LITERAL)
            at += words_inside(pl_graph_literal(run->plan->graph, word));
    }
    return n;
}

bool pl_gather_careful(const plait_run *run, const pl_node *node,
                       plait_value *args, plait_value *failure)
{
    bool copied = true;
    cursor c = { run, node->words };
    while (c.at < node[1].words) {
        uint32_t word = run->words[c.at++];
        if (!(word & PL_WORD_LITERAL)) {
            *args++ = input_value(run, word);
            continue;
        }
        plait_value literal = pl_graph_literal(run->plan->graph, word);
        uint32_t end = c.at + words_inside(literal);
        *args = is_nested(literal) ? pl_replace_refs(literal, next_input, &c)
                                   : literal;
        c.at = end; /* a copy that ran out of memory has not read them all */
        if (plait_is_error(*args)) { /* literals are none */
            copied = false;
            *failure = *args;
        }
        args++;
    }
    return copied;
}

void pl_gather_release(const plait_run *run, const pl_node *node,
                       const plait_value *args)
{
    if (!(node->function & PL_NODE_NESTED))
        return;
    for (uint32_t at = node->words; at < node[1].words; args++) {
        uint32_t word = run->words[at++];
        if (!(word & PL_WORD_LITERAL))
            continue;
        plait_value literal = pl_graph_literal(run->plan->graph, word);
        at += words_inside(literal);
        if (is_nested(literal))
            plait_release(*args);
    }
}
