/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * codec.h: the encoded form of values, and what its writer and reader share.
 *
 * It is MessagePack. nil, bool, int (signed 64 bits), float (64 bits), string,
 * bytes, list and dict are MessagePack's own. Strings are str even when their
 * bytes are no UTF-8: a reader in Python decodes with "surrogateescape". The
 * rest are extensions, whose payload is MessagePack again:
 *
 *   1 error   array of 8: status, sys_errno, task's id, task's graph, key,
 *             text, whether it ends the run, payload
 *   2 buffer  its index among the out-of-band buffers
 *   3 object  the type's name, then whatever the type's encode wrote
 *
 * A payload that can't be encoded or decoded becomes nil: an error is worth
 * more than what it carries.
 */
#ifndef PL_CODEC_H
#define PL_CODEC_H

#include <plait/value.h>

typedef enum pl_extension {
    PL_EXTENSION_ERROR = 1,
    PL_EXTENSION_BUFFER = 2,
    PL_EXTENSION_OBJECT = 3
} pl_extension;

/* The length of an error's array. */
#define PL_ERROR_FIELDS 8

/* Buffers of this size and more lie out of band, where that is allowed. */
#define PL_OUT_OF_BAND_BYTES ((size_t)64 * 1024)

/* How deep objects may nest whose types encode values that hold objects: less
 * than lists, as each level takes the type's own stack too. */
#define PL_OBJECT_NESTING_LIMIT 200

/*
 * Where a reader or writer is. Lists, dicts and errors' payloads may nest
 * PLAIT_NESTING_LIMIT deep, whatever objects lie between. `owed` counts the
 * items that headers announced and that are still to come within the innermost
 * extension.
 */
typedef struct pl_place {
    unsigned containers;
    unsigned objects;
    uint64_t owed;
} pl_place;

struct plait_encoder {
    unsigned char *data;
    size_t size;
    size_t capacity;
    plait_buffer *buffers;
    size_t n_buffers;
    size_t buffer_capacity;
    bool in_band;
    pl_place place;
    plait_status status; /* the first failure sticks */
    plait_error error;
};

struct plait_decoder {
    const unsigned char *at;
    const unsigned char *end; /* of the innermost extension, or of the input */
    const plait_encoded *source;
    plait_value *buffers; /* made of source->buffers so far; NULL: none yet */
    pl_place place;
    plait_status status; /* the first failure sticks */
    plait_error error;
};

/* Both return `status`; only the first failure is kept. */
plait_status pl_encoder_fail(plait_encoder *encoder, plait_status status,
                             const char *format, ...) PLAIT_PRINTF(3, 4);
plait_status pl_decoder_fail(plait_decoder *decoder, plait_status status,
                             const char *format, ...) PLAIT_PRINTF(3, 4);

/* An extension whose length is known at its end. `*place` keeps what is
 * outside until then. */
size_t pl_encoder_begin(plait_encoder *encoder, pl_extension extension,
                        pl_place *outside);
plait_status pl_encoder_end(plait_encoder *encoder, size_t begin,
                            const pl_place *outside);

/* Forgets what was written behind `size` and `n_buffers`, and its failure. */
void pl_encoder_rewind(plait_encoder *encoder, size_t size, size_t n_buffers,
                       const pl_place *place);

typedef enum pl_item_kind {
    PL_ITEM_INVALID,
    PL_ITEM_NIL,
    PL_ITEM_BOOL,
    PL_ITEM_INT,
    PL_ITEM_FLOAT,
    PL_ITEM_STRING,
    PL_ITEM_BYTES,
    PL_ITEM_ARRAY,
    PL_ITEM_MAP,
    PL_ITEM_EXTENSION
} pl_item_kind;

/* One item, or the header of an array or map. */
typedef struct pl_item {
    pl_item_kind kind;
    int extension;
    int64_t integer; /* also the truth of a bool */
    double number;
    size_t size; /* bytes of `data`, items of an array, entries of a map */
    const unsigned char *data; /* borrowed from the input */
} pl_item;

/* Reads an item. False: it failed. What an array or map announces is no more
 * than what the input can still hold, so it is safe to allocate. */
bool pl_decoder_next(plait_decoder *decoder, pl_item *item);

/* The same; any other kind is a failure. */
bool pl_decoder_expect(plait_decoder *decoder, pl_item_kind kind,
                       pl_item *item);

/* The bytes value that an item is, inline or by its index; the caller's. */
bool pl_decoder_buffer(plait_decoder *decoder, const pl_item *item,
                       plait_value *v);

/* Goes into an extension's payload, and out again, wherever reading is. */
typedef struct pl_payload {
    const unsigned char *outer_end;
    pl_place outside;
} pl_payload;

void pl_decoder_enter(plait_decoder *decoder, const pl_item *extension,
                      pl_payload *payload);
void pl_decoder_leave(plait_decoder *decoder, const pl_payload *payload);

#endif
