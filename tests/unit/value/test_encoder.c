/* SPDX-License-Identifier: BSD-3-Clause */
/* Items written one by one, as a type's encode does; failures that stick. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "value/codec.h"
#include "value/object.h"

static void fini(plait_encoder *encoder)
{
    plait_encoded made = { encoder->data, encoder->size, encoder->buffers,
                           encoder->n_buffers };
    plait_encoded_free(&made);
}

static void assert_bytes(const plait_encoder *encoder, const char *bytes,
                         size_t size)
{
    assert_int_equal(encoder->size, size);
    assert_memory_equal(encoder->data, bytes, size);
}

static void each_item_is_messagepack(void **state)
{
    plait_encoder encoder = { .in_band = true };
    static const char expected[] = "\xc0\xc3\xc2\xff\xcd\x01\x00"
                                   "\xcb\x3f\xe0\0\0\0\0\0\0"
                                   "\xa2hi\xc4\x02\0\1\x91\x81";
    (void)state;
    assert_int_equal(plait_encode_nil(&encoder), PLAIT_OK);
    assert_int_equal(plait_encode_bool(&encoder, true), PLAIT_OK);
    assert_int_equal(plait_encode_bool(&encoder, false), PLAIT_OK);
    assert_int_equal(plait_encode_int(&encoder, -1), PLAIT_OK);
    assert_int_equal(plait_encode_int(&encoder, 256), PLAIT_OK);
    assert_int_equal(plait_encode_float(&encoder, 0.5), PLAIT_OK);
    assert_int_equal(plait_encode_string(&encoder, "hi", 2), PLAIT_OK);
    assert_int_equal(plait_encode_bytes(&encoder, "\0\1", 2), PLAIT_OK);
    assert_int_equal(plait_encode_array(&encoder, 1), PLAIT_OK);
    assert_int_equal(plait_encode_map(&encoder, 1), PLAIT_OK);
    assert_bytes(&encoder, expected, sizeof expected - 1);
    fini(&encoder);
}

static void empty_strings_and_bytes_need_no_address(void **state)
{
    plait_encoder encoder = { .in_band = true };
    (void)state;
    assert_int_equal(plait_encode_string(&encoder, NULL, 0), PLAIT_OK);
    assert_int_equal(plait_encode_bytes(&encoder, NULL, 0), PLAIT_OK);
    assert_int_equal(plait_encode_buffer(&encoder, NULL, 0, plait_nil()),
                     PLAIT_OK);
    assert_bytes(&encoder, "\xa0\xc4\0\xc4\0", 5);
    fini(&encoder);
}

static void a_value_is_an_item(void **state)
{
    plait_encoder encoder = { .in_band = true };
    plait_value v = plait_string("x");
    (void)state;
    assert_int_equal(plait_encode_value(&encoder, v), PLAIT_OK);
    assert_int_equal(plait_encode_value(&encoder, plait_int(5)), PLAIT_OK);
    assert_bytes(&encoder, "\xa1x\x05", 3);
    fini(&encoder);
    plait_release(v);
}

static void the_first_failure_sticks(void **state)
{
    plait_encoder encoder = { .error = { PLAIT_ERROR_INIT } };
    plait_value ref = plait_ref((plait_task){ 1, 1 });
    (void)state;
    assert_int_equal(plait_encode_value(&encoder, ref), PLAIT_ECODEC);
    assert_int_equal(plait_encode_nil(&encoder), PLAIT_ECODEC);
    assert_int_equal(plait_encode_bool(&encoder, true), PLAIT_ECODEC);
    assert_int_equal(plait_encode_int(&encoder, 1), PLAIT_ECODEC);
    assert_int_equal(plait_encode_float(&encoder, 1), PLAIT_ECODEC);
    assert_int_equal(plait_encode_string(&encoder, "", 0), PLAIT_ECODEC);
    assert_int_equal(plait_encode_bytes(&encoder, "", 0), PLAIT_ECODEC);
    assert_int_equal(plait_encode_array(&encoder, 1), PLAIT_ECODEC);
    assert_int_equal(plait_encode_map(&encoder, 1), PLAIT_ECODEC);
    assert_int_equal(plait_encode_buffer(&encoder, "", 0, plait_nil()),
                     PLAIT_ECODEC);
    assert_int_equal(pl_encoder_fail(&encoder, PLAIT_ENOMEM, "later"),
                     PLAIT_ECODEC);
    assert_non_null(strstr(encoder.error.message, "reference"));
    assert_int_equal(encoder.size, 0);
    fini(&encoder);
}

static void what_messagepack_cant_hold_is_refused(void **state)
{
    (void)state;
    if (SIZE_MAX == UINT32_MAX)
        return; /* no such sizes */
    size_t over = (size_t)UINT32_MAX + 1;
    plait_encoder encoder = { .error = { PLAIT_ERROR_INIT } };
    assert_int_equal(plait_encode_string(&encoder, "", over), PLAIT_ECODEC);
    encoder.status = PLAIT_OK;
    assert_int_equal(plait_encode_bytes(&encoder, "", over), PLAIT_ECODEC);
    encoder.status = PLAIT_OK;
    assert_int_equal(plait_encode_array(&encoder, over), PLAIT_ECODEC);
    encoder.status = PLAIT_OK;
    assert_int_equal(plait_encode_map(&encoder, over), PLAIT_ECODEC);
    assert_non_null(strstr(encoder.error.message, "a map"));
    fini(&encoder);
}

