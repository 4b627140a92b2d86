/* SPDX-License-Identifier: BSD-3-Clause */
/* lane.c: calling a task's function. */
#include "engine/lane.h"

#include "base/alloc.h"
#include "engine/call.h"
#include "engine/context.h"
#include "platform/clock.h"
#include "platform/thread.h"

static PL_THREAD_LOCAL plait_context *current_context;

plait_context *pl_context_current(void)
{
    return current_context;
}

void pl_lane_init(pl_lane *lane, plait_run *run, unsigned worker)
{
    lane->run = run;
    lane->worker = worker;
    lane->context = (plait_context){ .run = run,
                                     .lane = lane,
                                     .attempt = 1,
                                     .deadline_ns = INT64_MAX,
                                     .key_task = PL_NONE };
    lane->held_successor = PL_NONE;
    lane->held_input = PL_NONE;
    atomic_init(&lane->current, PL_NONE);
}

void pl_lane_fini(pl_lane *lane)
{
    pl_free(lane->args);
}

static bool is_attached(const pl_lane *lane)
{
    /* relaxed: only this thread writes it */
    return lane->attachment &&
           atomic_load_explicit(&lane->attachment->now, memory_order_relaxed);
}

void pl_lane_attached(pl_lane *lane)
{
    lane->careful = lane->run->careful || is_attached(lane);
}

void pl_lane_enter(pl_lane *lane, pl_attachment *attachment)
{
    lane->attachment = attachment;
    lane->context.outer = current_context;
    pl_lane_attached(lane);
    current_context = &lane->context;
}

void pl_lane_leave(pl_lane *lane)
{
    pl_lane_rest(lane);
    current_context = lane->context.outer;
    lane->context.outer = NULL;
    lane->attachment = NULL;
}

unsigned pl_run_retries_of(const plait_run *run, uint32_t task)
{
    const pl_task_options *options = pl_plan_task_options(run->plan, task);
    return options && options->retries ? options->retries : run->retries;
}

static unsigned timeout_of(const plait_run *run, uint32_t task)
{
    const pl_task_options *options = pl_plan_task_options(run->plan, task);
    return options && options->timeout_ms ? options->timeout_ms
                                          : run->timeout_ms;
}

/* A task can't hand a reference on: nothing would ever resolve it. */
static plait_value check_result(plait_context *ctx, plait_value result)
{
    if (!pl_has_refs(result))
        return result;
    plait_release(result);
    return pl_error_in_task_f(ctx, PLAIT_ETYPE,
                              "returned a reference to a task: a task must "
                              "return a value; call plait_compute in it, or "
                              "add tasks where the graph is built");
}

/* An error that a task made without its context (plait_error_value) gets the
 * task's name; what already names a task, or no memory, is left as it is. */
static plait_value name_error(plait_context *ctx, plait_value error)
{
    const plait_error *info = plait_as_error(error);
    if (info->task.id != 0 || info->status == PLAIT_ENOMEM)
        return error;
    plait_value named =
        pl_error_in_task_with(ctx, plait_retain(plait_error_payload(error)),
                              info->status, "%s", plait_error_text(error));
    if (plait_error_is_stop(error))
        named = plait_error_stop(named);
    plait_release(error);
    return named;
}

/* Room for n arguments: the lane's own when they are many. */
static plait_value *room_for_args(pl_lane *lane, size_t n)
{
    if (n <= lane->args_room)
        return lane->args;
    size_t bytes;
    plait_value *args =
        pl_mul_size(n, sizeof *args, &bytes) ? pl_alloc(bytes) : NULL;
    if (!args)
        return NULL;
    pl_free(lane->args);
    lane->args = args;
    lane->args_room = n;
    return args;
}

/* Takes the thread to where the function can run. */
static bool attach(pl_lane *lane, const pl_function *function)
{
    if (!function->runtime && !is_attached(lane)) {
        pl_lane_attached(lane); /* it may have let go of its last one */
        return true;
    }
    bool ready =
        lane->attachment && pl_attach(lane->attachment, function->runtime,
                                      lane->run, lane->run->user);
    pl_lane_attached(lane);
    return ready;
}

