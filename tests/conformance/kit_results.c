/* SPDX-License-Identifier: MIT */
/* What a run of the kit writes into its directory of results. */
#include <stdio.h>

#include "kit.h"
#include "reports.h"

static void remove_results(const struct kit *kit, const WCHAR *pattern)
{
    WCHAR path[PATH_SIZE];
    WIN32_FIND_DATAW entry;
    HANDLE found = path_join(path, kit->results, pattern) ? FindFirstFileW(path, &entry)
                                                          : INVALID_HANDLE_VALUE;

    if (found == INVALID_HANDLE_VALUE)
        return;
    do
        if (path_join(path, kit->results, entry.cFileName))
            DeleteFileW(path);
    while (FindNextFileW(found, &entry));
    FindClose(found);
}

void kit_results_remove(const struct kit *kit)
{
    remove_results(kit, L"x64-*.txt");
    remove_results(kit, L"x86-*.txt");
    remove_results(kit, L"report.*");
}

static int write_report(const struct kit *kit, const WCHAR *name,
                        void (*report)(const struct table *, struct buffer *))
{
    WCHAR path[PATH_SIZE];
    struct buffer out = {0};

    report(&kit->table, &out);
    int ok = path_join(path, kit->results, name) && file_write(path, &out);
    buffer_free(&out);
    return ok;
}

static void print_end(const struct kit *kit)
{
    unsigned sums[VERDICTS] = {0};

    for (size_t i = 0; i < kit->table.count; i++)
        sums[table_verdict(&kit->table.rows[i])]++;
    for (int i = 0; i < VERDICTS; i++)
        printf("%6u %s\n", sums[i], verdict_name((enum verdict)i));
    printf("The tables are %ls\\report.txt, report.html and report.xml\n", kit->results);
}

int kit_results_write(const struct kit *kit)
{
    if (!write_report(kit, L"report.txt", report_text) ||
        !write_report(kit, L"report.html", report_html) ||
        !write_report(kit, L"report.xml", report_junit)) {
        fputs("the reports cannot be written\n", stderr);
        return 0;
    }
    print_end(kit);
    return 1;
}
