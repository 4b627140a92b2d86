/* SPDX-License-Identifier: BSD-3-Clause */
/* Values to encoded form and back: every kind, nesting, users' types, errors,
 * out-of-band buffers; and msgpack-c reads what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <msgpack/unpack.h>

#include "value/object.h"

/* Decodes what v is encoded as; v stays. */
static plait_value round_trip(plait_value v, bool in_band)
{
    plait_encoded encoded;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value back;
    assert_int_equal(plait_encode(v, in_band, &encoded, &err), PLAIT_OK);
    if (plait_decode(&encoded, &back, &err) != PLAIT_OK)
        fail_msg("%s", err.message);
    plait_encoded_free(&encoded);
    assert_null(encoded.data);
    return back;
}

/* Takes v. */
static void assert_same(plait_value v, const char *text)
{
    char back_text[400];
    plait_value back = round_trip(v, true);
    assert_int_equal(back.kind, v.kind);
    plait_format(back, back_text, sizeof back_text);
    assert_string_equal(back_text, text);
    plait_release(back);
    plait_release(v);
}

static void inline_kinds_come_back(void **state)
{
    (void)state;
    assert_same(plait_nil(), "nil");
    assert_same(plait_bool(true), "true");
    assert_same(plait_bool(false), "false");
    assert_same(plait_float(0.1), "0.1");
    assert_same(plait_float(-3), "-3.0");
}

static void integers_of_every_width_come_back(void **state)
{
    static const int64_t limits[] = { 0,         31,         127,
                                      UINT8_MAX, INT16_MAX,  UINT16_MAX,
                                      INT32_MAX, UINT32_MAX, INT64_MAX };
    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        for (int64_t near = -2; near <= 2; near++) {
            if (near > 0 && limits[i] > INT64_MAX - near)
                continue;
            int64_t n = limits[i] + near;
            assert_true(plait_as_int(round_trip(plait_int(n), true)) == n);
            assert_true(plait_as_int(round_trip(plait_int(-n), true)) == -n);
        }
    }
    plait_value least = round_trip(plait_int(INT64_MIN), true);
    assert_true(plait_as_int(least) == INT64_MIN);
}

static void strings_and_bytes_of_every_width_come_back(void **state)
{
    static const size_t sizes[] = {
        0, 1, 31, 32, 255, 256, 65535, 65536, 70000
    };
    static char text[70000];
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size;
        plait_value v = plait_string_n(text, sizes[i]);
        plait_value back = round_trip(v, true);
        assert_memory_equal(plait_as_string_n(back, &size), text, sizes[i]);
        assert_int_equal(size, sizes[i]);
        plait_release(back);
        plait_release(v);
        v = plait_bytes(text, sizes[i]);
        back = round_trip(v, true);
        assert_memory_equal(plait_as_bytes(back, &size), text, sizes[i]);
        assert_int_equal(size, sizes[i]);
        plait_release(back);
        plait_release(v);
    }
}

static void containers_come_back(void **state)
{
    plait_value items[] = { plait_int(1), plait_list(NULL, 0),
                            plait_string("\xff") };
    plait_value keys[] = { plait_string("a"), plait_int(2),
                           plait_list(NULL, 0) };
    plait_value values[] = { plait_list(items, 3), plait_nil(),
                             plait_dict(NULL, NULL, 0) };
    (void)state;
    assert_same(plait_dict(keys, values, 3),
                "{\"a\": [1, [], \"\\xff\"], 2: nil, []: {}}");
}

