/* SPDX-License-Identifier: MIT */
/* What known clients of the API do with a clone, one client per test. */
#include "clone.h"
#include "debug_help.h"
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define SIZE 0x20000u

/* Client code gets its memory with the target's bytes of the capture. */
struct scene {
    struct target *target;
    uint64_t memory;
};

static struct scene scene_open(void)
{
    struct scene scene = {target_start(), 0};

    scene.memory = target_call(scene.target, TARGET_ALLOCATE, 0, SIZE, MEM_RESERVE | MEM_COMMIT,
                               PAGE_READWRITE);
    target_call(scene.target, TARGET_FILL, scene.memory, SIZE, 1, 0);
    return scene;
}

static void scene_change(const struct scene *scene)
{
    target_call(scene->target, TARGET_FILL, scene->memory, SIZE, 2, 0);
}

static HANDLE open_for_clone(DWORD pid)
{
    HANDLE process = OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ | PROCESS_DUP_HANDLE |
                                     PROCESS_CREATE_PROCESS,
                                 FALSE, pid);

    assert_non_null(process);
    return process;
}

static void test_client_clrmd_reads_the_clone_by_pid_and_may_fail_to_kill_it(void **state)
{
    struct scene scene = scene_open();
    HANDLE self = OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
    PSS_VA_CLONE_INFORMATION information;
    HPSS snapshot = NULL;
    BOOL is_wow64 = TRUE;
    BOOL expected = FALSE;

    (void)state;
    assert_same(pss.capture(scene.target->process, 0x1, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    assert_same(pss.query(snapshot, 1, &information, sizeof(information)), ERROR_SUCCESS);
    DWORD pid = GetProcessId(information.VaCloneHandle);
    assert_true(pid != 0 && pid != scene.target->pid);
    HANDLE clone = OpenProcess(PROCESS_VM_READ | PROCESS_QUERY_INFORMATION, FALSE, pid);
    assert_non_null(clone);
    scene_change(&scene);
    clone_assert_pattern(clone, scene.memory, SIZE, 1);
    assert_true(IsWow64Process(clone, &is_wow64));
    assert_true(IsWow64Process(GetCurrentProcess(), &expected));
    assert_same(is_wow64, expected);
    CloseHandle(clone);
    assert_same(pss.free(self, snapshot), ERROR_SUCCESS);
    HANDLE left = OpenProcess(PROCESS_TERMINATE, FALSE, pid); /* it need not be there */
    if (left) {
        TerminateProcess(left, 0);
        CloseHandle(left);
    }
    CloseHandle(self);
    target_destroy(scene.target);
}

static void test_client_kudu_ends_the_clone_before_the_free(void **state)
{
    struct scene scene = scene_open();
    HANDLE self = OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
    HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, scene.target->pid);
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(process, 0x20001981, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    clone_assert_pattern(clone_of(snapshot), scene.memory, SIZE, 1);
    HANDLE clone = OpenProcess(PROCESS_TERMINATE, FALSE, GetProcessId(clone_of(snapshot)));
    assert_non_null(clone);
    assert_true(TerminateProcess(clone, 0));
    CloseHandle(clone);
    assert_same(pss.free(self, snapshot), ERROR_SUCCESS);
    CloseHandle(process);
    CloseHandle(self);
    target_destroy(scene.target);
}

static void test_client_pe_sieve_ends_and_closes_the_clone_then_frees(void **state)
{
    struct scene scene = scene_open();
    HANDLE process = open_for_clone(scene.target->pid);
    PSS_VA_CLONE_INFORMATION information;
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(process, 0x2C000001, 0, &snapshot), ERROR_SUCCESS);
    assert_same(pss.query(snapshot, 1, &information, sizeof(information)), ERROR_SUCCESS);
    clone_assert_pattern(information.VaCloneHandle, scene.memory, SIZE, 1);
    assert_true(TerminateProcess(information.VaCloneHandle, 0));
    assert_true(CloseHandle(information.VaCloneHandle));
    free_snapshot(snapshot);
    CloseHandle(process);
    target_destroy(scene.target);
}

/* It captures nearly everything, ends the clone, closes what it was lent, and frees. */
static void test_client_system_informer_closes_what_it_was_lent(void **state)
{
    struct scene scene = scene_open();
    PSS_VA_CLONE_INFORMATION information;
    HPSS snapshot = NULL;

    (void)state;
    only_ours();
    assert_same(pss.capture(scene.target->process, 0x40003BFD, CONTEXT_ALL, &snapshot),
                ERROR_SUCCESS);
    assert_same(pss.query(snapshot, 1, &information, sizeof(information)), ERROR_SUCCESS);
    assert_same(pss.free(scene.target->process, snapshot), ERROR_INVALID_HANDLE);
    clone_assert_pattern(information.VaCloneHandle, scene.memory, SIZE, 1);
    assert_true(TerminateProcess(information.VaCloneHandle, 0));
    assert_true(CloseHandle(information.VaCloneHandle));
    free_snapshot(snapshot);
    target_destroy(scene.target);
}

static void test_client_copy_on_write_dump_frees_closes_and_kills(void **state)
{
    struct scene scene = scene_open();
    PSS_VA_CLONE_INFORMATION information;
    HPSS snapshot = NULL;

    (void)state;
    only_ours(); /* Windows leaves the handle open, and its clone alive */
    assert_same(pss.capture(scene.target->process, 0x400001FD, CONTEXT_ALL, &snapshot),
                ERROR_SUCCESS);
    assert_same(pss.query(snapshot, 1, &information, sizeof(information)), ERROR_SUCCESS);
    DWORD pid = GetProcessId(information.VaCloneHandle);
    HANDLE clone = clone_watch(information.VaCloneHandle);
    scene_change(&scene);
    clone_assert_pattern(information.VaCloneHandle, scene.memory, SIZE, 1);
    free_snapshot(snapshot);
    CloseHandle(information.VaCloneHandle); /* whatever that gives */
    HANDLE left = OpenProcess(PROCESS_TERMINATE, FALSE, pid);
    if (left) {
        TerminateProcess(left, 0);
        CloseHandle(left);
    }
    clone_assert_ended(clone);
    target_destroy(scene.target);
}

/* A library that forks processes: the clone is opened by its pid and captured again. */
static void test_client_silverware_captures_the_clone_again(void **state)
{
    struct scene scene = scene_open();
    PSS_PROCESS_INFORMATION process;
    HPSS first = NULL;
    HPSS second = NULL;

    (void)state;
    assert_same(pss.capture(scene.target->process, 0x20000881, 0, &first), ERROR_SUCCESS);
    query_fully(first, 0, &process, sizeof(process));
    assert_same(process.ProcessId, scene.target->pid);
    assert_true(walk_count(first, PSS_WALK_THREADS) > 0);
    HANDLE clone = OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetProcessId(clone_of(first)));
    assert_non_null(clone);
    assert_same(pss.capture(clone, 0x20000881, 0, &second), ERROR_SUCCESS);
    query_fully(second, 0, &process, sizeof(process));
    assert_same(process.ProcessId, GetProcessId(clone));
    free_snapshot(first);
    clone_assert_pattern(clone_of(second), scene.memory, SIZE, 1);
    free_snapshot(second);
    CloseHandle(clone);
    clone_call_again();
    target_destroy(scene.target);
}

