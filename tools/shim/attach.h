/* SPDX-License-Identifier: MIT */
/* Sees to it that a new process gets the Process Snapshotting API: pss-shim.dll. */
#ifndef PSS_SHIM_ATTACH_H
#define PSS_SHIM_ATTACH_H

#include "nt/nt.h"

/**
 * Makes a process whose first thread is still suspended load pss-shim.dll before anything else. It
 * is found near \p self. A 32-bit caller lets pss-inject.exe do it for a
 * 64-bit process, and waits for it.
 *
 * Processes of another user, and those with more rights than the caller's, are refused.
 *
 * \param nt      [in] Services.
 * \param self    [in] The module that asks; NULL = the program of this process.
 * \param process [in] All rights that CreateProcess gives its caller.
 * \return ERROR_SUCCESS · ERROR_FILE_NOT_FOUND when our file is missing for that machine ·
 * ERROR_ACCESS_DENIED for a process that is not the caller's own · ERROR_INVALID_NAME when it
 * lies where the loader's import tables cannot name it · ERROR_FILENAME_EXCED_RANGE when
 * its path is too long for it · ERROR_TIMEOUT for a helper that
 * does not end · ERROR_NOT_SUPPORTED for programs of managed code only, and of other machines · the
 * system's code. On failure the process is as it was.
 */
DWORD attach_to(const struct pss_nt *nt, HMODULE self, HANDLE process);

/** The program that a 32-bit process starts; one that is being started is left alone. */
#define ATTACH_HELPER L"pss-inject.exe"

#endif
