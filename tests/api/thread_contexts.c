/* SPDX-License-Identifier: MIT */
/* Contexts in thread entries: known registers, each ThreadContextFlags, the extended state. */
#include "ledger.h"
#include "records.h"
#include "target.h"
#include "target_park.h"
#include "under_test.h"
#include "waiters.h"

#define CONTEXTS    (PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT)
#define EXTENDED    (CONTEXTS | PSS_CAPTURE_THREAD_CONTEXT_EXTENDED)
#define AVX_FEATURE 2
#define VECTOR_HALF 16

#ifdef _WIN64
#define ARCHITECTURE   CONTEXT_AMD64
#define VECTORS        16
#define COUNTER(c)     ((c)->Rip)
#define STACK(c)       ((c)->Rsp)
#define ACCUMULATOR(c) ((c)->Rax)
#else
#define ARCHITECTURE   CONTEXT_i386
#define VECTORS        8
#define COUNTER(c)     ((c)->Eip)
#define STACK(c)       ((c)->Esp)
#define ACCUMULATOR(c) ((c)->Eax)
#endif

/* CONTEXT_XSTATE, which the headers give differently or not at all. */
#define XSTATE_BIT 0x40u

typedef PVOID(WINAPI *locate_feature)(PCONTEXT context, DWORD feature, PDWORD length);
typedef DWORD64(WINAPI *enabled_features)(void);
typedef BOOL(WINAPI *initialize_context)(PVOID buffer, DWORD flags, PCONTEXT *context,
                                         PDWORD length);

static FARPROC from_kernel32(const char *name)
{
    return GetProcAddress(GetModuleHandleA("kernel32.dll"), name);
}

static bool has_avx(void)
{
    enabled_features enabled =
        (enabled_features)(void (*)(void))from_kernel32("GetEnabledXStateFeatures");

    return enabled && (enabled() & (1u << AVX_FEATURE)) && from_kernel32("LocateXStateFeature");
}

struct parked {
    struct target *target;
    DWORD id;
    uint64_t structure;
    uint64_t first;
    uint64_t last;
};

static struct parked start_parked(bool use_avx)
{
    struct parked parked = {.target = target_start()};

    parked.structure = target_call(parked.target, TARGET_PARK, use_avx, 0, 0, 0);
    parked.id = (DWORD)target_value(parked.target, 0);
    parked.first = target_value(parked.target, 1);
    parked.last = target_value(parked.target, 2);
    return parked;
}

static void assert_integers(const CONTEXT *context)
{
#ifdef _WIN64
    const uint64_t values[] = {context->Rcx, context->Rdx, context->Rbx, context->Rbp, context->Rsi,
                               context->Rdi, context->R8,  context->R9,  context->R10, context->R11,
                               context->R12, context->R13, context->R14, context->R15};
#else
    const uint32_t values[] = {context->Ecx, context->Edx, context->Ebx,
                               context->Ebp, context->Esi, context->Edi};
#endif
    for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        assert_same(values[i], (uintptr_t)park_integer(i));
}

/* The XMM registers, in the FXSAVE image of either architecture. */
static const unsigned char *vectors_of(const CONTEXT *context)
{
#ifdef _WIN64
    return (const unsigned char *)context->FltSave.XmmRegisters;
#else
    return context->ExtendedRegisters + 160;
#endif
}

static void assert_vectors(const unsigned char *bytes, unsigned first_position)
{
    for (unsigned i = 0; i < VECTORS; i++)
        for (unsigned j = 0; j < VECTOR_HALF; j++)
            assert_same(bytes[i * VECTOR_HALF + j], park_vector_byte(i, first_position + j));
}

static void assert_record(const PSS_THREAD_ENTRY *entry, const PSS_THREAD_INFORMATION *information)
{
    assert_non_null(entry->ContextRecord);
    assert_same(entry->SizeOfContextRecord, information->ContextLength);
    if (sizeof(void *) == 8)
        assert_same(address_of(entry->ContextRecord) % 16, 0);
}

static PSS_THREAD_INFORMATION thread_information(HPSS snapshot)
{
    PSS_THREAD_INFORMATION information;

    query_fully(snapshot, PSS_QUERY_THREAD_INFORMATION, &information, sizeof(information));
    return information;
}

