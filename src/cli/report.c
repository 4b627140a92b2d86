/* SPDX-License-Identifier: BSD-3-Clause */
/* report.c: the command's lines on standard error. */
#include "cli/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

static size_t escape_one(char escape[8], unsigned char c)
{
    const char *short_ones = "\n\r\t";
    const char *at = c ? strchr(short_ones, c) : NULL;
    int n = 1;
    escape[0] = (char)c;
    if (at)
        n = snprintf(escape, 8, "\\%c", "nrt"[at - short_ones]);
    else if (c < 0x20 || c == 0x7f)
        n = snprintf(escape, 8, "\\x%02x", c);
    return (size_t)n;
}

size_t pl_escape(char *buf, size_t size, const char *text)
{
    size_t length = 0;
    for (; *text; text++) {
        char escape[8];
        size_t n = escape_one(escape, (unsigned char)*text);
        if (length + n >= size)
            break;
        memcpy(buf + length, escape, n);
        length += n;
    }
    buf[length] = '\0';
    return length;
}

/* In one write, so that lines of several processes don't mix. */
static void report_v(const char *format, va_list args)
{
    char room[1024];
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(room, sizeof room, format, args);
    size_t size = n < 0 ? 1 : (size_t)n + 1;
    char *text = size <= sizeof room ? room : malloc(size);
    if (text && text != room)
        vsnprintf(text, size, format, again);
    va_end(again);
    if (!text) /* then what fits must do */
        text = room;
    size_t escaped_size = 4 * strlen(text) + 1;
    char *escaped = malloc(escaped_size);
    if (escaped)
        pl_escape(escaped, escaped_size, text);
    fprintf(stderr, "plait: %s\n", escaped ? escaped : "out of memory");
    free(escaped);
    if (text != room)
        free(text);
}

void pl_report(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report_v(format, args);
    va_end(args);
}

int pl_report_usage(const char *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report_v(format, args);
    va_end(args);
    pl_report("try 'plait %s%s--help'", command, *command ? " " : "");
    return PL_EXIT_USAGE;
}

bool pl_flush_output(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    perror("plait: cannot write to standard output");
    return false;
}
