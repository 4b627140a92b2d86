/* SPDX-License-Identifier: BSD-3-Clause */
/* json.c: writing JSON to a file. */
#include "observe/json.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"

static void write_out(pl_json *json, const char *text, size_t length)
{
    if (json->sys_errno || length == 0)
        return;
    errno = 0;
    if (fwrite(text, 1, length, json->file) != length)
        json->sys_errno = errno ? errno : EIO;
}

void pl_json_put(pl_json *json, const char *text, size_t length)
{
    if (length > sizeof json->text - json->n) {
        write_out(json, json->text, json->n);
        json->n = 0;
    }
    if (length > sizeof json->text) {
        write_out(json, text, length);
        return;
    }
    memcpy(json->text + json->n, text, length);
    json->n += length;
}

void pl_json_puts(pl_json *json, const char *text)
{
    pl_json_put(json, text, strlen(text));
}

void pl_json_number(pl_json *json, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    pl_json_put(json, digits + at, sizeof digits - at);
}

void pl_json_us(pl_json *json, int64_t ns)
{
    uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    char places[4] = { '.', (char)('0' + size / 100 % 10),
                       (char)('0' + size / 10 % 10), (char)('0' + size % 10) };
    if (ns < 0)
        pl_json_puts(json, "-");
    pl_json_number(json, size / 1000);
    pl_json_put(json, places, sizeof places);
}

static void put_control(pl_json *json, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    char text[] = "\\u0000";
    text[4] = hex[byte >> 4];
    text[5] = hex[byte & 15];
    if (byte == '\n')
        pl_json_puts(json, "\\n");
    else if (byte == '\t')
        pl_json_puts(json, "\\t");
    else
        pl_json_put(json, text, 6);
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* Puts the first character, which is not plain; returns its bytes. */
static size_t put_other(pl_json *json, const char *text, size_t length)
{
    size_t bytes = pl_utf8_length(text, length);
    if (bytes == 0)
        pl_json_puts(json, PL_UTF8_REPLACEMENT);
    else if (bytes > 1)
        pl_json_put(json, text, bytes);
    else if (*text == '"')
        pl_json_puts(json, "\\\"");
    else if (*text == '\\')
        pl_json_puts(json, "\\\\");
    else
        put_control(json, (unsigned char)*text);
    return bytes ? bytes : 1;
}

void pl_json_string(pl_json *json, const char *text, size_t length)
{
    pl_json_puts(json, "\"");
    for (size_t at = 0; at < length;) {
        size_t plain = at;
        while (plain < length && is_plain((unsigned char)text[plain]))
            plain++;
        pl_json_put(json, text + at, plain - at);
        at = plain;
        if (at < length)
            at += put_other(json, text + at, length - at);
    }
    pl_json_puts(json, "\"");
}

bool pl_json_flush(pl_json *json)
{
    write_out(json, json->text, json->n);
    json->n = 0;
    errno = 0;
    if (!json->sys_errno && fflush(json->file) != 0)
        json->sys_errno = errno ? errno : EIO;
    return json->sys_errno == 0;
}
