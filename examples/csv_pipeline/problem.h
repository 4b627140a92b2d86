/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * problem.h: what is wrong with a file, and in which of its lines. The path is
 * not in it: the task that fails puts it in front.
 */
#ifndef EXAMPLE_PROBLEM_H
#define EXAMPLE_PROBLEM_H

#include <stddef.h>

#include <plait/version.h>

struct problem {
    size_t line; /* from 1; 0: of the file as a whole */
    char text[256];
};

/* Notes a problem; always false, so that a function can return it. */
bool problem_set(struct problem *problem, size_t line, const char *format, ...)
    PLAIT_PRINTF(3, 4);

/* The same for "out of memory". */
bool problem_no_memory(struct problem *problem);

#endif
