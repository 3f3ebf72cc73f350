/* SPDX-License-Identifier: MIT */
/* What every capture of a target that only waits has to tell, as one number for each list. */
#ifndef PSS_TEST_DIGEST_H
#define PSS_TEST_DIGEST_H

#include "harness.h"

/** A list: how many entries that stay, and a number made of what cannot change in them. */
struct digest_list {
    DWORD count;
    uint64_t sum;
};

struct digest {
    struct digest_list regions; /* addresses, sizes, states, protections, types, file names */
    struct digest_list handles; /* values, types, access, names */
    struct digest_list threads; /* ids, TEBs, start addresses, instruction pointers if captured */
};

/**
 * Queries and walks every list of a snapshot, with a marker of its own. It asserts nothing, so that
 * any thread may call it.
 *
 * \return false when a query or walk does not do as it should: counts that differ, an end that does
 *         not come, a class that was not captured, a foreign process id.
 */
bool digest_read(HPSS snapshot, DWORD flags, DWORD pid, struct digest *digest);

/** Whether two tell the same of the lists that were captured with \p flags. */
bool digest_is_same(const struct digest *left, const struct digest *right, DWORD flags);

/** Prints both. */
void digest_print(const struct digest *left, const struct digest *right);

#endif
