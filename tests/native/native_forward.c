/* SPDX-License-Identifier: MIT */
/* Who serves, where kernel32 has an API of its own: this library over the same fake kernel. */
#include "forward/forward.h"
#include "forward/probe.h"

#include "world.h"

#include <pthread.h>

#define THREADS   8
#define ELSEWHERE 0x100000u /* an address of no code */

static struct pss_forward forward; /* of the test */
static int works;                  /* whether the system's capture does */
static uint32_t captures;

static DWORD code_of(NTSTATUS status)
{
    return status == STATUS_SUCCESS ? ERROR_SUCCESS : ERROR_INVALID_FUNCTION;
}

static DWORD WINAPI capture(HANDLE process, PSS_CAPTURE_FLAGS flags, DWORD context_flags,
                            HPSS *snapshot)
{
    __atomic_add_fetch(&captures, 1, __ATOMIC_RELAXED);
    if (!works)
        return ERROR_CALL_NOT_IMPLEMENTED;
    return code_of(
        pss_snapshot_capture(fake_nt(), process, (uint32_t)flags, context_flags, snapshot));
}

/*
 * Where the kernel does not tell whether a snapshot is still there, this library leaves it: that
 * is the system's affair here, and the ledger is the decision's. So nothing fails in a free.
 */
static struct fake_fault spare(void)
{
    struct fake_fault fault = fake.fault;

    fake.fault.first = 0;
    return fault;
}

static DWORD WINAPI free_snapshot(HANDLE process, HPSS snapshot)
{
    struct fake_fault fault = spare();
    NTSTATUS status = pss_snapshot_free(fake_nt(), process, snapshot);

    fake.fault = fault;
    return code_of(status);
}

static DWORD WINAPI free_marker(HPSSWALK marker)
{
    struct fake_fault fault = spare();
    NTSTATUS status = pss_marker_free(fake_nt(), marker);

    fake.fault = fault;
    return code_of(status);
}

static DWORD WINAPI query(HPSS snapshot, PSS_QUERY_INFORMATION_CLASS class_number, void *buffer,
                          DWORD length)
{
    return code_of(pss_snapshot_query(fake_nt(), snapshot, (uint32_t)class_number, buffer, length));
}

static DWORD WINAPI walk(HPSS snapshot, PSS_WALK_INFORMATION_CLASS class_number, HPSSWALK marker,
                         void *buffer, DWORD length)
{
    return code_of(pss_snapshot_walk(snapshot, (uint32_t)class_number, marker, buffer, length));
}

static DWORD WINAPI create_marker(const PSS_ALLOCATOR *allocator, HPSSWALK *marker)
{
    return code_of(pss_marker_create(fake_nt(), allocator, marker));
}

/* What the decision never calls. */
static DWORD WINAPI other(HPSSWALK marker)
{
    (void)marker;
    return ERROR_INVALID_FUNCTION;
}

static void *find_export(const char *name)
{
    static const struct {
        const char *name;
        void *address;
    } exports[] = {
        {"PssCaptureSnapshot", (void *)capture},
        {"PssFreeSnapshot", (void *)free_snapshot},
        {"PssQuerySnapshot", (void *)query},
        {"PssWalkSnapshot", (void *)walk},
        {"PssDuplicateSnapshot", (void *)other},
        {"PssWalkMarkerCreate", (void *)create_marker},
        {"PssWalkMarkerFree", (void *)free_marker},
        {"PssWalkMarkerGetPosition", (void *)other},
        {"PssWalkMarkerSetPosition", (void *)other},
        {"PssWalkMarkerSeekToBeginning", (void *)other},
    };

    for (size_t i = 0; i < sizeof(exports) / sizeof(exports[0]); i++)
        if (!strcmp(name, exports[i].name))
            return exports[i].address;
    return NULL;
}

static void build(void)
{
    void *none = NULL;

    world_setup(&none);
    memset(&forward, 0, sizeof(forward));
    works = 1;
    captures = 0;
    fake.find_export = find_export;
}

