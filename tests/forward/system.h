/* SPDX-License-Identifier: MIT */
/* The faulty system with the stand-in for its kernel32, for the tests of forwarding. */
#ifndef PSS_FORWARD_SYSTEM_H
#define PSS_FORWARD_SYSTEM_H

#include "faulty_nt.h"
#include "harness.h"
#include "stand_in.h"

#define SYSTEM_LAST_ERROR 0x2BADCAFEu

/** What the stand-in lets itself be told; the same for the life of the process. */
struct stand_in *system_stand_in(void);

/** A fresh system whose kernel32 is the stand-in with this behaviour; nothing is in its
 * environment. */
void system_init(enum stand_in_behaviour behaviour);

/** Another module in kernel32's place; NULL: none. */
void system_use_module(HMODULE module);

/** One export that the module seems to lack; NULL: none. */
void system_hide(const char *name);

/** What the environment has for PSS_FORWARD; NULL: nothing. */
void system_set_forward(const WCHAR *value);

/** For how many tries another thread seems to have the lock of the loader, and of the environment.
 */
void system_lock(uint32_t loader_tries, uint32_t environment_tries);

/** Fails the test unless the loader is unlocked, and the library holds nothing. */
void system_assert_clean(const char *where);

const char *system_behaviour_name(enum stand_in_behaviour behaviour);

#endif
