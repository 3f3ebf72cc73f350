/* SPDX-License-Identifier: MIT */
/* What the C library would do, and the way through a module's headers. */
#include "image.h"

static IMAGE_NT_HEADERS *headers_of(char *module)
{
    const IMAGE_DOS_HEADER *dos = (const IMAGE_DOS_HEADER *)module;

    return (IMAGE_NT_HEADERS *)(module + dos->e_lfanew);
}

IMAGE_DATA_DIRECTORY *image_directory(char *module, unsigned index)
{
    IMAGE_NT_HEADERS *headers = headers_of(module);

    return index < headers->OptionalHeader.NumberOfRvaAndSizes
               ? &headers->OptionalHeader.DataDirectory[index]
               : NULL;
}

DWORD image_size(char *module)
{
    return headers_of(module)->OptionalHeader.SizeOfImage;
}

SIZE_T image_text_size(const char *text)
{
    SIZE_T size = 0;

    while (text[size++] != '\0')
        ;
    return size;
}

int image_text_compare(const char *left, const char *right)
{
    while (*left != '\0' && *left == *right) {
        left++;
        right++;
    }
    return (unsigned char)*left - (unsigned char)*right;
}

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

int image_names_equal(const char *left, const char *right)
{
    while (*left != '\0' && lower(*left) == lower(*right)) {
        left++;
        right++;
    }
    return lower(*left) == lower(*right);
}
