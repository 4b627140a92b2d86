/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_decode.c: any bytes are refused, or are a value that encodes to bytes
 * which decode to the same. Two out-of-band buffers are at hand, one with a
 * lease, and a user's type that reads whatever items its input names.
 */
#include <stdlib.h>
#include <string.h>

#include <plait/value.h>

#include "fuzz_target.h"

#define MOST_ITEMS 64

/* What an object of the type holds: how each item was read, and what it was. */
typedef struct fuzz_item {
    char how; /* 'n'il, 'b'ool, 'i'nt, 'f'loat, 's'tring, b'y'tes, 'a'rray,
                 'm'ap, b'u'ffer, else a value */
    plait_value v;
} fuzz_item;

typedef struct fuzz_object {
    size_t n;
    fuzz_item items[MOST_ITEMS];
} fuzz_object;

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void free_object(void *data)
{
    fuzz_object *object = data;
    for (size_t i = 0; i < object->n; i++)
        plait_release(object->items[i].v);
    free(object);
}

static plait_value decode_sized(plait_decoder *decoder, char how)
{
    const void *data = NULL;
    const char *text = NULL;
    size_t size = 0;
    plait_value v = plait_nil();
    if (how == 's') {
        plait_decode_string(decoder, &text, &size);
        return plait_string_n(text, size);
    }
    if (how == 'y') {
        plait_decode_bytes(decoder, &data, &size);
        return plait_bytes(data, size);
    }
    plait_decode_buffer(decoder, &data, &size, &v);
    size_t its_size;
    must(plait_as_bytes(v, &its_size) == data && its_size == size);
    return v;
}

static plait_value decode_one(plait_decoder *decoder, char how)
{
    bool truth;
    int64_t i;
    double f;
    size_t n = 0;
    plait_value v;
    switch (how) {
    case 'n':
        plait_decode_nil(decoder);
        return plait_nil();
    case 'b':
        plait_decode_bool(decoder, &truth);
        return plait_bool(truth);
    case 'i':
        plait_decode_int(decoder, &i);
        return plait_int(i);
    case 'f':
        plait_decode_float(decoder, &f);
        return plait_float(f);
    case 's':
    case 'y':
    case 'u':
        return decode_sized(decoder, how);
    case 'a':
        plait_decode_array(decoder, &n);
        return plait_int((int64_t)n);
    case 'm':
        plait_decode_map(decoder, &n);
        return plait_int((int64_t)n);
    default:
        plait_decode_value(decoder, &v);
        return v;
    }
}

static void encode_one(plait_encoder *encoder, const fuzz_item *item)
{
    size_t size;
    const char *text = plait_as_string_n(item->v, &size);
    const void *data = text ? text : plait_as_bytes(item->v, &size);
    switch (item->how) {
    case 'a':
        plait_encode_array(encoder, (size_t)plait_as_int(item->v));
        break;
    case 'm':
        plait_encode_map(encoder, (size_t)plait_as_int(item->v));
        break;
    case 'y':
        plait_encode_bytes(encoder, data, size);
        break;
    case 'u':
        plait_encode_buffer(encoder, data, size, plait_retain(item->v));
        break;
    default:
        plait_encode_value(encoder, item->v);
        break;
    }
}

/* A string names how the items that follow are read. */
static void *decode_object(plait_decoder *decoder, plait_error *err)
{
    const char *hows;
    size_t n;
    (void)err;
    if (plait_decode_string(decoder, &hows, &n) != PLAIT_OK || n > MOST_ITEMS)
        return NULL;
    fuzz_object *object = calloc(1, sizeof *object);
    if (!object)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        object->items[i].how = hows[i];
        object->items[i].v = decode_one(decoder, hows[i]);
        object->n++;
    }
    return object; /* also when reading failed: the decoder knows */
}

static plait_status encode_object(const void *data, plait_encoder *encoder,
                                  plait_error *err)
{
    const fuzz_object *object = data;
    char hows[MOST_ITEMS];
    (void)err;
    for (size_t i = 0; i < object->n; i++)
        hows[i] = object->items[i].how;
    plait_status status = plait_encode_string(encoder, hows, object->n);
    for (size_t i = 0; i < object->n; i++)
        encode_one(encoder, &object->items[i]);
    return status;
}

static const plait_type type = { PLAIT_TYPE_INIT, .name = "z",
                                 .free = free_object, .encode = encode_object,
                                 .decode = decode_object };

static void must_be_same(const plait_encoded *a, const plait_encoded *b)
{
    must(a->size == b->size && a->n_buffers == b->n_buffers);
    must(memcmp(a->data, b->data, a->size) == 0);
    for (size_t i = 0; i < a->n_buffers; i++) {
        must(a->buffers[i].size == b->buffers[i].size);
        must(memcmp(a->buffers[i].data, b->buffers[i].data,
                    a->buffers[i].size) == 0);
    }
}

static void round_trip(plait_value v, bool in_band)
{
    plait_encoded once, twice;
    plait_value again;
    plait_error err = { PLAIT_ERROR_INIT };
    if (plait_encode(v, in_band, &once, &err) != PLAIT_OK) {
        /* an object may hold a header with too few items behind it */
        must(err.status == PLAIT_ECODEC && strstr(err.message, "lack"));
        must(!once.data && !once.buffers);
        return;
    }
    must(plait_decode(&once, &again, &err) == PLAIT_OK);
    must(plait_encode(again, in_band, &twice, &err) == PLAIT_OK);
    must_be_same(&once, &twice);
    plait_release(again);
    plait_encoded_free(&once);
    plait_encoded_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char big[70000];
    must(plait_type_register(&type, NULL) == PLAIT_OK);
    plait_value lease = plait_bytes(big, sizeof big);
    plait_buffer buffers[] = { { plait_as_bytes(lease, NULL), 66000, lease },
                               { "small", 5, plait_nil() } };
    plait_encoded encoded = { (void *)data, size, buffers, 2 };
    plait_value v;
    plait_error err = { PLAIT_ERROR_INIT };
    char text[64];
    if (plait_decode(&encoded, &v, &err) == PLAIT_OK) {
        must(plait_format(v, text, sizeof text) >= 0);
        round_trip(v, true);
        round_trip(v, false);
    } else {
        must(plait_kind_of(v) == PLAIT_KIND_NIL);
        must(err.status != PLAIT_OK && err.message[0]);
    }
    plait_release(v);
    plait_release(lease);
    return 0;
}
