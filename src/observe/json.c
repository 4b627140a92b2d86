/* SPDX-License-Identifier: BSD-3-Clause */
/* json.c: writing JSON to a file. Failures stick to the FILE (ferror). */
#include "observe/json.h"

#include <inttypes.h>

#include "base/utf8.h"

static void put_byte(FILE *file, unsigned char byte)
{
    switch (byte) {
    case '"':
        fputs("\\\"", file);
        break;
    case '\\':
        fputs("\\\\", file);
        break;
    case '\n':
        fputs("\\n", file);
        break;
    case '\t':
        fputs("\\t", file);
        break;
    default:
        if (byte < 0x20 || byte == 0x7f)
            fprintf(file, "\\u%04x", byte);
        else
            putc(byte, file);
        break;
    }
}

void pl_json_string(FILE *file, const char *text, size_t length)
{
    putc('"', file);
    for (size_t at = 0; at < length;) {
        size_t character = pl_utf8_length(text + at, length - at);
        if (character == 0)
            fputs(PL_UTF8_REPLACEMENT, file);
        else if (character == 1)
            put_byte(file, (unsigned char)text[at]);
        else
            fwrite(text + at, 1, character, file);
        at += character ? character : 1;
    }
    putc('"', file);
}

void pl_json_us(FILE *file, int64_t ns)
{
    fprintf(file, "%s%" PRId64 ".%03d", ns < 0 ? "-" : "",
            (ns < 0 ? -ns : ns) / 1000, (int)((ns < 0 ? -ns : ns) % 1000));
}
