/* SPDX-License-Identifier: MIT */
/* What the native tests of duplicates share: three processes, and snapshots that are the same. */
#ifndef PSS_SHIP_WORLD_H
#define PSS_SHIP_WORLD_H

#include "block_walk.h"
#include "clone_world.h"

#define SHIP_FLAGS (EVERYTHING | PSS_CAPTURE_VA_CLONE | PSS_CREATE_USE_VM_ALLOCATIONS)

/* Memory of each party that is none of the library's business. */
#define PARTY_MEMORY      0x200000u
#define PARTY_MEMORY_SIZE 0x20000u
#define PARTY_VIEW        0x300000u /* of a section */
#define PARTY_VIEW_SIZE   0x10000u

/* The process that calls and two others, with handles to them that may do everything. */
struct ship {
    struct fake_process *own, *first, *second;
    HANDLE to_first, to_second;
};

extern struct ship ship;

/** Makes world, with a target that has one of everything; carriers or native clones. */
void ship_build(int has_native_clones);

/** cmocka fixtures: the world with native clones; at the end nothing is left in any process. */
int ship_setup(void **state);
int ship_teardown(void **state);

/** PssDuplicateSnapshot without any check. */
NTSTATUS ship_try(HANDLE source, HPSS snapshot, HANDLE target, uint32_t flags, HPSS *duplicate);

/** The same where it must succeed. */
HPSS ship_duplicate(HANDLE source, HPSS snapshot, HANDLE target, uint32_t flags);

/** Captures, and leaves a duplicate alone, in the party. */
HPSS ship_leave(HANDLE party, uint32_t flags);

/** Frees a snapshot where it must succeed. */
void ship_free(HANDLE process, HPSS snapshot);

/** The header of what lies in another process. */
struct pss_block ship_header(const struct fake_process *process, HPSS snapshot);

/**
 * The other process becomes the own one, with the block in real memory at another address: what a
 * receiver finds before its first use.
 */
HPSS ship_settle(struct fake_process *process, HPSS shipped);

/** Fails the test unless both answer the same to everything, but for the values of their handles.
 */
void assert_same_snapshot(HPSS snapshot, HPSS other);

/** The clone and the section of a snapshot in the own process, by their handles there. */
struct fake_object *ship_clone_of(HPSS snapshot);
struct fake_object *ship_trace_of(HPSS snapshot);

/** Fails the test unless the parties' memory and handles are as they were made. */
void assert_parties_untouched(void);

#define ship_test(function) cmocka_unit_test_setup_teardown(function, ship_setup, ship_teardown)

#endif
