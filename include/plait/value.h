/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * value.h: what tasks take and return.
 *
 * A plait_value is 16 bytes, passed by value: a kind, and either an inline
 * nothing, bool, integer, float or task reference, or a pointer to an
 * immutable object that counts its references. All-zero bytes are nil.
 *
 * Take and borrow: a call that builds (plait_list, plait_dict, plait_object)
 * takes the references it is given, whether it succeeds or not. A call that
 * asks borrows. What a maker returns belongs to the caller, until it gives it
 * away or calls plait_release.
 *
 * Making never needs checking: when it fails it returns an error value, a
 * list given an error is that error, and so on up to plait_compute.
 */
#ifndef PLAIT_VALUE_H
#define PLAIT_VALUE_H

#include <plait/error.h>
#include <plait/runtime.h>

PLAIT_BEGIN_DECLS

typedef enum plait_kind {
    PLAIT_KIND_NIL = 0,
    PLAIT_KIND_BOOL = 1,
    PLAIT_KIND_INT = 2,
    PLAIT_KIND_FLOAT = 3,
    PLAIT_KIND_REF = 4, /* a task, in an argument; never a result */
    PLAIT_KIND_STRING = 5,
    PLAIT_KIND_BYTES = 6,
    PLAIT_KIND_LIST = 7,
    PLAIT_KIND_DICT = 8,
    PLAIT_KIND_OBJECT = 9,
    PLAIT_KIND_ERROR = 10
} plait_kind;

/* Read it with the functions below, not through its fields. */
typedef struct plait_value {
    uint32_t kind;  /* plait_kind */
    uint32_t graph; /* PLAIT_KIND_REF: the graph's number; else 0 */
    union {
        int64_t integer; /* PLAIT_KIND_INT, PLAIT_KIND_BOOL, and the id of a
                            PLAIT_KIND_REF */
        double number;
        void *object;
    } as;
} plait_value;

/* How deep lists and dicts may nest, in building and in decoding. */
#define PLAIT_NESTING_LIMIT 1000

typedef struct plait_context plait_context;
typedef struct plait_encoder plait_encoder;
typedef struct plait_decoder plait_decoder;

#define PLAIT_TYPE_INIT .size = sizeof(plait_type)

/*
 * A user's type. The name identifies it, here, in other libraries of this
 * process and in other processes; it and the struct must stay valid. Every
 * callback may be NULL. Without encode and decode an object can't leave its
 * process; with them, objects that encode objects may nest 200 deep. Callbacks
 * may run on any thread, several at once for different objects (encode and
 * format even for one object).
 */
typedef struct plait_type {
    PLAIT_SIZE_FIRST(plait_type);
    const char *name;
    plait_runtime *runtime; /* NULL: plain C */
    void (*free)(void *data);
    plait_status (*encode)(const void *data, plait_encoder *encoder,
                           plait_error *err);
    /* NULL when it failed, with `err` filled */
    void *(*decode)(plait_decoder *decoder, plait_error *err);
    /* as snprintf: writes at most `size` bytes with the final NUL, returns the
     * length of the whole text */
    int (*format)(const void *data, char *buf, size_t size);
} plait_type;

/*
 * Makes a type known, so that decoding finds it by name. Registering the same
 * struct, or one with the same name from another library, again is fine; the
 * first one decodes.
 * Thread: any.  Blocks: no.
 */
PLAIT_API plait_status plait_type_register(const plait_type *type,
                                           plait_error *err);

/* ---- makers.  Thread: any.  Blocks: no. ---- */

PLAIT_API inline plait_value plait_nil(void)
{
    plait_value v = { PLAIT_KIND_NIL, 0, { 0 } };
    return v;
}

PLAIT_API inline plait_value plait_bool(bool truth)
{
    plait_value v = { PLAIT_KIND_BOOL, 0, { truth } };
    return v;
}

PLAIT_API inline plait_value plait_int(int64_t integer)
{
    plait_value v = { PLAIT_KIND_INT, 0, { integer } };
    return v;
}

PLAIT_API inline plait_value plait_float(double number)
{
    plait_value v = { PLAIT_KIND_FLOAT, 0, { 0 } };
    v.as.number = number;
    return v;
}

/* A reference to a task, for an argument: the task's result takes its place. */
PLAIT_API inline plait_value plait_ref(plait_task task)
{
    plait_value v = { PLAIT_KIND_REF, task.graph, { task.id } };
    return v;
}

/* Integers over INT64_MAX become an error value (PLAIT_EINVAL). */
PLAIT_API plait_value plait_uint(uint64_t integer);

/* A copy of text that ends with NUL; NULL becomes an error value. */
PLAIT_API plait_value plait_string(const char *text);

/* A copy of `length` bytes of text, NULs included. UTF-8 by convention; other
 * bytes (paths) are kept as they are. */
