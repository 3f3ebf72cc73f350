/* SPDX-License-Identifier: MIT */
/* A text the system answered with: a UNICODE_STRING whose characters follow it in the buffer. */
#ifndef PSS_UNICODE_H
#define PSS_UNICODE_H

#include "nt/nt.h"

/**
 * The bytes of the text in an answer, or 0 if it is empty or not wholly within the buffer. Some
 * systems count the terminator; it is left out.
 *
 * \param buffer  [in] A UNICODE_STRING at its start.
 * \param size    [in] Bytes of the buffer, sizeof(UNICODE_STRING) at least.
 * \return even, 65534 at most.
 */
static inline SIZE_T pss_unicode_length(const void *buffer, SIZE_T size)
{
    const UNICODE_STRING *text = buffer;
    uintptr_t start = (uintptr_t)text->Buffer;
    SIZE_T count = text->Length / sizeof(WCHAR);

    if (start < (uintptr_t)(text + 1) || start - (uintptr_t)buffer > size || start % sizeof(WCHAR))
        return 0;
    if (text->Length > size - (start - (uintptr_t)buffer))
        return 0;
    while (count && !text->Buffer[count - 1])
        count--;
    return count * sizeof(WCHAR);
}

#endif
