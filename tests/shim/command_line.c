/* SPDX-License-Identifier: MIT */
/* What is skipped of a command line, compared with what the system splits it into. */
#include "command_line.h"

#include <shellapi.h>

#include "harness.h"
#include "random.h"

#define LINES  4000
#define LENGTH 40u

/* Behind a name that all agree on, characters that mean something come often. */
static void make_line(WCHAR line[LENGTH + 1])
{
    static const WCHAR letters[] = L"  \t\"\"\"\\\\\\ab\x00e9";
    uint32_t length = 2 + random_below(LENGTH - 1);

    line[0] = L'n';
    line[1] = L' ';
    for (uint32_t i = 2; i < length; i++)
        line[i] = letters[random_below(sizeof(letters) / sizeof(letters[0]) - 1)];
    line[length] = L'\0';
}

/* The rest, after a program name of its own, is split into the rest of the arguments. */
static void check_skip(WCHAR *line, int skipped, int count, WCHAR **arguments)
{
    WCHAR rest[LENGTH + 8];
    int rest_count = 0;

    wcscpy(rest, L"name ");
    wcscat(rest, command_line_skip(line, skipped));
    WCHAR **rest_arguments = CommandLineToArgvW(rest, &rest_count);
    assert_non_null(rest_arguments);
    if (rest_count - 1 != (skipped < count ? count - skipped : 0))
        fail_msg("%d arguments of [%ls] skipped: [%ls] has %d, not %d", skipped, line, rest + 5,
                 rest_count - 1, count - skipped);
    for (int i = 1; i < rest_count; i++)
        if (wcscmp(rest_arguments[i], arguments[skipped + i - 1]) != 0)
            fail_msg("%d arguments of [%ls] skipped: [%ls] is not [%ls]", skipped, line,
                     rest_arguments[i], arguments[skipped + i - 1]);
    LocalFree(rest_arguments);
}

/* Each is read as the system reads it. */
static void check_read(WCHAR *line, int count, WCHAR **arguments)
{
    WCHAR text[LENGTH + 1];
    WCHAR *next = line;

    for (int i = 0; i < count; i++) {
        next = command_line_read(next, i == 0, text);
        if (wcscmp(text, arguments[i]) != 0)
            fail_msg("argument %d of [%ls] is read as [%ls], not [%ls]", i, line, text,
                     arguments[i]);
    }
    assert_int_equal(*next, L'\0');
}

static void check_line(WCHAR *line)
{
    int count = 0;
    WCHAR **arguments = CommandLineToArgvW(line, &count);

    assert_non_null(arguments);
    for (int skipped = 1; skipped <= count + 1; skipped++)
        check_skip(line, skipped, count, arguments);
    check_read(line, count, arguments);
    LocalFree(arguments);
}

static void test_rest_of_random_lines_has_the_rest_of_the_arguments(void **state)
{
    WCHAR line[LENGTH + 1];

    (void)state;
    for (int i = 0; i < LINES; i++) {
        make_line(line);
        check_line(line);
    }
}

static void test_rest_of_chosen_lines_has_the_rest_of_the_arguments(void **state)
{
    static const WCHAR *const lines[] = {
        L"pss run program",
        L"\"C:\\Program Files\\pss\\\" run -- \"a b\" c",
        L"pss \"run\" \"C:\\a b\\\\\" \"c d\"",
        L"pss run a\\\"b c\\\\\"d e\" f",
        L"pss \"a\"\"b\" c",
        L"pss \"a\"\"b c\" d e",
        L"pss \"\"\" a b\"\"\" c",
        L"pss \"\" \"\"\"\" \"\"\"\"\" x",
        L"pss a\"\"\"b c\" d",
        L" leading blank",
        L"pss run \"without end",
        L"pss   \t run\t\tx  ",
        L"\"",
        L"x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        WCHAR line[LENGTH + 1];

        wcscpy(line, lines[i]);
        check_line(line);
    }
}

/* As by the C runtime: quotes toggle, and a backslash is one. */
static void test_own_name_ends_at_the_first_blank_outside_quotes(void **state)
{
    static const struct {
        const WCHAR *line, *name, *rest;
    } cases[] = {
        {L"\"C:\\a b\\\"pss.exe run x", L"C:\\a b\\pss.exe", L"run x"},
        {L"\"C:\\a b\"\\pss.exe run \"x\"", L"C:\\a b\\pss.exe", L"run \"x\""},
        {L"C:\\\"a b\"\\\"c d\".exe \t run", L"C:\\a b\\c d.exe", L"run"},
        {L"\"\"pss run", L"pss", L"run"},
        {L"a\\\"b c\" run", L"a\\b c", L"run"},
        {L"\"pss run", L"pss run", L""},
        {L"pss\"", L"pss", L""},
        {L" run", L"", L"run"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        WCHAR line[LENGTH + 1], name[LENGTH + 1];

        wcscpy(line, cases[i].line);
        WCHAR *rest = command_line_read(line, 1, name);
        if (wcscmp(name, cases[i].name) != 0 || wcscmp(rest, cases[i].rest) != 0)
            fail_msg("[%ls] is read as [%ls] and [%ls]", line, name, rest);
        assert_ptr_equal(command_line_skip(line, 1), rest);
    }
}

static void test_nothing_is_skipped_of_an_empty_line(void **state)
{
    WCHAR line[] = L"";
    WCHAR name[] = L"name";

    (void)state;
    assert_ptr_equal(command_line_skip(line, 3), line);
    assert_ptr_equal(command_line_skip(name, 0), name);
    assert_ptr_equal(command_line_skip(name, 2), name + 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rest_of_chosen_lines_has_the_rest_of_the_arguments),
        cmocka_unit_test(test_rest_of_random_lines_has_the_rest_of_the_arguments),
        cmocka_unit_test(test_own_name_ends_at_the_first_blank_outside_quotes),
        cmocka_unit_test(test_nothing_is_skipped_of_an_empty_line),
    };

    random_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
