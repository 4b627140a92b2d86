/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * log.c: the one log of the process: its level, its file or sink, and the
 * making of a record.
 *
 * A line is formatted with no lock held. The log's mutex is held only to look
 * where lines go (and for the date, made once a second), the file's mutex only
 * for the write itself.
 */
#include "log/log.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <plait/task.h>

#include "base/alloc.h"
#include "base/error.h"
#include "log/logfile.h"
#include "platform/clock.h"
#include "platform/thread.h"

#define MESSAGE_ROOM 512

typedef void (*sink_fn)(const plait_log_record *record, void *user);

static struct {
    /* The lowest level that goes anywhere, INT_MAX while nothing does. Relaxed:
     * a thread that sees it late logs, or not, as if it had come earlier; all
     * else is read under the mutex. */
    atomic_int threshold;
    pl_mutex mutex;

    // guarded by mutex
    int level;
    pl_logfile *file;
    sink_fn sink;
    void *sink_user;
    uint64_t closed_lost; /* of the file that was closed last */
    int closed_errno;
    bool forks_are_hooked;
    int64_t date_second; /* `date` is this second's */
    char date[PL_DATE_SIZE];
} the_log = { .threshold = INT_MAX,
              .mutex = PL_MUTEX_INIT,
              .level = PLAIT_INFO,
              .date_second = INT64_MIN };

/* A sink that logs would call itself without end: its lines are dropped. */
static PL_THREAD_LOCAL bool in_sink;

/* How often pl_log_fork_prepare was called by the thread that forks: by the
 * log's own hook, and by process.c. The outermost pair counts. */
static PL_THREAD_LOCAL unsigned fork_depth;

/* ---- under the mutex ---- */

static void set_threshold(void)
{
    bool open = the_log.file || the_log.sink;
    atomic_store_explicit(&the_log.threshold, open ? the_log.level : INT_MAX,
                          memory_order_relaxed);
}

/* The local time of `time_ns`, to the second, as Python's asctime. localtime_r
 * takes a lock of the C library's; here it is taken once a second, and not
 * while the process forks. */
static void copy_date(int64_t time_ns, char date[PL_DATE_SIZE])
{
    int64_t second = time_ns / 1000000000;
    if (second != the_log.date_second) {
        time_t when = (time_t)second;
        struct tm local;
        if (!localtime_r(&when, &local))
            memset(&local, 0, sizeof local);
        strftime(the_log.date, sizeof the_log.date, "%Y-%m-%d %H:%M:%S",
                 &local);
        the_log.date_second = second;
    }
    memcpy(date, the_log.date, PL_DATE_SIZE);
}

/* ---- records ---- */

/* Where a record goes, as it was at one moment. */
typedef struct destination {
    pl_logfile *file; /* a reference, or NULL */
    sink_fn sink;
    void *sink_user;
    char date[PL_DATE_SIZE];
} destination;

static destination find_destination(int64_t time_ns)
{
    destination to = { .file = NULL };
    pl_mutex_lock(&the_log.mutex);
    to.sink = the_log.sink;
    to.sink_user = the_log.sink_user;
    if (!to.sink && the_log.file) {
        to.file = the_log.file;
        pl_logfile_retain(to.file);
        copy_date(time_ns, to.date);
    }
    pl_mutex_unlock(&the_log.mutex);
    return to;
}

static plait_log_record record_now(plait_level level, const char *task)
{
    return (plait_log_record){ PLAIT_LOG_RECORD_INIT,
                               .level = level,
                               .time_ns = pl_clock_wall_ns(),
                               .logger = "plait",
                               .task = task ? task : "",
                               .process_name = "MainProcess",
                               .thread_name = pl_thread_name(),
                               .process = (int)getpid(),
                               .message = "" };
}

static void deliver(const plait_log_record *record)
{
    destination to = find_destination(record->time_ns);
    if (to.sink) {
        in_sink = true;
        to.sink(record, to.sink_user);
        in_sink = false;
    } else if (to.file) {
        pl_logfile_write(to.file, record, to.date);
        pl_logfile_release(to.file);
    }
}

/* The message, in `room` when it fits, else from the heap. Without memory for
 * it what fits must do; a format that can't be formatted is shown as it is. */
static char *make_message(char *room, const char *format, va_list args,
                          size_t *length)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(room, MESSAGE_ROOM, format, args);
    char *message = room;
    if (n < 0) {
        pl_copy_text(room, MESSAGE_ROOM, format);
        *length = strlen(room);
    } else if (n < MESSAGE_ROOM) {
        *length = (size_t)n;
    } else {
        *length = (size_t)n;
        message = pl_alloc((size_t)n + 1);
        if (message)
            vsnprintf(message, (size_t)n + 1, format, again);
    }
    va_end(again);
    if (!message) {
        static const char notice[] = " [cut: out of memory]";
        memcpy(room + MESSAGE_ROOM - sizeof notice, notice, sizeof notice);
        *length = MESSAGE_ROOM - 1;
        message = room;
    }
    return message;
}

static void log_v(plait_level level, const char *task, const char *format,
                  va_list args)
{
    int saved = errno;
    char room[MESSAGE_ROOM];
    size_t length;
    char *message = make_message(room, format, args, &length);
    plait_log_record record = record_now(level, task);
    record.message = message;
    record.message_length = length;
    deliver(&record);
    if (message != room)
        pl_free(message);
    errno = saved;
}

