/* SPDX-License-Identifier: BSD-3-Clause */
/* logfile.c: appending whole lines to a file. */
#include "log/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

/* ---- writing, under the mutex ---- */

/* A write beyond RLIMIT_FSIZE raises SIGXFSZ, one to a pipe that nobody reads
 * SIGPIPE; either would end the program. They are blocked meanwhile, and taken
 * off when it was our write that raised them. */
typedef struct signal_guard {
    sigset_t before;
    sigset_t ours; /* those of the two that were not pending before */
} signal_guard;

static void guard_begin(signal_guard *guard)
{
    sigset_t both, pending;
    sigemptyset(&both);
    sigaddset(&both, SIGXFSZ);
    sigaddset(&both, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &both, &guard->before);
    sigpending(&pending);
    guard->ours = both;
    if (sigismember(&pending, SIGXFSZ) == 1)
        sigdelset(&guard->ours, SIGXFSZ);
    if (sigismember(&pending, SIGPIPE) == 1)
        sigdelset(&guard->ours, SIGPIPE);
}

static void take_off(const signal_guard *guard, int number)
{
    sigset_t pending, one;
    sigpending(&pending);
    if (sigismember(&guard->ours, number) != 1 ||
        sigismember(&pending, number) != 1)
        return;
    sigemptyset(&one);
    sigaddset(&one, number);
    int taken;
    sigwait(&one, &taken);
}

static void guard_end(const signal_guard *guard)
{
    take_off(guard, SIGXFSZ);
    take_off(guard, SIGPIPE);
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}

/* As write, but a signal's handler doesn't end it. */
static ssize_t write_once(const pl_logfile *file, const char *text,
                          size_t length)
{
    signal_guard guard;
    if (file->raises)
        guard_begin(&guard);
    ssize_t n;
    do
        n = write(file->fd, text, length);
    while (n < 0 && errno == EINTR);
    int why = n < 0 ? errno : 0;
    if (file->raises)
        guard_end(&guard);
    errno = n == 0 ? ENOSPC : why;
    return n;
}

/* Writes all; returns how much, less than `length` when it failed: errno. After
 * a short write the file may have met a limit, and the next may raise. */
static size_t write_all(pl_logfile *file, const char *text, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = write_once(file, text + done, length - done);
        if (n <= 0)
            break;
        done += (size_t)n;
        file->raises = file->raises || done < length;
    }
    return done;
}

/* Cuts the last `length` bytes off, when they are the file's last. */
static bool cut_off(const pl_logfile *file, size_t length)
{
    struct stat st;
    off_t end = lseek(file->fd, 0, SEEK_CUR);
    return end >= (off_t)length && fstat(file->fd, &st) == 0 &&
           S_ISREG(st.st_mode) && st.st_size == end &&
           ftruncate(file->fd, end - (off_t)length) == 0;
}

/* Stands for a rest that there was no memory for: at least the line ends. */
static char newline[] = "\n";

/* Keeps what is to follow a line's beginning. */
static void keep_rest(pl_logfile *file, const char *rest, size_t length)
{
    file->rest = pl_strndup(rest, length);
    file->rest_length = length;
    if (!file->rest) {
        file->rest = newline;
        file->rest_length = 1;
    }
}

static void drop_rest(pl_logfile *file)
{
    if (file->rest != newline)
        pl_free(file->rest);
    file->rest = NULL;
    file->rest_length = 0;
}

/* Writes the rest of a line that was begun. */
static bool finish_rest(pl_logfile *file)
{
    if (!file->rest)
        return true;
    size_t done = write_all(file, file->rest, file->rest_length);
    if (done == file->rest_length) {
        drop_rest(file);
        return true;
    }
    file->rest_length -= done;
    memmove(file->rest, file->rest + done, file->rest_length);
    return false;
}

/* Appends a line, or nothing: false, with errno. A line whose beginning can't
 * be taken back counts as written: its rest follows. */
static bool append(pl_logfile *file, const pl_line *line)
{
    if (!finish_rest(file))
        return false;
    size_t done = write_all(file, line->text, line->length);
    if (done == line->length)
        return true;
    int why = errno;
    if (done > 0 && !cut_off(file, done)) {
        keep_rest(file, line->text + done, line->length - done);
        return true;
    }
    errno = why;
    return false;
}

