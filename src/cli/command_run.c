/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * command_run.c: `plait run`: loads a pipeline, has it draw its graph, runs
 * that, prints what came of it.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <plait/plait.h>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/outcome.h"
#include "cli/outputs.h"
#include "cli/pipeline.h"
#include "cli/report.h"
#include "cli/run_options.h"

typedef struct run_job {
    const pl_run_options *run;
    plait_graph *graph;
    plait_task task;
} run_job;

/* ---- running ---- */

static void on_begin(const plait_event *event, void *user)
{
    (void)user;
    pl_interrupt_set_run(event->run, event->graph);
}

/* sync runs everything in here: the run is known from its first event. */
static plait_run *start(const run_job *job, plait_error *err)
{
    static const plait_observer beginning = { PLAIT_OBSERVER_INIT,
                                              .kinds = PLAIT_RUN_BEGIN,
                                              .on_event = on_begin };
    const pl_gate *gate = pl_outputs_gate();
    const plait_observer *observers[PL_GATE_ROOM + 1] = { &beginning };
    memcpy(observers + 1, gate->observers, gate->n * sizeof *observers);
    plait_options options = job->run->options;
    options.observers = observers;
    options.n_observers = gate->n + 1;
    plait_log(NULL, PLAIT_INFO, "run begins: %s, a graph of %zu tasks",
              job->run->argv[0], plait_graph_size(job->graph));
    plait_run *run = plait_start(job->graph, &job->task, 1, &options, err);
    if (run)
        pl_interrupt_set_run(run, job->graph);
    return run;
}

static plait_status wait_for(plait_run *run, plait_error *err)
{
    plait_status status;
    do
        status = plait_run_wait(run, -1, err);
    while (status == PLAIT_EINTR || status == PLAIT_EAGAIN);
    return status;
}

static void log_end(plait_run *run, plait_status status)
{
    plait_counts counts = { PLAIT_COUNTS_INIT };
    if (plait_run_counts(run, &counts) != PLAIT_OK)
        return;
    plait_log(NULL, PLAIT_INFO,
              "run ended: %s; of %zu tasks %zu done, %zu failed, %zu skipped",
              plait_status_text(status), counts.total, counts.done,
              counts.failed, counts.skipped);
}

/* Prints the result and reports what failed; the exit status. */
static int print_outcome(const run_job *job, plait_run *run,
                         plait_status status, const plait_error *err)
{
    const plait_task first_target = { 0, 0 };
    plait_value value = plait_nil();
    plait_status got = plait_run_result(run, first_target, &value, NULL);
    bool collected = status == PLAIT_OK && plait_is_error(value);
    if (got == PLAIT_OK || collected)
        pl_outcome_print(value, job->run->json);
    plait_release(value);
    bool written = pl_flush_output();
    size_t failures = pl_outcome_report_failures(run);
    if (status != PLAIT_OK && failures == 0)
        pl_outcome_report(err, err->message);
    bool ok = status == PLAIT_OK && failures == 0 && written;
    return ok ? PL_EXIT_OK : PL_EXIT_FAILED;
}

static int compute(const run_job *job)
{
    plait_error err = { PLAIT_ERROR_INIT };
    plait_run *run = start(job, &err);
    if (!run) {
        pl_report("%s", err.message);
        return PL_EXIT_USAGE;
    }
    plait_status status = wait_for(run, &err);
    pl_interrupt_clear_run();
    log_end(run, status);
    pl_outputs_end_run();
    int exit_status = print_outcome(job, run, status, &err);
    if (job->run->graph && !pl_outputs_draw(job->run, job->graph, job->task))
        exit_status = PL_EXIT_FAILED;
    if (!pl_outputs_close())
        exit_status = PL_EXIT_FAILED;
    pl_outputs_fini(job->run);
    plait_task running;
    if (plait_run_running(run, &running, 1) > 0)
        _exit(exit_status); /* they would see main's things go */
    plait_run_free(run);
    return exit_status;
}

/* ---- drawing ---- */

static int dry_run(const run_job *job)
{
    bool ok;
    if (job->run->graph)
        ok = pl_outputs_draw(job->run, job->graph, job->task);
    else
        ok = plait_graph_dot(job->graph, &job->task, 1, stdout) == PLAIT_OK &&
             pl_flush_output();
    return ok ? PL_EXIT_OK : PL_EXIT_FAILED;
}

/* The pipeline's task; false, reported: it drew none. */
static bool build(run_job *job, pl_pipeline_fn pipeline)
{
    plait_error err = { PLAIT_ERROR_INIT };
    optind = 0; /* the pipeline may use getopt: it begins anew */
    opterr = 1;
    job->task = pipeline(job->graph, job->run->argc, job->run->argv);
    if (plait_graph_status(job->graph, &err) != PLAIT_OK) {
        pl_report("%s: %s", job->run->argv[0], err.message);
        return false;
    }
    if (job->task.id == 0) {
        pl_report("%s: plait_pipeline returned no task", job->run->argv[0]);
        return false;
    }
    return true;
}

static int run_pipeline(run_job *job, pl_pipeline_fn pipeline)
{
    if (!build(job, pipeline))
        return PL_EXIT_USAGE;
    if (job->run->dry_run)
        return dry_run(job);
    if (!pl_outputs_open_observers(job->run))
        return PL_EXIT_USAGE;
    return compute(job);
}

static int load_and_run(const pl_run_options *run)
{
    pl_pipeline_fn pipeline = pl_pipeline_load(run->argv[0]);
    if (!pipeline || !pl_outputs_open_log(run))
        return PL_EXIT_USAGE;
    run_job job = { .run = run, .graph = plait_graph_new() };
    int exit_status = PL_EXIT_FAILED;
    if (job.graph)
        exit_status = run_pipeline(&job, pipeline);
    else
        pl_report("out of memory");
    plait_graph_free(job.graph);
    pl_outputs_close();
    return exit_status;
}

static void write_files(void *user)
{
    (void)user;
    pl_outputs_close();
}

int pl_command_run(int argc, char **argv)
{
    pl_run_options run;
    if (!pl_run_options_read(&run, argc, argv)) {
        pl_report("try 'plait run --help'");
        return PL_EXIT_USAGE;
    }
    if (run.help) {
        pl_run_options_help();
        return pl_flush_output() ? PL_EXIT_OK : PL_EXIT_FAILED;
    }
    if (!pl_interrupt_watch(write_files, NULL))
        return PL_EXIT_FAILED;
    return load_and_run(&run);
}
