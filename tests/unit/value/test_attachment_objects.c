/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects of a runtime's types: what waits for an attach, what runs attached,
 * and what closing waits for. */
#include "value/attachment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "fake_runtime.h"
#include "platform/thread.h"

static char c[] = "c", x[] = "x", y[] = "y";

/* ---- objects ---- */

static void note_free(void *data)
{
    note("free", data);
}

static plait_value object_of(plait_runtime *runtime, plait_type *type)
{
    *type = (plait_type){ PLAIT_TYPE_INIT, .name = "object", .runtime = runtime,
                          .free = note_free };
    return plait_object(type, x);
}

static void objects_are_freed_at_once_when_attached(void **state)
{
    static plait_runtime runtime = RUNTIME(a);
    static plait_type type;
    pl_attachment own = { .worker = 0 };
    plait_value v = object_of(&runtime, &type);
    (void)state;
    pl_attachment_set_current(&own);
    assert_ptr_equal(pl_attachment_current(), &own);
    assert_true(pl_attach(&own, &runtime, r, r));
    pl_strbuf_fini(&calls);
    plait_release(v);
    assert_calls("free(x)");
    pl_attachment_set_current(NULL);
    pl_attachment_fini(&own);
    pl_strbuf_fini(&calls);
}

static void other_objects_wait_for_the_next_attach(void **state)
{
    static plait_runtime runtime = RUNTIME(a);
    static plait_type type;
    pl_attachment own = { .worker = 0 };
    (void)state;
    plait_release(object_of(&runtime, &type));
    plait_release(object_of(&runtime, &type));
    assert_calls("");
    assert_true(pl_attach(&own, &runtime, r, r));
    assert_calls("start(a as 0) attach(a) free(x) free(x) enter(r)");
    pl_attachment_fini(&own);
    pl_strbuf_fini(&calls);
}

static void a_runtime_that_yields_frees_what_waits(void **state)
{
    static plait_runtime runtime = RUNTIME(a);
    static plait_type type;
    pl_attachment own = { .worker = 0 };
    (void)state;
    runtime.yields = true;
    assert_true(pl_attach(&own, &runtime, r, r));
    plait_release(object_of(&runtime, &type)); /* as on another thread */
    pl_strbuf_fini(&calls);
    own.attached_ns -= 2000000;
    pl_attachment_task_done(&own);
    assert_calls("free(x)");
    pl_attachment_fini(&own);
    pl_strbuf_fini(&calls);
}

static void drain_frees_what_waits(void **state)
{
    static plait_runtime one = RUNTIME(a), two = RUNTIME(b);
    static plait_type type_a, type_b;
    pl_attachment own = { .worker = 0 };
    (void)state;
    plait_release(object_of(&one, &type_a));
    pl_runtime_drain(NULL); /* can't attach */
    assert_calls("");
    pl_runtime_drain(&own);
    assert_calls("start(a as 0) attach(a) free(x) detach(a)");
    assert_true(pl_attach(&own, &one, r, r));
    plait_release(object_of(&one, &type_a));
    plait_release(object_of(&two, &type_b));
    pl_strbuf_fini(&calls);
    pl_runtime_drain(&own);
    assert_calls("detach(a) start(b as 0) attach(b) free(x) detach(b) "
                 "attach(a) free(x)");
    pl_runtime_drain(&own);
    assert_calls("");
    pl_attachment_fini(&own);
    pl_strbuf_fini(&calls);
}

static void note_call(void *arg)
{
    note("call", arg);
}

static void calls_run_attached(void **state)
{
    static plait_runtime one = RUNTIME(a), two = RUNTIME(b);
    pl_attachment own = { .worker = 5 };
    (void)state;
    assert_true(pl_runtime_call(NULL, note_call, c));
    assert_calls("call(c)");
    assert_true(pl_runtime_call(&one, note_call, c));
    assert_calls("start(a as 4294967295) attach(a) call(c) detach(a) stop(a)");
    pl_attachment_set_current(&own);
    assert_true(pl_attach(&own, &one, r, r));
    pl_strbuf_fini(&calls);
    assert_true(pl_runtime_call(&one, note_call, c));
    assert_calls("call(c)");
    assert_true(pl_runtime_call(&two, note_call, c));
    assert_calls("detach(a) start(b as 5) attach(b) call(c) detach(b) "
                 "attach(a)");
    pl_attachment_set_current(NULL);
    pl_attachment_fini(&own);
    pl_strbuf_fini(&calls);
}

