/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * format.c: values as text for people: nil, true, 3, 3.5, "text", b"\x00", [1,
 * 2], {"a": 1}, <table>, <task 3>, error: no rows. Writes into the caller's
 * buffer and counts what has no room there; needs no memory.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "value/attachment.h"
#include "value/type.h"

typedef struct sink {
    char *buf;
    size_t size;
    size_t length; /* of the whole text so far */
} sink;

static void put(sink *to, const char *text, size_t length)
{
    if (to->length < to->size) {
        size_t room = to->size - to->length;
        memcpy(to->buf + to->length, text, length < room ? length : room);
    }
    to->length += length;
}

static void puts_to(sink *to, const char *text)
{
    put(to, text, strlen(text));
}

/* The shortest digits that read back as the same number, with a point whatever
 * the locale's is. */
static void put_float(sink *to, double number)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    char *end = text;
    bool is_plain = true; /* only a sign and digits so far */
    for (const char *at = text; *at; at++) {
        bool is_known = strchr("+-0123456789einfa", *at) != NULL;
        bool is_digit = (*at >= '0' && *at <= '9') || *at == '-';
        is_plain = is_plain && is_digit;
        if (is_known)
            *end++ = *at;
        else if (end > text && end[-1] != '.') /* the point, of any length */
            *end++ = '.';
    }
    put(to, text, (size_t)(end - text));
    if (is_plain)
        puts_to(to, ".0");
}

static void put_escape(sink *to, unsigned char c)
{
    char text[8];
    switch (c) {
    case '\n':
        puts_to(to, "\\n");
        break;
    case '\r':
        puts_to(to, "\\r");
        break;
    case '\t':
        puts_to(to, "\\t");
        break;
    default:
        snprintf(text, sizeof text, "\\x%02x", c);
        puts_to(to, text);
        break;
    }
}

/* The length of the UTF-8 character at `at`; 0: it is none. */
static size_t character(const unsigned char *at, size_t left)
{
    static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned first = at[0];
    size_t length = first < 0x80   ? 1
                    : first < 0xc0 ? 0
                    : first < 0xe0 ? 2
                    : first < 0xf0 ? 3
                    : first < 0xf8 ? 4
                                   : 0;
    if (length <= 1 || length > left)
        return length > left ? 0 : length;
    unsigned code = first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3fu);
    }
    bool is_surrogate = code >= 0xd800 && code < 0xe000;
    return code < least[length] || code > 0x10ffff || is_surrogate ? 0 : length;
}

/* In quotes; what is not text is escaped. In bytes only ASCII is text. */
static void put_quoted(sink *to, const void *data, size_t size, bool is_text)
{
    const unsigned char *at = data;
    puts_to(to, "\"");
    for (size_t i = 0; i < size;) {
        size_t length = character(at + i, size - i);
        bool is_shown = length == 1 ? at[i] >= 0x20 && at[i] != 0x7f
                                    : length > 1 && is_text;
        if (!is_shown) {
            put_escape(to, at[i++]);
            continue;
        }
        if (at[i] == '"' || at[i] == '\\')
            puts_to(to, "\\");
        put(to, (const char *)at + i, length);
        i += length;
    }
    puts_to(to, "\"");
}

typedef struct format_call {
    const plait_type *type;
    const void *data;
    sink *to;
} format_call;

/* Attached to the type's runtime. */
static void call_format(void *arg)
{
    format_call *call = arg;
    sink *to = call->to;
    char none[1];
    bool has_room = to->length < to->size;
    int length =
        call->type->format(call->data, has_room ? to->buf + to->length : none,
                           has_room ? to->size - to->length : sizeof none);
    to->length += length > 0 ? (size_t)length : 0;
}

static void put_object(sink *to, const pl_user_object *object)
{
    plait_type type;
    format_call call = { &type, object->data, to };
    if (pl_type_read(object->type, &type, NULL) == PLAIT_OK && type.format &&
        pl_runtime_call(type.runtime, call_format, &call))
        return;
    puts_to(to, "<");
    puts_to(to, object->type->name);
    puts_to(to, ">");
}

static void put_value(sink *to, plait_value v);

static void put_list(sink *to, plait_value v)
{
    size_t n;
    const plait_value *items = plait_as_list(v, &n);
    puts_to(to, "[");
    for (size_t i = 0; i < n; i++) {
        puts_to(to, i > 0 ? ", " : "");
        put_value(to, items[i]);
    }
    puts_to(to, "]");
}

static void put_dict(sink *to, plait_value v)
{
    const plait_value *keys, *values;
    size_t n = plait_as_dict(v, &keys, &values);
    puts_to(to, "{");
    for (size_t i = 0; i < n; i++) {
        puts_to(to, i > 0 ? ", " : "");
        put_value(to, keys[i]);
        puts_to(to, ": ");
        put_value(to, values[i]);
    }
    puts_to(to, "}");
}

static void put_integer(sink *to, int64_t integer)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, integer);
    puts_to(to, text);
}

static void put_value(sink *to, plait_value v)
{
    size_t size;
    switch (plait_kind_of(v)) {
    case PLAIT_KIND_NIL:
        puts_to(to, "nil");
        break;
    case PLAIT_KIND_BOOL:
        puts_to(to, plait_as_bool(v) ? "true" : "false");
        break;
    case PLAIT_KIND_INT:
        put_integer(to, v.as.integer);
        break;
    case PLAIT_KIND_FLOAT:
        put_float(to, plait_as_float(v));
        break;
    case PLAIT_KIND_REF:
        puts_to(to, "<task ");
        put_integer(to, v.as.integer);
        puts_to(to, ">");
        break;
    case PLAIT_KIND_STRING: {
        const char *text = plait_as_string_n(v, &size);
        put_quoted(to, text, size, true);
        break;
    }
    case PLAIT_KIND_BYTES: {
        const void *data = plait_as_bytes(v, &size);
        puts_to(to, "b");
        put_quoted(to, data, size, false);
        break;
    }
    case PLAIT_KIND_LIST:
        put_list(to, v);
        break;
    case PLAIT_KIND_DICT:
        put_dict(to, v);
        break;
    case PLAIT_KIND_OBJECT:
        put_object(to, v.as.object);
        break;
    case PLAIT_KIND_ERROR:
        puts_to(to, "error: ");
        puts_to(to, plait_error_text(v));
        break;
    }
}

/* Where the text ends when only `end` bytes fit: before a character of which
 * the rest is missing. */
static size_t cut(const char *buf, size_t end)
{
    size_t at = end;
    while (at > 0 && end - at < 3 &&
           ((unsigned char)buf[at - 1] & 0xc0) == 0x80)
        at--;
    unsigned first = at > 0 ? (unsigned char)buf[at - 1] : 0;
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    return first >= 0xc0 && length > end - (at - 1) ? at - 1 : end;
}

int plait_format(plait_value v, char *buf, size_t size)
{
    sink to = { buf, size, 0 };
    put_value(&to, v);
    if (size > 0)
        buf[to.length < size ? to.length : cut(buf, size - 1)] = '\0';
    return to.length < INT_MAX ? (int)to.length : INT_MAX;
}
