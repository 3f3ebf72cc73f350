/* SPDX-License-Identifier: MIT */
/* Fuzzes the rebinding: any bytes are refused, or have a new form that keeps all promises. */
#include <string.h>

#include "pe_invariants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pe_invariants_check(data, size);
    return 0;
}
