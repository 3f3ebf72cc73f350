/* SPDX-License-Identifier: MIT */
/* What must be true of each answer to any bytes; shared by the tests and the fuzzer. */
#ifndef PSS_TEST_PE_INVARIANTS_H
#define PSS_TEST_PE_INVARIANTS_H

#include <stddef.h>
#include <stdint.h>

#include "pe_verdict.h"

/**
 * Rebinds bytes; traps if the answer breaks a promise: the new form can be read, is already
 * rebound, has one section more, and the old sections' bytes but for the few that the rebinding
 * changes.
 */
enum pe_verdict pe_invariants_check(const uint8_t *bytes, size_t size);

#endif
