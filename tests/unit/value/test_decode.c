/* SPDX-License-Identifier: BSD-3-Clause */
/* Decoding what nobody vouches for: refused with a reason, or a value that is
 * whole; out-of-band buffers; types of this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "value/codec.h"
#include "value/object.h"

static plait_status decode(const void *data, size_t size, plait_value *out,
                           plait_error *err)
{
    plait_encoded encoded = { (void *)data, size, NULL, 0 };
    return plait_decode(&encoded, out, err);
}

static void assert_refused(const char *data, size_t size, plait_status status,
                           const char *why)
{
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value v = plait_int(5);
    assert_int_equal(decode(data, size, &v, &err), status);
    assert_int_equal(v.kind, PLAIT_KIND_NIL);
    assert_int_equal(err.status, status);
    if (!strstr(err.message, why))
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
    assert_int_equal(decode(data, size, &v, NULL), status);
}

#define REFUSED(literal, status, why) \
    assert_refused(literal, sizeof(literal) - 1, status, why)

static void what_is_no_value_is_refused(void **state)
{
    (void)state;
    REFUSED("", PLAIT_ECODEC, "early");
    assert_refused(NULL, 0, PLAIT_ECODEC, "early");
    REFUSED("\xc1", PLAIT_ECODEC, "0xc1");
    REFUSED("\xc0\xc0", PLAIT_ECODEC, "1 bytes behind");
    REFUSED("\x92\xc0\xa5x", PLAIT_ECODEC, "early");
    REFUSED("\x81\xa1k\xc1", PLAIT_ECODEC, "0xc1");
    REFUSED("\xd4\x07\x00", PLAIT_ECODEC, "extension 7 is unknown");
    REFUSED("\xd6\xff\0\0\0\0", PLAIT_ECODEC, "extension -1");
}

static void bad_errors_are_refused(void **state)
{
    (void)state;
    REFUSED("\xd4\x01\xc0", PLAIT_ECODEC, "nil where an array");
    REFUSED("\xc7\x02\x01\x91\xff", PLAIT_ECODEC, "1 fields");
    /* status 0, and a status out of range */
    REFUSED("\xc7\x09\x01\x98\x00\x00\x00\x00\xa0\xa0\xc2\xc0", PLAIT_ECODEC,
            "field");
    REFUSED("\xc7\x0b\x01\x98\xd1\x80\x00\x00\x00\x00\xa0\xa0\xc2\xc0",
            PLAIT_ECODEC, "field");
    /* a task's id below 0 */
    REFUSED("\xc7\x09\x01\x98\xff\x00\xff\x00\xa0\xa0\xc2\xc0", PLAIT_ECODEC,
            "field");
    /* more behind the fields */
    REFUSED("\xc7\x0a\x01\x98\xff\x00\x00\x00\xa0\xa0\xc2\xc0\xc0",
            PLAIT_ECODEC, "to its end");
}

static void an_error_with_a_bad_payload_stays_an_error(void **state)
{
    static const char data[] = "\x92\xc7\x0b\x01\x98\xff\x00\x00\x00\xa1k\xa1t"
                               "\xc3\xc1\x05";
    plait_value v;
    plait_error err = { PLAIT_ERROR_INIT };
    (void)state;
    if (decode(data, sizeof data - 1, &v, &err) != PLAIT_OK)
        fail_msg("%s", err.message);
    plait_value error = plait_as_list(v, NULL)[0];
    assert_int_equal(plait_as_error(error)->status, PLAIT_ENOMEM);
    assert_string_equal(plait_as_error(error)->key, "k");
    assert_string_equal(plait_error_text(error), "t");
    assert_true(plait_error_is_stop(error));
    assert_int_equal(plait_error_payload(error).kind, PLAIT_KIND_NIL);
    assert_int_equal(plait_as_int(plait_as_list(v, NULL)[1]), 5);
    plait_release(v);
}

static void an_errors_long_key_is_cut(void **state)
{
    char data[300] = "\xc8\x01\x05\x01\x98\xff\0\0\0\xd9\xfa";
    plait_value v;
    (void)state;
    memset(data + 11, 'k', 250);
    memcpy(data + 261, "\xa0\xc2\xc0", 3);
    assert_int_equal(decode(data, 4 + 261, &v, NULL), PLAIT_ECODEC);
    data[2] = '\x04';
    assert_int_equal(decode(data, 4 + 260, &v, NULL), PLAIT_OK);
    assert_int_equal(strlen(plait_as_error(v)->key), 127);
    plait_release(v);
}

