/* SPDX-License-Identifier: MIT */
/* Finds processes: by id, by name, and all of them. */
#include "target.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define MAX_LISTED_IDS 16

struct search {
    const WCHAR *name;
    DWORD ids[MAX_LISTED_IDS];
    size_t found; /* may exceed MAX_LISTED_IDS */
};

enum pss_exit target_visit_all(target_visit *visit, void *context)
{
    PROCESSENTRY32W entry = {.dwSize = sizeof entry};
    HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    DWORD error = ERROR_NO_MORE_FILES;

    if (list == INVALID_HANDLE_VALUE)
        return report_failure("CreateToolhelp32Snapshot", GetLastError());
    for (BOOL more = Process32FirstW(list, &entry); more; more = Process32NextW(list, &entry)) {
        entry.szExeFile[sizeof entry.szExeFile / sizeof entry.szExeFile[0] - 1] = L'\0';
        if (visit(&entry, context) != 0)
            goto done;
    }
    error = GetLastError();
done:
    CloseHandle(list);
    return error == ERROR_NO_MORE_FILES ? EXIT_DONE : report_failure("Process32Next", error);
}

/** Equal in any case, where \p file may have ".exe" in addition. */
static int is_name_of(const WCHAR *name, const WCHAR *file)
{
    size_t length = wcslen(name);

    if (CompareStringOrdinal(name, -1, file, -1, TRUE) == CSTR_EQUAL)
        return 1;
    return wcslen(file) == length + 4 &&
           CompareStringOrdinal(name, (int)length, file, (int)length, TRUE) == CSTR_EQUAL &&
           CompareStringOrdinal(file + length, -1, L".exe", -1, TRUE) == CSTR_EQUAL;
}

static int remember_match(const PROCESSENTRY32W *process, void *context)
{
    struct search *search = context;

    if (is_name_of(search->name, process->szExeFile)) {
        if (search->found < MAX_LISTED_IDS)
            search->ids[search->found] = process->th32ProcessID;
        search->found++;
    }
    return 0;
}

static void report_ambiguous(const char *name, const struct search *search)
{
    char ids[MAX_LISTED_IDS * 12 + 1] = "";
    size_t length = 0;

    for (size_t i = 0; i < search->found && i < MAX_LISTED_IDS; i++)
        length += (size_t)snprintf(ids + length, sizeof ids - length, " %lu", search->ids[i]);
    report("'%s' is the name of %zu processes; choose one by its id:%s%s", name, search->found, ids,
           search->found > MAX_LISTED_IDS ? " ..." : "");
}

static enum pss_exit find_by_name(const char *name, DWORD *id)
{
    WCHAR *wide = text_to_wide(name);
    struct search search = {.name = wide};
    enum pss_exit status = target_visit_all(remember_match, &search);

    free(wide);
    if (status != EXIT_DONE)
        return status;
    if (search.found == 1) {
        *id = search.ids[0];
        return EXIT_DONE;
    }
    if (search.found == 0)
        report("no process is named '%s'; 'pss list' lists them", name);
    else
        report_ambiguous(name, &search);
    return EXIT_RUNTIME;
}

/** Decimal digits only, so that a name such as "7z" stays a name. */
static int read_id(const char *text, DWORD *id)
{
    uint64_t value = 0;

    for (const char *digit = text; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9' || value > MAXDWORD)
            return 0;
        value = value * 10 + (uint64_t)(*digit - '0');
    }
    if (text[0] == '\0' || value > MAXDWORD)
        return 0;
    *id = (DWORD)value;
    return 1;
}

/* source: learn.microsoft.com, OpenProcess: ERROR_INVALID_PARAMETER for an id that nobody has */
static enum pss_exit report_not_opened(DWORD id, DWORD error)
{
    if (error == ERROR_INVALID_PARAMETER) {
        report("there is no process %lu; 'pss list' lists them", id);
        return EXIT_RUNTIME;
    }
    if (error == ERROR_ACCESS_DENIED) {
        report("process %lu may not be opened: it is another user's or the system's, or "
               "guards itself; an administrator may open it",
               id);
        return EXIT_RUNTIME;
    }
    return report_problem(error, "cannot open process %lu", id);
}

enum pss_exit target_open(const char *name, DWORD access, HANDLE *process)
{
    DWORD id = 0;
    HANDLE opened;

    if (strcmp(name, "self") == 0) {
        *process = GetCurrentProcess();
        return EXIT_DONE;
    }
    if (!read_id(name, &id) && find_by_name(name, &id) != EXIT_DONE)
        return EXIT_RUNTIME;
    opened = OpenProcess(access, FALSE, id);
    if (opened == NULL)
        return report_not_opened(id, GetLastError());
    *process = opened;
    return EXIT_DONE;
}
