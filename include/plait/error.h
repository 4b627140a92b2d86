/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * error.h: what can go wrong, and how it is told.
 *
 * A call that can fail returns a plait_status and, when the caller gives a
 * plait_error, fills it: what failed, in which task, and the cause in a
 * person's words. The caller owns the struct; NULL is fine everywhere. There
 * is no "last error", and the library never prints, exits or aborts.
 */
#ifndef PLAIT_ERROR_H
#define PLAIT_ERROR_H

#include <plait/version.h>

PLAIT_BEGIN_DECLS

/* name, number, meaning: one table makes the enum, the names and the texts */
#define PLAIT_STATUS_MAP(X)                        \
    X(OK, 0, "success")                            \
    X(ENOMEM, -1, "out of memory")                 \
    X(EINVAL, -2, "invalid argument")              \
    X(ETYPE, -3, "value of the wrong kind")        \
    X(ETASK, -4, "a task failed")                  \
    X(ECANCELED, -5, "cancelled")                  \
    X(ETIMEDOUT, -6, "timed out")                  \
    X(EAGAIN, -7, "not yet")                       \
    X(EINTR, -8, "interrupted by a signal")        \
    X(ECLOSED, -9, "closed")                       \
    X(EWORKER, -10, "a worker was lost")           \
    X(ECODEC, -11, "cannot be encoded or decoded") \
    X(EUNAVAILABLE, -12, "not available")          \
    X(ESYS, -13, "a system call failed")

typedef enum plait_status {
#define PLAIT_STATUS_ENUM(name, number, text) PLAIT_##name = number,
    PLAIT_STATUS_MAP(PLAIT_STATUS_ENUM)
#undef PLAIT_STATUS_ENUM
} plait_status;

/* The name of a status, "PLAIT_ENOMEM"; "PLAIT_?" for an unknown number.
 * Thread: any.  Blocks: no. */
PLAIT_API const char *plait_status_name(plait_status status);

/* What a status means, "out of memory".
 * Thread: any.  Blocks: no. */
PLAIT_API const char *plait_status_text(plait_status status);

/*
 * A handle of a task: a number within one graph, passed by value. id 0 is "no
 * task"; ids grow in the order of creation. `graph` is the graph's own number
 * in this process, so that a handle of another graph is noticed.
 */
typedef struct plait_task {
    uint32_t id;
    uint32_t graph;
} plait_task;

#define PLAIT_ERROR_INIT .size = sizeof(plait_error)

typedef struct plait_error {
    PLAIT_SIZE_FIRST(plait_error);
    plait_status status;
    int sys_errno;     /* errno where a system call failed, else 0 */
    plait_task task;   /* the task that failed, or { 0, 0 } */
    char key[128];     /* its key, "" when there is none */
    char message[512]; /* UTF-8, cut at a character when too long */
} plait_error;

PLAIT_END_DECLS

#endif
