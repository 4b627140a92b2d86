/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * refs.c: finding and replacing task references inside values. Only parts that
 * hold references are walked or copied; nesting bounds the recursion.
 */
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

/* Fills `to`, which is nil, with copies of `from`. */
static bool copy_items(replacer *with, const plait_value *from, plait_value *to,
                       size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!copy(with, from[i], &to[i]))
            return false;
    }
    return true;
}

static bool fail(replacer *with, plait_value failure)
{
    with->failure = failure;
    return false;
}

static bool copy_list(replacer *with, const pl_list *from, plait_value *out)
{
    pl_list *made = pl_list_new(from->n);
    if (!made)
        return fail(with, pl_error_nomem_value());
    if (!copy_items(with, from->items, made->items, from->n)) {
        pl_list_free(made);
        return false;
    }
    plait_value v = pl_list_seal(made);
    if (plait_is_error(v))
        return fail(with, v);
    *out = v;
    return true;
}

static bool copy_dict(replacer *with, const pl_dict *from, plait_value *out)
{
    pl_dict *made = pl_dict_new(from->n);
    if (!made)
        return fail(with, pl_error_nomem_value());
    if (!copy_items(with, from->items, made->items, 2 * from->n)) {
        pl_dict_free(made);
        return false;
    }
    plait_value v = pl_dict_seal(made);
    if (plait_is_error(v))
        return fail(with, v);
    *out = v;
    return true;
}

static bool copy(replacer *with, plait_value v, plait_value *out)
{
    if (v.kind == PLAIT_KIND_REF) {
        *out = with->replace(with->user);
        return true;
    }
    if (pl_has_refs(v) && v.kind == PLAIT_KIND_LIST)
        return copy_list(with, v.as.object, out);
    if (pl_has_refs(v))
        return copy_dict(with, v.as.object, out);
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
