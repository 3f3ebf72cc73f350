/* SPDX-License-Identifier: MIT */
/* The fault loop over the decision: whatever call fails, our own implementation serves, and nothing
 * is left. */
#include "forward/forward.h"

#include "system.h"

static const NTSTATUS statuses[] = {
    STATUS_NO_MEMORY,       STATUS_ACCESS_DENIED, STATUS_INVALID_PARAMETER,
    STATUS_NOT_IMPLEMENTED, STATUS_UNSUCCESSFUL,
};
#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

static struct pss_forward forward;

static const char *const aliases[] = {"PssWalkMarkerTell", "PssWalkMarkerSeek",
                                      "PssWalkMarkerRewind"};

/* Of all that is looked for, only the three that have another name may be missing. */
static bool may_be_missing(const struct faulty_call *call)
{
    for (int i = 0; i < 3 && call->service == FAULTY_find_export; i++)
        if (!strcmp(call->address, aliases[i]))
            return true;
    return false;
}

/* Answers whether the number was reached. */
static bool decide_with_fault(uint32_t number, bool is_lasting, NTSTATUS status)
{
    const struct stand_in *stand_in = system_stand_in();
    const struct pss_system_api *api;
    const struct faulty_call *failed;

    memset(&forward, 0, sizeof(forward));
    system_init(STAND_IN_WORKS);
    system_lock(2, 2); /* so that there are delays that fail */
    faulty_fail(number, is_lasting, status);
    api = pss_forward_decide(faulty_nt(), &forward);
    failed = faulty_failed();
    if (failed && api && (is_lasting || !may_be_missing(failed)))
        fail_msg("call %u, %s, fails with 0x%lx: decided for the system", number,
                 faulty_name(failed->service), (unsigned long)status);
    if (!api && (!failed || (!is_lasting && may_be_missing(failed))))
        fail_msg("call %u: decided against the system", number);
    assert_same(GetLastError(), SYSTEM_LAST_ERROR);
    assert_same(stand_in->snapshots, 0);
    assert_same(stand_in->markers, 0);
    system_assert_clean(failed ? faulty_name(failed->service) : "no fault");
    faulty_fail(0, false, STATUS_SUCCESS);
    if (!api)
        pss_forward_end(&forward, 0);
    if (failed && failed->service == FAULTY_delay) /* it could not be waited for a lock */
        api = &forward.api;
    assert_ptr_equal(pss_forward_decide(faulty_nt(), &forward), api);
    return failed != NULL;
}

static void loop(bool is_lasting)
{
    for (size_t i = 0; i < STATUSES; i++) {
        uint32_t number = 1;

        while (decide_with_fault(number, is_lasting, statuses[i]))
            number++;
        assert_true(number > 30); /* the calls of a decision */
    }
}

static void test_decision_with_one_fault_leaves_nothing(void **state)
{
    (void)state;
    loop(false);
}

static void test_decision_with_lasting_faults_leaves_nothing(void **state)
{
    (void)state;
    loop(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decision_with_one_fault_leaves_nothing),
        cmocka_unit_test(test_decision_with_lasting_faults_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
