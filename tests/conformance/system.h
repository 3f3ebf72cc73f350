/* SPDX-License-Identifier: MIT */
/* What the system is that the kit runs on. */
#ifndef PSS_CONFORMANCE_SYSTEM_H
#define PSS_CONFORMANCE_SYSTEM_H

#include "buffer.h"

/** Whether the system is Wine. */
int system_is_wine(void);

/** Appends "name: value" lines: version, build, product, architecture, and Wine's version. */
void system_add_facts(struct buffer *facts);

/** Removes the keys that the tests' targets made under HKEY_CURRENT_USER; all begin alike. */
void system_remove_keys(void);

/**
 * In a program of its own, as a library may raise: whether a DLL has an API that works. Prints why
 * it has none.
 *
 * \param path [in] The DLL: a name of the system's or a full path.
 * \return 0 it works · 1 it cannot be loaded, lacks a name, or fails.
 */
int system_probe(const wchar_t *path);

#endif
