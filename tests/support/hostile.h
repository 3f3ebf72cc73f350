/* SPDX-License-Identifier: MIT */
/* The test's side of a hostile process: start it as one of the kinds, and see it end. */
#ifndef PSS_TEST_HOSTILE_H
#define PSS_TEST_HOSTILE_H

#include "hostile_kinds.h"
#include "target.h"

struct hostile {
    struct target target; /* process, thread and their ids; it has no channel */
    HANDLE event;         /* owned; ends the process */
    uint64_t pattern;     /* address of HOSTILE_PATTERN_SIZE bytes: pattern.h, seed is the pid */
    bool is_here;         /* it became what was asked */
};

/** Program of the test's own bitness, and of the other one. */
#define HOSTILE_PROGRAM         "pss-test-hostile.exe"
#define HOSTILE_FOREIGN_PROGRAM "pss-test-hostile-foreign.exe"

/**
 * Starts a program and waits until it has become a kind. It ends with the test.
 *
 * \param path    [in]  Full path, or a name beside the test.
 * \param kind    [in]  See hostile_kinds.h.
 * \param seed    [in]  Of what it does at random.
 * \param hostile [out] Ended by hostile_end().
 * \return Whether it could be started.
 */
bool hostile_start(const WCHAR *path, const char *kind, uint32_t seed, struct hostile *hostile);

/** Whether the process has ended. */
bool hostile_has_ended(const struct hostile *hostile);

/** Lets it end by itself, and asserts that it does: so its main thread is not suspended. */
void hostile_finish(const struct hostile *hostile);

/** Ends it by force if need be, and closes all handles. */
void hostile_end(struct hostile *hostile);

/** Group setup: ledger_warm_up, and one such process, since a process does some things only once.
 */
int hostile_warm_up(void **state);

#endif
