/* SPDX-License-Identifier: MIT */
/* What `pss rebind` does with one file. */
#ifndef PSS_TOOL_REBIND_H
#define PSS_TOOL_REBIND_H

#include <jansson.h>

#include "rebind_options.h"
#include "rebind_walk.h"

struct rebind {
    const struct rebind_options *options; /* borrowed */
    unsigned files;                       /* looked at */
    unsigned changed;                     /* rebound or restored, or would be */
    unsigned unchanged;                   /* with nothing to do */
    unsigned already;                     /* rebound before */
    unsigned skipped; /* found in a directory, and of a kind that is left alone */
    unsigned failed;
    unsigned unseen;   /* programs with nothing to do that may unpack some when they run */
    unsigned machines; /* bits of enum rebind_machine: that files were or had been rebound for */
    struct file_list written; /* owned; what --output has made, or would have */
    json_t *documents;        /* owned; one for each file; NULL without --json */
    json_t *document;         /* of the current file; borrowed from the list */
};

enum rebind_machine { REBIND_X86 = 1, REBIND_X64 = 2 };

/**
 * Rebinds a file, and says what was done.
 *
 * \param rebind   [in,out] Counts the outcome.
 * \param path     [in]     The full path of the file.
 * \param target   [in]     Where the new form goes; \p path itself to replace it.
 * \param is_named [in]     The user named the file: if it cannot be rebound, that is a failure.
 */
void rebind_file(struct rebind *rebind, const WCHAR *path, const WCHAR *target, int is_named);

/**
 * Puts the original back.
 *
 * \param path [in] The full path of the rebound file, whose backup may be missing.
 */
void rebind_restore(struct rebind *rebind, const WCHAR *path);

/**
 * Puts pss.dll beside a program if it is for a machine that something was rebound for: it may load
 * that from another directory.
 *
 * \param path [in] The full path of a program.
 */
void rebind_equip(struct rebind *rebind, const WCHAR *path);

#endif
