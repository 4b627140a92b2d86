/* SPDX-License-Identifier: BSD-3-Clause */
/* utf8.h: reading text that may be no UTF-8: names of files are hostile. */
#ifndef PL_UTF8_H
#define PL_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* U+FFFD, which stands for what is no character. */
#define PL_UTF8_REPLACEMENT "\xef\xbf\xbd"

/* The length of the UTF-8 character that `text` (n bytes) begins with; 0: it
 * begins with none (a stray byte, an overlong form, a surrogate, n == 0).
 * Thread: any.  Blocks: no. */
size_t pl_utf8_length(const char *text, size_t n);

#endif
