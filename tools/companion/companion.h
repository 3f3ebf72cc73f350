/* SPDX-License-Identifier: MIT */
/* Finds the files of this project that lie near a module of it, for either bitness. */
#ifndef PSS_COMPANION_H
#define PSS_COMPANION_H

#include <windows.h>

/** Room for a path in characters, terminator included. */
#define COMPANION_PATH 512

/**
 * Finds a program or DLL that ships with this one. Searched are the directory of \p module, x64 or
 * x86 below it, x64 or x86 beside it, and the one above it; a file counts when it is a PE file of
 * that machine. No search path of the system is used.
 *
 * \param module  [in]  The module that asks; NULL = the program of this process.
 * \param machine [in]  IMAGE_FILE_MACHINE_AMD64 or IMAGE_FILE_MACHINE_I386.
 * \param name    [in]  A file name without directories.
 * \param path    [out] COMPANION_PATH characters: the full path; untouched on failure.
 * \return 1 found · 0 not found.
 */
int companion_find(HMODULE module, WORD machine, const WCHAR *name, WCHAR *path);

/**
 * Tells the machine a PE file is for.
 *
 * \return IMAGE_FILE_MACHINE_... · 0 for what is not a PE file or cannot be read.
 */
WORD companion_machine(const WCHAR *path);

#endif
