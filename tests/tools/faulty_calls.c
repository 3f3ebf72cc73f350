/* SPDX-License-Identifier: MIT */
/* Wrappers in the import table: count, fail, or make the call. */
#include "faulty_calls.h"

#include "harness.h"
#include "tally.h"
#include <malloc.h>
#include <tlhelp32.h>

/* Arguments are as wide as a pointer: X(name, what it answers when it fails, how many). */
#define NOTHING ((ULONG_PTR)0)
#define MINUS_1 (~(ULONG_PTR)0)
/* clang-format off */
#define CALLS(X)                                                                               \
    X(OpenProcess, NOTHING, 3) X(CreateToolhelp32Snapshot, MINUS_1, 2)                         \
    X(Process32FirstW, NOTHING, 2) X(Process32NextW, NOTHING, 2)                               \
    X(ReadProcessMemory, NOTHING, 5) X(VirtualQueryEx, NOTHING, 4) X(CreateFileW, MINUS_1, 7)  \
    X(ReadFile, NOTHING, 5) X(WriteFile, NOTHING, 5) X(GetFileSizeEx, NOTHING, 2)              \
    X(SetFileTime, NOTHING, 4) X(SetFileAttributesW, NOTHING, 2) X(MoveFileExW, NOTHING, 3)    \
    X(CopyFileW, NOTHING, 3) X(DeleteFileW, NOTHING, 1) X(CreateDirectoryW, NOTHING, 2)        \
    X(GetFileInformationByHandle, NOTHING, 2) X(GetFileAttributesW, MINUS_1, 1)                \
    X(GetFileAttributesExW, NOTHING, 3) X(FlushFileBuffers, NOTHING, 1)                        \
    X(FindFirstFileW, MINUS_1, 2) X(FindNextFileW, NOTHING, 2)                                 \
    X(CreateHardLinkW, NOTHING, 3) X(SetFileInformationByHandle, NOTHING, 4)                   \
    X(GetFinalPathNameByHandleW, NOTHING, 4) X(LockFileEx, NOTHING, 6)                         \
    X(LoadLibraryExW, NOTHING, 3) X(GetSystemDirectoryW, NOTHING, 2)                           \
    X(GetModuleFileNameW, NOTHING, 3) X(GetFullPathNameW, NOTHING, 4)                          \
    X(CreateProcessW, NOTHING, 10) X(ResumeThread, MINUS_1, 1)                                 \
    X(GetExitCodeProcess, NOTHING, 2) X(FormatMessageW, NOTHING, 7)                            \
    X(CreateJobObjectW, NOTHING, 2) X(SetInformationJobObject, NOTHING, 4)                     \
    X(AssignProcessToJobObject, NOTHING, 2)
/* clang-format on */

static uint32_t wrong_frees;

static struct {
    uint32_t calls, fail_at;
    bool is_persistent;
    DWORD error;
    const char *failed;
} plan;

static bool is_failing(const char *name)
{
    uint32_t number = ++plan.calls;

    if (!plan.fail_at || number < plan.fail_at || (number > plan.fail_at && !plan.is_persistent))
        return false;
    tally(TALLY_FAULTS, 1);
    if (!plan.failed)
        plan.failed = name;
    SetLastError(plan.error);
    return true;
}

/* ---- what a test wants to happen, and to know, at a call ---- */

static HANDLE standard_handle;
static PHANDLER_ROUTINE handler;
static bool interrupts;
static STARTUPINFOW startup;

/* Ctrl+C comes as soon as there is a program. */
static void look_at(const char *name, const ULONG_PTR *arguments, int count)
{
    if (count != 10 || strcmp(name, "CreateProcessW") != 0)
        return;
    startup = *(const STARTUPINFOW *)arguments[8];
    if (interrupts && handler)
        handler(CTRL_C_EVENT);
}

typedef ULONG_PTR word;

#define TAKES_1  word a
#define TAKES_2  TAKES_1, word b
#define TAKES_3  TAKES_2, word c
#define TAKES_4  TAKES_3, word d
#define TAKES_5  TAKES_4, word e
#define TAKES_6  TAKES_5, word f
#define TAKES_7  TAKES_6, word g
#define TAKES_10 TAKES_7, word h, word i, word j
#define GIVES_1  a
#define GIVES_2  GIVES_1, b
#define GIVES_3  GIVES_2, c
#define GIVES_4  GIVES_3, d
#define GIVES_5  GIVES_4, e
#define GIVES_6  GIVES_5, f
#define GIVES_7  GIVES_6, g
#define GIVES_10 GIVES_7, h, i, j

