/* SPDX-License-Identifier: BSD-3-Clause */
/* Errors: texts are cut at characters, structs of older and newer callers are
 * read and filled as far as they go. */
#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_status_has_a_name_and_a_text(void **state)
{
    (void)state;
    assert_string_equal(plait_status_name(PLAIT_OK), "PLAIT_OK");
    assert_string_equal(plait_status_name(PLAIT_ENOMEM), "PLAIT_ENOMEM");
    assert_string_equal(plait_status_text(PLAIT_ENOMEM), "out of memory");
    for (int number = 0; number >= PLAIT_ESYS; number--) {
        plait_status status = (plait_status)number;
        assert_int_equal(strncmp(plait_status_name(status), "PLAIT_", 6), 0);
        assert_string_not_equal(plait_status_name(status), "PLAIT_?");
        assert_string_not_equal(plait_status_text(status), "unknown status");
    }
    assert_string_equal(plait_status_name((plait_status)77), "PLAIT_?");
    assert_string_equal(plait_status_text((plait_status)77), "unknown status");
}

static void copy_text_fits(void **state)
{
    char buf[8];
    (void)state;
    pl_copy_text(buf, sizeof buf, "seven77");
    assert_string_equal(buf, "seven77");
    pl_copy_text(buf, sizeof buf, "eight888");
    assert_string_equal(buf, "eight88");
    pl_copy_text(buf, 1, "x");
    assert_string_equal(buf, "");
    buf[0] = '!';
    pl_copy_text(buf, 0, "x");
    assert_int_equal(buf[0], '!');
}

static void copy_text_cuts_at_a_character(void **state)
{
    char buf[8];
    (void)state;
    pl_copy_text(buf, sizeof buf, "12345\xc3\xa4"); /* ends where buf does */
    assert_string_equal(buf, "12345\xc3\xa4");
    pl_copy_text(buf, sizeof buf, "123456\xc3\xa4"); /* two bytes: cut */
    assert_string_equal(buf, "123456");
    pl_copy_text(buf, sizeof buf, "1234\xe2\x82\xac"); /* three: fits */
    assert_string_equal(buf, "1234\xe2\x82\xac");
    pl_copy_text(buf, sizeof buf, "12345\xe2\x82\xac");
    assert_string_equal(buf, "12345");
    pl_copy_text(buf, sizeof buf, "12345\xf0\x9f\xa7\xa9"); /* four */
    assert_string_equal(buf, "12345");
    pl_copy_text(buf, sizeof buf, "1234567\xc3\xa4"); /* between characters */
    assert_string_equal(buf, "1234567");
}

static void copy_text_keeps_what_is_no_utf8(void **state)
{
    char buf[8];
    (void)state;
    pl_copy_text(buf, sizeof buf, "\x80\x81\x82\x83\x84\x85\x86\x87\x88");
    assert_string_equal(buf, "\x80\x81\x82\x83\x84\x85\x86");
}

static void error_set_fills_and_returns(void **state)
{
    plait_error err = { PLAIT_ERROR_INIT, .sys_errno = 5, .task = { 7, 8 } };
    (void)state;
    strcpy(err.key, "old");
    assert_int_equal(pl_error_set(&err, PLAIT_EINVAL, "%s is %d", "x", 3),
                     PLAIT_EINVAL);
    assert_int_equal(err.size, sizeof err);
    assert_int_equal(err.status, PLAIT_EINVAL);
    assert_string_equal(err.message, "x is 3");
    assert_string_equal(err.key, "");
    assert_int_equal(err.sys_errno, 0);
    assert_int_equal(err.task.id, 0);
    assert_int_equal(err.task.graph, 0);
}

static void error_set_takes_null_and_size_0(void **state)
{
    plait_error none, before;
    memset(&none, 0x55, sizeof none);
    none.size = 0;
    memcpy(&before, &none, sizeof none);
    (void)state;
    assert_int_equal(pl_error_set(NULL, PLAIT_ETYPE, "x"), PLAIT_ETYPE);
    assert_int_equal(pl_error_set(&none, PLAIT_ETYPE, "x"), PLAIT_ETYPE);
    assert_int_equal(pl_error_sys(&none, ENOENT, "x"), PLAIT_ESYS);
    pl_error_clear(&none);
    pl_error_clear(NULL);
    assert_memory_equal(&none, &before, sizeof none);
}

static void error_set_may_quote_the_old_message(void **state)
{
    plait_error err = { PLAIT_ERROR_INIT };
    (void)state;
    pl_error_set(&err, PLAIT_ETASK, "cause");
    pl_error_set(&err, PLAIT_ETASK, "f-1: %s", err.message);
    assert_string_equal(err.message, "f-1: cause");
}

