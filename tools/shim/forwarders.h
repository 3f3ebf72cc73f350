/* SPDX-License-Identifier: MIT */
/* Exports that are another module's: what a function is called in the library that has it. */
#ifndef PSS_SHIM_FORWARDERS_H
#define PSS_SHIM_FORWARDERS_H

#include "nt/nt.h"

#define FORWARDER_TEXT 128 /* room for a name with its terminator; longer ones are not followed */

/** A function as a forwarder names it. */
struct forwarder {
    char library[FORWARDER_TEXT]; /* with its ".dll" */
    char name[FORWARDER_TEXT];    /* empty for one that is named by its ordinal */
    DWORD ordinal;                /* of such a one, else 0 */
};

/**
 * Finds a loaded module by the name that an import table or a forwarder has for it.
 *
 * Call it while no module can come or go: from DllMain.
 *
 * \return Its base; NULL for none.
 */
char *forwarders_find_module(const char *name);

/**
 * Reads the forwarder behind an export. A table that cannot be true has none.
 *
 * \param module    [in]  A loaded module.
 * \param name      [in]  The export; NULL = by its ordinal.
 * \param ordinal   [in]  Used without a name.
 * \param forwarder [out] Untouched unless there is one. \p name may be part of it.
 * \return 1 · 0: there is no such export, or it is a function of the module itself.
 */
int forwarders_read(char *module, const char *name, DWORD ordinal, struct forwarder *forwarder);

#endif
