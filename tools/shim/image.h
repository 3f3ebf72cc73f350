/* SPDX-License-Identifier: MIT */
/* Loaded modules of this process: their headers, and the texts in their tables. */
#ifndef PSS_SHIM_IMAGE_H
#define PSS_SHIM_IMAGE_H

#include "nt/nt.h"

/** A data directory of a module that the loader has accepted; NULL when it has none of that index.
 */
IMAGE_DATA_DIRECTORY *image_directory(char *module, unsigned index);

/** Bytes of memory that a module takes, as its headers say. */
DWORD image_size(char *module);

/** Bytes of a text, terminator included. */
SIZE_T image_text_size(const char *text);

/** As strcmp(). */
int image_text_compare(const char *left, const char *right);

/** Whether two names of files are equal but for the case of ASCII letters, as the loader compares
 * them. */
int image_names_equal(const char *left, const char *right);

#endif
