/* SPDX-License-Identifier: MIT */
/* The table of rights in docs/security.md: each flag works with exactly those, and not with one
 * less. */
#include "ledger.h"
#include "target.h"
#include "under_test.h"

#define LIMITED PROCESS_QUERY_LIMITED_INFORMATION
#define QUERY   PROCESS_QUERY_INFORMATION
#define HANDLES                                                  \
    (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION | \
     PSS_CAPTURE_HANDLE_BASIC_INFORMATION | PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)

static const struct {
    const char *what;
    DWORD flags;
    DWORD rights;
} rows[] = {
    {"nothing", PSS_CAPTURE_NONE, LIMITED},
    {"threads", PSS_CAPTURE_THREADS, QUERY},
    {"contexts", PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT, QUERY},
    {"regions", PSS_CAPTURE_VA_SPACE, QUERY},
    {"trace", PSS_CAPTURE_HANDLE_TRACE, QUERY},
    {"handles", HANDLES, QUERY | PROCESS_DUP_HANDLE},
    {"files", PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION,
     QUERY | PROCESS_VM_READ},
    {"auxiliary page", PSS_CAPTURE_RESERVED_00000002, QUERY | PROCESS_VM_READ},
    {"clone", PSS_CAPTURE_VA_CLONE, LIMITED | PROCESS_CREATE_PROCESS},
};

/** Captures with a handle that has these rights and no others. */
static DWORD capture_with(const struct target *target, DWORD rights, DWORD flags)
{
    HANDLE process = OpenProcess(rights != 0 ? rights : SYNCHRONIZE, FALSE, target->pid);
    HPSS snapshot = NULL;
    DWORD error;

    assert_non_null(process);
    error = pss.capture(process, flags, 0, &snapshot);
    CloseHandle(process);
    if (error == ERROR_SUCCESS)
        assert_same(pss.free(GetCurrentProcess(), snapshot), ERROR_SUCCESS);
    return error;
}

static void test_each_flag_works_with_the_rights_of_the_table(void **state)
{
    struct target *target = target_start();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("%s\n", rows[i].what);
        assert_same(capture_with(target, rows[i].rights, rows[i].flags), ERROR_SUCCESS);
    }
    target_destroy(target);
}

static void test_no_flag_works_with_one_right_less(void **state)
{
    struct target *target = target_start();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (DWORD right = 1; right != 0; right <<= 1) {
            if (!(rows[i].rights & right))
                continue;
            print_message("%s without %lx\n", rows[i].what, right);
            assert_same(capture_with(target, rows[i].rights & ~right, rows[i].flags),
                        ERROR_ACCESS_DENIED);
        }
    }
    target_destroy(target);
}

/** The limited right is no substitute for the full one. */
static void test_limited_right_is_too_little_for_more_than_nothing(void **state)
{
    struct target *target = target_start();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].rights & QUERY)
            assert_same(capture_with(target, (rows[i].rights & ~QUERY) | LIMITED, rows[i].flags),
                        ERROR_ACCESS_DENIED);
    }
    target_destroy(target);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_each_flag_works_with_the_rights_of_the_table),
        PSS_TEST(test_no_flag_works_with_one_right_less),
        PSS_TEST(test_limited_right_is_too_little_for_more_than_nothing),
    };

    under_test_load(argc, argv);
    return cmocka_run_group_tests_name("rights", tests, ledger_warm_up, NULL);
}
