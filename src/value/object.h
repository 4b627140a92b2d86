/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * object.h: how values that are pointers look inside.
 *
 *   plait_value.as.object --> pl_object { count, kind, flags, depth } payload
 *
 * Objects are immutable once handed out, so they may be read by any thread that
 * holds a reference.
 */
#ifndef PL_OBJECT_H
#define PL_OBJECT_H

#include <stdarg.h>

#include <plait/value.h>

#include "base/refcount.h"

typedef enum pl_object_flag {
    PL_OBJECT_HAS_REFS = 1 << 0, /* a task reference is somewhere inside */
    PL_OBJECT_STOP = 1 << 1,     /* an error that ends the run in every mode */
    PL_OBJECT_SHARED = 1 << 2    /* bytes: `data` is not behind the header */
} pl_object_flag;

typedef struct pl_object {
    pl_refcount count;
    uint8_t kind;   /* plait_kind */
    uint8_t flags;  /* pl_object_flag */
    uint16_t depth; /* lists, dicts: levels of nesting below and with this */
} pl_object;

typedef struct pl_string {
    pl_object object;
    size_t length;
    char text[]; /* and a NUL */
} pl_string;

typedef struct pl_bytes {
    pl_object object;
    size_t size;
    unsigned char *data; /* `inline_data`, or elsewhere: `release` frees it */
    void (*release)(void *user, unsigned char *data, size_t size);
    void *user;
    plait_value lease; /* or kept alive by this */
    unsigned char inline_data[];
} pl_bytes;

typedef struct pl_list {
    pl_object object;
    size_t n;
    plait_value items[];
} pl_list;

typedef struct pl_dict {
    pl_object object;
    size_t n;
    plait_value items[]; /* n keys, then n values */
} pl_dict;

typedef struct pl_user_object {
    pl_object object;
    const plait_type *type;
    void *data;
    struct pl_user_object *next; /* among those whose release is deferred */
} pl_user_object;

typedef struct pl_error_object {
    pl_object object;
    plait_error error;
    plait_value payload;
    char *text; /* the whole message, when error.message cuts it; else NULL */
} pl_error_object;

/* Text of a known length that need not end with NUL. */
typedef struct pl_text {
    const char *at;
    size_t length;
} pl_text;

static inline bool pl_is_object(plait_value v)
{
    return v.kind >= PLAIT_KIND_STRING;
}

static inline plait_value pl_value_of(pl_object *object)
{
    plait_value v = { object->kind, 0, { 0 } };
    v.as.object = object;
    return v;
}

/* Frees an object whose last reference was given up, and gives up those that
 * it held. Nests at most PLAIT_NESTING_LIMIT deep.  Thread: any.  Blocks: no.
 */
void pl_object_free(pl_object *object);

/* plait_retain and plait_release for the library's own use: what is inline
 * costs one branch. */
static inline plait_value pl_retain(plait_value v)
{
    if (pl_is_object(v))
        pl_refcount_take(&((pl_object *)v.as.object)->count);
    return v;
}

static inline void pl_release(plait_value v)
{
    if (pl_is_object(v) && pl_refcount_give(&((pl_object *)v.as.object)->count))
        pl_object_free(v.as.object);
}

/* Releases n values.  Thread: any.  Blocks: no. */
void pl_release_all(const plait_value *values, size_t n);

/* Makes a new object's header: one reference. */
static inline void pl_object_init(pl_object *object, plait_kind kind)
{
    pl_refcount count = 1;
    *object = (pl_object){ .count = count, .kind = (uint8_t)kind };
}

/* Gives the memory of an object back; debug builds overwrite it before. */
void pl_object_wipe(void *object, size_t size);

/* The levels of nesting that a value adds to what holds it. */
static inline unsigned pl_depth_of(plait_value v)
{
    return pl_is_object(v) ? ((const pl_object *)v.as.object)->depth : 0;
}

/* What each kind does when it is freed; called by pl_object_free alone. */
void pl_string_free(pl_string *string);
void pl_bytes_free(pl_bytes *bytes);
void pl_list_free(pl_list *list);
void pl_dict_free(pl_dict *dict);
void pl_user_object_free(pl_user_object *object);
void pl_error_object_free(pl_error_object *error);

/*
 * Bytes that lie elsewhere: `release` (may be NULL) is called when the last
 * reference goes, on whatever thread that is. The way in for memory that other
 * processes see. Takes `data`: when there is no memory, `release` has been
 * called and an error value is returned.
 */
plait_value pl_bytes_adopt(unsigned char *data, size_t size,
                           void (*release)(void *user, unsigned char *data,
                                           size_t size),
                           void *user);

/* Bytes kept alive by another value (taken). */
plait_value pl_bytes_leased(const void *data, size_t size, plait_value lease);

/*
 * A list of n items, or a dict of n keys and n values, all nil, to be filled;
 * NULL: no memory. Sealing takes it and makes it a value; a key that came twice
 * goes. Unlike with plait_list, errors among the items stay there. An error
 * value when it is nested too deep, or there is no memory.
 */
pl_list *pl_list_new(size_t n);
pl_dict *pl_dict_new(size_t n);
plait_value pl_list_seal(pl_list *list);
plait_value pl_dict_seal(pl_dict *dict);

/* An error value as it was told elsewhere. */
typedef struct pl_told_error {
    plait_status status;
    int sys_errno;
    plait_task task;
    pl_text key;
    pl_text text;
    bool is_stop;
} pl_told_error;

/* Makes that error value, which carries `payload` (taken). False: there was no
 * memory, or it is nested too deep, and `*v` says so.
 * Thread: any.  Blocks: no. */
bool pl_error_restore(const pl_told_error *told, plait_value payload,
                      plait_value *v);

/* The error value for nesting too deep. */
plait_value pl_error_too_deep(void);

/* Whether a task reference is the value, or inside it. */
static inline bool pl_has_refs(plait_value v)
{
    if (v.kind == PLAIT_KIND_REF)
        return true;
    return pl_is_object(v) &&
           (((const pl_object *)v.as.object)->flags & PL_OBJECT_HAS_REFS);
}

/* The static ENOMEM error value: never counted, never freed. */
plait_value pl_error_nomem_value(void);

/* plait_error_value for a task: message and text begin with "key: ". Takes
 * `payload`.  Thread: any.  Blocks: no. */
plait_value pl_error_in_task(plait_value payload, plait_status status,
                             plait_task task, const char *key,
                             const char *format, va_list args)
    PLAIT_PRINTF(5, 0);

/*
 * Calls visit for each task reference inside `v` (or `v` itself), in the order
 * of items, keys before values; stops when it returns false, and returns that.
 * Thread: any.  Blocks: no.
 */
bool pl_each_ref(plait_value v, bool (*visit)(plait_task task, void *user),
                 void *user);

/*
 * A copy of `v` in which each task reference, in the order of pl_each_ref, is
 * replaced by what `replace` returns (a reference that the copy takes). Parts
 * without references are shared. Unlike plait_list, the copy may hold errors.
 * An error value when there is no memory.
 * Thread: any.  Blocks: no.
 */
plait_value pl_replace_refs(plait_value v, plait_value (*replace)(void *user),
                            void *user);

#endif
