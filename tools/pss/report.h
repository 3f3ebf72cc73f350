/* SPDX-License-Identifier: MIT */
/* Error messages on stderr and the program's exit statuses. */
#ifndef PSS_TOOL_REPORT_H
#define PSS_TOOL_REPORT_H

#include <windows.h>

/** Exit statuses of the program. */
enum pss_exit {
    EXIT_DONE = 0,
    EXIT_RUNTIME = 1, /* something failed */
    EXIT_USAGE = 2    /* the command line makes no sense */
};

/** Prints "pss: ..." and a newline. What a terminal would obey is replaced, as by text_clean(), and
 * what is longer than some thousand bytes is cut. It needs no memory. */
void report(const char *format, ...) __attribute__((format(gnu_printf, 1, 2)));

/** The last message, without "pss: "; empty if there was none. */
const char *report_last(void);

/**
 * The same for a bad command line, with a pointer to the help.
 *
 * \return EXIT_USAGE.
 */
enum pss_exit report_usage(const char *command, const char *format, ...)
    __attribute__((format(gnu_printf, 2, 3)));

/**
 * Reports a failed function with its Win32 error code, the code's name and its meaning. It needs no
 * memory.
 *
 * \param function [in] Such as "OpenProcess".
 * \param error    [in] The Win32 error code.
 * \return EXIT_RUNTIME.
 */
enum pss_exit report_failure(const char *function, DWORD error);

/** The same, with the argument in parentheses: such as "fopen" and a path. NULL is none. */
enum pss_exit report_failure_of(const char *function, const char *argument, DWORD error);

/**
 * Reports what could not be done in plain words, then what the system says of the code.
 *
 * \param error  [in] The Win32 error code.
 * \param format [in] Such as "cannot write to '%s'".
 * \return EXIT_RUNTIME.
 */
enum pss_exit report_problem(DWORD error, const char *format, ...)
    __attribute__((format(gnu_printf, 2, 3)));

/** Ends the program. */
void report_out_of_memory(void) __attribute__((noreturn));

#endif