static plait_status encode_attached(const void *data, plait_encoder *encoder,
                                    plait_error *err)
{
    (void)err;
    note("encode", (void *)data);
    return plait_encode_nil(encoder);
}

static void *decode_attached(plait_decoder *decoder, plait_error *err)
{
    (void)err;
    note("decode", y);
    return plait_decode_nil(decoder) == PLAIT_OK ? y : NULL;
}

static int format_attached(const void *data, char *buf, size_t size)
{
    (void)buf;
    (void)size;
    note("format", (void *)data);
    return 0;
}

static plait_runtime coded = RUNTIME(c);
static const plait_type coded_type = {
    PLAIT_TYPE_INIT,           .name = "attachment.coded",
    .runtime = &coded,         .free = note_free,
    .encode = encode_attached, .decode = decode_attached,
    .format = format_attached
};

static void a_types_callbacks_run_attached(void **state)
{
    plait_encoded encoded;
    plait_value v;
    char text[8];
    (void)state;
    assert_int_equal(plait_type_register(&coded_type, NULL), PLAIT_OK);
    v = plait_object(&coded_type, x);
    assert_int_equal(plait_encode(v, true, &encoded, NULL), PLAIT_OK);
    assert_calls("start(c as 4294967295) attach(c) encode(x) detach(c) "
                 "stop(c)");
    plait_format(v, text, sizeof text);
    assert_calls("start(c as 4294967295) attach(c) format(x) detach(c) "
                 "stop(c)");
    plait_release(v);
    assert_int_equal(plait_decode(&encoded, &v, NULL), PLAIT_OK);
    assert_calls("start(c as 4294967295) attach(c) free(x) decode(y) "
                 "detach(c) stop(c)");
    plait_release(v);
    plait_encoded_free(&encoded);
    pl_attachment own = { .worker = 0 };
    pl_runtime_drain(&own);
    pl_attachment_fini(&own);
    pl_strbuf_fini(&calls);
}

/* Last, as it closes the type's runtime. */
static void a_closed_runtimes_objects_stay_unfreed(void **state)
{
    pl_attachment own = { .worker = 0 };
    plait_value waits = plait_object(&coded_type, x);
    plait_value later = plait_object(&coded_type, y);
    plait_encoded encoded;
    plait_error err = { PLAIT_ERROR_INIT };
    char text[40];
    (void)state;
    plait_release(waits);
    plait_runtime_close(&coded);
    plait_runtime_close(&coded);
    plait_runtime_close(NULL);
    assert_false(pl_attach(&own, &coded, r, r));
    assert_false(pl_runtime_call(&coded, note_call, c));
    assert_int_equal(plait_encode(later, true, &encoded, &err), PLAIT_ECLOSED);
    assert_null(encoded.data);
    char input[] = "\xc7\x13\x03\xb0"
                   "attachment.coded\xc0\xc0";
    encoded = (plait_encoded){ input, 22, NULL, 0 };
    plait_value v;
    assert_int_equal(plait_decode(&encoded, &v, &err), PLAIT_ECLOSED);
    plait_format(later, text, sizeof text);
    assert_string_equal(text, "<attachment.coded>");
    plait_release(later);
    pl_runtime_drain(&own);
    pl_attachment_fini(&own);
    assert_calls("");
}

static void closing_an_unknown_runtime_closes_it(void **state)
{
    static plait_runtime runtime = RUNTIME(a);
    pl_attachment own = { .worker = 0 };
    (void)state;
    plait_runtime_close(&runtime);
    assert_false(pl_attach(&own, &runtime, r, r));
    assert_calls("");
    pl_attachment_fini(&own);
}

