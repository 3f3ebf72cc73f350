/* SPDX-License-Identifier: MIT */
/* Files and directories of the conformance kit, by paths of any characters. */
#ifndef PSS_CONFORMANCE_FILES_H
#define PSS_CONFORMANCE_FILES_H

#include <windows.h>

#include "buffer.h"

#define PATH_SIZE 1024u /* characters of a path, terminator included */

/** Joins a directory and a name; 0 when that is too long. */
int path_join(WCHAR path[PATH_SIZE], const WCHAR *directory, const WCHAR *name);

/** Cuts off the last part of a path. */
void path_cut(WCHAR *path);

/** Makes a directory, and what is missing above it; 0 when it is not there afterwards. */
int directory_make(const WCHAR *path);

/** Removes a directory with all that is in it, if it has a name; the number of what was in it. */
unsigned directory_remove(const WCHAR *path);

/**
 * Reads a file.
 *
 * \param content [in,out] Gets the bytes; zero-initialised before.
 * \return 0 when it cannot be read, is larger than 64 MB, or memory runs out.
 */
int file_read(const WCHAR *path, struct buffer *content);

/** Writes a file, replacing one that is there; 0 when it cannot be written as a whole. */
int file_write(const WCHAR *path, const struct buffer *content);

/** Appends UTF-16 text as UTF-8. */
void buffer_add_wide(struct buffer *buffer, const WCHAR *text);

#endif
