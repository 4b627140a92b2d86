/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * encoder.c: writing MessagePack, item by item. The bytes of headers and
 * numbers are msgpack-c's; memory and failures are ours.
 */
#include <msgpack/pack.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "value/codec.h"
#include "value/object.h"

/* An extension's header with a 32-bit length: 0xc9, length, type. */
#define HEADER_SIZE 6

plait_status pl_encoder_fail(plait_encoder *encoder, plait_status status,
                             const char *format, ...)
{
    if (encoder->status != PLAIT_OK)
        return encoder->status;
    encoder->status = status;
    va_list args;
    va_start(args, format);
    pl_error_set_v(&encoder->error, status, format, args);
    va_end(args);
    return status;
}

static bool make_room(plait_encoder *encoder, size_t more)
{
    if (more <= encoder->capacity - encoder->size)
        return true;
    size_t capacity = encoder->capacity ? encoder->capacity : 128;
    while (capacity - encoder->size < more) {
        if (!pl_mul_size(capacity, 2, &capacity))
            return false;
    }
    unsigned char *data = pl_realloc(encoder->data, capacity);
    if (!data)
        return false;
    encoder->data = data;
    encoder->capacity = capacity;
    return true;
}

/* msgpack-c's way to the memory. */
static int write_bytes(void *user, const char *bytes, size_t size)
{
    plait_encoder *encoder = user;
    if (!make_room(encoder, size)) {
        pl_encoder_fail(encoder, PLAIT_ENOMEM, "out of memory");
        return -1;
    }
    if (size > 0)
        memcpy(encoder->data + encoder->size, bytes, size);
    encoder->size += size;
    return 0;
}

/* Begins an item; false: an earlier one has failed. */
static bool begin_item(plait_encoder *encoder, msgpack_packer *packer)
{
    if (encoder->status != PLAIT_OK)
        return false;
    if (encoder->place.owed > 0)
        encoder->place.owed--;
    msgpack_packer_init(packer, encoder, write_bytes);
    return true;
}

static bool fits(plait_encoder *encoder, size_t size, const char *what)
{
    if (size <= UINT32_MAX)
        return true;
    pl_encoder_fail(encoder, PLAIT_ECODEC,
                    "%s of %zu: MessagePack's limit is %u", what, size,
                    (unsigned)UINT32_MAX);
    return false;
}

plait_status plait_encode_nil(plait_encoder *encoder)
{
    msgpack_packer packer;
    if (begin_item(encoder, &packer))
        msgpack_pack_nil(&packer);
    return encoder->status;
}

plait_status plait_encode_bool(plait_encoder *encoder, bool truth)
{
    msgpack_packer packer;
    if (!begin_item(encoder, &packer))
        return encoder->status;
    if (truth)
        msgpack_pack_true(&packer);
    else
        msgpack_pack_false(&packer);
    return encoder->status;
}

plait_status plait_encode_int(plait_encoder *encoder, int64_t i)
{
    msgpack_packer packer;
    if (begin_item(encoder, &packer))
        msgpack_pack_int64(&packer, i);
    return encoder->status;
}

plait_status plait_encode_float(plait_encoder *encoder, double f)
{
    msgpack_packer packer;
    if (begin_item(encoder, &packer))
        msgpack_pack_double(&packer, f);
    return encoder->status;
}

plait_status plait_encode_string(plait_encoder *encoder, const char *text,
                                 size_t length)
{
    msgpack_packer packer;
    if (!begin_item(encoder, &packer) || !fits(encoder, length, "a string"))
        return encoder->status;
    msgpack_pack_str(&packer, length);
    if (encoder->status == PLAIT_OK)
        msgpack_pack_str_body(&packer, text, length);
    return encoder->status;
}

plait_status plait_encode_bytes(plait_encoder *encoder, const void *data,
                                size_t size)
{
    msgpack_packer packer;
    if (!begin_item(encoder, &packer) || !fits(encoder, size, "bytes"))
        return encoder->status;
    msgpack_pack_bin(&packer, size);
    if (encoder->status == PLAIT_OK)
        msgpack_pack_bin_body(&packer, data, size);
    return encoder->status;
}

