/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * log.h: one log for the whole program, tasks on every scheduler included.
 *
 * Until a log is opened, or a sink set, lines go nowhere: the library never
 * writes to stderr.
 *
 * In the file a record is one line of valid UTF-8. In messages, keys and names
 * newlines and tabs become \n \r \t, other control characters \x1b or \u009b,
 * and bytes that are no UTF-8 \xff; a backslash stays as it is.
 */
#ifndef PLAIT_LOG_H
#define PLAIT_LOG_H

#include <plait/value.h>

PLAIT_BEGIN_DECLS

/* The numbers are those of Python's logging. */
typedef enum plait_level {
    PLAIT_DEBUG = 10,
    PLAIT_INFO = 20,
    PLAIT_WARNING = 30,
    PLAIT_ERROR = 40,
    PLAIT_CRITICAL = 50
} plait_level;

#define PLAIT_LOG_FORMAT \
    "%(asctime)s [%(threadName)s] %(levelname)s %(name)s: %(message)s"

/*
 * Opens the log, for appending, with mode 0600, in the pattern language of
 * Python's logging: asctime, created, levelname, levelno, message, msecs, name,
 * process, processName, task, thread, threadName, each as %(name)s with
 * printf's flags, width and precision. `format` NULL: PLAIT_LOG_FORMAT. A log
 * that is open is closed, unless this fails: then lines still go there. An
 * unknown field is PLAIT_EINVAL.
 * Thread: any.  Blocks: as the file system does.
 */
PLAIT_API plait_status plait_log_open(const char *path, const char *format,
                                      plait_error *err);

/* Opens the path again, after a rotation has moved the file. Lines go to the
 * old file until the new one is open, and still do when that fails. With no
 * log open: PLAIT_EINVAL.
 * Thread: any.  Blocks: as the file system does. */
PLAIT_API plait_status plait_log_reopen(plait_error *err);

/* Closes the log; closed is fine.
 * Thread: any.  Blocks: as the file system does. */
PLAIT_API void plait_log_close(void);

/* The lowest level that is logged; PLAIT_INFO at first.
 * Thread: any.  Blocks: no. */
PLAIT_API void plait_log_level(plait_level level);

#define PLAIT_LOG_RECORD_INIT .size = sizeof(plait_log_record)

/* One line, for a program with a logger of its own. Borrowed. */
typedef struct plait_log_record {
    PLAIT_SIZE_FIRST(plait_log_record);
    plait_level level;
    int64_t time_ns;          /* since 1970, UTC */
    const char *logger;       /* "plait", or the run's name */
    const char *task;         /* the task's key, or "" */
    const char *process_name; /* "MainProcess" */
    const char *thread_name;  /* "plait-0", "MainThread" */
    int process;              /* process id */
    const char *message;      /* ends with NUL */
    size_t message_length;
} plait_log_record;

/* Each record goes to `sink` instead of a file; NULL: to the file again. It is
 * called by the thread that logs, by several at once; no lock is held. What it
 * logs itself is dropped. A call may still be going on, on another thread, when
 * the sink has been changed.
 * Thread: any.  Blocks: no. */
PLAIT_API void plait_log_sink(void (*sink)(const plait_log_record *record,
                                           void *user),
                              void *user);

/*
 * Logs a line: in a task with its context, elsewhere with NULL. A full disk
 * is reported once, in the log when it has room again, and loses the run
 * nothing: see plait_log_lost.
 * Thread: any.  Blocks: as the file system does.
 */
PLAIT_API void plait_log(plait_context *ctx, plait_level level,
                         const char *format, ...) PLAIT_PRINTF(3, 4);

/* How many lines could not be written since the log was last opened, and why
 * the last of them could not; closing keeps the number.  Thread: any.  Blocks:
 * no. */
PLAIT_API uint64_t plait_log_lost(plait_error *err);

PLAIT_END_DECLS

#endif
