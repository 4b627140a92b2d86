/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * draw.c: pictures of graphs. With a profile, a task that ran is white to
 * orange by the time it took, one that failed red, one that was skipped grey.
 */
#include <plait/observe.h>

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "graph/dot.h"
#include "observe/graphviz.h"
#include "observe/profile.h"

/* Tasks and uses; Graphviz takes some ten seconds for that many, and its time
 * grows faster than they do. */
#define PICTURE_LIMIT 5000

typedef struct colouring {
    const plait_observer *profile;
    int64_t longest_ns; /* of the graph's tasks; -1: not asked yet */
} colouring;

/* ---- how a task looks ---- */

static void time_text(int64_t ns, char *buf, size_t size)
{
    if (ns < 1000000)
        snprintf(buf, size, "%.1f us", (double)ns / 1e3);
    else if (ns < 1000000000)
        snprintf(buf, size, "%.1f ms", (double)ns / 1e6);
    else
        snprintf(buf, size, "%.2f s", (double)ns / 1e9);
}

/* "failed, 2.3 ms on plait-1, attempt 3" */
static void describe(const plait_timing *timing, const char *outcome,
                     pl_dot_look *look)
{
    char took[32], worker[32] = "", attempt[32] = "";
    time_text(timing->end_ns - timing->begin_ns, took, sizeof took);
    if (timing->worker != UINT_MAX)
        snprintf(worker, sizeof worker, " on plait-%u", timing->worker);
    if (timing->attempts > 1)
        snprintf(attempt, sizeof attempt, ", attempt %u", timing->attempts);
    snprintf(look->note, sizeof look->note, "%s, %s%s%s", outcome, took, worker,
             attempt);
}

/* White to orange; the square root, so that short tasks differ too. */
static void heat(int64_t took_ns, int64_t longest_ns, pl_dot_look *look)
{
    double part = longest_ns > 0 ? (double)took_ns / (double)longest_ns : 0;
    part = part > 0 ? sqrt(part) : 0;
    snprintf(look->fill, sizeof look->fill, "#ff%02x%02x",
             (unsigned)(255 - part * (255 - 0x8c)),
             (unsigned)(255 - part * 255));
}

static void look_of(plait_task task, pl_dot_look *look, void *user)
{
    colouring *own = user;
    if (own->longest_ns < 0)
        own->longest_ns = pl_profile_longest_ns(own->profile, task.graph);
    plait_timing timing = { PLAIT_TIMING_INIT };
    plait_profile_task(own->profile, task, &timing);
    switch (timing.outcome) {
    case PLAIT_OUTCOME_OK:
        describe(&timing, "ok", look);
        heat(timing.end_ns - timing.begin_ns, own->longest_ns, look);
        break;
    case PLAIT_OUTCOME_FAILED:
        describe(&timing, "failed", look);
        snprintf(look->fill, sizeof look->fill, "#e0524d");
        break;
    case PLAIT_OUTCOME_SKIPPED:
        snprintf(look->note, sizeof look->note, "skipped");
        snprintf(look->fill, sizeof look->fill, "#c8c8c8");
        break;
    case PLAIT_OUTCOME_NONE:
        snprintf(look->note, sizeof look->note, "did not run");
        snprintf(look->line, sizeof look->line, "#a0a0a0");
        break;
    }
}

/* ---- files ---- */

typedef struct target {
    const char *path;
} target;

static plait_status cannot_write(const char *path, int sys_errno,
                                 plait_error *err)
{
    return pl_error_sys(err, sys_errno, "cannot write %s", path);
}

static bool write_picture(const void *data, size_t size, void *user,
                          plait_error *err)
{
    const char *path = ((const target *)user)->path;
    FILE *file = fopen(path, "we");
    bool is_written = file && fwrite(data, 1, size, file) == size;
    if (file && fflush(file) != 0)
        is_written = false;
    if (!is_written)
        cannot_write(path, errno, err);
    if (file)
        fclose(file); /* nothing is left to be written */
    return is_written;
}

static plait_status draw_text(const pl_dot_request *request, const char *path,
                              plait_error *err)
{
    plait_status status = plait_graph_status(request->graph, err);
    if (status != PLAIT_OK)
        return status;
    FILE *file = fopen(path, "we");
    if (!file)
        return cannot_write(path, errno, err);
    plait_error own = { PLAIT_ERROR_INIT };
    status = pl_dot_write(request, file, &own);
    fclose(file); /* nothing is left to be written */
    return status == PLAIT_ESYS ? cannot_write(path, own.sys_errno, err)
                                : pl_error_copy(err, &own);
}

static plait_status draw_picture(pl_dot_request *request, const char *path,
                                 const char *format, plait_error *err)
{
    request->limit = PICTURE_LIMIT;
    pl_strbuf text = { 0 };
    target own = { path };
    plait_status status = pl_dot_text(request, &text, err);
    if (status == PLAIT_OK)
        status =
            pl_graphviz_render(text.text, format, write_picture, &own, err);
    pl_strbuf_fini(&text);
    return status;
}

/* The extension in lower case; false: there is none. */
static bool format_of(const char *path, char *format, size_t size)
{
    const char *dot = strrchr(path, '.');
    size_t length = dot && !strchr(dot, '/') ? strlen(dot + 1) : 0;
    if (length == 0 || length >= size)
        return false;
    for (size_t i = 0; i <= length; i++)
        format[i] = (char)tolower((unsigned char)dot[1 + i]);
    return true;
}

plait_status plait_graph_draw(const plait_graph *graph, const plait_task *tasks,
                              size_t n, const plait_observer *profile,
                              const char *path, plait_error *err)
{
    char format[32];
    pl_error_clear(err);
    if (!path || !format_of(path, format, sizeof format))
        return pl_error_set(err, PLAIT_EINVAL,
                            "%s has no extension that names a format, such as "
                            ".svg, .png, .pdf or .dot",
                            path ? path : "the path (NULL)");
    if (profile && !pl_is_profile(profile))
        return pl_error_set(err, PLAIT_EINVAL,
                            "the observer is no profile: plait_profile_new "
                            "makes one");
    colouring own = { profile, -1 };
    pl_dot_style style = { look_of, &own };
    pl_dot_request request = {
        .graph = graph, .tasks = tasks, .n = n, .style = profile ? &style : NULL
    };
    if (strcmp(format, "dot") == 0 || strcmp(format, "gv") == 0)
        return draw_text(&request, path, err);
    return draw_picture(&request, path, format, err);
}
