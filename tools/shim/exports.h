/* SPDX-License-Identifier: MIT */
/* Gives a loaded module exports that it lacks, or others in place of its own. */
#ifndef PSS_SHIM_EXPORTS_H
#define PSS_SHIM_EXPORTS_H

#include "nt/nt.h"

/** An export that names a function of another module. */
struct shim_export {
    const char *name;      /* borrowed */
    const char *forwarder; /* "module.function", of a module that is loaded; borrowed */
};

/**
 * Gives the module a new export table near it: its own exports, and \p added, which win. From then
 * on the loader finds them however it is asked: GetProcAddress, imports of modules loaded later,
 * forwarders of others. The ordinals of all others stay. What was looked up before is not touched.
 *
 * Call it while no other thread looks up exports: from DllMain.
 *
 * \param nt     [in] Services.
 * \param module [in] A module of this process; the new table stays for as long as the process
 *                    lives.
 * \param added  [in] Sorted by name, as strcmp() does.
 * \param count  [in] Number of them.
 * \return STATUS_SUCCESS · STATUS_INVALID_IMAGE_FORMAT for a module without exports ·
 *         STATUS_NO_MEMORY · the system's status. On failure the module is as it was.
 */
NTSTATUS exports_add(const struct pss_nt *nt, char *module, const struct shim_export *added,
                     unsigned count);

#endif
