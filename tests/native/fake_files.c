/* SPDX-License-Identifier: MIT */
/* The fake kernel's files: images, and a directory with the memory of each process in a file. */
#include "fake_answers.h"

#include "fake_space.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define DECOY_ID 300u /* the first decoy's name; they come before the processes */

static const WCHAR directory_name[] = L"\\??\\unix\\proc\\";
static const WCHAR memory_name[] = L"\\mem";

/* What else is in such a directory. */
static const char *const strangers[] = {".",  "..",      "1",           "self",
                                        "17", "meminfo", "12345678901", "x"};

#define STRANGER_COUNT ((uint32_t)(sizeof(strangers) / sizeof(strangers[0])))

const struct fake_image *fake_image_find(struct fake_text name)
{
    for (uint32_t i = 0; i < fake.image_count; i++)
        if (fake.images[i].name.length == name.length &&
            !memcmp(fake.images[i].name.text, name.text, name.length))
            return &fake.images[i];
    return NULL;
}

void fake_image_map(struct fake_process *process, const struct fake_image *image, uint64_t base)
{
    for (uint32_t i = 0; i < image->part_count; i++) {
        struct fake_region part = image->parts[i];

        part.basic.BaseAddress = (void *)(ULONG_PTR)(fake_region_base(&part) + base);
        part.basic.AllocationBase = (void *)(ULONG_PTR)base;
        part.basic.AllocationProtect = PAGE_EXECUTE_WRITECOPY;
        part.basic.State = MEM_COMMIT;
        part.basic.Type = MEM_IMAGE;
        part.file_name = image->name;
        fake_space_insert(process, &part);
    }
}

static struct fake_process *process_of(uint32_t unix_id)
{
    if (unix_id >= DECOY_ID && unix_id < DECOY_ID + fake.decoys)
        return fake.decoy ? fake.decoy : fake.carrier;
    for (uint32_t i = 0; unix_id && i < fake.process_count; i++)
        if (fake.processes[i]->unix_id == unix_id)
            return fake.processes[i];
    return NULL;
}

/* The number between the directory's name and the file's; 0 for anything else. */
static uint32_t unix_id_of(const UNICODE_STRING *name)
{
    uint32_t head = sizeof(directory_name) / sizeof(WCHAR) - 1, id = 0, i = head;
    uint32_t tail = sizeof(memory_name) / sizeof(WCHAR) - 1;
    uint32_t count = name->Length / sizeof(WCHAR);

    if (count <= head + tail || memcmp(name->Buffer, directory_name, head * sizeof(WCHAR)) != 0)
        return 0;
    for (; i < count && name->Buffer[i] >= '0' && name->Buffer[i] <= '9'; i++)
        id = id * 10 + (uint32_t)(name->Buffer[i] - '0');
    if (count - i != tail || memcmp(name->Buffer + i, memory_name, tail * sizeof(WCHAR)) != 0)
        return 0;
    return id;
}

static int is_directory(const UNICODE_STRING *name)
{
    return name->Length == sizeof(directory_name) - sizeof(WCHAR) &&
           !memcmp(name->Buffer, directory_name, name->Length);
}

NTSTATUS fake_answer_file(HANDLE *file, ACCESS_MASK access, const OBJECT_ATTRIBUTES *attributes)
{
    const UNICODE_STRING *name = attributes->ObjectName;
    struct fake_text text = {name->Buffer, name->Length};
    const struct fake_image *image = fake_image_find(text);
    uint32_t unix_id = unix_id_of(name);
    struct fake_object *object;

    if (!image && (!fake.has_memory_files || (!is_directory(name) && !process_of(unix_id))))
        return STATUS_OBJECT_PATH_NOT_FOUND;
    if (unix_id && (fake.files_are_private ||
                    (fake.files_refuse_writes && access & (FILE_WRITE_DATA | GENERIC_WRITE))))
        return STATUS_ACCESS_DENIED;
    object = fake_object_add(FAKE_FILE);
    object->image = image;
    object->unix_id = unix_id;
    *file = fake_handle_open_library(object, access);
    return STATUS_SUCCESS;
}

/* The entry's name; answers 0 behind the last one. */
static int name_entry(uint32_t entry, char name[16])
{
    uint32_t processes = 0;

    name[0] = 0;
    if (entry < STRANGER_COUNT)
        return snprintf(name, 16, "%s", strangers[entry]);
    entry -= STRANGER_COUNT;
    if (entry < fake.decoys)
        return snprintf(name, 16, "%u", DECOY_ID + entry);
    entry -= fake.decoys;
    for (uint32_t i = 0; i < fake.process_count; i++)
        if (fake.processes[i]->unix_id && processes++ == entry)
            return snprintf(name, 16, "%u", fake.processes[i]->unix_id);
    return 0;
}

