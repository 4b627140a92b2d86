/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dot.c: a graph as Graphviz text. Tasks are circles (ellipses when the key is
 * long), literals are boxes that show their value, an arrow goes from a task to
 * each that uses it, and what was asked for has a double line.
 *
 * Nodes are named by number; keys and values only come in as quoted labels.
 */
#include "graph/dot.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/utf8.h"
#include "graph/graph.h"

#define CIRCLE_CHARACTERS 14
#define LABEL_CHARACTERS 40
#define NOTE_CHARACTERS 120
/* Labels have escapes of their own: \N, \G, \l. Tooltips too, but Graphviz 2.43
 * undoes them twice, and reads beyond the end of one that ends with a
 * backslash: they get a character that looks like it, U+29F5. */
#define LABEL_BACKSLASH "\\\\"
#define NOTE_BACKSLASH "\xe2\xa7\xb5"
#define CHUNK_BYTES ((size_t)64 * 1024)

/* One drawing. Arrays are by id; 0 is no task. */
typedef struct drawing {
    const pl_dot_request *request;
    unsigned char *shown; /* SHOWN, TARGET */
    uint32_t *used_by;    /* the last user seen: f(x, x) gives one arrow */
    uint32_t last;        /* the highest id shown */
    uint32_t user;        /* whose inputs are being visited */
    size_t size;          /* tasks and arrows */
    pl_strbuf *text;
    FILE *stream; /* NULL: all stays in `text` */
    plait_error *err;
} drawing;

enum { SHOWN = 1, TARGET = 2 };

/* ---- text ---- */

/* Whether XML, and so SVG, has no such character, however it is escaped. */
static bool is_unprintable(const char *text, size_t length)
{
    unsigned char first = (unsigned char)text[0];
    if (length == 1)
        return first < 0x20 || first == 0x7f;
    return length == 3 && (memcmp(text, "\xef\xbf\xbe", 3) == 0 ||
                           memcmp(text, "\xef\xbf\xbf", 3) == 0);
}

/* What stands for a character; NULL: itself. */
static const char *escape_of(const char *at, size_t length,
                             const char *backslash)
{
    if (length == 0)
        return PL_UTF8_REPLACEMENT;
    switch (*at) {
    case '"':
        return "\\\"";
    case '\\':
        return backslash;
    case '&': /* labels have entities */
        return "&amp;";
    case '\n':
        return "\\n";
    case '\t':
        return " ";
    default:
        return is_unprintable(at, length) ? PL_UTF8_REPLACEMENT : NULL;
    }
}

static void escape(pl_strbuf *text, const char *plain, size_t most,
                   const char *backslash)
{
    size_t left = strlen(plain);
    for (size_t shown = 0; left > 0; shown++) {
        if (shown == most) {
            pl_strbuf_puts(text, "\xe2\x80\xa6"); /* an ellipsis */
            break;
        }
        size_t length = pl_utf8_length(plain, left);
        const char *escaped = escape_of(plain, length, backslash);
        if (escaped)
            pl_strbuf_puts(text, escaped);
        else
            pl_strbuf_add(text, plain, length);
        size_t step = length ? length : 1;
        plain += step;
        left -= step;
    }
}

void pl_dot_quote(pl_strbuf *text, const char *plain, size_t most)
{
    pl_strbuf_puts(text, "\"");
    escape(text, plain, most, LABEL_BACKSLASH);
    pl_strbuf_puts(text, "\"");
}

/* Hands the text on to the stream, when there is enough of it or at the end. */
static plait_status flush(drawing *d, bool at_end)
{
    if (!pl_strbuf_ok(d->text))
        return pl_error_nomem(d->err);
    if (!d->stream || (!at_end && d->text->length < CHUNK_BYTES))
        return PLAIT_OK;
    errno = 0;
    size_t length = d->text->length;
    d->text->length = 0;
    if ((length && fwrite(d->text->text, 1, length, d->stream) != length) ||
        (at_end && fflush(d->stream) != 0))
        return pl_error_sys(d->err, errno, "cannot write the graph");
    return PLAIT_OK;
}

/* ---- what is shown ---- */

static bool show_input(uint32_t input, void *user)
{
    drawing *d = user;
    if (d->used_by[input] != d->user) {
        d->used_by[input] = d->user;
        d->size++;
    }
    d->size += !d->shown[input];
    d->shown[input] |= SHOWN;
    return true;
}

static plait_status show_target(drawing *d, plait_task task)
{
    const plait_graph *graph = d->request->graph;
    if (task.graph != graph->number || task.id - 1 >= graph->nodes.length)
        return pl_error_set(d->err, PLAIT_EINVAL,
                            "task %u of graph %u can't be drawn: it is no task "
                            "of graph %u",
                            task.id, task.graph, graph->number);
    d->size += !d->shown[task.id];
    d->shown[task.id] = SHOWN | TARGET;
    if (d->last < task.id)
        d->last = task.id;
    return PLAIT_OK;
}