static void lists_of_every_width_come_back(void **state)
{
    static const size_t sizes[] = { 15, 16, 65535, 65536 };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n = sizes[i], back_n;
        plait_value *items = calloc(n, sizeof *items);
        assert_non_null(items);
        for (size_t at = 0; at < n; at++)
            items[at] = plait_int((int64_t)at);
        plait_value list = plait_list(items, n);
        plait_value back = round_trip(list, true);
        const plait_value *got = plait_as_list(back, &back_n);
        assert_int_equal(back_n, n);
        assert_int_equal(plait_as_int(got[n - 1]), n - 1);
        plait_release(back);
        plait_release(list);
        plait_value dict = plait_dict(items, items, n);
        back = round_trip(dict, true);
        assert_int_equal(plait_as_dict(back, NULL, &got), n);
        assert_int_equal(plait_as_int(got[n - 1]), n - 1);
        plait_release(back);
        plait_release(dict);
        free(items);
    }
}

static void deep_nesting_comes_back(void **state)
{
    plait_value v = plait_int(1);
    (void)state;
    for (int i = 0; i < PLAIT_NESTING_LIMIT; i++) {
        plait_value key = plait_int(i);
        v = i % 2 ? plait_list(&v, 1) : plait_dict(&key, &v, 1);
    }
    plait_value back = round_trip(v, true);
    assert_int_equal(pl_depth_of(back), PLAIT_NESTING_LIMIT);
    plait_release(back);
    plait_release(v);
}

