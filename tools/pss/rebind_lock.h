/* SPDX-License-Identifier: MIT */
/* One `pss rebind` at a time works in a directory. */
#ifndef PSS_TOOL_REBIND_LOCK_H
#define PSS_TOOL_REBIND_LOCK_H

#include "report.h"

/** A file in the directory that nobody else can open, and that vanishes with its owner. */
#define LOCK_NAME L".pss-rebind-lock"

/**
 * Waits until no other run works in the directory of a file, and takes it.
 *
 * \param path [in]  Full path of a file in it.
 * \param lock [out] For lock_release(); filled on success.
 * \return EXIT_DONE · EXIT_RUNTIME, reported.
 */
enum pss_exit lock_take(const WCHAR *path, HANDLE *lock);

void lock_release(HANDLE lock);

#endif