static void walk_all_stacks(HANDLE clone, HPSS snapshot)
{
    struct records records = records_read(snapshot, PSS_WALK_THREADS);

    for (DWORD i = 0; i < records.count; i++) {
        const PSS_THREAD_ENTRY *entry = record_at(records, PSS_THREAD_ENTRY, i);
        if (!entry->ContextRecord)
            continue;
        CONTEXT context = *entry->ContextRecord;
        STACKFRAME64 frame = debug_help_frame(&context);
        assert_true(debug_help.walk(debug_help_machine(), clone, NULL, &frame, &context, NULL,
                                    debug_help.function_table, debug_help.module_base, NULL));
        assert_true(frame.AddrPC.Offset != 0);
    }
    records_free(&records);
}

static void test_client_hang_reporter_walks_the_stacks_of_the_clone(void **state)
{
    (void)state;
    struct scene scene = scene_open();
    if (!debug_help_can_invade(scene.target->process))
        skip_because("the system\'s dbghelp cannot do this with any process");
    HANDLE process = open_for_clone(scene.target->pid);
    HPSS snapshot = NULL;
    target_call(scene.target, TARGET_THREADS, 3, 0, 0, 0);
    assert_same(pss.capture(process, 0x181, CONTEXT_FULL, &snapshot), ERROR_SUCCESS);
    HANDLE clone = clone_of(snapshot);
    assert_true(debug_help.initialize(clone, "", TRUE));
    walk_all_stacks(clone, snapshot);
    assert_true(debug_help.cleanup(clone));
    free_snapshot(snapshot);
    CloseHandle(process);
    target_destroy(scene.target);
}

