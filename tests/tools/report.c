/* SPDX-License-Identifier: MIT */
/* Messages of pss.exe where no memory is left: they are told, and the program ends as it should. */
#include "report.h"

#include <io.h>

#include "harness.h"
#include "rerun.h"
#include "text.h"

static bool has_memory = true;

/* The linker leads all calls of malloc here: --wrap. */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    return has_memory ? __real_malloc(size) : NULL;
}

static enum pss_exit report_open(DWORD error)
{
    return report_failure("OpenProcess", error);
}

static enum pss_exit report_program(DWORD error)
{
    return report_failure_of("CreateProcess", "a.exe", error);
}

static enum pss_exit report_write(DWORD error)
{
    return report_problem(error, "cannot write to '%s'", "a\x1b[31mb");
}

static enum pss_exit report_long(DWORD error)
{
    char name[9000];

    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    return report_problem(error, "%s", name);
}

/* What a report prints without memory. */
static void read_report(enum pss_exit (*make)(DWORD), DWORD error, char *text, size_t size)
{
    FILE *file = tmpfile();
    int saved = _dup(2);

    assert_non_null(file);
    assert_int_equal(_dup2(_fileno(file), 2), 0);
    has_memory = false;
    enum pss_exit status = make(error);
    has_memory = true;
    fflush(stderr);
    _dup2(saved, 2);
    _close(saved);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
    assert_int_equal(status, EXIT_RUNTIME);
}

static void test_failure_is_told_without_memory(void **state)
{
    static const char beginning[] = "pss: OpenProcess failed: error 5 (ERROR_ACCESS_DENIED): ";
    char text[2000];

    (void)state;
    read_report(report_open, ERROR_ACCESS_DENIED, text, sizeof(text));
    assert_memory_equal(text, beginning, sizeof(beginning) - 1);
    assert_true(strlen(text) > sizeof(beginning));
}

static void test_code_without_text_is_told_without_memory(void **state)
{
    char text[2000];

    (void)state;
    read_report(report_open, 0x2FFFFFFF, text, sizeof(text));
    assert_string_equal(text,
                        "pss: OpenProcess failed: error 805306367: The system has no text for this "
                        "code.\n");
}

/* Of every code of the system: nothing is left to be filled in. */
static void test_text_of_the_system_has_what_it_is_about(void **state)
{
    char text[2000];

    (void)state;
    read_report(report_program, ERROR_BAD_EXE_FORMAT, text, sizeof(text));
    assert_non_null(
        strstr(text, "CreateProcess(a.exe) failed: error 193 (ERROR_BAD_EXE_FORMAT): "));
    assert_null(strstr(text, "%1"));
    for (DWORD error = 0; error < 2000; error++) {
        read_report(report_write, error, text, sizeof(text));
        if (strstr(text, "%1") || strstr(text, "unnamed"))
            fail_msg("%s", text);
    }
}

static void test_problem_is_told_in_words_without_control_characters(void **state)
{
    static const char beginning[] = "pss: cannot write to 'a?[31mb': ", end[] = " (error 112)\n";
    char text[2000];

    (void)state;
    read_report(report_write, ERROR_DISK_FULL, text, sizeof(text));
    assert_memory_equal(text, beginning, sizeof(beginning) - 1);
    assert_string_equal(text + strlen(text) - strlen(end), end);
}

static void test_long_text_is_cut(void **state)
{
    static char text[20000];

    (void)state;
    read_report(report_long, ERROR_DISK_FULL, text, sizeof(text));
    assert_in_range(strlen(text), 1000, 5000);
    assert_int_equal(text[strlen(text) - 1], '\n');
}

static void test_program_ends_when_memory_does(void **state)
{
    (void)state;
    assert_int_equal(rerun("--do", "allocate"), EXIT_RUNTIME);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failure_is_told_without_memory),
        cmocka_unit_test(test_code_without_text_is_told_without_memory),
        cmocka_unit_test(test_text_of_the_system_has_what_it_is_about),
        cmocka_unit_test(test_problem_is_told_in_words_without_control_characters),
        cmocka_unit_test(test_long_text_is_cut),
        cmocka_unit_test(test_program_ends_when_memory_does),
    };

    if (argc > 2 && !strcmp(argv[1], "--do")) {
        has_memory = false;
        text_allocate(1);
        return EXIT_DONE;
    }
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
