/* SPDX-License-Identifier: MIT */
/* Two faults in one operation: a call fails, and then one of those that clean up, or any later. */
#include "api/api.h"

#include "faulty_nt.h"
#include "random.h"
#include "soak.h"
#include "subject.h"

#define CLONE_FLAGS                                                            \
    (PSS_CAPTURE_VA_CLONE | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT | \
     PSS_CREATE_USE_VM_ALLOCATIONS)
#define CLEAN_UP_CALLS 8u /* about as many follow a failure, if nothing else does */
#define REPORTS        10u

static const NTSTATUS statuses[] = {
    STATUS_NO_MEMORY,    STATUS_ACCESS_DENIED,          STATUS_INVALID_HANDLE,
    STATUS_PARTIAL_COPY, STATUS_PROCESS_IS_TERMINATING, STATUS_NOT_IMPLEMENTED,
    STATUS_UNSUCCESSFUL, STATUS_INVALID_PARAMETER,      STATUS_INFO_LENGTH_MISMATCH,
};
#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

/* What is done: with a snapshot that is there before, or is to be made. */
struct operation {
    const char *name;
    uint32_t samples;
    bool needs_own, needs_shipped;
    NTSTATUS (*go)(void);
};

static struct subject child, self;
static struct target *other;
static HPSS own, shipped, made; /* made: by the operation */
static HANDLE maker;            /* the process that made is in */
static HANDLE lent;             /* by own: the client's to close, where it cannot be recognised */
static char where[240];         /* the run, for messages */
static uint32_t reported;

static void report(const char *what, NTSTATUS status)
{
    if (reported++ < REPORTS)
        print_error("%s: %s: 0x%lx\n", where, what, (unsigned long)status);
}

/* ---- the operations ---- */

static NTSTATUS ship(HANDLE from, HPSS snapshot, HANDLE to, uint32_t flags, HPSS *duplicate)
{
    struct pss_duplication what = {from, to, snapshot, flags};

    return pss_snapshot_duplicate(faulty_nt(), &what, duplicate);
}

static NTSTATUS capture_all(void)
{
    return subject_capture(&child, SUBJECT_EVERYTHING, &made);
}

static NTSTATUS capture_own(void)
{
    return subject_capture(&self, SUBJECT_EVERYTHING, &made);
}

static NTSTATUS clone_child(void)
{
    return subject_capture(&child, CLONE_FLAGS, &made);
}

static NTSTATUS clone_own(void)
{
    return subject_capture(&self, CLONE_FLAGS, &made);
}

static NTSTATUS duplicate_own(void)
{
    return ship(GetCurrentProcess(), own, GetCurrentProcess(), 0, &made);
}

static NTSTATUS duplicate_there(void)
{
    maker = other->process;
    return ship(GetCurrentProcess(), own, other->process, 0, &made);
}

static NTSTATUS duplicate_from_there(void)
{
    return ship(other->process, shipped, GetCurrentProcess(), PSS_DUPLICATE_CLOSE_SOURCE, &made);
}

static NTSTATUS free_own(void)
{
    made = NULL;
    return pss_snapshot_free(faulty_nt(), GetCurrentProcess(), own);
}

static NTSTATUS free_there(void)
{
    made = NULL;
    return pss_snapshot_free(faulty_nt(), other->process, shipped);
}

static const struct operation operations[] = {
    {"capture", 40, false, false, capture_all},
    {"self-capture", 40, false, false, capture_own},
    {"clone", 40, false, false, clone_child},
    {"clone of this process", 20, false, false, clone_own},
    {"duplicate", 20, true, false, duplicate_own},
    {"duplicate there", 15, true, false, duplicate_there},
    {"duplicate from there", 15, false, true, duplicate_from_there},
    {"free", 20, true, false, free_own},
    {"free there", 15, false, true, free_there},
};
#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/* ---- a run ---- */

static void prepare(const struct operation *operation)
{
    PSS_VA_CLONE_INFORMATION information;

    own = shipped = NULL;
    lent = NULL;
    made = (HPSS)&child;
    maker = GetCurrentProcess();
    faulty_reset();
    if (operation->needs_own || operation->needs_shipped)
        assert_int_equal(subject_capture(&child, CLONE_FLAGS, &own), STATUS_SUCCESS);
    if (operation->needs_shipped) {
        assert_int_equal(
            ship(GetCurrentProcess(), own, other->process, PSS_DUPLICATE_CLOSE_SOURCE, &shipped),
            STATUS_SUCCESS);
        own = NULL;
    }
    if (!own)
        return;
    assert_int_equal(pss_snapshot_query(faulty_nt(), own, PSS_QUERY_VA_CLONE_INFORMATION,
                                        &information, sizeof(information)),
                     STATUS_SUCCESS);
    lent = information.VaCloneHandle;
}

