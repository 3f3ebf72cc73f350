/* SPDX-License-Identifier: MIT */
/* The parts of pss.exe that need no process: texts, words, numbers, registers and statistics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hexdump.h"
#include "number.h"
#include "registers.h"
#include "stats.h"
#include "text.h"
#include "words.h"

static FILETIME make_time(uint64_t ticks)
{
    FILETIME time = {(DWORD)ticks, (DWORD)(ticks >> 32)};

    return time;
}

static void test_size_is_shown_in_the_unit_that_fits(void **state)
{
    (void)state;
    assert_string_equal(text_size(0).s, "0 B");
    assert_string_equal(text_size(1023).s, "1023 B");
    assert_string_equal(text_size(1024).s, "1.0 KiB");
    assert_string_equal(text_size(196608).s, "192.0 KiB");
    assert_string_equal(text_size((uint64_t)128 << 40).s, "128.0 TiB");
    assert_string_equal(text_size(UINT64_MAX).s, "16777216.0 TiB");
}

static void test_time_has_milliseconds_for_people_and_all_for_machines(void **state)
{
    FILETIME time = make_time(133604190001234567u); /* 2024-05-17 11:30:00.1234567 UTC */

    (void)state;
    assert_string_equal(text_time(time).s, "2024-05-17 11:30:00.123");
    assert_string_equal(text_iso_time(time).s, "2024-05-17T11:30:00.1234567Z");
    assert_string_equal(text_time(make_time(0)).s, "-");
    assert_string_equal(text_iso_time(make_time(0)).s, "");
    assert_string_equal(text_time(make_time(UINT64_MAX)).s, "-");
    assert_string_equal(text_iso_time(make_time(UINT64_MAX)).s, "");
}

static void test_duration_is_in_seconds(void **state)
{
    (void)state;
    assert_string_equal(text_duration(make_time(0)).s, "0.000 s");
    assert_string_equal(text_duration(make_time(12509999)).s, "1.250 s");
    assert_string_equal(text_duration(make_time(UINT64_MAX)).s, "1844674407370.955 s");
}

static void test_wide_text_keeps_nuls_and_survives_broken_pairs(void **state)
{
    static const WCHAR broken[] = {L'a', 0, 0xd800, L'b'};
    size_t length;
    char *utf8 = text_from_wide(broken, 4, &length);

    (void)state;
    assert_true(length >= 4);
    assert_memory_equal(utf8, "a", 2);
    assert_int_equal(utf8[length - 1], 'b');
    assert_int_equal(utf8[length], '\0');
    free(utf8);
    utf8 = text_from_wide(NULL, 7, &length);
    assert_int_equal(length, 0);
    assert_string_equal(utf8, "");
    free(utf8);
}

static void check_clean(const char *text, const char *expected)
{
    char copy[64];

    strcpy(copy, text);
    text_clean(copy);
    assert_string_equal(copy, expected);
}

static void test_what_a_terminal_obeys_is_replaced_and_nothing_else(void **state)
{
    (void)state;
    check_clean("a\x1b[31m\r\n\tb\x7f", "a?[31m???b?");
    check_clean("\xc2\x80\xc2\x9f\xc2\xa0", "??\xc2\xa0"); /* C1 ends before the hard blank */
    check_clean("\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f", "???");
    check_clean("\xe2\x80\xaa\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9", "????");
    check_clean("\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa\xe2\x80\x90",
                "\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa\xe2\x80\x90");
    check_clean("\xf0\x9f\x98\x80 \xd7\xa9 \xe7\x9b\xae", "\xf0\x9f\x98\x80 \xd7\xa9 \xe7\x9b\xae");
    check_clean("\xe2\x80", "\xe2\x80"); /* cut off */
    check_clean("\xe2\x1b\xc2", "\xe2?\xc2");
    check_clean("", "");
}

static void test_words_name_the_bits_and_number_the_rest(void **state)
{
    (void)state;
    assert_string_equal(words_protect(PAGE_READWRITE | PAGE_GUARD).s, "READWRITE|GUARD");
    assert_string_equal(words_protect(0).s, "-");
    assert_string_equal(words_protect(0x40000000).s, "0x40000000");
    assert_string_equal(words_state(MEM_RESERVE).s, "RESERVE");
    assert_string_equal(words_state(0x1234).s, "0x1234");
    assert_string_equal(words_type(0).s, "-");
    assert_string_equal(words_process_flags(0x42).s, "WOW64|0x40");
    assert_string_equal(words_clone_strategy(PSS_CLONE_CARRIER).s, "carrier");
    assert_string_equal(words_clone_strategy(9).s, "0x9");
    assert_string_equal(words_clone_route(PSS_CLONE_ROUTE_NONE).s, "none");
    assert_string_equal(words_clone_route(PSS_CLONE_ROUTE_FILES).s, "files");
    assert_true(strlen(words_protect(MAXDWORD).s) < sizeof(struct text));
}

