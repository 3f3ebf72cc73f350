/* SPDX-License-Identifier: MIT */
/* The table of the conformance kit: what is read from programs, what is known, and the reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "known.h"
#include "output.h"
#include "reports.h"

static const struct program_end ended = {"x64", "walk", LIBRARY_PSS, 0, 120, 0};

static void read_as(struct table *table, struct program_end end, const char *text)
{
    assert_true(output_read(table, &end, text, strlen(text)));
}

static void read_library(struct table *table, enum library library, const char *text)
{
    struct program_end end = ended;

    end.library = library;
    read_as(table, end, text);
}

static const struct result *result_of(struct table *table, const char *test)
{
    size_t count = table->count;
    struct row *row = table_row(table, "x64", "walk", test);

    assert_non_null(row);
    assert_int_equal(table->count, count);
    return &row->results[LIBRARY_PSS];
}

static void assert_known(struct table *table, const char *text)
{
    unsigned line = 0;

    assert_true(known_read(table, text, strlen(text), &line));
}

static void assert_holds(const struct buffer *buffer, const char *text)
{
    if (!buffer->text || !strstr(buffer->text, text))
        fail_msg("\"%s\" is not in\n%s", text, buffer->text ? buffer->text : "nothing");
}

static const char whole[] = "[==========] Running 4 test(s).\r\n"
                            "[ RUN      ] test_a\r\n[       OK ] test_a\r\n"
                            "[ RUN      ] test_b\r\nsome text\r\n"
                            "[  ERROR   ] --- 1 != 2\r\nwalk.c:5: error: Failure!\r\n\r\n"
                            "[  FAILED  ] test_b\r\n"
                            "[ RUN      ] test_c\r\nskipped: no such system\r\n"
                            "[  SKIPPED ] test_c\r\n"
                            "[ RUN      ] test_d\r\nanswer: it is 5\r\nanswer: and 6\r\n"
                            "[       OK ] test_d\r\n"
                            "[==========] 4 test(s) run.\r\n[  PASSED  ] 2 test(s).\r\n"
                            "[  FAILED  ] 1 test(s), listed below:\r\n[  FAILED  ] test_b\r\n";

static void test_output_of_a_whole_run_gives_a_row_per_test(void **state)
{
    struct table table = {0};
    struct program_end end = ended;

    (void)state;
    end.exit_code = 1;
    read_as(&table, end, whole);
    assert_int_equal(table.count, 4);
    assert_int_equal(result_of(&table, "test_a")->outcome, OUTCOME_PASSED);
    assert_int_equal(result_of(&table, "test_b")->outcome, OUTCOME_FAILED);
    assert_string_equal(result_of(&table, "test_b")->details.text,
                        "some text\n[  ERROR   ] --- 1 != 2\nwalk.c:5: error: Failure!");
    assert_int_equal(result_of(&table, "test_c")->outcome, OUTCOME_SKIPPED);
    assert_string_equal(result_of(&table, "test_c")->details.text, "no such system");
    assert_int_equal(result_of(&table, "test_d")->outcome, OUTCOME_PASSED);
    assert_string_equal(result_of(&table, "test_d")->answers.text, "it is 5\nand 6");
    table_free(&table);
}

static void test_output_of_a_crash_blames_the_test_that_ran(void **state)
{
    struct table table = {0};
    struct program_end end = ended;

    (void)state;
    end.exit_code = 0xC0000005;
    read_as(&table, end, "[ RUN      ] test_a\n[       OK ] test_a\n[ RUN      ] test_b\nabout to");
    assert_int_equal(table.count, 2);
    assert_int_equal(result_of(&table, "test_a")->outcome, OUTCOME_PASSED);
    assert_int_equal(result_of(&table, "test_b")->outcome, OUTCOME_CRASHED);
    assert_string_equal(result_of(&table, "test_b")->details.text,
                        "about to\nits program ended with code 0xc0000005");
    table_free(&table);
}

static void test_output_after_the_limit_blames_the_test_that_ran(void **state)
{
    struct table table = {0};
    struct program_end end = ended;

    (void)state;
    end.timed_out = 1;
    read_as(&table, end, "[ RUN      ] test_b\n");
    assert_int_equal(result_of(&table, "test_b")->outcome, OUTCOME_TIMED_OUT);
    assert_string_equal(result_of(&table, "test_b")->details.text,
                        "it was ended after 120 seconds");
    table_free(&table);
}

static void test_output_of_a_program_that_does_nothing_is_a_row_of_its_own(void **state)
{
    static const char *const texts[] = {"", "cannot load it: error 126\n",
                                        "[==========] Running 4 test(s).\n"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct table table = {0};
        struct program_end end = ended;
        end.exit_code = 2;
        read_as(&table, end, texts[i]);
        assert_int_equal(table.count, 1);
        assert_int_equal(result_of(&table, "(the program)")->outcome, OUTCOME_CRASHED);
        assert_holds(&result_of(&table, "(the program)")->details, "0x2");
        table_free(&table);
    }
}

static void test_output_of_a_failed_teardown_is_a_failure(void **state)
{
    struct table table = {0};
    struct program_end end = ended;

    (void)state;
    end.exit_code = 1;
    read_as(&table, end,
            "[ RUN      ] test_a\n[  ERROR   ] --- left\n[  ERROR   ] test_a\n"
            "[==========] 1 test(s) run.\n");
    assert_int_equal(table.count, 1);
    assert_int_equal(result_of(&table, "test_a")->outcome, OUTCOME_FAILED);
    table_free(&table);
}

static void test_output_cut_anywhere_is_read(void **state)
{
    (void)state;
    for (size_t length = 0; length < sizeof(whole); length++) {
        struct table table = {0};
        char *copy = (char *)malloc(length + 1); /* its end is seen by a sanitizer */
        assert_non_null(copy);
        memcpy(copy, whole, length);
        assert_true(output_read(&table, &ended, copy, length));
        assert_true(table.count >= 1 && table.count <= 5);
        free(copy);
        table_free(&table);
    }
}