static void tear_down(void)
{
    void *none = NULL;

    assert_same(fake.loader_locks, 0);
    assert_same(world_teardown(&none), 0);
}

/* For a call that leaves nothing. */
static const struct pss_system_api *decide(void)
{
    const struct pss_system_api *api = pss_forward_decide(fake_nt(), &forward);

    if (!api)
        pss_forward_end(&forward, 0);
    return api;
}

static void test_system_that_works_serves_and_stays(void **state)
{
    uint64_t calls;

    (void)state;
    build();
    assert_ptr_equal(decide(), &forward.api);
    assert_same(captures, 1);
    calls = fake.all_calls;
    works = 0;
    assert_ptr_equal(decide(), &forward.api);
    assert_same(fake.all_calls, calls);
    tear_down();
}

static void test_system_that_does_not_work_or_is_absent_does_not_serve(void **state)
{
    (void)state;
    build();
    works = 0;
    assert_null(decide());
    works = 1;
    assert_null(decide());
    assert_same(captures, 1);
    tear_down();

    build();
    fake.find_export = NULL;
    assert_null(decide());
    assert_same(captures, 0);
    assert_same(fake.calls_of[FAKE_FIND_EXPORT], 1);
    tear_down();
}

static void test_setting_and_locks_decide_before_the_probe(void **state)
{
    (void)state;
    build();
    fake.forward_setting = L"0";
    assert_null(decide());
    assert_same(fake.calls_of[FAKE_LOCK_LOADER], 0);
    tear_down();

    build();
    fake.forward_setting = L"1";
    fake.loader_tries = fake.setting_tries = 3;
    assert_non_null(decide());
    assert_same(fake.delays, 6);
    tear_down();

    build();
    fake.loader_tries = UINT32_MAX;
    assert_null(decide());
    assert_true(fake.delays < 1000);
    tear_down();

    build();
    fake.setting_tries = UINT32_MAX;
    assert_null(decide());
    assert_true(fake.delays < 1000);
    assert_same(fake.calls_of[FAKE_LOCK_LOADER], 0);
    tear_down();
}

static void test_setting_other_than_0_lets_the_system_serve(void **state)
{
    static const WCHAR *const settings[] = {L"",
                                            L" ",
                                            L"1",
                                            L"00",
                                            L"0 0",
                                            L"0\x00A0",
                                            L"something longer than any setting there is, so long"};

    (void)state;
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        build();
        fake.forward_setting = settings[i];
        assert_ptr_equal(decide(), &forward.api);
        tear_down();
    }
}

/* A shell sets "0 " for `set PSS_FORWARD=0 && program`. */
static void test_blanks_around_the_setting_mean_nothing(void **state)
{
    static const WCHAR *const settings[] = {L"0 ", L" 0", L"\t0\t ", L"   0      "};

    (void)state;
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        build();
        fake.forward_setting = settings[i];
        assert_null(decide());
        assert_same(fake.calls_of[FAKE_LOCK_LOADER], 0);
        tear_down();
    }
}

/* All code of this program is in one module, once the kernel knows of it. */
static void test_functions_of_the_own_module_do_not_serve(void **state)
{
    uint64_t here = (uint64_t)(uintptr_t)pss_system_api_find & ~(uint64_t)0xFFFFF;

    (void)state;
    build();
    fake_region_add(fake.own, here - 0x4000000, 0x8000000, MEM_COMMIT, PAGE_EXECUTE_READ,
                    MEM_IMAGE);
    assert_null(decide());
    assert_same(captures, 0);
    tear_down();
}

static void *find_elsewhere(const char *name)
{
    (void)name;
    return pointer_to(ELSEWHERE + 0x1230);
}

static void test_functions_of_another_module_are_found(void **state)
{
    uint64_t here = (uint64_t)(uintptr_t)pss_system_api_find & ~(uint64_t)0xFFFFF;
    struct pss_system_api api;

    (void)state;
    build();
    fake.find_export = find_elsewhere;
    fake_region_add(fake.own, ELSEWHERE, 0x10000, MEM_COMMIT, PAGE_EXECUTE_READ, MEM_IMAGE);
    fake_region_add(fake.own, here - 0x4000000, 0x8000000, MEM_COMMIT, PAGE_EXECUTE_READ,
                    MEM_IMAGE);
    assert_same(pss_system_api_find(fake_nt(), &api), STATUS_SUCCESS);
    assert_same((uintptr_t)api.marker_rewind, ELSEWHERE + 0x1230);
    tear_down();
}

