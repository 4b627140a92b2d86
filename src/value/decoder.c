/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * decoder.c: reading MessagePack, item by item, from input that nobody vouches
 * for. It is read here and not by msgpack-c's unpacker, which stops at 32
 * levels and builds a whole tree before anyone can look at a length.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "value/codec.h"
#include "value/object.h"

plait_status pl_decoder_fail(plait_decoder *decoder, plait_status status,
                             const char *format, ...)
{
    if (decoder->status != PLAIT_OK)
        return decoder->status;
    decoder->status = status;
    va_list args;
    va_start(args, format);
    pl_error_set_v(&decoder->error, status, format, args);
    va_end(args);
    return status;
}

static const char *const item_names[] = {
    [PL_ITEM_INVALID] = "the byte 0xc1",
    [PL_ITEM_NIL] = "nil",
    [PL_ITEM_BOOL] = "a bool",
    [PL_ITEM_INT] = "an integer",
    [PL_ITEM_FLOAT] = "a float",
    [PL_ITEM_STRING] = "a string",
    [PL_ITEM_BYTES] = "bytes",
    [PL_ITEM_ARRAY] = "an array",
    [PL_ITEM_MAP] = "a map",
    [PL_ITEM_EXTENSION] = "an extension",
};

/* What the first bytes 0xc0 to 0xdf begin: `width` bytes follow, the value of a
 * number or a size; `fixed` is the size of those that have no such bytes. */
static const struct form {
    uint8_t kind; /* pl_item_kind */
    uint8_t width;
    uint8_t fixed;
    bool is_signed;
} forms[32] = {
    { PL_ITEM_NIL, 0, 0, false },        { PL_ITEM_INVALID, 0, 0, false },
    { PL_ITEM_BOOL, 0, 0, false },       { PL_ITEM_BOOL, 0, 1, false },
    { PL_ITEM_BYTES, 1, 0, false },      { PL_ITEM_BYTES, 2, 0, false },
    { PL_ITEM_BYTES, 4, 0, false },      { PL_ITEM_EXTENSION, 1, 0, false },
    { PL_ITEM_EXTENSION, 2, 0, false },  { PL_ITEM_EXTENSION, 4, 0, false },
    { PL_ITEM_FLOAT, 4, 0, false },      { PL_ITEM_FLOAT, 8, 0, false },
    { PL_ITEM_INT, 1, 0, false },        { PL_ITEM_INT, 2, 0, false },
    { PL_ITEM_INT, 4, 0, false },        { PL_ITEM_INT, 8, 0, false },
    { PL_ITEM_INT, 1, 0, true },         { PL_ITEM_INT, 2, 0, true },
    { PL_ITEM_INT, 4, 0, true },         { PL_ITEM_INT, 8, 0, true },
    { PL_ITEM_EXTENSION, 0, 1, false },  { PL_ITEM_EXTENSION, 0, 2, false },
    { PL_ITEM_EXTENSION, 0, 4, false },  { PL_ITEM_EXTENSION, 0, 8, false },
    { PL_ITEM_EXTENSION, 0, 16, false }, { PL_ITEM_STRING, 1, 0, false },
    { PL_ITEM_STRING, 2, 0, false },     { PL_ITEM_STRING, 4, 0, false },
    { PL_ITEM_ARRAY, 2, 0, false },      { PL_ITEM_ARRAY, 4, 0, false },
    { PL_ITEM_MAP, 2, 0, false },        { PL_ITEM_MAP, 4, 0, false },
};

static size_t bytes_left(const plait_decoder *decoder)
{
    return (size_t)(decoder->end - decoder->at);
}

/* Takes `size` bytes of the input; NULL: there are fewer. */
static const unsigned char *take(plait_decoder *decoder, size_t size)
{
    if (size > bytes_left(decoder)) {
        pl_decoder_fail(decoder, PLAIT_ECODEC, "the input ends %zu bytes early",
                        size - bytes_left(decoder));
        return NULL;
    }
    const unsigned char *taken = decoder->at;
    decoder->at += size;
    return taken;
}