/* Two entries at a time, so that nobody forgets to come again. */
NTSTATUS fake_answer_directory(HANDLE directory, void *buffer, ULONG size, int restarts,
                               ULONG_PTR *information)
{
    NTSTATUS status = STATUS_SUCCESS;
    struct fake_object *object =
        fake_typed_object(directory, FAKE_FILE, FILE_LIST_DIRECTORY, &status);
    struct pss_nt_file_name *last = NULL;
    ULONG used = 0;
    char name[16];

    if (!object)
        return status;
    if (restarts || (fake.never_ends_directory && !name_entry(object->next_entry, name)))
        object->next_entry = 0;
    for (int i = 0; i < 2 && name_entry(object->next_entry, name); i++) {
        ULONG length = (ULONG)strlen(name);
        ULONG needed = (ULONG)offsetof(struct pss_nt_file_name, name) + length * sizeof(WCHAR);

        if (size - used < needed)
            break;
        if (last)
            last->next_offset = used - (ULONG)((char *)last - (char *)buffer);
        last = (struct pss_nt_file_name *)(void *)((char *)buffer + used);
        last->next_offset = last->index = 0;
        last->length = length * sizeof(WCHAR);
        for (ULONG j = 0; j < length; j++)
            last->name[j] = (WCHAR)name[j];
        *information = used + needed;
        used = (used + needed + 7) & ~7u;
        object->next_entry++;
    }
    if (last)
        return STATUS_SUCCESS;
    return name_entry(object->next_entry, name) ? STATUS_BUFFER_OVERFLOW : STATUS_NO_MORE_FILES;
}

/* The bytes from the offset on that are there, up to the size. */
static ULONG bytes_there(const struct fake_process *process, uint64_t offset, ULONG size)
{
    uint64_t end = offset;

    while (end < offset + size) {
        const struct fake_region *region = fake_region_at(process, end);

        if (!region)
            break;
        if (region->basic.State != MEM_COMMIT)
            fake.blind_reads++;
        end = fake_region_end(region);
    }
    return end < offset + size ? (ULONG)(end - offset) : size;
}

static struct fake_process *process_behind(HANDLE file, ACCESS_MASK access, NTSTATUS *status)
{
    struct fake_object *object = fake_typed_object(file, FAKE_FILE, access, status);
    struct fake_process *process = object ? process_of(object->unix_id) : NULL;

    if (object && !process)
        *status = STATUS_INVALID_DEVICE_REQUEST;
    if (process && process->times.exit_time.QuadPart) {
        *status = STATUS_END_OF_FILE;
        return NULL;
    }
    return process;
}

NTSTATUS fake_answer_read_file(HANDLE file, void *buffer, ULONG size, uint64_t offset,
                               ULONG_PTR *information)
{
    NTSTATUS status = STATUS_SUCCESS;
    const struct fake_process *process = process_behind(file, FILE_READ_DATA, &status);

    if (!process)
        return status;
    size = (ULONG)fake_readable_bytes(process, offset, bytes_there(process, offset, size));
    if (!size)
        return STATUS_DEVICE_NOT_READY;
    if (fake.files_read_short)
        size /= 2;
    fake_read(process, offset, buffer, size);
    if (fake.files_lie && size)
        *(unsigned char *)buffer ^= 1;
    fake.file_bytes_read += size;
    *information = size;
    return STATUS_SUCCESS;
}

NTSTATUS fake_answer_write_file(HANDLE file, const void *bytes, ULONG size, uint64_t offset,
                                ULONG_PTR *information)
{
    NTSTATUS status = STATUS_SUCCESS;
    struct fake_process *process = process_behind(file, FILE_WRITE_DATA, &status);
    const struct fake_object *object = fake_object_of(file, MAXIMUM_ALLOWED, &status);

    if (!process)
        return status;
    if (object->unix_id >= DECOY_ID && object->unix_id < DECOY_ID + fake.decoys)
        fake.strange_writes++;
    size = bytes_there(process, offset, size);
    if (!size)
        return STATUS_DEVICE_NOT_READY;
    if (fake.files_read_short)
        size /= 2;
    fake_write_through(process, offset, bytes, size);
    fake.file_bytes_written += size;
    *information = size;
    return STATUS_SUCCESS;
}

NTSTATUS fake_answer_image_section(HANDLE *section, ACCESS_MASK access, HANDLE file)
{
    NTSTATUS status = STATUS_SUCCESS;
    const struct fake_object *object =
        fake_typed_object(file, FAKE_FILE, FILE_READ_DATA | FILE_EXECUTE, &status);
    struct fake_object *made;

    if (!object)
        return status;
    if (!object->image || !object->image->part_count)
        return STATUS_INVALID_IMAGE_FORMAT;
    made = fake_object_add(FAKE_SECTION);
    made->section.attributes = SEC_IMAGE | SEC_FILE;
    made->image = object->image;
    *section = fake_handle_open_library(made, access);
    return STATUS_SUCCESS;
}
