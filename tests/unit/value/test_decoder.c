/* SPDX-License-Identifier: BSD-3-Clause */
/* Items read one by one, as a type's decode does; failures that stick; what
 * msgpack-c writes is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <msgpack/pack.h>
#include <msgpack/sbuffer.h>

#include "value/codec.h"
#include "value/object.h"

static const plait_encoded no_buffers;

static plait_decoder over(const void *data, size_t size)
{
    const unsigned char *at = data;
    return (plait_decoder){ .at = at,
                            .end = at + size,
                            .source = &no_buffers,
                            .error = { PLAIT_ERROR_INIT } };
}

/* A decoder over a literal, without its NUL. */
#define OVER(literal) over(literal, sizeof(literal) - 1)

static void each_item_is_read(void **state)
{
    plait_decoder decoder = OVER("\xc0\xc3\xc2\x05\xe0\xa2hi\xc4\x02\0\1"
                                 "\x92\x01\x02\x81\x03\x04"
                                 "\xcb\x3f\xe0\0\0\0\0\0\0");
    bool truth;
    int64_t i;
    double f;
    const char *text;
    const void *data;
    size_t n;
    plait_value v;
    (void)state;
    assert_int_equal(plait_decode_nil(&decoder), PLAIT_OK);
    assert_int_equal(plait_decode_bool(&decoder, &truth), PLAIT_OK);
    assert_true(truth);
    assert_int_equal(plait_decode_bool(&decoder, &truth), PLAIT_OK);
    assert_false(truth);
    assert_int_equal(plait_decode_int(&decoder, &i), PLAIT_OK);
    assert_int_equal(i, 5);
    assert_int_equal(plait_decode_int(&decoder, &i), PLAIT_OK);
    assert_int_equal(i, -32);
    assert_int_equal(plait_decode_string(&decoder, &text, &n), PLAIT_OK);
    assert_int_equal(n, 2);
    assert_memory_equal(text, "hi", 2);
    assert_int_equal(plait_decode_bytes(&decoder, &data, &n), PLAIT_OK);
    assert_int_equal(n, 2);
    assert_memory_equal(data, "\0\1", 2);
    assert_int_equal(plait_decode_array(&decoder, &n), PLAIT_OK);
    assert_int_equal(n, 2);
    assert_int_equal(plait_decode_value(&decoder, &v), PLAIT_OK);
    assert_int_equal(plait_as_int(v), 1);
    assert_int_equal(plait_decode_int(&decoder, &i), PLAIT_OK);
    assert_int_equal(plait_decode_map(&decoder, &n), PLAIT_OK);
    assert_int_equal(n, 1);
    plait_decode_int(&decoder, &i);
    plait_decode_int(&decoder, &i);
    assert_int_equal(plait_decode_float(&decoder, &f), PLAIT_OK);
    assert_true(f == 0.5);
    assert_ptr_equal(decoder.at, decoder.end);
}

static void an_int_is_read_as_a_float(void **state)
{
    plait_decoder decoder = OVER("\x03");
    double f;
    (void)state;
    assert_int_equal(plait_decode_float(&decoder, &f), PLAIT_OK);
    assert_true(f == 3.0);
}

static void a_single_float_is_read(void **state)
{
    plait_decoder decoder = OVER("\xca\x3f\x00\x00\x00");
    double f;
    (void)state;
    assert_int_equal(plait_decode_float(&decoder, &f), PLAIT_OK);
    assert_true(f == 0.5);
}

static void msgpack_cs_integers_are_read(void **state)
{
    static const int64_t some[] = {
        0,         -1,         127,       -32,      -33,    255,
        -128,      -129,       65535,     -32768,   -32769, INT32_MAX,
        INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN
    };
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    (void)state;
    for (size_t k = 0; k < sizeof some / sizeof *some; k++) {
        msgpack_sbuffer_init(&buffer);
        msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
        msgpack_pack_int64(&packer, some[k]);
        msgpack_pack_fix_int64(&packer, some[k]);
        plait_decoder decoder = over(buffer.data, buffer.size);
        int64_t i;
        plait_decode_int(&decoder, &i);
        assert_true(i == some[k]);
        assert_int_equal(plait_decode_int(&decoder, &i), PLAIT_OK);
        assert_true(i == some[k]);
        msgpack_sbuffer_destroy(&buffer);
    }
}

