/* SPDX-License-Identifier: MIT */
/* Snapshots in targets that have loaded the DLL under test, or its twin of the other bitness. */
#ifndef PSS_TEST_SHIPPING_H
#define PSS_TEST_SHIPPING_H

#include "harness.h"
#include "target.h"

/** Everything that can be captured. */
#define SHIP_EVERYTHING                                                                       \
    (PSS_CAPTURE_VA_CLONE | PSS_CAPTURE_RESERVED_00000002 | PSS_CAPTURE_HANDLES |             \
     PSS_CAPTURE_HANDLE_NAME_INFORMATION | PSS_CAPTURE_HANDLE_BASIC_INFORMATION |             \
     PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION | PSS_CAPTURE_HANDLE_TRACE |                \
     PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT | PSS_CAPTURE_THREAD_CONTEXT_EXTENDED | \
     PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION |                        \
     PSS_CREATE_MEASURE_PERFORMANCE)

/** Starts a target of the test's own bitness with the DLL under test. */
struct target *ship_start(void);

/**
 * Starts a target of the other bitness with pss.dll of that bitness: PSS_UNDER_TEST_FOREIGN, or
 * what the build has put into ../foreign/bin. NULL, with a message, where one of the two is
 * missing.
 */
struct target *ship_start_foreign(void);

/** Starts a target with threads, handles and memory of each kind, to be captured. */
struct target *ship_start_subject(void);

/** Captures a process from within a target; 0 is the target itself. It has to succeed. */
HPSS ship_capture_there(struct target *maker, DWORD pid, DWORD flags, DWORD context_flags);

/** Duplicates with PSS_DUPLICATE_* flags; it has to succeed. */
HPSS ship_duplicate(HANDLE source, HPSS snapshot, HANDLE target, DWORD flags);

/** The codes of a query of the process and of a free, each made by the target itself. */
DWORD ship_query_there(struct target *target, HPSS snapshot);
DWORD ship_free_there(struct target *target, HPSS snapshot);

/**
 * All that a snapshot answers to the target, or to the test itself without a target; to be freed
 * with free().
 */
struct ship_answers {
    unsigned char *bytes; /* owned; of a transcript */
    size_t size;          /* bytes */
};

/** \param narrow [in] The answers are for comparison with a 32-bit reader's of a 64-bit capture. */
struct ship_answers ship_read(struct target *target, HPSS snapshot, bool narrow);

/** Asserts that two are the same; tells the class, entry and field where they differ. Frees the
 * first. */
void ship_assert_same(struct ship_answers actual, const struct ship_answers *expected);

/** Asserts that every walk of a snapshot of the test's own comes to its end. */
void ship_walk_to_the_end(HPSS snapshot);

/** The bytes of a snapshot's memory in another process; to be freed with free(). */
struct ship_answers ship_steal(HANDLE process, HPSS snapshot);

/** Puts bytes into new memory of another process; returns the address. */
void *ship_plant(HANDLE process, const void *bytes, size_t size);

/** Writes over bytes in another process. */
void ship_poke(HANDLE process, void *address, const void *bytes, size_t size);

#endif
