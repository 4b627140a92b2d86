/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * user_object.c: objects of users' types. The type's struct may be older than
 * ours, so it is read into our own before a callback is called.
 */
#include <string.h>

#include "base/alloc.h"
#include "value/attachment.h"
#include "value/type.h"

void pl_user_object_free(pl_user_object *object)
{
    plait_type type;
    if (pl_type_read(object->type, &type, NULL) == PLAIT_OK) {
        if (type.free && type.runtime) {
            pl_runtime_free_object(object);
            return;
        }
        if (type.free)
            type.free(object->data);
    }
    pl_object_wipe(object, sizeof *object);
}

/* What failed to become an object is freed by its type, at once: who makes an
 * object of a runtime's type is in that runtime. */
static plait_value refuse(const plait_type *type, void *data, plait_value error)
{
    size_t end = offsetof(plait_type, free) + sizeof type->free;
    if (type && type->size >= end && type->free)
        type->free(data);
    return error;
}

plait_value plait_object(const plait_type *type, void *data)
{
    plait_type ours;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_status status = pl_type_read(type, &ours, &err);
    if (status != PLAIT_OK)
        return refuse(type, data, plait_error_value(status, "%s", err.message));
    pl_user_object *object = pl_alloc(sizeof *object);
    if (!object || (ours.runtime && !pl_runtime_state_of(ours.runtime))) {
        pl_free(object);
        return refuse(type, data, pl_error_nomem_value());
    }
    *object = (pl_user_object){ .type = type, .data = data };
    pl_object_init(&object->object, PLAIT_KIND_OBJECT);
    return pl_value_of(&object->object);
}

/* Two libraries may each have their own struct for the same type. */
void *plait_as_object(plait_value v, const plait_type *type)
{
    if (v.kind != PLAIT_KIND_OBJECT || !type)
        return NULL;
    const pl_user_object *object = v.as.object;
    if (object->type == type)
        return object->data;
    const char *name = object->type->name;
    bool is_same = type->size >= offsetof(plait_type, runtime) && type->name &&
                   (type->name == name || strcmp(type->name, name) == 0);
    return is_same ? object->data : NULL;
}

const char *plait_object_type_name(plait_value v)
{
    if (v.kind != PLAIT_KIND_OBJECT)
        return NULL;
    return ((const pl_user_object *)v.as.object)->type->name;
}
