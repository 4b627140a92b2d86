/* SPDX-License-Identifier: BSD-3-Clause */
/* interrupt.c: leaves soon after a signal, and says what was running. */
#include "cli/interrupt.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <plait/log.h>

#include "cli/command.h"
#include "cli/report.h"

#define NAMED_TASKS 16
#define GRACE_MS 60
#define POLL_MS 2

static struct {
    sigset_t signals;
    pthread_t watcher;
    sem_t wake;      /* the second thread */
    int exit_status; /* set before it wakes */
    void (*write_files)(void *user);
    void *user;
    pthread_mutex_t mutex;

    // guarded by mutex
    int number; /* of the signal that came, or 0 */
    plait_run *run;
    const plait_graph *graph;
} interrupt = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* Tasks that spin, more of them than CPUs, would keep a thread that wakes up
 * waiting. Where the process may, these two go first. */
static void go_first(void)
{
    struct sched_param param = { .sched_priority =
                                     sched_get_priority_min(SCHED_FIFO) };
    (void)pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
}

/* ---- the second thread: the limit ---- */

static void *limit(void *arg)
{
    (void)arg;
    const struct timespec time = { .tv_nsec =
                                       PL_INTERRUPT_LIMIT_MS * 1000000L };
    go_first();
    while (sem_wait(&interrupt.wake) != 0)
        continue;
    sigtimedwait(&interrupt.signals, NULL, &time);
    _exit(interrupt.exit_status);
}

/* ---- the first thread: the words ---- */

static void add(char *buf, size_t size, const char *text)
{
    size_t length = strlen(buf);
    pl_escape(buf + length, size - length, text);
}

/* ": load-1, load-2 and 3 more", or ": no task was running". */
static void add_running(char *buf, size_t size, const plait_task *tasks,
                        size_t n)
{
    add(buf, size, n == 0 ? "; no task was running" : "; running: ");
    for (size_t i = 0; i < n && i < NAMED_TASKS; i++) {
        char key[128];
        plait_task_key(interrupt.graph, tasks[i], key, sizeof key);
        add(buf, size, i ? ", " : "");
        add(buf, size, key);
    }
    if (n > NAMED_TASKS) {
        char more[40];
        snprintf(more, sizeof more, " and %zu more", n - NAMED_TASKS);
        add(buf, size, more);
    }
}

/* No stdio: a task may hold its locks. */
static void tell(const char *words)
{
    char line[4096 + 16];
    int n = snprintf(line, sizeof line, "%splait: %s\n",
                     isatty(STDERR_FILENO) ? "\n" : "", words);
    ssize_t written = write(STDERR_FILENO, line, (size_t)n);
    (void)written; /* where else could it be told? */
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The tasks that look at plait_cancelled may end, and remove what they made. */
static void wait_for_tasks(plait_run *run)
{
    const struct timespec poll = { .tv_nsec = POLL_MS * 1000000L };
    plait_task task;
    int64_t until_ms = now_ms() + GRACE_MS;
    while (plait_run_running(run, &task, 1) > 0 && now_ms() < until_ms)
        nanosleep(&poll, NULL);
}

static void leave(int number)
{
    char words[4096] = "";
    add(words, sizeof words, number == SIGINT ? "interrupted" : "terminated");
    if (interrupt.run) {
        plait_task tasks[NAMED_TASKS] = { { 0, 0 } };
        size_t n = plait_run_running(interrupt.run, tasks, NAMED_TASKS);
        plait_run_cancel(interrupt.run);
        add_running(words, sizeof words, tasks, n);
    }
    tell(words);
    plait_log(NULL, PLAIT_WARNING, "%s", words);
    if (interrupt.run)
        wait_for_tasks(interrupt.run);
    if (interrupt.write_files)
        interrupt.write_files(interrupt.user);
}

static void *watch(void *arg)
{
    (void)arg;
    go_first();
    int number = SIGINT;
    sigwait(&interrupt.signals, &number);
    interrupt.exit_status = PL_EXIT_SIGNAL + number;
    sem_post(&interrupt.wake);
    pthread_mutex_lock(&interrupt.mutex); /* and keep it: the run stays */
    interrupt.number = number;
    leave(number);
    _exit(interrupt.exit_status);
}

/* ---- the command's side ---- */

/* A task may have unblocked the signals on its thread. */
static void pass_on(int number)
{
    pthread_kill(interrupt.watcher, number);
}

bool pl_interrupt_watch(void (*write_files)(void *user), void *user)
{
    interrupt.write_files = write_files;
    interrupt.user = user;
    sigemptyset(&interrupt.signals);
    sigaddset(&interrupt.signals, SIGINT);
    sigaddset(&interrupt.signals, SIGTERM);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t second;
    bool begun = sem_init(&interrupt.wake, 0, 0) == 0 &&
                 pthread_create(&interrupt.watcher, NULL, watch, NULL) == 0 &&
                 pthread_create(&second, NULL, limit, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!begun) {
        pl_report("cannot begin the threads that watch for signals");
        return false;
    }
    pthread_detach(second);
    struct sigaction action = { .sa_handler = pass_on, .sa_flags = SA_RESTART };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    pthread_sigmask(SIG_BLOCK, &interrupt.signals, NULL);
    return true;
}

void pl_interrupt_set_run(plait_run *run, const plait_graph *graph)
{
    pthread_mutex_lock(&interrupt.mutex);
    interrupt.run = run;
    interrupt.graph = graph;
    pthread_mutex_unlock(&interrupt.mutex);
}

void pl_interrupt_clear_run(void)
{
    pthread_mutex_lock(&interrupt.mutex);
    while (interrupt.number != 0) {
        pthread_mutex_unlock(&interrupt.mutex);
        pause();
        pthread_mutex_lock(&interrupt.mutex);
    }
    interrupt.run = NULL;
    pthread_mutex_unlock(&interrupt.mutex);
}
