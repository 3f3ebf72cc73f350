/* SPDX-License-Identifier: MIT */
/* cmocka's standard output, line by line; its XML is only written by programs that end. */
#include "output.h"

#include <stdint.h>
#include <string.h>

#define DETAILS_MAX 2000u /* bytes of what one test printed */
#define ANSWERS_MAX 2000u
#define NAME_SIZE   200u /* bytes of a test's name and its terminator; longer ones are cut */
#define ITSELF      "(the program)"

/* A line, without its end. */
struct line {
    const char *text; /* borrowed */
    size_t length;
};

struct reader {
    struct table *table;
    const struct program_end *end;
    char current[NAME_SIZE]; /* the test that has begun; empty between two */
    struct buffer details;   /* of that test, or between two */
    struct buffer answers;
    struct buffer reason; /* why it is skipped */
    int any_failed;
    int is_done; /* the summary was seen, which repeats the names */
    int failed;
};

static struct line next_line(const char **at, const char *end)
{
    struct line line = {*at, 0};

    while (*at < end && **at != '\n' && **at != 0)
        (*at)++;
    line.length = (size_t)(*at - line.text);
    if (*at < end)
        (*at)++;
    if (line.length && line.text[line.length - 1] == '\r')
        line.length--;
    return line;
}

/* What follows a text at the beginning of the line; 0 if the line does not begin so. */
static int strip(struct line line, const char *start, struct line *rest)
{
    size_t length = strlen(start);

    if (line.length < length || memcmp(line.text, start, length) != 0)
        return 0;
    *rest = (struct line){line.text + length, line.length - length};
    return 1;
}

static void add_line(struct buffer *buffer, struct line line, size_t limit)
{
    size_t room = buffer->length < limit ? limit - buffer->length : 0;

    if (!room || !line.length)
        return;
    if (buffer->length)
        buffer_add(buffer, "\n");
    buffer_append(buffer, line.text, line.length < room ? line.length : room);
}

static void forget_lines(struct reader *reader)
{
    buffer_free(&reader->details);
    buffer_free(&reader->answers);
    buffer_free(&reader->reason);
}

static void copy_name(char name[NAME_SIZE], struct line line)
{
    size_t length = line.length < NAME_SIZE ? line.length : NAME_SIZE - 1;

    memcpy(name, line.text, length);
    name[length] = 0;
}

/* Gives the result what was printed for it. */
static void settle(struct reader *reader, struct result *result, enum outcome outcome)
{
    struct buffer *details = outcome == OUTCOME_SKIPPED ? &reader->reason : &reader->details;

    reader->any_failed |= outcome != OUTCOME_PASSED && outcome != OUTCOME_SKIPPED;
    result->outcome = outcome;
    buffer_free(&result->details);
    buffer_free(&result->answers);
    if (outcome != OUTCOME_PASSED) {
        result->details = *details;
        *details = (struct buffer){0};
    }
    result->answers = reader->answers;
    reader->answers = (struct buffer){0};
}

static void finish(struct reader *reader, const char *name, enum outcome outcome)
{
    struct row *row = table_row(reader->table, reader->end->bitness, reader->end->program, name);

    if (row)
        settle(reader, &row->results[reader->end->library], outcome);
    else
        reader->failed = 1;
    forget_lines(reader);
    reader->current[0] = 0;
}

static void finish_line(struct reader *reader, struct line line, enum outcome outcome)
{
    char name[NAME_SIZE];

    copy_name(name, line);
    finish(reader, name, outcome);
}

static int is_current(const struct reader *reader, struct line line)
{
    char name[NAME_SIZE];

    copy_name(name, line);
    return name[0] && !strcmp(name, reader->current);
}

/*
 * After a failed teardown cmocka says "[  ERROR   ] name" in the place of a result. The other lines
 * that begin so have a text behind three dashes.
 */
static int read_result(struct reader *reader, struct line line)
{
    struct line rest;

    if (strip(line, "[ RUN      ] ", &rest)) {
        forget_lines(reader);
        copy_name(reader->current, rest);
    } else if (strip(line, "[       OK ] ", &rest))
        finish_line(reader, rest, OUTCOME_PASSED);
    else if (strip(line, "[  FAILED  ] ", &rest))
        finish_line(reader, rest, OUTCOME_FAILED);
    else if (strip(line, "[  SKIPPED ] ", &rest))
        finish_line(reader, rest, OUTCOME_SKIPPED);
    else if (strip(line, "[  ERROR   ] ", &rest) && is_current(reader, rest))
        finish_line(reader, rest, OUTCOME_FAILED);
    else
        return 0;
    return 1;
}

static int is_summary(struct line line)
{
    static const char ending[] = " test(s) run.";
    struct line rest;

    return strip(line, "[==========] ", &rest) && rest.length > strlen(ending) &&
           !memcmp(rest.text + rest.length - strlen(ending), ending, strlen(ending));
}

static void read_line(struct reader *reader, struct line line)
{
    struct line rest;

    if (is_summary(line))
        reader->is_done = 1;
    else if (strip(line, "answer: ", &rest))
        add_line(&reader->answers, rest, ANSWERS_MAX);
    else if (strip(line, "skipped: ", &rest))
        add_line(&reader->reason, rest, DETAILS_MAX);
    else if (!read_result(reader, line))
        add_line(&reader->details, line, DETAILS_MAX);
}

static void add_end(struct reader *reader)
{
    const struct program_end *end = reader->end;

    if (reader->details.length)
        buffer_add(&reader->details, "\n");
    if (end->timed_out)
        buffer_format(&reader->details, "it was ended after %u seconds", end->seconds);
    else
        buffer_format(&reader->details, "its program ended with code 0x%lx", end->exit_code);
}

/* A program that was not done, or that failed although no test of it did. */
static void judge_end(struct reader *reader)
{
    enum outcome outcome = reader->is_done ? OUTCOME_FAILED : OUTCOME_CRASHED;
    int is_bad = reader->end->timed_out || !reader->is_done ||
                 (reader->end->exit_code && !reader->any_failed);

    if (!is_bad)
        return;
    add_end(reader);
    finish(reader, reader->current[0] ? reader->current : ITSELF,
           reader->end->timed_out ? OUTCOME_TIMED_OUT : outcome);
}

int output_read(struct table *table, const struct program_end *end, const char *text, size_t length)
{
    struct reader reader = {.table = table, .end = end};
    const char *last = text + length;

    while (text < last && !reader.is_done && !reader.failed)
        read_line(&reader, next_line(&text, last));
    if (!reader.failed)
        judge_end(&reader);
    forget_lines(&reader);
    return !reader.failed;
}
