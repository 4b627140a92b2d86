/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * contract.h: what every executor must do. Each file of cases is a group of
 * cmocka tests; contract_main.c runs them all over the executor it is told.
 */
#ifndef CONTRACT_H
#define CONTRACT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <plait/plait.h>

#include "counted.h"
#include "gate.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* The executor under test. */
typedef struct contract {
    const char *scheduler;
    unsigned workers;
    bool is_inline; /* plait_start returns when the run has ended */
    bool is_exact;  /* a task that succeeds is run once */
} contract;

extern contract under_test;

/* Options that name the executor under test. */
plait_options contract_options(void);

/* How many tasks of one run can be running while the caller does something
 * else: 0 when it runs them itself. */
unsigned contract_at_once(void);

/* Computes one task, which must succeed, to an integer. */
int64_t compute_int(plait_graph *g, plait_task task);

/* ---- functions of tasks ---- */

/* Its first argument. */
plait_value first(plait_context *ctx, const plait_value *args, size_t n);

/* The sum of all numbers among its arguments, in lists and dicts too. */
plait_value sum(plait_context *ctx, const plait_value *args, size_t n);

/* A counted object with the sum. */
plait_value counted_sum(plait_context *ctx, const plait_value *args, size_t n);

/* Fails: "broken: <sum>". */
plait_value broken(plait_context *ctx, const plait_value *args, size_t n);

/* How many errors are among its arguments. */
plait_value count_errors(plait_context *ctx, const plait_value *args, size_t n);

/* Passes the gate that plait_context_user is; returns the sum. */
plait_value pass_gate(plait_context *ctx, const plait_value *args, size_t n);

/* ---- groups ---- */

typedef struct contract_group {
    const struct CMUnitTest *cases;
    size_t n;
    unsigned at_once; /* needs contract_at_once of so many */
} contract_group;

extern const contract_group contract_graphs, contract_failures,
    contract_failures_at_once, contract_memory, contract_control,
    contract_control_async, contract_nested, contract_nested_at_once,
    contract_calls, contract_calls_async, contract_observers;

#endif
