/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * strbuf.h: text that grows. Running out of memory sticks: what is appended
 * after that is dropped, and pl_strbuf_ok is false.
 *
 * Thread: one at a time.  Blocks: no.
 */
#ifndef PL_STRBUF_H
#define PL_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <plait/version.h>

/* All zero is empty. `text` ends with NUL, or is NULL while empty. */
typedef struct pl_strbuf {
    char *text;
    size_t length;
    size_t capacity;
    bool failed;
} pl_strbuf;

void pl_strbuf_fini(pl_strbuf *buf);
bool pl_strbuf_ok(const pl_strbuf *buf);
void pl_strbuf_add(pl_strbuf *buf, const char *text, size_t length);
void pl_strbuf_puts(pl_strbuf *buf, const char *text);
void pl_strbuf_printf(pl_strbuf *buf, const char *format, ...)
    PLAIT_PRINTF(2, 3);
void pl_strbuf_vprintf(pl_strbuf *buf, const char *format, va_list args)
    PLAIT_PRINTF(2, 0);
/* The text, to be freed with pl_free; NULL when memory ran out. */
char *pl_strbuf_take(pl_strbuf *buf);

#endif
