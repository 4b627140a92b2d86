/* SPDX-License-Identifier: BSD-3-Clause */
/* strbuf.c: text that grows. */
#include "base/strbuf.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

void pl_strbuf_fini(pl_strbuf *buf)
{
    pl_free(buf->text);
    *buf = (pl_strbuf){ 0 };
}

bool pl_strbuf_ok(const pl_strbuf *buf)
{
    return !buf->failed;
}

/* Room for `more` bytes and a NUL. */
static bool reserve(pl_strbuf *buf, size_t more)
{
    if (buf->failed)
        return false;
    if (more < buf->capacity - buf->length)
        return true;
    size_t capacity = buf->capacity ? buf->capacity : 64;
    while (capacity - buf->length <= more && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    char *text =
        capacity - buf->length > more ? pl_realloc(buf->text, capacity) : NULL;
    if (!text) {
        buf->failed = true;
        return false;
    }
    buf->text = text;
    buf->capacity = capacity;
    return true;
}

void pl_strbuf_add(pl_strbuf *buf, const char *text, size_t length)
{
    if (!reserve(buf, length))
        return;
    if (length)
        memcpy(buf->text + buf->length, text, length);
    buf->length += length;
    buf->text[buf->length] = '\0';
}

void pl_strbuf_puts(pl_strbuf *buf, const char *text)
{
    pl_strbuf_add(buf, text, strlen(text));
}

void pl_strbuf_vprintf(pl_strbuf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    if (length < 0)
        buf->failed = true;
    else if (reserve(buf, (size_t)length)) {
        vsnprintf(buf->text + buf->length, (size_t)length + 1, format, again);
        buf->length += (size_t)length;
    }
    va_end(again);
}

void pl_strbuf_printf(pl_strbuf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    pl_strbuf_vprintf(buf, format, args);
    va_end(args);
}

char *pl_strbuf_take(pl_strbuf *buf)
{
    pl_strbuf_add(buf, "", 0);
    char *text = buf->failed ? NULL : buf->text;
    if (buf->failed)
        pl_free(buf->text);
    *buf = (pl_strbuf){ 0 };
    return text;
}
