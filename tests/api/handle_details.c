/* SPDX-License-Identifier: MIT */
/* TypeSpecificInformation of each object type, against the states that the target made. */
#include "ledger.h"
#include "nt_calls.h"
#include "oracle.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#define DETAILS (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)

struct details {
    struct target *target;
    HPSS snapshot;
    struct records records;
};

static struct details capture_details(struct target *target)
{
    struct details details = {.target = target, .snapshot = target_capture(target, DETAILS, 0)};

    details.records = records_read(details.snapshot, PSS_WALK_HANDLES);
    return details;
}

static void end_details(struct details *details)
{
    records_free(&details->records);
    free_snapshot(details->snapshot);
}

/* The entry of a handle, which must have type-specific information of this type. */
static const PSS_HANDLE_ENTRY *detail_of(const struct details *details, uint64_t handle,
                                         PSS_OBJECT_TYPE type)
{
    const PSS_HANDLE_ENTRY *entry = find_handle(&details->records, handle);

    assert_same(entry->ObjectType, type);
    assert_true(entry->Flags & PSS_HANDLE_HAVE_TYPE_SPECIFIC_INFORMATION);
    return entry;
}

static void test_detail_of_events_has_kind_and_state(void **state)
{
    struct target *target = target_start();
    uint64_t events[2][2];

    (void)state;
    for (int manual = 0; manual < 2; manual++)
        for (int signaled = 0; signaled < 2; signaled++)
            events[manual][signaled] =
                target_call(target, TARGET_EVENT, manual, signaled, FALSE, 0);
    struct details details = capture_details(target);
    for (int manual = 0; manual < 2; manual++) {
        for (int signaled = 0; signaled < 2; signaled++) {
            const PSS_HANDLE_ENTRY *entry =
                detail_of(&details, events[manual][signaled], PSS_OBJECT_TYPE_EVENT);
            assert_same(entry->TypeSpecificInformation.Event.ManualReset, manual);
            assert_same(entry->TypeSpecificInformation.Event.Signaled, signaled);
        }
    }
    end_details(&details);
    target_destroy(target);
}

static void test_detail_of_event_is_that_of_the_capture(void **state)
{
    struct target *target = target_start();
    uint64_t event = target_call(target, TARGET_EVENT, TRUE, FALSE, 0, 0);
    struct details before = capture_details(target);

    (void)state;
    target_call(target, TARGET_SIGNAL, event, TRUE, 0, 0);
    struct details after = capture_details(target);
    assert_same(
        detail_of(&before, event, PSS_OBJECT_TYPE_EVENT)->TypeSpecificInformation.Event.Signaled,
        FALSE);
    assert_same(
        detail_of(&after, event, PSS_OBJECT_TYPE_EVENT)->TypeSpecificInformation.Event.Signaled,
        TRUE);
    end_details(&before);
    end_details(&after);
    target_destroy(target);
}

