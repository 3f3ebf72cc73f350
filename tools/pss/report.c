/* SPDX-License-Identifier: MIT */
/* Error messages on stderr and the program's exit statuses. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define LINE_SIZE 4096

/** What the Pss functions and those for files may return, for systems whose FormatMessage() has no
 * text for it. */
static const struct {
    DWORD code;
    const char *name;
    const char *meaning;
} known[] = {
    {ERROR_FILE_NOT_FOUND, "ERROR_FILE_NOT_FOUND", "There is no such file."},
    {ERROR_PATH_NOT_FOUND, "ERROR_PATH_NOT_FOUND", "There is no such directory."},
    {ERROR_ACCESS_DENIED, "ERROR_ACCESS_DENIED", "A right to the process is missing."},
    {ERROR_INVALID_HANDLE, "ERROR_INVALID_HANDLE", "The handle is invalid."},
    {ERROR_NOT_ENOUGH_MEMORY, "ERROR_NOT_ENOUGH_MEMORY", "There is not enough memory."},
    {ERROR_WRITE_PROTECT, "ERROR_WRITE_PROTECT", "The medium is write-protected."},
    {ERROR_BAD_LENGTH, "ERROR_BAD_LENGTH", "The buffer has the wrong length."},
    {ERROR_GEN_FAILURE, "ERROR_GEN_FAILURE", "The device does not work."},
    {ERROR_SHARING_VIOLATION, "ERROR_SHARING_VIOLATION", "Another program has the file open."},
    {ERROR_NOT_SUPPORTED, "ERROR_NOT_SUPPORTED", "The request is not supported."},
    {ERROR_FILE_EXISTS, "ERROR_FILE_EXISTS", "The file is there already."},
    {ERROR_INVALID_PARAMETER, "ERROR_INVALID_PARAMETER", "A parameter is invalid."},
    {ERROR_BROKEN_PIPE, "ERROR_BROKEN_PIPE", "Nobody reads any more."},
    {ERROR_DISK_FULL, "ERROR_DISK_FULL", "The disk is full."},
    {ERROR_INVALID_NAME, "ERROR_INVALID_NAME", "No file can have that name."},
    {ERROR_ALREADY_EXISTS, "ERROR_ALREADY_EXISTS", "It is there already."},
    {ERROR_BAD_EXE_FORMAT, "ERROR_BAD_EXE_FORMAT", "It is no program for this system."},
    {ERROR_FILENAME_EXCED_RANGE, "ERROR_FILENAME_EXCED_RANGE", "The path is too long."},
    {ERROR_MORE_DATA, "ERROR_MORE_DATA", "More data is available."},
    {ERROR_NO_MORE_ITEMS, "ERROR_NO_MORE_ITEMS", "There are no more entries."},
    {ERROR_SEM_TIMEOUT, "ERROR_SEM_TIMEOUT", "The process does not answer for its memory."},
    {ERROR_PARTIAL_COPY, "ERROR_PARTIAL_COPY", "The process ended during the capture."},
    {ERROR_OPERATION_ABORTED, "ERROR_OPERATION_ABORTED",
     "A thread of the capture never began, or was suspended again and again."},
    {ERROR_COMMITMENT_LIMIT, "ERROR_COMMITMENT_LIMIT", "There is no memory left for the copy."},
    {ERROR_NOT_FOUND, "ERROR_NOT_FOUND", "The snapshot does not contain it."},
};

static char line[LINE_SIZE]; /* the last message */

static void print_line(const char *format, va_list arguments)
{
    vsnprintf(line, sizeof line, format, arguments);
    text_clean(line);
    fflush(stdout);
    fprintf(stderr, "pss: %s\n", line);
}

void report(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
}

const char *report_last(void)
{
    return line;
}

enum pss_exit report_usage(const char *command, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
    if (command != NULL)
        fprintf(stderr, "Try 'pss help %s'.\n", command);
    else
        fputs("Try 'pss --help'.\n", stderr);
    return EXIT_USAGE;
}

#define MESSAGE_LENGTH 512
#define MESSAGE_SIZE   (3 * MESSAGE_LENGTH + 1) /* bytes of as many units in UTF-8 */

/** Puts the argument where the system's text has "%1"; none of its texts has more to fill in that
 * we could know. */
static void fill_in(const char *message, const char *argument, char text[MESSAGE_SIZE])
{
    const char *place = strstr(message, "%1");

    if (place == NULL)
        snprintf(text, MESSAGE_SIZE, "%s", message);
    else
        snprintf(text, MESSAGE_SIZE, "%.*s%s%s", (int)(place - message), message,
                 argument != NULL ? argument : "it", place + 2);
}

/** The system's text for a code in UTF-8, without its line end; empty where there is none. */
static void describe(DWORD error, const char *argument, char text[MESSAGE_SIZE])
{
    WCHAR wide[MESSAGE_LENGTH];
    char message[MESSAGE_SIZE];
    DWORD count = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                                 error, 0, wide, MESSAGE_LENGTH, NULL);
    int size = 0;

    while (count > 0 && wide[count - 1] <= L' ')
        count--;
    if (count != 0)
        size = WideCharToMultiByte(CP_UTF8, 0, wide, (int)count, message, MESSAGE_SIZE - 1, NULL,
                                   NULL);
    message[size] = '\0';
    fill_in(message, argument, text);
}

/** What is known of a code; NULL for nothing. */
static const char *find_name(DWORD error, const char **fallback)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].code == error) {
            *fallback = known[i].meaning;
            return known[i].name;
        }
    }
    *fallback = "The system has no text for this code.";
    return NULL;
}

/* Nothing is allocated here: what failed may be an allocation. */
enum pss_exit report_failure_of(const char *function, const char *argument, DWORD error)
{
    const char *fallback;
    const char *name = find_name(error, &fallback);
    char meaning[MESSAGE_SIZE];

    describe(error, argument, meaning);
    report("%s%s%s%s failed: error %lu%s%s%s: %s", function, argument != NULL ? "(" : "",
           argument != NULL ? argument : "", argument != NULL ? ")" : "", error,
           name != NULL ? " (" : "", name != NULL ? name : "", name != NULL ? ")" : "",
           meaning[0] != '\0' ? meaning : fallback);
    return EXIT_RUNTIME;
}

enum pss_exit report_problem(DWORD error, const char *format, ...)
{
    char what[LINE_SIZE / 2];
    char meaning[MESSAGE_SIZE];
    const char *fallback;
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    find_name(error, &fallback);
    describe(error, NULL, meaning);
    if (meaning[0] == '\0')
        snprintf(meaning, sizeof meaning, "%s", fallback);
    length = strlen(meaning);
    if (meaning[length - 1] == '.')
        meaning[length - 1] = '\0';
    report("%s: %s (error %lu)", what, meaning, error);
    return EXIT_RUNTIME;
}

enum pss_exit report_failure(const char *function, DWORD error)
{
    return report_failure_of(function, NULL, error);
}

void report_out_of_memory(void)
{
    report_failure("malloc", ERROR_NOT_ENOUGH_MEMORY);
    exit(EXIT_RUNTIME);
}