PLAIT_API plait_value plait_string_n(const char *text, size_t length);

/* A copy of `size` bytes. */
PLAIT_API plait_value plait_bytes(const void *data, size_t size);

/*
 * A writable buffer, zeroed, born where it can later be seen by other
 * processes without a copy, when `ctx` is of a run that has some. It is sealed
 * (not to be written any more) once it is returned from the task or handed on.
 * `*data` is NULL when the value is an error.
 */
PLAIT_API plait_value plait_bytes_new(plait_context *ctx, size_t size,
                                      void **data);

/*
 * Bytes that lie elsewhere, without a copy: `lease` (taken) is a value that
 * keeps them alive and unchanged, such as a plait_object whose type's free
 * gives them back. nil: they are copied.
 */
PLAIT_API plait_value plait_bytes_leased(const void *data, size_t size,
                                         plait_value lease);

/* Takes the n items, not the array. */
PLAIT_API plait_value plait_list(const plait_value *items, size_t n);

/* Takes the n keys and n values, not the arrays. Keeps their order; when a
 * string or integer key comes twice the later value counts. */
PLAIT_API plait_value plait_dict(const plait_value *keys,
                                 const plait_value *values, size_t n);

/* Takes `data`; when it fails `data` has been freed by the type. */
PLAIT_API plait_value plait_object(const plait_type *type, void *data);

/* A list of references: the results of n tasks, in order. */
PLAIT_API plait_value plait_tasks(const plait_task *tasks, size_t n);

/* An error value that names no task; in a task use plait_fail. */
PLAIT_API plait_value plait_error_value(plait_status status, const char *format,
                                        ...) PLAIT_PRINTF(2, 3);

/* An error value that ends the run in every mode, whatever on_error says, is
 * never retried and never given to a task that accepts errors. For front ends:
 * Python's KeyboardInterrupt. Takes `error`; what is no error is returned. */
PLAIT_API plait_value plait_error_stop(plait_value error);

/* Takes `payload` too: an error value that carries it. */
PLAIT_API plait_value plait_error_value_with(plait_value payload,
                                             plait_status status,
                                             const char *format, ...)
    PLAIT_PRINTF(3, 4);

/* ---- references.  Thread: any.  Blocks: no. ---- */

/* Another reference to the same value; returns `v`. */
PLAIT_API plait_value plait_retain(plait_value v);

/* Gives up a reference; at the last one the value is freed. nil is fine. */
PLAIT_API void plait_release(plait_value v);

/* ---- asking: borrows.  Thread: any.  Blocks: no. ---- */

PLAIT_API inline plait_kind plait_kind_of(plait_value v)
{
    return (plait_kind)v.kind;
}

PLAIT_API inline bool plait_is_error(plait_value v)
{
    return v.kind == PLAIT_KIND_ERROR;
}

/* The wrong kind gives false, 0, 0.0, NULL or an empty view. */
PLAIT_API inline bool plait_as_bool(plait_value v)
{
    return v.kind == PLAIT_KIND_BOOL && v.as.integer != 0;
}

PLAIT_API inline int64_t plait_as_int(plait_value v)
{
    return v.kind == PLAIT_KIND_INT ? v.as.integer : 0;
}

/* An int is a float too. */
PLAIT_API inline double plait_as_float(plait_value v)
{
    if (v.kind == PLAIT_KIND_FLOAT)
        return v.as.number;
    return v.kind == PLAIT_KIND_INT ? (double)v.as.integer : 0.0;
}

/* Ends with NUL; valid as long as the value. */
PLAIT_API const char *plait_as_string(plait_value v);
PLAIT_API const char *plait_as_string_n(plait_value v, size_t *length);
PLAIT_API const void *plait_as_bytes(plait_value v, size_t *size);
PLAIT_API const plait_value *plait_as_list(plait_value v, size_t *n);
/* The number of entries; `*keys` and `*values` may be NULL pointers. */
PLAIT_API size_t plait_as_dict(plait_value v, const plait_value **keys,
                               const plait_value **values);
/* The value under a string key, borrowed; nil when there is none. */
PLAIT_API plait_value plait_dict_get(plait_value v, const char *key);
/* The data, when the value's type has `type`'s name; else NULL. */
PLAIT_API void *plait_as_object(plait_value v, const plait_type *type);
/* The type's name of an object, else NULL. */
PLAIT_API const char *plait_object_type_name(plait_value v);
PLAIT_API const plait_error *plait_as_error(plait_value v);
/* The whole text of an error, which plait_error.message may cut. */
PLAIT_API const char *plait_error_text(plait_value v);
/* What plait_fail_with was given, borrowed; nil when there is none. */
PLAIT_API plait_value plait_error_payload(plait_value v);
PLAIT_API bool plait_error_is_stop(plait_value v);

