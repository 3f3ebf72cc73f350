/* SPDX-License-Identifier: MIT */
/* Processes that lie, move or die: a capture ends, tells what it can know, and changes nothing. */
#include "hostile.h"
#include "clone.h"
#include "ledger.h"
#include "nt_calls.h"
#include "random.h"
#include "records.h"
#include "soak.h"
#include "tally.h"
#include "under_test.h"

#include <tlhelp32.h>

#define EVERYTHING 0x00001BFEu /* what a capture without a clone can hold */
#define UNFROZEN \
    (EVERYTHING & ~(DWORD)(PSS_CAPTURE_THREAD_CONTEXT | PSS_CAPTURE_THREAD_CONTEXT_EXTENDED))

struct kind {
    const char *name;
    unsigned traits;
};

#define KIND(identifier, name, traits) {name, traits},
static struct kind kinds[] = {HOSTILE_KINDS(KIND)};

/* ---- what an answer must be, whatever the target tells of itself ---- */

static void check_process(const struct hostile *hostile, HPSS snapshot)
{
    struct nt_process_basic basic = {0};
    PSS_PROCESS_INFORMATION process;

    query_fully(snapshot, PSS_QUERY_PROCESS_INFORMATION, &process, sizeof(process));
    assert_same(process.ProcessId, hostile->target.pid);
    assert_same(process.ParentProcessId, GetCurrentProcessId());
    if (!NT_SUCCESS(NtQueryInformationProcess(hostile->target.process,
                                              (PROCESSINFOCLASS)NT_PROCESS_BASIC, &basic,
                                              sizeof(basic), NULL)))
        return; /* it has ended meanwhile */
    assert_same(address_of(process.PebBaseAddress), address_of(basic.peb));
}

static void check_threads(const struct hostile *hostile, HPSS snapshot, bool is_still)
{
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    THREADENTRY32 entry = {.dwSize = sizeof(entry)};
    DWORD count = 0;

    for (DWORD i = 0; i < records.count; i++)
        assert_same(record_at(records, PSS_THREAD_ENTRY, i)->ProcessId, hostile->target.pid);
    for (BOOL more = Thread32First(list, &entry); more && is_still;
         more = Thread32Next(list, &entry))
        if (entry.th32OwnerProcessID == hostile->target.pid) {
            assert_same(find_thread(&records, entry.th32ThreadID)->ThreadId, entry.th32ThreadID);
            count++;
        }
    if (is_still)
        assert_same(records.count, count);
    CloseHandle(list);
    records_free(&records);
}

static void check_handles(const struct hostile *hostile, HPSS snapshot, bool is_still)
{
    struct records records = records_read(snapshot, PSS_WALK_HANDLES);
    struct nt_handle_table *table = nt_handle_table_read();
    DWORD count = 0;

    for (DWORD i = 0; i < records.count; i++) {
        const PSS_HANDLE_ENTRY *entry = record_at(records, PSS_HANDLE_ENTRY, i);
        assert_text(entry->TypeName, entry->TypeNameLength);
        assert_text(entry->ObjectName, entry->ObjectNameLength);
    }
    for (ULONG_PTR i = 0; i < table->count && is_still; i++)
        if (table->rows[i].pid == hostile->target.pid) {
            find_handle(&records, table->rows[i].handle);
            count++;
        }
    if (is_still)
        assert_same(records.count, count);
    free(table);
    records_free(&records);
}

static void check_regions(const struct hostile *hostile, HPSS snapshot, bool is_still)
{
    struct records records = records_read(snapshot, PSS_WALK_VA_SPACE);
    uint64_t next = 0;

    for (DWORD i = 0; i < records.count; i++) {
        const PSS_VA_SPACE_ENTRY *entry = record_at(records, PSS_VA_SPACE_ENTRY, i);
        MEMORY_BASIC_INFORMATION region;
        assert_same(address_of(entry->BaseAddress), next);
        next += entry->RegionSize;
        assert_text(entry->MappedFileName, entry->MappedFileNameLength);
        if (!is_still)
            continue;
        region = clone_region(hostile->target.process, address_of(entry->BaseAddress));
        assert_same(entry->RegionSize, region.RegionSize);
        assert_same(entry->State, region.State);
        assert_same(entry->Protect, region.Protect);
        assert_same(entry->Type, region.Type);
    }
    records_free(&records);
}

