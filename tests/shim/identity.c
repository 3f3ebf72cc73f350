/* SPDX-License-Identifier: MIT */
/* Whose processes are the caller's own; users and levels are those that the test says. */
#include "identity.h"

#include "attach.h"
#include "harness.h"
#include "token_answers.h"

#define MEDIUM 0x2000u
#define HIGH   0x3000u

static int is_own(void)
{
    return identity_is_own((HANDLE)TOKEN_ANSWERS_OTHER);
}

static int set_up(void **state)
{
    (void)state;
    token_answers = (struct token_answers){.users = {1001, 1001}, .levels = {MEDIUM, MEDIUM}};
    return 0;
}

static void test_process_like_the_caller_is_own(void **state)
{
    (void)state;
    assert_true(is_own());
}

static void test_process_with_less_rights_is_own(void **state)
{
    (void)state;
    token_answers.levels[1] = 0x1000;
    assert_true(is_own());
    token_answers.levels[1] = 0;
    assert_true(is_own());
}

static void test_process_with_more_rights_is_refused(void **state)
{
    (void)state;
    token_answers.levels[1] = HIGH;
    assert_false(is_own());
    token_answers.levels[1] = MEDIUM + 1;
    assert_false(is_own());
    token_answers.levels[0] = 0;
    token_answers.levels[1] = 0x80000000;
    assert_false(is_own());
}

static void test_other_users_process_is_refused(void **state)
{
    (void)state;
    token_answers.users[1] = 1002;
    assert_false(is_own());
    token_answers.levels[1] = 0; /* not even one with less rights */
    assert_false(is_own());
}

static void test_what_cannot_be_told_is_refused(void **state)
{
    (void)state;
    for (int number = 1; number <= 6; number++) {
        set_up(NULL);
        token_answers.fail_at = number;
        assert_false(is_own());
        assert_int_equal(token_answers.open_tokens, 0);
    }
    set_up(NULL);
    token_answers.fail_at = 7; /* there is no such call */
    assert_true(is_own());
}

static void test_tokens_are_closed(void **state)
{
    (void)state;
    assert_true(is_own());
    assert_int_equal(token_answers.open_tokens, 0);
    assert_int_equal(token_answers.calls, 6);
}

/* What comes next is that there is no such process. */
static void test_only_own_processes_are_attached_to(void **state)
{
    HANDLE other = (HANDLE)TOKEN_ANSWERS_OTHER;

    (void)state;
    assert_int_equal(attach_to(pss_nt_system(), NULL, other), ERROR_INVALID_HANDLE);
    token_answers.levels[1] = HIGH;
    assert_int_equal(attach_to(pss_nt_system(), NULL, other), ERROR_ACCESS_DENIED);
    token_answers.levels[1] = MEDIUM;
    token_answers.users[1] = 1002;
    assert_int_equal(attach_to(pss_nt_system(), NULL, other), ERROR_ACCESS_DENIED);
}

#define IDENTITY_TEST(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IDENTITY_TEST(test_process_like_the_caller_is_own),
        IDENTITY_TEST(test_process_with_less_rights_is_own),
        IDENTITY_TEST(test_process_with_more_rights_is_refused),
        IDENTITY_TEST(test_other_users_process_is_refused),
        IDENTITY_TEST(test_what_cannot_be_told_is_refused),
        IDENTITY_TEST(test_tokens_are_closed),
        IDENTITY_TEST(test_only_own_processes_are_attached_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
