/* SPDX-License-Identifier: BSD-3-Clause */
/* problem.c: see problem.h. */
#include "problem.h"

#include <stdarg.h>
#include <stdio.h>

bool problem_set(struct problem *problem, size_t line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(problem->text, sizeof problem->text, format, args);
    va_end(args);
    problem->line = line;
    return false;
}

bool problem_no_memory(struct problem *problem)
{
    return problem_set(problem, 0, "out of memory");
}