/* ---- buffers ---- */

static uint32_t count_of(plait_value v)
{
    return ((pl_object *)v.as.object)->count;
}

static char big[PL_OUT_OF_BAND_BYTES];

static void a_buffer_with_a_lease_is_not_copied(void **state)
{
    plait_encoder encoder = { .in_band = false };
    plait_value lease = plait_string("keeps it alive");
    (void)state;
    assert_int_equal(
        plait_encode_buffer(&encoder, big, sizeof big, plait_retain(lease)),
        PLAIT_OK);
    assert_int_equal(encoder.n_buffers, 1);
    assert_ptr_equal(encoder.buffers[0].data, big);
    assert_int_equal(count_of(lease), 2);
    fini(&encoder);
    assert_int_equal(count_of(lease), 1);
    plait_release(lease);
}

static void a_buffer_without_a_lease_is_copied(void **state)
{
    plait_encoder encoder = { .in_band = false };
    (void)state;
    big[7] = 'x';
    assert_int_equal(
        plait_encode_buffer(&encoder, big, sizeof big, plait_nil()), PLAIT_OK);
    big[7] = 'y';
    assert_int_equal(encoder.n_buffers, 1);
    assert_ptr_not_equal(encoder.buffers[0].data, big);
    assert_int_equal(((const char *)encoder.buffers[0].data)[7], 'x');
    fini(&encoder);
}

static void a_small_buffer_is_in_the_data(void **state)
{
    plait_encoder encoder = { .in_band = false };
    plait_value lease = plait_string("keeps it alive");
    (void)state;
    assert_int_equal(
        plait_encode_buffer(&encoder, "ab", 2, plait_retain(lease)), PLAIT_OK);
    assert_int_equal(encoder.n_buffers, 0);
    assert_bytes(&encoder,
                 "\xc4\x02"
                 "ab",
                 4);
    assert_int_equal(count_of(lease), 1);
    fini(&encoder);
    plait_release(lease);
}

static void a_lease_that_is_an_error_fails(void **state)
{
    plait_encoder encoder = { .error = { PLAIT_ERROR_INIT } };
    (void)state;
    assert_int_equal(
        plait_encode_buffer(&encoder, big, sizeof big,
                            plait_error_value(PLAIT_ETASK, "no lease")),
        PLAIT_ETASK);
    assert_string_equal(encoder.error.message, "no lease");
    fini(&encoder);
}