static void free_if_there(HANDLE process, HPSS snapshot)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (snapshot)
        status = pss_snapshot_free(faulty_nt(), process, snapshot);
    if (status != STATUS_SUCCESS && status != STATUS_INVALID_HANDLE)
        report("the free", status);
}

/* What could not be released there goes with the process; nobody else could do it. */
static void replace_other(void)
{
    target_destroy(other);
    other = target_start();
}

static void clean_up(bool has_failed)
{
    if (made)
        free_if_there(maker, made);
    free_if_there(GetCurrentProcess(), own);
    free_if_there(other->process, shipped);
    if (lent && faulty_holds(lent)) {
        faulty_disown(lent);
        CloseHandle(lent);
    }
    if (has_failed && (shipped || maker != GetCurrentProcess()))
        replace_other();
    pss_clone_look(faulty_nt()); /* kept for a lent handle, here or there */
}

/* What was injected, or what another status is told as by docs/failures.md. */
static bool is_known(NTSTATUS status, NTSTATUS first, NTSTATUS second)
{
    return status == first || status == second || status == STATUS_SUCCESS ||
           status == STATUS_INVALID_HANDLE || status == STATUS_PARTIAL_COPY ||
           status == STATUS_IO_TIMEOUT || status == STATUS_CANCELLED ||
           status == STATUS_PROCESS_IS_TERMINATING || status == STATUS_CONFLICTING_ADDRESSES;
}

/* Answers the calls that came. */
static uint32_t run(const struct operation *operation, uint32_t number, uint32_t later,
                    NTSTATUS first, NTSTATUS second)
{
    prepare(operation);
    faulty_reset();
    faulty_fail(number, false, first);
    if (later)
        faulty_fail_again(later, second);
    faulty_spare_waits(); /* a thread of ours that lives can be waited for */
    NTSTATUS status = operation->go();
    uint32_t calls = faulty_fallible_calls();
    const struct faulty_call *call = faulty_failed();
    snprintf(where, sizeof(where), "%s: call %u (%s) fails with 0x%lx, and %u later%s with 0x%lx",
             operation->name, number, call ? faulty_name(call->service) : "none",
             (unsigned long)first, later, faulty_failed_again() ? "" : " would have",
             (unsigned long)second);
    faulty_fail(0, false, STATUS_SUCCESS);
    faulty_fail_again(0, STATUS_SUCCESS);
    if (!NT_SUCCESS(status) && !call)
        report("nothing has failed", status);
    if (!is_known(status, first, second))
        report("that is not what failed", status);
    if (made == (HPSS)&child)
        report("the output was not set", status);
    if (!NT_SUCCESS(status) && made)
        report("a snapshot without success", status);
    clean_up(call != NULL);
    faulty_assert_clean(where);
    subject_assert_suspended(&child, 0, where);
    subject_assert_suspended(&self, 0, where);
    return calls;
}

static void run_operation(const struct operation *operation)
{
    uint32_t calls = run(operation, 0, 0, STATUS_SUCCESS, STATUS_SUCCESS), again = 0;
    uint32_t samples = operation->samples * soak_or(1, 50);

    for (uint32_t i = 0; i < samples; i++) {
        uint32_t number = 1 + random_below(calls);
        uint32_t range = i % 2 ? CLEAN_UP_CALLS : calls;

        run(operation, number, 1 + random_below(range), statuses[random_below(STATUSES)],
            statuses[random_below(STATUSES)]);
        again += faulty_failed_again();
    }
    print_message("%s: %u calls, %u runs, %u with two faults\n", operation->name, calls, samples,
                  again);
}

static void test_two_faults_leave_nothing(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < OPERATIONS; i++)
        run_operation(&operations[i]);
    assert_same(reported, 0);
    assert_same(target_call(child.target, TARGET_PING, 0, 0, 0, 0), child.target->pid);
    assert_same(target_call(other, TARGET_PING, 0, 0, 0, 0), other->pid);
}

static int set_up(void **state)
{
    (void)state;
    faulty_init();
    subject_start_child(&child);
    subject_use_self(&self, false);
    other = target_start();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    target_destroy(other);
    subject_fini(&child);
    subject_fini(&self);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_faults_leave_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
