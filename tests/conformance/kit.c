/* SPDX-License-Identifier: MIT */
/* Runs the programs of the kit, with pss.dll and with kernel32. */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "known.h"
#include "output.h"
#include "runner.h"
#include "system.h"

#define MAX_PROGRAMS   256
#define NAME_SIZE      64u
#define SYSTEM_PROGRAM L"open_system_" /* programs that judge the system, not a library */

static const char *const bitnesses[] = {"x64", "x86"};
static const WCHAR *const directories[] = {L"x64", L"x86"};

/* The programs of one bitness. */
struct programs {
    int count;
    WCHAR names[MAX_PROGRAMS][NAME_SIZE]; /* without ".exe", sorted */
};

/* The name in the table and for topics. */
static const WCHAR *display_name(const WCHAR *program)
{
    return wcsncmp(program, L"api_", 4) ? program : program + 4;
}

static int is_selected(struct kit *kit, const WCHAR *program)
{
    const WCHAR *name = display_name(program);
    int selected = kit->topics == 0;

    for (int i = 0; i < kit->topics; i++)
        if (!wcscmp(kit->topic[i], name) ||
            (!wcscmp(kit->topic[i], L"open") && !wcsncmp(name, L"open_", 5)))
            kit->used[i] = selected = 1;
    return selected;
}

static int compare_names(const void *left, const void *right)
{
    return wcscmp((const WCHAR *)left, (const WCHAR *)right);
}

static void add_programs(struct programs *programs, const WCHAR *directory, const WCHAR *pattern)
{
    WCHAR path[PATH_SIZE];
    WIN32_FIND_DATAW entry;

    if (!path_join(path, directory, pattern))
        return;
    HANDLE found = FindFirstFileW(path, &entry);
    if (found == INVALID_HANDLE_VALUE)
        return;
    do {
        size_t length = wcslen(entry.cFileName);
        if (length < 5 || length - 4 >= NAME_SIZE || programs->count == MAX_PROGRAMS)
            continue;
        wmemcpy(programs->names[programs->count], entry.cFileName, length - 4);
        programs->names[programs->count++][length - 4] = 0;
    } while (FindNextFileW(found, &entry));
    FindClose(found);
}

static void to_utf8(char *text, int size, const WCHAR *wide)
{
    text[0] = 0;
    WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, size, NULL, NULL);
    text[size - 1] = 0;
}

static void mark_row(struct row *row, enum library library, enum outcome outcome, const char *why)
{
    struct result *result = &row->results[library];

    result->outcome = outcome;
    buffer_free(&result->details);
    buffer_add(&result->details, why);
}

/* Each row of a program that did not run; a row of its own if there is none yet. */
static void mark(struct kit *kit, const struct program_end *end, enum outcome outcome,
                 const char *why)
{
    struct table *table = &kit->table;
    int found = 0;

    for (size_t i = 0; i < table->count; i++) {
        struct row *row = &table->rows[i];
        if (strcmp(row->bitness, end->bitness) != 0 || strcmp(row->program, end->program) != 0)
            continue;
        mark_row(row, end->library, outcome, why);
        found = 1;
    }
    struct row *row = found ? NULL : table_row(table, end->bitness, end->program, "(the program)");
    if (row)
        mark_row(row, end->library, outcome, why);
}

static void mark_cannot_run(struct kit *kit, const struct program_end *end, DWORD error)
{
    struct buffer why = {0};

    buffer_format(&why, "it cannot be started: error %lu", error);
    mark(kit, end, OUTCOME_CANNOT_RUN, why.text);
    buffer_free(&why);
}

static void note_left(struct kit *kit, const struct run *run, const struct program_end *end)
{
    unsigned files = directory_remove(kit->scratch);

    directory_make(kit->scratch);
    system_remove_keys();
    if (!run->left && !files)
        return;
    buffer_format(&kit->table.facts, "left behind: %s %s %.64s: ", end->bitness,
                  library_name(end->library), end->program);
    buffer_format(&kit->table.facts, "%lu processes, which were ended, %u files, removed\n",
                  run->left, files);
}

static void enter(struct kit *kit, const struct run *run, const struct program_end *end)
{
    struct buffer text = {0};

    if (!file_read(run->output, &text))
        buffer_add(&text, "what it printed cannot be read\n");
    output_read(&kit->table, end, text.text ? text.text : "", text.length);
    buffer_free(&text);
    note_left(kit, run, end);
}

static int output_path(const struct kit *kit, size_t bitness, const WCHAR *name,
                       enum library library, WCHAR path[PATH_SIZE])
{
    WCHAR file[2 * NAME_SIZE];

    swprintf(file, 2 * NAME_SIZE, L"%ls-%ls-%ls.txt", directories[bitness],
             library == LIBRARY_PSS ? L"pss" : L"kernel32", name);
    return path_join(path, kit->results, file);
}

static void run_program(struct kit *kit, size_t bitness, const WCHAR *name, enum library library)
{
    WCHAR path[PATH_SIZE], output[PATH_SIZE], file[2 * NAME_SIZE];
    char shown[3 * NAME_SIZE];
    struct run run = {.program = path,
                      .arguments = library == LIBRARY_PSS ? L"" : L"--under-test kernel32.dll",
                      .output = output,
                      .seconds = kit->limit};
    struct program_end end = {bitnesses[bitness], shown, library, 0, kit->limit, 0};

    to_utf8(shown, sizeof(shown), display_name(name));
    swprintf(file, 2 * NAME_SIZE, L"%ls\\%ls.exe", directories[bitness], name);
    if (!path_join(path, kit->root, file) ||
        !output_path(kit, bitness, display_name(name), library, output))
        return;
    printf("%s %-8s %s\n", end.bitness, library_name(library), shown);
    fflush(stdout);
    runner_run(&run);
    if (run.error) {
        mark_cannot_run(kit, &end, run.error);
        return;
    }
    end.timed_out = run.timed_out;
    end.exit_code = run.exit_code;
    enter(kit, &run, &end);
}

