/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fifty_calls.c: fifty independent calls, five at a time. No graph is needed:
 * plait_map is the flat pool.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include <plait/plait.h>

#define N_CALLS 50
#define AT_A_TIME 5

static atomic_uint running;
static atomic_uint most_running;

static void note_running(unsigned now)
{
    unsigned most = atomic_load(&most_running);
    while (now > most &&
           !atomic_compare_exchange_weak(&most_running, &most, now))
        continue;
}

/* Stands for a call that waits for something: a server, a disk. */
static plait_value call(plait_context *ctx, const plait_value *args,
                        size_t n_args)
{
    (void)ctx;
    (void)n_args;
    note_running(atomic_fetch_add(&running, 1) + 1);
    const struct timespec wait = { .tv_nsec = 10000000 };
    nanosleep(&wait, NULL);
    atomic_fetch_sub(&running, 1);
    int64_t x = plait_as_int(args[0]);
    return plait_int(x * x);
}

int main(void)
{
    plait_value items[N_CALLS];
    plait_value results[N_CALLS];
    for (int i = 0; i < N_CALLS; i++)
        items[i] = plait_int(i);
    plait_options options = { PLAIT_OPTIONS_INIT, .workers = AT_A_TIME };
    plait_error err = { PLAIT_ERROR_INIT };
    if (plait_map(call, "call", items, N_CALLS, &options, results, &err) !=
        PLAIT_OK) {
        fprintf(stderr, "fifty_calls: %s\n", err.message);
        return 1;
    }
    int64_t sum = 0;
    for (int i = 0; i < N_CALLS; i++) {
        printf("%lld ", (long long)plait_as_int(results[i]));
        sum += plait_as_int(results[i]);
        plait_release(results[i]);
    }
    printf("\nsum %lld; %d calls, at most %u at a time\n", (long long)sum,
           N_CALLS, atomic_load(&most_running));
    return 0;
}