/* `levels` arrays of one, or maps of one, around a nil. */
static size_t nest(unsigned char *data, size_t levels, bool maps)
{
    size_t at = 0;
    for (size_t i = 0; i < levels; i++) {
        data[at++] = maps ? 0x81 : 0x91;
        if (maps)
            data[at++] = 0x01;
    }
    data[at++] = 0xc0;
    return at;
}

static void nesting_has_a_limit(void **state)
{
    static unsigned char data[2 * PLAIT_NESTING_LIMIT + 10];
    plait_value v;
    (void)state;
    for (int maps = 0; maps < 2; maps++) {
        size_t size = nest(data, PLAIT_NESTING_LIMIT, maps);
        assert_int_equal(decode(data, size, &v, NULL), PLAIT_OK);
        plait_release(v);
        size = nest(data, PLAIT_NESTING_LIMIT + 1, maps);
        assert_refused((char *)data, size, PLAIT_EINVAL, "1000 levels");
    }
}

static void a_million_levels_are_refused_early(void **state)
{
    size_t size = 1000000;
    char *data = malloc(size);
    (void)state;
    assert_non_null(data);
    memset(data, 0x91, size);
    assert_refused(data, size, PLAIT_EINVAL, "1000 levels");
    free(data);
}

static void repeated_keys_count_once(void **state)
{
    plait_value v;
    (void)state;
    assert_int_equal(decode("\x82\xa1k\x01\xa1k\x02", 7, &v, NULL), PLAIT_OK);
    assert_int_equal(plait_as_dict(v, NULL, NULL), 1);
    assert_int_equal(plait_as_int(plait_dict_get(v, "k")), 2);
    plait_release(v);
}

/* ---- buffers ---- */

static void buffers_must_be_there(void **state)
{
    char byte = 0;
    plait_buffer buffers[] = { { &byte, 1, plait_nil() },
                               { NULL, 5, plait_nil() } };
    static const char *const lies[] = { "\xd4\x02\x02", "\xd4\x02\x7f",
                                        "\xd4\x02\xff", "\xd4\x02\xc0",
                                        "\xd4\x02\x01" };
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        plait_encoded encoded = { (void *)lies[i], 3, buffers, 2 };
        plait_value v;
        assert_int_equal(plait_decode(&encoded, &v, NULL), PLAIT_ECODEC);
        assert_int_equal(v.kind, PLAIT_KIND_NIL);
    }
    REFUSED("\xd4\x02\x00", PLAIT_ECODEC, "no buffer 0");
    REFUSED("\xd5\x02\x00\x00", PLAIT_ECODEC, "behind the index");
}

static void a_buffer_named_often_is_taken_once(void **state)
{
    char data[] = "outside";
    plait_buffer buffer = { data, 7, plait_nil() };
    char input[] = "\x92\xd4\x02\x00\xd4\x02\x00";
    plait_encoded encoded = { input, 7, &buffer, 1 };
    plait_value v;
    (void)state;
    assert_int_equal(plait_decode(&encoded, &v, NULL), PLAIT_OK);
    data[0] = 'X'; /* it had no lease, so it was copied */
    const plait_value *items = plait_as_list(v, NULL);
    assert_memory_equal(plait_as_bytes(items[0], NULL), "outside", 7);
    assert_ptr_equal(items[0].as.object, items[1].as.object);
    plait_release(v);
}

static void a_buffers_lease_is_retained(void **state)
{
    static const char data[] = "outside";
    plait_value lease = plait_string("keeps it alive");
    plait_buffer buffer = { data, 7, lease };
    char input[] = "\xd4\x02\x00";
    plait_encoded encoded = { input, 3, &buffer, 1 };
    plait_value v;
    (void)state;
    assert_int_equal(plait_decode(&encoded, &v, NULL), PLAIT_OK);
    assert_ptr_equal(plait_as_bytes(v, NULL), data);
    assert_int_equal(((pl_object *)lease.as.object)->count, 2);
    plait_release(v);
    assert_int_equal(((pl_object *)lease.as.object)->count, 1);
    plait_release(lease);
}

/* ---- types ---- */

static int made, freed;
static bool fails;

