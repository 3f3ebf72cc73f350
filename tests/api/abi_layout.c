/* SPDX-License-Identifier: MIT */
/* The layout of the public structures as a C compiler sees it; the assertions hold or it fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "abi_layout.h"

#include "ProcessSnapshot.h"
#include "processsnapshot.h"

/* From abi_layout.cpp. */
unsigned long abi_layout_combine_flags_in_cpp(void);

static void test_layout_at_run_time_is_the_asserted_one(void **state)
{
    PSS_THREAD_ENTRY thread;
    (void)state;
    assert_int_equal(sizeof thread, BY_ARCH(120, 92));
    assert_int_equal((char *)&thread.CreateTime - (char *)&thread, BY_ARCH(52, 36));
    assert_int_equal(sizeof(PSS_HANDLE_ENTRY), BY_ARCH(136, 104));
    assert_int_equal(sizeof(PSS_PROCESS_INFORMATION), BY_ARCH(704, 636));
}

static void test_flags_combined_in_cpp_keep_their_values(void **state)
{
    (void)state;
    assert_int_equal(abi_layout_combine_flags_in_cpp(), 0x180 + 3 + 1 + 3 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout_at_run_time_is_the_asserted_one),
        cmocka_unit_test(test_flags_combined_in_cpp_keep_their_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