/* A number of `width` bytes, the highest first. */
static bool take_number(plait_decoder *decoder, unsigned width,
                        uint64_t *number)
{
    const unsigned char *bytes = take(decoder, width);
    *number = 0;
    for (unsigned i = 0; bytes && i < width; i++)
        *number = *number << 8 | bytes[i];
    return bytes != NULL;
}

static int64_t with_sign(uint64_t number, unsigned width)
{
    switch (width) {
    case 1:
        return (int8_t)number;
    case 2:
        return (int16_t)number;
    case 4:
        return (int32_t)number;
    default:
        return (int64_t)number;
    }
}

static bool set_integer(plait_decoder *decoder, const struct form *form,
                        uint64_t number, pl_item *item)
{
    if (form->is_signed) {
        item->integer = with_sign(number, form->width);
        return true;
    }
    if (number > INT64_MAX) {
        pl_decoder_fail(decoder, PLAIT_ECODEC, "integer %llu is over INT64_MAX",
                        (unsigned long long)number);
        return false;
    }
    item->integer = (int64_t)number;
    return true;
}

static void set_float(unsigned width, uint64_t number, pl_item *item)
{
    if (width == sizeof(double)) {
        memcpy(&item->number, &number, sizeof item->number);
        return;
    }
    uint32_t narrow = (uint32_t)number;
    float single;
    memcpy(&single, &narrow, sizeof single);
    item->number = (double)single;
}

/* Counts what a header announces: each item needs a byte at least. */
static bool announce(plait_decoder *decoder, uint64_t n, const char *what)
{
    uint64_t left = bytes_left(decoder);
    if (decoder->place.owed > left || n > left - decoder->place.owed) {
        pl_decoder_fail(decoder, PLAIT_ECODEC,
                        "%s of %llu items in the last %llu bytes", what,
                        (unsigned long long)n, (unsigned long long)left);
        return false;
    }
    decoder->place.owed += n;
    return true;
}

/* Finishes an item of which the kind and `size`, a count or length, are known.
 */
static bool finish(plait_decoder *decoder, uint64_t size, pl_item *item)
{
    switch (item->kind) {
    case PL_ITEM_ARRAY:
        item->size = (size_t)size;
        return announce(decoder, size, item_names[item->kind]);
    case PL_ITEM_MAP:
        item->size = (size_t)size;
        return announce(decoder, 2 * size, item_names[item->kind]);
    case PL_ITEM_EXTENSION: {
        const unsigned char *code = take(decoder, 1);
        if (!code)
            return false;
        item->extension = *code < 0x80 ? *code : (int)*code - 0x100;
        break;
    }
    case PL_ITEM_STRING:
    case PL_ITEM_BYTES:
        break;
    case PL_ITEM_INVALID:
        pl_decoder_fail(decoder, PLAIT_ECODEC, "0xc1 begins no item");
        return false;
    case PL_ITEM_NIL:
    case PL_ITEM_BOOL:
    case PL_ITEM_INT:
    case PL_ITEM_FLOAT:
        return true;
    }
    item->size = (size_t)size;
    item->data = take(decoder, item->size);
    return item->data != NULL;
}

/* An item whose first byte is from 0xc0 to 0xdf. */
static bool next_formed(plait_decoder *decoder, unsigned code, pl_item *item)
{
    const struct form *form = &forms[code - 0xc0];
    uint64_t number = form->fixed;
    if (form->width > 0 && !take_number(decoder, form->width, &number))
        return false;
    item->kind = (pl_item_kind)form->kind;
    if (item->kind == PL_ITEM_INT)
        return set_integer(decoder, form, number, item);
    if (item->kind == PL_ITEM_FLOAT)
        set_float(form->width, number, item);
    else if (item->kind == PL_ITEM_BOOL)
        item->integer = (int64_t)number;
    return finish(decoder, number, item);
}

