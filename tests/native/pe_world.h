/* SPDX-License-Identifier: MIT */
/* What the tests of rebinding share: files to rebind, and what must be true of any new form. */
#ifndef PSS_TEST_PE_WORLD_H
#define PSS_TEST_PE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pe_builder.h"
#include "pe_invariants.h"
#include "pe_loader.h"
#include "pe_rebind.h"

#define for_both_formats(built) for ((built).is_64 = 0; (built).is_64 < 2; (built).is_64++)

/** A program with imports of every kind that can move, and of some that cannot. */
extern const struct pe_builder_dll every_kind[PE_BUILDER_DLLS];

/** Builds a file with the given DLLs in the format that is set. */
void world_build(struct pe_builder *built, const struct pe_builder_dll *dlls);

/** Rebinds a file, checks what any new form must be like, and compares the verdict. */
void world_expect(const struct pe_builder *built, enum pe_verdict expected);

/** The same for a file that is rebound; the result's bytes are the caller's. */
void world_rebind(const struct pe_builder *built, struct pe_result *result);

/** Each slot of the old form has one binding in the new one, the right one; returns how many moved.
 */
unsigned world_compare_bindings(const struct pe_builder *built, const struct pe_result *result);

#endif
