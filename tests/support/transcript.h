/* SPDX-License-Identifier: MIT */
/*
 * Everything that a snapshot answers, as bytes that two processes can compare, of either bitness.
 * The target writes one, too: nothing here may need the test's own libraries.
 */
#ifndef PSS_TRANSCRIPT_H
#define PSS_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <windows.h>

#include "pss.h"

/** The functions of the DLL that answers. */
struct transcript_calls {
    DWORD (*query)(HPSS snapshot, DWORD information, void *buffer, DWORD size);
    DWORD (*walk)(HPSS snapshot, DWORD information, HPSSWALK marker, void *buffer, DWORD size);
    DWORD (*marker_create)(const PSS_ALLOCATOR *allocator, HPSSWALK *marker);
    DWORD (*marker_free)(HPSSWALK marker);
};

/** Before each field; its bytes follow, filled up to the next multiple of 8. */
struct transcript_item {
    uint32_t stream; /* PSS_QUERY_*, or TRANSCRIPT_WALK + PSS_WALK_* */
    uint32_t entry;  /* index in a walk */
    uint32_t field;  /* counts from 0 in each entry */
    uint32_t size;   /* bytes */
};

#define TRANSCRIPT_WALK 0x1000u

/** Items until the end; zero-initialised is empty. */
struct transcript {
    unsigned char *bytes; /* owned, of malloc */
    size_t size;          /* bytes, as the next one */
    size_t room;
    bool is_narrow; /* addresses, sizes and handles by their low halves */
    bool failed;    /* out of memory, or a walk that never ends */
    struct transcript_item next;
};

/**
 * Asks a snapshot for every query and walk class, the undefined ones after the last of each, too.
 * Strings, contexts and pages are in it byte for byte. Of lent handles only stands whether they are
 * there: each owner has his own.
 *
 * \param narrow     [in]  What a 32-bit reader sees of a 64-bit capture.
 * \param transcript [out] Zero-initialised; to be freed with transcript_free.
 * \return false when it could not be written whole.
 */
bool transcript_read(const struct transcript_calls *calls, HPSS snapshot, bool narrow,
                     struct transcript *transcript);

/** Frees the bytes. */
void transcript_free(struct transcript *transcript);

#endif
