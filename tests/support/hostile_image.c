/* SPDX-License-Identifier: MIT */
/* Processes whose images in memory have headers that lie, or none. */
#include <string.h>

#include "hostile_become.h"

#define PAGE 0x1000u

static IMAGE_NT_HEADERS *headers_of(unsigned char *image)
{
    return (IMAGE_NT_HEADERS *)(void *)(image + ((IMAGE_DOS_HEADER *)(void *)image)->e_lfanew);
}

static int unlock(unsigned char *image)
{
    DWORD old;

    return VirtualProtect(image, PAGE, PAGE_READWRITE, &old);
}

int become_header_offset(void)
{
    static const LONG offsets[] = {0x7fffffff, -1, (LONG)0x80000000, 0xff8, 0xfff, 0x10000000, 1};
    unsigned char *image = hostile_own_image();

    if (!unlock(image))
        return 0;
    ((IMAGE_DOS_HEADER *)(void *)image)->e_lfanew =
        offsets[hostile_random() % (sizeof(offsets) / sizeof(offsets[0]))];
    return 1;
}

int become_header_sections(void)
{
    unsigned char *image = hostile_own_image();

    if (!unlock(image))
        return 0;
    headers_of(image)->FileHeader.NumberOfSections = 0xffff;
    headers_of(image)->FileHeader.SizeOfOptionalHeader = 0xffff;
    return 1;
}

int become_header_size(void)
{
    unsigned char *image = hostile_own_image();

    if (!unlock(image))
        return 0;
    headers_of(image)->OptionalHeader.SizeOfImage = 0xfffff000;
    headers_of(image)->OptionalHeader.SizeOfHeaders = 0xffffffff;
    headers_of(image)->FileHeader.TimeDateStamp = 0xdeadbeef;
    headers_of(image)->OptionalHeader.NumberOfRvaAndSizes = 0xffffffff;
    return 1;
}

int become_header_zeros(void)
{
    unsigned char *image = hostile_own_image();

    if (!unlock(image))
        return 0;
    memset(image, 0, PAGE);
    return 1;
}

static int protect_header(DWORD protection)
{
    DWORD old;

    return VirtualProtect(hostile_own_image(), PAGE, protection, &old);
}

int become_header_guard(void)
{
    return protect_header(PAGE_READONLY | PAGE_GUARD);
}

int become_header_no_access(void)
{
    return protect_header(PAGE_NOACCESS);
}

typedef LONG NTAPI unmap_function(HANDLE process, void *base);

/* A DLL of its own is unmapped behind the loader's back; the list of modules still has it. */
int become_header_gone(void)
{
    unsigned char *image = (unsigned char *)LoadLibraryA("version.dll");
    unmap_function *unmap = (unmap_function *)(void *)GetProcAddress(GetModuleHandleA("ntdll.dll"),
                                                                     "NtUnmapViewOfSection");

    return image && unmap && unmap(GetCurrentProcess(), image) == 0;
}

int become_library_headers(void)
{
    static const char *const names[] = {"ntdll.dll", "kernel32.dll", "kernelbase.dll",
                                        "msvcrt.dll"};
    unsigned char *images[sizeof(names) / sizeof(names[0])];
    DWORD old;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        images[i] = (unsigned char *)GetModuleHandleA(names[i]);
        if (images[i] && !VirtualProtect(images[i], PAGE, PAGE_READWRITE, &old))
            images[i] = NULL;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (images[i])
            hostile_fill(images[i], PAGE);
    return 1;
}

static DWORD WINAPI flicker(void *argument)
{
    static unsigned char original[PAGE];
    unsigned char *image = hostile_own_image();

    (void)argument;
    memcpy(original, image, PAGE);
    hostile_begun();
    for (;;) {
        hostile_fill(image + hostile_random() % (PAGE - 64), 64);
        memcpy(image, original, PAGE);
    }
    return 0;
}

int become_header_flicker(void)
{
    return unlock(hostile_own_image()) && hostile_thread(flicker) != NULL;
}