static void check_snapshot(const struct hostile *hostile, const struct kind *kind, DWORD flags,
                           HPSS snapshot)
{
    bool is_still = !(kind->traits & (HOSTILE_MOVES | HOSTILE_DIES)) && !hostile_has_ended(hostile);

    check_process(hostile, snapshot);
    if (flags & PSS_CAPTURE_THREADS)
        check_threads(hostile, snapshot, is_still && !(kind->traits & HOSTILE_BREAKS));
    if (flags & PSS_CAPTURE_HANDLES)
        check_handles(hostile, snapshot, is_still && !(kind->traits & HOSTILE_BREAKS));
    if (flags & PSS_CAPTURE_VA_SPACE)
        check_regions(hostile, snapshot, is_still);
    if (flags & PSS_CAPTURE_VA_CLONE)
        clone_assert_pattern(clone_of(snapshot), hostile->pattern, HOSTILE_PATTERN_SIZE,
                             hostile->target.pid);
}

/* ---- the captures ---- */

static bool is_documented(const struct hostile *hostile, const struct kind *kind, DWORD flags,
                          DWORD error)
{
    if (error == ERROR_PARTIAL_COPY && kind->traits & (HOSTILE_DIES | HOSTILE_BREAKS))
        return hostile_has_ended(hostile);
    if (error == ERROR_ACCESS_DENIED && kind->traits & HOSTILE_DENIES)
        return true;
    return kind->traits & HOSTILE_FULL && flags & PSS_CAPTURE_VA_CLONE &&
           (error == ERROR_NOT_ENOUGH_MEMORY || error == ERROR_NOT_ENOUGH_QUOTA);
}

static void capture(const struct hostile *hostile, const struct kind *kind, DWORD flags)
{
    HPSS snapshot = (HPSS)(uintptr_t)1;
    DWORD error = pss.capture(hostile->target.process, flags, CONTEXT_ALL, &snapshot);

    if (!error) {
        check_snapshot(hostile, kind, flags, snapshot);
        free_snapshot(snapshot);
        return;
    }
    assert_null(snapshot);
    if (!is_documented(hostile, kind, flags, error))
        fail_msg("%s, flags 0x%lx: error %lu", kind->name, flags, error);
    print_message("%s, flags 0x%lx: error %lu\n", kind->name, flags, error);
}

static void capture_often(const struct hostile *hostile, const struct kind *kind)
{
    static const DWORD flags[] = {PSS_CAPTURE_NONE, UNFROZEN, EVERYTHING,
                                  EVERYTHING | PSS_CAPTURE_VA_CLONE};

    for (uint32_t i = 0; i < soak_or(4, 40); i++)
        capture(hostile, kind, flags[i % 4]);
}

static void assert_same_state(struct target_state before, struct target_state after)
{
    assert_same(after.threads, before.threads);
    assert_same(after.suspensions, before.suspensions);
    assert_same(after.handles, before.handles);
    assert_same(after.private_pages, before.private_pages);
}

static void run_kind(const struct kind *kind, const WCHAR *program)
{
    bool is_still = !(kind->traits & (HOSTILE_MOVES | HOSTILE_DIES | HOSTILE_BREAKS));
    struct target_state before = {0};
    struct hostile hostile;

    if (!hostile_start(program, kind->name, (uint32_t)random_next(), &hostile))
        return;
    if (!hostile.is_here && !hostile_has_ended(&hostile)) {
        print_message("%s: not in %ls\n", kind->name, program);
        hostile_end(&hostile);
        return;
    }
    if (is_still)
        before = target_state_read(&hostile.target);
    capture_often(&hostile, kind);
    tally(TALLY_HOSTILE_TARGETS, 1);
    if (is_still)
        assert_same_state(before, target_state_read(&hostile.target));
    if (!(kind->traits & HOSTILE_DIES))
        hostile_finish(&hostile);
    hostile_end(&hostile);
}

static void test_hostile_target(void **state)
{
    const struct kind *kind = (const struct kind *)*state;
    bool is_foreign = sizeof(void *) == 8 && (!random_below(4) || soak_or(0, 1));

    if (kind->traits & (HOSTILE_DIES | HOSTILE_BREAKS))
        ledger_forgive_stuck_queries();
    run_kind(kind, L"" HOSTILE_PROGRAM);
    if (is_foreign)
        run_kind(kind, L"" HOSTILE_FOREIGN_PROGRAM);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[HOSTILE_KIND_COUNT];

    for (int i = 0; i < HOSTILE_KIND_COUNT; i++)
        tests[i] = (struct CMUnitTest){kinds[i].name, test_hostile_target, ledger_open,
                                       ledger_close, &kinds[i]};
    under_test_load(argc, argv);
    random_init();
    return cmocka_run_group_tests_name("hostile", tests, hostile_warm_up, NULL);
}
