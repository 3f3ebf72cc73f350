/* SPDX-License-Identifier: MIT */
/* The fake kernel's services that change memory: the library's own, or that of a carrier. */
#include "fake_services.h"

#include "fake_answers.h"

#include <stdio.h>
#include <stdlib.h>

/* The first address that is none. */
static uint64_t limit_of(ULONG_PTR zero_bits)
{
    switch (zero_bits) {
    case PSS_NT_ANYWHERE:
        return UINT64_MAX;
    case PSS_NT_BELOW_2_GB:
        return 0x80000000u;
    case PSS_NT_BELOW_4_GB:
        return 0x100000000u;
    default:
        abort();
    }
}

/* Real memory is where it is: which limit it was asked for with is all that is modelled. */
static NTSTATUS allocate_own(void **base, SIZE_T *size, struct fake_allocation what)
{
    if (*base || what.protect != PAGE_READWRITE || what.type != (MEM_RESERVE | MEM_COMMIT))
        abort();
    *base = fake_memory_allocate(*size, what.limit != UINT64_MAX);
    *size = (*size + 0xFFF) & ~(SIZE_T)0xFFF;
    return *base ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

NTSTATUS NTAPI fake_allocate_memory(HANDLE process, void **base, ULONG_PTR zero_bits, SIZE_T *size,
                                    ULONG type, ULONG protect)
{
    int is_own = process == PSS_CURRENT_PROCESS;
    NTSTATUS status = fake_enter(is_own ? FAKE_ALLOCATE_MEMORY : FAKE_REMOTE_MEMORY);

    struct fake_allocation what = {limit_of(zero_bits), type, protect};

    if (NT_SUCCESS(status) && zero_bits == PSS_NT_BELOW_4_GB && fake.knows_no_masks)
        status = STATUS_INVALID_PARAMETER_3;
    if (!NT_SUCCESS(status))
        return fake_leave(status);
    return fake_leave(is_own ? allocate_own(base, size, what)
                             : fake_remote_allocate(process, base, size, what));
}

static NTSTATUS free_own(void *base, SIZE_T size, ULONG type)
{
    fake_enter(FAKE_RELEASE);
    if (size || type != MEM_RELEASE || !fake_memory_free(base)) {
        fprintf(stderr, "free_memory: %p was not allocated\n", base);
        abort();
    }
    return fake_leave(STATUS_SUCCESS);
}

NTSTATUS NTAPI fake_free_memory(HANDLE process, void **base, SIZE_T *size, ULONG type)
{
    NTSTATUS status;

    if (process == PSS_CURRENT_PROCESS)
        return free_own(*base, *size, type);
    status = fake_enter(FAKE_REMOTE_MEMORY);
    return fake_leave(NT_SUCCESS(status) ? fake_remote_free(process, base, size, type) : status);
}

NTSTATUS NTAPI fake_write_memory(HANDLE process, void *address, const void *bytes, SIZE_T size,
                                 SIZE_T *written)
{
    NTSTATUS status = fake_enter(FAKE_WRITE_MEMORY);

    if (NT_SUCCESS(status))
        status = fake_remote_write(process, (uint64_t)(ULONG_PTR)address, bytes, size, written);
    if (NT_SUCCESS(status) && fake.writes_short && written)
        *written /= 2;
    return fake_leave(status);
}

NTSTATUS NTAPI fake_protect_memory(HANDLE process, void **base, SIZE_T *size, ULONG protect,
                                   ULONG *previous)
{
    NTSTATUS status = fake_enter(FAKE_PROTECT_MEMORY);

    if (NT_SUCCESS(status))
        status = fake_remote_protect(process, base, size, protect, previous);
    return fake_leave(status);
}

NTSTATUS NTAPI fake_create_section(HANDLE *section, ACCESS_MASK access,
                                   OBJECT_ATTRIBUTES *attributes, LARGE_INTEGER *size,
                                   ULONG protect, ULONG kind, HANDLE file)
{
    NTSTATUS status = fake_enter(FAKE_CREATE_SECTION);

    if (attributes || (kind == SEC_IMAGE) != (file != NULL))
        abort();
    if (kind == SEC_IMAGE)
        return fake_leave(NT_SUCCESS(status) ? fake_answer_image_section(section, access, file)
                                             : status);
    if (protect != PAGE_READWRITE || kind != SEC_COMMIT)
        abort();
    return fake_leave(NT_SUCCESS(status) ? fake_answer_section(section, size) : status);
}

static NTSTATUS map_own(HANDLE section, void **base, const LARGE_INTEGER *offset, SIZE_T *size)
{
    if (*base)
        abort();
    return fake_answer_map(section, base, offset, size);
}

NTSTATUS NTAPI fake_map_view(HANDLE section, HANDLE process, void **base, ULONG_PTR zero_bits,
                             SIZE_T commit, LARGE_INTEGER *offset, SIZE_T *size, ULONG inherit,
                             ULONG type, ULONG protect)
{
    int is_own = process == PSS_CURRENT_PROCESS;
    NTSTATUS status = fake_enter(is_own ? FAKE_MAP_VIEW : FAKE_REMOTE_MEMORY);

    (void)protect;
    if (zero_bits || commit || (offset && !is_own) || inherit != PSS_NT_VIEW_UNMAP || type)
        abort();
    if (!NT_SUCCESS(status))
        return fake_leave(status);
    return fake_leave(is_own ? map_own(section, base, offset, size)
                             : fake_remote_map(section, process, base, size));
}

NTSTATUS NTAPI fake_unmap_view(HANDLE process, void *base)
{
    NTSTATUS status =
        fake_enter(process == PSS_CURRENT_PROCESS ? FAKE_RELEASE : FAKE_REMOTE_MEMORY);

    if (process == PSS_CURRENT_PROCESS && !base)
        abort();
    if (process == PSS_CURRENT_PROCESS)
        fake_views_add(-1);
    else if (NT_SUCCESS(status))
        status = fake_remote_unmap(process, base);
    return fake_leave(status);
}
