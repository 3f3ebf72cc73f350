/* SPDX-License-Identifier: MIT */
/*
 * Open: what becomes of a capture of names where 20 pipes have a blocked reader? On Windows the
 * query for the name of each such pipe waits for the reader.
 */
#include "answer.h"
#include "ledger.h"
#include "nt_calls.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define PIPES    20
#define LIMIT_MS 60000u
#define NAMES    (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION)

static DWORD count_named(const struct records *records, const uint64_t *pipes)
{
    DWORD named = 0;

    for (int i = 0; i < PIPES; i++)
        named += find_handle(records, pipes[i])->ObjectName != NULL;
    return named;
}

/* A thread of the library's own may stay behind with its stack while the reader is blocked. */
static void test_names_of_20_pipes_with_blocked_readers_end(void **state)
{
    struct target *target = target_start();
    uint64_t pipes[PIPES];
    HPSS snapshot = NULL;

    (void)state;
    for (int i = 0; i < PIPES; i++) {
        pipes[i] = target_call(target, TARGET_PIPE, 0, 0, 0, 0);
        target_call(target, TARGET_BLOCK_ON, pipes[i], 0, 0, 0);
    }
    DWORD handles = nt_handles_count(GetCurrentProcessId()), start = GetTickCount();
    DWORD error = pss.capture(target->process, NAMES, 0, &snapshot);
    DWORD took = elapsed_since(start);
    assert_same(error, ERROR_SUCCESS);
    struct records records = records_read(snapshot, PSS_WALK_HANDLES);
    DWORD named = count_named(&records, pipes);
    records_free(&records);
    free_snapshot(snapshot);
    DWORD during = nt_handles_count(GetCurrentProcessId());
    target_destroy(target);
    DWORD after = nt_handles_count(GetCurrentProcessId());
    answer("the capture took %lu ms, %lu of %d pipes are named", took, named, PIPES);
    answer("handles of the caller: %lu before, %lu after, %lu when the readers were gone", handles,
           during, after);
    assert_true(took < LIMIT_MS);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_20_pipes_with_blocked_readers_end),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("open_pipes", tests, ledger_warm_up, NULL);
}