static void many_buffers_have_their_indices(void **state)
{
    plait_encoder encoder = { .in_band = false };
    (void)state;
    for (int i = 0; i < 20; i++)
        plait_encode_buffer(&encoder, big, sizeof big, plait_string("l"));
    assert_int_equal(encoder.status, PLAIT_OK);
    assert_int_equal(encoder.n_buffers, 20);
    assert_int_equal(encoder.data[encoder.size - 1], 19);
    fini(&encoder);
}

/* ---- what a type announces ---- */

static size_t announced, written;

static plait_status encode_some(const void *data, plait_encoder *encoder,
                                plait_error *err)
{
    (void)data;
    (void)err;
    plait_encode_map(encoder, announced);
    for (size_t i = 0; i < written; i++)
        plait_encode_nil(encoder);
    return plait_encode_nil(encoder); /* one that nobody announced */
}

static void a_type_must_write_what_it_announced(void **state)
{
    static const plait_type type = { PLAIT_TYPE_INIT, .name = "encoder.some",
                                     .encode = encode_some };
    plait_value v = plait_object(&type, NULL);
    plait_encoded encoded;
    plait_error err = { PLAIT_ERROR_INIT };
    (void)state;
    announced = 3, written = 6;
    assert_int_equal(plait_encode(v, true, &encoded, &err), PLAIT_OK);
    plait_encoded_free(&encoded);
    announced = 3, written = 3;
    assert_int_equal(plait_encode(v, true, &encoded, &err), PLAIT_ECODEC);
    assert_non_null(strstr(err.message, "lack 2 items"));
    plait_release(v);
}

static plait_status encode_inner(const void *data, plait_encoder *encoder,
                                 plait_error *err)
{
    (void)err;
    return plait_encode_value(encoder, *(const plait_value *)data);
}

/* Objects in objects: an object that holds itself is found out. */
static void objects_nest_up_to_the_limit(void **state)
{
    static const plait_type type = { PLAIT_TYPE_INIT, .name = "encoder.inner",
                                     .encode = encode_inner };
    static plait_value inner;
    plait_value v = plait_object(&type, &inner);
    plait_encoded encoded;
    plait_error err = { PLAIT_ERROR_INIT };
    (void)state;
    inner = v;
    assert_int_equal(plait_encode(v, true, &encoded, &err), PLAIT_EINVAL);
    assert_non_null(strstr(err.message, "200 levels"));
    plait_release(v);
}

static void objects_holding_lists_count_for_their_lists(void **state)
{
    static const plait_type type = { PLAIT_TYPE_INIT, .name = "encoder.list",
                                     .encode = encode_inner };
    plait_value inner = plait_int(1);
    plait_encoded encoded;
    (void)state;
    for (int i = 0; i < PLAIT_NESTING_LIMIT; i++)
        inner = plait_list(&inner, 1);
    plait_value v = plait_object(&type, &inner);
    assert_int_equal(plait_encode(v, true, &encoded, NULL), PLAIT_OK);
    plait_encoded_free(&encoded);
    v = plait_list(&v, 1);
    assert_int_equal(plait_encode(v, true, &encoded, NULL), PLAIT_EINVAL);
    plait_release(v);
    plait_release(inner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_is_messagepack),
        cmocka_unit_test(empty_strings_and_bytes_need_no_address),
        cmocka_unit_test(a_value_is_an_item),
        cmocka_unit_test(the_first_failure_sticks),
        cmocka_unit_test(what_messagepack_cant_hold_is_refused),
        cmocka_unit_test(a_buffer_with_a_lease_is_not_copied),
        cmocka_unit_test(a_buffer_without_a_lease_is_copied),
        cmocka_unit_test(a_small_buffer_is_in_the_data),
        cmocka_unit_test(a_lease_that_is_an_error_fails),
        cmocka_unit_test(many_buffers_have_their_indices),
        cmocka_unit_test(a_type_must_write_what_it_announced),
        cmocka_unit_test(objects_nest_up_to_the_limit),
        cmocka_unit_test(objects_holding_lists_count_for_their_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
