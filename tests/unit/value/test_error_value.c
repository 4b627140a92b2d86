/* SPDX-License-Identifier: BSD-3-Clause */
/* Error values: message and whole text, payload, the STOP mark. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "value/object.h"

static uint32_t count_of(plait_value v)
{
    return ((pl_object *)v.as.object)->count;
}

static void error_value_says_what(void **state)
{
    plait_value v = plait_error_value(PLAIT_ETASK, "row %d of %s", 3, "a.csv");
    const plait_error *error = plait_as_error(v);
    (void)state;
    assert_true(plait_is_error(v));
    assert_int_equal(error->size, sizeof *error);
    assert_int_equal(error->status, PLAIT_ETASK);
    assert_int_equal(error->task.id, 0);
    assert_string_equal(error->key, "");
    assert_string_equal(error->message, "row 3 of a.csv");
    assert_string_equal(plait_error_text(v), "row 3 of a.csv");
    assert_int_equal(plait_error_payload(v).kind, PLAIT_KIND_NIL);
    assert_false(plait_error_is_stop(v));
    plait_release(v);
}

static void an_error_never_looks_like_success(void **state)
{
    plait_value v = plait_error_value(PLAIT_OK, "odd");
    (void)state;
    assert_int_not_equal(plait_as_error(v)->status, PLAIT_OK);
    plait_release(v);
}

/* 511 bytes fit; a message of two-byte characters is cut before the one that
 * would not. The text has all of it. */