static void test_output_without_bounds_is_cut(void **state)
{
    const size_t size = 100000;
    char *text = (char *)malloc(size + 1);
    struct table table = {0};

    (void)state;
    assert_non_null(text);
    memset(text, 'x', size);
    memcpy(text, "[ RUN      ] ", 13);
    for (size_t i = 400; i < size; i += 50)
        text[i] = '\n';
    text[size] = 0;
    read_as(&table, ended, text);
    assert_int_equal(table.count, 1);
    assert_true(strlen(table.rows[0].test) < 200);
    assert_true(table.rows[0].results[LIBRARY_PSS].details.length < 3000);
    table_free(&table);
    free(text);
}

static const char one_known[] = "# a comment\r\n\r\ntest test_b\r\nlibrary kernel32\r\n"
                                "system windows\r\nwhy it has < none\r\nsource a page\r\n";

static enum verdict verdict_of(const char *theirs, const char *ours, const char *known, int is_wine)
{
    char text[200];
    struct table table = {0};
    enum verdict verdict;

    snprintf(text, sizeof(text), "[ RUN      ] test_b\n%s test_b\n[==========] 1 test(s) run.\n",
             theirs);
    read_library(&table, LIBRARY_KERNEL32, text);
    snprintf(text, sizeof(text), "[ RUN      ] test_b\n%s test_b\n[==========] 1 test(s) run.\n",
             ours);
    read_library(&table, LIBRARY_PSS, text);
    assert_known(&table, known);
    table_apply_known(&table, is_wine);
    assert_int_equal(table.count, 1);
    verdict = table_verdict(&table.rows[0]);
    assert_int_equal(table_has_news(&table), verdict == VERDICT_DIFFERS ||
                                                 verdict == VERDICT_BOTH_FAIL ||
                                                 verdict == VERDICT_GONE);
    table_free(&table);
    return verdict;
}

#define OK_    "[       OK ]"
#define FAILED "[  FAILED  ]"
#define SKIP   "[  SKIPPED ]"

static void test_verdict_tells_a_known_difference_from_an_unknown_one(void **state)
{
    (void)state;
    assert_int_equal(verdict_of(OK_, OK_, "", 0), VERDICT_SAME);
    assert_int_equal(verdict_of(FAILED, OK_, "", 0), VERDICT_DIFFERS);
    assert_int_equal(verdict_of(OK_, FAILED, "", 0), VERDICT_DIFFERS);
    assert_int_equal(verdict_of(FAILED, FAILED, "", 0), VERDICT_BOTH_FAIL);
    assert_int_equal(verdict_of(SKIP, OK_, "", 0), VERDICT_OURS_ALONE);
    assert_int_equal(verdict_of(SKIP, SKIP, "", 0), VERDICT_NOT_APPLIED);
    assert_int_equal(verdict_of(FAILED, OK_, one_known, 0), VERDICT_KNOWN);
    assert_int_equal(verdict_of(FAILED, OK_, one_known, 1), VERDICT_DIFFERS);
    assert_int_equal(verdict_of(OK_, FAILED, one_known, 0), VERDICT_DIFFERS);
}

