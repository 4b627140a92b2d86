/* SPDX-License-Identifier: BSD-3-Clause */
/* value_json.c: writes a value as JSON. */
#include "cli/value_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How many bytes a UTF-8 character has; 0: these are no UTF-8. The tables of
 * RFC 3629 as ranges of the second byte. */
static size_t character_length(const unsigned char *at, size_t left)
{
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t n = 0;
    if (at[0] < 0x80)
        return 1;
    if (at[0] >= 0xc2 && at[0] <= 0xdf)
        n = 2;
    else if (at[0] >= 0xe0 && at[0] <= 0xef)
        n = 3;
    else if (at[0] >= 0xf0 && at[0] <= 0xf4)
        n = 4;
    if (n == 0 || n > left)
        return 0;
    if (at[0] == 0xe0)
        low = 0xa0;
    else if (at[0] == 0xed)
        high = 0x9f;
    else if (at[0] == 0xf0)
        low = 0x90;
    else if (at[0] == 0xf4)
        high = 0x8f;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

static void write_ascii(unsigned char c, FILE *stream)
{
    static const char named[] = "\"\\\n\r\t\b\f";
    const char *at = c ? strchr(named, c) : NULL;
    if (at)
        fprintf(stream, "\\%c", "\"\\nrtbf"[at - named]);
    else if (c < 0x20 || c == 0x7f)
        fprintf(stream, "\\u%04x", c);
    else
        putc(c, stream);
}

static void write_text(const char *text, size_t length, FILE *stream)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + length;
    putc('"', stream);
    while (at < end) {
        size_t n = character_length(at, (size_t)(end - at));
        if (n == 0)
            fprintf(stream, "\\udc%02x", *at);
        else if (n == 1)
            write_ascii(*at, stream);
        else
            fwrite(at, 1, n, stream);
        at += n ? n : 1;
    }
    putc('"', stream);
}

static void write_string(const char *text, FILE *stream)
{
    write_text(text ? text : "", text ? strlen(text) : 0, stream);
}

/* The shortest digits that read back as the same number. Another decimal point
 * of the program's locale is made a dot. */
static void write_float(double x, FILE *stream)
{
    char text[40] = "";
    if (!isfinite(x)) {
        fputs("null", stream);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    size_t point = strspn(text, "-+0123456789");
    if (text[point] == '\0') {
        fprintf(stream, "%s.0", text);
        return;
    }
    size_t rest = point + strcspn(text + point, "0123456789e");
    bool exponent_only = rest == point;
    fprintf(stream, "%.*s%s%s", (int)point, text, exponent_only ? "" : ".",
            text + rest);
}

static void write_base64(const void *data, size_t size, FILE *stream)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = data;
    putc('"', stream);
    for (size_t i = 0; i < size; i += 3) {
        size_t n = size - i < 3 ? size - i : 3;
        uint32_t bits = (uint32_t)at[i] << 16;
        if (n > 1)
            bits |= (uint32_t)at[i + 1] << 8;
        if (n > 2)
            bits |= at[i + 2];
        putc(digits[bits >> 18], stream);
        putc(digits[bits >> 12 & 63], stream);
        putc(n > 1 ? digits[bits >> 6 & 63] : '=', stream);
        putc(n > 2 ? digits[bits & 63] : '=', stream);
    }
    putc('"', stream);
}

/* What plait_format says, as a string. */
static void write_formatted(plait_value v, FILE *stream)
{
    int length = plait_format(v, NULL, 0);
    size_t size = length < 0 ? 1 : (size_t)length + 1;
    char *text = malloc(size);
    if (text) {
        text[0] = '\0';
        plait_format(v, text, size);
    }
    write_string(text, stream);
    free(text);
}

static void write_object(plait_value v, FILE *stream)
{
    fputs("{\"type\": ", stream);
    write_string(plait_object_type_name(v), stream);
    fputs(", \"text\": ", stream);
    write_formatted(v, stream);
    putc('}', stream);
}

static void write_error(plait_value v, FILE *stream)
{
    const plait_error *err = plait_as_error(v);
    fputs("{\"error\": ", stream);
    write_string(plait_status_name(err->status), stream);
    fputs(", \"task\": ", stream);
    write_string(err->key, stream);
    fputs(", \"message\": ", stream);
    write_string(plait_error_text(v), stream);
    putc('}', stream);
}

static void write_list(plait_value v, FILE *stream)
{
    size_t n;
    const plait_value *items = plait_as_list(v, &n);
    putc('[', stream);
    for (size_t i = 0; i < n; i++) {
        fputs(i ? ", " : "", stream);
        pl_value_json(items[i], stream);
    }
    putc(']', stream);
}

static void write_key(plait_value key, FILE *stream)
{
    size_t length;
    const char *text = plait_as_string_n(key, &length);
    if (text)
        write_text(text, length, stream);
    else
        write_formatted(key, stream);
}

static void write_dict(plait_value v, FILE *stream)
{
    const plait_value *keys;
    const plait_value *values;
    size_t n = plait_as_dict(v, &keys, &values);
    putc('{', stream);
    for (size_t i = 0; i < n; i++) {
        fputs(i ? ", " : "", stream);
        write_key(keys[i], stream);
        fputs(": ", stream);
        pl_value_json(values[i], stream);
    }
    putc('}', stream);
}

void pl_value_json(plait_value v, FILE *stream)
{
    size_t size;
    switch (plait_kind_of(v)) {
    case PLAIT_KIND_NIL:
        fputs("null", stream);
        break;
    case PLAIT_KIND_BOOL:
        fputs(plait_as_bool(v) ? "true" : "false", stream);
        break;
    case PLAIT_KIND_INT:
        fprintf(stream, "%" PRId64, plait_as_int(v));
        break;
    case PLAIT_KIND_FLOAT:
        write_float(plait_as_float(v), stream);
        break;
    case PLAIT_KIND_REF: /* never a result */
        write_formatted(v, stream);
        break;
    case PLAIT_KIND_STRING: {
        const char *text = plait_as_string_n(v, &size);
        write_text(text, size, stream);
        break;
    }
    case PLAIT_KIND_BYTES: {
        const void *data = plait_as_bytes(v, &size);
        write_base64(data, size, stream);
        break;
    }
    case PLAIT_KIND_LIST:
        write_list(v, stream);
        break;
    case PLAIT_KIND_DICT:
        write_dict(v, stream);
        break;
    case PLAIT_KIND_OBJECT:
        write_object(v, stream);
        break;
    case PLAIT_KIND_ERROR:
        write_error(v, stream);
        break;
    }
}
