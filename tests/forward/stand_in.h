/* SPDX-License-Identifier: MIT */
/* A DLL in kernel32's place, whose Process Snapshotting API behaves as a test wants. */
#ifndef PSS_STAND_IN_H
#define PSS_STAND_IN_H

#include <windows.h>

#include <stdint.h>

enum stand_in_function {
    STAND_IN_CAPTURE,
    STAND_IN_FREE,
    STAND_IN_QUERY,
    STAND_IN_WALK,
    STAND_IN_DUPLICATE,
    STAND_IN_MARKER_CREATE,
    STAND_IN_MARKER_FREE,
    STAND_IN_MARKER_GET_POSITION,
    STAND_IN_MARKER_SET_POSITION,
    STAND_IN_MARKER_SEEK_TO_BEGINNING,
    STAND_IN_MARKER_TELL,
    STAND_IN_MARKER_SEEK,
    STAND_IN_MARKER_REWIND,
    STAND_IN_FUNCTIONS
};

/* clang-format off */
#define STAND_IN_BEHAVIOURS(X) \
    X(WORKS) X(HANDLES_EXCEPTIONS) \
    X(ANSWERS_120) X(ANSWERS_50) X(RAISES_WINE_STUB) X(READS_NULL) \
    X(CAPTURES_NULL) X(CAPTURES_MINUS_ONE) X(CAPTURES_GARBAGE) \
    X(QUERY_FAILS) X(QUERY_WRITES_NOTHING) X(QUERY_GIVES_ZEROS) X(QUERY_GIVES_OTHER_PROCESS) \
    X(QUERY_RAISES) X(HAS_NO_THREADS) \
    X(MARKER_FAILS) X(MARKER_IS_NULL) X(MARKER_RAISES) \
    X(WALK_FAILS) X(WALK_ENDS) X(WALK_GIVES_ZEROS) X(WALK_RAISES) \
    X(MARKER_FREE_FAILS) X(MARKER_FREE_RAISES) X(FREE_FAILS) X(FREE_RAISES) \
    X(WAITS) X(CALLS_BACK) X(RECORDS)
/* clang-format on */

#define STAND_IN_ENUMERATOR(name) STAND_IN_##name,
enum stand_in_behaviour { STAND_IN_BEHAVIOURS(STAND_IN_ENUMERATOR) STAND_IN_BEHAVIOUR_COUNT };
#undef STAND_IN_ENUMERATOR

/** What the DLL exports as data under the name `stand_in`. */
struct stand_in {
    enum stand_in_behaviour behaviour;
    uint32_t calls[STAND_IN_FUNCTIONS];
    uintptr_t arguments[STAND_IN_FUNCTIONS][5]; /* of the last call */
    int32_t snapshots, markers;                 /* alive */

    DWORD results[STAND_IN_FUNCTIONS]; /* RECORDS: the answers, and what becomes the last error */
    HANDLE entered, leave;             /* WAITS: set by a capture; waited for by it */
    DWORD(WINAPI *capture)(HANDLE, DWORD, DWORD, void **); /* CALLS_BACK: who captures instead */
    DWORD(WINAPI *free)(HANDLE, void *);                   /* and frees */
};

#endif