/* The process id in each answer, among them those of the snapshot, is some other one. */
static NTSTATUS lie(void *context, enum fake_call call, void *buffer, SIZE_T size, ULONG *returned)
{
    struct pss_nt_process_basic *basic = buffer;

    (void)context;
    (void)returned;
    if (call == FAKE_QUERY_PROCESS && size == sizeof(*basic))
        basic->process_id += 4;
    return STATUS_SUCCESS;
}

static void test_system_that_takes_us_for_another_process_does_not_serve(void **state)
{
    (void)state;
    build();
    fake.lie = lie;
    assert_null(decide());
    assert_same(captures, 1);
    tear_down();
}

/* What nobody could find out, as the locks were held, is found out by the next call. */
static void test_decision_that_could_not_be_made_is_made_later(void **state)
{
    (void)state;
    build();
    fake.loader_tries = UINT32_MAX;
    assert_null(decide());
    assert_null(decide());
    fake.loader_tries = 0;
    assert_ptr_equal(decide(), &forward.api);
    assert_same(captures, 1);
    tear_down();

    build();
    fake.setting_tries = UINT32_MAX;
    assert_null(decide());
    fake.setting_tries = 0;
    fake.forward_setting = L"0";
    assert_null(decide());
    fake.forward_setting = NULL; /* what it said stands */
    assert_null(decide());
    assert_same(captures, 0);
    tear_down();

    build();
    forward.prober = 1; /* that stands still for a while */
    assert_null(decide());
    forward.prober = 0;
    assert_ptr_equal(decide(), &forward.api);
    tear_down();
}

/* The system's functions would take a snapshot of ours for anything. */
static void test_what_ours_have_made_stays_with_ours(void **state)
{
    (void)state;
    build();
    fake.loader_tries = UINT32_MAX;
    assert_null(pss_forward_decide(fake_nt(), &forward));
    pss_forward_end(&forward, 1);
    fake.loader_tries = 0;
    assert_null(decide());
    assert_same(captures, 0);
    tear_down();
}

/* As long as ours serve a call nobody knows what it will make. */
static void test_system_does_not_serve_while_ours_do(void **state)
{
    (void)state;
    for (int makes_something = 0; makes_something < 2; makes_something++) {
        build();
        fake.loader_tries = UINT32_MAX;
        assert_null(pss_forward_decide(fake_nt(), &forward));
        fake.loader_tries = 0;
        assert_null(decide());
        assert_null(decide());
        pss_forward_end(&forward, makes_something);
        if (makes_something)
            assert_null(decide());
        else
            assert_ptr_equal(decide(), &forward.api);
        tear_down();
    }
}

static int is_of_the_decision(enum fake_call call)
{
    return call == FAKE_LOCK_LOADER || call == FAKE_FIND_MODULE || call == FAKE_DELAY ||
           call == FAKE_QUERY_ENVIRONMENT;
}

static int decide_with_fault(struct fake_fault fault)
{
    const struct pss_system_api *api;
    int was_met;

    build();
    fake.loader_tries = fake.setting_tries = 1;
    fake.fault = fault;
    api = decide();
    was_met = fake.faults != 0;
    if (!was_met)
        assert_non_null(api);
    if (fault.is_lasting && fake.faults > 1)
        assert_null(api);
    if (was_met && is_of_the_decision(fake.faulty_call))
        assert_null(api);
    fake.fault.first = 0;
    if (was_met && fake.faulty_call == FAKE_DELAY) /* it could not be waited for a lock */
        assert_ptr_equal(decide(), &forward.api);
    else
        assert_ptr_equal(decide(), api);
    tear_down();
    return was_met;
}

