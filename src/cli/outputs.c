/* SPDX-License-Identifier: BSD-3-Clause */
/* outputs.c: the log, the trace, the progress and the drawn graph of a run. */
#include "cli/outputs.h"

#include <stdio.h>

#include "cli/report.h"

static struct {
    pl_gate gate;
    plait_observer *progress;
    plait_observer *profile;
    pthread_mutex_t mutex;

    // guarded by mutex
    plait_observer *trace;
} outputs = { .gate = PL_GATE_INIT, .mutex = PTHREAD_MUTEX_INITIALIZER };

bool pl_outputs_open_log(const pl_run_options *run)
{
    plait_error err = { PLAIT_ERROR_INIT };
    plait_log_level(run->log_level);
    if (!run->log || plait_log_open(run->log, NULL, &err) == PLAIT_OK)
        return true;
    pl_report("%s", err.message);
    return false;
}

static bool open_trace(const char *path)
{
    plait_error err = { PLAIT_ERROR_INIT };
    outputs.trace = plait_trace_new(path, &err);
    if (outputs.trace)
        pl_gate_add(&outputs.gate, outputs.trace);
    else
        pl_report("%s", err.message);
    return outputs.trace != NULL;
}

static bool add_observer(plait_observer *observer)
{
    if (observer)
        pl_gate_add(&outputs.gate, observer);
    else
        pl_report("out of memory");
    return observer != NULL;
}

bool pl_outputs_open_observers(const pl_run_options *run)
{
    if (run->progress)
        outputs.progress = plait_progress_new(stderr);
    if (run->graph)
        outputs.profile = plait_profile_new();
    return (!run->trace || open_trace(run->trace)) &&
           (!run->progress || add_observer(outputs.progress)) &&
           (!run->graph || add_observer(outputs.profile));
}

const pl_gate *pl_outputs_gate(void)
{
    return &outputs.gate;
}

void pl_outputs_end_run(void)
{
    pl_gate_close(&outputs.gate);
    plait_progress_free(outputs.progress);
    outputs.progress = NULL;
}

bool pl_outputs_draw(const pl_run_options *run, const plait_graph *graph,
                     plait_task task)
{
    plait_error err = { PLAIT_ERROR_INIT };
    if (plait_graph_draw(graph, &task, 1, outputs.profile, run->graph, &err) ==
        PLAIT_OK)
        return true;
    pl_report("cannot draw the graph: %s", err.message);
    return false;
}

bool pl_outputs_close(void)
{
    bool ok = true;
    plait_error err = { PLAIT_ERROR_INIT };
    pthread_mutex_lock(&outputs.mutex);
    pl_gate_close(&outputs.gate);
    if (outputs.trace && plait_trace_free(outputs.trace, &err) != PLAIT_OK) {
        pl_report("cannot write the trace: %s", err.message);
        ok = false;
    }
    outputs.trace = NULL;
    plait_log_close();
    pthread_mutex_unlock(&outputs.mutex);
    return ok;
}

void pl_outputs_fini(const pl_run_options *run)
{
    plait_error err = { PLAIT_ERROR_INIT };
    plait_progress_free(outputs.progress);
    plait_profile_free(outputs.profile);
    outputs.progress = NULL;
    outputs.profile = NULL;
    if (run->log && plait_log_lost(&err) > 0)
        pl_report("%s: %s", run->log, err.message);
}