static void test_context_of_parked_thread_has_its_registers(void **state)
{
    struct parked parked = start_parked(false);
    HPSS snapshot = target_capture(parked.target, CONTEXTS, CONTEXT_ALL);
    PSS_THREAD_INFORMATION information = thread_information(snapshot);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    const PSS_THREAD_ENTRY *entry = find_thread(&records, parked.id);

    (void)state;
    assert_record(entry, &information);
    const CONTEXT *context = entry->ContextRecord;
    assert_same(context->ContextFlags & CONTEXT_ALL, CONTEXT_ALL);
    assert_in_range(COUNTER(context), parked.first, parked.last);
    assert_same(ACCUMULATOR(context), parked.structure);
    assert_integers(context);
    assert_vectors(vectors_of(context), 0);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(parked.target);
}

static void test_context_extended_has_the_upper_vector_halves(void **state)
{
    if (!has_avx()) {
        skip_because("this system has no AVX");
    }
    locate_feature locate = (locate_feature)(void (*)(void))from_kernel32("LocateXStateFeature");
    struct parked parked = start_parked(true);
    HPSS snapshot = target_capture(parked.target, EXTENDED, CONTEXT_ALL);
    PSS_THREAD_INFORMATION information = thread_information(snapshot);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    const PSS_THREAD_ENTRY *entry = find_thread(&records, parked.id);
    DWORD length = 0;

    (void)state;
    assert_record(entry, &information);
    assert_true(information.ContextLength > sizeof(CONTEXT));
    assert_same(entry->ContextRecord->ContextFlags & (ARCHITECTURE | XSTATE_BIT),
                ARCHITECTURE | XSTATE_BIT);
    assert_integers(entry->ContextRecord);
    assert_vectors(vectors_of(entry->ContextRecord), 0);
    const unsigned char *upper =
        (const unsigned char *)locate(entry->ContextRecord, AVX_FEATURE, &length);
    assert_non_null(upper);
    assert_true(length >= VECTORS * VECTOR_HALF);
    assert_in_range(address_of(upper), address_of(entry->ContextRecord),
                    address_of(entry->ContextRecord) + information.ContextLength -
                        VECTORS * VECTOR_HALF);
    assert_vectors(upper, VECTOR_HALF);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(parked.target);
}

static void test_context_extended_is_as_long_as_initialize_context_says(void **state)
{
    initialize_context initialize =
        (initialize_context)(void (*)(void))from_kernel32("InitializeContext");
    struct target *target = target_start();
    DWORD needed = 0;

    (void)state;
    if (!initialize || initialize(NULL, CONTEXT_ALL | XSTATE_BIT, NULL, &needed) || !needed) {
        target_destroy(target);
        skip_because("this system has no InitializeContext for extended contexts");
    }
    HPSS snapshot = target_capture(target, EXTENDED, CONTEXT_ALL);
    assert_true(thread_information(snapshot).ContextLength >= sizeof(CONTEXT));
    assert_true(thread_information(snapshot).ContextLength <= needed);
    free_snapshot(snapshot);
    target_destroy(target);
}

/* Compares the parts of two contexts that these flags ask for. */
static void assert_same_parts(const CONTEXT *left, const CONTEXT *right, DWORD flags)
{
    if ((flags & CONTEXT_CONTROL) == CONTEXT_CONTROL) {
        assert_same(COUNTER(left), COUNTER(right));
        assert_same(STACK(left), STACK(right));
        assert_same(left->EFlags, right->EFlags);
        assert_same(left->SegCs, right->SegCs);
    }
    if ((flags & CONTEXT_INTEGER) == CONTEXT_INTEGER) {
        assert_same(ACCUMULATOR(left), ACCUMULATOR(right));
#ifdef _WIN64
        assert_memory_equal(&left->R8, &right->R8, 8 * sizeof(left->R8));
#else
        assert_memory_equal(&left->Edi, &right->Edi, 6 * sizeof(left->Edi));
#endif
    }
    if ((flags & CONTEXT_SEGMENTS) == CONTEXT_SEGMENTS)
        assert_same(left->SegDs, right->SegDs);
    if ((flags & CONTEXT_DEBUG_REGISTERS) == CONTEXT_DEBUG_REGISTERS) {
        assert_same(left->Dr0, right->Dr0);
        assert_same(left->Dr7, right->Dr7);
    }
}

