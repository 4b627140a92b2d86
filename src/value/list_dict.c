/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * list_dict.c: lists and dicts. A dict is a list of keys and a list of values
 * behind one header; a key that comes twice is found by sorting, so that no
 * choice of keys makes building slow.
 */
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "value/object.h"

/* Dicts up to this size look for repeated keys without memory. */
#define FEW 8

void pl_list_free(pl_list *list)
{
    pl_release_all(list->items, list->n);
    pl_object_wipe(list, sizeof *list + list->n * sizeof *list->items);
}

void pl_dict_free(pl_dict *dict)
{
    pl_release_all(dict->items, 2 * dict->n);
    pl_object_wipe(dict, sizeof *dict + 2 * dict->n * sizeof *dict->items);
}

/* What a container's header says of its items. */
typedef struct summary {
    unsigned depth;
    uint8_t flags;
    plait_value error; /* the first one, borrowed; else nil */
} summary;

static void look_at(summary *all, const plait_value *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (pl_has_refs(items[i]))
            all->flags |= PL_OBJECT_HAS_REFS;
        if (pl_depth_of(items[i]) > all->depth)
            all->depth = pl_depth_of(items[i]);
        if (plait_is_error(items[i]) && !plait_is_error(all->error))
            all->error = items[i];
    }
}

/* Memory for a container of `n` values; NULL: no memory. */
static void *container_new(size_t header, size_t n)
{
    size_t bytes;
    if (!pl_mul_size(n, sizeof(plait_value), &bytes) ||
        bytes > SIZE_MAX - header)
        return NULL;
    return pl_alloc(header + bytes);
}

static pl_list *list_new(size_t n)
{
    pl_list *list = container_new(sizeof *list, n);
    if (!list)
        return NULL;
    pl_object_init(&list->object, PLAIT_KIND_LIST);
    list->n = n;
    return list;
}

static pl_dict *dict_new(size_t n)
{
    pl_dict *dict =
        n <= SIZE_MAX / 2 ? container_new(sizeof *dict, 2 * n) : NULL;
    if (!dict)
        return NULL;
    pl_object_init(&dict->object, PLAIT_KIND_DICT);
    dict->n = n;
    return dict;
}

pl_list *pl_list_new(size_t n)
{
    pl_list *list = list_new(n);
    if (list)
        memset(list->items, 0, n * sizeof *list->items);
    return list;
}

pl_dict *pl_dict_new(size_t n)
{
    pl_dict *dict = dict_new(n);
    if (dict)
        memset(dict->items, 0, 2 * n * sizeof *dict->items);
    return dict;
}

static plait_value give_up(plait_value error, const plait_value *items,
                           const plait_value *values, size_t n)
{
    if (items)
        pl_release_all(items, n);
    if (values)
        pl_release_all(values, n);
    return error;
}

/* Sets the header; when it is nested too deep, it is freed, with its items. */
static plait_value seal(pl_object *object, const summary *all)
{
    if (all->depth >= PLAIT_NESTING_LIMIT) {
        pl_object_free(object);
        return pl_error_too_deep();
    }
    object->flags = all->flags;
    object->depth = (uint16_t)(all->depth + 1);
    return pl_value_of(object);
}

plait_value pl_list_seal(pl_list *list)
{
    summary all = { 0 };
    look_at(&all, list->items, list->n);
    return seal(&list->object, &all);
}

plait_value plait_list(const plait_value *items, size_t n)
{
    if (!items && n > 0)
        return plait_error_value(PLAIT_EINVAL, "the items of a list are NULL");
    summary all = { 0 };
    look_at(&all, items, n);
    if (plait_is_error(all.error))
        return give_up(pl_retain(all.error), items, NULL, n);
    pl_list *list = list_new(n);
    if (!list)
        return give_up(pl_error_nomem_value(), items, NULL, n);
    if (n > 0)
        memcpy(list->items, items, n * sizeof *items);
    return seal(&list->object, &all);
}

plait_value plait_tasks(const plait_task *tasks, size_t n)
{
    if (!tasks && n > 0)
        return plait_error_value(PLAIT_EINVAL, "the tasks of a list are NULL");
    pl_list *list = list_new(n);
    if (!list)
        return pl_error_nomem_value();
    for (size_t i = 0; i < n; i++)
        list->items[i] = plait_ref(tasks[i]);
    return pl_list_seal(list);
}

const plait_value *plait_as_list(plait_value v, size_t *n)
{
    const pl_list *list = v.kind == PLAIT_KIND_LIST ? v.as.object : NULL;
    if (n)
        *n = list ? list->n : 0;
    return list ? list->items : NULL;
}

/* ---- dicts ---- */

static bool may_repeat(plait_value key)
{
    return key.kind == PLAIT_KIND_STRING || key.kind == PLAIT_KIND_INT;
}

/* An order of string and integer keys; 0: the same key. */
static int compare_keys(plait_value a, plait_value b)
{
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    if (a.kind == PLAIT_KIND_INT)
        return (a.as.integer > b.as.integer) - (a.as.integer < b.as.integer);
    const pl_string *s = a.as.object, *t = b.as.object;
    if (s->length != t->length)
        return s->length < t->length ? -1 : 1;
    return memcmp(s->text, t->text, s->length);
}

/* Merges two sorted neighbours, [from, middle) and [middle, to), of `order`
 * into `into`. Equal keys stay in the order of their places. */
