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

/* What the report of a failure prints without memory. */
static void read_report(DWORD error, char *text, size_t size)
{
    FILE *file = tmpfile();
    int saved = _dup(2);

    assert_non_null(file);
    assert_int_equal(_dup2(_fileno(file), 2), 0);
    has_memory = false;
    enum pss_exit status = report_failure("OpenProcess", error);
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
    read_report(ERROR_ACCESS_DENIED, text, sizeof(text));
    assert_memory_equal(text, beginning, sizeof(beginning) - 1);
    assert_true(strlen(text) > sizeof(beginning));
}

static void test_code_without_text_is_told_without_memory(void **state)
{
    char text[2000];

    (void)state;
    read_report(0x2FFFFFFF, text, sizeof(text));
    assert_non_null(strstr(text, "(unnamed): The system has no text for this code."));
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
        cmocka_unit_test(test_program_ends_when_memory_does),
    };

    if (argc > 2 && !strcmp(argv[1], "--do")) {
        has_memory = false;
        text_allocate(1);
        return EXIT_DONE;
    }
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