plait_status plait_encode_array(plait_encoder *encoder, size_t n)
{
    msgpack_packer packer;
    if (!begin_item(encoder, &packer) || !fits(encoder, n, "an array"))
        return encoder->status;
    encoder->place.owed += n;
    msgpack_pack_array(&packer, n);
    return encoder->status;
}

plait_status plait_encode_map(plait_encoder *encoder, size_t n)
{
    msgpack_packer packer;
    if (!begin_item(encoder, &packer) || !fits(encoder, n, "a map"))
        return encoder->status;
    encoder->place.owed += 2 * (uint64_t)n;
    msgpack_pack_map(&packer, n);
    return encoder->status;
}

size_t pl_encoder_begin(plait_encoder *encoder, pl_extension extension,
                        pl_place *outside)
{
    msgpack_packer packer;
    size_t begin = encoder->size;
    /* a length that makes msgpack-c choose the longest header */
    if (begin_item(encoder, &packer))
        msgpack_pack_ext(&packer, UINT32_MAX, (int8_t)extension);
    *outside = encoder->place;
    encoder->place.owed = 0;
    return begin;
}

plait_status pl_encoder_end(plait_encoder *encoder, size_t begin,
                            const pl_place *outside)
{
    uint64_t owed = encoder->place.owed;
    encoder->place = *outside;
    if (encoder->status != PLAIT_OK)
        return encoder->status;
    if (owed > 0)
        return pl_encoder_fail(encoder, PLAIT_ECODEC,
                               "its arrays and maps lack %llu items",
                               (unsigned long long)owed);
    size_t length = encoder->size - begin - HEADER_SIZE;
    if (!fits(encoder, length, "an object"))
        return encoder->status;
    for (unsigned i = 0; i < 4; i++)
        encoder->data[begin + 1 + i] = (unsigned char)(length >> (8 * (3 - i)));
    return PLAIT_OK;
}

void pl_encoder_rewind(plait_encoder *encoder, size_t size, size_t n_buffers,
                       const pl_place *place)
{
    encoder->size = size;
    while (encoder->n_buffers > n_buffers)
        pl_release(encoder->buffers[--encoder->n_buffers].lease);
    encoder->place = *place;
    encoder->status = PLAIT_OK;
}

/* Adds an out-of-band buffer, and its index to the input. Takes `lease`. */
static plait_status add_buffer(plait_encoder *encoder, const void *data,
                               size_t size, plait_value lease)
{
    if (!pl_grow(&encoder->buffers, &encoder->buffer_capacity,
                 encoder->n_buffers, sizeof *encoder->buffers)) {
        pl_release(lease);
        return pl_encoder_fail(encoder, PLAIT_ENOMEM, "out of memory");
    }
    size_t index = encoder->n_buffers++;
    encoder->buffers[index] = (plait_buffer){ data, size, lease };
    pl_place outside;
    size_t begin = pl_encoder_begin(encoder, PL_EXTENSION_BUFFER, &outside);
    plait_encode_int(encoder, (int64_t)index);
    return pl_encoder_end(encoder, begin, &outside);
}

plait_status plait_encode_buffer(plait_encoder *encoder, const void *data,
                                 size_t size, plait_value lease)
{
    if (plait_is_error(lease) && encoder->status == PLAIT_OK)
        pl_encoder_fail(encoder, plait_as_error(lease)->status, "%s",
                        plait_as_error(lease)->message);
    bool is_inside = encoder->in_band || size < PL_OUT_OF_BAND_BYTES;
    if (is_inside || encoder->status != PLAIT_OK) {
        plait_encode_bytes(encoder, data, size);
        pl_release(lease);
        return encoder->status;
    }
    if (lease.kind != PLAIT_KIND_NIL)
        return add_buffer(encoder, data, size, lease);
    plait_value copy = plait_bytes(data, size);
    if (plait_is_error(copy)) {
        pl_encoder_fail(encoder, plait_as_error(copy)->status, "%s",
                        plait_as_error(copy)->message);
        pl_release(copy);
        return encoder->status;
    }
    return add_buffer(encoder, plait_as_bytes(copy, NULL), size, copy);
}
