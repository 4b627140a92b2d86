/* SPDX-License-Identifier: BSD-3-Clause */
/* csv_text.c: see csv_text.h. */
#include "csv_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clean.h"
#include "csv_reader.h"

static void write_file(char *path, const char *text, size_t size)
{
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    FILE *file = fdopen(descriptor, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

struct table *csv_text_read(const char *text, size_t size,
                            struct problem *problem)
{
    char path[] = "/tmp/csv_text-XXXXXX";
    write_file(path, text, size);
    struct csv_reader *reader = csv_reader_open(path, problem);
    unlink(path);
    assert_non_null(reader);
    enum csv_progress progress = CSV_MORE;
    while (progress == CSV_MORE)
        progress = csv_reader_step(reader, problem);
    struct table *table = progress == CSV_END ? csv_reader_take(reader) : NULL;
    csv_reader_close(reader);
    return table;
}

struct table *csv_text_clean(const char *text)
{
    struct problem problem;
    struct table *raw = csv_text_read(text, strlen(text), &problem);
    assert_non_null(raw);
    struct table *clean = table_clean(raw, NULL, NULL, &problem);
    assert_non_null(clean);
    table_free(raw);
    return clean;
}
