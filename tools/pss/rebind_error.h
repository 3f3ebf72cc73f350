/* SPDX-License-Identifier: MIT */
/* Says in plain words what `pss rebind` could not do with a file, and what helps. */
#ifndef PSS_TOOL_REBIND_ERROR_H
#define PSS_TOOL_REBIND_ERROR_H

#include "report.h"

/**
 * Reports what failed, such as "C:\app.exe: cannot be read: there is no such file (error 2)".
 *
 * \param failure [in] Such as "cannot be read".
 * \param path    [in] Its full path.
 * \param error   [in] The Win32 error code.
 * \return EXIT_RUNTIME.
 */
enum pss_exit file_report(const char *failure, const WCHAR *path, DWORD error);

/** Reports "PATH: MESSAGE". */
void file_complain(const WCHAR *path, const char *message);

/** The same with a second path behind the message. */
void file_complain_of(const WCHAR *path, const char *message, const WCHAR *other);

#endif
