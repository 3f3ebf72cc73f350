/* SPDX-License-Identifier: MIT */
/* What follows the sections of a PE file: archives, bundles, data of self-extractors. */
#ifndef PSS_PE_TRAILING_H
#define PSS_PE_TRAILING_H

#include "pe_read.h"

/** Bytes behind the sections that are neither symbols, nor a signature, nor zeros up to it. */
uint32_t pe_trailing(const struct pe_file *file);

/**
 * Whether it is a .NET program with all its files in one, which it finds by absolute offsets.
 *
 * \source github.com/dotnet/runtime, docs/design/features/host-components.md and the single-file
 *         bundler's design: the program has a mark of 32 bytes behind the offset of the bundle's
 *         header, which is 0 where there is no bundle.
 */
int pe_is_bundle(const struct pe_file *file);

/** Whether it is a program and no DLL. */
int pe_is_program(const struct pe_file *file);

#endif
