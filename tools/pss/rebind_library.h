/* SPDX-License-Identifier: MIT */
/* The pss.dll that a rebound file needs beside it. */
#ifndef PSS_TOOL_REBIND_LIBRARY_H
#define PSS_TOOL_REBIND_LIBRARY_H

#include <stdint.h>

#include "report.h"

/** What is to be done about it. */
enum library_state {
    LIBRARY_THERE,   /* the same one is there already */
    LIBRARY_MISSING, /* it has to be copied */
    LIBRARY_OTHER,   /* another version for the same machine is there, and stays */
    LIBRARY_UNUSABLE /* reported: what is there does not serve, or we have none to copy */
};

/**
 * Looks what is there. It serves if it is a whole DLL for the machine that has all the functions.
 *
 * \param path    [in]  The file that needs it.
 * \param machine [in]  PE_MACHINE_*, which is IMAGE_FILE_MACHINE_*.
 */
enum library_state library_check(const WCHAR *path, uint32_t machine);

/**
 * Copies it beside \p path: it is there whole, or not at all.
 *
 * \return EXIT_DONE · EXIT_RUNTIME, reported.
 */
enum pss_exit library_copy(const WCHAR *path, uint32_t machine);

/** Removes what library_copy() has copied there. */
void library_remove(const WCHAR *path);

/** Whether one lies beside \p path. */
int library_is_beside(const WCHAR *path);

#endif
