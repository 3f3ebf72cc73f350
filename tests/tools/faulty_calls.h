/* SPDX-License-Identifier: MIT */
/* The Windows calls of a program that is linked into a test, made to fail by their number. */
#ifndef PSS_FAULTY_CALLS_H
#define PSS_FAULTY_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include <windows.h>

/** The imports of this program lead to the wrappers from now on; undone by faulty_calls_end. */
void faulty_calls_begin(void);
void faulty_calls_end(void);

/** Plans a fault, and counts from 1 again: no call is made, the last-error value is \p error. */
void faulty_calls_fail(uint32_t number, bool persistent, DWORD error);

/** What GetCommandLineW answers while the imports lead here. */
void faulty_calls_set_line(WCHAR *line);

/** What GetStdHandle answers then; NULL to begin with. */
void faulty_calls_set_handle(HANDLE handle);

/** Whether Ctrl+C comes right after each CreateProcessW, if there is somebody to handle it. */
void faulty_calls_interrupt(bool begins);

/** What the last CreateProcessW was given. */
const STARTUPINFOW *faulty_calls_startup(void);

/** Calls since then, and the name of the first one that failed, or NULL. */
uint32_t faulty_calls_count(void);
const char *faulty_calls_failed(void);

/** Blocks of memory that were freed and are none; they were left alone. */
uint32_t faulty_calls_wrong_frees(void);

#endif
