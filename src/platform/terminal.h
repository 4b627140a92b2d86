/* SPDX-License-Identifier: BSD-3-Clause */
/* terminal.h: whether somebody watches a stream.  Thread: any.  Blocks: no. */
#ifndef PL_TERMINAL_H
#define PL_TERMINAL_H

#include <stdio.h>

/* The columns of the terminal behind a stream (80 when it doesn't say); 0: it
 * is no terminal. */
unsigned pl_terminal_width(FILE *stream);

#endif
