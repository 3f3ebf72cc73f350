/* SPDX-License-Identifier: MIT */
/* The exports of a module as it lies in memory, found without the loader and its lock. */
#ifndef PSS_EXPORTS_H
#define PSS_EXPORTS_H

#include "nt/nt_types.h"

/** A module that is loaded; zero-initialised is none. */
struct pss_module {
    const unsigned char *base;
    uint32_t size;         /* bytes: SizeOfImage, as far as it can be read */
    uint32_t exports;      /* bytes from the base to the export directory */
    uint32_t exports_size; /* bytes of it */
};

/**
 * Looks at the headers of a module, of this process's own bitness.
 *
 * \param base    [in]  Where an image may be mapped.
 * \param limit   [in]  Bytes that can be read there.
 * \param module  [out] Untouched on failure.
 * \return whether it is an image with an export directory.
 */
int pss_module_open(const void *base, SIZE_T limit, struct pss_module *module);

/** Whether the module calls itself \p name, in whatever case. */
int pss_module_is_named(const struct pss_module *module, const char *name);

/**
 * Finds an export by its name.
 *
 * \return its address, within the module; NULL: there is none, or it is another module's.
 */
void *pss_module_find_export(const struct pss_module *module, const char *name);

#endif
