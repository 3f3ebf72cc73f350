/* SPDX-License-Identifier: MIT */
/* Processes that this one starts get the Process Snapshotting API too. */
#ifndef PSS_SHIM_CHILDREN_H
#define PSS_SHIM_CHILDREN_H

#include "nt/nt.h"

/**
 * Takes the place of ntdll's NtCreateUserProcess in all modules, those that are loaded later
 * included: whatever way a program starts another, it ends there. A child that cannot be given the
 * API starts all the same. Left alone are a child that gets another parent than this process, and
 * the helper of attach.h.
 *
 * Call it once, from DllMain.
 *
 * \param nt   [in] Services; kept.
 * \param self [in] pss-shim.dll, which goes on creating the processes of clones itself.
 */
void children_follow(const struct pss_nt *nt, HMODULE self);

#endif
