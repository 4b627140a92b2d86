/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * progress_line.c: one line that says how far runs are.
 *
 *   [#########         ]  512/1024  50%  1200/s  2 failed  0:03 left
 *   512/1024 tasks, 50%, 1200/s, 2 failed, 0:03 left
 */
#include "observe/progress_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BAR_MOST 40
#define BAR_LEAST 5
#define NS_PER_S INT64_C(1000000000)
#define LONGEST_LEFT_S (INT64_C(100) * 3600)

static void rate_text(double per_second, char *buf, size_t size)
{
    if (per_second < 1)
        snprintf(buf, size, "%.1f/min", per_second * 60);
    else if (per_second < 10)
        snprintf(buf, size, "%.1f/s", per_second);
    else if (per_second < 10e3)
        snprintf(buf, size, "%.0f/s", per_second);
    else if (per_second < 10e6)
        snprintf(buf, size, "%.0fk/s", per_second / 1e3);
    else
        snprintf(buf, size, "%.0fM/s", per_second / 1e6);
}

/* 0:07, 12:34, 1:02:03 */
static void clock_text(int64_t seconds, char *buf, size_t size)
{
    int64_t hours = seconds / 3600;
    int minutes = (int)(seconds / 60 % 60);
    if (hours > 0)
        snprintf(buf, size, "%" PRId64 ":%02d:%02d", hours, minutes,
                 (int)(seconds % 60));
    else
        snprintf(buf, size, "%d:%02d", minutes, (int)(seconds % 60));
}

static void elapsed_text(int64_t ns, char *buf, size_t size)
{
    if (ns < 60 * NS_PER_S)
        snprintf(buf, size, "%.1f s", (double)ns / (double)NS_PER_S);
    else
        clock_text(ns / NS_PER_S, buf, size);
}

typedef struct part {
    char *at;
    size_t left;
} part;

static void add(part *line, const char *before, const char *text)
{
    int length = snprintf(line->at, line->left, "%s%s", before, text);
    size_t n = length > 0 ? (size_t)length : 0;
    n = n < line->left ? n : line->left - 1;
    line->at += n;
    line->left -= n;
}

static void add_count(part *line, const char *before, size_t n,
                      const char *what)
{
    char text[48];
    snprintf(text, sizeof text, "%zu %s", n, what);
    if (n > 0)
        add(line, before, text);
}

/* How long, how fast, what failed, how long still. */
static void add_rest(part *line, const pl_progress *progress,
                     const char *before)
{
    char text[48];
    double seconds = (double)progress->elapsed_ns / (double)NS_PER_S;
    size_t run = progress->done + progress->failed;
    double rate = seconds > 0 ? (double)run / seconds : 0;
    if (progress->ended) {
        elapsed_text(progress->elapsed_ns, text, sizeof text);
        add(line, before, text);
    }
    if (run > 0 && seconds > 0) {
        rate_text(rate, text, sizeof text);
        add(line, before, text);
    }
    add_count(line, before, progress->failed, "failed");
    add_count(line, before, progress->skipped, "skipped");
    size_t finished = run + progress->skipped;
    if (progress->ended || rate <= 0 || finished >= progress->total)
        return;
    double left = (double)(progress->total - finished) / rate;
    if (left < (double)LONGEST_LEFT_S) {
        clock_text((int64_t)(left + 0.5), text, sizeof text);
        add(line, before, text);
        add(line, "", " left");
    }
}

/* 100 only when nothing is left. */
static unsigned percent(const pl_progress *progress)
{
    size_t finished = progress->done + progress->failed + progress->skipped;
    if (finished >= progress->total)
        return 100;
    return (unsigned)((double)finished * 100 / (double)progress->total);
}

static void add_words(part *line, const pl_progress *progress)
{
    char text[80];
    snprintf(text, sizeof text, "%zu/%zu tasks, %u%%",
             progress->done + progress->failed + progress->skipped,
             progress->total, percent(progress));
    add(line, "", text);
    add_rest(line, progress, ", ");
}

/* As many whole numbers of a line as fit in `most` columns. */
static size_t cut(const char *numbers, size_t length, size_t most)
{
    if (length <= most)
        return length;
    for (size_t at = most; at > 0; at--) {
        if (numbers[at] == ' ' && numbers[at + 1] == ' ')
            return at;
    }
    return most;
}

static size_t bar_line(const pl_progress *progress, unsigned width, char *line)
{
    char numbers[PL_PROGRESS_LINE_BYTES];
    part rest = { numbers, sizeof numbers };
    char text[80];
    snprintf(text, sizeof text, "%zu/%zu  %u%%",
             progress->done + progress->failed + progress->skipped,
             progress->total, percent(progress));
    add(&rest, "", text);
    add_rest(&rest, progress, "  ");
    size_t length = sizeof numbers - rest.left;
    size_t most =
        width < PL_PROGRESS_LINE_BYTES ? width : PL_PROGRESS_LINE_BYTES - 1;
    size_t bar = most > length + 4 ? most - length - 4 : 0;
    bar = bar < BAR_MOST ? bar : BAR_MOST;
    if (bar < BAR_LEAST) { /* no room: the numbers, as far as they fit */
        length = cut(numbers, length, most);
        memcpy(line, numbers, length);
        line[length] = '\0';
        return length;
    }
    size_t full = bar * percent(progress) / 100;
    line[0] = '[';
    memset(line + 1, '#', full);
    memset(line + 1 + full, ' ', bar - full);
    memcpy(line + 1 + bar, "]  ", 3);
    memcpy(line + 4 + bar, numbers, length + 1);
    return 4 + bar + length;
}

size_t pl_progress_line(const pl_progress *progress, unsigned width,
                        char line[PL_PROGRESS_LINE_BYTES])
{
    if (width > 0)
        return bar_line(progress, width, line);
    part words = { line, PL_PROGRESS_LINE_BYTES };
    add_words(&words, progress);
    return PL_PROGRESS_LINE_BYTES - words.left;
}
