/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * contract_main.c: runs the contract suite over one executor:
 *   contract SCHEDULER [WORKERS]
 */
#include "contract.h"

#include "fake_executor.h"

contract under_test;

plait_options contract_options(void)
{
    return (plait_options){ PLAIT_OPTIONS_INIT,
                            .scheduler = under_test.scheduler,
                            .workers = under_test.workers };
}

unsigned contract_at_once(void)
{
    if (under_test.is_inline)
        return 0;
    return strcmp(under_test.scheduler, "threads") == 0 ? under_test.workers
                                                        : 1;
}

int64_t compute_int(plait_graph *g, plait_task task)
{
    plait_options options = contract_options();
    plait_error err = { PLAIT_ERROR_INIT };
    plait_value out;
    plait_status status = plait_compute(g, task, &options, &out, &err);
    if (status != PLAIT_OK)
        fail_msg("%s: %s", plait_status_name(status), err.message);
    int64_t n = counted_number(out);
    plait_release(out);
    return n;
}

plait_value first(plait_context *ctx, const plait_value *args, size_t n)
{
    (void)ctx;
    (void)n;
    return plait_retain(args[0]);
}

static int64_t sum_of(const plait_value *values, size_t n)
{
    int64_t total = 0;
    for (size_t i = 0; i < n; i++) {
        size_t inner = 0;
        const plait_value *items = plait_as_list(values[i], &inner);
        if (plait_kind_of(values[i]) == PLAIT_KIND_DICT)
            inner = plait_as_dict(values[i], NULL, &items);
        total += counted_number(values[i]) + sum_of(items, inner);
    }
    return total;
}

plait_value sum(plait_context *ctx, const plait_value *args, size_t n)
{
    (void)ctx;
    return plait_int(sum_of(args, n));
}

plait_value counted_sum(plait_context *ctx, const plait_value *args, size_t n)
{
    (void)ctx;
    return counted_new(sum_of(args, n));
}

plait_value broken(plait_context *ctx, const plait_value *args, size_t n)
{
    return plait_fail(ctx, "broken: %d", (int)sum_of(args, n));
}

plait_value count_errors(plait_context *ctx, const plait_value *args, size_t n)
{
    int64_t errors = 0;
    (void)ctx;
    for (size_t i = 0; i < n; i++)
        errors += plait_is_error(args[i]);
    return plait_int(errors);
}

plait_value pass_gate(plait_context *ctx, const plait_value *args, size_t n)
{
    gate_pass(plait_context_user(ctx));
    return plait_int(sum_of(args, n));
}

/* The cases of all groups that the executor can be held to, in one array. */
static struct CMUnitTest *gather(const contract_group *const *groups, size_t n,
                                 size_t *n_cases)
{
    size_t most = 0;
    for (size_t i = 0; i < n; i++)
        most += groups[i]->n;
    struct CMUnitTest *cases = calloc(most, sizeof *cases);
    *n_cases = 0;
    for (size_t i = 0; cases && i < n; i++) {
        if (groups[i]->at_once > contract_at_once())
            continue;
        memcpy(cases + *n_cases, groups[i]->cases,
               groups[i]->n * sizeof *cases);
        *n_cases += groups[i]->n;
    }
    return cases;
}

int main(int argc, char **argv)
{
    const contract_group *const groups[] = {
        &contract_graphs,
        &contract_failures,
        &contract_failures_at_once,
        &contract_memory,
        &contract_control,
        &contract_control_async,
        &contract_nested,
        &contract_nested_at_once,
        &contract_calls,
        &contract_calls_async,
        &contract_observers,
    };
    if (argc < 2)
        return 2;
    under_test.scheduler = argv[1];
    under_test.workers = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
    under_test.is_inline =
        strcmp(argv[1], "sync") == 0 || strcmp(argv[1], "inorder") == 0;
    under_test.is_exact = strcmp(argv[1], "lossy") != 0;
    if (fake_executors_register(NULL) != PLAIT_OK)
        return 2;
    size_t n;
    struct CMUnitTest *cases = gather(groups, COUNT_OF(groups), &n);
    if (!cases)
        return 2;
    /* what cmocka_run_group_tests does for an array of a known size */
    int failed = _cmocka_run_group_tests("contract", cases, n, NULL, NULL);
    free(cases);
    return failed;
}
