/* SPDX-License-Identifier: MIT */
/**
 * \file
 * Prints what is known of a crash.
 */
#ifndef CRASH_PRINT_H
#define CRASH_PRINT_H

#include <windows.h>

#include "crash_report.h"
#include "pss.h"

/**
 * Prints the exception, the registers, all threads, and the stack of the crash as the clone has it,
 * or the program itself if the snapshot has no clone.
 *
 * \param report   [in] A private copy: the program it came from is not to be trusted.
 * \param snapshot [in] The crashed program.
 * \param program  [in] The process, which waits if there is no clone; PROCESS_VM_READ.
 * \return ERROR_SUCCESS, or the error of the query or walk that failed.
 */
DWORD crash_print(const struct crash_report *report, HPSS snapshot, HANDLE program);

#endif