static void long_text_is_kept_whole(void **state)
{
    char text[1200];
    (void)state;
    text[0] = 'x';
    for (size_t i = 1; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    for (size_t length = 505; length < 1199; length += length < 520 ? 2 : 97) {
        size_t whole = 1 + length / 2 * 2;
        text[whole] = '\0';
        plait_value v = plait_error_value(PLAIT_ETASK, "%s", text);
        const char *message = plait_as_error(v)->message;
        assert_string_equal(plait_error_text(v), text);
        size_t cut = whole <= 511 ? whole : 511;
        assert_int_equal(strlen(message), cut);
        assert_memory_equal(message, text, cut);
        plait_release(v);
        memcpy(text + whole, "\xc3\xa9", 2);
    }
    text[0] = '\xc3', text[1] = '\xa9', text[2] = 'x';
    for (size_t i = 3; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    text[601] = '\0';
    plait_value v = plait_error_value(PLAIT_ETASK, "-%s", text);
    assert_int_equal(strlen(plait_as_error(v)->message), 510);
    plait_release(v);
}

static plait_value fail_in_task(plait_value payload, const char *key,
                                const char *format, ...) PLAIT_PRINTF(3, 4);

static plait_value fail_in_task(plait_value payload, const char *key,
                                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    plait_value v = pl_error_in_task(payload, PLAIT_ETIMEDOUT,
                                     (plait_task){ 7, 2 }, key, format, args);
    va_end(args);
    return v;
}

static void an_error_in_a_task_begins_with_its_key(void **state)
{
    plait_value v = fail_in_task(plait_int(5), "load-7", "no %s", "rows");
    const plait_error *error = plait_as_error(v);
    (void)state;
    assert_int_equal(error->status, PLAIT_ETIMEDOUT);
    assert_int_equal(error->task.id, 7);
    assert_int_equal(error->task.graph, 2);
    assert_string_equal(error->key, "load-7");
    assert_string_equal(error->message, "load-7: no rows");
    assert_string_equal(plait_error_text(v), "load-7: no rows");
    assert_int_equal(plait_as_int(plait_error_payload(v)), 5);
    plait_release(v);
    v = fail_in_task(plait_nil(), NULL, "no %s", "rows");
    assert_string_equal(plait_as_error(v)->message, "no rows");
    plait_release(v);
}

static void a_long_key_is_cut_in_the_key_only(void **state)
{
    char key[300];
    (void)state;
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    plait_value v = fail_in_task(plait_nil(), key, "%s", "bad");
    assert_int_equal(strlen(plait_as_error(v)->key), 127);
    assert_int_equal(strlen(plait_error_text(v)), 299 + 5);
    plait_release(v);
}

static void the_payload_is_taken(void **state)
{
    plait_value payload = plait_string("exception");
    plait_value v =
        plait_error_value_with(plait_retain(payload), PLAIT_ETASK, "raised");
    (void)state;
    assert_ptr_equal(plait_error_payload(v).as.object, payload.as.object);
    assert_int_equal(count_of(payload), 2);
    plait_release(v);
    assert_int_equal(count_of(payload), 1);
    plait_release(payload);
}

/* Errors that carry errors are freed recursively: they nest as lists do. */
static void payloads_nest_up_to_the_limit(void **state)
{
    plait_value v = plait_error_value(PLAIT_ETASK, "cause");
    unsigned levels = 0;
    (void)state;
    while (plait_as_error(v)->status == PLAIT_ETASK) {
        v = plait_error_value_with(v, PLAIT_ETASK, "level %u", levels++);
        assert_true(levels < 2000);
    }
    assert_int_equal(levels, PLAIT_NESTING_LIMIT + 1);
    assert_int_equal(plait_as_error(v)->status, PLAIT_EINVAL);
    plait_release(v);
}

static void stop_marks_the_only_reference_in_place(void **state)
{
    plait_value v = plait_error_value(PLAIT_ETASK, "interrupt");
    (void)state;
    plait_value stop = plait_error_stop(v);
    assert_ptr_equal(stop.as.object, v.as.object);
    assert_true(plait_error_is_stop(stop));
    stop = plait_error_stop(stop);
    assert_true(plait_error_is_stop(stop));
    plait_release(stop);
}

static void stop_copies_what_is_shared(void **state)
{
    char text[700];
    memset(text, 't', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    plait_value payload = plait_string("p");
    plait_value v = plait_error_value_with(payload, PLAIT_ETASK, "%s", text);
    plait_value stop = plait_error_stop(plait_retain(v));
    (void)state;
    assert_ptr_not_equal(stop.as.object, v.as.object);
    assert_false(plait_error_is_stop(v));
    assert_true(plait_error_is_stop(stop));
    assert_int_equal(count_of(v), 1);
    assert_string_equal(plait_error_text(stop), text);
    assert_ptr_equal(plait_error_payload(stop).as.object, payload.as.object);
    plait_release(v);
    assert_string_equal(plait_as_string(plait_error_payload(stop)), "p");
    plait_release(stop);
}

static void stop_returns_what_is_no_error(void **state)
{
    (void)state;
    assert_int_equal(plait_error_stop(plait_int(3)).as.integer, 3);
    assert_false(plait_error_is_stop(plait_int(3)));
}

static void out_of_memory_is_static(void **state)
{
    plait_value v = pl_error_nomem_value();
    (void)state;
    assert_int_equal(plait_as_error(v)->status, PLAIT_ENOMEM);
    assert_string_equal(plait_as_error(v)->message, "out of memory");
    for (int i = 0; i < 3; i++)
        plait_release(v);
    plait_release(plait_retain(v));
    assert_string_equal(plait_error_text(pl_error_nomem_value()),
                        "out of memory");
    plait_value stop = plait_error_stop(v);
    assert_true(plait_error_is_stop(stop));
    assert_int_equal(plait_as_error(stop)->status, PLAIT_ENOMEM);
    assert_false(plait_error_is_stop(pl_error_nomem_value()));
    plait_release(stop);
}

static void restored_errors_have_all_their_fields(void **state)
{
    const pl_told_error told = { .status = PLAIT_ESYS,
                                 .sys_errno = 2,
                                 .task = { 4, 5 },
                                 .key = { "read-4 and more", 6 },
                                 .text = { "gone away", 4 },
                                 .is_stop = true };
    plait_value v;
    (void)state;
    assert_true(pl_error_restore(&told, plait_string("p"), &v));
    const plait_error *error = plait_as_error(v);
    assert_int_equal(error->status, PLAIT_ESYS);
    assert_int_equal(error->sys_errno, 2);
    assert_int_equal(error->task.graph, 5);
    assert_string_equal(error->key, "read-4");
    assert_string_equal(error->message, "gone");
    assert_true(plait_error_is_stop(v));
    assert_string_equal(plait_as_string(plait_error_payload(v)), "p");
    plait_release(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_value_says_what),
        cmocka_unit_test(an_error_never_looks_like_success),
        cmocka_unit_test(long_text_is_kept_whole),
        cmocka_unit_test(an_error_in_a_task_begins_with_its_key),
        cmocka_unit_test(a_long_key_is_cut_in_the_key_only),
        cmocka_unit_test(the_payload_is_taken),
        cmocka_unit_test(payloads_nest_up_to_the_limit),
        cmocka_unit_test(stop_marks_the_only_reference_in_place),
        cmocka_unit_test(stop_copies_what_is_shared),
        cmocka_unit_test(stop_returns_what_is_no_error),
        cmocka_unit_test(out_of_memory_is_static),
        cmocka_unit_test(restored_errors_have_all_their_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