static void error_set_cuts_a_long_message_at_a_character(void **state)
{
    plait_error err = { PLAIT_ERROR_INIT };
    char text[3000] = "";
    (void)state;
    for (int i = 0; i < 900; i++)
        strcat(text, "\xe2\x82\xac");
    pl_error_set(&err, PLAIT_ETASK, "%s", text);
    assert_int_equal(strlen(err.message), 510); /* 170 of three bytes */
    assert_int_equal(strncmp(err.message, text, 510), 0);
}

/* An older caller's struct ends earlier: what lies behind is not ours. */
static void error_set_leaves_what_an_older_caller_has_not(void **state)
{
    plait_error err, before;
    memset(&err, 0x55, sizeof err);
    memcpy(&before, &err, sizeof err);
    err.size = offsetof(plait_error, key);
    (void)state;
    pl_error_set(&err, PLAIT_ETASK, "x");
    assert_int_equal(err.size, offsetof(plait_error, key));
    assert_int_equal(err.status, PLAIT_ETASK);
    assert_int_equal(err.task.id, 0);
    assert_memory_equal(err.key, before.key, sizeof err.key);
    assert_memory_equal(err.message, before.message, sizeof err.message);
}

/* Nor does a size that ends before errno get one. */
static void error_sys_respects_the_size(void **state)
{
    plait_error err = { .size = offsetof(plait_error, sys_errno) };
    (void)state;
    assert_int_equal(pl_error_sys(&err, ENOENT, "x"), PLAIT_ESYS);
    assert_int_equal(err.status, PLAIT_ESYS);
    assert_int_equal(err.sys_errno, 0);
}

/* A newer caller's struct is longer: its tail stays as it is. */
static void error_set_leaves_a_newer_callers_tail(void **state)
{
    struct {
        plait_error known;
        int unknown;
    } err = { { .size = sizeof err }, 9 };
    (void)state;
    pl_error_set(&err.known, PLAIT_ETASK, "x");
    assert_int_equal(err.known.size, sizeof err);
    assert_string_equal(err.known.message, "x");
    assert_int_equal(err.unknown, 9);
}

static void error_sys_says_why(void **state)
{
    plait_error err = { PLAIT_ERROR_INIT };
    char why[128];
    (void)state;
    assert_int_equal(pl_error_sys(&err, ENOENT, "cannot open %s", "a.csv"),
                     PLAIT_ESYS);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_string_equal(err.message,
                        "cannot open a.csv: No such file or directory");
    assert_string_equal(pl_errno_text(ENOENT, why, sizeof why),
                        "No such file or directory");
    assert_non_null(strstr(pl_errno_text(98765, why, sizeof why), "98765"));
}

static void error_nomem_has_its_text(void **state)
{
    plait_error err = { PLAIT_ERROR_INIT };
    (void)state;
    assert_int_equal(pl_error_nomem(&err), PLAIT_ENOMEM);
    assert_string_equal(err.message, "out of memory");
    assert_int_equal(pl_error_nomem(NULL), PLAIT_ENOMEM);
}

static void error_copy_copies_what_both_hold(void **state)
{
    plait_error from = { PLAIT_ERROR_INIT };
    plait_error to = { PLAIT_ERROR_INIT };
    (void)state;
    pl_error_set(&from, PLAIT_ETASK, "cause");
    from.task = (plait_task){ 3, 4 };
    strcpy(from.key, "f-3");
    assert_int_equal(pl_error_copy(&to, &from), PLAIT_ETASK);
    assert_memory_equal(&to, &from, sizeof to);
    assert_int_equal(pl_error_copy(NULL, &from), PLAIT_ETASK);
    assert_int_equal(pl_error_copy(&from, &from), PLAIT_ETASK);
    assert_memory_equal(&to, &from, sizeof to);

    from.size = offsetof(plait_error, key); /* an older struct */
    pl_error_copy(&to, &from);
    assert_int_equal(to.size, sizeof to);
    assert_int_equal(to.task.id, 3);
    assert_string_equal(to.key, "");
    assert_string_equal(to.message, "");
}

static void error_clear_keeps_the_size(void **state)
{
    plait_error err = { PLAIT_ERROR_INIT };
    const plait_error clear = { PLAIT_ERROR_INIT };
    (void)state;
    pl_error_set(&err, PLAIT_ETASK, "x");
    pl_error_clear(&err);
    assert_memory_equal(&err, &clear, sizeof err);
}

/* ---- pl_read_struct ---- */

typedef struct first_version {
    size_t size;
    const char *name;
} first_version;