/* Says how many lines were lost, once there is room for that. */
static void report_lost(pl_logfile *file, const plait_log_record *record,
                        const char *date)
{
    char why[128];
    char message[256];
    int length = snprintf(message, sizeof message,
                          "%" PRIu64 " log line%s could not be written: %s",
                          file->unreported, file->unreported == 1 ? "" : "s",
                          pl_errno_text(file->sys_errno, why, sizeof why));
    plait_log_record notice = *record;
    notice.level = PLAIT_WARNING;
    notice.logger = "plait";
    notice.task = "";
    notice.message = message;
    notice.message_length = (size_t)length;
    pl_line line;
    pl_line_init(&line);
    pl_pattern_render(&file->pattern, &notice, date, &line);
    pl_line_end(&line);
    if (append(file, &line))
        file->unreported = 0;
    pl_line_fini(&line);
}

/* ---- opening and closing ---- */

static int open_path(const char *path, plait_error *err)
{
    int fd;
    do
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
                  0600);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        pl_error_sys(err, errno, "cannot open the log %s", path);
    return fd;
}

/* Whether a write to it may raise a signal, as far as can be known now. */
static bool may_raise(int fd)
{
    struct stat st;
    struct rlimit limit;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return true;
    return getrlimit(RLIMIT_FSIZE, &limit) != 0 ||
           limit.rlim_cur != RLIM_INFINITY;
}

static void free_file(pl_logfile *file)
{
    if (file->fd >= 0)
        close(file->fd);
    drop_rest(file);
    pl_mutex_fini(&file->mutex);
    pl_pattern_fini(&file->pattern);
    pl_free(file->path);
    pl_free(file);
}

pl_logfile *pl_logfile_open(const char *path, const char *format,
                            plait_error *err)
{
    pl_logfile *file = pl_calloc(1, sizeof *file);
    if (!file) {
        pl_error_nomem(err);
        return NULL;
    }
    atomic_init(&file->count, 1);
    pl_mutex_init(&file->mutex);
    file->fd = -1;
    file->path = pl_strdup(path);
    plait_status status = file->path
                              ? pl_pattern_parse(&file->pattern, format, err)
                              : pl_error_nomem(err);
    if (status == PLAIT_OK)
        file->fd = open_path(path, err);
    if (file->fd < 0) {
        free_file(file);
        return NULL;
    }
    file->raises = may_raise(file->fd);
    return file;
}

void pl_logfile_retain(pl_logfile *file)
{
    pl_refcount_take(&file->count);
}

void pl_logfile_release(pl_logfile *file)
{
    if (pl_refcount_give(&file->count))
        free_file(file);
}

plait_status pl_logfile_reopen(pl_logfile *file, plait_error *err)
{
    int fd = open_path(file->path, err);
    if (fd < 0)
        return PLAIT_ESYS;
    bool raises = may_raise(fd);
    pl_mutex_lock(&file->mutex);
    finish_rest(file); /* the old file's; the new one begins with a line */
    drop_rest(file);
    int old = file->fd;
    file->fd = fd;
    file->raises = raises;
    pl_mutex_unlock(&file->mutex);
    close(old);
    return PLAIT_OK;
}

void pl_logfile_write(pl_logfile *file, const plait_log_record *record,
                      const char *date)
{
    pl_line line;
    pl_line_init(&line);
    pl_pattern_render(&file->pattern, record, date, &line);
    pl_line_end(&line);
    pl_mutex_lock(&file->mutex);
    if (file->unreported > 0)
        report_lost(file, record, date);
    if (!append(file, &line)) {
        file->sys_errno = errno;
        file->lost++;
        file->unreported++;
    }
    pl_mutex_unlock(&file->mutex);
    pl_line_fini(&line);
}

uint64_t pl_logfile_settle(pl_logfile *file, const plait_log_record *record,
                           const char *date, int *sys_errno)
{
    pl_mutex_lock(&file->mutex);
    if (!finish_rest(file)) {
        file->sys_errno = errno;
        file->lost++; /* it stays torn */
    } else if (file->unreported > 0) {
        report_lost(file, record, date);
    }
    uint64_t lost = file->lost;
    *sys_errno = file->sys_errno;
    pl_mutex_unlock(&file->mutex);
    return lost;
}

uint64_t pl_logfile_lost(pl_logfile *file, int *sys_errno)
{
    pl_mutex_lock(&file->mutex);
    uint64_t lost = file->lost;
    *sys_errno = file->sys_errno;
    pl_mutex_unlock(&file->mutex);
    return lost;
}

void pl_logfile_after_fork(pl_logfile *file)
{
    /* Threads that held a reference are not in the child: the log's own is the
     * only one. Plain initialisation: nobody else runs. */
    atomic_init(&file->count, 1);
    drop_rest(file);
    file->unreported = 0;
}
