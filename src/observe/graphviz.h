/* SPDX-License-Identifier: BSD-3-Clause */
/* graphviz.h: pictures by Graphviz, which is loaded when first needed. */
#ifndef PL_GRAPHVIZ_H
#define PL_GRAPHVIZ_H

#include <stdbool.h>
#include <stddef.h>

#include <plait/error.h>

/* Takes the picture's bytes; false: it can't, with `err` filled. */
typedef bool (*pl_graphviz_sink)(const void *data, size_t size, void *user,
                                 plait_error *err);

/*
 * Lays a graph (Graphviz text) out and gives its picture to `sink`.
 * PLAIT_EUNAVAILABLE: there is no Graphviz; PLAIT_EINVAL: it doesn't know the
 * format, or can't read the text.
 * Thread: any (one at a time; the others wait).  Blocks: yes.
 */
plait_status pl_graphviz_render(const char *text, const char *format,
                                pl_graphviz_sink sink, void *user,
                                plait_error *err);

#endif
