/* SPDX-License-Identifier: MIT */
/* Reads the other process page by page, since what comes behind a table may be free. */
#include "imports.h"

#include "api.h"
#include "inject_image.h"

#define MAX_DESCRIPTORS 4096u /* the empty last one included */
#define MAX_THUNKS      8192u /* of the API's libraries; kernel32 has some 1600 exports */
#define PAGE            4096u

/** What is copied into; one allocation. */
struct room {
    IMAGE_IMPORT_DESCRIPTOR descriptors[MAX_DESCRIPTORS];
    uint32_t cut_counts[MAX_DESCRIPTORS];
    uint64_t thunks[MAX_THUNKS];
    unsigned char ours[MAX_THUNKS];
    char page[PAGE]; /* the one that was read last */
};

/** The other process, through its last page. */
struct window {
    const struct pss_nt *nt;
    const struct inject_image *image;
    const char *page; /* its address there; NULL = none yet */
    char *bytes;      /* of it */
};

/** Reads a few bytes. */
static NTSTATUS read_bytes(struct window *window, uint32_t rva, void *buffer, uint32_t size)
{
    char *next = buffer;

    while (size > 0) {
        uintptr_t address = (uintptr_t)inject_address(window->image, rva);
        uint32_t offset = (uint32_t)(address % PAGE);
        uint32_t part = size < PAGE - offset ? size : PAGE - offset;
        const char *page = (const char *)(address - offset);

        if (page != window->page) {
            NTSTATUS status =
                inject_read(window->nt, window->image->process, page, window->bytes, PAGE);

            window->page = NT_SUCCESS(status) ? page : NULL;
            if (!NT_SUCCESS(status))
                return status;
        }
        memcpy(next, window->bytes + offset, part);
        next += part;
        rva += part;
        size -= part;
    }
    return STATUS_SUCCESS;
}

/** Reads a text; one that is too long is cut off, and no name that counts. */
static NTSTATUS read_text(struct window *window, uint32_t rva, char text[API_NAME])
{
    for (uint32_t i = 0; i < API_NAME - 1; i++) {
        NTSTATUS status = read_bytes(window, rva + i, &text[i], 1);

        if (!NT_SUCCESS(status) || text[i] == '\0')
            return status;
    }
    text[API_NAME - 1] = '\0';
    return STATUS_SUCCESS;
}

/** The size in the directory is not always true: the table ends with the empty descriptor. */
static NTSTATUS read_descriptors(struct window *window, struct room *room, uint32_t *count)
{
    uint32_t rva = inject_directory(window->image, IMAGE_DIRECTORY_ENTRY_IMPORT)->VirtualAddress;

    *count = 0;
    if (rva == 0)
        return STATUS_SUCCESS;
    for (uint32_t i = 0; i < MAX_DESCRIPTORS; i++) {
        IMAGE_IMPORT_DESCRIPTOR *next = &room->descriptors[i];
        NTSTATUS status = read_bytes(window, rva + i * (uint32_t)sizeof *next, next, sizeof *next);

        if (!NT_SUCCESS(status))
            return status;
        if (next->Name == 0 || next->FirstThunk == 0) {
            *count = i;
            return STATUS_SUCCESS;
        }
    }
    return STATUS_INVALID_IMAGE_FORMAT;
}

/** Whether an import comes from elsewhere: only one by name may. */
static NTSTATUS judge(struct window *window, const struct inject_plan *plan, uint64_t thunk,
                      unsigned char *ours)
{
    uint64_t by_ordinal =
        inject_is_64bit(window->image) ? IMAGE_ORDINAL_FLAG64 : IMAGE_ORDINAL_FLAG32;
    char name[API_NAME];
    NTSTATUS status;

    *ours = 0;
    if (thunk & by_ordinal)
        return STATUS_SUCCESS;
    status = read_text(window, (uint32_t)thunk + (uint32_t)sizeof(WORD), name);
    if (NT_SUCCESS(status))
        *ours = plan->is_function(name) != 0;
    return status;
}

/** Copies the imports of a descriptor, behind those that are there; they count only if one of them
 * comes from elsewhere. */
static NTSTATUS read_thunks(struct window *window, const struct inject_plan *plan,
                            struct room *room, uint32_t index, struct imports *imports)
{
    const IMAGE_IMPORT_DESCRIPTOR *descriptor = &room->descriptors[index];
    uint32_t width = inject_is_64bit(window->image) ? 8 : 4;
    uint32_t rva = descriptor->OriginalFirstThunk != 0 ? descriptor->OriginalFirstThunk
                                                       : descriptor->FirstThunk;
    uint32_t first = imports->thunk_count;
    uint32_t runs = 0;
    int any = 0;

    for (uint32_t i = first; i < MAX_THUNKS; i++, rva += width) {
        NTSTATUS status = read_bytes(window, rva, &room->thunks[i], width);

        if (NT_SUCCESS(status) && room->thunks[i] != 0)
            status = judge(window, plan, room->thunks[i], &room->ours[i]);
        if (!NT_SUCCESS(status))
            return status;
        if (room->thunks[i] == 0) {
            if (any) {
                room->cut_counts[index] = i - first;
                imports->thunk_count = i;
                imports->cuts++;
                imports->runs += runs;
            }
            return STATUS_SUCCESS;
        }
        runs += i == first || room->ours[i] != room->ours[i - 1];
        any |= room->ours[i];
    }
    return STATUS_INVALID_IMAGE_FORMAT;
}

static NTSTATUS read_all(struct window *window, const struct inject_plan *plan, struct room *room,
                         struct imports *imports)
{
    NTSTATUS status = read_descriptors(window, room, &imports->count);

    for (uint32_t i = 0; NT_SUCCESS(status) && i < imports->count; i++) {
        char library[API_NAME];

        if (plan->is_library == NULL)
            break;
        status = read_text(window, room->descriptors[i].Name, library);
        if (NT_SUCCESS(status) && plan->is_library(library))
            status = read_thunks(window, plan, room, i, imports);
    }
    return status;
}

NTSTATUS imports_read(const struct pss_nt *nt, const struct inject_image *image,
                      const struct inject_plan *plan, struct imports *imports)
{
    struct imports copy = {0};
    SIZE_T size = sizeof(struct room);
    struct window window = {.nt = nt, .image = image};
    struct room *room;
    NTSTATUS status = nt->allocate_memory(PSS_CURRENT_PROCESS, &copy.pages, 0, &size,
                                          MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    if (!NT_SUCCESS(status))
        return status;
    room = copy.pages;
    copy.descriptors = room->descriptors;
    copy.cut_counts = room->cut_counts;
    copy.thunks = room->thunks;
    copy.ours = room->ours;
    window.bytes = room->page;
    status = read_all(&window, plan, room, &copy);
    if (NT_SUCCESS(status))
        *imports = copy;
    else
        imports_free(nt, &copy);
    return status;
}

void imports_free(const struct pss_nt *nt, struct imports *imports)
{
    SIZE_T none = 0;

    if (imports->pages != NULL)
        nt->free_memory(PSS_CURRENT_PROCESS, &imports->pages, &none, MEM_RELEASE);
    memset(imports, 0, sizeof *imports);
}