static void test_detail_of_auto_event_does_not_consume_its_signal(void **state)
{
    struct target *target = target_start();
    WCHAR name[64];

    (void)state;
    target_call_text(target, TARGET_EVENT, unique_name(name, L"auto"), FALSE, TRUE, 0, 0);
    struct details details = capture_details(target);
    HANDLE event = OpenEventW(SYNCHRONIZE, FALSE, name);
    assert_non_null(event);
    assert_same(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CloseHandle(event);
    end_details(&details);
    target_destroy(target);
}

/* Whether this system tells the owner of a mutant: Wine does not. */
static bool tells_mutant_owner(void)
{
    HANDLE mutant = CreateMutexW(NULL, TRUE, NULL);
    CLIENT_ID owner = {0};

    assert_non_null(mutant);
    NTSTATUS status = NtQueryMutant(mutant, NT_MUTANT_OWNER, &owner, sizeof(owner), NULL);
    CloseHandle(mutant);
    return NT_SUCCESS(status);
}

static void test_detail_of_mutants_has_count_abandonment_and_owner(void **state)
{
    struct target *target = target_start();
    uint64_t owned = target_call(target, TARGET_MUTANT, TRUE, 0, 0, 0);
    uint64_t unowned = target_call(target, TARGET_MUTANT, FALSE, 0, 0, 0);
    uint64_t abandoned = target_call(target, TARGET_MUTANT, FALSE, 0, 0, 0);
    bool has_owner = tells_mutant_owner();

    (void)state;
    target_call(target, TARGET_ABANDON, abandoned, 0, 0, 0);
    struct details details = capture_details(target);
    const PSS_HANDLE_ENTRY *entry = detail_of(&details, owned, PSS_OBJECT_TYPE_MUTANT);
    assert_same(entry->TypeSpecificInformation.Mutant.CurrentCount, 0);
    assert_same(entry->TypeSpecificInformation.Mutant.Abandoned, FALSE);
    assert_same(entry->TypeSpecificInformation.Mutant.OwnerProcessId, has_owner ? target->pid : 0);
    assert_same(entry->TypeSpecificInformation.Mutant.OwnerThreadId,
                has_owner ? target->main_thread : 0);
    entry = detail_of(&details, unowned, PSS_OBJECT_TYPE_MUTANT);
    assert_same(entry->TypeSpecificInformation.Mutant.CurrentCount, 1);
    assert_same(entry->TypeSpecificInformation.Mutant.Abandoned, FALSE);
    assert_same(entry->TypeSpecificInformation.Mutant.OwnerProcessId, 0);
    assert_same(entry->TypeSpecificInformation.Mutant.OwnerThreadId, 0);
    entry = detail_of(&details, abandoned, PSS_OBJECT_TYPE_MUTANT);
    assert_same(entry->TypeSpecificInformation.Mutant.CurrentCount, 1);
    assert_same(entry->TypeSpecificInformation.Mutant.Abandoned, TRUE);
    end_details(&details);
    target_destroy(target);
}

static void test_detail_of_semaphores_has_both_counts(void **state)
{
    static const LONG counts[][2] = {{0, 1}, {1, 1}, {3, 7}, {0, 0x7FFFFFFF}, {5, 0x7FFFFFFF}};
    enum { ROWS = sizeof(counts) / sizeof(counts[0]) };
    struct target *target = target_start();
    uint64_t semaphores[ROWS];

    (void)state;
    for (int i = 0; i < ROWS; i++)
        semaphores[i] = target_call(target, TARGET_SEMAPHORE, (uint64_t)counts[i][0],
                                    (uint64_t)counts[i][1], 0, 0);
    struct details details = capture_details(target);
    for (int i = 0; i < ROWS; i++) {
        const PSS_HANDLE_ENTRY *entry =
            detail_of(&details, semaphores[i], PSS_OBJECT_TYPE_SEMAPHORE);
        assert_same(entry->TypeSpecificInformation.Semaphore.CurrentCount, counts[i][0]);
        assert_same(entry->TypeSpecificInformation.Semaphore.MaximumCount, counts[i][1]);
    }
    end_details(&details);
    target_destroy(target);
}

/* What the system tells of a section through a duplicate in this process. */
static struct nt_section_basic query_section(const struct target *target, uint64_t handle)
{
    struct nt_section_basic basic = {0};
    HANDLE copy = NULL;

    assert_true(DuplicateHandle(target->process, (HANDLE)(uintptr_t)handle, GetCurrentProcess(),
                                &copy, SECTION_QUERY, FALSE, 0));
    assert_true(NT_SUCCESS(NtQuerySection(copy, 0, &basic, sizeof(basic), NULL)));
    CloseHandle(copy);
    return basic;
}

static void assert_section(const struct details *details, uint64_t handle, uint64_t size,
                           DWORD attributes)
{
    const PSS_HANDLE_ENTRY *entry = detail_of(details, handle, PSS_OBJECT_TYPE_SECTION);
    struct nt_section_basic basic = query_section(details->target, handle);

    assert_ptr_equal(entry->TypeSpecificInformation.Section.BaseAddress, basic.base);
    assert_same(entry->TypeSpecificInformation.Section.AllocationAttributes, basic.attributes);
    assert_same(entry->TypeSpecificInformation.Section.MaximumSize.QuadPart, basic.size.QuadPart);
    assert_same(entry->TypeSpecificInformation.Section.AllocationAttributes & attributes,
                attributes);
    if (size)
        assert_same(entry->TypeSpecificInformation.Section.MaximumSize.QuadPart, size);
}

static void test_detail_of_sections_has_base_attributes_and_size(void **state)
{
    struct target *target = target_start();
    WCHAR path[MAX_PATH];

    (void)state;
    GetModuleFileNameW(NULL, path, MAX_PATH);
    uint64_t file = target_call_text(target, TARGET_FILE, path, GENERIC_READ, OPEN_EXISTING, 0, 0);
    uint64_t committed = target_call(target, TARGET_SECTION, 0x5000, PAGE_READWRITE, 0, 0);
    uint64_t reserved =
        target_call(target, TARGET_SECTION, 0x100000, PAGE_READWRITE | SEC_RESERVE, 0, 0);
    uint64_t mapped = target_call(target, TARGET_SECTION, 0, PAGE_READONLY, file, 0);
    uint64_t image = target_call(target, TARGET_SECTION, 0, PAGE_READONLY | SEC_IMAGE, file, 0);
    struct details details = capture_details(target);
    assert_section(&details, committed, 0x5000, SEC_COMMIT);
    assert_section(&details, reserved, 0x100000, SEC_RESERVE);
    assert_section(&details, mapped, 0, SEC_FILE);
    assert_section(&details, image, 0, SEC_IMAGE);
    end_details(&details);
    target_destroy(target);
}

static void test_detail_of_large_section_has_all_64_bits_of_its_size(void **state)
{
    struct target *target = target_start();
    uint64_t section =
        target_call(target, TARGET_SECTION, 0x180000000ull, PAGE_READWRITE | SEC_RESERVE, 0, 0);
    struct details details = capture_details(target);

    (void)state;
    assert_section(&details, section, 0x180000000ull, SEC_RESERVE);
    end_details(&details);
    target_destroy(target);
}

static void test_detail_of_process_handles_has_identity(void **state)
{
    struct target *target = target_start();
    struct target *other = target_start();
    struct nt_process_basic basic = {0};

    (void)state;
    assert_true(SetPriorityClass(other->process, BELOW_NORMAL_PRIORITY_CLASS));
    assert_true(SetProcessAffinityMask(other->process, 1));
    assert_true(NT_SUCCESS(NtQueryInformationProcess(
        other->process, (PROCESSINFOCLASS)NT_PROCESS_BASIC, &basic, sizeof(basic), NULL)));
    uint64_t handle =
        target_call(target, TARGET_PROCESS, other->pid, PROCESS_QUERY_INFORMATION, 0, 0);
    struct details details = capture_details(target);
    const PSS_HANDLE_ENTRY *entry = detail_of(&details, handle, PSS_OBJECT_TYPE_PROCESS);
    assert_same(entry->TypeSpecificInformation.Process.ExitStatus, STILL_ACTIVE);
    assert_ptr_equal(entry->TypeSpecificInformation.Process.PebBaseAddress, basic.peb);
    assert_same(entry->TypeSpecificInformation.Process.AffinityMask, 1);
    assert_same(entry->TypeSpecificInformation.Process.BasePriority, 6);
    assert_same(entry->TypeSpecificInformation.Process.ProcessId, other->pid);
    assert_same(entry->TypeSpecificInformation.Process.ParentProcessId, GetCurrentProcessId());
    end_details(&details);
    target_destroy(other);
    target_destroy(target);
}

static void test_detail_of_wow64_process_handle_has_its_flag(void **state)
{
    struct target *foreign = sizeof(void *) == 8 ? target_start_foreign() : NULL;

    (void)state;
    if (!foreign)
        skip_because(NO_OTHER_BITNESS);
    struct target *target = target_start();
    uint64_t narrow =
        target_call(target, TARGET_PROCESS, foreign->pid, PROCESS_QUERY_INFORMATION, 0, 0);
    uint64_t wide =
        target_call(target, TARGET_PROCESS, target->pid, PROCESS_QUERY_INFORMATION, 0, 0);
    struct details details = capture_details(target);
    assert_same(
        detail_of(&details, narrow, PSS_OBJECT_TYPE_PROCESS)->TypeSpecificInformation.Process.Flags,
        PSS_PROCESS_FLAGS_WOW64);
    assert_same(
        detail_of(&details, wide, PSS_OBJECT_TYPE_PROCESS)->TypeSpecificInformation.Process.Flags,
        PSS_PROCESS_FLAGS_NONE);
    end_details(&details);
    target_destroy(target);
    target_destroy(foreign);
}

static void test_detail_of_ended_process_handle_has_its_exit_code(void **state)
{
    struct target *target = target_start();
    struct target *other = target_start();
    uint64_t handle =
        target_call(target, TARGET_PROCESS, other->pid, PROCESS_QUERY_INFORMATION, 0, 0);

    (void)state;
    target_call_fatal(other, TARGET_EXIT, 42);
    struct details details = capture_details(target);
    const PSS_HANDLE_ENTRY *entry = detail_of(&details, handle, PSS_OBJECT_TYPE_PROCESS);
    assert_same(entry->TypeSpecificInformation.Process.ExitStatus, 42);
    assert_same(entry->TypeSpecificInformation.Process.ProcessId, other->pid);
    end_details(&details);
    target_destroy(other);
    target_destroy(target);
}

static void test_detail_of_thread_handles_has_identity(void **state)
{
    struct target *target = target_start();
    uint64_t handle =
        target_call(target, TARGET_THREAD, TARGET_THREAD_WAITS, THREAD_PRIORITY_ABOVE_NORMAL, 0, 0);
    DWORD id = (DWORD)target_value(target, 0);
    uint64_t teb = target_value(target, 1);
    uint64_t start = target_value(target, 2);
    struct details details = capture_details(target);
    const PSS_HANDLE_ENTRY *entry = detail_of(&details, handle, PSS_OBJECT_TYPE_THREAD);
    DWORD_PTR affinity[2];

    (void)state;
    assert_true(GetProcessAffinityMask(target->process, &affinity[0], &affinity[1]));
    assert_same(entry->TypeSpecificInformation.Thread.ExitStatus, STILL_ACTIVE);
    assert_same(address_of(entry->TypeSpecificInformation.Thread.TebBaseAddress), teb);
    assert_same(entry->TypeSpecificInformation.Thread.ProcessId, target->pid);
    assert_same(entry->TypeSpecificInformation.Thread.ThreadId, id);
    assert_same(entry->TypeSpecificInformation.Thread.AffinityMask, affinity[0]);
    assert_same(entry->TypeSpecificInformation.Thread.BasePriority, 9);
    assert_in_range(entry->TypeSpecificInformation.Thread.Priority, 9, 31);
    assert_same(address_of(entry->TypeSpecificInformation.Thread.Win32StartAddress), start);
    end_details(&details);
    target_destroy(target);
}

static void test_detail_of_ended_thread_handle_has_its_exit_code(void **state)
{
    struct target *target = target_start();
    uint64_t handle = target_call(target, TARGET_THREAD, TARGET_THREAD_ENDS, 0, 0, 0);
    DWORD id = (DWORD)target_value(target, 0);
    struct details details = capture_details(target);
    const PSS_HANDLE_ENTRY *entry = detail_of(&details, handle, PSS_OBJECT_TYPE_THREAD);

    (void)state;
    assert_same(entry->TypeSpecificInformation.Thread.ExitStatus, 77);
    assert_same(entry->TypeSpecificInformation.Thread.ThreadId, id);
    end_details(&details);
    target_destroy(target);
}

static void test_detail_of_foreign_thread_handle_has_its_own_process(void **state)
{
    struct target *target = target_start();
    struct target *other = target_start();
    uint64_t handle =
        target_call(target, TARGET_OPEN_THREAD, other->main_thread, THREAD_QUERY_INFORMATION, 0, 0);
    struct details details = capture_details(target);
    const PSS_HANDLE_ENTRY *entry = detail_of(&details, handle, PSS_OBJECT_TYPE_THREAD);

    (void)state;
    assert_same(entry->TypeSpecificInformation.Thread.ProcessId, other->pid);
    assert_same(entry->TypeSpecificInformation.Thread.ThreadId, other->main_thread);
    end_details(&details);
    target_destroy(other);
    target_destroy(target);
}

/* A handle without the right to query: the entry may lack its detail, but never lies. */
static void test_detail_of_handle_without_query_right_is_right_or_absent(void **state)
{
    struct target *target = target_start();
    uint64_t event = target_call(target, TARGET_EVENT, TRUE, TRUE, 0, 0);
    uint64_t weak = target_call(target, TARGET_DUPLICATE, event, SYNCHRONIZE, 0, 0);
    uint64_t process = target_call(target, TARGET_PROCESS, target->pid, SYNCHRONIZE, 0, 0);
    static const unsigned char zeros[64];

    (void)state;
    struct details details = capture_details(target);
    const PSS_HANDLE_ENTRY *entry = find_handle(&details.records, weak);
    assert_same(entry->ObjectType, PSS_OBJECT_TYPE_EVENT);
    if (entry->Flags & PSS_HANDLE_HAVE_TYPE_SPECIFIC_INFORMATION)
        assert_same(entry->TypeSpecificInformation.Event.Signaled, TRUE);
    else
        assert_memory_equal(&entry->TypeSpecificInformation, zeros,
                            sizeof(entry->TypeSpecificInformation));
    entry = find_handle(&details.records, process);
    assert_same(entry->ObjectType, PSS_OBJECT_TYPE_PROCESS);
    if (entry->Flags & PSS_HANDLE_HAVE_TYPE_SPECIFIC_INFORMATION)
        assert_same(entry->TypeSpecificInformation.Process.ProcessId, target->pid);
    end_details(&details);
    target_destroy(target);
}

static void test_detail_unused_bytes_of_the_union_are_zero(void **state)
{
    struct target *target = target_start();
    uint64_t event = target_call(target, TARGET_EVENT, TRUE, TRUE, 0, 0);
    uint64_t timer = target_call(target, TARGET_TIMER, 0, 0, 0, 0);
    static const unsigned char zeros[64];

    (void)state;
    struct details details = capture_details(target);
    const PSS_HANDLE_ENTRY *entry = detail_of(&details, event, PSS_OBJECT_TYPE_EVENT);
    size_t used = sizeof(entry->TypeSpecificInformation.Event);
    assert_memory_equal((const char *)&entry->TypeSpecificInformation + used, zeros,
                        sizeof(entry->TypeSpecificInformation) - used);
    entry = find_handle(&details.records, timer);
    assert_same(entry->ObjectType, PSS_OBJECT_TYPE_UNKNOWN);
    assert_false(entry->Flags & PSS_HANDLE_HAVE_TYPE_SPECIFIC_INFORMATION);
    assert_memory_equal(&entry->TypeSpecificInformation, zeros,
                        sizeof(entry->TypeSpecificInformation));
    end_details(&details);
    target_destroy(target);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_detail_of_events_has_kind_and_state),
        PSS_TEST(test_detail_of_event_is_that_of_the_capture),
        PSS_TEST(test_detail_of_auto_event_does_not_consume_its_signal),
        PSS_TEST(test_detail_of_mutants_has_count_abandonment_and_owner),
        PSS_TEST(test_detail_of_semaphores_has_both_counts),
        PSS_TEST(test_detail_of_sections_has_base_attributes_and_size),
        PSS_TEST(test_detail_of_large_section_has_all_64_bits_of_its_size),
        PSS_TEST(test_detail_of_process_handles_has_identity),
        PSS_TEST(test_detail_of_wow64_process_handle_has_its_flag),
        PSS_TEST(test_detail_of_ended_process_handle_has_its_exit_code),
        PSS_TEST(test_detail_of_thread_handles_has_identity),
        PSS_TEST(test_detail_of_ended_thread_handle_has_its_exit_code),
        PSS_TEST(test_detail_of_foreign_thread_handle_has_its_own_process),
        PSS_TEST(test_detail_of_handle_without_query_right_is_right_or_absent),
        PSS_TEST(test_detail_unused_bytes_of_the_union_are_zero),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("handle_details", tests, ledger_warm_up, NULL);
}
