/* SPDX-License-Identifier: BSD-3-Clause */
/* test_options.c: what options leave open is taken from the environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "executor/executor.h"

static plait_status read_options(const plait_options *given,
                                 plait_options *options, plait_error *err)
{
    *err = (plait_error){ PLAIT_ERROR_INIT };
    return pl_options_read(given, options, err);
}

static int forget_environment(void **state)
{
    (void)state;
    unsetenv("PLAIT_WORKERS");
    unsetenv("PLAIT_SCHEDULER");
    return 0;
}

static void no_options_are_the_defaults(void **state)
{
    (void)state;
    plait_options options;
    plait_error err;
    assert_int_equal(read_options(NULL, &options, &err), PLAIT_OK);
    assert_string_equal(options.scheduler, "threads");
    assert_int_equal(options.workers, 0);
    assert_int_equal(options.on_error, PLAIT_FINISH);
}

static void the_environment_fills_in(void **state)
{
    (void)state;
    plait_options options;
    plait_options given = { PLAIT_OPTIONS_INIT, .scheduler = "threads",
                            .workers = 2 };
    plait_error err;
    setenv("PLAIT_WORKERS", "7", 1);
    setenv("PLAIT_SCHEDULER", "sync", 1);
    assert_int_equal(read_options(NULL, &options, &err), PLAIT_OK);
    assert_string_equal(options.scheduler, "sync");
    assert_int_equal(options.workers, 7);
    assert_int_equal(read_options(&given, &options, &err), PLAIT_OK);
    assert_string_equal(options.scheduler, "threads");
    assert_int_equal(options.workers, 2);
    setenv("PLAIT_WORKERS", "", 1); /* empty is not set */
    setenv("PLAIT_SCHEDULER", "", 1);
    assert_int_equal(read_options(NULL, &options, &err), PLAIT_OK);
    assert_string_equal(options.scheduler, "threads");
    assert_int_equal(options.workers, 0);
}

static void workers_that_are_no_number(void **state)
{
    static const char *const bad[] = { "many",
                                       "-1",
                                       "+3",
                                       " 3",
                                       "3 ",
                                       "3x",
                                       "0x3",
                                       "1.5",
                                       "1025",
                                       "4294967297",
                                       "99999999999999999999999" };
    (void)state;
    plait_options options;
    plait_error err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setenv("PLAIT_WORKERS", bad[i], 1);
        assert_int_equal(read_options(NULL, &options, &err), PLAIT_EINVAL);
        assert_non_null(strstr(err.message, "$PLAIT_WORKERS"));
        assert_non_null(strstr(err.message, bad[i]));
    }
    /* options that say a number don't look there */
    plait_options given = { PLAIT_OPTIONS_INIT, .workers = 2 };
    assert_int_equal(read_options(&given, &options, &err), PLAIT_OK);
    setenv("PLAIT_WORKERS", "1024", 1);
    assert_int_equal(read_options(NULL, &options, &err), PLAIT_OK);
    setenv("PLAIT_WORKERS", "0", 1);
    assert_int_equal(read_options(NULL, &options, &err), PLAIT_OK);
}

static plait_value one(plait_context *ctx, const plait_value *args, size_t n)
{
    (void)ctx;
    (void)args;
    (void)n;
    return plait_int(1);
}

static void a_scheduler_that_nobody_knows(void **state)
{
    (void)state;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, one);
    setenv("PLAIT_SCHEDULER", "turbo", 1);
    assert_int_equal(plait_compute(g, x, NULL, &out, &err), PLAIT_EINVAL);
    assert_non_null(strstr(err.message, "\"turbo\""));
    setenv("PLAIT_SCHEDULER", "processes", 1);
    assert_int_equal(plait_compute(g, x, NULL, &out, &err), PLAIT_EUNAVAILABLE);
    setenv("PLAIT_SCHEDULER", "sync", 1);
    assert_int_equal(plait_compute(g, x, NULL, &out, &err), PLAIT_OK);
    plait_graph_free(g);
}

static void what_schedulers_there_are(void **state)
{
    (void)state;
    plait_error err = { PLAIT_ERROR_INIT };
    assert_int_equal(plait_scheduler_available("sync", &err), PLAIT_OK);
    assert_int_equal(plait_scheduler_available("threads", &err), PLAIT_OK);
    assert_int_equal(plait_scheduler_available("processes", &err),
                     PLAIT_EUNAVAILABLE);
    assert_int_equal(plait_scheduler_available("distributed", &err),
                     PLAIT_EUNAVAILABLE);
    assert_int_equal(plait_scheduler_available("", &err), PLAIT_EINVAL);
    assert_int_equal(plait_scheduler_available(NULL, &err), PLAIT_EINVAL);
}

/* ---- plait_executor_register ---- */

static plait_status refuse(void *self, plait_run *run, plait_error *err)
{
    (void)self;
    (void)run;
    if (err)
        err->status = PLAIT_ESYS;
    return PLAIT_ESYS;
}

static void registering_an_executor(void **state)
{
    (void)state;
    plait_error err = { PLAIT_ERROR_INIT };
    plait_executor_ops ops = { PLAIT_EXECUTOR_OPS_INIT, .name = "refuser",
                               .start = refuse };
    plait_executor_ops no_name = { PLAIT_EXECUTOR_OPS_INIT, .start = refuse };
    plait_executor_ops no_start = { PLAIT_EXECUTOR_OPS_INIT, .name = "lazy" };
    plait_executor_ops taken = { PLAIT_EXECUTOR_OPS_INIT, .name = "sync",
                                 .start = refuse };
    plait_executor_ops no_size = { .size = 0, .name = "s", .start = refuse };
    assert_int_equal(plait_executor_register(&no_name, &err), PLAIT_EINVAL);
    assert_int_equal(plait_executor_register(&no_start, &err), PLAIT_EINVAL);
    assert_int_equal(plait_executor_register(&taken, &err), PLAIT_EINVAL);
    assert_int_equal(plait_executor_register(&no_size, &err), PLAIT_EINVAL);
    assert_int_equal(plait_executor_register(&ops, &err), PLAIT_OK);
    assert_int_equal(plait_executor_register(&ops, &err), PLAIT_EINVAL);
    assert_int_equal(plait_scheduler_available("refuser", &err), PLAIT_OK);
    plait_options options = { PLAIT_OPTIONS_INIT, .scheduler = "refuser" };
    plait_value out;
    plait_graph *g = plait_graph_new();
    plait_task x = plait_delayed(g, one);
    assert_int_equal(plait_compute(g, x, &options, &out, &err), PLAIT_ESYS);
    plait_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(no_options_are_the_defaults, forget_environment),
        cmocka_unit_test_setup(the_environment_fills_in, forget_environment),
        cmocka_unit_test_setup(workers_that_are_no_number, forget_environment),
        cmocka_unit_test_setup(a_scheduler_that_nobody_knows,
                               forget_environment),
        cmocka_unit_test_setup(what_schedulers_there_are, forget_environment),
        cmocka_unit_test_setup(registering_an_executor, forget_environment),
    };
    return cmocka_run_group_tests(tests, forget_environment, NULL);
}