static void test_number_is_read_when_it_is_all_of_the_text(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0},
                {"010", 10},
                {"0x0", 0},
                {"0X7ffE0000", 0x7ffe0000},
                {"18446744073709551615", UINT64_MAX},
                {"0xffffffffffffffff", UINT64_MAX}};
    static const char *const bad[] = {"",
                                      "x",
                                      "0x",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1K",
                                      "0xg",
                                      "18446744073709551616",
                                      "1a",
                                      "0x 1",
                                      "0x10000000000000000"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t value = 1234;
        assert_true(number_read(good[i].text, &value));
        assert_true(value == good[i].value);
        assert_true(number_read_size(good[i].text, &value));
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t value = 1234;
        assert_false(number_read(bad[i], &value));
        assert_int_equal(value, 1234);
    }
}

static void test_size_may_end_in_a_unit_and_must_fit(void **state)
{
    static const char *const bad[] = {
        "", "K", "1T", "1KB", "1KK", "1 K", "K1", "x", "0xK", "17179869184G", "18014398509481984K"};
    uint64_t value = 1234;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(number_read_size(bad[i], &value));
        assert_int_equal(value, 1234);
    }
    assert_true(number_read_size("64K", &value));
    assert_int_equal(value, 65536);
    assert_true(number_read_size("0x10k", &value));
    assert_int_equal(value, 16384);
    assert_true(number_read_size("3M", &value));
    assert_int_equal(value, 3 << 20);
    assert_true(number_read_size("3m", &value));
    assert_int_equal(value, 3 << 20);
    assert_true(number_read_size("17179869183G", &value));
    assert_true(value == UINT64_C(17179869183) << 30);
    assert_true(number_read_size("1g", &value));
    assert_int_equal(value, 1 << 30);
}

static void test_range_is_not_empty_and_ends_with_the_address_space(void **state)
{
    const uint64_t last = UINT32_MAX;

    (void)state;
    assert_true(number_is_range(0, 1, last));
    assert_true(number_is_range(last, 1, last));
    assert_true(number_is_range(0, last + 1, last));
    assert_true(number_is_range(UINT64_MAX, 1, UINT64_MAX));
    assert_true(number_is_range(1, UINT64_MAX, UINT64_MAX));
    assert_false(number_is_range(0, 0, last));
    assert_false(number_is_range(last, 2, last));
    assert_false(number_is_range(last + 1, 1, last));
    assert_false(number_is_range(1, last + 1, last));
    assert_false(number_is_range(2, UINT64_MAX, UINT64_MAX));
}

/* The address in a dump: as many digits as a pointer has. */
#define ZEROS (sizeof(void *) == 8 ? "00000000" : "")

static void assert_line(uint64_t address, const char *bytes, size_t count, const char *expected)
{
    char line[HEXDUMP_SIZE + 1];
    char whole[HEXDUMP_SIZE + 1];

    memset(line, '#', sizeof line);
    hexdump_line(address, (const unsigned char *)bytes, count, line);
    assert_int_equal(line[HEXDUMP_SIZE], '#');
    snprintf(whole, sizeof whole, "%s%s", ZEROS, expected);
    assert_string_equal(line, whole);
}

static void test_dump_line_is_that_of_xxd(void **state)
{
    (void)state;
    assert_line(0x7ffe0010, "MZ\x90\0\3\0\0\0 ~\x7f\x80\xff\n\x1fz", 16,
                "7ffe0010: 4d5a 9000 0300 0000 207e 7f80 ff0a 1f7a  MZ...... ~.....z\n");
    assert_line(0, "", 1, "00000000: 00                                       .\n");
    assert_line(1, "abc", 3, "00000001: 6162 63                                  abc\n");
    assert_line(0xfffffff0, "%s%n\\\"'`<>&|;$!?", 16,
                "fffffff0: 2573 256e 5c22 2760 3c3e 267c 3b24 213f  %s%n\\\"'`<>&|;$!?\n");
}

static void test_dump_is_the_same_whatever_the_pieces(void **state)
{
    unsigned char bytes[100];
    char once[1024] = "";
    char pieces[1024] = "";

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 37);
    for (size_t i = 0; i < sizeof bytes; i += HEXDUMP_BYTES)
        hexdump_line(0x1003 + i, bytes + i, sizeof bytes - i < 16 ? sizeof bytes - i : 16,
                     once + strlen(once));
    for (size_t size = 1; size <= sizeof bytes; size++) {
        struct hexdump dump = {.address = 0x1003};
        FILE *file = tmpfile();
        size_t length;

        assert_non_null(file);
        for (size_t i = 0; i < sizeof bytes; i += size)
            hexdump_add(&dump, bytes + i, sizeof bytes - i < size ? sizeof bytes - i : size, file);
        hexdump_end(&dump, file);
        rewind(file);
        length = fread(pieces, 1, sizeof pieces - 1, file);
        pieces[length] = '\0';
        assert_string_equal(pieces, once);
        fclose(file);
    }
}