/* pss.dll comes first: its rows are then there to say that kernel32 has nothing. */
static void run_with_both(struct kit *kit, size_t bitness, const WCHAR *name)
{
    char shown[3 * NAME_SIZE];
    struct program_end end = {bitnesses[bitness], shown, LIBRARY_KERNEL32, 0, 0, 0};

    run_program(kit, bitness, name, LIBRARY_PSS);
    if (!wcsncmp(name, SYSTEM_PROGRAM, wcslen(SYSTEM_PROGRAM)))
        return;
    if (kit->works[LIBRARY_KERNEL32]) {
        run_program(kit, bitness, name, LIBRARY_KERNEL32);
        return;
    }
    to_utf8(shown, sizeof(shown), display_name(name));
    mark(kit, &end, OUTCOME_API_MISSING, NULL);
}

/* A stub may raise, and end its program: so it is asked in one of its own. Why that cannot be
 * started. */
static DWORD probe(struct kit *kit, size_t bitness, enum library library)
{
    WCHAR path[PATH_SIZE], output[PATH_SIZE], arguments[PATH_SIZE], file[NAME_SIZE];
    struct run run = {
        .program = path, .arguments = arguments, .output = output, .seconds = kit->limit};
    struct buffer *facts = &kit->table.facts, text = {0};

    swprintf(file, NAME_SIZE, L"%ls\\pss-conformance.exe", directories[bitness]);
    swprintf(arguments, PATH_SIZE, L"--probe %ls",
             library == LIBRARY_PSS ? L"pss.dll" : L"kernel32.dll");
    if (!path_join(path, kit->root, file) || !output_path(kit, bitness, L"probe", library, output))
        return 0;
    runner_run(&run);
    kit->works[library] = !run.error && !run.timed_out && !run.exit_code;
    buffer_format(facts, "%s %s: ", bitnesses[bitness], library_name(library));
    if (run.error)
        buffer_format(facts, "cannot run here: error %lu", run.error);
    else if (kit->works[library])
        buffer_add(facts, "the API is there and works");
    else if (file_read(output, &text) && text.length)
        buffer_format(facts, "API missing: %.*s", (int)strcspn(text.text, "\r\n"), text.text);
    else
        buffer_format(facts, "API missing: a call ends the program with 0x%lx", run.exit_code);
    buffer_add(facts, "\n");
    buffer_free(&text);
    return run.error;
}

static void run_bitness(struct kit *kit, size_t bitness)
{
    static struct programs programs;
    WCHAR directory[PATH_SIZE];

    programs.count = 0;
    if (!path_join(directory, kit->root, directories[bitness]))
        return;
    add_programs(&programs, directory, L"api_*.exe");
    add_programs(&programs, directory, L"open_*.exe");
    if (!programs.count)
        return;
    qsort(programs.names, (size_t)programs.count, sizeof(programs.names[0]), compare_names);
    DWORD error = probe(kit, bitness, LIBRARY_PSS);
    if (error) {
        struct program_end end = {bitnesses[bitness], "(all programs)", LIBRARY_PSS, 0, 0, 0};
        mark_cannot_run(kit, &end, error);
        return;
    }
    probe(kit, bitness, LIBRARY_KERNEL32);
    for (int i = 0; i < programs.count; i++)
        if (is_selected(kit, programs.names[i]))
            run_with_both(kit, bitness, programs.names[i]);
}

static int read_known(struct kit *kit)
{
    WCHAR path[PATH_SIZE];
    struct buffer text = {0};
    unsigned line = 0;
    int ok = path_join(path, kit->root, L"known-differences.txt") && file_read(path, &text) &&
             known_read(&kit->table, text.text ? text.text : "", text.length, &line);

    buffer_free(&text);
    if (!ok)
        fprintf(stderr, "known-differences.txt cannot be read: line %u is wrong\n", line);
    return ok;
}

static int prepare(struct kit *kit)
{
    WCHAR path[PATH_SIZE];

    kit_results_remove(kit);
    if (!path_join(kit->scratch, kit->results, L"pss-conformance-temporary") ||
        !directory_make(kit->scratch)) {
        fprintf(stderr, "cannot write into %ls: unpack the kit where you may write\n",
                kit->results);
        return 0;
    }
    SetEnvironmentVariableW(L"TEMP", kit->scratch);
    SetEnvironmentVariableW(L"TMP", kit->scratch);
    system_add_facts(&kit->table.facts);
    if (path_join(path, kit->root, L"version.txt"))
        file_read(path, &kit->table.facts);
    runner_prepare();
    return read_known(kit);
}

static int run_selected(struct kit *kit)
{
    for (size_t i = 0; i < sizeof(bitnesses) / sizeof(bitnesses[0]); i++)
        run_bitness(kit, i);
    for (int i = 0; i < kit->topics; i++)
        if (!kit->used[i]) {
            fprintf(stderr, "no program is called %ls\n", kit->topic[i]);
            return 0;
        }
    if (!kit->table.count)
        fputs("the kit has no programs\n", stderr);
    return kit->table.count != 0;
}

int kit_run(struct kit *kit)
{
    int ok = prepare(kit) && run_selected(kit);

    directory_remove(kit->scratch);
    if (!ok)
        return 2;
    table_apply_known(&kit->table, system_is_wine());
    return kit_results_write(kit) ? table_has_news(&kit->table) : 2;
}
