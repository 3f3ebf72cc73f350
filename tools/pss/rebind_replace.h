/* SPDX-License-Identifier: MIT */
/* Replaces a file so that no failure, and no end of this process, costs one. */
#ifndef PSS_TOOL_REBIND_REPLACE_H
#define PSS_TOOL_REBIND_REPLACE_H

#include <stddef.h>

#include "rebind_file.h"

struct replacement {
    const WCHAR *path;        /* full; borrowed, as all here */
    const WCHAR *backup;      /* the old file's other name, which is free; NULL = it has none */
    const unsigned char *old; /* what the old file has to hold; NULL = anything, or none is there */
    size_t old_size;          /* bytes of it */
    const unsigned char *bytes; /* the new contents */
    size_t size;                /* bytes of them */
};

/**
 * Writes a file beside the old one, gives the old one its other name, and then puts the new one in
 * its place in one step, so that the path always names one of the two. A program that runs cannot
 * be replaced so: it is renamed first, and renamed back if need be.
 *
 * \return EXIT_DONE · EXIT_RUNTIME, reported; all is as it was, or, where even the way back is
 * barred, the old file is whole under the name of the backup, which is reported, too.
 */
enum pss_exit file_replace(const struct replacement *replacement);

/**
 * Writes a file that nobody sees before it is whole.
 *
 * \param path [in] Where it goes; a file that is there already stays, and that is no failure.
 * \return EXIT_DONE · EXIT_RUNTIME, reported; nothing is left then.
 */
enum pss_exit file_create(const WCHAR *path, const unsigned char *bytes, size_t size);

/**
 * Renames a file over another one, even a read-only one.
 *
 * \return EXIT_DONE · EXIT_RUNTIME, reported; both are as before.
 */
enum pss_exit file_put_back(const WCHAR *backup, const WCHAR *path);

/** Removes a file, even a read-only one; one that stays harms nobody. */
void file_remove(const WCHAR *path);

#endif