static void assert_contexts_like_get_thread_context(struct target *target, DWORD flags)
{
    target_freeze(target);
    HPSS snapshot = target_capture(target, CONTEXTS, flags);
    PSS_THREAD_INFORMATION information = thread_information(snapshot);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);

    assert_true(information.ContextLength >= sizeof(CONTEXT));
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_THREAD_ENTRY *entry = record_at(records, PSS_THREAD_ENTRY, i);
        HANDLE thread = OpenThread(THREAD_ALL_ACCESS, FALSE, entry->ThreadId);
        CONTEXT expected __attribute__((aligned(16))) = {.ContextFlags = flags};
        assert_non_null(thread);
        assert_true(GetThreadContext(thread, &expected));
        assert_record(entry, &information);
        assert_same(entry->ContextRecord->ContextFlags & flags, flags);
        assert_same(entry->SuspendCount, 1);
        assert_same_parts(entry->ContextRecord, &expected, flags);
        CloseHandle(thread);
    }
    records_free(&records);
    free_snapshot(snapshot);
    target_thaw(target);
}

static void test_contexts_of_frozen_target_equal_get_thread_context(void **state)
{
    static const DWORD flags[] = {CONTEXT_CONTROL,  CONTEXT_INTEGER,
                                  CONTEXT_SEGMENTS, CONTEXT_DEBUG_REGISTERS,
                                  CONTEXT_FULL,     CONTEXT_CONTROL | CONTEXT_INTEGER,
                                  CONTEXT_ALL};
    struct target *target = target_start();

    (void)state;
    target_call(target, TARGET_THREADS, 4, 0, 0, 0);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        assert_contexts_like_get_thread_context(target, flags[i]);
    target_destroy(target);
}

static void test_contexts_of_wow64_target_are_the_native_ones(void **state)
{
    struct target *target = sizeof(void *) == 8 ? target_start_foreign() : NULL;

    (void)state;
    if (!target)
        skip_because(NO_OTHER_BITNESS);
    assert_contexts_like_get_thread_context(target, CONTEXT_FULL);
    target_destroy(target);
}

