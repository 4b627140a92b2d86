/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * decode.c: encoded form to values, kind by kind. Objects of a runtime's type
 * are decoded on a thread that is attached to it.
 */
#include "value/codec.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "value/attachment.h"
#include "value/type.h"

static bool decode_item(plait_decoder *decoder, const pl_item *item,
                        plait_value *v);

static bool decode_next(plait_decoder *decoder, plait_value *v)
{
    pl_item item;
    return pl_decoder_next(decoder, &item) && decode_item(decoder, &item, v);
}

/* `v` if it is a value; an error value says why making it failed. */
static bool made(plait_decoder *decoder, plait_value v, plait_value *out)
{
    if (plait_is_error(v)) {
        const plait_error *cause = plait_as_error(v);
        pl_decoder_fail(decoder, cause->status, "%s", cause->message);
        pl_release(v);
        return false;
    }
    *out = v;
    return true;
}

static bool fail_nomem(plait_decoder *decoder)
{
    pl_decoder_fail(decoder, PLAIT_ENOMEM, "out of memory");
    return false;
}

static bool descend(plait_decoder *decoder)
{
    if (decoder->place.containers < PLAIT_NESTING_LIMIT) {
        decoder->place.containers++;
        return true;
    }
    pl_decoder_fail(decoder, PLAIT_EINVAL,
                    "values nest more than %d levels deep",
                    PLAIT_NESTING_LIMIT);
    return false;
}

static bool decode_list(plait_decoder *decoder, size_t n, plait_value *v)
{
    if (!descend(decoder))
        return false;
    pl_list *list = pl_list_new(n);
    if (!list)
        return fail_nomem(decoder);
    for (size_t i = 0; i < n; i++) {
        if (!decode_next(decoder, &list->items[i])) {
            pl_list_free(list);
            return false;
        }
    }
    decoder->place.containers--;
    return made(decoder, pl_list_seal(list), v);
}

static bool decode_dict(plait_decoder *decoder, size_t n, plait_value *v)
{
    if (!descend(decoder))
        return false;
    pl_dict *dict = pl_dict_new(n);
    if (!dict)
        return fail_nomem(decoder);
    for (size_t i = 0; i < n; i++) {
        if (!decode_next(decoder, &dict->items[i]) ||
            !decode_next(decoder, &dict->items[n + i])) {
            pl_dict_free(dict);
            return false;
        }
    }
    decoder->place.containers--;
    return made(decoder, pl_dict_seal(dict), v);
}

/* An integer field of an error; false: it is none, or outside the range. */
static bool decode_field(plait_decoder *decoder, int64_t least, int64_t most,
                         int64_t *field)
{
    if (plait_decode_int(decoder, field) == PLAIT_OK &&
        (*field < least || *field > most))
        pl_decoder_fail(decoder, PLAIT_ECODEC, "%lld in an error's field",
                        (long long)*field);
    return decoder->status == PLAIT_OK;
}

/* The last field; nil when it can't be decoded, but for want of memory. */
static bool decode_payload(plait_decoder *decoder, plait_value *payload)
{
    pl_place place = decoder->place;
    pl_item item;
    *payload = plait_nil();
    bool decoded = pl_decoder_next(decoder, &item) &&
                   (item.kind == PL_ITEM_NIL ||
                    (descend(decoder) && decode_item(decoder, &item, payload)));
    if (decoded || decoder->status == PLAIT_ENOMEM)
        return decoded;
    decoder->place = place;
    decoder->place.owed = 0;
    decoder->status = PLAIT_OK;
    decoder->at = decoder->end;
    return true;
}

/* The fields that are numbers. */
static bool decode_numbers(plait_decoder *decoder, pl_told_error *told)
{
    int64_t status, sys_errno, id, graph;
    if (!decode_field(decoder, -1000, -1, &status) ||
        !decode_field(decoder, INT32_MIN, INT32_MAX, &sys_errno) ||
        !decode_field(decoder, 0, UINT32_MAX, &id) ||
        !decode_field(decoder, 0, UINT32_MAX, &graph))
        return false;
    told->status = (plait_status)status;
    told->sys_errno = (int)sys_errno;
    told->task = (plait_task){ (uint32_t)id, (uint32_t)graph };
    return true;
}

static bool decode_error(plait_decoder *decoder, plait_value *v)
{
    pl_told_error told;
    size_t n;
    plait_value payload, error;
    plait_decode_array(decoder, &n);
    if (decoder->status == PLAIT_OK && n != PL_ERROR_FIELDS)
        pl_decoder_fail(decoder, PLAIT_ECODEC, "an error of %zu fields", n);
    if (!decode_numbers(decoder, &told))
        return false;
    plait_decode_string(decoder, &told.key.at, &told.key.length);
    plait_decode_string(decoder, &told.text.at, &told.text.length);
    if (plait_decode_bool(decoder, &told.is_stop) != PLAIT_OK ||
        !decode_payload(decoder, &payload))
        return false;
    if (!pl_error_restore(&told, payload, &error))
        return made(decoder, error, v);
    *v = error;
    return true;
}

typedef struct decode_call {
    const plait_type *type; /* as registered */
    const plait_type *ours; /* read from it */
    plait_decoder *decoder;
    plait_value v;
    bool decoded;
} decode_call;

/* Attached to the type's runtime. The type fills the decoder's own error: one
 * on each level of nesting would take too much of the stack. */