bool pl_decoder_next(plait_decoder *decoder, pl_item *item)
{
    *item = (pl_item){ .kind = PL_ITEM_INVALID };
    uint64_t code;
    if (decoder->status != PLAIT_OK || !take_number(decoder, 1, &code))
        return false;
    if (decoder->place.owed > 0)
        decoder->place.owed--;
    if (code >= 0xc0 && code < 0xe0)
        return next_formed(decoder, (unsigned)code, item);
    if (code < 0x80 || code >= 0xe0) {
        item->kind = PL_ITEM_INT;
        item->integer = code < 0x80 ? (int64_t)code : (int64_t)code - 0x100;
        return true;
    }
    if (code >= 0xa0) {
        item->kind = PL_ITEM_STRING;
        return finish(decoder, code & 0x1f, item);
    }
    item->kind = code < 0x90 ? PL_ITEM_MAP : PL_ITEM_ARRAY;
    return finish(decoder, code & 0x0f, item);
}

bool pl_decoder_expect(plait_decoder *decoder, pl_item_kind kind, pl_item *item)
{
    if (!pl_decoder_next(decoder, item))
        return false;
    if (item->kind == kind)
        return true;
    pl_decoder_fail(decoder, PLAIT_ECODEC, "%s where %s should be",
                    item_names[item->kind], item_names[kind]);
    return false;
}

void pl_decoder_enter(plait_decoder *decoder, const pl_item *extension,
                      pl_payload *payload)
{
    *payload = (pl_payload){ decoder->end, decoder->place };
    decoder->at = extension->data;
    decoder->end = extension->data + extension->size;
    decoder->place.owed = 0;
}

void pl_decoder_leave(plait_decoder *decoder, const pl_payload *payload)
{
    decoder->at = decoder->end;
    decoder->end = payload->outer_end;
    decoder->place = payload->outside;
}

/* ---- buffers ---- */

static bool fail_with(plait_decoder *decoder, plait_value error)
{
    const plait_error *cause = plait_as_error(error);
    pl_decoder_fail(decoder, cause->status, "%s", cause->message);
    pl_release(error);
    return false;
}

/* The value of an out-of-band buffer: made once, however often it is named. */
static bool shared_buffer(plait_decoder *decoder, int64_t number,
                          plait_value *v)
{
    const plait_encoded *source = decoder->source;
    size_t index = (size_t)number;
    if (number < 0 || index >= source->n_buffers || !source->buffers) {
        pl_decoder_fail(decoder, PLAIT_ECODEC, "there is no buffer %lld",
                        (long long)number);
        return false;
    }
    if (!decoder->buffers) {
        decoder->buffers =
            pl_calloc(source->n_buffers, sizeof *decoder->buffers);
        if (!decoder->buffers) {
            pl_decoder_fail(decoder, PLAIT_ENOMEM, "out of memory");
            return false;
        }
    }
    plait_value *made = &decoder->buffers[index];
    if (made->kind == PLAIT_KIND_NIL) {
        const plait_buffer *buffer = &source->buffers[index];
        if (!buffer->data && buffer->size > 0) {
            pl_decoder_fail(decoder, PLAIT_ECODEC, "buffer %zu has no data",
                            index);
            return false;
        }
        plait_value fresh = pl_bytes_leased(buffer->data, buffer->size,
                                            pl_retain(buffer->lease));
        if (plait_is_error(fresh))
            return fail_with(decoder, fresh);
        *made = fresh;
    }
    *v = pl_retain(*made);
    return true;
}

