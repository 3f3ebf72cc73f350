/* SPDX-License-Identifier: MIT */
/* The whole of the public API over one snapshot, with its promises checked. */
#include "block_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_CONTEXT 716u /* of x86 */

#define require(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static _Noreturn void fail(const char *condition, int line)
{
    fprintf(stderr, "block_walk.c:%d: broken promise: %s\n", line, condition);
    abort();
}

/* Reads every byte where the optimizer cannot tell that nobody wants them. */
static void touch(const void *bytes, size_t size)
{
    static volatile unsigned char sink;

    for (size_t i = 0; i < size; i++)
        sink = (unsigned char)(sink + ((const unsigned char *)bytes)[i]);
}

static void touch_text(const WCHAR *text, WORD length)
{
    require(length % sizeof(WCHAR) == 0);
    require(text || !length);
    if (!text)
        return;
    touch(text, length + sizeof(WCHAR));
    require(text[length / sizeof(WCHAR)] == 0);
}

static void use_page(const void *buffer)
{
    const PSS_AUXILIARY_PAGE_ENTRY *entry = buffer;

    if (entry->PageContents)
        touch(entry->PageContents, entry->PageSize);
}

static void use_region(const void *buffer)
{
    const PSS_VA_SPACE_ENTRY *entry = buffer;

    touch_text(entry->MappedFileName, entry->MappedFileNameLength);
}

static void use_handle(const void *buffer)
{
    const PSS_HANDLE_ENTRY *entry = buffer;

    touch_text(entry->TypeName, entry->TypeNameLength);
    touch_text(entry->ObjectName, entry->ObjectNameLength);
}

static void use_thread(const void *buffer)
{
    const PSS_THREAD_ENTRY *entry = buffer;

    if (!entry->ContextRecord) {
        require(!entry->SizeOfContextRecord);
        return;
    }
    require(entry->SizeOfContextRecord >= SMALLEST_CONTEXT);
    require((uintptr_t)entry->ContextRecord % 16 == 0);
    touch(entry->ContextRecord, entry->SizeOfContextRecord);
}

static void use_thread_name(const void *buffer)
{
    const PSS_THREAD_NAME *entry = buffer;

    touch_text(entry->ThreadName, entry->ThreadNameSize);
}

static void use_process(HPSS snapshot)
{
    PSS_PROCESS_INFORMATION process;

    require(pss_snapshot_query(fake_nt(), snapshot, PSS_QUERY_PROCESS_INFORMATION, &process,
                               sizeof(process)) == STATUS_SUCCESS);
    require(process.ImageFileName[MAX_PATH - 1] == 0);
}

/* A query that succeeds, or whose class was not captured; answers which. */
static int query(HPSS snapshot, uint32_t information_class, void *buffer, DWORD length)
{
    NTSTATUS status = pss_snapshot_query(fake_nt(), snapshot, information_class, buffer, length);

    require(status == STATUS_SUCCESS || status == STATUS_NOT_FOUND);
    return status == STATUS_SUCCESS;
}

static const struct {
    DWORD length;
    uint32_t count_class; /* the query whose first field counts the entries */
    DWORD count_length;
    void (*use)(const void *entry);
} streams[] = {
    [PSS_WALK_AUXILIARY_PAGES] = {sizeof(PSS_AUXILIARY_PAGE_ENTRY),
                                  PSS_QUERY_AUXILIARY_PAGES_INFORMATION,
                                  sizeof(PSS_AUXILIARY_PAGES_INFORMATION), use_page},
    [PSS_WALK_VA_SPACE] = {sizeof(PSS_VA_SPACE_ENTRY), PSS_QUERY_VA_SPACE_INFORMATION,
                           sizeof(PSS_VA_SPACE_INFORMATION), use_region},
    [PSS_WALK_HANDLES] = {sizeof(PSS_HANDLE_ENTRY), PSS_QUERY_HANDLE_INFORMATION,
                          sizeof(PSS_HANDLE_INFORMATION), use_handle},
    [PSS_WALK_THREADS] = {sizeof(PSS_THREAD_ENTRY), PSS_QUERY_THREAD_INFORMATION,
                          sizeof(PSS_THREAD_INFORMATION), use_thread},
    [PSS_WALK_THREAD_NAME] = {sizeof(PSS_THREAD_NAME), PSS_QUERY_THREAD_INFORMATION,
                              sizeof(PSS_THREAD_INFORMATION), use_thread_name},
};

