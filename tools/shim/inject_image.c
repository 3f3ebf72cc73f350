/* SPDX-License-Identifier: MIT */
/* Reads and checks the headers of a new process's program. */
#include "inject_image.h"

/** An address that the other process has named. */
static char *address_at(const char *start, SIZE_T offset)
{
    return (char *)((uintptr_t)start + offset);
}

char *inject_address(const struct inject_image *image, uint32_t rva)
{
    return address_at(image->base, rva);
}

NTSTATUS inject_read(const struct pss_nt *nt, HANDLE process, const char *address, void *buffer,
                     SIZE_T size)
{
    SIZE_T read = 0;
    NTSTATUS status = nt->read_memory(process, address, buffer, size, &read);

    return NT_SUCCESS(status) && read != size ? STATUS_PARTIAL_COPY : status;
}

/* source: phnt ntpebteb.h, PEB.ImageBaseAddress, at the third pointer; a WoW64 process has it in
 * its 64-bit PEB too */
static NTSTATUS find_base(const struct pss_nt *nt, HANDLE process, char **base)
{
    struct pss_nt_process_basic basic;
    NTSTATUS status =
        nt->query_process(process, ProcessBasicInformation, &basic, sizeof basic, NULL);

    if (!NT_SUCCESS(status))
        return status;
    return inject_read(nt, process, address_at(basic.peb, 2 * sizeof(void *)), base, sizeof *base);
}

int inject_is_64bit(const struct inject_image *image)
{
    return image->machine == IMAGE_FILE_MACHINE_AMD64;
}

const IMAGE_DATA_DIRECTORY *inject_directory(const struct inject_image *image, unsigned index)
{
    const IMAGE_OPTIONAL_HEADER32 *narrow = &image->copy.nt32.OptionalHeader;
    const IMAGE_OPTIONAL_HEADER64 *wide = &image->copy.nt64.OptionalHeader;

    if (inject_is_64bit(image))
        return index < wide->NumberOfRvaAndSizes ? &wide->DataDirectory[index] : NULL;
    return index < narrow->NumberOfRvaAndSizes ? &narrow->DataDirectory[index] : NULL;
}

/* source: learn.microsoft.com, PE format: the magic number says which optional header it is */
static NTSTATUS check_headers(const struct inject_image *image)
{
    const IMAGE_NT_HEADERS32 *nt32 = &image->copy.nt32;
    WORD magic = nt32->OptionalHeader.Magic;

    if (nt32->Signature != IMAGE_NT_SIGNATURE)
        return STATUS_INVALID_IMAGE_FORMAT;
    if (image->machine != IMAGE_FILE_MACHINE_AMD64 && image->machine != IMAGE_FILE_MACHINE_I386)
        return STATUS_NOT_SUPPORTED;
    if (magic != (inject_is_64bit(image) ? IMAGE_NT_OPTIONAL_HDR64_MAGIC
                                         : IMAGE_NT_OPTIONAL_HDR32_MAGIC) ||
        inject_directory(image, IMAGE_DIRECTORY_ENTRY_IMPORT) == NULL)
        return STATUS_INVALID_IMAGE_FORMAT;
    return STATUS_SUCCESS;
}

/** Whether no loader will read the imports, since all code is managed. */
static int is_managed(const struct pss_nt *nt, const struct inject_image *image)
{
    const IMAGE_DATA_DIRECTORY *found =
        inject_directory(image, IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR);
    IMAGE_COR20_HEADER managed;

    return found != NULL && found->VirtualAddress != 0 &&
           NT_SUCCESS(inject_read(nt, image->process,
                                  address_at(image->base, found->VirtualAddress), &managed,
                                  sizeof managed)) &&
           (managed.Flags & COMIMAGE_FLAGS_ILONLY);
}

NTSTATUS inject_open(const struct pss_nt *nt, HANDLE process, struct inject_image *image)
{
    struct inject_image opened = {.process = process};
    IMAGE_DOS_HEADER dos;
    NTSTATUS status = find_base(nt, process, &opened.base);

    if (!NT_SUCCESS(status))
        return status;
    status = inject_read(nt, process, opened.base, &dos, sizeof dos);
    if (!NT_SUCCESS(status))
        return status;
    if (dos.e_magic != IMAGE_DOS_SIGNATURE || dos.e_lfanew <= 0)
        return STATUS_INVALID_IMAGE_FORMAT;
    opened.headers = address_at(opened.base, (uint32_t)dos.e_lfanew);
    status = inject_read(nt, process, opened.headers, &opened.copy, sizeof opened.copy);
    if (!NT_SUCCESS(status))
        return status;
    opened.machine = opened.copy.nt32.FileHeader.Machine;
    status = check_headers(&opened);
    if (NT_SUCCESS(status) && is_managed(nt, &opened))
        status = STATUS_NOT_SUPPORTED;
    if (NT_SUCCESS(status))
        *image = opened;
    return status;
}
