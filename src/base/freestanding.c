/* SPDX-License-Identifier: MIT */
/* The memory functions that compilers call by themselves, for the DLL, which has no C runtime. */
#include <stddef.h>

void *memcpy(void *restrict target, const void *restrict source, size_t size);
void *memmove(void *target, const void *source, size_t size);
void *memset(void *target, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);

void *memcpy(void *restrict target, const void *restrict source, size_t size)
{
    void *to = target;

    __asm__ volatile("rep movsb" : "+D"(to), "+S"(source), "+c"(size) : : "memory");
    return target;
}

void *memmove(void *target, const void *source, size_t size)
{
    unsigned char *to = target;
    const unsigned char *from = source;

    if (to <= from || to >= from + size)
        return memcpy(target, source, size);
    while (size--) {
        to[size] = from[size];
        __asm__ volatile("" : : : "memory"); /* keeps the loop from becoming a call of memmove */
    }
    return target;
}

void *memset(void *target, int value, size_t size)
{
    void *to = target;

    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return target;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const unsigned char *a = left, *b = right;

    for (size_t i = 0; i < size; i++)
        if (a[i] != b[i])
            return a[i] - b[i];
    return 0;
}
