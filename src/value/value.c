/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * value.c: the definitions that are inline in value.h, for callers that can't
 * inline them, and counting references.
 */
#include "value/object.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"

extern inline plait_value plait_nil(void);
extern inline plait_value plait_bool(bool truth);
extern inline plait_value plait_int(int64_t integer);
extern inline plait_value plait_float(double number);
extern inline plait_value plait_ref(plait_task task);
extern inline plait_kind plait_kind_of(plait_value v);
extern inline bool plait_is_error(plait_value v);
extern inline bool plait_as_bool(plait_value v);
extern inline int64_t plait_as_int(plait_value v);
extern inline double plait_as_float(plait_value v);

static_assert(sizeof(plait_value) == 16, "values travel in two registers");

/* Below 0x80, so that a poisoned count is not taken for a static object's. */
#define POISON 0x5d

/* Whether assertions are on, which is what makes a build a debug build. */
static bool is_debug_build(void)
{
    bool debug = false;
    assert((debug = true));
    return debug;
}

void pl_object_wipe(void *object, size_t size)
{
    if (is_debug_build())
        memset(object, POISON, size);
    pl_free(object);
}

void pl_object_free(pl_object *object)
{
    switch ((plait_kind)object->kind) {
    case PLAIT_KIND_STRING:
        pl_string_free((pl_string *)object);
        break;
    case PLAIT_KIND_BYTES:
        pl_bytes_free((pl_bytes *)object);
        break;
    case PLAIT_KIND_LIST:
        pl_list_free((pl_list *)object);
        break;
    case PLAIT_KIND_DICT:
        pl_dict_free((pl_dict *)object);
        break;
    case PLAIT_KIND_OBJECT:
        pl_user_object_free((pl_user_object *)object);
        break;
    case PLAIT_KIND_ERROR:
        pl_error_object_free((pl_error_object *)object);
        break;
    case PLAIT_KIND_NIL:
    case PLAIT_KIND_BOOL:
    case PLAIT_KIND_INT:
    case PLAIT_KIND_FLOAT:
    case PLAIT_KIND_REF:
        break; /* inline: no object has these */
    }
}

void pl_release_all(const plait_value *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        pl_release(values[i]);
}

plait_value plait_retain(plait_value v)
{
    return pl_retain(v);
}

void plait_release(plait_value v)
{
    pl_release(v);
}

plait_value plait_uint(uint64_t integer)
{
    if (integer > INT64_MAX)
        return plait_error_value(PLAIT_EINVAL, "integer %llu is over INT64_MAX",
                                 (unsigned long long)integer);
    return plait_int((int64_t)integer);
}

plait_status plait_to_bool(plait_value v, bool *out)
{
    *out = plait_as_bool(v);
    return v.kind == PLAIT_KIND_BOOL ? PLAIT_OK : PLAIT_ETYPE;
}

plait_status plait_to_int(plait_value v, int64_t *out)
{
    *out = plait_as_int(v);
    return v.kind == PLAIT_KIND_INT ? PLAIT_OK : PLAIT_ETYPE;
}

plait_status plait_to_float(plait_value v, double *out)
{
    *out = plait_as_float(v);
    bool is_number = v.kind == PLAIT_KIND_FLOAT || v.kind == PLAIT_KIND_INT;
    return is_number ? PLAIT_OK : PLAIT_ETYPE;
}

plait_status plait_to_string(plait_value v, const char **out)
{
    *out = plait_as_string(v);
    return *out ? PLAIT_OK : PLAIT_ETYPE;
}
