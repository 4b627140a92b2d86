/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * graphviz.c: pictures by Graphviz.
 *
 * The library is loaded when it is first needed, and so is no dependency of
 * ours: the few functions are declared here. It keeps state in the process,
 * and so one thread at a time uses it. Pictures are made in memory, since it
 * ends the process when it fails to write a file.
 */
#include "observe/graphviz.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "platform/library.h"
#include "platform/thread.h"

typedef struct gv_context gv_context;
typedef struct gv_graph gv_graph;
typedef int (*gv_tell)(char *text);

/* What changed its type between libgvc 6 and 7. */
typedef union gv_length {
    unsigned six;
    size_t seven;
} gv_length;

typedef struct graphviz {
    bool is_seven;
    gv_context *context; /* one for all time: making it reads many files */
    char **formats;      /* and so does the list of what it draws */
    int n_formats;
    gv_context *(*new_context)(void);
    int (*layout)(gv_context *, gv_graph *, const char *engine);
    int (*free_layout)(gv_context *, gv_graph *);
    int (*render)(gv_context *, gv_graph *, const char *format, char **data,
                  gv_length *length);
    void (*free_data)(char *data);
    char **(*list_six)(gv_context *, const char *kind, int *n, char *);
    char **(*list_seven)(gv_context *, const char *kind, int *n);
    gv_graph *(*read)(const char *text);
    int (*close)(gv_graph *);
    gv_tell (*set_tell)(gv_tell);
} graphviz;

/* Graphviz is one in a process, and so is this. */
static pl_mutex mutex = PL_MUTEX_INIT;
/* guarded by mutex */
static graphviz loaded;
static char words[256]; /* the last thing it said */

/* ---- loading ---- */

static void *open_library(bool *is_seven, char *why, size_t size)
{
    static const char *const six[] = { "libgvc.so.6", "libgvc.6.dylib", NULL };
    static const char *const seven[] = { "libgvc.so.7", "libgvc.7.dylib",
                                         NULL };
    char ignored[8];
    void *library = pl_library_open(six, why, size);
    *is_seven = !library;
    return library ? library : pl_library_open(seven, ignored, sizeof ignored);
}

static bool find_functions(void *library, graphviz *gv)
{
    const struct {
        const char *name;
        void *function;
        size_t size;
    } wanted[] = {
        { "gvContext", &gv->new_context, sizeof gv->new_context },
        { "gvLayout", &gv->layout, sizeof gv->layout },
        { "gvFreeLayout", &gv->free_layout, sizeof gv->free_layout },
        { "gvRenderData", &gv->render, sizeof gv->render },
        { "gvFreeRenderData", &gv->free_data, sizeof gv->free_data },
        { "gvPluginList", &gv->list_six, sizeof gv->list_six },
        { "gvPluginList", &gv->list_seven, sizeof gv->list_seven },
        { "agmemread", &gv->read, sizeof gv->read },
        { "agclose", &gv->close, sizeof gv->close },
        { "agseterrf", &gv->set_tell, sizeof gv->set_tell },
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (!pl_library_function(library, wanted[i].name, wanted[i].function,
                                 wanted[i].size))
            return false;
    }
    return true;
}

static plait_status load(plait_error *err)
{
    if (loaded.context)
        return PLAIT_OK;
    graphviz gv = { 0 };
    char why[200];
    void *library = open_library(&gv.is_seven, why, sizeof why);
    if (!library)
        return pl_error_set(
            err, PLAIT_EUNAVAILABLE,
            "drawing needs Graphviz, which is not installed (%s): install it "
            "(apt install graphviz, dnf install graphviz, brew install "
            "graphviz), or draw to a .dot file",
            why);
    if (!find_functions(library, &gv))
        return pl_error_set(err, PLAIT_EUNAVAILABLE,
                            "this version of Graphviz lacks functions that "
                            "drawing needs: draw to a .dot file");
    gv.context = gv.new_context();
    if (!gv.context)
        return pl_error_nomem(err);
    gv.formats = gv.is_seven
                     ? gv.list_seven(gv.context, "device", &gv.n_formats)
                     : gv.list_six(gv.context, "device", &gv.n_formats, NULL);
    if (!gv.formats)
        gv.n_formats = 0;
    loaded = gv;
    return PLAIT_OK;
}

/* Those that are windows, not files. */
static bool is_window(const char *format)
{
    return strcmp(format, "x11") == 0 || strcmp(format, "xlib") == 0 ||
           strcmp(format, "gtk") == 0;
}

static bool knows_format(const char *format)
{
    for (int i = 0; i < loaded.n_formats; i++) {
        if (strcmp(loaded.formats[i], format) == 0)
            return !is_window(format);
    }
    return false;
}

static plait_status check_format(const char *format, plait_error *err)
{
    if (knows_format(format))
        return PLAIT_OK;
    pl_strbuf known = { 0 };
    for (int i = 0; i < loaded.n_formats; i++) {
        if (!is_window(loaded.formats[i]))
            pl_strbuf_printf(&known, " %s", loaded.formats[i]);
    }
    plait_status status =
        pl_strbuf_ok(&known)
            ? pl_error_set(
                  err, PLAIT_EINVAL,
                  "Graphviz doesn't know the format \"%s\"; it knows%s", format,
                  known.text ? known.text : " none")
            : pl_error_nomem(err);
    pl_strbuf_fini(&known);
    return status;
}

/* ---- drawing ---- */

/* It would write to stderr. */
static int hear(char *text)
{
    snprintf(words, sizeof words, "%s", text);
    words[strcspn(words, "\n")] = '\0';
    return 0;
}

static plait_status refuse(plait_error *err, const char *what)
{
    return pl_error_set(err, PLAIT_EINVAL, "Graphviz can't %s the graph%s%s",
                        what, words[0] ? ": " : "", words);
}

static plait_status render(gv_graph *graph, const char *format,
                           pl_graphviz_sink sink, void *user, plait_error *err)
{
    if (loaded.layout(loaded.context, graph, "dot") != 0)
        return refuse(err, "lay out");
    char *data = NULL;
    gv_length length = { .seven = 0 };
    plait_status status = PLAIT_OK;
    if (loaded.render(loaded.context, graph, format, &data, &length) != 0 ||
        !data)
        status = refuse(err, "draw");
    else if (!sink(data, loaded.is_seven ? length.seven : length.six, user,
                   err))
        status = PLAIT_ESYS;
    if (data)
        loaded.free_data(data);
    loaded.free_layout(loaded.context, graph);
    return status;
}

static plait_status render_text(const char *text, const char *format,
                                pl_graphviz_sink sink, void *user,
                                plait_error *err)
{
    plait_status status = check_format(format, err);
    if (status != PLAIT_OK)
        return status;
    gv_graph *graph = loaded.read(text);
    if (!graph)
        return refuse(err, "read");
    status = render(graph, format, sink, user, err);
    loaded.close(graph);
    return status;
}

plait_status pl_graphviz_render(const char *text, const char *format,
                                pl_graphviz_sink sink, void *user,
                                plait_error *err)
{
    pl_mutex_lock(&mutex);
    plait_status status = load(err);
    if (status == PLAIT_OK) {
        words[0] = '\0';
        gv_tell before = loaded.set_tell(hear);
        status = render_text(text, format, sink, user, err);
        loaded.set_tell(before);
    }
    pl_mutex_unlock(&mutex);
    return status;
}
