/* SPDX-License-Identifier: BSD-3-Clause */
/* text.h: copies of texts, which end with NUL and are the caller's to free. */
#ifndef EXAMPLE_TEXT_H
#define EXAMPLE_TEXT_H

#include <plait/value.h>

/* NULL when there is no memory. */
char *text_copy(const char *text, size_t length);

/* Decodes a string; NULL when there is none, or no memory. */
char *text_decode(plait_decoder *decoder);

#endif
