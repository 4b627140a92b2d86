/* SPDX-License-Identifier: BSD-3-Clause */
/* pattern.c: parses and renders the pattern language of Python's logging. */
#include "log/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "platform/thread.h"

#define SIZE_LIMIT 255

typedef enum field {
    FIELD_LITERAL,
    FIELD_ASCTIME,
    FIELD_CREATED,
    FIELD_LEVELNAME,
    FIELD_LEVELNO,
    FIELD_MESSAGE,
    FIELD_MSECS,
    FIELD_NAME,
    FIELD_PROCESS,
    FIELD_PROCESS_NAME,
    FIELD_TASK,
    FIELD_THREAD,
    FIELD_THREAD_NAME
} field;

typedef enum field_kind { KIND_TEXT, KIND_INTEGER, KIND_FLOAT } field_kind;

typedef struct field_info {
    const char *name;
    field field;
    field_kind kind;
} field_info;

static const field_info fields[] = {
    { "asctime", FIELD_ASCTIME, KIND_TEXT },
    { "created", FIELD_CREATED, KIND_FLOAT },
    { "levelname", FIELD_LEVELNAME, KIND_TEXT },
    { "levelno", FIELD_LEVELNO, KIND_INTEGER },
    { "message", FIELD_MESSAGE, KIND_TEXT },
    { "msecs", FIELD_MSECS, KIND_FLOAT },
    { "name", FIELD_NAME, KIND_TEXT },
    { "process", FIELD_PROCESS, KIND_INTEGER },
    { "processName", FIELD_PROCESS_NAME, KIND_TEXT },
    { "task", FIELD_TASK, KIND_TEXT },
    { "thread", FIELD_THREAD, KIND_INTEGER },
    { "threadName", FIELD_THREAD_NAME, KIND_TEXT },
};

struct pl_pattern_segment {
    field field;
    field_kind kind;
    char conversion; /* as Python's; u is d */
    bool left;
    int width;        /* 0: none */
    int precision;    /* -1: none */
    char spec[48];    /* numbers: what snprintf is given */
    const char *text; /* FIELD_LITERAL */
    size_t length;
};

/* ---- parsing ---- */

typedef struct parser {
    pl_pattern *pattern;
    const char *at;
    plait_error *err;
} parser;

static plait_status refuse(const parser *p, const char *at, const char *why)
{
    return pl_error_set(p->err, PLAIT_EINVAL, "log format \"%s\", at %zu: %s",
                        p->pattern->text, (size_t)(at - p->pattern->text) + 1,
                        why);
}

static plait_status refuse_field(const parser *p, const char *name, int length)
{
    return pl_error_set(
        p->err, PLAIT_EINVAL,
        "log format \"%s\": there is no field \"%.*s\"; there are asctime, "
        "created, levelname, levelno, message, msecs, name, process, "
        "processName, task, thread and threadName",
        p->pattern->text, length, name);
}

static plait_status add_segment(parser *p, const pl_pattern_segment *segment)
{
    pl_pattern *pattern = p->pattern;
    if (!pl_grow(&pattern->segments, &pattern->capacity, pattern->n_segments,
                 sizeof *segment))
        return pl_error_nomem(p->err);
    pattern->segments[pattern->n_segments++] = *segment;
    return PLAIT_OK;
}

static plait_status add_literal(parser *p, const char *text, size_t length)
{
    if (length == 0)
        return PLAIT_OK;
    return add_segment(p, &(pl_pattern_segment){ .field = FIELD_LITERAL,
                                                 .text = text,
                                                 .length = length });
}

/* Digits; false when they say more than SIZE_LIMIT. */
static bool read_size(const char **at, int *size)
{
    int n = 0;
    while (**at >= '0' && **at <= '9') {
        n = n * 10 + (**at - '0');
        if (n > SIZE_LIMIT)
            return false;
        (*at)++;
    }
    *size = n;
    return true;
}

static const field_info *find_field(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strlen(fields[i].name) == length &&
            memcmp(fields[i].name, name, length) == 0)
            return &fields[i];
    }
    return NULL;
}