static uint64_t use_stream(HPSS snapshot, uint32_t information_class, HPSSWALK marker)
{
    DWORD count[2] = {0}, length = streams[information_class].length;
    uint64_t entry[32], walked = 0;
    NTSTATUS status;

    require(length <= sizeof(entry));
    if (!query(snapshot, streams[information_class].count_class, count,
               streams[information_class].count_length)) {
        require(pss_snapshot_walk(snapshot, information_class, marker, entry, length) ==
                STATUS_NOT_FOUND);
        return 0;
    }
    for (;; walked++) {
        status = pss_snapshot_walk(snapshot, information_class, marker, entry, length);
        if (status != STATUS_SUCCESS)
            break;
        streams[information_class].use(entry);
    }
    require(status == STATUS_NO_MORE_ENTRIES);
    require(walked == count[0]);
    return walked;
}

uint64_t block_use(HPSS snapshot)
{
    PSS_VA_CLONE_INFORMATION clone;
    PSS_VA_CLONE_DETAILS details;
    PSS_HANDLE_TRACE_INFORMATION trace;
    PSS_PERFORMANCE_COUNTERS counters;
    HPSSWALK marker;
    uint64_t walked = 0;

    use_process(snapshot);
    require(query(snapshot, PSS_QUERY_VA_CLONE_INFORMATION, &clone, sizeof(clone)) ==
            query(snapshot, PSS_QUERY_VA_CLONE_DETAILS, &details, sizeof(details)));
    query(snapshot, PSS_QUERY_HANDLE_TRACE_INFORMATION, &trace, sizeof(trace));
    query(snapshot, PSS_QUERY_PERFORMANCE_COUNTERS, &counters, sizeof(counters));
    require(pss_marker_create(fake_nt(), NULL, &marker) == STATUS_SUCCESS);
    for (uint32_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
        walked += use_stream(snapshot, i, marker);
    require(pss_marker_free(fake_nt(), marker) == STATUS_SUCCESS);
    return walked;
}

/* A block whose size is what there is, and that does not hold otherwise, is not adopted either. */
static void require_refusal(const struct pss_block *block, SIZE_T size)
{
    if (size >= sizeof(*block) && block->size == size)
        require(!pss_snapshot_block(fake_nt(), (HPSS)block));
}

int block_adopt_and_use(const void *bytes, SIZE_T size)
{
    const struct pss_nt *nt = fake_nt();
    void *base = NULL;
    SIZE_T allocated = size ? size : 1, whole = 0;
    struct pss_block *block;
    int is_sound;

    require(NT_SUCCESS(nt->allocate_memory(PSS_CURRENT_PROCESS, &base, 0, &allocated,
                                           MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)));
    block = base;
    if (size)
        memcpy(base, bytes, size);
    if (size >= sizeof(*block))
        block->origin = PSS_ORIGIN_SHIPPED;
    is_sound = NT_SUCCESS(pss_block_validate(base, size));
    if (!is_sound) {
        require_refusal(block, size);
        nt->free_memory(PSS_CURRENT_PROCESS, &base, &whole, MEM_RELEASE);
        return 0;
    }
    require(pss_snapshot_block(nt, (HPSS)block) == block);
    block_use((HPSS)block);
    require(pss_snapshot_free(nt, PSS_CURRENT_PROCESS, (HPSS)block) == STATUS_SUCCESS);
    fake.bad_closes = 0; /* the handles a foreign block names are anything */
    return 1;
}
