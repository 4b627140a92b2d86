/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * peer_tbb.cpp: oneTBB's flow graph. A continue_node per task; its body reads
 * and writes the values' array, the messages only say that an input is there.
 * The nodes lie in one deque. The sources are started in parallel, from inside
 * the arena, which was the fastest of the ways tried.
 *
 * Built with BENCH_LIGHTWEIGHT, nodes have the lightweight policy: a task runs
 * inside the one that made it ready, as a call. That spawns less, and needs a
 * stack as deep as the graph is long.
 */
#include <cstdio>
#include <deque>
#include <memory>
#include <new>

#include <tbb/flow_graph.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

#include "system.h"

namespace {

using message = tbb::flow::continue_msg;
#ifdef BENCH_LIGHTWEIGHT
using node = tbb::flow::continue_node<message, tbb::flow::lightweight>;
constexpr const char *name = "tbb-lightweight";
#else
using node = tbb::flow::continue_node<message>;
constexpr const char *name = "tbb";
#endif

struct peer {
    bench_workload *workload;
    tbb::global_control control;
    tbb::task_arena arena;
    std::unique_ptr<tbb::flow::graph> graph;
    std::deque<node> nodes;

    peer(bench_workload *w, unsigned workers)
        : workload(w),
          control(tbb::global_control::max_allowed_parallelism, workers),
          arena(static_cast<int>(workers))
    {
    }
};

void *peer_open(bench_workload *workload, unsigned workers)
{
    peer *self = new (std::nothrow) peer(workload, workers);
    if (self)
        self->arena.execute([] { tbb::parallel_for(0, 1000, [](int) {}); });
    return self;
}

bool peer_build(void *opened)
{
    peer *self = static_cast<peer *>(opened);
    const bench_workload *workload = self->workload;
    const bench_graph &edges = workload->graph;
    self->arena.execute(
        [&] { self->graph = std::make_unique<tbb::flow::graph>(); });
    for (uint32_t task = 0; task < edges.n_tasks; task++) {
        self->nodes.emplace_back(*self->graph,
                                 [workload, task](const message &) {
                                     bench_execute(workload, task);
                                     return message();
                                 });
        for (uint32_t i = edges.input_at[task]; i < edges.input_at[task + 1];
             i++)
            tbb::flow::make_edge(self->nodes[edges.inputs[i]],
                                 self->nodes[task]);
    }
    return true;
}

bool peer_run(void *opened)
{
    peer *self = static_cast<peer *>(opened);
    const bench_graph &edges = self->workload->graph;
    self->arena.execute([&] {
        tbb::parallel_for(uint32_t(0), edges.n_sources, [&](uint32_t i) {
            self->nodes[edges.sources[i]].try_put(message());
        });
        self->graph->wait_for_all();
    });
    return true;
}

void peer_discard(void *opened)
{
    peer *self = static_cast<peer *>(opened);
    self->nodes.clear();
    self->graph.reset();
}

void peer_close(void *opened)
{
    delete static_cast<peer *>(opened);
}

} // namespace

extern const bench_system bench_system_measured;
const bench_system bench_system_measured = {
    name,    peer_open, peer_build, nullptr,      peer_run,
    nullptr, nullptr,   nullptr,    peer_discard, peer_close,
};
