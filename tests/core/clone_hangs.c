/* SPDX-License-Identifier: MIT */
/* Calls on the carrier that never come back: whichever it is, the capture does. */
#include "api/api.h"

#include "faulty_nt.h"
#include "subject.h"

#define FLAGS PSS_CAPTURE_VA_CLONE

static struct subject child;
static HANDLE release;       /* lets the held call go */
static uint32_t calls, held; /* of the service that hangs, on the carrier; and those that did */
static bool dies;            /* the carrier, with the question in its hands */
static bool is_terminated;   /* the thread that asks was told to end */

static void hold(HANDLE process)
{
    if (process == PSS_CURRENT_PROCESS || process == child.process ||
        __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) != 1)
        return;
    __atomic_add_fetch(&held, 1, __ATOMIC_RELAXED);
    if (dies)
        TerminateProcess(process, 99);
    WaitForSingleObject(release, INFINITE);
}

static NTSTATUS NTAPI hold_allocation(HANDLE process, void **base, ULONG_PTR zero_bits,
                                      SIZE_T *size, ULONG type, ULONG protect)
{
    hold(process);
    return pss_nt_system()->allocate_memory(process, base, zero_bits, size, type, protect);
}

static NTSTATUS NTAPI hold_release(HANDLE process, void **base, SIZE_T *size, ULONG type)
{
    hold(process);
    return pss_nt_system()->free_memory(process, base, size, type);
}

static NTSTATUS NTAPI hold_protection(HANDLE process, void **base, SIZE_T *size, ULONG protect,
                                      ULONG *previous)
{
    hold(process);
    return pss_nt_system()->protect_memory(process, base, size, protect, previous);
}

static NTSTATUS NTAPI hold_query(HANDLE process, void *address, ULONG class_number, void *buffer,
                                 SIZE_T size, SIZE_T *returned)
{
    hold(process);
    return pss_nt_system()->query_memory(process, address, class_number, buffer, size, returned);
}

static NTSTATUS NTAPI hold_unmap(HANDLE process, void *base)
{
    hold(process);
    return pss_nt_system()->unmap_view(process, base);
}

static NTSTATUS NTAPI hold_map(HANDLE section, HANDLE process, void **base, ULONG_PTR zero_bits,
                               SIZE_T commit, LARGE_INTEGER *offset, SIZE_T *size, ULONG inherit,
                               ULONG type, ULONG protect)
{
    hold(process);
    return pss_nt_system()->map_view(section, process, base, zero_bits, commit, offset, size,
                                     inherit, type, protect);
}

enum kind { ALLOCATION, RELEASE, PROTECTION, QUERY, UNMAP, MAP, KIND_COUNT };

static void plan(enum kind kind)
{
    struct pss_nt *inner = faulty_inner();

    inner->allocate_memory =
        kind == ALLOCATION ? hold_allocation : pss_nt_system()->allocate_memory;
    inner->free_memory = kind == RELEASE ? hold_release : pss_nt_system()->free_memory;
    inner->protect_memory = kind == PROTECTION ? hold_protection : pss_nt_system()->protect_memory;
    inner->query_memory = kind == QUERY ? hold_query : pss_nt_system()->query_memory;
    inner->unmap_view = kind == UNMAP ? hold_unmap : pss_nt_system()->unmap_view;
    inner->map_view = kind == MAP ? hold_map : pss_nt_system()->map_view;
    ResetEvent(release);
    calls = held = 0;
    is_terminated = false;
}

/* A clock that runs fast: until the thread is told to end, patience runs out at once. */
static NTSTATUS NTAPI wait_impatiently(HANDLE handle, BOOLEAN alertable, LARGE_INTEGER *timeout)
{
    LARGE_INTEGER none = {.QuadPart = 0};

    if (timeout && !is_terminated && __atomic_load_n(&held, __ATOMIC_RELAXED))
        timeout = &none;
    return pss_nt_system()->wait(handle, alertable, timeout);
}

static NTSTATUS NTAPI terminate_thread(HANDLE thread, NTSTATUS exit_status)
{
    is_terminated = true;
    return pss_nt_system()->terminate_thread(thread, exit_status);
}

static NTSTATUS NTAPI terminate_nothing(HANDLE thread, NTSTATUS exit_status)
{
    (void)thread;
    is_terminated = true;
    return exit_status;
}

static void assert_capture_gives_up(void)
{
    HPSS snapshot = (HPSS)&child;

    faulty_reset();
    assert_int_equal(subject_capture(&child, FLAGS, &snapshot), STATUS_IO_TIMEOUT);
    assert_null(snapshot);
    assert_same(held, 1);
    assert_true(faulty_carriers_ended());
    assert_same(faulty_ledger().suspends, 0);
    assert_null(faulty_violation());
    subject_assert_suspended(&child, 0, "given up");
}

static void test_carrier_that_never_answers_is_given_up(void **state)
{
    (void)state;
    faulty_inner()->wait = wait_impatiently;
    for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
        plan(kind);
        assert_capture_gives_up();
        faulty_assert_clean("no answer");
    }
    assert_same(target_call(child.target, TARGET_PING, 0, 0, 0, 0), child.target->pid);
}

