/* SPDX-License-Identifier: BSD-3-Clause */
/* summary.h: statistics as text for people, and as a value for programs. */
#ifndef EXAMPLE_SUMMARY_H
#define EXAMPLE_SUMMARY_H

#include <plait/value.h>

#include "statistics.h"

/* Tables with a title each; a hostile name can't break a line. The caller
 * frees it; NULL when there is no memory. */
char *summary_text(const struct statistics *statistics);

/*
 * { files, rows, columns: [{ name, kind, count, missing, mean, std, min, max,
 *   distinct }…], groups: [{ key, value, groups: [{ key, count, mean }…] }…] }
 * with nil for what is not known.
 */
plait_value summary_data(const struct statistics *statistics);

#endif
