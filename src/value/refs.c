/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * refs.c: finding and replacing task references inside values. Only parts that
 * hold references are walked or copied; nesting bounds the recursion.
 */
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "value/object.h"

/* The items of a list, or the keys and values of a dict. */
static const plait_value *items_of(plait_value v, size_t *n)
{
    if (v.kind == PLAIT_KIND_LIST)
        return plait_as_list(v, n);
    const plait_value *keys, *values;
    *n = 2 * plait_as_dict(v, &keys, &values);
    return keys;
}

bool pl_each_ref(plait_value v, bool (*visit)(plait_task task, void *user),
                 void *user)
{
    if (v.kind == PLAIT_KIND_REF)
        return visit((plait_task){ (uint32_t)v.as.integer, v.graph }, user);
    if (!pl_has_refs(v))
        return true;
    size_t n;
    const plait_value *items = items_of(v, &n);
    for (size_t i = 0; i < n; i++) {
        if (!pl_each_ref(items[i], visit, user))
            return false;
    }
    return true;
}

typedef struct replacer {
    plait_value (*replace)(void *user);
    void *user;
    plait_value failure; /* nil: none. Error values may also be replacements */
} replacer;

static bool copy(replacer *with, plait_value v, plait_value *out);

static size_t header_size(plait_value v)
{
    return v.kind == PLAIT_KIND_LIST ? sizeof(pl_list) : sizeof(pl_dict);
}

/* Fills `to` with copies of `from`; on failure nothing is held. */
static bool copy_items(replacer *with, const plait_value *from, plait_value *to,
                       size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!copy(with, from[i], &to[i])) {
            pl_release_all(to, i);
            return false;
        }
    }
    return true;
}

/* Sets the header's depth and flags by the items; false: too deep. */
static bool summarize(pl_object *object, const plait_value *items, size_t n)
{
    unsigned depth = 0;
    for (size_t i = 0; i < n; i++) {
        if (pl_depth_of(items[i]) > depth)
            depth = pl_depth_of(items[i]);
        if (pl_has_refs(items[i]))
            object->flags |= PL_OBJECT_HAS_REFS;
    }
    object->depth = (uint16_t)(depth + 1);
    return depth < PLAIT_NESTING_LIMIT;
}

static bool copy_container(replacer *with, plait_value v, plait_value *out)
{
    size_t n;
    const plait_value *from = items_of(v, &n);
    size_t header = header_size(v);
    pl_object *made = pl_alloc(header + n * sizeof *from);
    if (!made) {
        with->failure = pl_error_nomem_value();
        return false;
    }
    memcpy((void *)made, v.as.object, header);
    pl_object_init(made, (plait_kind)v.kind);
    plait_value *to = (plait_value *)(void *)((char *)made + header);
    if (!copy_items(with, from, to, n)) {
        pl_free(made);
        return false;
    }
    if (!summarize(made, to, n)) {
        with->failure = pl_error_too_deep();
        pl_release_all(to, n);
        pl_free(made);
        return false;
    }
    *out = pl_value_of(made);
    return true;
}

static bool copy(replacer *with, plait_value v, plait_value *out)
{
    if (v.kind == PLAIT_KIND_REF) {
        *out = with->replace(with->user);
        return true;
    }
    if (pl_has_refs(v))
        return copy_container(with, v, out);
    *out = pl_retain(v);
    return true;
}

plait_value pl_replace_refs(plait_value v, plait_value (*replace)(void *user),
                            void *user)
{
    replacer with = { .replace = replace, .user = user };
    plait_value made;
    return copy(&with, v, &made) ? made : with.failure;
}