bool pl_log_enabled(plait_level level)
{
    return (int)level >=
               atomic_load_explicit(&the_log.threshold, memory_order_relaxed) &&
           !in_sink;
}

void pl_log_line(plait_level level, const char *task_key, const char *format,
                 ...)
{
    if (!pl_log_enabled(level))
        return;
    va_list args;
    va_start(args, format);
    log_v(level, task_key, format, args);
    va_end(args);
}

void plait_log(plait_context *ctx, plait_level level, const char *format, ...)
{
    if (!pl_log_enabled(level))
        return;
    va_list args;
    va_start(args, format);
    log_v(level, ctx ? plait_context_key(ctx) : NULL, format, args);
    va_end(args);
}

/* ---- fork ---- */

void pl_log_fork_prepare(void)
{
    if (fork_depth++ > 0)
        return;
    pl_mutex_lock(&the_log.mutex);
    if (the_log.file)
        pl_mutex_lock(&the_log.file->mutex);
}

void pl_log_fork_parent(void)
{
    if (--fork_depth > 0)
        return;
    if (the_log.file)
        pl_mutex_unlock(&the_log.file->mutex);
    pl_mutex_unlock(&the_log.mutex);
}

void pl_log_fork_child(void)
{
    if (fork_depth == 1 && the_log.file)
        pl_logfile_after_fork(the_log.file);
    pl_log_fork_parent();
}

/* A program that logs may fork before it runs any task. Not under the mutex:
 * the C library may hold a lock of its own while it calls the hooks. */
static void hook_forks(void)
{
    pl_mutex_lock(&the_log.mutex);
    bool first = !the_log.forks_are_hooked;
    the_log.forks_are_hooked = true;
    pl_mutex_unlock(&the_log.mutex);
    if (!first || pl_thread_atfork(pl_log_fork_prepare, pl_log_fork_parent,
                                   pl_log_fork_child))
        return;
    pl_mutex_lock(&the_log.mutex);
    the_log.forks_are_hooked = false; /* no memory: at the next opening */
    pl_mutex_unlock(&the_log.mutex);
}

/* ---- opening and closing ---- */

/* Ends a file that lines no longer go to. */
static void close_file(pl_logfile *file)
{
    plait_log_record now = record_now(PLAIT_WARNING, NULL);
    char date[PL_DATE_SIZE];
    pl_mutex_lock(&the_log.mutex);
    copy_date(now.time_ns, date);
    pl_mutex_unlock(&the_log.mutex);
    int why = 0;
    uint64_t lost = pl_logfile_settle(file, &now, date, &why);
    pl_logfile_release(file);
    pl_mutex_lock(&the_log.mutex);
    the_log.closed_lost = lost;
    the_log.closed_errno = why;
    pl_mutex_unlock(&the_log.mutex);
}

/* Lines go to `file` (NULL: nowhere) from now on; returns where they went. */
static pl_logfile *exchange_file(pl_logfile *file)
{
    pl_mutex_lock(&the_log.mutex);
    pl_logfile *old = the_log.file;
    the_log.file = file;
    set_threshold();
    pl_mutex_unlock(&the_log.mutex);
    return old;
}

plait_status plait_log_open(const char *path, const char *format,
                            plait_error *err)
{
    hook_forks();
    pl_error_clear(err);
    if (!path || !*path)
        return pl_error_set(err, PLAIT_EINVAL, "the log has no path");
    plait_error why = { PLAIT_ERROR_INIT };
    pl_logfile *file =
        pl_logfile_open(path, format ? format : PLAIT_LOG_FORMAT, &why);
    if (!file)
        return pl_error_copy(err, &why);
    pl_logfile *old = exchange_file(file);
    if (old)
        close_file(old);
    return PLAIT_OK;
}

plait_status plait_log_reopen(plait_error *err)
{
    pl_error_clear(err);
    pl_mutex_lock(&the_log.mutex);
    pl_logfile *file = the_log.file;
    if (file)
        pl_logfile_retain(file);
    pl_mutex_unlock(&the_log.mutex);
    if (!file)
        return pl_error_set(err, PLAIT_EINVAL, "no log is open");
    plait_status status = pl_logfile_reopen(file, err);
    pl_logfile_release(file);
    return status;
}

void plait_log_close(void)
{
    pl_logfile *old = exchange_file(NULL);
    if (old)
        close_file(old);
}

void plait_log_level(plait_level level)
{
    pl_mutex_lock(&the_log.mutex);
    the_log.level = (int)level;
    set_threshold();
    pl_mutex_unlock(&the_log.mutex);
}

void plait_log_sink(sink_fn sink, void *user)
{
    hook_forks();
    pl_mutex_lock(&the_log.mutex);
    the_log.sink = sink;
    the_log.sink_user = user;
    set_threshold();
    pl_mutex_unlock(&the_log.mutex);
}

uint64_t plait_log_lost(plait_error *err)
{
    pl_error_clear(err);
    pl_mutex_lock(&the_log.mutex);
    uint64_t lost = the_log.closed_lost;
    int why = the_log.closed_errno;
    pl_logfile *file = the_log.file;
    if (file)
        pl_logfile_retain(file);
    pl_mutex_unlock(&the_log.mutex);
    if (file) {
        lost = pl_logfile_lost(file, &why);
        pl_logfile_release(file);
    }
    if (lost > 0)
        pl_error_sys(err, why, "%llu log lines could not be written",
                     (unsigned long long)lost);
    return lost;
}
