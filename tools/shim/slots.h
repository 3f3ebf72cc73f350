/* SPDX-License-Identifier: MIT */
/* Imports that were bound before: their slots are given other functions. */
#ifndef PSS_SHIM_SLOTS_H
#define PSS_SHIM_SLOTS_H

#include "nt/nt.h"

/** A function in the place of another. */
struct shim_function {
    const char *name; /* as it is imported; borrowed */
    void *function;
};

/** Imports to be given other functions. */
struct shim_redirection {
    int (*is_library)(const char *); /* whether the import table of a module names the library */
    const struct shim_function *functions;
    unsigned count;    /* of functions */
    unsigned reserved; /* 0 */
    const char *keep;  /* a module that keeps what it has; NULL = none */
};

/**
 * Goes through the import tables of all loaded modules. A module without lookup table, as some old
 * linkers made them, has lost the names and is passed over. An import of another library is
 * redirected, too, where that forwards it to the one that is meant, directly or through others.
 *
 * Call it while no module can come or go: from DllMain.
 */
void slots_redirect(const struct pss_nt *nt, const struct shim_redirection *redirection);

#endif
