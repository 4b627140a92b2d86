/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trace_write.c: the file of a trace, in the JSON format that chrome://tracing
 * defined and Perfetto opens: a process per place of runs, a lane per worker, a
 * slice per attempt, an arrow per use, a mark per retry.
 *
 * An arrow is a pair of flow events: "s" in the last nanosecond of the slice
 * that made the value, "f" at the beginning of the one that uses it. Each binds
 * to the slice that its lane shows at that time; where the times are equal, to
 * the one before it in the file: slices come first.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hashmap.h"
#include "observe/json.h"
#include "observe/trace.h"

/* Behind all workers: what none of them ran. */
#define NO_WORKER_LANE 100000

/* A slice with what it belongs to. */
typedef struct item {
    const pl_trace_slice *slice;
    const pl_strbuf *text;
    size_t run; /* in trace->runs; SIZE_MAX: unknown */
} item;

typedef struct lane {
    unsigned place;
    unsigned worker;
} lane;

typedef struct numbered {
    uint32_t id;
    uint32_t number;
} numbered;

typedef struct writer {
    const pl_trace *trace;
    item *items; /* by run, then by time */
    size_t n;
    lane *lanes;
    size_t n_lanes;
    size_t lane_capacity;
    pl_hashmap lane_index;
    uint64_t arrows;
    bool is_short; /* of memory: arrows are missing */
    bool is_first;
    pl_json json;
} writer;

/* ---- what belongs together ---- */

static int by_address_and_time(const void *a, const void *b)
{
    const pl_trace_run *x = a, *y = b;
    uintptr_t p = (uintptr_t)x->run, q = (uintptr_t)y->run;
    if (p != q)
        return p < q ? -1 : 1;
    return (x->begin_ns > y->begin_ns) - (x->begin_ns < y->begin_ns);
}

static int by_run_and_time(const void *a, const void *b)
{
    const item *x = a, *y = b;
    if (x->run != y->run)
        return x->run < y->run ? -1 : 1;
    int64_t p = x->slice->begin_ns, q = y->slice->begin_ns;
    if (p != q)
        return p < q ? -1 : 1;
    return (x->slice->id > y->slice->id) - (x->slice->id < y->slice->id);
}

