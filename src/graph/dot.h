/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dot.h: a graph as Graphviz text. What is drawn is decided here, how a task
 * looks may be decided by a style: observe/draw.c colours what has run.
 *
 * This header needs nothing of how a graph is stored, so that observe may use
 * it.
 */
#ifndef PL_DOT_H
#define PL_DOT_H

#include <plait/graph.h>

#include "base/strbuf.h"

/* How a task looks. Empty strings leave it as it is. */
typedef struct pl_dot_look {
    char fill[16]; /* colours: "#rrggbb" */
    char line[16];
    char note[128]; /* shown behind the key when the pointer is over it */
} pl_dot_look;

typedef struct pl_dot_style {
    /* Fills `look`, which is empty. */
    void (*task)(plait_task task, pl_dot_look *look, void *user);
    void *user;
} pl_dot_style;

typedef struct pl_dot_request {
    const plait_graph *graph;
    const plait_task *tasks; /* what they need is drawn, and they themselves */
    size_t n;                /* 0: the whole graph */
    const pl_dot_style *style; /* or NULL */
    /* More tasks and uses than that are refused, before anything is written;
     * 0: any number. */
    size_t limit;
} pl_dot_request;

/* Writes to a stream.  Thread: builder.  Blocks: as the stream does. */
plait_status pl_dot_write(const pl_dot_request *request, FILE *stream,
                          plait_error *err);

/* Appends to `text`.  Thread: builder.  Blocks: no. */
plait_status pl_dot_text(const pl_dot_request *request, pl_strbuf *text,
                         plait_error *err);

/* Appends text, in double quotes, so that Graphviz shows it as it is, whatever
 * bytes it is made of; cut after `most` characters. */
void pl_dot_quote(pl_strbuf *text, const char *plain, size_t most);

#endif
