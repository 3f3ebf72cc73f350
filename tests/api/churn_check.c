/* SPDX-License-Identifier: MIT */
/* What every snapshot of the churning process has to tell: lists that are whole, and what stays. */
#include "churn.h"

#include "clone.h"
#include "pattern.h"
#include "under_test.h"

#define MAX_THREADS 512
#define MAX_ENTRIES 100000u

/* One check of a snapshot; what it finds first in each list is noted. */
struct check {
    struct churn_worker *worker;
    HPSS snapshot;
    DWORD flags;
    DWORD context_length;
};

/* The state of one walk. */
struct list {
    uint64_t next; /* the address of the next region, or the last handle or time + 1 */
    DWORD count;   /* entries that were walked */
    DWORD found;   /* of those that stay */
    DWORD ids[MAX_THREADS];
};

#define expect(check, holds, ...)                            \
    do {                                                     \
        if (!(holds))                                        \
            churn_fail((check)->worker->board, __VA_ARGS__); \
    } while (0)

static bool is_text(const WCHAR *text, WORD length)
{
    if (!text || !length)
        return !text && !length;
    for (WORD i = 0; i < length / sizeof(WCHAR); i++)
        if (!text[i])
            return false;
    return length % sizeof(WCHAR) == 0 && !text[length / sizeof(WCHAR)];
}

/* ---- Regions ---- */

static void check_region(const struct check *check, struct list *list, const void *record)
{
    const PSS_VA_SPACE_ENTRY *entry = (const PSS_VA_SPACE_ENTRY *)record;
    uint64_t base = address_of(entry->BaseAddress);
    uint64_t pattern = check->worker->board->pattern;

    expect(check, base == list->next && entry->RegionSize, "a gap of regions at 0x%llx",
           (unsigned long long)base);
    list->next = base + entry->RegionSize;
    expect(check, is_text(entry->MappedFileName, entry->MappedFileNameLength),
           "a bad file name at 0x%llx", (unsigned long long)base);
    if (pattern - base >= entry->RegionSize)
        return;
    list->found++;
    expect(check,
           entry->State == MEM_COMMIT && entry->Protect == PAGE_READWRITE &&
               entry->Type == MEM_PRIVATE && !entry->MappedFileName,
           "the pattern's region is 0x%lx, 0x%lx, 0x%lx", entry->State, entry->Protect,
           entry->Type);
}

/* ---- Handles ---- */

#define OBJECT_TYPE(name, type) type,

static DWORD object_type_of(const WCHAR *name)
{
    static const DWORD types[] = {CHURN_KINDS(OBJECT_TYPE)};

    for (unsigned i = 0; i < CHURN_KIND_COUNT; i++)
        if (!wcscmp(name, churn_type_name((enum churn_kind)i)))
            return types[i];
    return PSS_OBJECT_TYPE_UNKNOWN;
}

/* The churners name objects after their types. */
static bool is_named_after_type(const PSS_HANDLE_ENTRY *entry)
{
    const WCHAR *own = entry->ObjectName ? wcsstr(entry->ObjectName, CHURN_NAME) : NULL;

    if (!own)
        return true;
    own += wcslen(CHURN_NAME);
    size_t length = entry->TypeName ? wcslen(entry->TypeName) : 0;
    return length && !wcsncmp(own, entry->TypeName, length) && own[length] == L'-';
}

