/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * log.h: the library's own lines, and the log over fork.
 */
#ifndef PL_LOG_H
#define PL_LOG_H

#include <plait/log.h>

/* Whether a line of this level goes anywhere: one load. Ask before building
 * what is only for the log.  Thread: any.  Blocks: no. */
bool pl_log_enabled(plait_level level);

/* A line of the library itself, such as a task's failure. `task_key` may be
 * NULL. errno is as before.
 * Thread: any, with no lock held: a sink is the user's code.
 * Blocks: as the file system does. */
void pl_log_line(plait_level level, const char *task_key, const char *format,
                 ...) PLAIT_PRINTF(3, 4);

/* Around fork: a child finds the log as usable as its parent left it. Between
 * prepare and the others no line can be logged. The log hooks them itself when
 * it is opened; process.c calls them too, in its order: pairs may nest. */
void pl_log_fork_prepare(void);
void pl_log_fork_parent(void);
void pl_log_fork_child(void);

#endif