bool pl_decoder_buffer(plait_decoder *decoder, const pl_item *item,
                       plait_value *v)
{
    if (item->kind == PL_ITEM_BYTES) {
        plait_value copy = plait_bytes(item->data, item->size);
        if (plait_is_error(copy))
            return fail_with(decoder, copy);
        *v = copy;
        return true;
    }
    pl_payload payload;
    pl_item index;
    pl_decoder_enter(decoder, item, &payload);
    bool found = pl_decoder_expect(decoder, PL_ITEM_INT, &index);
    if (found && bytes_left(decoder) > 0) {
        pl_decoder_fail(decoder, PLAIT_ECODEC, "%zu bytes behind the index",
                        bytes_left(decoder));
        found = false;
    }
    pl_decoder_leave(decoder, &payload);
    return found && shared_buffer(decoder, index.integer, v);
}

/* ---- for plait_type.decode ---- */

plait_status plait_decode_nil(plait_decoder *decoder)
{
    pl_item item;
    pl_decoder_expect(decoder, PL_ITEM_NIL, &item);
    return decoder->status;
}

plait_status plait_decode_bool(plait_decoder *decoder, bool *truth)
{
    pl_item item;
    bool is_one = pl_decoder_expect(decoder, PL_ITEM_BOOL, &item);
    *truth = is_one && item.integer != 0;
    return decoder->status;
}

plait_status plait_decode_int(plait_decoder *decoder, int64_t *i)
{
    pl_item item;
    *i = pl_decoder_expect(decoder, PL_ITEM_INT, &item) ? item.integer : 0;
    return decoder->status;
}

/* Integers too: some languages write 3.0 as 3. */
plait_status plait_decode_float(plait_decoder *decoder, double *f)
{
    pl_item item;
    *f = 0.0;
    if (!pl_decoder_next(decoder, &item))
        return decoder->status;
    if (item.kind == PL_ITEM_FLOAT)
        *f = item.number;
    else if (item.kind == PL_ITEM_INT)
        *f = (double)item.integer;
    else
        pl_decoder_fail(decoder, PLAIT_ECODEC, "%s where %s should be",
                        item_names[item.kind], item_names[PL_ITEM_FLOAT]);
    return decoder->status;
}

plait_status plait_decode_string(plait_decoder *decoder, const char **text,
                                 size_t *length)
{
    pl_item item;
    bool is_one = pl_decoder_expect(decoder, PL_ITEM_STRING, &item);
    *text = is_one ? (const char *)item.data : NULL;
    *length = is_one ? item.size : 0;
    return decoder->status;
}

plait_status plait_decode_bytes(plait_decoder *decoder, const void **data,
                                size_t *size)
{
    pl_item item;
    bool is_one = pl_decoder_expect(decoder, PL_ITEM_BYTES, &item);
    *data = is_one ? item.data : NULL;
    *size = is_one ? item.size : 0;
    return decoder->status;
}

plait_status plait_decode_array(plait_decoder *decoder, size_t *n)
{
    pl_item item;
    *n = pl_decoder_expect(decoder, PL_ITEM_ARRAY, &item) ? item.size : 0;
    return decoder->status;
}

plait_status plait_decode_map(plait_decoder *decoder, size_t *n)
{
    pl_item item;
    *n = pl_decoder_expect(decoder, PL_ITEM_MAP, &item) ? item.size : 0;
    return decoder->status;
}

plait_status plait_decode_buffer(plait_decoder *decoder, const void **data,
                                 size_t *size, plait_value *lease)
{
    pl_item item;
    plait_value v = plait_nil();
    if (pl_decoder_next(decoder, &item)) {
        bool is_one = item.kind == PL_ITEM_BYTES ||
                      (item.kind == PL_ITEM_EXTENSION &&
                       item.extension == PL_EXTENSION_BUFFER);
        if (!is_one)
            pl_decoder_fail(decoder, PLAIT_ECODEC,
                            "%s where a buffer should be",
                            item_names[item.kind]);
        else if (!pl_decoder_buffer(decoder, &item, &v))
            v = plait_nil();
    }
    *data = plait_as_bytes(v, size);
    *lease = v;
    return decoder->status;
}