/* projectFrameCut: contexts may be NULL; it ends the clone before the free. */
static void test_client_frame_cut_ends_the_clone_after_reading_contexts(void **state)
{
    struct scene scene = scene_open();
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(scene.target->process, 0x181, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    assert_true(records.count > 0);
    records_free(&records);
    assert_true(TerminateProcess(clone_of(snapshot), 0));
    free_snapshot(snapshot);
    target_destroy(scene.target);
}

static DWORD walk_to_end(HPSS snapshot, DWORD information)
{
    struct records records = records_read(snapshot, information);
    DWORD count = records.count;

    records_free(&records);
    return count;
}

static void run_psscap(HANDLE process)
{
    static const DWORD queries[] = {0, 1, 3, 4, 5, 7};
    unsigned char buffer[1024];
    HPSS snapshot = NULL;

    assert_same(pss.capture(process, 0x400019FD, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
        assert_same(pss.query(snapshot, queries[i], buffer, query_size(queries[i])), ERROR_SUCCESS);
    assert_same(pss.query(snapshot, 2, buffer, query_size(2)), ERROR_NOT_FOUND);
    assert_same(pss.query(snapshot, 6, buffer, query_size(6)), ERROR_NOT_FOUND);
    for (DWORD walk = PSS_WALK_VA_SPACE; walk <= PSS_WALK_THREADS; walk++)
        assert_true(walk_to_end(snapshot, walk) > 0);
    assert_true(GetProcessId(clone_of(snapshot)) != 0);
    free_snapshot(snapshot);
}

static void test_client_psscap_captures_itself_and_a_target(void **state)
{
    struct scene scene = scene_open();

    (void)state;
    run_psscap(GetCurrentProcess());
    run_psscap(scene.target->process);
    target_destroy(scene.target);
}

static void test_client_snapproc_takes_the_clone_with_what_it_is_allowed(void **state)
{
    struct scene scene = scene_open();
    HANDLE process = OpenProcess(MAXIMUM_ALLOWED, FALSE, scene.target->pid);
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(process, 0x1, 0, &snapshot), ERROR_SUCCESS);
    CloseHandle(process);
    clone_assert_pattern(clone_of(snapshot), scene.memory, SIZE, 1);
    free_snapshot(snapshot);
    target_destroy(scene.target);
}

/* Everything that exists, of the own process: what a test of another binding expects to succeed. */
static void test_client_vanara_captures_everything_of_itself(void **state)
{
    static const DWORD found[] = {0, 1, 3, 4, 5, 7};
    HANDLE self = OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
    unsigned char buffer[1024];
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(self, 0xEC003BFD, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++)
        assert_same(pss.query(snapshot, found[i], buffer, query_size(found[i])), ERROR_SUCCESS);
    assert_true(pss.query(snapshot, 2, buffer, query_size(2)) != ERROR_SUCCESS);
    assert_true(pss.query(snapshot, 6, buffer, query_size(6)) != ERROR_SUCCESS);
    assert_same(pss.free(self, snapshot), ERROR_SUCCESS);
    CloseHandle(self);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_client_clrmd_reads_the_clone_by_pid_and_may_fail_to_kill_it),
        PSS_TEST(test_client_kudu_ends_the_clone_before_the_free),
        PSS_TEST(test_client_pe_sieve_ends_and_closes_the_clone_then_frees),
        PSS_TEST(test_client_system_informer_closes_what_it_was_lent),
        PSS_TEST(test_client_copy_on_write_dump_frees_closes_and_kills),
        PSS_TEST(test_client_silverware_captures_the_clone_again),
        PSS_TEST(test_client_hang_reporter_walks_the_stacks_of_the_clone),
        PSS_TEST(test_client_frame_cut_ends_the_clone_after_reading_contexts),
        PSS_TEST(test_client_psscap_captures_itself_and_a_target),
        PSS_TEST(test_client_snapproc_takes_the_clone_with_what_it_is_allowed),
        PSS_TEST(test_client_vanara_captures_everything_of_itself),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("clone_clients", tests, debug_help_warm_up, NULL);
}
