/* SPDX-License-Identifier: BSD-3-Clause */
/* utf8.c: reading text that may be no UTF-8. */
#include "base/utf8.h"

size_t pl_utf8_length(const char *text, size_t n)
{
    static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (n == 0)
        return 0;
    unsigned char first = (unsigned char)text[0];
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (length > n)
        return 0;
    uint32_t character = first & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)text[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (next & 0x3f);
    }
    if (character < lowest[length] || character > 0x10ffff ||
        (character >= 0xd800 && character <= 0xdfff))
        return 0;
    return length;
}