static void an_integer_over_int64_is_refused(void **state)
{
    plait_decoder decoder = OVER("\xcf\x80\0\0\0\0\0\0\0");
    int64_t i = 4;
    (void)state;
    assert_int_equal(plait_decode_int(&decoder, &i), PLAIT_ECODEC);
    assert_int_equal(i, 0);
    assert_non_null(strstr(decoder.error.message, "9223372036854775808"));
}

static void the_wrong_item_fails_and_sticks(void **state)
{
    plait_decoder decoder = OVER("\xa2hi\xc0");
    int64_t i = 4;
    bool truth = true;
    double f = 1;
    const char *text = "";
    const void *data = "";
    size_t n = 4;
    plait_value v = plait_int(1);
    (void)state;
    assert_int_equal(plait_decode_int(&decoder, &i), PLAIT_ECODEC);
    assert_int_equal(i, 0);
    assert_non_null(
        strstr(decoder.error.message, "a string where an integer should be"));
    assert_int_equal(plait_decode_nil(&decoder), PLAIT_ECODEC);
    assert_int_equal(plait_decode_bool(&decoder, &truth), PLAIT_ECODEC);
    assert_false(truth);
    assert_int_equal(plait_decode_float(&decoder, &f), PLAIT_ECODEC);
    assert_true(f == 0.0);
    assert_int_equal(plait_decode_string(&decoder, &text, &n), PLAIT_ECODEC);
    assert_null(text);
    assert_int_equal(n, 0);
    n = 4;
    assert_int_equal(plait_decode_bytes(&decoder, &data, &n), PLAIT_ECODEC);
    assert_null(data);
    assert_int_equal(n, 0);
    n = 4;
    assert_int_equal(plait_decode_array(&decoder, &n), PLAIT_ECODEC);
    assert_int_equal(n, 0);
    n = 4;
    assert_int_equal(plait_decode_map(&decoder, &n), PLAIT_ECODEC);
    assert_int_equal(n, 0);
    assert_int_equal(plait_decode_value(&decoder, &v), PLAIT_ECODEC);
    assert_int_equal(v.kind, PLAIT_KIND_NIL);
    n = 4, data = "", v = plait_int(1);
    assert_int_equal(plait_decode_buffer(&decoder, &data, &n, &v),
                     PLAIT_ECODEC);
    assert_null(data);
    assert_int_equal(n, 0);
    assert_int_equal(v.kind, PLAIT_KIND_NIL);
    assert_int_equal(pl_decoder_fail(&decoder, PLAIT_ENOMEM, "later"),
                     PLAIT_ECODEC);
    assert_ptr_equal(decoder.at, decoder.end - 1);
}

static void every_wrong_kind_is_told(void **state)
{
    plait_decoder decoder = OVER("\xc0");
    double f;
    const void *data;
    size_t n;
    plait_value lease;
    (void)state;
    assert_int_equal(plait_decode_float(&decoder, &f), PLAIT_ECODEC);
    decoder = OVER("\xc0");
    assert_int_equal(plait_decode_buffer(&decoder, &data, &n, &lease),
                     PLAIT_ECODEC);
    assert_non_null(strstr(decoder.error.message, "nil"));
    decoder = OVER("\xd4\x02\x00"); /* no such buffer */
    assert_int_equal(plait_decode_buffer(&decoder, &data, &n, &lease),
                     PLAIT_ECODEC);
    assert_int_equal(lease.kind, PLAIT_KIND_NIL);
    decoder = OVER("\xd4\x03\x00");
    assert_int_equal(plait_decode_buffer(&decoder, &data, &n, &lease),
                     PLAIT_ECODEC);
}

