/* SPDX-License-Identifier: BSD-3-Clause */
/* test_pattern.c: patterns mean what they mean to Python's logging. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "log/pattern.h"
#include "platform/thread.h"

static plait_log_record example(void)
{
    return (plait_log_record){ PLAIT_LOG_RECORD_INIT,
                               .level = PLAIT_INFO,
                               .time_ns = INT64_C(1763815680123456789),
                               .logger = "plait",
                               .task = "load-3",
                               .process_name = "MainProcess",
                               .thread_name = "plait-0",
                               .process = 4321,
                               .message = "hi\nthere",
                               .message_length = 8 };
}

static void assert_renders_record(const plait_log_record *record,
                                  const char *format, const char *expected)
{
    pl_pattern pattern;
    plait_error err = { PLAIT_ERROR_INIT };
    if (pl_pattern_parse(&pattern, format, &err) != PLAIT_OK)
        fail_msg("%s", err.message);
    pl_line line;
    pl_line_init(&line);
    pl_pattern_render(&pattern, record, "2026-11-22 12:48:00", &line);
    pl_line_add(&line, "", 1);
    assert_string_equal(line.text, expected);
    pl_line_fini(&line);
    pl_pattern_fini(&pattern);
}

static void assert_renders(const char *format, const char *expected)
{
    plait_log_record record = example();
    assert_renders_record(&record, format, expected);
}

static void the_default_pattern(void **state)
{
    (void)state;
    assert_renders(PLAIT_LOG_FORMAT,
                   "2026-11-22 12:48:00,123 [plait-0] INFO plait: hi\\nthere");
}

static void every_field(void **state)
{
    (void)state;
    assert_renders("%(levelno)d %(levelname)s", "20 INFO");
    assert_renders("%(process)d %(processName)s", "4321 MainProcess");
    assert_renders("%(task)s %(name)s %(threadName)s", "load-3 plait plait-0");
    assert_renders("%(created)f %(msecs)03d", "1763815680.123457 123");
    char thread[32];
    snprintf(thread, sizeof thread, "%ld", pl_thread_id());
    assert_renders("%(thread)d", thread);
}

/* Each expectation is what Python 3.13 prints. */
static void flags_widths_and_precisions(void **state)
{
    (void)state;
    assert_renders("[%(levelname)-8s]", "[INFO    ]");
    assert_renders("[%(levelname)8s]", "[    INFO]");
    assert_renders("[%(levelname)08s]", "[    INFO]");
    assert_renders("[%(levelname).2s]", "[IN]");
    assert_renders("[%(levelname)4.2s]", "[  IN]");
    assert_renders("[%(levelname).s]", "[]");
    assert_renders("[%(process)08d]", "[00004321]");
    assert_renders("[%(process)-8d]", "[4321    ]");
    assert_renders("[%(process)+d]", "[+4321]");
    assert_renders("[%(process)x %(process)X %(process)o]",
                   "[10e1 10E1 10341]");
    assert_renders("[%(process)6s]", "[  4321]");
    assert_renders("[%(process).2s]", "[43]");
    assert_renders("[%(levelno).1f]", "[20.0]");
    assert_renders("[%(msecs)s %(msecs)d %(msecs)i %(msecs)u %(msecs).2f]",
                   "[123.0 123 123 123 123.00]");
    assert_renders("[%(asctime)30s]", "[       2026-11-22 12:48:00,123]");
    assert_renders("[%(asctime).10s]", "[2026-11-22]");
    assert_renders("[%(levelname)r %(levelname)a]", "['INFO' 'INFO']");
    assert_renders("[%(created)r]", "[1763815680.1234567]");
    assert_renders("[%(levelno)r]", "[20]");
}

static void percent_and_text(void **state)
{
    (void)state;
    assert_renders("100%% %(levelname)s %%(name)s", "100% INFO %(name)s");
    assert_renders("%(levelname)s\t|\n", "INFO\t|\n");
}

static void names_are_escaped_too(void **state)
{
    (void)state;
    plait_log_record record = example();
    record.task = "a\nb";
    record.thread_name = "t\r1";
    assert_renders_record(&record, "%(task)s|%(threadName)s", "a\\nb|t\\r1");
    record.task = "żółw";
    assert_renders_record(&record, "[%(task)6s][%(task).2s]", "[  żółw][żó]");
}

static void messages_may_hold_nul(void **state)
{
    (void)state;
    plait_log_record record = example();
    record.message = "a\0b";
    record.message_length = 3;
    assert_renders_record(&record, "%(message)s", "a\\x00b");
}

static void levels_between_have_numbers(void **state)
{
    (void)state;
    plait_log_record record = example();
    record.level = (plait_level)25;
    assert_renders_record(&record, "%(levelname)s", "Level 25");
    char buf[24];
    assert_string_equal(pl_level_name(PLAIT_DEBUG, buf), "DEBUG");
    assert_string_equal(pl_level_name(PLAIT_WARNING, buf), "WARNING");
    assert_string_equal(pl_level_name(PLAIT_ERROR, buf), "ERROR");
    assert_string_equal(pl_level_name(PLAIT_CRITICAL, buf), "CRITICAL");
}

static void assert_refused(const char *format, const char *words)
{
    pl_pattern pattern;
    plait_error err = { PLAIT_ERROR_INIT };
    assert_int_equal(pl_pattern_parse(&pattern, format, &err), PLAIT_EINVAL);
    assert_int_equal(err.status, PLAIT_EINVAL);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" is not in \"%s\"", words, err.message);
    assert_null(pattern.text);
}

static void bad_patterns_are_refused(void **state)
{
    (void)state;
    assert_refused("%(funcName)s", "no field \"funcName\"");
    assert_refused("%()s", "no field \"\"");
    assert_refused("%(message", "no )");
    assert_refused("%(message)", "at 11: this field is text");
    assert_refused("%(message)d", "text: it takes s, r or a");
    assert_refused("%(created)x", "not a conversion");
    assert_refused("%(process)c", "not a conversion");
    assert_refused("%(process)ld", "not a conversion");
    assert_refused("%(message)*s", "text");
    assert_refused("%s", "%(field)s");
    assert_refused("%(message)s %", "%(field)s");
    assert_refused("%(message)256s", "over 255");
    assert_refused("%(message).99999999999999999999s", "over 255");
    assert_refused("", "no field");
    assert_refused("nothing %% here", "no field");
}

static void the_widest_fields_fit(void **state)
{
    (void)state;
    plait_log_record record = example();
    pl_pattern pattern;
    assert_int_equal(pl_pattern_parse(&pattern,
                                      "%(created)255.255f%(process)255.255d"
                                      "%(created)255.255e",
                                      NULL),
                     PLAIT_OK);
    pl_line line;
    pl_line_init(&line);
    pl_pattern_render(&pattern, &record, "", &line);
    assert_int_equal(line.length, 266 + 255 + 261);
    pl_line_fini(&line);
    pl_pattern_fini(&pattern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_pattern),
        cmocka_unit_test(every_field),
        cmocka_unit_test(flags_widths_and_precisions),
        cmocka_unit_test(percent_and_text),
        cmocka_unit_test(names_are_escaped_too),
        cmocka_unit_test(messages_may_hold_nul),
        cmocka_unit_test(levels_between_have_numbers),
        cmocka_unit_test(bad_patterns_are_refused),
        cmocka_unit_test(the_widest_fields_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
