/* SPDX-License-Identifier: MIT */
/* Starts and watches what is captured, and checks snapshots of it. */
#include "subject.h"

#include "faulty_nt.h"
#include "tally.h"

#define PAGE_BYTES 0x1000u

static void watch_thread(struct subject *subject, HANDLE thread)
{
    assert_non_null(thread);
    assert_true(subject->thread_count < SUBJECT_THREADS);
    subject->threads[subject->thread_count++] = thread;
}

static HANDLE open_thread(DWORD id)
{
    return OpenThread(THREAD_ALL_ACCESS, FALSE, id);
}

void subject_start_child(struct subject *subject)
{
    struct target *target = target_start();
    WCHAR path[MAX_PATH], name[64];

    memset(subject, 0, sizeof(*subject));
    subject->name = "child";
    subject->target = target;
    subject->process = target->process;
    subject->worker = target_call(target, TARGET_THREAD, TARGET_THREAD_WAITS, 0, 0, 0);
    subject->worker_id = (DWORD)target_value(target, 0);
    watch_thread(subject, open_thread(target->main_thread));
    watch_thread(subject, open_thread(subject->worker_id));

    subject->event =
        target_call_text(target, TARGET_EVENT, unique_name(name, L"event"), 1, 1, 0, 0);
    target_call(target, TARGET_MUTANT, 1, 0, 0, 0);
    target_call(target, TARGET_SEMAPHORE, 1, 4, 0, 0);
    target_call(target, TARGET_SECTION, 0x4000, PAGE_READWRITE, 0, 0);
    target_call(target, TARGET_PROCESS, GetCurrentProcessId(), PROCESS_QUERY_INFORMATION, 0, 0);
    target_call(target, TARGET_OPEN_THREAD, GetCurrentThreadId(), THREAD_QUERY_INFORMATION, 0, 0);
    GetModuleFileNameW(NULL, path, MAX_PATH);
    subject->file = target_call_text(target, TARGET_FILE, path, GENERIC_READ, OPEN_EXISTING, 0, 0);
    subject->memory = target_call(target, TARGET_ALLOCATE, 0, 4 * PAGE_BYTES,
                                  MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

static DWORD WINAPI wait_for_stop(void *stop)
{
    WaitForSingleObject(stop, INFINITE);
    return 0;
}

void subject_use_self(struct subject *subject, bool by_real_handle)
{
    memset(subject, 0, sizeof(*subject));
    subject->name = by_real_handle ? "self by a real handle" : "self";
    subject->process = GetCurrentProcess();
    if (by_real_handle)
        subject->process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
    subject->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    assert_non_null(subject->stop);
    watch_thread(subject, CreateThread(NULL, 0, wait_for_stop, subject->stop, 0, NULL));
}

void subject_fini(struct subject *subject)
{
    if (subject->stop) {
        SetEvent(subject->stop);
        assert_same(WaitForSingleObject(subject->threads[0], 30000), WAIT_OBJECT_0);
        CloseHandle(subject->stop);
        if (subject->process != GetCurrentProcess())
            CloseHandle(subject->process);
    }
    for (DWORD i = 0; i < subject->thread_count; i++)
        CloseHandle(subject->threads[i]);
    if (subject->target)
        target_destroy(subject->target);
    memset(subject, 0, sizeof(*subject));
}

/* Suspending tells the count on every system; an ended thread cannot be suspended. */
void subject_assert_suspended(const struct subject *subject, DWORD count, const char *where)
{
    for (DWORD i = 0; i < subject->thread_count; i++) {
        DWORD found = SuspendThread(subject->threads[i]);

        if (found == (DWORD)-1)
            continue;
        ResumeThread(subject->threads[i]);
        if (found != count)
            fail_msg("%s: thread %lu is suspended %lu times, not %lu", where, i, found, count);
    }
}

NTSTATUS subject_capture(const struct subject *subject, uint32_t flags, HPSS *snapshot)
{
    NTSTATUS status =
        pss_snapshot_capture(faulty_nt(), subject->process, flags, SUBJECT_CONTEXT_FLAGS, snapshot);

    tally(TALLY_CAPTURES, NT_SUCCESS(status));
    return status;
}

void subject_check_and_free(HPSS snapshot, const char *where)
{
    const struct pss_block *block = (const struct pss_block *)snapshot;
    PSS_PROCESS_INFORMATION process;

    if (!NT_SUCCESS(pss_block_validate(block, block->size)))
        fail_msg("%s: the block is not sound", where);
    assert_int_equal(pss_snapshot_query(faulty_nt(), snapshot, PSS_QUERY_PROCESS_INFORMATION,
                                        &process, sizeof(process)),
                     STATUS_SUCCESS);
    assert_int_equal(pss_snapshot_free(faulty_nt(), GetCurrentProcess(), snapshot), STATUS_SUCCESS);
}

uint32_t subject_count(HPSS snapshot, enum pss_section section)
{
    return ((const struct pss_block *)snapshot)->sections[section].count;
}

const struct pss_handle_record *subject_handle(HPSS snapshot, uint64_t handle)
{
    for (uint32_t i = 0; i < subject_count(snapshot, PSS_SECTION_HANDLES); i++) {
        const struct pss_handle_record *record =
            subject_record(snapshot, struct pss_handle_record, PSS_SECTION_HANDLES, i);

        if (record->handle == handle)
            return record;
    }
    return NULL;
}
