/* SPDX-License-Identifier: MIT */
/* Reads a snapshot whole through the public API, strictly: every walk to its end, every byte
 * written. */
#ifndef PSS_RECORDS_H
#define PSS_RECORDS_H

#include "harness.h"

/** One stream of a snapshot; the marker keeps the strings alive. */
struct records {
    HPSSWALK marker;
    DWORD count;
    DWORD entry_size; /* bytes */
    unsigned char *entries;
};

/**
 * Walks a stream to its end, with a marker of its own.
 * Each entry is read twice over different bytes, and the two must be equal; the end must repeat.
 *
 * \param information [in] A PSS_WALK_* class.
 */
struct records records_read(HPSS snapshot, DWORD information);

/** Frees the marker and the copies. */
void records_free(struct records *records);

/** The entry at an index, as the type of its class. */
#define record_at(records, type, index) ((const type *)record_address(&(records), index))

/** The function behind record_at. */
const void *record_address(const struct records *records, DWORD index);

/** Queries a class that must be there, twice over different bytes, which must become equal. */
void query_fully(HPSS snapshot, DWORD information, void *buffer, DWORD size);

/** The size of a class's structure. */
DWORD query_size(DWORD information);
DWORD walk_size(DWORD information);

/** The number of entries of a stream, by its query class; the stream must have been captured. */
DWORD walk_count(HPSS snapshot, DWORD information);

/** Finds a handle or thread in a stream; fails the test when it is missing. */
const PSS_HANDLE_ENTRY *find_handle(const struct records *records, uint64_t handle);
const PSS_THREAD_ENTRY *find_thread(const struct records *records, DWORD id);

/** Finds the region that contains an address. */
const PSS_VA_SPACE_ENTRY *find_region(const struct records *records, uint64_t address);

/** Asserts a string's rules: NULL and 0, or terminated right after its length in bytes. */
void assert_text(const WCHAR *text, WORD length);

/** Asserts a string's rules and its characters. */
void assert_text_is(const WCHAR *text, WORD length, const WCHAR *expected);

/** Frees a local snapshot and asserts that this succeeds. */
void free_snapshot(HPSS snapshot);

#endif