static void call_decode(void *arg)
{
    decode_call *call = arg;
    plait_decoder *decoder = call->decoder;
    pl_error_clear(&decoder->error);
    void *data = call->ours->decode(decoder, &decoder->error);
    if (!data) {
        const plait_error *why = &decoder->error;
        plait_status status =
            why->status == PLAIT_OK ? PLAIT_ECODEC : why->status;
        pl_decoder_fail(decoder, status, "type \"%s\": %s", call->ours->name,
                        why->message[0] ? why->message
                                        : plait_status_text(status));
        return;
    }
    if (!made(decoder, plait_object(call->type, data), &call->v))
        return;
    call->decoded = decoder->status == PLAIT_OK;
    if (!call->decoded)
        pl_release(call->v);
}

static bool decode_object(plait_decoder *decoder, plait_value *v)
{
    const char *name;
    size_t length;
    if (plait_decode_string(decoder, &name, &length) != PLAIT_OK)
        return false;
    int shown = length < 200 ? (int)length : 200;
    const plait_type *type = pl_type_find(name, length);
    plait_type ours;
    if (!type || pl_type_read(type, &ours, NULL) != PLAIT_OK || !ours.decode) {
        pl_decoder_fail(decoder, PLAIT_ECODEC, "type \"%.*s\" %s", shown, name,
                        type ? "has no decode" : "is not registered here");
        return false;
    }
    if (decoder->place.objects >= PL_OBJECT_NESTING_LIMIT) {
        pl_decoder_fail(decoder, PLAIT_EINVAL,
                        "objects nest more than %d levels deep",
                        PL_OBJECT_NESTING_LIMIT);
        return false;
    }
    decoder->place.objects++;
    decode_call call = { .type = type, .ours = &ours, .decoder = decoder };
    if (!pl_runtime_call(ours.runtime, call_decode, &call))
        pl_decoder_fail(decoder, PLAIT_ECLOSED,
                        "type \"%s\": its runtime is closed", ours.name);
    *v = call.v;
    return call.decoded;
}

/* Whether an extension's payload was read to its end; else lets go of `v`. */
static bool is_used_up(plait_decoder *decoder, plait_value v)
{
    if (decoder->at == decoder->end && decoder->place.owed == 0)
        return true;
    pl_decoder_fail(decoder, PLAIT_ECODEC,
                    "an extension was not read to its end");
    pl_release(v);
    return false;
}

static bool decode_extension(plait_decoder *decoder, const pl_item *item,
                             plait_value *v)
{
    if (item->extension == PL_EXTENSION_BUFFER)
        return pl_decoder_buffer(decoder, item, v);
    if (item->extension != PL_EXTENSION_ERROR &&
        item->extension != PL_EXTENSION_OBJECT) {
        pl_decoder_fail(decoder, PLAIT_ECODEC, "extension %d is unknown",
                        item->extension);
        return false;
    }
    pl_payload payload;
    plait_value inner;
    pl_decoder_enter(decoder, item, &payload);
    bool decoded = item->extension == PL_EXTENSION_ERROR
                       ? decode_error(decoder, &inner)
                       : decode_object(decoder, &inner);
    decoded = decoded && is_used_up(decoder, inner);
    pl_decoder_leave(decoder, &payload);
    if (decoded)
        *v = inner;
    return decoded;
}

/* `*v` is written on success only. */
static bool decode_item(plait_decoder *decoder, const pl_item *item,
                        plait_value *v)
{
    switch (item->kind) {
    case PL_ITEM_NIL:
        *v = plait_nil();
        return true;
    case PL_ITEM_BOOL:
        *v = plait_bool(item->integer != 0);
        return true;
    case PL_ITEM_INT:
        *v = plait_int(item->integer);
        return true;
    case PL_ITEM_FLOAT:
        *v = plait_float(item->number);
        return true;
    case PL_ITEM_STRING:
        return made(decoder,
                    plait_string_n((const char *)item->data, item->size), v);
    case PL_ITEM_BYTES:
        return pl_decoder_buffer(decoder, item, v);
    case PL_ITEM_ARRAY:
        return decode_list(decoder, item->size, v);
    case PL_ITEM_MAP:
        return decode_dict(decoder, item->size, v);
    case PL_ITEM_EXTENSION:
        return decode_extension(decoder, item, v);
    case PL_ITEM_INVALID:
        break;
    }
    return false;
}

plait_status plait_decode_value(plait_decoder *decoder, plait_value *v)
{
    *v = plait_nil();
    decode_next(decoder, v);
    return decoder->status;
}

plait_status plait_decode(const plait_encoded *encoded, plait_value *out,
                          plait_error *err)
{
    plait_decoder decoder = { .at = encoded->data,
                              .source = encoded,
                              .error = { PLAIT_ERROR_INIT } };
    decoder.end = decoder.at ? decoder.at + encoded->size : NULL;
    plait_decode_value(&decoder, out);
    if (decoder.status == PLAIT_OK && decoder.at != decoder.end)
        pl_decoder_fail(&decoder, PLAIT_ECODEC, "%zu bytes behind the value",
                        (size_t)(decoder.end - decoder.at));
    if (decoder.buffers)
        pl_release_all(decoder.buffers, encoded->n_buffers);
    pl_free(decoder.buffers);
    if (decoder.status == PLAIT_OK)
        return PLAIT_OK;
    pl_release(*out);
    *out = plait_nil();
    decoder.error.status = decoder.status; /* a type may have filled it too */
    return pl_error_copy(err, &decoder.error);
}
