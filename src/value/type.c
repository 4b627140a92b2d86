/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * type.c: the types that are known by name. Types are registered once and stay:
 * their structs live as long as the process.
 */
#include "value/type.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hashmap.h"
#include "platform/thread.h"

static struct {
    pl_mutex mutex;
    /* guarded by mutex */
    pl_hashmap by_name; /* numbers index `types` */
    const plait_type **types;
    size_t capacity;
} registry = { .mutex = PL_MUTEX_INIT };

typedef struct type_name {
    const char *text;
    size_t length;
} type_name;

static bool has_name(uint32_t number, const void *key, const void *user)
{
    (void)user;
    const type_name *name = key;
    const char *its_name = registry.types[number]->name;
    return strlen(its_name) == name->length &&
           memcmp(its_name, name->text, name->length) == 0;
}

/* guarded by mutex */
static const plait_type *find(type_name name, uint64_t hash)
{
    uint32_t number =
        pl_hashmap_find(&registry.by_name, hash, has_name, &name, NULL);
    return number == PL_HASHMAP_NONE ? NULL : registry.types[number];
}

/* guarded by mutex */
static bool add(const plait_type *type, uint64_t hash)
{
    size_t n = registry.by_name.length;
    if (!pl_grow(&registry.types, &registry.capacity, n,
                 sizeof *registry.types))
        return false;
    registry.types[n] = type;
    return pl_hashmap_add(&registry.by_name, hash, (uint32_t)n);
}

const plait_type *pl_type_find(const char *name, size_t length)
{
    uint64_t hash = pl_hash_bytes(name, length, 0);
    pl_mutex_lock(&registry.mutex);
    const plait_type *type = find((type_name){ name, length }, hash);
    pl_mutex_unlock(&registry.mutex);
    return type;
}

void pl_type_fork_prepare(void)
{
    pl_mutex_lock(&registry.mutex);
}

void pl_type_fork_release(void)
{
    pl_mutex_unlock(&registry.mutex);
}

plait_status pl_type_read(const plait_type *type, plait_type *ours,
                          plait_error *err)
{
    if (!type) {
        pl_error_set(err, PLAIT_EINVAL, "plait_type is NULL");
        return PLAIT_EINVAL;
    }
    if (type->size == sizeof *ours) {
        *ours = *type;
    } else {
        plait_status status = pl_read_struct(
            ours, sizeof *ours, type, "plait_type", "PLAIT_TYPE_INIT", err);
        if (status != PLAIT_OK)
            return status;
    }
    if (!ours->name)
        return pl_error_set(err, PLAIT_EINVAL, "plait_type.name is NULL");
    return PLAIT_OK;
}

plait_status plait_type_register(const plait_type *type, plait_error *err)
{
    plait_type ours;
    plait_status status = pl_type_read(type, &ours, err);
    if (status != PLAIT_OK)
        return status;
    type_name name = { ours.name, strlen(ours.name) };
    uint64_t hash = pl_hash_bytes(name.text, name.length, 0);
    pl_mutex_lock(&registry.mutex);
    bool known = find(name, hash) || add(type, hash);
    pl_mutex_unlock(&registry.mutex);
    return known ? PLAIT_OK : pl_error_nomem(err);
}