/* Which conversions a field takes: those that Python wouldn't raise at. */
static const char *conversions_of(field_kind kind)
{
    switch (kind) {
    case KIND_TEXT:
        return "sra";
    case KIND_INTEGER:
        return "sradiuoxXeEfFgG";
    case KIND_FLOAT:
        return "sradiueEfFgG";
    }
    return "";
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* What snprintf is given for a number: Python's flags mean the same in C. */
static void write_spec(pl_pattern_segment *s, const char *flags)
{
    bool real = is_one_of(s->conversion, "eEfFgG");
    char precision[16] = "";
    if (s->precision >= 0)
        snprintf(precision, sizeof precision, ".%d", s->precision);
    char width[16] = "";
    if (s->width > 0)
        snprintf(width, sizeof width, "%d", s->width);
    snprintf(s->spec, sizeof s->spec, "%%%s%s%s%s%c", flags, width, precision,
             real ? "" : "ll", s->conversion);
}

/* Reads the flags, each kept once. */
static void read_flags(parser *p, char flags[6])
{
    size_t n = 0;
    flags[0] = '\0';
    for (; is_one_of(*p->at, "#0+ -"); p->at++) {
        if (strchr(flags, *p->at))
            continue;
        flags[n++] = *p->at;
        flags[n] = '\0';
    }
}

/* What follows the parenthesis: [flags][width][.precision]conversion. */
static plait_status parse_conversion(parser *p, pl_pattern_segment *s)
{
    char flags[6];
    read_flags(p, flags);
    s->left = strchr(flags, '-') != NULL;
    const char *sizes = p->at;
    bool fits = read_size(&p->at, &s->width);
    if (fits && *p->at == '.') {
        p->at++;
        fits = read_size(&p->at, &s->precision);
    }
    if (!fits)
        return refuse(p, sizes, "a width or precision over 255");
    if (!is_one_of(*p->at, conversions_of(s->kind)))
        return refuse(p, p->at,
                      s->kind == KIND_TEXT
                          ? "this field is text: it takes s, r or a"
                          : "not a conversion that this field takes, such as "
                            "s, d or f");
    s->conversion = *p->at == 'u' ? 'd' : *p->at;
    p->at++;
    write_spec(s, flags);
    return PLAIT_OK;
}

/* At a %: a field, or %%. */
static plait_status parse_percent(parser *p)
{
    const char *percent = p->at;
    if (percent[1] == '%') {
        p->at += 2;
        return add_literal(p, percent, 1);
    }
    if (percent[1] != '(')
        return refuse(p, percent, "% begins %(field)s, or %% for a percent");
    const char *name = percent + 2;
    const char *close = strchr(name, ')');
    if (!close)
        return refuse(p, percent, "%( has no )");
    const field_info *info = find_field(name, (size_t)(close - name));
    if (!info)
        return refuse_field(p, name, (int)(close - name));
    p->at = close + 1;
    pl_pattern_segment s = { .field = info->field,
                             .kind = info->kind,
                             .precision = -1 };
    plait_status status = parse_conversion(p, &s);
    return status == PLAIT_OK ? add_segment(p, &s) : status;
}

static plait_status parse_all(parser *p)
{
    bool has_field = false;
    while (*p->at) {
        size_t length = strcspn(p->at, "%");
        plait_status status = add_literal(p, p->at, length);
        p->at += length;
        if (status == PLAIT_OK && *p->at) {
            has_field = has_field || p->at[1] == '(';
            status = parse_percent(p);
        }
        if (status != PLAIT_OK)
            return status;
    }
    return has_field ? PLAIT_OK : refuse(p, p->at, "it has no field");
}

plait_status pl_pattern_parse(pl_pattern *pattern, const char *format,
                              plait_error *err)
{
    *pattern = (pl_pattern){ .text = pl_strdup(format) };
    if (!pattern->text)
        return pl_error_nomem(err);
    parser p = { .pattern = pattern, .at = pattern->text, .err = err };
    plait_status status = parse_all(&p);
    if (status != PLAIT_OK)
        pl_pattern_fini(pattern);
    return status;
}

void pl_pattern_fini(pl_pattern *pattern)
{
    pl_free(pattern->segments);
    pl_free(pattern->text);
    *pattern = (pl_pattern){ 0 };
}

/* ---- rendering ---- */

const char *pl_level_name(plait_level level, char buf[24])
{
    switch (level) {
    case PLAIT_DEBUG:
        return "DEBUG";
    case PLAIT_INFO:
        return "INFO";
    case PLAIT_WARNING:
        return "WARNING";
    case PLAIT_ERROR:
        return "ERROR";
    case PLAIT_CRITICAL:
        return "CRITICAL";
    }
    snprintf(buf, 24, "Level %d", (int)level);
    return buf;
}

static void add_field_text(const pl_pattern_segment *s, pl_line *line,
                           const char *text, size_t length)
{
    size_t begin = line->length;
    pl_line_style style = s->conversion == 's'   ? PL_LINE_PLAIN
                          : s->conversion == 'r' ? PL_LINE_REPR
                                                 : PL_LINE_ASCII;
    size_t max = s->precision < 0 ? (size_t)-1 : (size_t)s->precision;
    pl_line_add_text(line, text, length, style, max);
    if (s->width > 0)
        pl_line_pad(line, begin, (size_t)s->width, s->left);
}

static void add_field_string(const pl_pattern_segment *s, pl_line *line,
                             const char *text)
{
    add_field_text(s, line, text ? text : "", text ? strlen(text) : 0);
}

/* The program's locale may write another decimal point: %f is then given back
 * its dot. What is no digit, sign, space or letter is that point. */
static size_t plain_point(char *text, size_t length)
{
    size_t to = 0;
    bool in_point = false;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        bool point = !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
                     !(c >= 'a' && c <= 'z') && c != '+' && c != '-' &&
                     c != ' ';
        if (!point)
            text[to++] = text[i];
        else if (!in_point)
            text[to++] = '.';
        in_point = point;
    }
    text[to] = '\0';
    return to;
}

