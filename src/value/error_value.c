/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * error_value.c: errors as values. The message lies in the plait_error; when
 * that cuts it, the whole text lies beside. When there is no memory for an
 * error value, a static one takes its place.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "value/object.h"

#define NOMEM_OBJECT(its_flags)                  \
    {                                            \
        .object = { .count = PL_REFCOUNT_STATIC, \
                    .kind = PLAIT_KIND_ERROR,    \
                    .flags = (its_flags) },      \
        .error = {                               \
            PLAIT_ERROR_INIT,                    \
            .status = PLAIT_ENOMEM,              \
            .message = "out of memory"           \
        }                                        \
    }

static pl_error_object nomem = NOMEM_OBJECT(0);
static pl_error_object nomem_stop = NOMEM_OBJECT(PL_OBJECT_STOP);

#undef NOMEM_OBJECT

void pl_error_object_free(pl_error_object *error)
{
    pl_release(error->payload);
    pl_free(error->text);
    pl_object_wipe(error, sizeof *error);
}

plait_value pl_error_nomem_value(void)
{
    return pl_value_of(&nomem.object);
}

plait_value pl_error_too_deep(void)
{
    return plait_error_value(PLAIT_EINVAL,
                             "values nest more than %d levels deep",
                             PLAIT_NESTING_LIMIT);
}

/* "key: " and the message; NULL: no memory. */
static char *whole_text(const char *key, const char *format, va_list args)
{
    pl_strbuf text = { 0 };
    if (key[0])
        pl_strbuf_printf(&text, "%s: ", key);
    pl_strbuf_vprintf(&text, format, args);
    return pl_strbuf_take(&text);
}

/* Sets the message; the text (taken) is kept only when that cuts it. */
static void set_text(pl_error_object *made, char *text)
{
    size_t size = sizeof made->error.message;
    pl_copy_text(made->error.message, size, text);
    if (strlen(text) < size)
        pl_free(text);
    else
        made->text = text;
}

/* An error object without a message, or the error value to return instead. */
static pl_error_object *error_new(plait_value payload, plait_status status,
                                  plait_value *instead)
{
    unsigned depth = pl_depth_of(payload) + 1;
    pl_error_object *made =
        depth <= PLAIT_NESTING_LIMIT ? pl_calloc(1, sizeof *made) : NULL;
    if (!made) {
        pl_release(payload);
        *instead = depth <= PLAIT_NESTING_LIMIT ? pl_error_nomem_value()
                                                : pl_error_too_deep();
        return NULL;
    }
    pl_object_init(&made->object, PLAIT_KIND_ERROR);
    made->object.depth = (uint16_t)(payload.kind == PLAIT_KIND_NIL ? 0 : depth);
    made->error.size = sizeof made->error;
    /* an error can't look like success */
    made->error.status = status == PLAIT_OK ? PLAIT_EINVAL : status;
    made->payload = payload;
    return made;
}

static plait_value make(plait_value payload, plait_status status,
                        plait_task task, const char *key, const char *format,
                        va_list args)
{
    char *text = whole_text(key, format, args);
    if (!text) {
        pl_release(payload);
        return pl_error_nomem_value();
    }
    plait_value instead;
    pl_error_object *made = error_new(payload, status, &instead);
    if (!made) {
        pl_free(text);
        return instead;
    }
    made->error.task = task;
    pl_copy_text(made->error.key, sizeof made->error.key, key);
    set_text(made, text);
    return pl_value_of(&made->object);
}

bool pl_error_restore(const pl_told_error *told, plait_value payload,
                      plait_value *v)
{
    pl_error_object *made = error_new(payload, told->status, v);
    if (!made)
        return false;
    char *text = pl_strndup(told->text.at, told->text.length);
    if (!text) {
        pl_error_object_free(made);
        *v = pl_error_nomem_value();
        return false;
    }
    size_t room = sizeof made->error.key - 1;
    size_t length = told->key.length < room ? told->key.length : room;
    memcpy(made->error.key, told->key.at, length);
    made->error.sys_errno = told->sys_errno;
    made->error.task = told->task;
    made->object.flags = told->is_stop ? PL_OBJECT_STOP : 0;
    set_text(made, text);
    *v = pl_value_of(&made->object);
    return true;
}

plait_value pl_error_in_task(plait_value payload, plait_status status,
                             plait_task task, const char *key,
                             const char *format, va_list args)
{
    return make(payload, status, task, key ? key : "", format, args);
}

plait_value plait_error_value(plait_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    plait_value v =
        make(plait_nil(), status, (plait_task){ 0, 0 }, "", format, args);
    va_end(args);
    return v;
}

plait_value plait_error_value_with(plait_value payload, plait_status status,
                                   const char *format, ...)
{
    va_list args;
    va_start(args, format);
    plait_value v =
        make(payload, status, (plait_task){ 0, 0 }, "", format, args);
    va_end(args);
    return v;
}

/* A copy of an error that others hold too; NULL: no memory. */
static pl_error_object *copy_of(const pl_error_object *from)
{
    pl_error_object *made = pl_calloc(1, sizeof *made);
    char *text = from->text ? pl_strdup(from->text) : NULL;
    if (!made || (from->text && !text)) {
        pl_free(made);
        pl_free(text);
        return NULL;
    }
    pl_object_init(&made->object, PLAIT_KIND_ERROR);
    made->object.depth = from->object.depth;
    made->error = from->error;
    made->text = text;
    made->payload = pl_retain(from->payload);
    return made;
}

plait_value plait_error_stop(plait_value error)
{
    if (!plait_is_error(error) || plait_error_is_stop(error))
        return error;
    pl_error_object *given = error.as.object;
    /* acquire: at 1 nobody else has it, and what others did to it is over */
    if (atomic_load_explicit(&given->object.count, memory_order_acquire) == 1) {
        given->object.flags |= PL_OBJECT_STOP;
        return error;
    }
    pl_error_object *made = given == &nomem ? NULL : copy_of(given);
    pl_release(error);
    if (!made)
        return pl_value_of(&nomem_stop.object);
    made->object.flags |= PL_OBJECT_STOP;
    return pl_value_of(&made->object);
}

static const pl_error_object *as_error(plait_value v)
{
    return plait_is_error(v) ? v.as.object : NULL;
}

const plait_error *plait_as_error(plait_value v)
{
    const pl_error_object *error = as_error(v);
    return error ? &error->error : NULL;
}

const char *plait_error_text(plait_value v)
{
    const pl_error_object *error = as_error(v);
    if (!error)
        return NULL;
    return error->text ? error->text : error->error.message;
}

plait_value plait_error_payload(plait_value v)
{
    const pl_error_object *error = as_error(v);
    return error ? error->payload : plait_nil();
}

bool plait_error_is_stop(plait_value v)
{
    const pl_error_object *error = as_error(v);
    return error && (error->object.flags & PL_OBJECT_STOP);
}
