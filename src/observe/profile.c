/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * profile.c: per task, when it ran, where, how it ended.
 *
 * Tasks are spread over stripes by id, each with a lock of its own, so that
 * workers seldom meet. Events of one task come in order, and all of them go to
 * one stripe. A stripe has a table per graph, of small pages that come with the
 * first task on them. A later run of the same task replaces what was known. A
 * profile that runs out of memory forgets the tasks that it has no room for.
 */
#include "observe/profile.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "platform/thread.h"

#define STRIPES 64
#define PAGE 16

/* All zero: nothing is known. */
typedef struct entry {
    const plait_run *run;
    int64_t begin_ns;
    int64_t end_ns;
    unsigned worker;
    unsigned attempts;
    plait_outcome outcome;
} entry;

typedef struct table {
    uint32_t graph;
    entry **pages;
    size_t n_pages;
} table;

typedef struct stripe {
    pl_mutex mutex;
    /* guarded by mutex */
    table *tables;
    size_t n_tables;
    size_t capacity;
} stripe;

typedef struct profile {
    plait_observer observer; /* first: the handle */
    stripe stripes[STRIPES];
} profile;

static stripe *stripe_of(profile *own, plait_task task)
{
    return &own->stripes[task.id % STRIPES];
}

static table *find_table(const stripe *part, uint32_t graph)
{
    for (size_t i = part->n_tables; i-- > 0;) {
        if (part->tables[i].graph == graph)
            return &part->tables[i];
    }
    return NULL;
}

/* NULL: no memory. */
static table *find_or_add_table(stripe *part, uint32_t graph)
{
    table *found = find_table(part, graph);
    if (found || !pl_grow(&part->tables, &part->capacity, part->n_tables,
                          sizeof *part->tables))
        return found;
    found = &part->tables[part->n_tables++];
    *found = (table){ .graph = graph };
    return found;
}

/* NULL: nothing is known of the task. */
static const entry *find(const stripe *part, plait_task task)
{
    const table *own = find_table(part, task.graph);
    size_t at = task.id / STRIPES;
    if (!own || at / PAGE >= own->n_pages || !own->pages[at / PAGE])
        return NULL;
    const entry *found = &own->pages[at / PAGE][at % PAGE];
    return found->attempts || found->outcome ? found : NULL;
}

static bool make_page(table *own, size_t page)
{
    if (page >= own->n_pages) {
        size_t n = page + page / 2 + 8;
        entry **pages = pl_realloc(own->pages, n * sizeof *pages);
        if (!pages)
            return false;
        memset(pages + own->n_pages, 0, (n - own->n_pages) * sizeof *pages);
        own->pages = pages;
        own->n_pages = n;
    }
    if (!own->pages[page])
        own->pages[page] = pl_calloc(PAGE, sizeof **own->pages);
    return own->pages[page] != NULL;
}

/* NULL: no memory. */
static entry *find_or_add(stripe *part, plait_task task)
{
    table *own = find_or_add_table(part, task.graph);
    size_t at = task.id / STRIPES;
    if (!own || !make_page(own, at / PAGE))
        return NULL;
    return &own->pages[at / PAGE][at % PAGE];
}

static void begin(entry *task, const plait_event *event)
{
    if (task->run != event->run || task->outcome != PLAIT_OUTCOME_NONE)
        *task = (entry){ .run = event->run };
    task->begin_ns = event->time_ns;
    task->end_ns = 0;
    task->worker = event->worker;
    task->attempts++;
}

static void end(entry *task, const plait_event *event, plait_outcome outcome)
{
    if (outcome == PLAIT_OUTCOME_SKIPPED)
        *task = (entry){ .worker = UINT_MAX };
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
    stripe *part = stripe_of(user, event->task);
    pl_mutex_lock(&part->mutex);
    entry *found = find_or_add(part, event->task);
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

static void free_tables(stripe *part)
{
    for (size_t i = 0; i < part->n_tables; i++) {
        for (size_t page = 0; page < part->tables[i].n_pages; page++)
            pl_free(part->tables[i].pages[page]);
        pl_free(part->tables[i].pages);
    }
    pl_free(part->tables);
}

void plait_profile_free(plait_observer *observer)
{
    if (!observer)
        return;
    profile *own = observer->user;
    for (size_t i = 0; i < STRIPES; i++) {
        pl_mutex_fini(&own->stripes[i].mutex);
        free_tables(&own->stripes[i]);
    }
    pl_free(own);
}

bool pl_is_profile(const plait_observer *observer)
{
    return observer && observer->on_event == on_event;
}

static int64_t longest_in(const table *own)
{
    int64_t longest = 0;
    for (size_t page = 0; page < own->n_pages; page++) {
        const entry *tasks = own->pages[page];
        for (size_t i = 0; tasks && i < PAGE; i++) {
            int64_t took = tasks[i].end_ns - tasks[i].begin_ns;
            if (tasks[i].begin_ns && took > longest)
                longest = took;
        }
    }
    return longest;
}

int64_t pl_profile_longest_ns(const plait_observer *observer, uint32_t graph)
{
    profile *own = observer->user;
    int64_t longest = 0;
    for (size_t i = 0; i < STRIPES; i++) {
        stripe *part = &own->stripes[i];
        pl_mutex_lock(&part->mutex);
        const table *found = find_table(part, graph);
        int64_t here = found ? longest_in(found) : 0;
        longest = here > longest ? here : longest;
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
    stripe *part = stripe_of(observer->user, task);
    pl_mutex_lock(&part->mutex);
    const entry *found = find(part, task);
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