static void merge(const plait_value *keys, const size_t *order, size_t *into,
                  size_t from, size_t middle, size_t to)
{
    size_t a = from, b = middle;
    for (size_t at = from; at < to; at++) {
        bool take_a =
            b == to ||
            (a < middle && compare_keys(keys[order[a]], keys[order[b]]) <= 0);
        into[at] = take_a ? order[a++] : order[b++];
    }
}

/* Sorts the numbers of n keys, bottom up; returns the sorted one of the two
 * arrays. */
static const size_t *sort(const plait_value *keys, size_t *order,
                          size_t *scratch, size_t n)
{
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t from = 0; from < n; from += 2 * width) {
            size_t middle = n - from > width ? from + width : n;
            size_t to = n - from > 2 * width ? from + 2 * width : n;
            merge(keys, order, scratch, from, middle, to);
        }
        size_t *sorted = scratch;
        scratch = order;
        order = sorted;
    }
    return order;
}

/* The later value takes the earlier one's place; the later key's place is
 * marked by a kind that no key has. */
static void replace(pl_dict *dict, size_t earlier, size_t later)
{
    plait_value *keys = dict->items, *values = dict->items + dict->n;
    pl_release(values[earlier]);
    values[earlier] = values[later];
    pl_release(keys[later]);
    keys[later].kind = UINT32_MAX;
}

static void close_gaps(pl_dict *dict, size_t n_left)
{
    plait_value *keys = dict->items, *values = dict->items + dict->n;
    size_t to = 0;
    for (size_t i = 0; i < dict->n; i++) {
        if (keys[i].kind == UINT32_MAX)
            continue;
        keys[to] = keys[i];
        values[to++] = values[i];
    }
    memmove(dict->items + n_left, values, n_left * sizeof *values);
    dict->n = n_left;
}

/* Few keys: compared with one another, without memory. */
static size_t drop_repeats_of_few(pl_dict *dict)
{
    const plait_value *keys = dict->items;
    size_t left = dict->n;
    for (size_t i = 1; i < dict->n; i++) {
        size_t j = 0;
        if (!may_repeat(keys[i]))
            continue;
        while (j < i &&
               !(may_repeat(keys[j]) && compare_keys(keys[i], keys[j]) == 0))
            j++;
        if (j < i) {
            replace(dict, j, i);
            left--;
        }
    }
    return left;
}

/* False: no memory. */
static bool drop_repeats_of_many(pl_dict *dict, size_t *left)
{
    const plait_value *keys = dict->items;
    size_t *order = pl_calloc(dict->n, 2 * sizeof *order);
    if (!order)
        return false;
    size_t n = 0;
    for (size_t i = 0; i < dict->n; i++) {
        if (may_repeat(keys[i]))
            order[n++] = i;
    }
    const size_t *sorted = sort(keys, order, order + dict->n, n);
    *left = dict->n - n;
    for (size_t i = 0; i < n;) {
        size_t first = sorted[i];
        (*left)++;
        for (i++; i < n && compare_keys(keys[first], keys[sorted[i]]) == 0; i++)
            replace(dict, first, sorted[i]);
    }
    pl_free(order);
    return true;
}

/* Drops repeated keys and sets the header. */
static plait_value dict_seal(pl_dict *dict, const summary *all)
{
    size_t left = dict->n;
    if (dict->n <= FEW) {
        left = drop_repeats_of_few(dict);
    } else if (!drop_repeats_of_many(dict, &left)) {
        pl_dict_free(dict);
        return pl_error_nomem_value();
    }
    if (left < dict->n)
        close_gaps(dict, left);
    return seal(&dict->object, all);
}

plait_value pl_dict_seal(pl_dict *dict)
{
    summary all = { 0 };
    look_at(&all, dict->items, 2 * dict->n);
    return dict_seal(dict, &all);
}

plait_value plait_dict(const plait_value *keys, const plait_value *values,
                       size_t n)
{
    if ((!keys || !values) && n > 0) {
        plait_value error =
            plait_error_value(PLAIT_EINVAL, "the %s of a dict are NULL",
                              keys ? "values" : "keys");
        return give_up(error, keys, values, n);
    }
    summary all = { 0 };
    look_at(&all, keys, n);
    look_at(&all, values, n);
    if (plait_is_error(all.error))
        return give_up(pl_retain(all.error), keys, values, n);
    pl_dict *dict = dict_new(n);
    if (!dict)
        return give_up(pl_error_nomem_value(), keys, values, n);
    if (n > 0) {
        memcpy(dict->items, keys, n * sizeof *keys);
        memcpy(dict->items + n, values, n * sizeof *values);
    }
    return dict_seal(dict, &all);
}

size_t plait_as_dict(plait_value v, const plait_value **keys,
                     const plait_value **values)
{
    const pl_dict *dict = v.kind == PLAIT_KIND_DICT ? v.as.object : NULL;
    if (keys)
        *keys = dict ? dict->items : NULL;
    if (values)
        *values = dict ? dict->items + dict->n : NULL;
    return dict ? dict->n : 0;
}

plait_value plait_dict_get(plait_value v, const char *key)
{
    const plait_value *keys, *values;
    size_t n = plait_as_dict(v, &keys, &values);
    size_t length = key ? strlen(key) : 0;
    for (size_t i = 0; key && i < n; i++) {
        size_t its_length;
        const char *its_text = plait_as_string_n(keys[i], &its_length);
        if (its_text && its_length == length &&
            memcmp(its_text, key, length) == 0)
            return values[i];
    }
    return plait_nil();
}
