/* SPDX-License-Identifier: BSD-3-Clause */
/* context.c: what a task may do with its context. */
#include "engine/context.h"

#include <stdarg.h>

#include "platform/clock.h"

plait_task plait_context_task(const plait_context *ctx)
{
    return plait_run_task(ctx->run, pl_context_task(ctx));
}

/* The task's own threads may ask at once, but only the first time is a write;
 * a task that hands its context to threads asks for its key before. */
const char *plait_context_key(plait_context *ctx)
{
    uint32_t task = pl_context_task(ctx);
    if (ctx->key_task != task) {
        pl_plan_key(ctx->run->plan, task, ctx->key, sizeof ctx->key);
        ctx->key_task = task;
    }
    return ctx->key;
}

unsigned plait_context_worker(const plait_context *ctx)
{
    return ctx->lane->worker;
}

unsigned plait_context_attempt(const plait_context *ctx)
{
    return ctx->attempt;
}

void *plait_context_payload(const plait_context *ctx)
{
    const plait_run *run = ctx->run;
    return pl_plan_function(run->plan, &run->nodes[pl_context_task(ctx)])
        ->payload;
}

void *plait_context_user(const plait_context *ctx)
{
    return ctx->run->user;
}

bool plait_timed_out(const plait_context *ctx)
{
    return ctx->deadline_ns != INT64_MAX && pl_clock_ns() >= ctx->deadline_ns;
}

bool plait_cancelled(const plait_context *ctx)
{
    return (pl_run_trouble(ctx->run) & PL_TROUBLE_STOPPING) ||
           plait_timed_out(ctx);
}

static plait_value fail(plait_context *ctx, plait_value payload,
                        plait_status status, const char *format, va_list args)
    PLAIT_PRINTF(4, 0);

static plait_value fail(plait_context *ctx, plait_value payload,
                        plait_status status, const char *format, va_list args)
{
    return pl_error_in_task(payload, status, plait_context_task(ctx),
                            plait_context_key(ctx), format, args);
}

plait_value pl_error_in_task_f(plait_context *ctx, plait_status status,
                               const char *format, ...)
{
    va_list args;
    va_start(args, format);
    plait_value error = fail(ctx, plait_nil(), status, format, args);
    va_end(args);
    return error;
}

plait_value pl_error_in_task_with(plait_context *ctx, plait_value payload,
                                  plait_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    plait_value error = fail(ctx, payload, status, format, args);
    va_end(args);
    return error;
}

plait_value plait_fail(plait_context *ctx, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    plait_value error = fail(
        ctx, plait_nil(), plait_timed_out(ctx) ? PLAIT_ETIMEDOUT : PLAIT_ETASK,
        format, args);
    va_end(args);
    return error;
}

plait_value plait_fail_with(plait_context *ctx, plait_value payload,
                            const char *format, ...)
{
    va_list args;
    va_start(args, format);
    plait_value error =
        fail(ctx, payload, plait_timed_out(ctx) ? PLAIT_ETIMEDOUT : PLAIT_ETASK,
             format, args);
    va_end(args);
    return error;
}
