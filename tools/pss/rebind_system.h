/* SPDX-License-Identifier: MIT */
/* Where this system has its own DLLs. */
#ifndef PSS_TOOL_REBIND_SYSTEM_H
#define PSS_TOOL_REBIND_SYSTEM_H

#include <stdint.h>

#include <windows.h>

/** Where a DLL is. */
enum system_place {
    SYSTEM_FILE,      /* a file of the system's */
    SYSTEM_ELSEWHERE, /* on PATH, or where we cannot look */
    SYSTEM_NOWHERE
};

/**
 * Finds the DLL that a program would get of the system, by its name or by that of an API set.
 *
 * \param name    [in]  Without a directory.
 * \param machine [in]  PE_MACHINE_*: of the program.
 * \param path    [out] The file, for free(), with SYSTEM_FILE; else NULL.
 */
enum system_place system_find(const WCHAR *name, uint32_t machine, WCHAR **path);

/** Whether a missing function lets a program start, and ends it when it is called: under Wine. */
int system_starts_without(void);

#endif