/* PLAIT_OK, or PLAIT_ETYPE with `*out` 0 (NULL for strings). */
PLAIT_API plait_status plait_to_bool(plait_value v, bool *out);
PLAIT_API plait_status plait_to_int(plait_value v, int64_t *out);
PLAIT_API plait_status plait_to_float(plait_value v, double *out);
PLAIT_API plait_status plait_to_string(plait_value v, const char **out);

/* Text for people, as snprintf: writes at most `size` bytes with the final
 * NUL, returns the length of the whole text. */
PLAIT_API int plait_format(plait_value v, char *buf, size_t size);

/* ---- encoding: MessagePack, so that any language's library reads it ---- */

/*
 * A value in encoded form. Big buffers may lie out of band: `data` then names
 * them by index, and each is kept alive by `lease` until plait_encoded_free.
 */
typedef struct plait_buffer {
    const void *data;
    size_t size;
    plait_value lease;
} plait_buffer;

typedef struct plait_encoded {
    void *data;
    size_t size;
    plait_buffer *buffers;
    size_t n_buffers;
} plait_encoded;

/*
 * Encodes a value. With `in_band` everything is in `data`; without, buffers of
 * 64 KiB and more are out of band. An object whose type has no encode, and a
 * task reference, are PLAIT_ECODEC. An error is encoded without its payload
 * when that can't be. `*out` is all zero on failure.
 * Thread: any.  Blocks: no, but to attach to a type's runtime.
 */
PLAIT_API plait_status plait_encode(plait_value v, bool in_band,
                                    plait_encoded *out, plait_error *err);

/*
 * Decodes; `*out` is nil on failure. Hostile input is safe. Out-of-band
 * buffers are taken over: the value retains their leases, or copies what has
 * none.
 * Thread: any.  Blocks: no, but to attach to a type's runtime.
 */
PLAIT_API plait_status plait_decode(const plait_encoded *encoded,
                                    plait_value *out, plait_error *err);

/* Frees what plait_encode made; all zero is fine. */
PLAIT_API void plait_encoded_free(plait_encoded *encoded);

/* For plait_type.encode: append one item each.  Errors stick: the last call's
 * status, or the return of plait_encode, tells.  Arrays and maps are headers:
 * n items, or n keys and values in turn, must follow. */
PLAIT_API plait_status plait_encode_nil(plait_encoder *encoder);
PLAIT_API plait_status plait_encode_bool(plait_encoder *encoder, bool truth);
PLAIT_API plait_status plait_encode_int(plait_encoder *encoder, int64_t i);
PLAIT_API plait_status plait_encode_float(plait_encoder *encoder, double f);
PLAIT_API plait_status plait_encode_string(plait_encoder *encoder,
                                           const char *text, size_t length);
PLAIT_API plait_status plait_encode_bytes(plait_encoder *encoder,
                                          const void *data, size_t size);
PLAIT_API plait_status plait_encode_array(plait_encoder *encoder, size_t n);
PLAIT_API plait_status plait_encode_map(plait_encoder *encoder, size_t n);
PLAIT_API plait_status plait_encode_value(plait_encoder *encoder,
                                          plait_value v);
/* Memory out of band. `lease` (taken) keeps it alive as long as it is used;
 * nil: it is copied before the call returns. */
PLAIT_API plait_status plait_encode_buffer(plait_encoder *encoder,
                                           const void *data, size_t size,
                                           plait_value lease);

/* For plait_type.decode: read one item each.  The wrong item is PLAIT_ECODEC
 * and sticks; outs are then 0 or NULL.  Text and bytes are borrowed from the
 * input until decode returns. */
PLAIT_API plait_status plait_decode_nil(plait_decoder *decoder);
PLAIT_API plait_status plait_decode_bool(plait_decoder *decoder, bool *truth);
PLAIT_API plait_status plait_decode_int(plait_decoder *decoder, int64_t *i);
PLAIT_API plait_status plait_decode_float(plait_decoder *decoder, double *f);
PLAIT_API plait_status plait_decode_string(plait_decoder *decoder,
                                           const char **text, size_t *length);
PLAIT_API plait_status plait_decode_bytes(plait_decoder *decoder,
                                          const void **data, size_t *size);
PLAIT_API plait_status plait_decode_array(plait_decoder *decoder, size_t *n);
PLAIT_API plait_status plait_decode_map(plait_decoder *decoder, size_t *n);
PLAIT_API plait_status plait_decode_value(plait_decoder *decoder,
                                          plait_value *v);
/* A buffer: `*lease` is a reference (the caller's) that keeps `*data` alive. */
PLAIT_API plait_status plait_decode_buffer(plait_decoder *decoder,
                                           const void **data, size_t *size,
                                           plait_value *lease);

PLAIT_END_DECLS

#endif