static void *decode_two(plait_decoder *decoder, plait_error *err)
{
    int64_t *numbers = calloc(2, sizeof *numbers);
    assert_non_null(numbers);
    plait_decode_int(decoder, &numbers[0]);
    plait_decode_int(decoder, &numbers[1]);
    if (fails) {
        free(numbers);
        strcpy(err->message, "not today");
        err->status = PLAIT_ETASK;
        return NULL;
    }
    made++;
    return numbers;
}

static void free_two(void *data)
{
    freed++;
    free(data);
}

static void *decode_nothing(plait_decoder *decoder, plait_error *err)
{
    (void)decoder;
    (void)err;
    return NULL;
}

static const plait_type first = { PLAIT_TYPE_INIT, .name = "two",
                                  .free = free_two, .decode = decode_two };
/* The same type, as another library knows it. */
static const plait_type second = { PLAIT_TYPE_INIT, .name = "two" };
static const plait_type undecodable = { PLAIT_TYPE_INIT, .name = "one-way" };
static const plait_type silent = { PLAIT_TYPE_INIT, .name = "silent",
                                   .decode = decode_nothing };

static int begin(void **state)
{
    (void)state;
    made = freed = 0;
    fails = false;
    assert_int_equal(plait_type_register(&first, NULL), PLAIT_OK);
    assert_int_equal(plait_type_register(&second, NULL), PLAIT_OK);
    assert_int_equal(plait_type_register(&undecodable, NULL), PLAIT_OK);
    assert_int_equal(plait_type_register(&silent, NULL), PLAIT_OK);
    return 0;
}

static void the_type_registered_first_decodes(void **state)
{
    plait_value v;
    (void)state;
    assert_int_equal(decode("\xc7\x06\x03\xa3two\x07\x08", 9, &v, NULL),
                     PLAIT_OK);
    const int64_t *numbers = plait_as_object(v, &second);
    assert_int_equal(numbers[1], 8);
    plait_release(v);
    assert_int_equal(freed, 1);
}

static void unknown_types_are_refused(void **state)
{
    (void)state;
    REFUSED("\xc7\x04\x03\xa3six", PLAIT_ECODEC,
            "type \"six\" is not registered here");
    REFUSED("\xc7\x08\x03\xa7one-way", PLAIT_ECODEC, "has no decode");
    REFUSED("\xd4\x03\x01", PLAIT_ECODEC, "where a string should be");
    REFUSED("\xc7\x05\x03\xa4two\x00", PLAIT_ECODEC, "is not registered");
}

static void an_object_reads_no_more_than_is_its_own(void **state)
{
    (void)state;
    /* one number short, with another behind the object */
    REFUSED("\x92\xc7\x05\x03\xa3two\x07\x08", PLAIT_ECODEC, "early");
    assert_int_equal(freed, made);
    /* one number too many */
    REFUSED("\xc7\x07\x03\xa3two\x07\x08\x09", PLAIT_ECODEC, "to its end");
    assert_int_equal(freed, made);
    /* an item of the wrong kind */
    REFUSED("\xc7\x06\x03\xa3two\x07\xc0", PLAIT_ECODEC,
            "nil where an integer");
    assert_int_equal(freed, made);
}

static void a_types_failure_is_told(void **state)
{
    (void)state;
    fails = true;
    REFUSED("\xc7\x06\x03\xa3two\x07\x08", PLAIT_ETASK,
            "type \"two\": not today");
    REFUSED("\xc7\x07\x03\xa6silent", PLAIT_ECODEC, "type \"silent\": cannot");
}

/* An object that holds a value, which may be another such object. */
static void *decode_holder(plait_decoder *decoder, plait_error *err)
{
    plait_value *holder = calloc(1, sizeof *holder);
    (void)err;
    assert_non_null(holder);
    plait_decode_value(decoder, holder);
    return holder;
}

static void free_holder(void *data)
{
    plait_release(*(plait_value *)data);
    free(data);
}

static const plait_type holder = { PLAIT_TYPE_INIT, .name = "h",
                                   .free = free_holder,
                                   .decode = decode_holder };

/* Writes `levels` objects in one another before `end`; returns the begin. */
static char *nest_objects(char *end, unsigned levels)
{
    char *at = end - 1;
    *at = '\xc0';
    for (unsigned i = 0; i < levels; i++) {
        uint32_t size = (uint32_t)(end - at) + 2;
        const char header[] = { '\xc9',
                                (char)(size >> 24),
                                (char)(size >> 16),
                                (char)(size >> 8),
                                (char)size,
                                3,
                                '\xa1',
                                'h' };
        at -= sizeof header;
        memcpy(at, header, sizeof header);
    }
    return at;
}