/* Here no clock has to run fast: nobody waits for the dead. */
static void test_carrier_that_dies_with_a_question_in_its_hands_is_given_up(void **state)
{
    (void)state;
    dies = true;
    for (enum kind kind = 0; kind < KIND_COUNT; kind += 3) {
        plan(kind);
        assert_capture_gives_up();
        faulty_assert_clean("death");
    }
}

/* The memory stays with the thread, which does no more than end. */
static void test_thread_that_cannot_be_ended_keeps_its_memory(void **state)
{
    (void)state;
    faulty_inner()->wait = wait_impatiently;
    faulty_inner()->terminate_thread = terminate_nothing;
    for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
        uint32_t changes;

        plan(kind);
        assert_capture_gives_up();
        assert_true(faulty_ledger().allocations != 0);
        assert_true(faulty_ledger().handles <= 8); /* its events, the section, the files */
        changes = faulty_calls_of(FAULTY_write_memory) + faulty_calls_of(FAULTY_write_file);
        SetEvent(release);
        assert_true(faulty_threads_ended());
        assert_same(faulty_calls_of(FAULTY_write_memory) + faulty_calls_of(FAULTY_write_file),
                    changes);
        assert_null(faulty_violation());
        faulty_reclaim();
    }
}

#define SLOW_WAITS 5 /* times that patience runs out before the answer comes */

static uint32_t waits;

static NTSTATUS NTAPI release_after_some_waits(HANDLE handle, BOOLEAN alertable,
                                               LARGE_INTEGER *timeout)
{
    if (timeout && __atomic_load_n(&held, __ATOMIC_RELAXED)) {
        if (++waits <= SLOW_WAITS)
            return STATUS_TIMEOUT;
        SetEvent(release);
    }
    return pss_nt_system()->wait(handle, alertable, timeout);
}

static void test_slow_answer_is_waited_for(void **state)
{
    HPSS snapshot;

    (void)state;
    faulty_inner()->wait = release_after_some_waits;
    for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
        plan(kind);
        waits = 0;
        assert_int_equal(subject_capture(&child, FLAGS, &snapshot), STATUS_SUCCESS);
        assert_same(held, 1);
        assert_true(waits > SLOW_WAITS);
        subject_check_and_free(snapshot, "slow");
        faulty_assert_clean("slow");
    }
}

static HANDLE late; /* a thread that has not begun */

static NTSTATUS NTAPI create_late(HANDLE *thread, ACCESS_MASK access, OBJECT_ATTRIBUTES *object,
                                  HANDLE process, void *start, void *parameter, ULONG flags,
                                  SIZE_T zero_bits, SIZE_T stack, SIZE_T stack_limit, void *list)
{
    NTSTATUS status = pss_nt_system()->create_thread(
        thread, access | THREAD_SUSPEND_RESUME, object, process, start, parameter,
        flags | PSS_NT_THREAD_CREATE_SUSPENDED, zero_bits, stack, stack_limit, list);

    if (NT_SUCCESS(status))
        assert_true(DuplicateHandle(GetCurrentProcess(), *thread, GetCurrentProcess(), &late, 0,
                                    FALSE, DUPLICATE_SAME_ACCESS));
    return status;
}

static NTSTATUS NTAPI wait_for_nothing(HANDLE handle, BOOLEAN alertable, LARGE_INTEGER *timeout)
{
    LARGE_INTEGER none = {.QuadPart = 0};

    return pss_nt_system()->wait(handle, alertable, timeout ? &none : NULL);
}

/* Somebody who crashed with the loader's lock in his hands is cloned without help. */
static void test_self_capture_does_without_a_thread_that_cannot_begin(void **state)
{
    struct subject self;
    HPSS snapshot = NULL;

    (void)state;
    subject_use_self(&self, false);
    faulty_inner()->wait = wait_for_nothing;
    faulty_inner()->create_thread = create_late;
    assert_int_equal(subject_capture(&self, FLAGS, &snapshot), STATUS_SUCCESS);
    subject_check_and_free(snapshot, "late");
    assert_true(faulty_carriers_ended());
    assert_same(faulty_calls_of(FAULTY_create_thread), 1);
    assert_same(faulty_calls_of(FAULTY_terminate_thread), 0);
    assert_int_not_equal(ResumeThread(late), (DWORD)-1);
    CloseHandle(late);
    assert_true(faulty_threads_ended());
    faulty_reclaim();
    faulty_assert_clean("late");
    subject_fini(&self);
}

static int set_up(void **state)
{
    (void)state;
    faulty_init();
    subject_start_child(&child);
    release = CreateEventW(NULL, TRUE, FALSE, NULL);
    dies = false;
    faulty_inner()->terminate_thread = terminate_thread;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    subject_fini(&child);
    CloseHandle(release);
    return 0;
}

#define HANG_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANG_TEST(test_carrier_that_never_answers_is_given_up),
        HANG_TEST(test_carrier_that_dies_with_a_question_in_its_hands_is_given_up),
        HANG_TEST(test_thread_that_cannot_be_ended_keeps_its_memory),
        HANG_TEST(test_slow_answer_is_waited_for),
        HANG_TEST(test_self_capture_does_without_a_thread_that_cannot_begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
