/* SPDX-License-Identifier: MIT */
/* Runs a program with a limit: in a job that ends it with all it started, its output in a file. */
#ifndef PSS_CONFORMANCE_RUNNER_H
#define PSS_CONFORMANCE_RUNNER_H

#include <windows.h>

struct run {
    const WCHAR *program;   /* borrowed: its full path */
    const WCHAR *arguments; /* borrowed: the rest of the command line; may be empty */
    const WCHAR *output;    /* borrowed: the file that gets standard output and standard error */
    DWORD seconds;          /* its limit */

    DWORD error;     /* why it did not run; the rest is 0 then */
    DWORD exit_code; /* if it was not ended */
    BOOL timed_out;
    DWORD left; /* processes that it left behind, which were ended */
};

/**
 * Runs a program and waits for its end. Its standard input is empty, its directory its own; it
 * inherits nothing but its output. No dialogue of the system stops it when it crashes.
 *
 * \param run [in,out] Set up to seconds; the rest is written.
 */
void runner_run(struct run *run);

/** Finds out whether a process in a job can be put into another one, as before Windows 8 it cannot.
 */
void runner_prepare(void);

#endif