static void objects_nest_up_to_the_limit(void **state)
{
    static char data[8 * (PL_OBJECT_NESTING_LIMIT + 1) + 1];
    char *end = data + sizeof data;
    plait_value v;
    (void)state;
    assert_int_equal(plait_type_register(&holder, NULL), PLAIT_OK);
    const char *at = nest_objects(end, PL_OBJECT_NESTING_LIMIT);
    assert_int_equal(decode(at, (size_t)(end - at), &v, NULL), PLAIT_OK);
    plait_release(v);
    at = nest_objects(end, PL_OBJECT_NESTING_LIMIT + 1);
    assert_refused(at, (size_t)(end - at), PLAIT_EINVAL, "objects nest");
}

/* ---- damage ---- */

static plait_encoded sample(void)
{
    plait_value inner[] = { plait_float(0.5), plait_bytes("bytes", 5),
                            plait_list(NULL, 0) };
    plait_value keys[] = { plait_string("key"), plait_int(70000),
                           plait_bool(true) };
    plait_value values[] = { plait_list(inner, 3), plait_string("text"),
                             plait_nil() };
    plait_value dict = plait_dict(keys, values, 3);
    pl_list *list = pl_list_new(2);
    list->items[0] = dict;
    list->items[1] = plait_error_value_with(plait_int(9), PLAIT_ETASK, "text");
    plait_value v = pl_list_seal(list);
    plait_encoded encoded;
    assert_int_equal(plait_encode(v, true, &encoded, NULL), PLAIT_OK);
    plait_release(v);
    return encoded;
}

/* Whatever comes out can be formatted, encoded and released. */
static void use(const char *data, size_t size)
{
    plait_value v;
    plait_encoded again;
    char text[200];
    if (decode(data, size, &v, NULL) != PLAIT_OK) {
        assert_int_equal(v.kind, PLAIT_KIND_NIL);
        return;
    }
    plait_format(v, text, sizeof text);
    assert_int_equal(plait_encode(v, true, &again, NULL), PLAIT_OK);
    plait_encoded_free(&again);
    plait_release(v);
}

static void cut_input_is_refused(void **state)
{
    plait_encoded whole = sample();
    (void)state;
    for (size_t size = 0; size < whole.size; size++) {
        /* memory of just that size, for the tools that watch its end */
        char *cut = malloc(size + 1);
        plait_value v;
        assert_non_null(cut);
        memcpy(cut, whole.data, size);
        assert_int_equal(decode(cut, size, &v, NULL), PLAIT_ECODEC);
        free(cut);
    }
    plait_encoded_free(&whole);
}

static void damaged_input_is_safe(void **state)
{
    plait_encoded whole = sample();
    unsigned char *bytes = whole.data;
    (void)state;
    for (size_t at = 0; at < whole.size; at++) {
        unsigned char was = bytes[at];
        for (unsigned byte = 0; byte < 256; byte++) {
            bytes[at] = (unsigned char)byte;
            use(whole.data, whole.size);
        }
        bytes[at] = was;
    }
    plait_encoded_free(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_value_is_refused),
        cmocka_unit_test(bad_errors_are_refused),
        cmocka_unit_test(an_error_with_a_bad_payload_stays_an_error),
        cmocka_unit_test(an_errors_long_key_is_cut),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(a_million_levels_are_refused_early),
        cmocka_unit_test(repeated_keys_count_once),
        cmocka_unit_test(buffers_must_be_there),
        cmocka_unit_test(a_buffer_named_often_is_taken_once),
        cmocka_unit_test(a_buffers_lease_is_retained),
        cmocka_unit_test_setup(the_type_registered_first_decodes, begin),
        cmocka_unit_test_setup(unknown_types_are_refused, begin),
        cmocka_unit_test_setup(an_object_reads_no_more_than_is_its_own, begin),
        cmocka_unit_test_setup(a_types_failure_is_told, begin),
        cmocka_unit_test(objects_nest_up_to_the_limit),
        cmocka_unit_test(cut_input_is_refused),
        cmocka_unit_test(damaged_input_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
