/* SPDX-License-Identifier: MIT */
/* Finds processes: by id, by name, and all of them. */
#ifndef PSS_TOOL_TARGET_H
#define PSS_TOOL_TARGET_H

#include <windows.h>

#include <tlhelp32.h>

#include "report.h"

/**
 * Called for each process.
 *
 * \return 0 to go on.
 */
typedef int target_visit(const PROCESSENTRY32W *process, void *context);

/**
 * Visits the running processes.
 *
 * \return EXIT_DONE · EXIT_RUNTIME, reported.
 */
enum pss_exit target_visit_all(target_visit *visit, void *context);

/**
 * Opens a process.
 *
 * \param name    [in]  A process id, an executable's name or "self".
 * \param access  [in]  PROCESS_* rights.
 * \param process [out] A handle for CloseHandle(), which does nothing to that of "self".
 * \return EXIT_DONE · EXIT_RUNTIME, reported: none or several have that name, or it cannot be
 *         opened.
 */
enum pss_exit target_open(const char *name, DWORD access, HANDLE *process);

#endif
