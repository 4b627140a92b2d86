/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * logfile.h: the file that a log goes to, which holds whole lines only.
 *
 * A line is one write(2) to a descriptor opened for appending. When the disk
 * fills up within a line, what was written of it is cut off again; where a file
 * can't be cut (a pipe), the rest of the line is kept, and written before
 * anything else. A line that can't be written is counted. Once there is room
 * again a line says how many were lost, and why.
 */
#ifndef PL_LOGFILE_H
#define PL_LOGFILE_H

#include <plait/log.h>

#include "base/refcount.h"
#include "log/pattern.h"
#include "platform/thread.h"

typedef struct pl_logfile {
    pl_refcount count;
    pl_pattern pattern;
    char *path;
    pl_mutex mutex;

    // guarded by mutex
    int fd;
    bool raises; /* a write may raise SIGXFSZ or SIGPIPE */
    char *rest;  /* of a line that the file holds the beginning of */
    size_t rest_length;
    uint64_t lost;
    uint64_t unreported; /* lost since the last line that told */
    int sys_errno;       /* why the last was lost */
} pl_logfile;

/* Opens for appending, created with mode 0600; NULL when it failed.
 * Thread: any.  Blocks: as the file system does. */
pl_logfile *pl_logfile_open(const char *path, const char *format,
                            plait_error *err);

/* The last reference closes the file.  Thread: any.  Blocks: no. */
void pl_logfile_retain(pl_logfile *file);
void pl_logfile_release(pl_logfile *file);

/* Opens the path again; on failure lines still go to the old file.
 * Thread: any.  Blocks: as the file system does. */
plait_status pl_logfile_reopen(pl_logfile *file, plait_error *err);

/* Writes a record. `date` is its local time, to the second.
 * Thread: any.  Blocks: as the file system does. */
void pl_logfile_write(pl_logfile *file, const plait_log_record *record,
                      const char *date);

/* Before closing: writes what is still to be written, like the notice of lost
 * lines; `record` and `date` say when. Returns how many lines were lost, and
 * why the last of them.  Thread: any.  Blocks: as the file system does. */
uint64_t pl_logfile_settle(pl_logfile *file, const plait_log_record *record,
                           const char *date, int *sys_errno);

uint64_t pl_logfile_lost(pl_logfile *file, int *sys_errno);

/* In the child of a fork, whose only thread holds file->mutex: what was begun
 * by other threads is the parent's to end. */
void pl_logfile_after_fork(pl_logfile *file);

#endif