static void threads_end_quietly_after_a_close(void **state)
{
    static plait_runtime runtime = RUNTIME(a);
    pl_attachment own = { .worker = 0 };
    (void)state;
    assert_true(pl_attach(&own, &runtime, r, r));
    pl_detach(&own);
    pl_strbuf_fini(&calls);
    plait_runtime_close(&runtime);
    pl_attachment_fini(&own);
    assert_calls("");
}

/* ---- several threads ---- */

static plait_runtime busy = { PLAIT_RUNTIME_INIT, .name = "busy" };
static _Atomic int freed;
static _Atomic bool closing, attached, left;

static void count_free(void *data)
{
    (void)data;
    freed++;
}

static const plait_type busy_type = { PLAIT_TYPE_INIT, .name = "busy",
                                      .runtime = &busy, .free = count_free };

enum { OBJECTS = 2000 };

static void release_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < OBJECTS; i++)
        plait_release(plait_object(&busy_type, NULL));
}

static void attach_often(void *arg)
{
    pl_attachment own = { .worker = 1 };
    pl_attachment_set_current(&own);
    for (int i = 0; i < OBJECTS; i++) {
        assert_true(pl_attach(&own, &busy, arg, NULL));
        plait_release(plait_object(&busy_type, NULL));
        pl_detach(&own);
    }
    pl_attachment_fini(&own);
}

static void objects_released_everywhere_are_freed_once(void **state)
{
    pl_thread threads[4];
    pl_attachment own = { .worker = 0 };
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_true(pl_thread_begin(
            &threads[i], i < 2 ? release_many : attach_often, &busy, "busy"));
    for (int i = 0; i < 4; i++)
        pl_thread_join(threads[i]);
    pl_runtime_drain(&own);
    pl_attachment_fini(&own);
    assert_int_equal(freed, 4 * OBJECTS);
}

static plait_runtime waited_for = { PLAIT_RUNTIME_INIT, .name = "waited for" };

static void stay_attached(void *arg)
{
    pl_attachment own = { .worker = 1 };
    assert_true(pl_attach(&own, &waited_for, arg, NULL));
    attached = true;
    while (!closing)
        pl_thread_yield();
    for (int i = 0; i < 100; i++)
        pl_thread_yield();
    left = true;
    pl_attachment_fini(&own);
}

/* Once the gate says closed, another thread is refused; the close returns
 * when the attached thread has left. */
static void close_from_a_thread(void *arg)
{
    plait_runtime_close(arg);
    assert_true(left);
}

static void close_waits_for_who_is_inside(void **state)
{
    pl_thread inside, closer;
    pl_attachment own = { .worker = 0 };
    (void)state;
    assert_true(pl_thread_begin(&inside, stay_attached, &waited_for, "inside"));
    while (!attached)
        pl_thread_yield();
    assert_true(
        pl_thread_begin(&closer, close_from_a_thread, &waited_for, "closer"));
    while (pl_attach(&own, &waited_for, &own, NULL)) {
        pl_detach(&own);
        pl_thread_yield();
    }
    closing = true;
    pl_thread_join(closer);
    pl_thread_join(inside);
    pl_attachment_fini(&own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_freed_at_once_when_attached),
        cmocka_unit_test(other_objects_wait_for_the_next_attach),
        cmocka_unit_test(a_runtime_that_yields_frees_what_waits),
        cmocka_unit_test(drain_frees_what_waits),
        cmocka_unit_test(calls_run_attached),
        cmocka_unit_test(a_types_callbacks_run_attached),
        cmocka_unit_test(a_closed_runtimes_objects_stay_unfreed),
        cmocka_unit_test(closing_an_unknown_runtime_closes_it),
        cmocka_unit_test(threads_end_quietly_after_a_close),
        cmocka_unit_test(objects_released_everywhere_are_freed_once),
        cmocka_unit_test(close_waits_for_who_is_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
