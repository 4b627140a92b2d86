/* SPDX-License-Identifier: BSD-3-Clause */
/* text.c: see text.h. */
#include "text.h"

#include <stdlib.h>
#include <string.h>

char *text_copy(const char *text, size_t length)
{
    char *copy = malloc(length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *text_decode(plait_decoder *decoder)
{
    const char *text;
    size_t length;
    if (plait_decode_string(decoder, &text, &length) != PLAIT_OK)
        return NULL;
    return text_copy(text, length);
}
