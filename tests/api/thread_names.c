/* SPDX-License-Identifier: MIT */
/* Walk class 4, which exists natively in name only: one name per captured thread, in thread order.
 */
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define NAMED 3

static const WCHAR *const names[NAMED] = {L"worker one", L"x",
                                          L"\x0416\x4e2d a longer name, in all"};

struct named_target {
    struct target *target;
    DWORD ids[NAMED];
    bool has_names; /* the system keeps thread names at all */
};

static struct named_target start_named(void)
{
    struct named_target named = {.target = target_start()};

    for (int i = 0; i < NAMED; i++) {
        target_call_text(named.target, TARGET_THREAD, names[i], TARGET_THREAD_WAITS, 0, 0, 0);
        named.ids[i] = (DWORD)target_value(named.target, 0);
        named.has_names = target_value(named.target, 4) != 0;
    }
    return named;
}

static const WCHAR *expected_name(const struct named_target *named, DWORD id)
{
    for (int i = 0; i < NAMED; i++)
        if (named->has_names && named->ids[i] == id)
            return names[i];
    return NULL;
}

static void test_thread_names_come_in_thread_order(void **state)
{
    struct named_target named = start_named();
    HPSS snapshot = target_capture(named.target, PSS_CAPTURE_THREADS, 0);

    (void)state;
    if (!under_test_is_ours())
        goto done;
    struct records threads = records_read(snapshot, PSS_WALK_THREADS);
    struct records records = records_read(snapshot, PSS_WALK_THREAD_NAME);
    assert_same(records.count, threads.count);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_THREAD_NAME *name = record_at(records, PSS_THREAD_NAME, i);
        assert_text_is(name->ThreadName, name->ThreadNameSize,
                       expected_name(&named, record_at(threads, PSS_THREAD_ENTRY, i)->ThreadId));
    }
    records_free(&threads);
    records_free(&records);
done:
    free_snapshot(snapshot);
    target_destroy(named.target);
}

static void test_thread_names_without_threads_are_not_found(void **state)
{
    PSS_THREAD_NAME name;
    HPSS snapshot = NULL;
    HPSSWALK marker = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), PSS_CAPTURE_VA_SPACE, 0, &snapshot),
                ERROR_SUCCESS);
    assert_same(pss.marker_create(NULL, &marker), ERROR_SUCCESS);
    known_difference(ON_KERNEL32, pss.walk(snapshot, PSS_WALK_THREAD_NAME, marker, &name,
                                           sizeof(name)) == ERROR_NOT_FOUND);
    assert_same(pss.marker_free(marker), ERROR_SUCCESS);
    free_snapshot(snapshot);
}

static void test_thread_names_live_as_long_as_the_marker(void **state)
{
    struct named_target named = start_named();
    HPSS snapshot = target_capture(named.target, PSS_CAPTURE_THREADS, 0);

    (void)state;
    only_ours();
    struct records records = records_read(snapshot, PSS_WALK_THREAD_NAME);
    free_snapshot(snapshot);
    target_destroy(named.target);
    DWORD found = 0;
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_THREAD_NAME *name = record_at(records, PSS_THREAD_NAME, i);
        assert_text(name->ThreadName, name->ThreadNameSize);
        found += name->ThreadName != NULL;
    }
    assert_same(found, named.has_names ? NAMED : 0);
    records_free(&records);
}

static void test_thread_name_too_long_for_the_word_is_cut(void **state)
{
    typedef HRESULT(WINAPI * describe_function)(HANDLE, PCWSTR);
    static WCHAR longest[40000];
    FARPROC found = GetProcAddress(GetModuleHandleA("kernelbase.dll"), "SetThreadDescription");
    describe_function describe = (describe_function)(void (*)(void))found;
    HPSS snapshot = NULL;

    (void)state;
    only_ours();
    for (size_t i = 0; i < 32766; i++)
        longest[i] = L'n';
    if (!describe || FAILED(describe(GetCurrentThread(), longest)))
        skip_because("this system has no names of threads");
    assert_same(pss.capture(GetCurrentProcess(), PSS_CAPTURE_THREADS, 0, &snapshot), ERROR_SUCCESS);
    struct records records = records_read(snapshot, PSS_WALK_THREAD_NAME);
    const PSS_THREAD_NAME *name = record_at(records, PSS_THREAD_NAME, 0);
    assert_text_is(name->ThreadName, name->ThreadNameSize, longest);
    records_free(&records);
    free_snapshot(snapshot);
    describe(GetCurrentThread(), L"");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_thread_names_come_in_thread_order),
        PSS_TEST(test_thread_names_without_threads_are_not_found),
        PSS_TEST(test_thread_names_live_as_long_as_the_marker),
        PSS_TEST(test_thread_name_too_long_for_the_word_is_cut),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("thread_names", tests, ledger_warm_up, NULL);
}
