/* SPDX-License-Identifier: BSD-3-Clause */
/* outcome.c: prints a result, reports failures. */
#include "cli/outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"
#include "cli/value_json.h"

static void print_formatted(plait_value value)
{
    int length = plait_format(value, NULL, 0);
    size_t size = length < 0 ? 1 : (size_t)length + 1;
    char *text = malloc(size);
    if (!text) {
        pl_report("out of memory for the text of the result");
        return;
    }
    text[0] = '\0';
    plait_format(value, text, size);
    puts(text);
    free(text);
}

static void print_text(plait_value value)
{
    size_t length = 0;
    const char *text = plait_as_string_n(value, &length);
    if (!text) {
        print_formatted(value);
        return;
    }
    fwrite(text, 1, length, stdout);
    if (length == 0 || text[length - 1] != '\n')
        putchar('\n');
}

void pl_outcome_print(plait_value value, bool json)
{
    if (!json) {
        print_text(value);
        return;
    }
    pl_value_json(value, stdout);
    putchar('\n');
}

void pl_outcome_report(const plait_error *err, const char *text)
{
    size_t length = strlen(err->key);
    bool named = length == 0 ||
                 (strncmp(text, err->key, length) == 0 && text[length] == ':');
    pl_report("%s%s%s", named ? "" : err->key, named ? "" : ": ", text);
}

size_t pl_outcome_report_failures(plait_run *run)
{
    size_t n = plait_run_failure_count(run);
    for (size_t i = 0; i < n; i++) {
        plait_value value = plait_nil();
        plait_error err = { PLAIT_ERROR_INIT };
        plait_run_failure(run, i, &value, &err);
        const char *text = plait_error_text(value);
        pl_outcome_report(&err, text ? text : err.message);
        plait_release(value);
    }
    return n;
}
