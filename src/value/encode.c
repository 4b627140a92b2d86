/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * encode.c: values to encoded form, kind by kind. Objects of a runtime's type
 * are encoded on a thread that is attached to it.
 */
#include "value/codec.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "value/attachment.h"
#include "value/type.h"

typedef struct encode_call {
    const plait_type *type;
    const void *data;
    plait_encoder *encoder;
} encode_call;

/* Attached to the type's runtime. The type fills the encoder's own error: one
 * on each level of nesting would take too much of the stack. */
static void call_encode(void *arg)
{
    encode_call *call = arg;
    plait_encoder *encoder = call->encoder;
    pl_error_clear(&encoder->error);
    plait_status status =
        call->type->encode(call->data, encoder, &encoder->error);
    const char *why = encoder->error.message;
    if (status != PLAIT_OK)
        pl_encoder_fail(encoder, status, "type \"%s\": %s", call->type->name,
                        why[0] ? why : plait_status_text(status));
}

static plait_status encode_object(plait_encoder *encoder,
                                  const pl_user_object *object)
{
    plait_type type;
    if (pl_type_read(object->type, &type, NULL) != PLAIT_OK || !type.encode)
        return pl_encoder_fail(encoder, PLAIT_ECODEC,
                               "objects of type \"%s\" can't leave their "
                               "process: it has no encode",
                               object->type->name);
    if (encoder->place.objects >= PL_OBJECT_NESTING_LIMIT)
        return pl_encoder_fail(encoder, PLAIT_EINVAL,
                               "objects nest more than %d levels deep",
                               PL_OBJECT_NESTING_LIMIT);
    pl_place outside;
    size_t begin = pl_encoder_begin(encoder, PL_EXTENSION_OBJECT, &outside);
    encoder->place.objects++;
    plait_encode_string(encoder, type.name, strlen(type.name));
    encode_call call = { &type, object->data, encoder };
    if (encoder->status == PLAIT_OK &&
        !pl_runtime_call(type.runtime, call_encode, &call))
        pl_encoder_fail(encoder, PLAIT_ECLOSED,
                        "type \"%s\": its runtime is closed", type.name);
    return pl_encoder_end(encoder, begin, &outside);
}

/* Goes one container down; false: too deep. */
static bool go_down(plait_encoder *encoder)
{
    if (encoder->place.containers < PLAIT_NESTING_LIMIT) {
        encoder->place.containers++;
        return true;
    }
    pl_encoder_fail(encoder, PLAIT_EINVAL,
                    "values nest more than %d levels deep",
                    PLAIT_NESTING_LIMIT);
    return false;
}

/* An error is told even when what it carries can't be. */
static void encode_payload(plait_encoder *encoder, plait_value payload)
{
    pl_place place = encoder->place;
    size_t size = encoder->size, n_buffers = encoder->n_buffers;
    if (payload.kind == PLAIT_KIND_NIL || go_down(encoder))
        plait_encode_value(encoder, payload);
    if (encoder->status == PLAIT_OK || encoder->status == PLAIT_ENOMEM)
        return;
    pl_encoder_rewind(encoder, size, n_buffers, &place);
    plait_encode_nil(encoder);
}

static plait_status encode_error(plait_encoder *encoder, plait_value v)
{
    if (encoder->status != PLAIT_OK)
        return encoder->status;
    const plait_error *error = plait_as_error(v);
    const char *text = plait_error_text(v);
    pl_place outside;
    size_t begin = pl_encoder_begin(encoder, PL_EXTENSION_ERROR, &outside);
    plait_encode_array(encoder, PL_ERROR_FIELDS);
    plait_encode_int(encoder, error->status);
    plait_encode_int(encoder, error->sys_errno);
    plait_encode_int(encoder, error->task.id);
    plait_encode_int(encoder, error->task.graph);
    plait_encode_string(encoder, error->key, strlen(error->key));
    plait_encode_string(encoder, text, strlen(text));
    plait_encode_bool(encoder, plait_error_is_stop(v));
    if (encoder->status == PLAIT_OK)
        encode_payload(encoder, plait_error_payload(v));
    return pl_encoder_end(encoder, begin, &outside);
}

static plait_status encode_list(plait_encoder *encoder, plait_value v)
{
    size_t n;
    const plait_value *items = plait_as_list(v, &n);
    if (!go_down(encoder))
        return encoder->status;
    plait_encode_array(encoder, n);
    for (size_t i = 0; i < n && encoder->status == PLAIT_OK; i++)
        plait_encode_value(encoder, items[i]);
    encoder->place.containers--;
    return encoder->status;
}

static plait_status encode_dict(plait_encoder *encoder, plait_value v)
{
    const plait_value *keys, *values;
    size_t n = plait_as_dict(v, &keys, &values);
    if (!go_down(encoder))
        return encoder->status;
    plait_encode_map(encoder, n);
    for (size_t i = 0; i < n && encoder->status == PLAIT_OK; i++) {
        plait_encode_value(encoder, keys[i]);
        plait_encode_value(encoder, values[i]);
    }
    encoder->place.containers--;
    return encoder->status;
}

plait_status plait_encode_value(plait_encoder *encoder, plait_value v)
{
    size_t size;
    switch (plait_kind_of(v)) {
    case PLAIT_KIND_NIL:
        return plait_encode_nil(encoder);
    case PLAIT_KIND_BOOL:
        return plait_encode_bool(encoder, plait_as_bool(v));
    case PLAIT_KIND_INT:
        return plait_encode_int(encoder, plait_as_int(v));
    case PLAIT_KIND_FLOAT:
        return plait_encode_float(encoder, plait_as_float(v));
    case PLAIT_KIND_REF:
        return pl_encoder_fail(encoder, PLAIT_ECODEC,
                               "a task reference can't be encoded");
    case PLAIT_KIND_STRING: {
        const char *text = plait_as_string_n(v, &size);
        return plait_encode_string(encoder, text, size);
    }
    case PLAIT_KIND_BYTES: {
        const void *data = plait_as_bytes(v, &size);
        return plait_encode_buffer(encoder, data, size, pl_retain(v));
    }
    case PLAIT_KIND_LIST:
        return encode_list(encoder, v);
    case PLAIT_KIND_DICT:
        return encode_dict(encoder, v);
    case PLAIT_KIND_OBJECT:
        return encode_object(encoder, v.as.object);
    case PLAIT_KIND_ERROR:
        return encode_error(encoder, v);
    }
    return pl_encoder_fail(encoder, PLAIT_ECODEC, "a value of unknown kind %u",
                           (unsigned)v.kind);
}

void plait_encoded_free(plait_encoded *encoded)
{
    for (size_t i = 0; i < encoded->n_buffers; i++)
        pl_release(encoded->buffers[i].lease);
    pl_free(encoded->buffers);
    pl_free(encoded->data);
    *encoded = (plait_encoded){ 0 };
}

plait_status plait_encode(plait_value v, bool in_band, plait_encoded *out,
                          plait_error *err)
{
    plait_encoder encoder = { .in_band = in_band,
                              .error = { PLAIT_ERROR_INIT } };
    plait_encode_value(&encoder, v);
    *out = (plait_encoded){ encoder.data, encoder.size, encoder.buffers,
                            encoder.n_buffers };
    if (encoder.status == PLAIT_OK)
        return PLAIT_OK;
    plait_encoded_free(out);
    encoder.error.status = encoder.status; /* a type may have filled it too */
    return pl_error_copy(err, &encoder.error);
}
