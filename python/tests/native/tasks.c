/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tasks.c: a task library for the tests here: functions that show what they
 * got, that wait, that fail, and that make objects of a type of their own.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <plait/task.h>

typedef plait_value task(plait_context *, const plait_value *, size_t);

task same, sum, all, kind, address, fresh_bytes, key_kinds, fail_with, stop,
    flaky, nap, cancelled_nap, wait_for_others, box, unbox, boxes, no_memory,
    first_of, invalid_utf8;

/* The argument itself. */
plait_value same(plait_context *ctx, const plait_value *args, size_t n_args)
{
    if (n_args != 1)
        return plait_fail(ctx, "same takes 1 argument, got %zu", n_args);
    return plait_retain(args[0]);
}

/* The sum of integers, floats, and lists of them. */
static double add(plait_value value)
{
    size_t n;
    const plait_value *items = plait_as_list(value, &n);
    double total = plait_as_float(value);
    for (size_t i = 0; i < n; i++)
        total += add(items[i]);
    return total;
}

plait_value sum(plait_context *ctx, const plait_value *args, size_t n_args)
{
    (void)ctx;
    double total = 0;
    for (size_t i = 0; i < n_args; i++)
        total += add(args[i]);
    return total == (double)(int64_t)total ? plait_int((int64_t)total)
                                           : plait_float(total);
}

/* All arguments, as a list. */
plait_value all(plait_context *ctx, const plait_value *args, size_t n_args)
{
    (void)ctx;
    for (size_t i = 0; i < n_args; i++)
        plait_retain(args[i]);
    return plait_list(args, n_args);
}

/* The number of the argument's kind. */
plait_value kind(plait_context *ctx, const plait_value *args, size_t n_args)
{
    (void)ctx;
    return plait_int(n_args ? (int64_t)plait_kind_of(args[0]) : -1);
}

/* Where the memory of bytes lies, and its size. */
plait_value address(plait_context *ctx, const plait_value *args, size_t n_args)
{
    (void)ctx;
    size_t size = 0;
    const void *data = n_args ? plait_as_bytes(args[0], &size) : NULL;
    plait_value both[] = { plait_int((int64_t)(intptr_t)data),
                           plait_int((int64_t)size) };
    return plait_list(both, 2);
}

/* n bytes, 0, 1, 2 … */
plait_value fresh_bytes(plait_context *ctx, const plait_value *args,
                        size_t n_args)
{
    size_t n = n_args ? (size_t)plait_as_int(args[0]) : 0;
    void *data;
    plait_value value = plait_bytes_new(ctx, n, &data);
    for (size_t i = 0; data && i < n; i++)
        ((unsigned char *)data)[i] = (unsigned char)i;
    return value;
}

/* A dict with keys of several kinds. */
plait_value key_kinds(plait_context *ctx, const plait_value *args,
                      size_t n_args)
{
    (void)ctx;
    (void)args;
    (void)n_args;
    plait_value pair[] = { plait_int(1), plait_string("x") };
    plait_value keys[] = { plait_string("s"), plait_int(7), plait_nil(),
                           plait_bytes("b", 1), plait_list(pair, 2) };
    plait_value values[5];
    for (int i = 0; i < 5; i++)
        values[i] = plait_int(i);
    return plait_dict(keys, values, 5);
}

/* Fails with a status and a text. */
plait_value fail_with(plait_context *ctx, const plait_value *args,
                      size_t n_args)
{
    if (n_args < 2)
        return plait_fail(ctx, "%s", n_args ? plait_as_string(args[0]) : "no");
    return plait_error_value((plait_status)plait_as_int(args[0]), "%s",
                             plait_as_string(args[1]));
}

/* Ends the run. */
plait_value stop(plait_context *ctx, const plait_value *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return plait_error_stop(plait_fail(ctx, "enough"));
}

/* Fails, but for the attempt that the argument names. */
plait_value flaky(plait_context *ctx, const plait_value *args, size_t n_args)
{
    unsigned attempt = plait_context_attempt(ctx);
    if (n_args && attempt < (unsigned)plait_as_int(args[0]))
        return plait_fail(ctx, "attempt %u", attempt);
    return plait_int(attempt);
}

static void sleep_ms(int64_t ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&time, NULL);
}

/* Sleeps that many milliseconds, and returns its last argument. */
plait_value nap(plait_context *ctx, const plait_value *args, size_t n_args)
{
    (void)ctx;
    sleep_ms(n_args ? plait_as_int(args[0]) : 0);
    return n_args ? plait_retain(args[n_args - 1]) : plait_nil();
}

