/* SPDX-License-Identifier: MIT */
/* Proves after each test that nothing is left: handles, memory, child processes. */
#ifndef PSS_LEDGER_H
#define PSS_LEDGER_H

#include "harness.h"

/** A test with the ledger around it. */
#define PSS_TEST(function) cmocka_unit_test_setup_teardown(function, ledger_open, ledger_close)

/** Group setup: does once what a process does only once, so that it shows in no test's ledger. */
int ledger_warm_up(void **state);

/** Test setup: notes what the process holds. */
int ledger_open(void **state);

/**
 * Allows this test what Wine leaves behind when a process dies with a query in its hands: handles
 * to an object without a type, one per query, the stacks of the thread that asked, and, where it
 * asked to have a handle moved here, that handle, whose value nobody learns.
 */
void ledger_forgive_stuck_queries(void);

/**
 * Allows this test what Wine leaves behind of threads that were ended from outside: their stacks,
 * and the blocks of their TEBs.
 */
void ledger_forgive_ended_threads(DWORD count);

/** Test teardown: ends left targets, and fails when the process holds more or less than before. */
int ledger_close(void **state);

#endif
