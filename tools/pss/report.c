/* SPDX-License-Identifier: MIT */
/* Error messages on stderr and the program's exit statuses. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/** What the Pss functions may return, for systems whose FormatMessage() has no text for it. */
static const struct {
    DWORD code;
    const char *name;
    const char *meaning;
} known[] = {
    {ERROR_ACCESS_DENIED, "ERROR_ACCESS_DENIED", "A right to the process is missing."},
    {ERROR_INVALID_HANDLE, "ERROR_INVALID_HANDLE", "The handle is invalid."},
    {ERROR_NOT_ENOUGH_MEMORY, "ERROR_NOT_ENOUGH_MEMORY", "There is not enough memory."},
    {ERROR_BAD_LENGTH, "ERROR_BAD_LENGTH", "The buffer has the wrong length."},
    {ERROR_NOT_SUPPORTED, "ERROR_NOT_SUPPORTED", "The request is not supported."},
    {ERROR_INVALID_PARAMETER, "ERROR_INVALID_PARAMETER", "A parameter is invalid."},
    {ERROR_MORE_DATA, "ERROR_MORE_DATA", "More data is available."},
    {ERROR_NO_MORE_ITEMS, "ERROR_NO_MORE_ITEMS", "There are no more entries."},
    {ERROR_SEM_TIMEOUT, "ERROR_SEM_TIMEOUT", "The process does not answer for its memory."},
    {ERROR_PARTIAL_COPY, "ERROR_PARTIAL_COPY", "The process ended during the capture."},
    {ERROR_OPERATION_ABORTED, "ERROR_OPERATION_ABORTED", "A thread of the capture never began."},
    {ERROR_COMMITMENT_LIMIT, "ERROR_COMMITMENT_LIMIT", "There is no memory left for the copy."},
    {ERROR_NOT_FOUND, "ERROR_NOT_FOUND", "The snapshot does not contain it."},
};

static void print_line(const char *format, va_list arguments)
{
    fflush(stdout);
    fputs("pss: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void report(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
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

/** The system's text for a code in UTF-8, without its line end; empty where there is none. */
static void describe(DWORD error, char text[MESSAGE_SIZE])
{
    WCHAR message[MESSAGE_LENGTH];
    DWORD count = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                                 error, 0, message, MESSAGE_LENGTH, NULL);
    int size = 0;

    while (count > 0 && message[count - 1] <= L' ')
        count--;
    if (count != 0)
        size = WideCharToMultiByte(CP_UTF8, 0, message, (int)count, text, MESSAGE_SIZE - 1, NULL,
                                   NULL);
    text[size] = '\0';
}

/* Nothing is allocated here: what failed may be an allocation. */
enum pss_exit report_failure_of(const char *function, const char *argument, DWORD error)
{
    const char *name = "unnamed";
    const char *fallback = "The system has no text for this code.";
    char meaning[MESSAGE_SIZE];

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].code == error) {
            name = known[i].name;
            fallback = known[i].meaning;
        }
    }
    describe(error, meaning);
    report("%s%s%s%s failed: error %lu (%s): %s", function, argument != NULL ? "(" : "",
           argument != NULL ? argument : "", argument != NULL ? ")" : "", error, name,
           meaning[0] != '\0' ? meaning : fallback);
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
