/* SPDX-License-Identifier: BSD-3-Clause */
/* counted.c: objects that are counted. */
#include "counted.h"

#include <stdatomic.h>
#include <stdlib.h>

static _Atomic long alive;
static _Atomic long peak;

static void counted_free(void *data)
{
    atomic_fetch_sub(&alive, 1);
    free(data);
}

static const plait_type counted_type = { PLAIT_TYPE_INIT, .name = "counted",
                                         .free = counted_free };

plait_value counted_new(int64_t number)
{
    int64_t *data = malloc(sizeof *data);
    if (!data)
        return plait_error_value(PLAIT_ENOMEM, "no memory for a counted one");
    *data = number;
    long now = atomic_fetch_add(&alive, 1) + 1;
    long most = atomic_load(&peak);
    while (now > most && !atomic_compare_exchange_weak(&peak, &most, now))
        ;
    return plait_object(&counted_type, data);
}

int64_t counted_number(plait_value v)
{
    const int64_t *data = plait_as_object(v, &counted_type);
    return data ? *data : plait_as_int(v);
}

long counted_alive(void)
{
    return atomic_load(&alive);
}

long counted_peak(void)
{
    return atomic_load(&peak);
}

void counted_reset(void)
{
    atomic_store(&peak, atomic_load(&alive));
}