#define WRAPPER(name, failure, count)                   \
    static word(WINAPI *inner_##name)(TAKES_##count);   \
    static word WINAPI faulty_##name(TAKES_##count)     \
    {                                                   \
        if (is_failing(#name))                          \
            return failure;                             \
        word result = inner_##name(GIVES_##count);      \
        look_at(#name, (word[]){GIVES_##count}, count); \
        return result;                                  \
    }
CALLS(WRAPPER)

static WCHAR *command_line;
static void *inner_line, *inner_handle, *inner_handler;

static WCHAR *WINAPI answer_line(void)
{
    return command_line;
}

/* What `pss run` would give to its program, and close, is this program's. */
static HANDLE WINAPI answer_handle(DWORD which)
{
    (void)which;
    return standard_handle;
}

/* So is what the console tells. */
static BOOL WINAPI answer_handler(PHANDLER_ROUTINE routine, BOOL adds)
{
    handler = adds ? routine : NULL;
    return TRUE;
}

/* ---- memory that is freed ---- */

static void *inner_free;

/* The heap says nothing of a block that is freed twice. */
static void check_free(void *block)
{
    if (block && !HeapValidate((HANDLE)_get_heap_handle(), 0, block))
        wrong_frees++;
    else
        ((void (*)(void *))inner_free)(block);
}

uint32_t faulty_calls_wrong_frees(void)
{
    return wrong_frees;
}

struct wrapper {
    const char *name;
    void *faulty;
    void **inner;
};

#define WRAPPER_ROW(name, failure, count) {#name, (void *)faulty_##name, (void **)&inner_##name},
static const struct wrapper wrappers[] = {
    CALLS(WRAPPER_ROW){"GetCommandLineW", (void *)answer_line, &inner_line},
    {"GetStdHandle", (void *)answer_handle, &inner_handle},
    {"SetConsoleCtrlHandler", (void *)answer_handler, &inner_handler},
    {"free", (void *)check_free, &inner_free}};

static void replace(ULONG_PTR *slot, void *function)
{
    DWORD old;

    assert_true(VirtualProtect(slot, sizeof(*slot), PAGE_READWRITE, &old));
    *slot = (ULONG_PTR)function;
    assert_true(VirtualProtect(slot, sizeof(*slot), old, &old));
}

static void visit_slot(const char *name, ULONG_PTR *slot, bool begins)
{
    for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++) {
        if (strcmp(wrappers[i].name, name) != 0)
            continue;
        if (begins)
            *wrappers[i].inner = (void *)*slot;
        replace(slot, begins ? wrappers[i].faulty : *wrappers[i].inner);
    }
}

static void visit_imports(bool begins)
{
    char *base = (char *)GetModuleHandleW(NULL);
    const IMAGE_NT_HEADERS *header =
        (const void *)(base + ((const IMAGE_DOS_HEADER *)(void *)base)->e_lfanew);
    const IMAGE_IMPORT_DESCRIPTOR *dll =
        (const void *)(base + header->OptionalHeader.DataDirectory[1].VirtualAddress);

    for (; dll->Name; dll++) {
        const ULONG_PTR *name = (const void *)(base + dll->OriginalFirstThunk);
        ULONG_PTR *slot = (void *)(base + dll->FirstThunk);

        for (; *name; name++, slot++)
            if (!IMAGE_SNAP_BY_ORDINAL(*name))
                visit_slot((const char *)((const IMAGE_IMPORT_BY_NAME *)(base + *name))->Name, slot,
                           begins);
    }
}

void faulty_calls_begin(void)
{
    visit_imports(true);
}

void faulty_calls_end(void)
{
    visit_imports(false);
}

void faulty_calls_fail(uint32_t number, bool persistent, DWORD error)
{
    memset(&plan, 0, sizeof(plan));
    wrong_frees = 0;
    plan.fail_at = number;
    plan.is_persistent = persistent;
    plan.error = error;
}

void faulty_calls_set_line(WCHAR *line)
{
    command_line = line;
}

void faulty_calls_set_handle(HANDLE handle)
{
    standard_handle = handle;
}

void faulty_calls_interrupt(bool begins)
{
    interrupts = begins;
    handler = NULL;
}

const STARTUPINFOW *faulty_calls_startup(void)
{
    return &startup;
}

uint32_t faulty_calls_count(void)
{
    return plan.calls;
}

const char *faulty_calls_failed(void)
{
    return plan.failed;
}