static void headers_are_no_longer_than_the_input(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } lies[] = {
        { "\xdd\xff\xff\xff\xff", 5 }, { "\xdf\xff\xff\xff\xff", 5 },
        { "\x93\xc0\xc0", 3 },         { "\x82\xc0\xc0\xc0", 4 },
        { "\xdc\xff\xff\xc0", 4 },     { "\xde\x00\x02\xc0\xc0\xc0", 6 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        plait_decoder decoder = over(lies[i].bytes, lies[i].size);
        pl_item item;
        assert_false(pl_decoder_next(&decoder, &item));
        assert_int_equal(decoder.status, PLAIT_ECODEC);
    }
}

/* What the outer headers announced needs its bytes too: a thousand nested
 * arrays can't each claim all of the input. */
static void nested_headers_share_the_input(void **state)
{
    plait_decoder decoder = OVER("\x95\x95\xc0\xc0\xc0\xc0\xc0");
    size_t n;
    (void)state;
    assert_int_equal(plait_decode_array(&decoder, &n), PLAIT_OK);
    assert_int_equal(plait_decode_array(&decoder, &n), PLAIT_ECODEC);
}

static void strings_end_with_the_input(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } lies[] = {
        { "\xa3hi", 3 },
        { "\xd9\x03hi", 4 },
        { "\xda\x00\x03h", 4 },
        { "\xdb\xff\xff\xff\xffhi", 7 },
        { "\xc4\x01", 2 },
        { "\xc5\x00\x01", 3 },
        { "\xc6\x00\x00\x00\x01", 5 },
        { "\xd4\x02", 2 },
        { "\xd8\x02", 2 },
        { "\xc7\x01\x02", 3 },
        { "\xc9\xff\xff\xff\xff\x02", 6 },
        { "\xcd\x01", 2 },
        { "\xcb\x01", 2 },
        { "", 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        plait_decoder decoder = over(lies[i].bytes, lies[i].size);
        pl_item item;
        assert_false(pl_decoder_next(&decoder, &item));
        assert_int_equal(decoder.status, PLAIT_ECODEC);
        assert_non_null(strstr(decoder.error.message, "early"));
    }
}

/* ---- buffers ---- */

static void a_buffer_in_the_data_is_copied(void **state)
{
    char input[] = "\xc4\x02hi";
    plait_decoder decoder = OVER(input);
    const void *data;
    size_t size;
    plait_value lease;
    (void)state;
    assert_int_equal(plait_decode_buffer(&decoder, &data, &size, &lease),
                     PLAIT_OK);
    memset(input, 0, sizeof input);
    assert_int_equal(size, 2);
    assert_memory_equal(data, "hi", 2);
    plait_release(lease);
}

static void a_buffer_elsewhere_is_leased(void **state)
{
    static const char elsewhere[] = "elsewhere";
    plait_value lease = plait_string("keeps it alive"), got;
    plait_buffer buffer = { elsewhere, 9, lease };
    plait_encoded encoded = { NULL, 0, &buffer, 1 };
    plait_decoder decoder = OVER("\xd4\x02\x00");
    decoder.source = &encoded;
    const void *data;
    size_t size;
    (void)state;
    assert_int_equal(plait_decode_buffer(&decoder, &data, &size, &got),
                     PLAIT_OK);
    assert_ptr_equal(data, elsewhere);
    assert_int_equal(size, 9);
    plait_release(lease);
    pl_release_all(decoder.buffers, 1);
    plait_encoded own = { decoder.buffers, 0, NULL, 0 };
    plait_encoded_free(&own);
    assert_ptr_equal(plait_as_bytes(got, NULL), elsewhere);
    plait_release(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_is_read),
        cmocka_unit_test(an_int_is_read_as_a_float),
        cmocka_unit_test(a_single_float_is_read),
        cmocka_unit_test(msgpack_cs_integers_are_read),
        cmocka_unit_test(an_integer_over_int64_is_refused),
        cmocka_unit_test(the_wrong_item_fails_and_sticks),
        cmocka_unit_test(every_wrong_kind_is_told),
        cmocka_unit_test(headers_are_no_longer_than_the_input),
        cmocka_unit_test(nested_headers_share_the_input),
        cmocka_unit_test(strings_end_with_the_input),
        cmocka_unit_test(a_buffer_in_the_data_is_copied),
        cmocka_unit_test(a_buffer_elsewhere_is_leased),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