static void test_verdict_tells_that_a_known_difference_is_gone(void **state)
{
    (void)state;
    assert_int_equal(verdict_of(OK_, OK_, one_known, 0), VERDICT_GONE);
    assert_int_equal(verdict_of(OK_, OK_, one_known, 1), VERDICT_SAME);
    assert_int_equal(verdict_of(SKIP, OK_, one_known, 0), VERDICT_OURS_ALONE);
}

static void test_known_file_with_a_mistake_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
    } rows[] = {
        {"why nothing\n", 1},
        {"test a\nlibrary none\n", 2},
        {"test a\nlibrary both\nsystem linux\n", 3},
        {"test a\nlibrary both\nsystem wine\nwhy b\n\ntest c\n", 6},
        {"test a\nlibrary both\nsystem wine\nwhy b\n", 5},
        {"test a\nlibrary both\nsystem wine\nwhy b\nwhy b\n", 5},
        {"test\n", 1},
        {"test a\ncolour red\n", 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct table table = {0};
        unsigned line = 0;
        assert_false(known_read(&table, rows[i].text, strlen(rows[i].text), &line));
        assert_int_equal(line, rows[i].line);
        table_free(&table);
    }
}

static struct table sample_table(void)
{
    struct table table = {0};
    struct program_end end = ended;

    end.exit_code = 1;
    read_as(&table, end, whole);
    read_library(&table, LIBRARY_KERNEL32,
                 "[ RUN      ] test_b\n<b>&\"'\x01\xff\xc3\xa9\xed\xa0\x80]]>\n"
                 "[  FAILED  ] test_b\n[==========] 1 test(s) run.\n");
    buffer_add(&table.facts, "system: a <made> up one\n");
    return table;
}

static void test_text_report_has_facts_sums_and_a_line_per_test(void **state)
{
    struct table table = sample_table();
    struct buffer out = {0};

    (void)state;
    report_text(&table, &out);
    assert_holds(&out, "system: a <made> up one\n");
    assert_holds(&out, "     1 BOTH FAIL\n");
    assert_holds(&out, "x64 FAILED      FAILED      BOTH FAIL             walk: test_b\n");
    assert_holds(&out, "        pss.dll: it is 5\n        and 6\n");
    assert_holds(&out, "        pss.dll: no such system\n");
    buffer_free(&out);
    table_free(&table);
}

static void test_html_report_escapes_what_programs_print(void **state)
{
    struct table table = sample_table();
    struct buffer out = {0};

    (void)state;
    report_html(&table, &out);
    assert_holds(&out, "&lt;b&gt;&amp;&quot;&#39;??\xc3\xa9???]]&gt;");
    assert_null(strstr(out.text, "<b>"));
    assert_null(strstr(out.text, "<made>"));
    buffer_free(&out);
    table_free(&table);
}

static void test_junit_report_has_a_suite_per_library(void **state)
{
    struct table table = sample_table();
    struct buffer out = {0};

    (void)state;
    assert_known(&table, one_known);
    table_apply_known(&table, 0);
    report_junit(&table, &out);
    assert_holds(&out, "<testsuite name=\"x64 kernel32 walk\">");
    assert_holds(&out, "<testsuite name=\"x64 pss.dll walk\">");
    assert_holds(&out, "<failure message=\"FAILED\">some text\n");
    assert_holds(&out, "<skipped message=\"it has &lt; none\">&lt;b&gt;&amp;");
    assert_holds(&out, "<system-out>it is 5\nand 6</system-out>");
    assert_holds(&out, "<skipped message=\"skipped\">no such system</skipped>");
    assert_holds(&out, "</testsuites>\n");
    buffer_free(&out);
    table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output_of_a_whole_run_gives_a_row_per_test),
        cmocka_unit_test(test_output_of_a_crash_blames_the_test_that_ran),
        cmocka_unit_test(test_output_after_the_limit_blames_the_test_that_ran),
        cmocka_unit_test(test_output_of_a_program_that_does_nothing_is_a_row_of_its_own),
        cmocka_unit_test(test_output_of_a_failed_teardown_is_a_failure),
        cmocka_unit_test(test_output_cut_anywhere_is_read),
        cmocka_unit_test(test_output_without_bounds_is_cut),
        cmocka_unit_test(test_verdict_tells_a_known_difference_from_an_unknown_one),
        cmocka_unit_test(test_verdict_tells_that_a_known_difference_is_gone),
        cmocka_unit_test(test_known_file_with_a_mistake_is_refused_with_its_line),
        cmocka_unit_test(test_text_report_has_facts_sums_and_a_line_per_test),
        cmocka_unit_test(test_html_report_escapes_what_programs_print),
        cmocka_unit_test(test_junit_report_has_a_suite_per_library),
    };

    return cmocka_run_group_tests_name("conformance table", tests, NULL, NULL);
}
