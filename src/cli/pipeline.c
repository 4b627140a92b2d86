/* SPDX-License-Identifier: BSD-3-Clause */
/* pipeline.c: loads a pipeline from a shared library. */
#include "cli/pipeline.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/report.h"

/* dlsym gives functions as void *, which C can't cast. */
static void find_function(void *library, const char *name, void *function,
                          size_t size)
{
    void *address = dlsym(library, name);
    memcpy(function, &address, size);
}

static const char *loading;

/* Nothing but write: the loader may hold locks. */
static void on_bus_error(int number)
{
    static const char words[] = ": the file is cut short\n";
    static const char who[] = "plait: cannot load ";
    (void)number;
    (void)!write(STDERR_FILENO, who, sizeof who - 1);
    (void)!write(STDERR_FILENO, loading, strlen(loading));
    (void)!write(STDERR_FILENO, words, sizeof words - 1);
    _exit(PL_EXIT_USAGE);
}

/* The loader maps a library without a look at its length: what is not there of
 * it raises SIGBUS. */
static void *load(const char *path)
{
    struct sigaction action = { .sa_handler = on_bus_error };
    struct sigaction before;
    loading = path;
    sigaction(SIGBUS, &action, &before);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    sigaction(SIGBUS, &before, NULL);
    return library;
}

static void *open_library(const char *path)
{
    size_t size = strlen(path) + sizeof "./";
    char *local = malloc(size);
    if (!local) {
        pl_report("out of memory");
        return NULL;
    }
    snprintf(local, size, "%s%s", strchr(path, '/') ? "" : "./", path);
    void *library = load(local);
    if (!library) {
        const char *why = dlerror();
        size_t length = strlen(local);
        /* the loader's words mostly begin with the path */
        bool named = strncmp(why, local, length) == 0 && why[length] == ':';
        pl_report("cannot load %s%s%s", named ? "" : local, named ? "" : ": ",
                  why);
    }
    free(local);
    return library;
}

static const char *file_of(unsigned (*function)(void))
{
    Dl_info info;
    void *address;
    memcpy(&address, &function, sizeof address);
    return dladdr(address, &info) && info.dli_fname ? info.dli_fname : "?";
}

/* A process holds one libplait: values and types of another would not be
 * understood. A library that was linked to none uses ours. */
static bool is_ours(const char *path, void *library)
{
    unsigned (*theirs)(void);
    find_function(library, "plait_abi_version", &theirs, sizeof theirs);
    if (!theirs || theirs == plait_abi_version)
        return true;
    pl_report("%s uses another libplait, %s, than this program, %s: link it to "
              "that one (pkg-config --libs plait), and not to a static copy",
              path, file_of(theirs), file_of(plait_abi_version));
    return false;
}

pl_pipeline_fn pl_pipeline_load(const char *path)
{
    pl_pipeline_fn pipeline = NULL;
    if (!*path) {
        pl_report("the name of the library is empty");
        return NULL;
    }
    void *library = open_library(path);
    if (!library || !is_ours(path, library))
        return NULL;
    find_function(library, "plait_pipeline", &pipeline, sizeof pipeline);
    if (!pipeline)
        pl_report("%s has no plait_pipeline; it should export "
                  "plait_task plait_pipeline(plait_graph *graph, int argc, "
                  "char **argv)",
                  path);
    return pipeline;
}
