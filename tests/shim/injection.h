/* SPDX-License-Identifier: MIT */
/* One injection of shim-sample.dll, by name, and of shim-other.dll, by ordinal, through the faulty
 * system. */
#ifndef PSS_SHIM_INJECTION_H
#define PSS_SHIM_INJECTION_H

#include "child.h"
#include "inject.h"

/** inject_open() and inject_imports(). */
NTSTATUS injection_make(const struct child *child);

#endif
