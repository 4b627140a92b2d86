/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * string_bytes.c: strings, and bytes wherever they lie: behind their header, in
 * memory with a release function, or in memory that another value keeps alive.
 */
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "value/object.h"

/* How long a chain of leases that can't be looked through may grow, before
 * copying ends it. */
#define MOST_LEASES 16

void pl_string_free(pl_string *string)
{
    pl_object_wipe(string, sizeof *string + string->length + 1);
}

void pl_bytes_free(pl_bytes *bytes)
{
    bool is_inline = !(bytes->object.flags & PL_OBJECT_SHARED);
    if (bytes->release)
        bytes->release(bytes->user, bytes->data, bytes->size);
    pl_release(bytes->lease);
    pl_object_wipe(bytes, sizeof *bytes + (is_inline ? bytes->size : 0));
}

plait_value plait_string_n(const char *text, size_t length)
{
    if (!text && length > 0)
        return plait_error_value(PLAIT_EINVAL, "a string's text is NULL");
    if (length > SIZE_MAX - sizeof(pl_string) - 1)
        return pl_error_nomem_value();
    pl_string *string = pl_alloc(sizeof *string + length + 1);
    if (!string)
        return pl_error_nomem_value();
    pl_object_init(&string->object, PLAIT_KIND_STRING);
    string->length = length;
    if (length > 0)
        memcpy(string->text, text, length);
    string->text[length] = '\0';
    return pl_value_of(&string->object);
}

plait_value plait_string(const char *text)
{
    if (!text)
        return plait_error_value(PLAIT_EINVAL, "a string's text is NULL");
    return plait_string_n(text, strlen(text));
}

const char *plait_as_string_n(plait_value v, size_t *length)
{
    const pl_string *string = v.kind == PLAIT_KIND_STRING ? v.as.object : NULL;
    if (length)
        *length = string ? string->length : 0;
    return string ? string->text : NULL;
}

const char *plait_as_string(plait_value v)
{
    return plait_as_string_n(v, NULL);
}

/* The context names the run, whose executor may one day say where the buffer
 * should lie (pl_bytes_adopt); today it is this process's own memory, which no
 * executor needs to share. */
plait_value plait_bytes_new(plait_context *ctx, size_t size, void **data)
{
    (void)ctx;
    *data = NULL;
    if (size > SIZE_MAX - sizeof(pl_bytes))
        return pl_error_nomem_value();
    pl_bytes *bytes = pl_calloc(1, sizeof *bytes + size);
    if (!bytes)
        return pl_error_nomem_value();
    pl_object_init(&bytes->object, PLAIT_KIND_BYTES);
    bytes->size = size;
    bytes->data = bytes->inline_data;
    *data = bytes->data;
    return pl_value_of(&bytes->object);
}

plait_value plait_bytes(const void *data, size_t size)
{
    if (!data && size > 0)
        return plait_error_value(PLAIT_EINVAL, "the data of bytes is NULL");
    if (size > SIZE_MAX - sizeof(pl_bytes))
        return pl_error_nomem_value();
    pl_bytes *bytes = pl_alloc(sizeof *bytes + size);
    if (!bytes)
        return pl_error_nomem_value();
    *bytes = (pl_bytes){ .size = size, .data = bytes->inline_data };
    pl_object_init(&bytes->object, PLAIT_KIND_BYTES);
    if (size > 0)
        memcpy(bytes->data, data, size);
    return pl_value_of(&bytes->object);
}

static pl_bytes *shared_new(const void *data, size_t size)
{
    pl_bytes *bytes = pl_calloc(1, sizeof *bytes);
    if (!bytes)
        return NULL;
    pl_object_init(&bytes->object, PLAIT_KIND_BYTES);
    bytes->object.flags = PL_OBJECT_SHARED;
    bytes->size = size;
    memcpy(&bytes->data, &data, sizeof data); /* const, as the value is */
    return bytes;
}

plait_value pl_bytes_adopt(unsigned char *data, size_t size,
                           void (*release)(void *user, unsigned char *data,
                                           size_t size),
                           void *user)
{
    pl_bytes *bytes = shared_new(data, size);
    if (!bytes) {
        if (release)
            release(user, data, size);
        return pl_error_nomem_value();
    }
    bytes->release = release;
    bytes->user = user;
    return pl_value_of(&bytes->object);
}

static bool lies_within(const void *data, size_t size, const pl_bytes *bytes)
{
    uintptr_t from = (uintptr_t)data, start = (uintptr_t)bytes->data;
    return from >= start && from - start <= bytes->size &&
           size <= bytes->size - (from - start);
}

/* Goes through to what really keeps the memory alive, so that bytes sent on
 * and on don't become a chain. Takes and returns a reference. */
static plait_value flatten(plait_value lease, const void *data, size_t size)
{
    while (lease.kind == PLAIT_KIND_BYTES) {
        const pl_bytes *bytes = lease.as.object;
        if (bytes->lease.kind == PLAIT_KIND_NIL ||
            !lies_within(data, size, bytes))
            break;
        plait_value inner = pl_retain(bytes->lease);
        pl_release(lease);
        lease = inner;
    }
    return lease;
}

/* Levels that a lease adds: only where leases could form a chain. */
static unsigned lease_depth(plait_value lease)
{
    unsigned depth = pl_depth_of(lease);
    bool may_chain = depth > 0 || (lease.kind == PLAIT_KIND_BYTES &&
                                   ((pl_bytes *)lease.as.object)->lease.kind !=
                                       PLAIT_KIND_NIL);
    return may_chain ? depth + 1 : 0;
}

plait_value pl_bytes_leased(const void *data, size_t size, plait_value lease)
{
    if (lease.kind == PLAIT_KIND_BYTES) {
        const pl_bytes *whole = lease.as.object;
        if (whole->data == data && whole->size == size)
            return lease;
    }
    lease = flatten(lease, data, size);
    unsigned depth = lease_depth(lease);
    if (lease.kind == PLAIT_KIND_NIL || depth > MOST_LEASES) {
        plait_value copy = plait_bytes(data, size);
        pl_release(lease);
        return copy;
    }
    pl_bytes *bytes = shared_new(data, size);
    if (!bytes) {
        pl_release(lease);
        return pl_error_nomem_value();
    }
    bytes->object.depth = (uint16_t)depth;
    bytes->lease = lease;
    return pl_value_of(&bytes->object);
}

plait_value plait_bytes_leased(const void *data, size_t size, plait_value lease)
{
    if (plait_is_error(lease))
        return lease;
    if (data || size == 0)
        return pl_bytes_leased(data ? data : "", size, lease);
    pl_release(lease);
    return plait_error_value(PLAIT_EINVAL, "the data of bytes is NULL");
}

const void *plait_as_bytes(plait_value v, size_t *size)
{
    const pl_bytes *bytes = v.kind == PLAIT_KIND_BYTES ? v.as.object : NULL;
    if (size)
        *size = bytes ? bytes->size : 0;
    return bytes ? bytes->data : NULL;
}
