/* SPDX-License-Identifier: MIT */
/* The files of a directory that `pss rebind` looks at. */
#ifndef PSS_TOOL_REBIND_WALK_H
#define PSS_TOOL_REBIND_WALK_H

#include <stddef.h>

#include "report.h"

/** Names; those that walk_list() finds are relative to the directory, in order. */
struct file_list {
    WCHAR **names; /* owned */
    size_t count;
    size_t room;
};

/**
 * Lists the files.
 *
 * \param directory    [in]  Its full path.
 * \param is_recursive [in]  Also directories below; links to directories are not followed.
 * \param is_wanted    [in]  Tells by the name.
 * \param walk         [out] Always filled, for walk_free().
 * \return EXIT_DONE · EXIT_RUNTIME: a directory could not be read, which is reported.
 */
enum pss_exit walk_list(const WCHAR *directory, int is_recursive, int (*is_wanted)(const WCHAR *),
                        struct file_list *walk);

/** Adds a name, which it owns from then on. */
void walk_add(struct file_list *walk, WCHAR *name);

void walk_free(struct file_list *walk);

#endif