static void errors_come_back(void **state)
{
    char text[700];
    memset(text, 'e', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    const pl_told_error told = { .status = PLAIT_ESYS,
                                 .sys_errno = 13,
                                 .task = { 7, UINT32_MAX },
                                 .key = { "load-7", 6 },
                                 .text = { text, strlen(text) },
                                 .is_stop = true };
    plait_value v;
    (void)state;
    assert_true(pl_error_restore(&told, plait_string("payload"), &v));
    plait_value back = round_trip(v, true);
    const plait_error *error = plait_as_error(back);
    assert_int_equal(error->status, PLAIT_ESYS);
    assert_int_equal(error->sys_errno, 13);
    assert_int_equal(error->task.id, 7);
    assert_true(error->task.graph == UINT32_MAX);
    assert_string_equal(error->key, "load-7");
    assert_string_equal(error->message, plait_as_error(v)->message);
    assert_string_equal(plait_error_text(back), text);
    assert_true(plait_error_is_stop(back));
    assert_string_equal(plait_as_string(plait_error_payload(back)), "payload");
    plait_release(back);
    plait_release(v);
}

/* What a task that accepts errors is given, elsewhere. */
static void errors_inside_lists_come_back(void **state)
{
    pl_list *list = pl_list_new(2);
    (void)state;
    list->items[0] = plait_error_value(PLAIT_ETASK, "no rows");
    list->items[1] = plait_int(5);
    assert_same(pl_list_seal(list), "[error: no rows, 5]");
}

/* ---- users' types ---- */

typedef struct point {
    double x;
    int64_t y;
} point;

static plait_status encode_point(const void *data, plait_encoder *encoder,
                                 plait_error *err)
{
    const point *p = data;
    (void)err;
    plait_encode_array(encoder, 2);
    plait_encode_float(encoder, p->x);
    return plait_encode_int(encoder, p->y);
}

static void *decode_point(plait_decoder *decoder, plait_error *err)
{
    point *p = calloc(1, sizeof *p);
    size_t n;
    (void)err;
    assert_non_null(p);
    plait_decode_array(decoder, &n);
    plait_decode_float(decoder, &p->x);
    plait_decode_int(decoder, &p->y);
    return p;
}

static const plait_type point_type = { PLAIT_TYPE_INIT, .name = "encode.point",
                                       .free = free, .encode = encode_point,
                                       .decode = decode_point };

static plait_value new_point(double x, int64_t y)
{
    point *p = calloc(1, sizeof *p);
    assert_non_null(p);
    *p = (point){ x, y };
    assert_int_equal(plait_type_register(&point_type, NULL), PLAIT_OK);
    return plait_object(&point_type, p);
}

static void objects_come_back(void **state)
{
    plait_value items[] = { new_point(0.5, 3), new_point(1, -2) };
    plait_value v = plait_list(items, 2);
    plait_value back = round_trip(v, true);
    (void)state;
    const point *p = plait_as_object(plait_as_list(back, NULL)[1], &point_type);
    assert_true(p->x == 1.0 && p->y == -2);
    plait_release(back);
    plait_release(v);
}

static void assert_refused(plait_value v, plait_status status, const char *why)
{
    plait_error err = { PLAIT_ERROR_INIT };
    plait_encoded encoded;
    memset(&encoded, 0xff, sizeof encoded);
    assert_int_equal(plait_encode(v, false, &encoded, &err), status);
    assert_null(encoded.data);
    assert_null(encoded.buffers);
    assert_int_equal(encoded.size + encoded.n_buffers, 0);
    assert_int_equal(err.status, status);
    assert_non_null(strstr(err.message, why));
    assert_int_equal(plait_encode(v, false, &encoded, NULL), status);
    plait_release(v);
}

static void what_cant_leave_is_refused(void **state)
{
    static const plait_type local = { PLAIT_TYPE_INIT, .name = "local" };
    int data = 0;
    plait_value items[] = { plait_int(1), plait_object(&local, &data) };
    (void)state;
    assert_refused(plait_list(items, 2), PLAIT_ECODEC, "\"local\"");
    assert_refused(plait_ref((plait_task){ 1, 1 }), PLAIT_ECODEC, "reference");
}

static plait_status fail_to_encode(const void *data, plait_encoder *encoder,
                                   plait_error *err)
{
    (void)encoder;
    if (data)
        strcpy(err->message, "too hot");
    return PLAIT_ETASK;
}

static void a_types_failure_is_told(void **state)
{
    static const plait_type type = { PLAIT_TYPE_INIT, .name = "hot",
                                     .encode = fail_to_encode };
    int data = 0;
    (void)state;
    assert_refused(plait_object(&type, &data), PLAIT_ETASK,
                   "type \"hot\": too hot");
    assert_refused(plait_object(&type, NULL), PLAIT_ETASK,
                   "type \"hot\": a task failed");
}

static void a_payload_that_cant_leave_is_left_behind(void **state)
{
    static const plait_type local = { PLAIT_TYPE_INIT, .name = "local" };
    int data = 0;
    void *big;
    plait_value items[] = { plait_bytes_new(NULL, 100000, &big),
                            plait_object(&local, &data) };
    plait_value v = plait_error_value_with(plait_list(items, 2), PLAIT_ETASK,
                                           "told anyway");
    plait_encoded encoded;
    plait_value back;
    (void)state;
    assert_int_equal(plait_encode(v, false, &encoded, NULL), PLAIT_OK);
    assert_int_equal(encoded.n_buffers, 0);
    assert_int_equal(plait_decode(&encoded, &back, NULL), PLAIT_OK);
    assert_string_equal(plait_error_text(back), "told anyway");
    assert_int_equal(plait_error_payload(back).kind, PLAIT_KIND_NIL);
    plait_release(back);
    plait_encoded_free(&encoded);
    plait_release(v);
}

/* ---- buffers ---- */

static uint32_t count_of(plait_value v)
{
    return ((pl_object *)v.as.object)->count;
}

static void big_bytes_go_out_of_band(void **state)
{
    void *big, *small;
    plait_value items[] = { plait_bytes_new(NULL, 65536, &big),
                            plait_bytes_new(NULL, 65535, &small) };
    plait_value v = plait_list(items, 2), back;
    plait_encoded encoded;
    (void)state;
    assert_int_equal(plait_encode(v, false, &encoded, NULL), PLAIT_OK);
    assert_int_equal(encoded.n_buffers, 1);
    assert_ptr_equal(encoded.buffers[0].data, big);
    assert_int_equal(encoded.buffers[0].size, 65536);
    assert_true(encoded.size > 65535 && encoded.size < 65600);
    assert_int_equal(count_of(items[0]), 2);
    assert_int_equal(plait_decode(&encoded, &back, NULL), PLAIT_OK);
    assert_int_equal(count_of(items[0]), 3); /* the same bytes, not copied */
    plait_encoded_free(&encoded);
    plait_release(v);
    size_t size;
    assert_ptr_equal(plait_as_bytes(plait_as_list(back, NULL)[0], &size), big);
    assert_int_equal(size, 65536);
    plait_release(back);
}

static void in_band_everything_is_in_the_data(void **state)
{
    void *big;
    plait_value v = plait_bytes_new(NULL, 65536, &big);
    plait_encoded encoded;
    (void)state;
    assert_int_equal(plait_encode(v, true, &encoded, NULL), PLAIT_OK);
    assert_int_equal(encoded.n_buffers, 0);
    assert_int_equal(encoded.size, 65536 + 5);
    assert_int_equal(count_of(v), 1);
    plait_encoded_free(&encoded);
    plait_release(v);
}

static void freeing_nothing_is_fine(void **state)
{
    plait_encoded encoded = { 0 };
    (void)state;
    plait_encoded_free(&encoded);
}

/* ---- another reader ---- */

static void msgpack_c_reads_it(void **state)
{
    plait_value items[] = { plait_nil(),          plait_bool(true),
                            plait_int(-200),      plait_float(0.5),
                            plait_string("text"), plait_bytes("b\0", 2),
                            new_point(1, 2) };
    plait_value key = plait_string("k"), list = plait_list(items, 7);
    plait_value v = plait_dict(&key, &list, 1);
    plait_encoded encoded;
    msgpack_unpacked result;
    (void)state;
    assert_int_equal(plait_encode(v, true, &encoded, NULL), PLAIT_OK);
    msgpack_unpacked_init(&result);
    assert_int_equal(
        msgpack_unpack_next(&result, encoded.data, encoded.size, NULL),
        MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(result.data.type, MSGPACK_OBJECT_MAP);
    const msgpack_object_kv *entry = &result.data.via.map.ptr[0];
    assert_memory_equal(entry->key.via.str.ptr, "k", 1);
    const msgpack_object *got = entry->val.via.array.ptr;
    assert_int_equal(entry->val.via.array.size, 7);
    assert_int_equal(got[0].type, MSGPACK_OBJECT_NIL);
    assert_true(got[1].via.boolean);
    assert_int_equal(got[2].via.i64, -200);
    assert_true(got[3].via.f64 == 0.5);
    assert_int_equal(got[4].type, MSGPACK_OBJECT_STR);
    assert_memory_equal(got[4].via.str.ptr, "text", 4);
    assert_int_equal(got[5].type, MSGPACK_OBJECT_BIN);
    assert_memory_equal(got[5].via.bin.ptr, "b\0", 2);
    assert_int_equal(got[6].type, MSGPACK_OBJECT_EXT);
    assert_int_equal(got[6].via.ext.type, 3);
    assert_memory_equal(got[6].via.ext.ptr,
                        "\xac"
                        "encode.point\x92\xcb",
                        15);
    msgpack_unpacked_destroy(&result);
    plait_encoded_free(&encoded);
    plait_release(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inline_kinds_come_back),
        cmocka_unit_test(integers_of_every_width_come_back),
        cmocka_unit_test(strings_and_bytes_of_every_width_come_back),
        cmocka_unit_test(containers_come_back),
        cmocka_unit_test(lists_of_every_width_come_back),
        cmocka_unit_test(deep_nesting_comes_back),
        cmocka_unit_test(errors_come_back),
        cmocka_unit_test(errors_inside_lists_come_back),
        cmocka_unit_test(objects_come_back),
        cmocka_unit_test(what_cant_leave_is_refused),
        cmocka_unit_test(a_types_failure_is_told),
        cmocka_unit_test(a_payload_that_cant_leave_is_left_behind),
        cmocka_unit_test(big_bytes_go_out_of_band),
        cmocka_unit_test(in_band_everything_is_in_the_data),
        cmocka_unit_test(freeing_nothing_is_fine),
        cmocka_unit_test(msgpack_c_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
