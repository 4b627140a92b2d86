/* SPDX-License-Identifier: BSD-3-Clause */
/* line.c: one line of the log in the making, and its escapes. */
#include "log/line.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"

/* What pl_line_end may need when there is no more memory. */
static const char cut_notice[] = " [cut: out of memory]\n";
#define RESERVE (sizeof cut_notice)

void pl_line_init(pl_line *line)
{
    line->text = line->room;
    line->length = 0;
    line->capacity = sizeof line->room;
    line->cut = false;
}

void pl_line_fini(pl_line *line)
{
    if (line->text != line->room)
        pl_free(line->text);
}

/* Room for `more` bytes, and for the end of the line behind them. */
static bool reserve(pl_line *line, size_t more)
{
    if (line->capacity - line->length - RESERVE >= more)
        return true;
    size_t wanted = line->capacity;
    while (wanted - line->length - RESERVE < more) {
        if (!pl_mul_size(wanted, 2, &wanted)) {
            line->cut = true;
            return false;
        }
    }
    char *old = line->text == line->room ? NULL : line->text;
    char *text = pl_realloc(old, wanted);
    if (!text) {
        line->cut = true;
        return false;
    }
    if (!old)
        memcpy(text, line->room, line->length);
    line->text = text;
    line->capacity = wanted;
    return true;
}

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* How much of a text that doesn't fit does without more memory, cut at a
 * character. */
static size_t fitting(const pl_line *line, const char *text, size_t length)
{
    size_t fits = line->capacity - line->length - RESERVE;
    while (fits > 0 && fits < length &&
           is_continuation((unsigned char)text[fits]))
        fits--;
    return fits;
}

void pl_line_add(pl_line *line, const char *text, size_t length)
{
    if (length == 0 || line->cut)
        return;
    if (!reserve(line, length))
        length = fitting(line, text, length);
    memcpy(line->text + line->length, text, length);
    line->length += length;
}

/* Reads one character; returns its bytes, or 0 when they are no UTF-8. */
static size_t read_character(const unsigned char *text, size_t length,
                             uint32_t *character)
{
    size_t n = pl_utf8_length((const char *)text, length);
    if (n == 0)
        return 0;
    uint32_t c = n == 1 ? text[0] : text[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (text[i] & 0x3fu);
    *character = c;
    return n;
}

/* Characters that would end the line, steer a terminal or reorder the text. */
static bool is_hostile(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void add_escape(pl_line *line, uint32_t c, bool is_byte)
{
    char escape[16];
    int length;
    if (c == '\n' || c == '\r' || c == '\t') {
        char letter = c == '\n' ? 'n' : c == '\r' ? 'r' : 't';
        length = snprintf(escape, sizeof escape, "\\%c", letter);
    } else if (c < 0x80 || is_byte) {
        length = snprintf(escape, sizeof escape, "\\x%02x", (unsigned)c);
    } else if (c < 0x10000) {
        length = snprintf(escape, sizeof escape, "\\u%04x", (unsigned)c);
    } else {
        length = snprintf(escape, sizeof escape, "\\U%08x", (unsigned)c);
    }
    pl_line_add(line, escape, (size_t)length);
}

/* How many bytes at the beginning are printable ASCII, up to `max`. */
static size_t plain_run(const unsigned char *text, size_t length, size_t max)
{
    size_t limit = length < max ? length : max;
    size_t n = 0;
    while (n < limit && text[n] >= 0x20 && text[n] < 0x7f)
        n++;
    return n;
}

static void add_plain(pl_line *line, const char *text, size_t length,
                      size_t max)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + length;
    while (at < end && max > 0) {
        size_t left = (size_t)(end - at);
        size_t n = plain_run(at, left, max);
        pl_line_add(line, (const char *)at, n);
        at += n;
        max -= n;
        if (at == end || max == 0)
            return;
        uint32_t c = *at;
        n = read_character(at, (size_t)(end - at), &c);
        if (n == 0 || is_hostile(c))
            add_escape(line, c, n == 0);
        else
            pl_line_add(line, (const char *)at, n);
        at += n ? n : 1;
        max--;
    }
}

/* As Python chooses: single quotes, unless only double ones avoid escapes. */
static char quote_for(const char *text, size_t length)
{
    bool has_single = memchr(text, '\'', length) != NULL;
    bool has_double = memchr(text, '"', length) != NULL;
    return has_single && !has_double ? '"' : '\'';
}

static void add_quoted(pl_line *line, const char *text, size_t length,
                       bool ascii)
{
    char quote = quote_for(text, length);
    pl_line_add(line, &quote, 1);
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + length;
    while (at < end) {
        uint32_t c = *at;
        size_t n = read_character(at, (size_t)(end - at), &c);
        if (n == 0 || is_hostile(c) || (ascii && c > 0x7e)) {
            add_escape(line, c, n == 0 || c < 0x100);
        } else {
            if (c == '\\' || c == (uint32_t)quote)
                pl_line_add(line, "\\", 1);
            pl_line_add(line, (const char *)at, n);
        }
        at += n ? n : 1;
    }
    pl_line_add(line, &quote, 1);
}

/* The number of characters in what is from `begin` on, which is UTF-8. */
static size_t count_characters(const pl_line *line, size_t begin)
{
    size_t n = 0;
    for (size_t i = begin; i < line->length; i++)
        n += !is_continuation((unsigned char)line->text[i]);
    return n;
}

/* Keeps `max` characters of what is from `begin` on. */
static void keep_characters(pl_line *line, size_t begin, size_t max)
{
    for (size_t i = begin; i < line->length; i++) {
        if (is_continuation((unsigned char)line->text[i]))
            continue;
        if (max-- == 0) {
            line->length = i;
            return;
        }
    }
}

void pl_line_add_text(pl_line *line, const char *text, size_t length,
                      pl_line_style style, size_t max_characters)
{
    if (style == PL_LINE_PLAIN) {
        add_plain(line, text, length, max_characters);
        return;
    }
    size_t begin = line->length;
    add_quoted(line, text, length, style == PL_LINE_ASCII);
    keep_characters(line, begin, max_characters);
}

void pl_line_pad(pl_line *line, size_t begin, size_t width, bool left)
{
    size_t have = count_characters(line, begin);
    if (have >= width)
        return;
    size_t spaces = width - have;
    if (!reserve(line, spaces))
        return;
    char *at = line->text + begin;
    size_t length = line->length - begin;
    if (left) {
        memset(at + length, ' ', spaces);
    } else {
        memmove(at + spaces, at, length);
        memset(at, ' ', spaces);
    }
    line->length += spaces;
}

void pl_line_end(pl_line *line)
{
    const char *end = line->cut ? cut_notice : "\n";
    size_t length = strlen(end);
    memcpy(line->text + line->length, end, length);
    line->length += length;
}
