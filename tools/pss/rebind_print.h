/* SPDX-License-Identifier: MIT */
/* What `pss rebind` says of each file: lines, or one JSON document for all. */
#ifndef PSS_TOOL_REBIND_PRINT_H
#define PSS_TOOL_REBIND_PRINT_H

#include "rebind.h"

/** Begins a file, which has failed until something else is said. */
void print_begin(struct rebind *rebind, const WCHAR *path);

/**
 * Tells the outcome.
 *
 * \param result   [in] A word for programs: "rebound", "restored", "skipped" and the like.
 * \param sentence [in] What follows the path.
 * \param is_shown [in] Without it only --verbose has a line.
 */
void print_outcome(struct rebind *rebind, const WCHAR *path, const char *result,
                   const char *sentence, int is_shown);

/** Tells what a user should know besides. */
void print_note(struct rebind *rebind, const WCHAR *path, const char *sentence);

/** Counts a file that stays as it is; the last message told why. */
void print_failed(struct rebind *rebind);

/**
 * Tells an import that this system does not have.
 *
 * \param dll      [in] Its name; like \p function from a file that nobody vouches for.
 * \param function [in] A name, or "#" and an ordinal; NULL: the whole DLL is missing.
 * \param effect   [in] What comes of it.
 */
void print_missing(struct rebind *rebind, const WCHAR *path, const char *dll, const char *function,
                   const char *effect);

/** Prints the summary, or the document. */
enum pss_exit print_summary(struct rebind *rebind);

#endif
