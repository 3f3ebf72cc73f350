/* SPDX-License-Identifier: MIT */
/* The probe: a system's API with one flaw does not serve, and gets back what it gave, once. */
#include "forward/probe.h"

#include "world.h"

#define SNAPSHOT  pointer_to(0x51000)
#define NO_HANDLE pointer_to(UINT64_MAX)
#define ROOM      100u /* bytes of a marker */

enum flaw {
    FLAWLESS,
    CAPTURE_FAILS,
    CAPTURE_GIVES_NULL,
    CAPTURE_GIVES_NO_HANDLE,
    PROCESS_QUERY_FAILS,
    PROCESS_IS_ANOTHER,
    THREAD_QUERY_FAILS,
    PROCESS_HAS_NO_THREADS,
    MARKER_FAILS,
    MARKER_IS_NULL,
    MARKER_IS_NO_HANDLE,
    WALK_FAILS,
    THREAD_IS_OF_ANOTHER,
    THREAD_HAS_NO_ID,
    MARKER_STAYS,
    SNAPSHOT_STAYS,
    FLAW_COUNT
};

static enum flaw flaw;
static PSS_ALLOCATOR allocator;                         /* the probe's */
static uint32_t captures, frees, markers, marker_frees; /* that the system was asked for */

static DWORD code(enum flaw failure)
{
    return flaw == failure ? ERROR_INVALID_FUNCTION : ERROR_SUCCESS;
}

static DWORD own_id_unless(enum flaw other)
{
    return (DWORD)(ULONG_PTR)fake_nt()->current_id().UniqueProcess + (flaw == other);
}

static DWORD WINAPI capture(HANDLE process, PSS_CAPTURE_FLAGS flags, DWORD context_flags,
                            HPSS *snapshot)
{
    (void)flags;
    (void)context_flags;
    assert_ptr_equal(process, PSS_CURRENT_PROCESS);
    captures++;
    if (flaw != CAPTURE_FAILS)
        *snapshot = flaw == CAPTURE_GIVES_NULL        ? NULL
                    : flaw == CAPTURE_GIVES_NO_HANDLE ? NO_HANDLE
                                                      : SNAPSHOT;
    return code(CAPTURE_FAILS);
}

static DWORD WINAPI free_snapshot(HANDLE process, HPSS snapshot)
{
    assert_ptr_equal(process, PSS_CURRENT_PROCESS);
    assert_ptr_equal(snapshot, SNAPSHOT);
    frees++;
    return code(SNAPSHOT_STAYS);
}

static DWORD WINAPI query(HPSS snapshot, PSS_QUERY_INFORMATION_CLASS class_number, void *buffer,
                          DWORD length)
{
    assert_ptr_equal(snapshot, SNAPSHOT);
    if (class_number == PSS_QUERY_THREAD_INFORMATION) {
        assert_same(length, sizeof(PSS_THREAD_INFORMATION));
        ((PSS_THREAD_INFORMATION *)buffer)->ThreadsCaptured = flaw != PROCESS_HAS_NO_THREADS;
        return code(THREAD_QUERY_FAILS);
    }
    assert_same(length, sizeof(PSS_PROCESS_INFORMATION));
    ((PSS_PROCESS_INFORMATION *)buffer)->ProcessId = own_id_unless(PROCESS_IS_ANOTHER);
    return code(PROCESS_QUERY_FAILS);
}

static DWORD WINAPI walk(HPSS snapshot, PSS_WALK_INFORMATION_CLASS class_number, HPSSWALK marker,
                         void *buffer, DWORD length)
{
    PSS_THREAD_ENTRY *thread = buffer;

    assert_ptr_equal(snapshot, SNAPSHOT);
    assert_non_null(marker);
    assert_same(class_number, PSS_WALK_THREADS);
    assert_same(length, sizeof(*thread));
    thread->ProcessId = own_id_unless(THREAD_IS_OF_ANOTHER);
    thread->ThreadId = flaw == THREAD_HAS_NO_ID ? 0 : 4;
    return code(WALK_FAILS);
}

/* Like any system it frees memory it never got, too. */
static DWORD WINAPI create_marker(const PSS_ALLOCATOR *chosen, HPSSWALK *marker)
{
    allocator = *chosen;
    allocator.FreeRoutine(allocator.Context, NULL);
    if (flaw == MARKER_FAILS)
        return ERROR_INVALID_FUNCTION;
    if (flaw == MARKER_IS_NULL || flaw == MARKER_IS_NO_HANDLE) {
        *marker = flaw == MARKER_IS_NULL ? NULL : NO_HANDLE;
        return ERROR_SUCCESS;
    }
    *marker = allocator.AllocRoutine(allocator.Context, ROOM);
    if (!*marker)
        return ERROR_NOT_ENOUGH_MEMORY;
    memset(*marker, 0xA5, ROOM);
    markers++;
    return ERROR_SUCCESS;
}

static DWORD WINAPI free_marker(HPSSWALK marker)
{
    marker_frees++;
    allocator.FreeRoutine(allocator.Context, marker);
    return code(MARKER_STAYS);
}

static const struct pss_system_api api = {.capture = capture,
                                          .free = free_snapshot,
                                          .query = query,
                                          .walk = walk,
                                          .marker_create = create_marker,
                                          .marker_free = free_marker};

static int works(enum flaw with)
{
    flaw = with;
    captures = frees = markers = marker_frees = 0;
    return pss_system_api_works(fake_nt(), &api);
}

static int gave_a_snapshot(void)
{
    return flaw != CAPTURE_FAILS && flaw != CAPTURE_GIVES_NULL && flaw != CAPTURE_GIVES_NO_HANDLE;
}

static void test_api_without_a_flaw_works(void **state)
{
    (void)state;
    assert_true(works(FLAWLESS));
    assert_same(captures, 1);
    assert_same(frees, 1);
    assert_same(markers, 1);
    assert_same(marker_frees, 1);
}

static void test_api_with_any_flaw_does_not_work_and_gets_all_back_once(void **state)
{
    (void)state;
    for (enum flaw i = FLAWLESS + 1; i < FLAW_COUNT; i++) {
        assert_false(works(i));
        assert_same(captures, 1);
        assert_same(frees, gave_a_snapshot());
        assert_same(marker_frees, markers);
        assert_same(fake_ledger_now().allocations, 0);
    }
}

static void test_api_without_memory_for_a_marker_does_not_work(void **state)
{
    (void)state;
    fake.memory_budget = 0;
    assert_false(works(FLAWLESS));
    assert_same(frees, 1);
    assert_same(marker_frees, 0);
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
        {"PssWalkMarkerCreate", (void *)create_marker},
        {"PssWalkMarkerFree", (void *)free_marker},
    };

    for (size_t i = 0; i < sizeof(exports) / sizeof(exports[0]); i++)
        if (!strcmp(name, exports[i].name))
            return exports[i].address;
    return (void *)walk; /* never called */
}

static void test_system_works_if_its_api_is_there_and_works(void **state)
{
    (void)state;
    assert_false(pss_system_works(fake_nt()));
    fake.find_export = find_export;
    flaw = FLAWLESS;
    assert_true(pss_system_works(fake_nt()));
    flaw = THREAD_HAS_NO_ID;
    assert_false(pss_system_works(fake_nt()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_api_without_a_flaw_works),
        fixture_test(test_api_with_any_flaw_does_not_work_and_gets_all_back_once),
        fixture_test(test_api_without_memory_for_a_marker_does_not_work),
        fixture_test(test_system_works_if_its_api_is_there_and_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
