/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * csv_reader.c: see csv_reader.h. libcsv finds the fields. It doesn't count
 * lines, so the callbacks do, from the line ends between and inside fields.
 */
#include "csv_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <csv.h>

#include "tally.h"

#define CHUNK_BYTES ((size_t)64 << 10)
#define BOM "\xEF\xBB\xBF"

struct csv_reader {
    FILE *file;
    struct csv_parser parser;
    struct table *table;
    struct tally
        names; /* of the columns so far, to find one that comes twice */
    struct problem problem;
    bool failed;
    bool has_header;
    bool begun;      /* some of the file has been read */
    bool after_cr;   /* a LF that comes next belongs to that CR */
    size_t line;     /* where the parser is */
    size_t row_line; /* where its row began */
    size_t fields;   /* of that row so far */
    char chunk[CHUNK_BYTES];
};

/* The first problem counts. */
static void fail(struct csv_reader *reader, struct problem found)
{
    if (!reader->failed)
        reader->problem = found;
    reader->failed = true;
}

static void fail_no_memory(struct csv_reader *reader)
{
    struct problem found;
    problem_no_memory(&found);
    fail(reader, found);
}

static void fail_at(struct csv_reader *reader, size_t line, const char *text)
{
    struct problem found;
    problem_set(&found, line, "%s", text);
    fail(reader, found);
}

static void fail_ragged(struct csv_reader *reader)
{
    struct problem found;
    problem_set(&found, reader->row_line,
                "the row has %zu field%s, the header has %zu", reader->fields,
                reader->fields == 1 ? "" : "s", reader->table->n_columns);
    fail(reader, found);
}

static void add_column(struct csv_reader *reader, const char *name)
{
    size_t known = reader->names.n;
    if (!tally_at(&reader->names, name) ||
        !table_add_column(reader->table, name, COLUMN_TEXT)) {
        fail_no_memory(reader);
    } else if (reader->names.n == known) {
        struct problem found;
        problem_set(&found, reader->row_line, "two columns are named \"%.60s\"",
                    name);
        fail(reader, found);
    }
}

static void add_cell(struct csv_reader *reader, const char *text, size_t length)
{
    struct table *table = reader->table;
    bool added = reader->fields > 0 || table_add_row(table, reader->row_line);
    if (added && reader->fields < table->n_columns)
        added = table_put_text(table, reader->fields, text, length);
    if (!added)
        fail_no_memory(reader);
}

static void count_line_end(struct csv_reader *reader, int c)
{
    if (c == '\r' || (c == '\n' && !reader->after_cr))
        reader->line++;
    reader->after_cr = c == '\r';
}

/* libcsv: a field has ended; its text ends with NUL. */
static void on_field(void *data, size_t length, void *user)
{
    struct csv_reader *reader = user;
    const char *text = data;
    if (reader->failed)
        return;
    if (reader->fields == 0)
        reader->row_line = reader->line;
    reader->after_cr = false;
    if (memchr(text, '\0', length)) {
        fail_at(reader, reader->row_line,
                "there is a NUL byte: this is no text, or no UTF-8");
        return;
    }
    if (reader->has_header)
        add_cell(reader, text, length);
    else
        add_column(reader, text);
    reader->fields++;
    for (size_t i = 0; i < length; i++)
        count_line_end(reader, text[i]);
    reader->after_cr = false;
}

/* libcsv: a line has ended; -1: the file has. */
static void on_line_end(int c, void *user)
{
    struct csv_reader *reader = user;
    if (reader->failed)
        return;
    if (reader->fields > 0) {
        if (reader->has_header && reader->fields != reader->table->n_columns)
            fail_ragged(reader);
        reader->has_header = true;
        reader->fields = 0;
    }
    count_line_end(reader, c);
}

struct csv_reader *csv_reader_open(const char *path, struct problem *problem)
{
    struct csv_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        problem_no_memory(problem);
        return NULL;
    }
    /* Blank lines are reported, so that they are counted. A quote that stays
     * open would swallow the rest of the file: strict. */
    csv_init(&reader->parser,
             CSV_APPEND_NULL | CSV_REPALL_NL | CSV_STRICT | CSV_STRICT_FINI);
    csv_set_blk_size(&reader->parser, 4096);
    reader->line = 1;
    reader->table = table_new(path);
    if (!reader->table)
        problem_no_memory(problem);
    else if (!(reader->file = fopen(path, "rb")))
        problem_set(problem, 0, "cannot be opened: %s", strerror(errno));
    else
        return reader;
    csv_reader_close(reader);
    return NULL;
}

void csv_reader_close(struct csv_reader *reader)
{
    if (!reader)
        return;
    if (reader->file)
        fclose(reader->file);
    csv_free(&reader->parser);
    tally_fini(&reader->names);
    table_free(reader->table);
    free(reader);
}

static void fail_parse(struct csv_reader *reader, bool at_end)
{
    size_t line = reader->fields ? reader->row_line : reader->line;
    if (csv_error(&reader->parser) != CSV_EPARSE)
        fail_no_memory(reader);
    else if (at_end)
        fail_at(reader, line, "a quote in this row is never closed");
    else
        fail_at(reader, line,
                "a quote in this row stands where none may: a field with "
                "quotes must be in quotes, and its own doubled");
}

static void parse(struct csv_reader *reader, const char *chunk, size_t size)
{
    size_t parsed =
        csv_parse(&reader->parser, chunk, size, on_field, on_line_end, reader);
    if (parsed != size)
        fail_parse(reader, false);
}

static void finish(struct csv_reader *reader)
{
    if (csv_fini(&reader->parser, on_field, on_line_end, reader) != 0)
        fail_parse(reader, true);
    else if (!reader->has_header)
        fail_at(reader, 0, "the file is empty: it has no header");
}

enum csv_progress csv_reader_step(struct csv_reader *reader,
                                  struct problem *problem)
{
    size_t size = fread(reader->chunk, 1, CHUNK_BYTES, reader->file);
    bool last = size < CHUNK_BYTES;
    if (ferror(reader->file)) {
        problem_set(problem, 0, "cannot be read: %s", strerror(errno));
        return CSV_FAILED;
    }
    size_t skipped = 0;
    if (!reader->begun && size >= 3 && memcmp(reader->chunk, BOM, 3) == 0)
        skipped = 3;
    reader->begun = true;
    parse(reader, reader->chunk + skipped, size - skipped);
    if (last && !reader->failed)
        finish(reader);
    if (reader->failed) {
        *problem = reader->problem;
        return CSV_FAILED;
    }
    return last ? CSV_END : CSV_MORE;
}

struct table *csv_reader_take(struct csv_reader *reader)
{
    struct table *taken = reader->table;
    reader->table = NULL;
    return taken;
}