static void check_object(const struct check *check, const PSS_HANDLE_ENTRY *entry,
                         const struct churn_object *object)
{
    const WCHAR *type = churn_type_name((enum churn_kind)object->kind);

    expect(check, entry->TypeName && !wcscmp(entry->TypeName, type), "a %ls that stays is a %ls",
           type, entry->TypeName ? entry->TypeName : L"thing without type");
    if (check->flags & PSS_CAPTURE_HANDLE_NAME_INFORMATION && object->is_named)
        expect(check, entry->ObjectName != NULL, "a named %ls that stays has no name", type);
    if (check->flags & PSS_CAPTURE_HANDLE_BASIC_INFORMATION)
        expect(check, entry->HandleCount >= 1, "a %ls that stays has no handle", type);
    if (check->flags & PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION &&
        object->kind == CHURN_Semaphore)
        expect(check, entry->TypeSpecificInformation.Semaphore.MaximumCount == CHURN_SEMAPHORE,
               "a semaphore that stays has a maximum of %ld",
               entry->TypeSpecificInformation.Semaphore.MaximumCount);
}

static void check_handle(const struct check *check, struct list *list, const void *record)
{
    const PSS_HANDLE_ENTRY *entry = (const PSS_HANDLE_ENTRY *)record;
    const struct churn_board *board = check->worker->board;
    uint64_t value = address_of(entry->Handle);

    expect(check, value >= list->next, "handle 0x%llx does not ascend", (unsigned long long)value);
    list->next = value + 1;
    bool are_texts = is_text(entry->TypeName, entry->TypeNameLength) &&
                     is_text(entry->ObjectName, entry->ObjectNameLength);
    expect(check, are_texts, "a bad text of handle 0x%llx", (unsigned long long)value);
    if (!are_texts)
        return;
    if (entry->TypeName)
        expect(check, entry->ObjectType == object_type_of(entry->TypeName),
               "handle 0x%llx, a %ls, has object type %d", (unsigned long long)value,
               entry->TypeName, (int)entry->ObjectType);
    expect(check, is_named_after_type(entry), "%ls is the name of a %ls", entry->ObjectName,
           entry->TypeName ? entry->TypeName : L"thing without type");
    for (unsigned i = 0; i < 2 * CHURN_KIND_COUNT; i++) {
        if (!board->objects[i].handle || board->objects[i].handle != value)
            continue;
        check_object(check, entry, &board->objects[i]);
        list->found++;
    }
}

/* ---- Threads ---- */

static void check_context(const struct check *check, const PSS_THREAD_ENTRY *entry, bool stays)
{
    bool is_due = (check->flags & PSS_CAPTURE_THREAD_CONTEXT) != 0;

    expect(check, !entry->ContextRecord == !entry->SizeOfContextRecord,
           "thread %04lx has a context of %u bytes", entry->ThreadId, entry->SizeOfContextRecord);
    expect(check, is_due || !entry->ContextRecord, "thread %04lx has a context unasked",
           entry->ThreadId);
    expect(check, !is_due || !stays || entry->ContextRecord, "a thread that stays has no context");
    if (!entry->ContextRecord)
        return;
    expect(check, entry->SizeOfContextRecord == check->context_length,
           "a context has %u of %lu bytes", entry->SizeOfContextRecord, check->context_length);
    volatile unsigned char sum = 0;
    for (DWORD i = 0; i < entry->SizeOfContextRecord; i++)
        sum ^= ((const unsigned char *)entry->ContextRecord)[i];
}

/* Its index among the threads that only wait, or -1. */
static int waiter_of(const struct churn_board *board, DWORD id)
{
    for (int i = 0; i < CHURN_WAITERS; i++)
        if (board->waiters[i] == id)
            return i;
    return -1;
}