/* Sleeps until it is told not to. */
plait_value cancelled_nap(plait_context *ctx, const plait_value *args,
                          size_t n_args)
{
    (void)args;
    (void)n_args;
    while (!plait_cancelled(ctx))
        sleep_ms(1);
    return plait_fail(ctx, "was told to stop");
}

/* Returns once a flag is set by Python, through the memory of `flag`; false
 * when that takes more than 10 s: the GIL was not let go of. */
plait_value wait_for_others(plait_context *ctx, const plait_value *args,
                            size_t n_args)
{
    (void)ctx;
    const _Atomic unsigned char *flag =
        n_args ? (const _Atomic unsigned char *)plait_as_bytes(args[0], NULL)
               : NULL;
    for (int i = 0; flag && i < 10000; i++) {
        if (atomic_load(flag))
            return plait_bool(true);
        sleep_ms(1);
    }
    return plait_bool(false);
}

/* ---- a type ---- */

static _Atomic int n_boxes;

static void free_box(void *data)
{
    free(data);
    atomic_fetch_sub(&n_boxes, 1);
}

static int format_box(const void *data, char *buf, size_t size)
{
    return snprintf(buf, size, "box of %" PRId64, *(const int64_t *)data);
}

static const plait_type box_type = { .size = sizeof(plait_type),
                                     .name = "test.box",
                                     .free = free_box,
                                     .format = format_box };

plait_value box(plait_context *ctx, const plait_value *args, size_t n_args)
{
    int64_t *data = malloc(sizeof *data);
    if (!data)
        return plait_fail(ctx, "out of memory");
    *data = n_args ? plait_as_int(args[0]) : 0;
    atomic_fetch_add(&n_boxes, 1);
    return plait_object(&box_type, data);
}

plait_value unbox(plait_context *ctx, const plait_value *args, size_t n_args)
{
    const int64_t *data = n_args ? plait_as_object(args[0], &box_type) : NULL;
    return data ? plait_int(*data) : plait_fail(ctx, "that is no box");
}

/* How many there are. */
plait_value boxes(plait_context *ctx, const plait_value *args, size_t n_args)
{
    (void)ctx;
    (void)args;
    (void)n_args;
    return plait_int(atomic_load(&n_boxes));
}

/* A box that can leave its process. */
static plait_status encode_crate(const void *data, plait_encoder *encoder,
                                 plait_error *err)
{
    (void)err;
    return plait_encode_int(encoder, *(const int64_t *)data);
}

static void *decode_crate(plait_decoder *decoder, plait_error *err)
{
    (void)err;
    int64_t *data = malloc(sizeof *data);
    if (data && plait_decode_int(decoder, data) == PLAIT_OK)
        return data;
    free(data);
    return NULL;
}

static const plait_type crate_type = { .size = sizeof(plait_type),
                                       .name = "test.crate",
                                       .free = free,
                                       .format = format_box,
                                       .encode = encode_crate,
                                       .decode = decode_crate };

__attribute__((constructor)) static void make_types_known(void)
{
    plait_type_register(&crate_type, NULL);
}

plait_value crate(plait_context *ctx, const plait_value *args, size_t n_args)
{
    int64_t *data = malloc(sizeof *data);
    if (!data)
        return plait_fail(ctx, "out of memory");
    *data = n_args ? plait_as_int(args[0]) : 0;
    return plait_object(&crate_type, data);
}

plait_value open_crate(plait_context *ctx, const plait_value *args, size_t n)
{
    const int64_t *data = n ? plait_as_object(args[0], &crate_type) : NULL;
    return data ? plait_int(*data) : plait_fail(ctx, "that is no crate");
}

/* ---- the rest ---- */

plait_value no_memory(plait_context *ctx, const plait_value *args,
                      size_t n_args)
{
    (void)ctx;
    (void)args;
    (void)n_args;
    return plait_error_value(PLAIT_ENOMEM, "no memory for that");
}

/* The first of a list, which may be an error: what a task that accepts errors
 * gets. */
plait_value first_of(plait_context *ctx, const plait_value *args, size_t n_args)
{
    if (n_args && plait_is_error(args[0]))
        return plait_string("an error");
    size_t n = 0;
    const plait_value *items = n_args ? plait_as_list(args[0], &n) : NULL;
    return n ? plait_retain(items[0]) : plait_fail(ctx, "the list is empty");
}

plait_value invalid_utf8(plait_context *ctx, const plait_value *args,
                         size_t n_args)
{
    (void)ctx;
    (void)args;
    (void)n_args;
    return plait_string_n("a\xff\0b", 4);
}

/* ---- what is no task function ---- */

extern int not_a_function;
int not_a_function = 7;