static void test_context_of_thread_that_never_ran_equals_get_thread_context(void **state)
{
    struct target *target = target_start_never_ran();
    CONTEXT expected __attribute__((aligned(16))) = {.ContextFlags = CONTEXT_FULL};

    (void)state;
    HPSS snapshot = target_capture(target, CONTEXTS, CONTEXT_FULL);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    assert_true(GetThreadContext(target->thread, &expected));
    const PSS_THREAD_ENTRY *entry = find_thread(&records, target->main_thread);
    assert_non_null(entry->ContextRecord);
    assert_same_parts(entry->ContextRecord, &expected, CONTEXT_FULL);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_context_shows_debug_registers_that_were_set(void **state)
{
    struct parked parked = start_parked(false);
    CONTEXT wanted __attribute__((aligned(16))) = {.ContextFlags = CONTEXT_DEBUG_REGISTERS};
    HANDLE thread = OpenThread(THREAD_ALL_ACCESS, FALSE, parked.id);

    (void)state;
    wanted.Dr1 = (DWORD_PTR)0x12345678;
    assert_same(SuspendThread(thread), 0);
    bool is_set = SetThreadContext(thread, &wanted);
    assert_same(ResumeThread(thread), 1);
    CloseHandle(thread);
    if (!is_set) {
        target_destroy(parked.target);
        skip_because("this system did not set the debug registers");
    }
    HPSS snapshot = target_capture(parked.target, CONTEXTS, CONTEXT_ALL);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    assert_same(find_thread(&records, parked.id)->ContextRecord->Dr1, 0x12345678);
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(parked.target);
}

static void test_context_flags_zero_gives_a_record_with_the_architecture_alone(void **state)
{
    struct target *target = target_start();

    (void)state;
    only_ours();
    HPSS snapshot = target_capture(target, CONTEXTS, 0);
    PSS_THREAD_INFORMATION information = thread_information(snapshot);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_THREAD_ENTRY *entry = record_at(records, PSS_THREAD_ENTRY, i);
        assert_record(entry, &information);
        assert_same(entry->ContextRecord->ContextFlags, ARCHITECTURE);
    }
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_context_not_captured_is_null_and_length_zero(void **state)
{
    static const DWORD flags[] = {PSS_CAPTURE_THREADS,
                                  PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT_EXTENDED};
    struct target *target = target_start();

    (void)state;
    for (int f = 0; f < 2; f++) {
        HPSS snapshot = target_capture(target, flags[f], CONTEXT_ALL);
        assert_same(thread_information(snapshot).ContextLength, 0);
        struct records records = records_read(snapshot, PSS_WALK_THREADS);
        for (DWORD i = 0; i < records.count; i++) {
            assert_null(record_at(records, PSS_THREAD_ENTRY, i)->ContextRecord);
            assert_same(record_at(records, PSS_THREAD_ENTRY, i)->SizeOfContextRecord, 0);
        }
        records_free(&records);
        free_snapshot(snapshot);
    }
    target_destroy(target);
}

static void test_context_of_ended_thread_is_absent_and_its_entry_stays(void **state)
{
    struct target *target = target_start();

    (void)state;
    target_call(target, TARGET_THREAD, TARGET_THREAD_ENDS, 0, 0, 0);
    HPSS snapshot = target_capture(target, CONTEXTS, CONTEXT_ALL);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    for (DWORD i = 0; i < records.count; i++) {
        const PSS_THREAD_ENTRY *entry = record_at(records, PSS_THREAD_ENTRY, i);
        if (entry->Flags == PSS_THREAD_FLAGS_TERMINATED) {
            assert_null(entry->ContextRecord);
            assert_same(entry->SizeOfContextRecord, 0);
        } else {
            assert_non_null(entry->ContextRecord);
        }
    }
    records_free(&records);
    free_snapshot(snapshot);
    target_destroy(target);
}

static bool is_in_module(uint64_t address)
{
    const char *base = (const char *)under_test_module();
    const IMAGE_DOS_HEADER *dos = (const IMAGE_DOS_HEADER *)base;
    const IMAGE_NT_HEADERS *headers = (const IMAGE_NT_HEADERS *)(base + dos->e_lfanew);

    return address - address_of(base) < headers->OptionalHeader.SizeOfImage;
}

static void test_context_of_capturing_thread_is_inside_the_capture(void **state)
{
    volatile int on_stack = 0;
    HPSS snapshot = NULL;

    (void)state;
    assert_same(pss.capture(GetCurrentProcess(), CONTEXTS, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    const PSS_THREAD_ENTRY *entry = find_thread(&records, GetCurrentThreadId());
    assert_same(entry->SuspendCount, 0);
    assert_non_null(entry->ContextRecord);
    if (under_test_is_ours())
        assert_true(is_in_module(COUNTER(entry->ContextRecord)));
    /* The capture's frames lie below this one, and not far. */
    assert_in_range(STACK(entry->ContextRecord), address_of(&on_stack) - 0x10000,
                    address_of(&on_stack));
    records_free(&records);
    free_snapshot(snapshot);
    assert_same(on_stack, 0);
}

static void test_contexts_of_self_include_the_other_threads(void **state)
{
    struct waiters waiters;
    HPSS snapshot = NULL;

    (void)state;
    waiters_start(&waiters);
    assert_same(pss.capture(GetCurrentProcess(), EXTENDED, CONTEXT_ALL, &snapshot), ERROR_SUCCESS);
    struct records records = records_read(snapshot, PSS_WALK_THREADS);
    for (int i = 0; i < WAITERS; i++) {
        const PSS_THREAD_ENTRY *entry = find_thread(&records, waiters.ids[i]);
        assert_non_null(entry->ContextRecord);
        assert_true(COUNTER(entry->ContextRecord) != 0);
        assert_same(entry->SuspendCount, 0);
        assert_same(SuspendThread(waiters.threads[i]), 0);
        assert_same(ResumeThread(waiters.threads[i]), 1);
    }
    records_free(&records);
    free_snapshot(snapshot);
    waiters_stop(&waiters);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_context_of_parked_thread_has_its_registers),
        PSS_TEST(test_context_extended_has_the_upper_vector_halves),
        PSS_TEST(test_context_extended_is_as_long_as_initialize_context_says),
        PSS_TEST(test_contexts_of_frozen_target_equal_get_thread_context),
        PSS_TEST(test_contexts_of_wow64_target_are_the_native_ones),
        PSS_TEST(test_context_of_thread_that_never_ran_equals_get_thread_context),
        PSS_TEST(test_context_shows_debug_registers_that_were_set),
        PSS_TEST(test_context_flags_zero_gives_a_record_with_the_architecture_alone),
        PSS_TEST(test_context_not_captured_is_null_and_length_zero),
        PSS_TEST(test_context_of_ended_thread_is_absent_and_its_entry_stays),
        PSS_TEST(test_context_of_capturing_thread_is_inside_the_capture),
        PSS_TEST(test_contexts_of_self_include_the_other_threads),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("thread_contexts", tests, ledger_warm_up, NULL);
}
