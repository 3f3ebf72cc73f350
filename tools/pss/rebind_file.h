/* SPDX-License-Identifier: MIT */
/* Files as `pss rebind` reads and compares them. */
#ifndef PSS_TOOL_REBIND_FILE_H
#define PSS_TOOL_REBIND_FILE_H

#include <stddef.h>

#include "rebind_error.h"

/** What the name of the original is followed by. */
#define BACKUP_SUFFIX L".pss-backup"

/** What the name of a file is followed by while it is written. */
#define NEW_SUFFIX L".pss-new"

int file_exists(const WCHAR *path);
int file_is_directory(const WCHAR *path);

/** Whether both are the same file, however they are called. */
int file_is_same(const WCHAR *path, const WCHAR *other);

/**
 * Where a link leads to.
 *
 * \return The file's true path, for free(); NULL if \p path is no link to a file, or nobody knows.
 */
WCHAR *file_follow(const WCHAR *path);

/**
 * Reads a file.
 *
 * \param path  [in]  Its full path.
 * \param limit [in]  Bytes; of a larger file only so many and one more are read.
 * \param bytes [out] For free(); filled on success.
 * \param size  [out] Bytes that were read; filled on success.
 * \return ERROR_SUCCESS or what happened, not reported.
 */
DWORD file_load(const WCHAR *path, size_t limit, unsigned char **bytes, size_t *size);

/** The same, and reports what happened. */
enum pss_exit file_read(const WCHAR *path, size_t limit, unsigned char **bytes, size_t *size);

/** Whether a file can be read and holds these bytes. */
int file_holds(const WCHAR *path, const unsigned char *bytes, size_t size);

/**
 * Makes a directory and those above it.
 *
 * \return EXIT_DONE · EXIT_RUNTIME, reported.
 */
enum pss_exit file_make_directory(const WCHAR *path);

#endif
