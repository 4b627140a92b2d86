/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * error.h: filling a caller's plait_error.
 *
 * The caller's struct may be older (smaller) than ours: fields it doesn't have
 * are not touched. `err` may be NULL, or have size 0, and is then left alone.
 *
 * Thread: any.  Blocks: no.
 */
#ifndef PL_ERROR_H
#define PL_ERROR_H

#include <stdarg.h>

#include <plait/error.h>

/* Fills `err` (status, message; errno, task and key are cleared) and returns
 * `status`, so that a caller can write `return pl_error_set(…)`. */
plait_status pl_error_set(plait_error *err, plait_status status,
                          const char *format, ...) PLAIT_PRINTF(3, 4);
plait_status pl_error_set_v(plait_error *err, plait_status status,
                            const char *format, va_list args)
    PLAIT_PRINTF(3, 0);

/* PLAIT_ESYS with the text of `sys_errno` behind the message. */
plait_status pl_error_sys(plait_error *err, int sys_errno, const char *format,
                          ...) PLAIT_PRINTF(3, 4);

/* PLAIT_ENOMEM, with the static text. */
plait_status pl_error_nomem(plait_error *err);

/* Copies what both sizes hold, and clears the rest of what `err` has; returns
 * from->status. */
plait_status pl_error_copy(plait_error *err, const plait_error *from);

/* All clear, keeping the size: PLAIT_OK. */
void pl_error_clear(plait_error *err);

/* The text of an errno, in `buf`; returns it. */
const char *pl_errno_text(int sys_errno, char *buf, size_t size);

/* Copies text to a buffer of `size` bytes, cut at a UTF-8 character. The two
 * may not overlap. */
void pl_copy_text(char *buf, size_t size, const char *text);

/*
 * Reads a size-first struct of a caller into our own, zeroed before: a smaller
 * one is filled up with zeros, a larger one is accepted when its unknown tail
 * is zero. NULL reads as all defaults, and so does what is refused. `what`
 * names the struct in the error, `init` its INIT macro.
 */
plait_status pl_read_struct(void *ours, size_t our_size, const void *theirs,
                            const char *what, const char *init,
                            plait_error *err);

#endif