/* The shortest digits that read back as the same number: Python's repr. */
static size_t shortest(double x, char *buf, size_t size)
{
    int length = 0;
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(buf, size, "%.*g", digits, x);
        if (strtod(buf, NULL) == x)
            break;
    }
    size_t n = plain_point(buf, (size_t)length);
    if (!strpbrk(buf, ".e") && n + 3 <= size) {
        memcpy(buf + n, ".0", 3);
        n += 2;
    }
    return n;
}

/* A number as text, as str() has it, within the segment's width. */
static void add_number_text(const pl_pattern_segment *s, pl_line *line,
                            const char *text, size_t length)
{
    pl_pattern_segment as_text = *s;
    as_text.conversion = 's'; /* repr and ascii of a number have no quotes */
    add_field_text(&as_text, line, text, length);
}

static void add_integer(const pl_pattern_segment *s, pl_line *line,
                        long long number)
{
    char buf[2 * SIZE_LIMIT + 64];
    int length;
    if (is_one_of(s->conversion, "sra")) {
        length = snprintf(buf, sizeof buf, "%lld", number);
        add_number_text(s, line, buf, (size_t)length);
        return;
    }
    if (is_one_of(s->conversion, "eEfFgG")) {
        length = snprintf(buf, sizeof buf, s->spec, (double)number);
        length = (int)plain_point(buf, (size_t)length);
    } else {
        length = snprintf(buf, sizeof buf, s->spec, number);
    }
    pl_line_add(line, buf, (size_t)length);
}

static void add_float(const pl_pattern_segment *s, pl_line *line, double number)
{
    char buf[2 * SIZE_LIMIT + 64];
    if (is_one_of(s->conversion, "sra")) {
        size_t length = shortest(number, buf, sizeof buf);
        add_number_text(s, line, buf, length);
        return;
    }
    if (is_one_of(s->conversion, "di")) {
        add_integer(s, line, (long long)number);
        return;
    }
    int length = snprintf(buf, sizeof buf, s->spec, number);
    pl_line_add(line, buf, plain_point(buf, (size_t)length));
}

static int milliseconds(const plait_log_record *record)
{
    return (int)(record->time_ns / 1000000 % 1000);
}

static void add_asctime(const pl_pattern_segment *s, pl_line *line,
                        const plait_log_record *record, const char *date)
{
    char text[PL_DATE_SIZE + 4];
    size_t length = strnlen(date, PL_DATE_SIZE);
    int ms = milliseconds(record);
    memcpy(text, date, length);
    text[length++] = ',';
    text[length++] = (char)('0' + ms / 100);
    text[length++] = (char)('0' + ms / 10 % 10);
    text[length++] = (char)('0' + ms % 10);
    add_field_text(s, line, text, length);
}

static void render_segment(const pl_pattern_segment *s, pl_line *line,
                           const plait_log_record *record, const char *date)
{
    char level[24];
    switch (s->field) {
    case FIELD_LITERAL:
        pl_line_add(line, s->text, s->length);
        break;
    case FIELD_ASCTIME:
        add_asctime(s, line, record, date);
        break;
    case FIELD_CREATED:
        add_float(s, line, (double)record->time_ns / 1e9);
        break;
    case FIELD_LEVELNAME:
        add_field_string(s, line, pl_level_name(record->level, level));
        break;
    case FIELD_LEVELNO:
        add_integer(s, line, record->level);
        break;
    case FIELD_MESSAGE:
        add_field_text(s, line, record->message, record->message_length);
        break;
    case FIELD_MSECS:
        add_float(s, line, milliseconds(record));
        break;
    case FIELD_NAME:
        add_field_string(s, line, record->logger);
        break;
    case FIELD_PROCESS:
        add_integer(s, line, record->process);
        break;
    case FIELD_PROCESS_NAME:
        add_field_string(s, line, record->process_name);
        break;
    case FIELD_TASK:
        add_field_string(s, line, record->task);
        break;
    case FIELD_THREAD:
        add_integer(s, line, pl_thread_id());
        break;
    case FIELD_THREAD_NAME:
        add_field_string(s, line, record->thread_name);
        break;
    }
}

void pl_pattern_render(const pl_pattern *pattern,
                       const plait_log_record *record, const char *date,
                       pl_line *line)
{
    for (size_t i = 0; i < pattern->n_segments; i++)
        render_segment(&pattern->segments[i], line, record, date);
}