static void check_thread(const struct check *check, struct list *list, const void *record)
{
    const PSS_THREAD_ENTRY *entry = (const PSS_THREAD_ENTRY *)record;
    const struct churn_board *board = check->worker->board;
    int waiter = waiter_of(board, entry->ThreadId);

    expect(check, entry->ProcessId == board->pid, "a thread of process %04lx", entry->ProcessId);
    expect(check, filetime_value(entry->CreateTime) + 1 >= list->next, "threads do not ascend");
    list->next = filetime_value(entry->CreateTime) + 1;
    for (DWORD i = 0; i + 1 < list->count && i < MAX_THREADS; i++)
        expect(check, list->ids[i] != entry->ThreadId, "thread %04lx is there twice",
               entry->ThreadId);
    if (list->count <= MAX_THREADS)
        list->ids[list->count - 1] = entry->ThreadId;
    expect(check,
           (entry->Flags == PSS_THREAD_FLAGS_TERMINATED) == (entry->ExitStatus != STILL_ACTIVE),
           "a thread with flags %d has exit status %lu", (int)entry->Flags, entry->ExitStatus);
    check_context(check, entry, waiter >= 0);
    if (waiter < 0)
        return;
    list->found++;
    expect(check,
           entry->Flags == 0 && address_of(entry->TebBaseAddress) == board->waiter_tebs[waiter],
           "a thread that stays has flags %d, TEB %p", (int)entry->Flags, entry->TebBaseAddress);
}

static void check_name(const struct check *check, struct list *list, const void *record)
{
    const PSS_THREAD_NAME *entry = (const PSS_THREAD_NAME *)record;

    list->found++;
    expect(check, is_text(entry->ThreadName, entry->ThreadNameSize), "a bad name of a thread");
}

static void check_page(const struct check *check, struct list *list, const void *record)
{
    const PSS_AUXILIARY_PAGE_ENTRY *entry = (const PSS_AUXILIARY_PAGE_ENTRY *)record;
    volatile unsigned char sum = 0;

    list->found++;
    expect(check, address_of(entry->Address) >= list->next, "auxiliary pages do not ascend");
    list->next = address_of(entry->Address) + entry->PageSize;
    for (DWORD i = 0; entry->PageContents && i < entry->PageSize; i++)
        sum ^= ((const unsigned char *)entry->PageContents)[i];
}

/* ---- Lists ---- */

struct kind {
    const char *name;
    DWORD flag; /* captured with */
    DWORD walk, query;
    DWORD entry_size, info_size;
    DWORD stays; /* entries that each list has; 0 where any may be there */
    void (*check)(const struct check *check, struct list *list, const void *record);
};

#define HANDLES_THAT_STAY (CHURN_KIND_COUNT + CHURN_NAMED_KINDS)

static const struct kind kinds[] = {
    {"regions", PSS_CAPTURE_VA_SPACE, PSS_WALK_VA_SPACE, PSS_QUERY_VA_SPACE_INFORMATION,
     sizeof(PSS_VA_SPACE_ENTRY), sizeof(PSS_VA_SPACE_INFORMATION), 1, check_region},
    {"handles", PSS_CAPTURE_HANDLES, PSS_WALK_HANDLES, PSS_QUERY_HANDLE_INFORMATION,
     sizeof(PSS_HANDLE_ENTRY), sizeof(PSS_HANDLE_INFORMATION), HANDLES_THAT_STAY, check_handle},
    {"threads", PSS_CAPTURE_THREADS, PSS_WALK_THREADS, PSS_QUERY_THREAD_INFORMATION,
     sizeof(PSS_THREAD_ENTRY), sizeof(PSS_THREAD_INFORMATION), CHURN_WAITERS, check_thread},
    {"thread names", PSS_CAPTURE_THREADS, PSS_WALK_THREAD_NAME, PSS_QUERY_THREAD_INFORMATION,
     sizeof(PSS_THREAD_NAME), sizeof(PSS_THREAD_INFORMATION), 0, check_name},
    {"auxiliary pages", PSS_CAPTURE_RESERVED_00000002, PSS_WALK_AUXILIARY_PAGES,
     PSS_QUERY_AUXILIARY_PAGES_INFORMATION, sizeof(PSS_AUXILIARY_PAGE_ENTRY),
     sizeof(PSS_AUXILIARY_PAGES_INFORMATION), 0, check_page},
};