static plait_value call_attached(pl_lane *lane, const pl_node *node)
{
    plait_run *run = lane->run;
    const pl_function *function = pl_plan_function(run->plan, node);
    size_t n = pl_gather_count(run, node);
    plait_value few[PL_ARGS_INLINE];
    plait_value *args = n <= PL_ARGS_INLINE ? few : room_for_args(lane, n);
    if (!args)
        return pl_error_nomem_value();
    plait_value result;
    if (!pl_gather_careful(run, node, args, &result)) {
        plait_retain(result);
        pl_gather_release(run, node, args);
        return result;
    }
    int64_t deadline_ns = lane->context.deadline_ns;
    bool timed =
        function->runtime && deadline_ns != INT64_MAX && run->on_deadline;
    if (timed)
        run->on_deadline(lane, deadline_ns);
    result = function->fn(&lane->context, args, n);
    if (timed)
        run->on_deadline(lane, INT64_MAX);
    pl_gather_release(run, node, args);
    if (function->runtime)
        pl_attachment_task_done(lane->attachment);
    return result;
}

/* One attempt, with everything that a task can ask for. */
static plait_value call_once(pl_lane *lane, uint32_t task)
{
    plait_run *run = lane->run;
    const pl_node *node = &run->nodes[task];
    plait_context *ctx = &lane->context;
    if (!attach(lane, pl_plan_function(run->plan, node)))
        return pl_error_in_task_f(ctx, PLAIT_ECLOSED,
                                  "the language runtime of its function is "
                                  "closed");
    unsigned timeout_ms = timeout_of(run, task);
    ctx->deadline_ns = timeout_ms ? pl_clock_after_ms(timeout_ms) : INT64_MAX;
    pl_run_tell(run, PLAIT_TASK_BEGIN, task, lane->worker, plait_nil());
    plait_value result = check_result(ctx, call_attached(lane, node));
    ctx->deadline_ns = INT64_MAX;
    if (plait_is_error(result))
        return name_error(ctx, result);
    pl_run_tell(run, PLAIT_TASK_END, task, lane->worker, result);
    return result;
}

static bool may_retry(const plait_run *run, plait_value error)
{
    return !plait_error_is_stop(error) &&
           !(pl_run_trouble(run) & PL_TROUBLE_STOPPING);
}

plait_value pl_lane_check(pl_lane *lane, plait_value result)
{
    result = check_result(&lane->context, result);
    return plait_is_error(result) ? name_error(&lane->context, result) : result;
}

/* Whether it is a runtime's task on a thread that is attached to that, with
 * nothing else to be careful of. */
static bool is_at_home(const pl_lane *lane, const pl_node *node)
{
    const plait_run *run = lane->run;
    return (pl_node_flags(node) & ~(uint32_t)PL_NODE_TARGET) ==
               PL_NODE_RUNTIME &&
           !run->careful && lane->attachment &&
           pl_attachment_is_in(lane->attachment,
                               pl_plan_function(run->plan, node)->runtime, run);
}

static plait_value call_at_home(pl_lane *lane, const pl_node *node)
{
    plait_value args[PL_ARGS_INLINE];
    size_t n = pl_gather_plain(lane->run, node, args);
    plait_value result =
        pl_plan_function(lane->run->plan, node)->fn(&lane->context, args, n);
    pl_attachment_task_done(lane->attachment);
    return result.kind >= PLAIT_KIND_REF ? pl_lane_check(lane, result) : result;
}

plait_value pl_lane_call_carefully(pl_lane *lane, uint32_t task)
{
    plait_run *run = lane->run;
    if (is_at_home(lane, &run->nodes[task]))
        return call_at_home(lane, &run->nodes[task]);
    unsigned retries = pl_run_retries_of(run, task);
    plait_value result = call_once(lane, task);
    while (plait_is_error(result) && lane->context.attempt <= retries &&
           may_retry(run, result)) {
        pl_run_tell(run, PLAIT_TASK_RETRIED, task, lane->worker, result);
        plait_release(result);
        lane->context.attempt++;
        result = call_once(lane, task);
    }
    lane->context.attempt = 1;
    return result;
}

plait_value pl_lane_call_once(pl_lane *lane, uint32_t task, uint32_t attempt)
{
    /* relaxed: a statistic */
    atomic_store_explicit(&lane->current, task, memory_order_relaxed);
    lane->context.attempt = attempt;
    plait_value result = call_once(lane, task);
    lane->context.attempt = 1;
    pl_lane_rest(lane);
    return result;
}
