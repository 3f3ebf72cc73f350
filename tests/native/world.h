/* SPDX-License-Identifier: MIT */
/* What the native tests share: a modelled target, and the client's steps with their checks. */
#ifndef PSS_WORLD_H
#define PSS_WORLD_H

#include "fake_kernel.h"

#include "api/api.h"
#include "support/harness.h"

#define TARGET_ID  2000u
#define PARENT_ID  1000u
#define QUERY_FLAG PROCESS_QUERY_INFORMATION

#define HANDLE_DETAILS                                           \
    (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION | \
     PSS_CAPTURE_HANDLE_BASIC_INFORMATION | PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)

/* All that this version captures. */
#define EVERYTHING                                                                            \
    (HANDLE_DETAILS | PSS_CAPTURE_RESERVED_00000002 | PSS_CAPTURE_HANDLE_TRACE |              \
     PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT | PSS_CAPTURE_THREAD_CONTEXT_EXTENDED | \
     PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION |                        \
     PSS_CREATE_MEASURE_PERFORMANCE)

#define CONTEXT_EVERYTHING 0x10001Fu /* CONTEXT_ALL on x64 */

/* The world of a test: one target, a handle to it, and one marker that keeps names alive. */
struct world {
    struct fake_process *target;
    HANDLE process;
    HPSS snapshot;
    HPSSWALK marker;
};

extern struct world world;

/** cmocka fixtures: an empty target; at the end everything is freed and the ledger is zero. */
int world_setup(void **state);
int world_teardown(void **state);

/** Gives the target one of everything the library looks at. */
void world_furnish(void);

/** Gives it handles to objects of each type alone. */
void world_furnish_objects(void);

/** Captures the target into world.snapshot and makes world.marker. */
void world_capture(uint32_t flags);

/** Frees both, if there. */
void world_release(void);

/** Ends the clones that remain because the test has handles to them. */
void world_forget_clones(void);

/** Queries into a buffer filled with rubbish before; the class must be there. */
void world_query(uint32_t information_class, void *buffer, DWORD length);

/** The status of a query that must fail and leave the buffer alone. */
NTSTATUS world_query_status(uint32_t information_class, DWORD length);

/** Walks to the end; answers the number of entries, of which the first \p limit are kept. */
uint32_t world_walk(uint32_t information_class, void *entries, DWORD length, uint32_t limit);

/** A seed for random tests: PSS_TEST_SEED from the environment, else a new one; says which. */
uint64_t world_seed(void);

/** Checks a text that a walk gave: the bytes, the length, the terminator. */
void assert_text(const WCHAR *actual, WORD length, struct fake_text expected);

static inline FILETIME file_time(uint64_t time)
{
    return (FILETIME){(DWORD)time, (DWORD)(time >> 32)};
}

static inline void *pointer_to(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

#define fixture_test(function) \
    cmocka_unit_test_setup_teardown(function, world_setup, world_teardown)

#endif