/* Marks the targets, and by one backward sweep what they need. */
static plait_status show(drawing *d)
{
    const pl_dot_request *request = d->request;
    if (request->n > 0 && !request->tasks)
        return pl_error_set(d->err, PLAIT_EINVAL, "the tasks are NULL");
    for (size_t i = 0; i < request->n; i++) {
        plait_status status = show_target(d, request->tasks[i]);
        if (status != PLAIT_OK)
            return status;
    }
    if (request->n == 0) {
        d->last = request->graph->nodes.length;
        d->size = d->last;
        memset(d->shown, SHOWN, (size_t)d->last + 1);
    }
    for (d->user = d->last; d->user > 0; d->user--) {
        if (d->shown[d->user])
            pl_graph_each_input(request->graph, d->user, show_input, d);
    }
    memset(d->used_by, 0, ((size_t)d->last + 1) * sizeof *d->used_by);
    if (request->limit == 0 || d->size <= request->limit)
        return PLAIT_OK;
    return pl_error_set(d->err, PLAIT_EINVAL,
                        "%zu tasks and uses are too many for a picture (at "
                        "most %zu): draw fewer targets, or write a .dot file",
                        d->size, request->limit);
}

/* ---- nodes and arrows ---- */

static size_t count_characters(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void add_look(drawing *d, plait_task task, const char *key)
{
    pl_dot_look look = { .note = "" };
    const pl_dot_style *style = d->request->style;
    if (style)
        style->task(task, &look, style->user);
    pl_strbuf_puts(d->text, ", tooltip=\"");
    escape(d->text, key, NOTE_CHARACTERS, NOTE_BACKSLASH);
    if (look.note[0])
        pl_strbuf_puts(d->text, ": ");
    escape(d->text, look.note, NOTE_CHARACTERS, NOTE_BACKSLASH);
    pl_strbuf_puts(d->text, "\"");
    if (look.fill[0])
        pl_strbuf_printf(d->text, ", fillcolor=\"%s\"", look.fill);
    if (look.line[0])
        pl_strbuf_printf(d->text, ", color=\"%s\"", look.line);
}

static void add_node(drawing *d, uint32_t id)
{
    const plait_graph *graph = d->request->graph;
    plait_task task = { id, graph->number };
    char key[8 * NOTE_CHARACTERS], label[8 * LABEL_CHARACTERS];
    plait_task_key(graph, task, key, sizeof key);
    plait_value value;
    bool is_literal = pl_graph_as_literal(graph, id, &value);
    if (is_literal)
        plait_format(value, label, sizeof label);
    const char *shown = is_literal ? label : key;
    pl_strbuf_printf(d->text, "    t%u [label=", id);
    pl_dot_quote(d->text, shown, LABEL_CHARACTERS);
    if (is_literal)
        pl_strbuf_puts(d->text, ", shape=box");
    else if (count_characters(shown) > CIRCLE_CHARACTERS)
        pl_strbuf_puts(d->text, ", shape=ellipse");
    if (d->shown[id] & TARGET)
        pl_strbuf_puts(d->text, ", peripheries=2");
    add_look(d, task, key);
    pl_strbuf_puts(d->text, "];\n");
}

static bool add_arrow(uint32_t input, void *user)
{
    drawing *d = user;
    if (d->used_by[input] != d->user)
        pl_strbuf_printf(d->text, "    t%u -> t%u;\n", input, d->user);
    d->used_by[input] = d->user;
    return true;
}

static plait_status write_all(drawing *d)
{
    pl_strbuf_puts(d->text,
                   "digraph plait {\n"
                   "    node [shape=circle, style=filled, fillcolor=white, "
                   "fontname=\"Helvetica\", fontsize=10];\n"
                   "    edge [arrowsize=0.7, color=\"#808080\"];\n");
    for (d->user = 1; d->user <= d->last; d->user++) {
        if (!d->shown[d->user])
            continue;
        add_node(d, d->user);
        pl_graph_each_input(d->request->graph, d->user, add_arrow, d);
        plait_status status = flush(d, false);
        if (status != PLAIT_OK)
            return status;
    }
    pl_strbuf_puts(d->text, "}\n");
    return flush(d, true);
}

static plait_status draw(drawing *d)
{
    plait_status status = plait_graph_status(d->request->graph, d->err);
    if (status != PLAIT_OK)
        return status;
    size_t places = (size_t)d->request->graph->nodes.length + 1;
    d->shown = pl_calloc(places, sizeof *d->shown);
    d->used_by = pl_calloc(places, sizeof *d->used_by);
    if (!d->shown || !d->used_by)
        status = pl_error_nomem(d->err);
    else
        status = show(d);
    if (status == PLAIT_OK)
        status = write_all(d);
    pl_free(d->shown);
    pl_free(d->used_by);
    return status;
}

plait_status pl_dot_write(const pl_dot_request *request, FILE *stream,
                          plait_error *err)
{
    pl_strbuf text = { 0 };
    drawing d = {
        .request = request, .text = &text, .stream = stream, .err = err
    };
    plait_status status = draw(&d);
    pl_strbuf_fini(&text);
    return status;
}

plait_status pl_dot_text(const pl_dot_request *request, pl_strbuf *text,
                         plait_error *err)
{
    drawing d = { .request = request, .text = text, .err = err };
    return draw(&d);
}

plait_status plait_graph_dot(const plait_graph *graph, const plait_task *tasks,
                             size_t n, FILE *stream)
{
    pl_dot_request request = { .graph = graph, .tasks = tasks, .n = n };
    return stream ? pl_dot_write(&request, stream, NULL) : PLAIT_EINVAL;
}
