/* SPDX-License-Identifier: BSD-3-Clause */
/* pipeline.c: loads a pipeline from a shared library. */
#include "cli/pipeline.h"

#include <dlfcn.h>
#include <string.h>

#include <plait/library.h>

#include "cli/report.h"

/* dlsym gives functions as void *, which C can't cast. */
static void find_function(void *library, const char *name, void *function,
                          size_t size)
{
    void *address = dlsym(library, name);
    memcpy(function, &address, size);
}

pl_pipeline_fn pl_pipeline_load(const char *path)
{
    pl_pipeline_fn pipeline = NULL;
    plait_error err = { PLAIT_ERROR_INIT };
    if (!*path) {
        pl_report("the name of the library is empty");
        return NULL;
    }
    void *library = plait_library_load(path, &err);
    if (!library) {
        pl_report("cannot load %s: %s", path, err.message);
        return NULL;
    }
    find_function(library, "plait_pipeline", &pipeline, sizeof pipeline);
    if (!pipeline)
        pl_report("%s has no plait_pipeline; it should export "
                  "plait_task plait_pipeline(plait_graph *graph, int argc, "
                  "char **argv)",
                  path);
    return pipeline;
}
