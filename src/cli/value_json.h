/* SPDX-License-Identifier: BSD-3-Clause */
/* value_json.h: a result as JSON. */
#ifndef PL_VALUE_JSON_H
#define PL_VALUE_JSON_H

#include <stdio.h>

#include <plait/value.h>

/*
 * nil, NaN and infinities are null; bytes are base64; bytes in strings that are
 * no UTF-8 are lone surrogates, as Python's surrogateescape has them; keys that
 * are no strings are their text. An object is {"type": …, "text": …}, an error
 * {"error": "PLAIT_ETASK", "task": …, "message": …}.
 */
void pl_value_json(plait_value v, FILE *stream);

#endif
