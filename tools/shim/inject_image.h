/* SPDX-License-Identifier: MIT */
/* The way into the image of the other process, for those who inject. */
#ifndef PSS_SHIM_INJECT_IMAGE_H
#define PSS_SHIM_INJECT_IMAGE_H

#include "inject.h"

/**
 * Where an offset from the image is in the other process. It may lead round the address space: what
 * is there is read or not, but no pointer of ours goes out of bounds.
 */
char *inject_address(const struct inject_image *image, uint32_t rva);

/**
 * Reads all of it, or fails.
 *
 * \return STATUS_SUCCESS · STATUS_PARTIAL_COPY · the system's status.
 */
NTSTATUS inject_read(const struct pss_nt *nt, HANDLE process, const char *address, void *buffer,
                     SIZE_T size);

/** A data directory in the copy of the headers; NULL when they have no room for it. */
const IMAGE_DATA_DIRECTORY *inject_directory(const struct inject_image *image, unsigned index);

/** Whether the program is a 64-bit one. */
int inject_is_64bit(const struct inject_image *image);

#endif
