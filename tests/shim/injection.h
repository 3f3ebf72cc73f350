/* SPDX-License-Identifier: MIT */
/* One injection of shim-sample.dll, by name, and of shim-other.dll, by ordinal, through the faulty
 * system; or of shim-instead.dll, which takes functions over. */
#ifndef PSS_SHIM_INJECTION_H
#define PSS_SHIM_INJECTION_H

#include "child.h"
#include "inject.h"

/** Which of the two it is. */
extern bool injection_redirects;

/** What a child ends with that was injected into. */
unsigned injection_outcome(void);

/** inject_open() and inject_imports(). */
NTSTATUS injection_make(const struct child *child);

#endif
