/* SPDX-License-Identifier: MIT */
/* Whose process it is. */
#ifndef PSS_SHIM_IDENTITY_H
#define PSS_SHIM_IDENTITY_H

#include <windows.h>

/**
 * Whether a process runs for the same user as this one, with an integrity level that is not higher.
 *
 * \param process [in] PROCESS_QUERY_INFORMATION.
 * \return 1 · 0, also when it cannot be told.
 */
int identity_is_own(HANDLE process);

#endif