/* The run of a slice: a later run may have had the same address. */
static size_t run_of(const pl_trace *trace, const pl_trace_slice *slice)
{
    size_t from = 0, to = trace->n_runs; /* the last that is not behind it */
    pl_trace_run wanted = { .run = slice->run, .begin_ns = slice->begin_ns };
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (by_address_and_time(&trace->runs[middle], &wanted) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from > 0 && trace->runs[from - 1].run == slice->run ? from - 1
                                                               : SIZE_MAX;
}

static unsigned place_of(const writer *w, const item *at)
{
    return at->run == SIZE_MAX ? 1 : w->trace->runs[at->run].place;
}

static void collect_stripe(writer *w, const pl_trace_stripe *stripe)
{
    const pl_trace_chunk *chunk = stripe->chunks;
    for (; chunk; chunk = chunk->before) {
        for (size_t i = 0; i < chunk->n; i++) {
            const pl_trace_slice *slice = &chunk->slices[i];
            w->items[w->n++] =
                (item){ slice, &stripe->text, run_of(w->trace, slice) };
        }
    }
}

static bool collect(writer *w)
{
    size_t n = 0;
    for (size_t i = 0; i < PL_TRACE_STRIPES; i++)
        n += w->trace->stripes[i].n_slices;
    w->items = pl_calloc(n, sizeof *w->items);
    if (!w->items)
        return false;
    for (size_t i = 0; i < PL_TRACE_STRIPES; i++)
        collect_stripe(w, &w->trace->stripes[i]);
    qsort(w->items, w->n, sizeof *w->items, by_run_and_time);
    return true;
}

static bool same_lane(uint32_t number, const void *key, const void *user)
{
    const lane *lanes = user, *wanted = key;
    return lanes[number].place == wanted->place &&
           lanes[number].worker == wanted->worker;
}

static bool collect_lanes(writer *w)
{
    for (size_t i = 0; i < w->n; i++) {
        lane own = { place_of(w, &w->items[i]), w->items[i].slice->worker };
        uint64_t hash = pl_hash_mix((uint64_t)own.place << 32 | own.worker);
        if (pl_hashmap_find(&w->lane_index, hash, same_lane, &own, w->lanes) !=
            PL_HASHMAP_NONE)
            continue;
        if (!pl_grow(&w->lanes, &w->lane_capacity, w->n_lanes,
                     sizeof *w->lanes) ||
            !pl_hashmap_add(&w->lane_index, hash, (uint32_t)w->n_lanes))
            return false;
        w->lanes[w->n_lanes++] = own;
    }
    return true;
}

/* ---- events ---- */

/* Lanes are numbered from 1: some viewers take 0 for "idle". */
static unsigned lane_of(unsigned worker)
{
    return worker == UINT_MAX ? NO_WORKER_LANE : worker + 1;
}

static void put(writer *w, const char *text)
{
    pl_json_puts(&w->json, text);
}

static void put_number(writer *w, const char *before, uint64_t number)
{
    put(w, before);
    pl_json_number(&w->json, number);
}

static void put_time(writer *w, const char *before, int64_t ns)
{
    put(w, before);
    pl_json_us(&w->json, ns);
}

static void begin_event(writer *w, const char *phase, unsigned place,
                        unsigned worker)
{
    put(w, w->is_first ? "{\"ph\":\"" : ",\n{\"ph\":\"");
    put(w, phase);
    put_number(w, "\",\"pid\":", place);
    put_number(w, ",\"tid\":", lane_of(worker));
    w->is_first = false;
}

static void write_lane(writer *w, const lane *own)
{
    begin_event(w, "M", own->place, own->worker);
    put(w, ",\"name\":\"thread_name\",\"args\":{\"name\":\"plait");
    if (own->worker != UINT_MAX)
        put_number(w, "-", own->worker);
    put(w, "\"}}");
    begin_event(w, "M", own->place, own->worker);
    put_number(w, ",\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":",
               lane_of(own->worker));
    put(w, "}}");
}

static void write_names(writer *w)
{
    unsigned places = 0;
    for (size_t i = 0; i < w->n_lanes; i++) {
        unsigned place = w->lanes[i].place;
        places = place > places ? place : places;
        write_lane(w, &w->lanes[i]);
    }
    for (unsigned place = 1; place <= places; place++) {
        begin_event(w, "M", place, 0);
        put(w, ",\"name\":\"process_name\",\"args\":{\"name\":\"plait");
        if (place > 1)
            put(w, " (a run at the same time)");
        put(w, "\"}}");
    }
}

static const char *outcome_text(pl_trace_outcome outcome)
{
    switch (outcome) {
    case PL_TRACE_UNFINISHED:
        return "unfinished";
    case PL_TRACE_OK:
        return "ok";
    case PL_TRACE_FAILED:
        return "failed";
    case PL_TRACE_RETRIED:
        return "retried";
    case PL_TRACE_LOST:
        return "lost";
    }
    return "unknown";
}

/* At least a nanosecond: arrows bind to what has an extent. */
static int64_t end_of(const pl_trace_slice *slice)
{
    return slice->end_ns > slice->begin_ns ? slice->end_ns
                                           : slice->begin_ns + 1;
}

static void put_text(writer *w, const char *before, const item *at, size_t from,
                     uint32_t length)
{
    put(w, before);
    pl_json_string(&w->json, length ? at->text->text + from : "", length);
}

static void put_key(writer *w, const char *before, const item *at)
{
    put_text(w, before, at, at->slice->key_at, at->slice->key_length);
}

static void put_error(writer *w, const item *at)
{
    if (at->slice->error_length > 0)
        put_text(w, ",\"error\":", at, at->slice->error_at,
                 at->slice->error_length);
}

/* That an attempt was not the last one. */
static void write_mark(writer *w, const item *at, const char *name)
{
    begin_event(w, "i", place_of(w, at), at->slice->worker);
    put_time(w, ",\"ts\":", at->slice->end_ns - w->trace->origin_ns);
    put(w, ",\"cat\":\"task\",\"s\":\"t\",\"name\":\"");
    put(w, name);
    put_key(w, "\",\"args\":{\"key\":", at);
    put_error(w, at);
    put(w, "}}");
}

static void write_slice(writer *w, const item *at)
{
    const pl_trace_slice *slice = at->slice;
    begin_event(w, "X", place_of(w, at), slice->worker);
    put_time(w, ",\"ts\":", slice->begin_ns - w->trace->origin_ns);
    put_time(w, ",\"dur\":", end_of(slice) - slice->begin_ns);
    put_key(w, ",\"cat\":\"task\",\"name\":", at);
    put_key(w, ",\"args\":{\"key\":", at);
    put_number(w, ",\"task\":", slice->id);
    put(w, ",\"outcome\":\"");
    put(w, outcome_text(slice->outcome));
    put_number(w, "\",\"attempt\":", slice->attempt);
    put_error(w, at);
    put(w, "}}");
    if (slice->outcome == PL_TRACE_RETRIED)
        write_mark(w, at, "retry");
    else if (slice->outcome == PL_TRACE_LOST)
        write_mark(w, at, "lost");
}

static void write_arrow(writer *w, const item *from, const item *to)
{
    int64_t origin_ns = w->trace->origin_ns;
    w->arrows++;
    begin_event(w, "s", place_of(w, from), from->slice->worker);
    put_time(w, ",\"ts\":", end_of(from->slice) - 1 - origin_ns);
    put_number(w, ",\"cat\":\"use\",\"name\":\"use\",\"id\":", w->arrows);
    put(w, "}");
    begin_event(w, "f", place_of(w, to), to->slice->worker);
    put_time(w, ",\"ts\":", to->slice->begin_ns - origin_ns);
    put_number(
        w, ",\"cat\":\"use\",\"name\":\"use\",\"bp\":\"e\",\"id\":", w->arrows);
    put(w, "}");
}

/* ---- arrows of one run ---- */

static int by_id(const void *a, const void *b)
{
    const numbered *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* The last slice of each task, by plan number; NULL: no memory. */
static const item **last_slices(const pl_trace_run *run, const item *items,
                                size_t n)
{
    const item **last = pl_calloc(run->n_tasks, sizeof *last);
    numbered *numbers = pl_calloc(run->n_tasks, sizeof *numbers);
    for (uint32_t t = 0; numbers && t < run->n_tasks; t++)
        numbers[t] = (numbered){ run->ids[t], t };
    if (numbers)
        qsort(numbers, run->n_tasks, sizeof *numbers, by_id);
    for (size_t i = 0; last && numbers && i < n; i++) {
        numbered wanted = { .id = items[i].slice->id };
        const numbered *found =
            bsearch(&wanted, numbers, run->n_tasks, sizeof *numbers, by_id);
        if (found)
            last[found->number] = &items[i];
    }
    if (!numbers) {
        pl_free(last);
        last = NULL;
    }
    pl_free(numbers);
    return last;
}

static bool is_repeat(const uint32_t *inputs, uint32_t at)
{
    for (uint32_t i = at; i-- > 0 && at - i <= 16;) {
        if (inputs[i] == inputs[at])
            return true;
    }
    return false;
}

static void write_arrows_to(writer *w, const pl_trace_run *run, uint32_t task,
                            const item **last)
{
    const uint32_t *inputs = run->inputs + run->input_at[task];
    uint32_t n = run->input_at[task + 1] - run->input_at[task];
    for (uint32_t i = 0; last[task] && i < n; i++) {
        const item *from = last[inputs[i]];
        if (from && from->slice->end_ns <= last[task]->slice->begin_ns &&
            !is_repeat(inputs, i))
            write_arrow(w, from, last[task]);
    }
}

/* The items of one run. */
static void write_arrows(writer *w, const pl_trace_run *run, const item *items,
                         size_t n)
{
    const item **last = last_slices(run, items, n);
    for (uint32_t t = 0; last && t < run->n_tasks && !w->json.sys_errno; t++)
        write_arrows_to(w, run, t, last);
    w->is_short = w->is_short || !last;
    pl_free(last);
}

/* ---- all of it ---- */

static void write_events(writer *w)
{
    put(w, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
    write_names(w);
    for (size_t i = 0; i < w->n && !w->json.sys_errno; i++)
        write_slice(w, &w->items[i]);
    for (size_t i = 0; i < w->n;) {
        size_t first = i, run = w->items[i].run;
        while (i < w->n && w->items[i].run == run)
            i++;
        if (run != SIZE_MAX && w->trace->runs[run].n_tasks > 0)
            write_arrows(w, &w->trace->runs[run], w->items + first, i - first);
    }
    put(w, "\n]}\n");
}

static bool is_short(const pl_trace *trace)
{
    bool found = trace->is_short;
    for (size_t i = 0; i < PL_TRACE_STRIPES; i++)
        found = found || trace->stripes[i].is_short ||
                !pl_strbuf_ok(&trace->stripes[i].text);
    return found;
}

static plait_status write_all(writer *w, plait_error *err)
{
    if (!collect(w) || !collect_lanes(w))
        return pl_error_nomem(err);
    write_events(w);
    if (!pl_json_flush(&w->json))
        return pl_error_sys(err, w->json.sys_errno, "cannot write the trace %s",
                            w->trace->path);
    if (w->is_short || is_short(w->trace))
        return pl_error_set(err, PLAIT_ENOMEM,
                            "the trace %s is not whole: memory ran out",
                            w->trace->path);
    return PLAIT_OK;
}

plait_status pl_trace_write(pl_trace *trace, plait_error *err)
{
    writer *w = pl_calloc(1, sizeof *w);
    if (!w)
        return pl_error_nomem(err);
    w->trace = trace;
    w->json.file = trace->file;
    w->is_first = true;
    if (trace->n_runs > 0)
        qsort(trace->runs, trace->n_runs, sizeof *trace->runs,
              by_address_and_time);
    plait_status status = write_all(w, err);
    pl_free(w->items);
    pl_free(w->lanes);
    pl_hashmap_fini(&w->lane_index);
    pl_free(w);
    return status;
}