static const struct register_info *find_register(const char *name)
{
    for (size_t i = 0; i < registers_count; i++)
        if (strcmp(registers[i].name, name) == 0)
            return &registers[i];
    fail_msg("no register %s", name);
    return NULL;
}

static void test_register_is_there_only_with_its_context_bits(void **state)
{
    static CONTEXT context;
    const struct register_info *flags = find_register("eflags");

    (void)state;
    context.EFlags = 0x246;
    context.ContextFlags = CONTEXT_INTEGER;
    assert_false(registers_has(&context, flags));
    context.ContextFlags = CONTEXT_FULL;
    assert_true(registers_has(&context, flags));
    assert_string_equal(registers_value(&context, flags).s, "0x00000246");
    assert_false(registers_is_zero(&context, flags));
    assert_true(registers_is_zero(&context, find_register("xmm7")));
}

static void test_every_register_lies_within_the_context(void **state)
{
    (void)state;
    for (size_t i = 0; i < registers_count; i++) {
        assert_true(registers[i].size <= REGISTERS_MAX_SIZE);
        assert_true(registers[i].offset <= sizeof(CONTEXT) - registers[i].size);
    }
}

static void test_plain_context_has_no_extended_features(void **state)
{
    static CONTEXT context;

    (void)state;
    context.ContextFlags = CONTEXT_ALL;
    assert_int_equal(registers_features(&context, sizeof context), 0);
    assert_null(registers_ymm_high(&context, sizeof context, 0));
}

static void test_statistics_summarise_each_counter_on_its_own(void **state)
{
    PSS_PERFORMANCE_COUNTERS counters[4];
    struct stats stats;

    (void)state;
    memset(counters, 0, sizeof counters);
    for (size_t i = 0; i < 4; i++) {
        counters[i].TotalCycleCount = 10 * (4 - i);
        counters[i].ThreadsWallClockPeriod = i == 2 ? UINT64_MAX : i;
    }
    stats_summarise(counters, 4, &stats);
    assert_int_equal(stats.least.TotalCycleCount, 10);
    assert_int_equal(stats.median.TotalCycleCount, 20);
    assert_int_equal(stats.most.TotalCycleCount, 40);
    assert_int_equal(stats.median.ThreadsWallClockPeriod, 1);
    assert_true(stats.most.ThreadsWallClockPeriod == UINT64_MAX);
    stats_summarise(counters, 1, &stats);
    assert_int_equal(stats.least.TotalCycleCount, 40);
    assert_int_equal(stats.median.TotalCycleCount, 40);
}

static void test_phases_cover_every_counter_once(void **state)
{
    unsigned char seen[sizeof(PSS_PERFORMANCE_COUNTERS) / sizeof(UINT64)] = {0};

    (void)state;
    for (size_t i = 0; i < STATS_PHASE_COUNT; i++) {
        seen[stats_phases[i].cycles / sizeof(UINT64)]++;
        seen[stats_phases[i].period / sizeof(UINT64)]++;
    }
    for (size_t i = 0; i < sizeof seen; i++)
        assert_int_equal(seen[i], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size_is_shown_in_the_unit_that_fits),
        cmocka_unit_test(test_time_has_milliseconds_for_people_and_all_for_machines),
        cmocka_unit_test(test_duration_is_in_seconds),
        cmocka_unit_test(test_wide_text_keeps_nuls_and_survives_broken_pairs),
        cmocka_unit_test(test_what_a_terminal_obeys_is_replaced_and_nothing_else),
        cmocka_unit_test(test_words_name_the_bits_and_number_the_rest),
        cmocka_unit_test(test_number_is_read_when_it_is_all_of_the_text),
        cmocka_unit_test(test_size_may_end_in_a_unit_and_must_fit),
        cmocka_unit_test(test_range_is_not_empty_and_ends_with_the_address_space),
        cmocka_unit_test(test_dump_line_is_that_of_xxd),
        cmocka_unit_test(test_dump_is_the_same_whatever_the_pieces),
        cmocka_unit_test(test_register_is_there_only_with_its_context_bits),
        cmocka_unit_test(test_every_register_lies_within_the_context),
        cmocka_unit_test(test_plain_context_has_no_extended_features),
        cmocka_unit_test(test_statistics_summarise_each_counter_on_its_own),
        cmocka_unit_test(test_phases_cover_every_counter_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