/* The list was captured: it is walked to its end, which comes after as many as were counted. */
static void check_list(struct check *check, const struct kind *kind)
{
    DWORD information[2] = {0}; /* the count is the first member of each */
    struct list list = {0};
    uint64_t entry[32];
    HPSSWALK marker = NULL;
    DWORD error;

    error = pss.query(check->snapshot, kind->query, information, kind->info_size);
    expect(check, !error, "the query of the %s gives %lu", kind->name, error);
    check->context_length = information[1];
    if (pss.marker_create(NULL, &marker)) {
        churn_fail(check->worker->board, "there is no marker");
        return;
    }
    while (!(error = pss.walk(check->snapshot, kind->walk, marker, entry, kind->entry_size)) &&
           list.count++ < MAX_ENTRIES)
        kind->check(check, &list, entry);
    expect(check, error == ERROR_NO_MORE_ITEMS, "the walk of the %s ends with %lu", kind->name,
           error);
    expect(check, list.count == information[0], "%lu of %lu %s", list.count, information[0],
           kind->name);
    expect(check, !kind->stays || list.found == kind->stays, "%lu of the %lu %s that stay",
           list.found, kind->stays, kind->name);
    error = pss.walk(check->snapshot, kind->walk, marker, entry, kind->entry_size);
    expect(check, error == ERROR_NO_MORE_ITEMS, "the end of the %s is %lu", kind->name, error);
    expect(check, !pss.marker_free(marker), "a marker cannot be freed");
}

static void check_process(struct check *check)
{
    PSS_PROCESS_INFORMATION process = {0};
    DWORD error =
        pss.query(check->snapshot, PSS_QUERY_PROCESS_INFORMATION, &process, sizeof(process));

    expect(check,
           !error && process.ProcessId == check->worker->board->pid &&
               process.ExitStatus == STILL_ACTIVE && process.ImageFileName[0],
           "process information: error %lu, id %04lx, status %lu", error, process.ProcessId,
           process.ExitStatus);
}

/* The clone has the pattern, whatever became of anything else. */
static void check_clone(struct check *check)
{
    PSS_VA_CLONE_INFORMATION clone = {NULL};
    uint64_t words[512];
    uint64_t address = check->worker->board->pattern;
    SIZE_T done = 0, per_read = sizeof(words) / sizeof(words[0]);
    DWORD error = pss.query(check->snapshot, PSS_QUERY_VA_CLONE_INFORMATION, &clone, sizeof(clone));

    expect(check, !error, "the query of the clone gives %lu", error);
    for (SIZE_T i = 0; i < CHURN_PATTERN / sizeof(uint64_t); i++) {
        if (i % per_read == 0 &&
            !ReadProcessMemory(clone.VaCloneHandle, (void *)(uintptr_t)(address + i * 8), words,
                               sizeof(words), &done)) {
            churn_fail(check->worker->board, "the clone cannot be read: error %lu", GetLastError());
            return;
        }
        if (words[i % per_read] != pattern_word(CHURN_SEED, i)) {
            churn_fail(check->worker->board, "the clone has other bytes than the process");
            return;
        }
    }
}

static void check_missing(struct check *check, const struct kind *kind)
{
    DWORD information[2];
    DWORD error = pss.query(check->snapshot, kind->query, information, kind->info_size);

    expect(check, error == ERROR_NOT_FOUND, "the query of missing %s gives %lu", kind->name, error);
}

void churn_check(struct churn_worker *worker, HPSS snapshot, DWORD flags)
{
    struct check check = {worker, snapshot, flags, 0};

    churn_step(worker, CHURN_CHECKS, (LONG)flags);
    check_process(&check);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        bool is_ours = kinds[i].check != check_name && kinds[i].check != check_page;

        if (!is_ours && !under_test_is_ours())
            continue;
        if (flags & kinds[i].flag)
            check_list(&check, &kinds[i]);
        else
            check_missing(&check, &kinds[i]);
    }
    if (flags & PSS_CAPTURE_VA_CLONE)
        check_clone(&check);
}
