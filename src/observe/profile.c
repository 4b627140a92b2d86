/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * profile.c: per task, when it ran, where, how it ended.
 *
 * Tasks are spread over stripes by id, each with a lock of its own, so that
 * workers seldom meet. Events of one task come in order, and all of them go to
 * one stripe. A later run of the same task replaces what was known. A profile
 * that runs out of memory forgets the tasks that it has no room for.
 */
#include "observe/profile.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "platform/thread.h"

#define STRIPES 64

typedef struct entry {
    uint64_t task; /* graph << 32 | id */
    const plait_run *run;
    int64_t begin_ns;
    int64_t end_ns;
    unsigned worker;
    unsigned attempts;
    plait_outcome outcome;
} entry;

typedef struct stripe {
    pl_mutex mutex;
    /* guarded by mutex */
    pl_hashmap index;
    entry *entries;
    size_t n;
    size_t capacity;
} stripe;

typedef struct profile {
    plait_observer observer; /* first: the handle */
    stripe stripes[STRIPES];
} profile;

static bool same_task(uint32_t number, const void *key, const void *user)
{
    const entry *entries = user;
    return entries[number].task == *(const uint64_t *)key;
}

static uint64_t name_of(plait_task task)
{
    return (uint64_t)task.graph << 32 | task.id;
}

/* The stripe by the low bits, which the index doesn't look at. */
static stripe *stripe_of(profile *own, uint64_t hash)
{
    return &own->stripes[hash % STRIPES];
}

static entry *find(const stripe *part, uint64_t hash, uint64_t task)
{
    uint32_t number =
        pl_hashmap_find(&part->index, hash, same_task, &task, part->entries);
    return number == PL_HASHMAP_NONE ? NULL : &part->entries[number];
}

/* The entry of a task, made when there is none; NULL: no memory. */
static entry *find_or_add(stripe *part, uint64_t hash, uint64_t task)
{
    entry *found = find(part, hash, task);
    if (found)
        return found;
    if (!pl_grow(&part->entries, &part->capacity, part->n, sizeof(entry)) ||
        !pl_hashmap_add(&part->index, hash, (uint32_t)part->n))
        return NULL;
    found = &part->entries[part->n++];
    *found = (entry){ .task = task, .worker = UINT_MAX };
    return found;
}

static void begin(entry *task, const plait_event *event)
{
    if (task->run != event->run || task->outcome != PLAIT_OUTCOME_NONE)
        *task = (entry){ .task = task->task, .run = event->run };
    task->begin_ns = event->time_ns;
    task->end_ns = 0;
    task->worker = event->worker;
    task->attempts++;
}

static void end(entry *task, const plait_event *event, plait_outcome outcome)
{
    if (outcome == PLAIT_OUTCOME_SKIPPED)
        *task = (entry){ .task = task->task, .worker = UINT_MAX };
    task->run = event->run;
    task->end_ns = event->time_ns;
    task->outcome = outcome;
}

static void note(entry *task, const plait_event *event)
{
    switch (event->kind) {
    case PLAIT_TASK_BEGIN:
        begin(task, event);
        break;
    case PLAIT_TASK_END:
        end(task, event, PLAIT_OUTCOME_OK);
        break;
    case PLAIT_TASK_FAILED:
        end(task, event, PLAIT_OUTCOME_FAILED);
        break;
    case PLAIT_TASK_SKIPPED:
        end(task, event, PLAIT_OUTCOME_SKIPPED);
        break;
    case PLAIT_TASK_LOST: /* it will begin again, and attempts go on */
        task->outcome = PLAIT_OUTCOME_NONE;
        task->end_ns = 0;
        break;
    case PLAIT_RUN_BEGIN:
    case PLAIT_TASK_READY:
    case PLAIT_TASK_RETRIED:
    case PLAIT_RUN_END:
        break;
    }
}

static void on_event(const plait_event *event, void *user)
{
    uint64_t task = name_of(event->task);
    uint64_t hash = pl_hash_mix(task);
    stripe *part = stripe_of(user, hash);
    pl_mutex_lock(&part->mutex);
    entry *found = find_or_add(part, hash, task);
    if (found)
        note(found, event);
    pl_mutex_unlock(&part->mutex);
}

plait_observer *plait_profile_new(void)
{
    profile *own = pl_calloc(1, sizeof *own);
    if (!own)
        return NULL;
    for (size_t i = 0; i < STRIPES; i++)
        pl_mutex_init(&own->stripes[i].mutex);
    own->observer = (plait_observer){
        PLAIT_OBSERVER_INIT,
        .kinds = PLAIT_TASK_BEGIN | PLAIT_TASK_END | PLAIT_TASK_FAILED |
                 PLAIT_TASK_SKIPPED | PLAIT_TASK_LOST,
        .on_event = on_event,
        .user = own,
    };
    return &own->observer;
}

void plait_profile_free(plait_observer *observer)
{
    if (!observer)
        return;
    profile *own = observer->user;
    for (size_t i = 0; i < STRIPES; i++) {
        pl_mutex_fini(&own->stripes[i].mutex);
        pl_hashmap_fini(&own->stripes[i].index);
        pl_free(own->stripes[i].entries);
    }
    pl_free(own);
}

bool pl_is_profile(const plait_observer *observer)
{
    return observer && observer->on_event == on_event;
}

int64_t pl_profile_longest_ns(const plait_observer *observer)
{
    profile *own = observer->user;
    int64_t longest = 0;
    for (size_t i = 0; i < STRIPES; i++) {
        stripe *part = &own->stripes[i];
        pl_mutex_lock(&part->mutex);
        for (size_t k = 0; k < part->n; k++) {
            const entry *task = &part->entries[k];
            if (task->begin_ns && task->end_ns - task->begin_ns > longest)
                longest = task->end_ns - task->begin_ns;
        }
        pl_mutex_unlock(&part->mutex);
    }
    return longest;
}

plait_status plait_profile_task(const plait_observer *observer, plait_task task,
                                plait_timing *timing)
{
    if (!pl_is_profile(observer) || !timing ||
        timing->size < sizeof timing->size)
        return PLAIT_EINVAL;
    plait_timing full = { PLAIT_TIMING_INIT, .worker = UINT_MAX };
    uint64_t name = name_of(task);
    uint64_t hash = pl_hash_mix(name);
    stripe *part = stripe_of(observer->user, hash);
    pl_mutex_lock(&part->mutex);
    const entry *found = find(part, hash, name);
    if (found) {
        full.outcome = found->outcome;
        full.worker = found->worker;
        full.attempts = found->attempts;
        full.begin_ns = found->begin_ns;
        full.end_ns = found->end_ns;
    }
    pl_mutex_unlock(&part->mutex);
    size_t size = timing->size < sizeof full ? timing->size : sizeof full;
    memcpy((char *)timing + sizeof full.size, (char *)&full + sizeof full.size,
           size - sizeof full.size);
    return PLAIT_OK;
}
