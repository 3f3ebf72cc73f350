/* SPDX-License-Identifier: MIT */
/* What this version does not do yet: the duplication of snapshots. */
#include "ledger.h"
#include "records.h"
#include "under_test.h"

static void test_duplicate_snapshot_is_not_supported_yet(void **state)
{
    HPSS snapshot = NULL;
    HPSS copy = (HPSS)(uintptr_t)0x5A5A5A58;

    (void)state;
    only_ours();
    assert_same(pss.capture(GetCurrentProcess(), 0, 0, &snapshot), ERROR_SUCCESS);
    assert_same(pss.duplicate(GetCurrentProcess(), snapshot, GetCurrentProcess(), &copy, 0),
                ERROR_NOT_SUPPORTED);
    assert_null(copy);
    free_snapshot(snapshot);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_duplicate_snapshot_is_not_supported_yet),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("not_yet", tests, ledger_warm_up, NULL);
}
