/* SPDX-License-Identifier: BSD-3-Clause */
/* fake_executor.c: foreign executors that drive owned runs. */
#include "fake_executor.h"

#include <pthread.h>
#include <stdlib.h>

#define WINDOW 8       /* tasks begun and not completed */
#define RECENT 64      /* completed tasks that may be lost */
#define MOST_LOSSES 60 /* in one run, so that it ends */

typedef struct fake {
    bool lossy;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* guarded by mutex */
    struct drive *drives;
    int n_drives;
    bool closed;
} fake;

typedef struct drive {
    fake *self;
    plait_run *run;
    struct drive *next;
    uint64_t random;
    plait_attempt begun[WINDOW];
    plait_value values[WINDOW];
    size_t n_begun;
    uint32_t recent[RECENT];
    size_t n_recent;
    int losses_left;
    int attempt_losses_left;
} drive;

static uint32_t dice(drive *d, uint32_t sides)
{
    d->random ^= d->random << 13;
    d->random ^= d->random >> 7;
    d->random ^= d->random << 17;
    return (uint32_t)(d->random >> 33) % sides;
}

static void complete(drive *d, size_t i)
{
    plait_attempt attempt = d->begun[i];
    plait_value value = d->values[i];
    d->n_begun--;
    d->begun[i] = d->begun[d->n_begun];
    d->values[i] = d->values[d->n_begun];
    bool again = dice(d, 4) == 0;
    if (again)
        plait_retain(value);
    if (plait_is_error(value) && dice(d, 2))
        plait_run_fail(d->run, attempt, value);
    else
        plait_run_complete(d->run, attempt, (plait_slot){ .value = value });
    if (again) /* its number is old by now */
        plait_run_complete(d->run, attempt, (plait_slot){ .value = value });
    d->recent[d->n_recent++ % RECENT] = attempt.task;
}

/* An attempt that runs, or a result: then its value is the executor's again. */
static void lose(drive *d, uint32_t task)
{
    const plait_slot *slot = plait_run_slot(d->run, task);
    plait_value dead = slot ? slot->value : plait_nil();
    d->losses_left--;
    plait_run_lose(d->run, task);
    plait_release(dead);
}

static void lose_something(drive *d)
{
    size_t known = d->n_recent < RECENT ? d->n_recent : RECENT;
    if (!d->self->lossy || dice(d, 3) || d->losses_left == 0)
        return;
    if (d->attempt_losses_left && d->n_begun && dice(d, 2)) {
        d->attempt_losses_left--;
        lose(d, d->begun[dice(d, (uint32_t)d->n_begun)].task);
    } else if (known) {
        uint32_t task = d->recent[dice(d, (uint32_t)known)];
        if (plait_run_slot(d->run, task))
            lose(d, task);
    }
}

static void forget_begun(drive *d)
{
    while (d->n_begun)
        plait_release(d->values[--d->n_begun]);
}

static void drive_run(drive *d)
{
    while (!plait_run_finished(d->run)) {
        while (d->n_begun < WINDOW && dice(d, 4) &&
               plait_run_next(d->run, &d->begun[d->n_begun])) {
            d->values[d->n_begun] =
                plait_run_execute(d->run, d->begun[d->n_begun], 0);
            d->n_begun++;
        }
        if (d->n_begun)
            complete(d, dice(d, (uint32_t)d->n_begun));
        if (!plait_run_finished(d->run))
            lose_something(d);
    }
    forget_begun(d);
}

static void unlist(drive *d)
{
    drive **at = &d->self->drives;
    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
}

static void *drive_main(void *arg)
{
    drive *d = arg;
    fake *self = d->self;
    drive_run(d);
    pthread_mutex_lock(&self->mutex);
    unlist(d);
    pthread_mutex_unlock(&self->mutex);
    plait_run_end(d->run);
    free(d);
    pthread_mutex_lock(&self->mutex);
    self->n_drives--;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->mutex);
    return NULL;
}

static plait_status start_thread(void *self_pointer, plait_run *run,
                                 plait_error *err)
{
    static _Atomic uint64_t seed;
    (void)err;
    fake *self = self_pointer;
    drive *d = calloc(1, sizeof *d);
    if (!d)
        return PLAIT_ENOMEM;
    *d = (drive){ .self = self,
                  .run = run,
                  .random = ++seed * UINT64_C(0x9e3779b97f4a7c15),
                  .losses_left = MOST_LOSSES,
                  .attempt_losses_left = 2 };
    pthread_mutex_lock(&self->mutex);
    d->next = self->drives;
    self->drives = d;
    self->n_drives++;
    pthread_mutex_unlock(&self->mutex);
    pthread_t thread;
    if (pthread_create(&thread, NULL, drive_main, d) != 0) {
        pthread_mutex_lock(&self->mutex);
        unlist(d);
        self->n_drives--;
        pthread_mutex_unlock(&self->mutex);
        free(d);
        return PLAIT_ESYS;
    }
    pthread_detach(thread);
    return PLAIT_OK;
}

static plait_status open_fake(void **self_out, bool lossy)
{
    fake *self = calloc(1, sizeof *self);
    if (!self)
        return PLAIT_ENOMEM;
    self->lossy = lossy;
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->changed, NULL);
    *self_out = self;
    return PLAIT_OK;
}

static plait_status open_scrambled(const plait_options *options, void **self,
                                   plait_error *err)
{
    (void)options;
    (void)err;
    return open_fake(self, false);
}

static plait_status open_lossy(const plait_options *options, void **self,
                               plait_error *err)
{
    (void)options;
    (void)err;
    return open_fake(self, true);
}

static void close_fake(void *self_pointer)
{
    fake *self = self_pointer;
    pthread_mutex_lock(&self->mutex);
    for (drive *d = self->drives; d; d = d->next)
        plait_run_cancel(d->run);
    while (self->n_drives > 0)
        pthread_cond_wait(&self->changed, &self->mutex);
    pthread_mutex_unlock(&self->mutex);
    pthread_mutex_destroy(&self->mutex);
    pthread_cond_destroy(&self->changed);
    free(self);
}

/* In the caller's thread, in priority order. */
static plait_status start_inline(void *self, plait_run *run, plait_error *err)
{
    plait_attempt attempt;
    (void)self;
    (void)err;
    while (!plait_run_finished(run) && plait_run_next(run, &attempt)) {
        plait_value value = plait_run_execute(run, attempt, 0);
        plait_run_complete(run, attempt, (plait_slot){ .value = value });
    }
    plait_run_end(run);
    return PLAIT_OK;
}

plait_status fake_executors_register(plait_error *err)
{
    const plait_executor_ops all[] = {
        { PLAIT_EXECUTOR_OPS_INIT, .name = "inorder", .start = start_inline },
        { PLAIT_EXECUTOR_OPS_INIT, .name = "scrambled", .start = start_thread,
          .open = open_scrambled, .close = close_fake },
        { PLAIT_EXECUTOR_OPS_INIT, .name = "lossy", .start = start_thread,
          .open = open_lossy, .close = close_fake },
    };
    plait_status status = PLAIT_OK;
    for (size_t i = 0; i < 3 && status == PLAIT_OK; i++)
        status = plait_executor_register(&all[i], err);
    return status;
}
