/* SPDX-License-Identifier: MIT */
/* Paths of files: long ones too, in UTF-16 for the system and in UTF-8 for people. */
#ifndef PSS_TOOL_FILE_PATH_H
#define PSS_TOOL_FILE_PATH_H

#include <windows.h>

/* Results are for free(); the program ends when there is no memory. */

/** The full path of what a user wrote, in the form that has no limit of length. */
WCHAR *path_full(const char *path);

/** The same for people. */
char *path_show(const WCHAR *full);

WCHAR *path_join(const WCHAR *directory, const WCHAR *name);
WCHAR *path_append(const WCHAR *path, const WCHAR *suffix);
WCHAR *path_parent(const WCHAR *full);

/** What stands behind the last backslash; part of \p full. */
const WCHAR *path_name(const WCHAR *full);

/** Whether a name ends so, in any case. */
int path_ends_with(const WCHAR *name, const WCHAR *end);

#endif
