/* SPDX-License-Identifier: BSD-3-Clause */
/* error.c: the table of statuses, and filling a caller's plait_error. */
#undef _GNU_SOURCE /* POSIX's strerror_r: GNU's returns the text */
#define _POSIX_C_SOURCE 200809L
#include "base/error.h"

#include <stdio.h>
#include <string.h>

const char *plait_status_name(plait_status status)
{
    switch (status) {
#define NAME_CASE(name, number, text) \
    case PLAIT_##name:                \
        return "PLAIT_" #name;
        PLAIT_STATUS_MAP(NAME_CASE)
#undef NAME_CASE
    }
    return "PLAIT_?";
}

const char *plait_status_text(plait_status status)
{
    switch (status) {
#define TEXT_CASE(name, number, text) \
    case PLAIT_##name:                \
        return text;
        PLAIT_STATUS_MAP(TEXT_CASE)
#undef TEXT_CASE
    }
    return "unknown status";
}

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Where to cut `text` at or before `at`: a character has at most three bytes
 * that continue it; what has more is no UTF-8, and is cut anywhere. */
static size_t cut_before(const char *text, size_t at)
{
    size_t cut = at;
    while (cut > 0 && at - cut < 3 && continues(text[cut]))
        cut--;
    return continues(text[cut]) ? at : cut;
}

void pl_copy_text(char *buf, size_t size, const char *text)
{
    if (size == 0)
        return;
    size_t length = strnlen(text, size);
    if (length == size)
        length = cut_before(text, size - 1);
    memcpy(buf, text, length);
    buf[length] = '\0';
}

/* Copies `full` to a caller's struct, as much of it as the caller's has. */
static void give(plait_error *err, const plait_error *full)
{
    if (!err || err->size == 0)
        return;
    size_t size = err->size < sizeof *full ? err->size : sizeof *full;
    memcpy((char *)err + sizeof err->size,
           (const char *)full + sizeof err->size,
           size > sizeof err->size ? size - sizeof err->size : 0);
}

plait_status pl_error_set_v(plait_error *err, plait_status status,
                            const char *format, va_list args)
{
    if (!err || err->size == 0)
        return status;
    plait_error full = { .size = sizeof full, .status = status };
    char text[2 * sizeof full.message] = "";
    vsnprintf(text, sizeof text, format, args);
    pl_copy_text(full.message, sizeof full.message, text);
    give(err, &full);
    return status;
}

plait_status pl_error_set(plait_error *err, plait_status status,
                          const char *format, ...)
{
    va_list args;
    va_start(args, format);
    pl_error_set_v(err, status, format, args);
    va_end(args);
    return status;
}

const char *pl_errno_text(int sys_errno, char *buf, size_t size)
{
    if (strerror_r(sys_errno, buf, size) != 0)
        snprintf(buf, size, "errno %d", sys_errno);
    return buf;
}

plait_status pl_error_sys(plait_error *err, int sys_errno, const char *format,
                          ...)
{
    char what[400];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    char why[128];
    pl_error_set(err, PLAIT_ESYS, "%s: %s", what,
                 pl_errno_text(sys_errno, why, sizeof why));
    if (err && err->size >= offsetof(plait_error, task))
        err->sys_errno = sys_errno;
    return PLAIT_ESYS;
}

plait_status pl_error_nomem(plait_error *err)
{
    return pl_error_set(err, PLAIT_ENOMEM, "out of memory");
}

plait_status pl_error_copy(plait_error *err, const plait_error *from)
{
    plait_error full = { .size = sizeof full };
    memcpy(&full, from, from->size < sizeof full ? from->size : sizeof full);
    give(err, &full);
    return full.status;
}

void pl_error_clear(plait_error *err)
{
    plait_error none = { .size = sizeof none };
    give(err, &none);
}

/* No struct of any version is larger: a larger size was never set. */
#define STRUCT_MAX 4096

plait_status pl_read_struct(void *ours, size_t our_size, const void *theirs,
                            const char *what, const char *init,
                            plait_error *err)
{
    memset(ours, 0, our_size);
    memcpy(ours, &our_size, sizeof our_size);
    if (!theirs)
        return PLAIT_OK;
    size_t size;
    memcpy(&size, theirs, sizeof size);
    if (size < sizeof size || size > STRUCT_MAX)
        return pl_error_set(err, PLAIT_EINVAL,
                            "%s.size is %zu: begin the struct with %s", what,
                            size, init);
    for (size_t at = our_size; at < size; at++) {
        if (((const char *)theirs)[at] != 0)
            return pl_error_set(err, PLAIT_EINVAL,
                                "%s sets a field at byte %zu that this version "
                                "of libplait (%zu bytes) doesn't know",
                                what, at, our_size);
    }
    memcpy(ours, theirs, size < our_size ? size : our_size);
    memcpy(ours, &our_size, sizeof our_size);
    return PLAIT_OK;
}