static void test_decision_with_faults_leaves_nothing(void **state)
{
    static const NTSTATUS faults[] = {STATUS_NO_MEMORY, STATUS_ACCESS_DENIED,
                                      STATUS_INVALID_PARAMETER, STATUS_NOT_IMPLEMENTED};

    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        for (uint8_t is_lasting = 0; is_lasting < 2; is_lasting++) {
            uint64_t n = 1;

            while (decide_with_fault((struct fake_fault){
                .first = n, .is_lasting = is_lasting, .spares_waits = 1, .status = faults[i]}))
                n++;
            assert_true(n > 30); /* the calls of a decision */
        }
}

static void be_decided(void *context)
{
    (void)context;
    pss_forward_end(&forward, 1);
}

static void be_given_up(void *context)
{
    (void)context;
    __atomic_store_n(&forward.prober, 0, __ATOMIC_RELEASE);
}

/* Another thread is at it, and may stand still for good. */
static void test_prober_is_waited_for_but_not_for_ever(void **state)
{
    (void)state;
    build();
    forward.prober = 1;
    fake.event_call = 5;
    fake.event = be_decided;
    assert_null(decide());
    assert_same(fake.delays, 5);
    forward.prober = 0;
    assert_null(decide());
    assert_same(captures, 0);
    tear_down();

    build();
    forward.prober = 1;
    fake.event_call = 5;
    fake.event = be_given_up;
    assert_null(decide());
    assert_same(fake.delays, 5);
    tear_down();

    build();
    forward.prober = 1;
    assert_null(decide());
    assert_true(fake.delays > 100 && fake.delays < 1000);
    assert_same(fake.calls, fake.delays);
    tear_down();

    build();
    forward.prober = 1;
    fake.fault = (struct fake_fault){.first = 2, .status = STATUS_ACCESS_DENIED};
    assert_null(decide());
    assert_same(fake.delays, 2);
    tear_down();
}

static int makes_something; /* what ours serve */

static void *decide_in_thread(void *parameter)
{
    const struct pss_system_api *api = pss_forward_decide(fake_nt(), &forward);

    (void)parameter;
    if (!api)
        pss_forward_end(&forward, makes_something);
    return (void *)(uintptr_t)api;
}

/*
 * Delays end at once here, so that some may give up the prober, and are served by ours, or take it
 * for themselves, since all have one id. If one of them makes something, the system never serves.
 */
static void test_threads_at_once_are_never_served_by_both(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        pthread_t threads[THREADS];
        void *answers[THREADS];
        int by_ours = 0, by_system = 0;

        build();
        makes_something = round % 2;
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, decide_in_thread, NULL), 0);
        for (int i = 0; i < THREADS; i++) {
            pthread_join(threads[i], &answers[i]);
            by_ours |= !answers[i];
            by_system |= answers[i] != NULL;
        }
        if (makes_something)
            assert_false(by_ours && by_system);
        if (!by_ours)
            assert_ptr_equal(decide(), &forward.api);
        else if (makes_something)
            assert_null(decide());
        tear_down();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_system_that_works_serves_and_stays),
        cmocka_unit_test(test_system_that_does_not_work_or_is_absent_does_not_serve),
        cmocka_unit_test(test_setting_and_locks_decide_before_the_probe),
        cmocka_unit_test(test_setting_other_than_0_lets_the_system_serve),
        cmocka_unit_test(test_blanks_around_the_setting_mean_nothing),
        cmocka_unit_test(test_functions_of_the_own_module_do_not_serve),
        cmocka_unit_test(test_functions_of_another_module_are_found),
        cmocka_unit_test(test_system_that_takes_us_for_another_process_does_not_serve),
        cmocka_unit_test(test_decision_that_could_not_be_made_is_made_later),
        cmocka_unit_test(test_what_ours_have_made_stays_with_ours),
        cmocka_unit_test(test_system_does_not_serve_while_ours_do),
        cmocka_unit_test(test_decision_with_faults_leaves_nothing),
        cmocka_unit_test(test_prober_is_waited_for_but_not_for_ever),
        cmocka_unit_test(test_threads_at_once_are_never_served_by_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
