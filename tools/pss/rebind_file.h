/* SPDX-License-Identifier: MIT */
/* Files as `pss rebind` treats them: read whole, and replaced so that no failure costs one. */
#ifndef PSS_TOOL_REBIND_FILE_H
#define PSS_TOOL_REBIND_FILE_H

#include <stddef.h>

#include "report.h"

/** What the name of the original is followed by. */
#define BACKUP_SUFFIX L".pss-backup"

/**
 * Reports a failed function together with the file it was about.
 *
 * \return EXIT_RUNTIME.
 */
enum pss_exit file_report(const char *function, const WCHAR *path, DWORD error);

int file_exists(const WCHAR *path);
int file_is_directory(const WCHAR *path);

/** Whether both are the same file, however they are called. */
int file_is_same(const WCHAR *path, const WCHAR *other);

/**
 * Reads a file.
 *
 * \param path  [in]  Its full path.
 * \param limit [in]  Bytes; of a larger file only so many and one more are read.
 * \param bytes [out] For free().
 * \param size  [out] Bytes that were read.
 * \return EXIT_DONE · EXIT_RUNTIME, reported.
 */
enum pss_exit file_read(const WCHAR *path, size_t limit, unsigned char **bytes, size_t *size);

/**
 * Writes a file under another name, then puts it into place; the old file is there until then.
 *
 * \param path   [in] Its full path.
 * \param bytes  [in] The new contents.
 * \param size   [in] Bytes of them.
 * \param backup [in] What the old file is renamed to; NULL = it is replaced.
 * \return EXIT_DONE · EXIT_RUNTIME, reported; the old file is as it was, or, where even the way
 * back is barred, whole under the name of the backup, which is reported, too.
 */
enum pss_exit file_replace(const WCHAR *path, const unsigned char *bytes, size_t size,
                           const WCHAR *backup);

/**
 * Renames a file over another one, even a read-only one.
 *
 * \return As file_replace().
 */
enum pss_exit file_put_back(const WCHAR *backup, const WCHAR *path);

/**
 * Makes a directory and those above it.
 *
 * \return EXIT_DONE · EXIT_RUNTIME, reported.
 */
enum pss_exit file_make_directory(const WCHAR *path);

#endif
