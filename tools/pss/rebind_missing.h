/* SPDX-License-Identifier: MIT */
/* Which imports of a file this system does not have, besides those that pss.dll serves. */
#ifndef PSS_TOOL_REBIND_MISSING_H
#define PSS_TOOL_REBIND_MISSING_H

#include <stddef.h>

#include "rebind.h"

/**
 * Looks for each import of a file, and of the DLLs beside it that it loads, in the files of the
 * system's DLLs and API sets, and tells what is not there. Nothing of them is run.
 *
 * \param path  [in] Where the file is, or will be.
 * \param bytes [in] Its contents.
 * \param size  [in] Bytes of them.
 */
void missing_report(struct rebind *rebind, const WCHAR *path, const unsigned char *bytes,
                    size_t size);

#endif