typedef struct our_version {
    size_t size;
    const char *name;
    int level;
    void *user;
} our_version;

typedef struct next_version {
    our_version known;
    int more;
    bool still_more;
} next_version;

static plait_status read(our_version *ours, const void *theirs,
                         plait_error *err)
{
    memset(ours, 0x55, sizeof *ours);
    return pl_read_struct(ours, sizeof *ours, theirs, "plait_options",
                          "PLAIT_OPTIONS_INIT", err);
}

static void assert_defaults(const our_version *ours)
{
    assert_int_equal(ours->size, sizeof *ours);
    assert_null(ours->name);
    assert_int_equal(ours->level, 0);
    assert_null(ours->user);
}

static void read_struct_null_is_all_defaults(void **state)
{
    our_version ours;
    (void)state;
    assert_int_equal(read(&ours, NULL, NULL), PLAIT_OK);
    assert_defaults(&ours);
}

static void read_struct_of_this_version(void **state)
{
    const our_version theirs = { sizeof theirs, "n", 3, state };
    our_version ours;
    assert_int_equal(read(&ours, &theirs, NULL), PLAIT_OK);
    assert_int_equal(ours.size, sizeof ours);
    assert_string_equal(ours.name, "n");
    assert_int_equal(ours.level, 3);
    assert_ptr_equal(ours.user, state);
}

static void read_struct_of_an_older_caller(void **state)
{
    const first_version theirs = { sizeof theirs, "n" };
    our_version ours;
    (void)state;
    assert_int_equal(read(&ours, &theirs, NULL), PLAIT_OK);
    assert_int_equal(ours.size, sizeof ours);
    assert_string_equal(ours.name, "n");
    assert_int_equal(ours.level, 0);
    assert_null(ours.user);
}

static void read_struct_of_a_newer_caller(void **state)
{
    next_version theirs;
    our_version ours;
    plait_error err = { PLAIT_ERROR_INIT };
    (void)state;
    memset(&theirs, 0, sizeof theirs);
    theirs.known = (our_version){ sizeof theirs, "n", 3, NULL };
    assert_int_equal(read(&ours, &theirs, &err), PLAIT_OK);
    assert_string_equal(ours.name, "n");
    assert_int_equal(ours.level, 3);
    assert_int_equal(ours.size, sizeof ours);

    theirs.still_more = true; /* this version doesn't know what that asks for */
    assert_int_equal(read(&ours, &theirs, &err), PLAIT_EINVAL);
    assert_non_null(strstr(err.message, "plait_options"));
    assert_non_null(strstr(err.message, "doesn't know"));
    assert_defaults(&ours);
}

static void read_struct_wants_a_size(void **state)
{
    const our_version zero = { 0, "n", 3, NULL };
    const our_version wild = { SIZE_MAX - 8, "n", 3, NULL };
    our_version ours;
    plait_error err = { PLAIT_ERROR_INIT };
    (void)state;
    assert_int_equal(read(&ours, &zero, &err), PLAIT_EINVAL);
    assert_string_equal(err.message, "plait_options.size is 0: begin the "
                                     "struct with PLAIT_OPTIONS_INIT");
    assert_defaults(&ours);
    assert_int_equal(read(&ours, &wild, &err), PLAIT_EINVAL);
    assert_non_null(strstr(err.message, "PLAIT_OPTIONS_INIT"));
    assert_defaults(&ours);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_and_a_text),
        cmocka_unit_test(copy_text_fits),
        cmocka_unit_test(copy_text_cuts_at_a_character),
        cmocka_unit_test(copy_text_keeps_what_is_no_utf8),
        cmocka_unit_test(error_set_fills_and_returns),
        cmocka_unit_test(error_set_takes_null_and_size_0),
        cmocka_unit_test(error_set_may_quote_the_old_message),
        cmocka_unit_test(error_set_cuts_a_long_message_at_a_character),
        cmocka_unit_test(error_set_leaves_what_an_older_caller_has_not),
        cmocka_unit_test(error_sys_respects_the_size),
        cmocka_unit_test(error_set_leaves_a_newer_callers_tail),
        cmocka_unit_test(error_sys_says_why),
        cmocka_unit_test(error_nomem_has_its_text),
        cmocka_unit_test(error_copy_copies_what_both_hold),
        cmocka_unit_test(error_clear_keeps_the_size),
        cmocka_unit_test(read_struct_null_is_all_defaults),
        cmocka_unit_test(read_struct_of_this_version),
        cmocka_unit_test(read_struct_of_an_older_caller),
        cmocka_unit_test(read_struct_of_a_newer_caller),
        cmocka_unit_test(read_struct_wants_a_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
