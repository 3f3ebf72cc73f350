/* SPDX-License-Identifier: MIT */
/* The DLL being judged, resolved at run time: pss.dll beside the test, or any other by name. */
#ifndef PSS_UNDER_TEST_H
#define PSS_UNDER_TEST_H

#include "harness.h"

/**
 * The thirteen functions, each wrapped so that a change of the last-error value fails the test.
 * Flags and classes are plain DWORDs, so that tests can pass undefined ones.
 */
struct under_test {
    DWORD (*capture)(HANDLE process, DWORD flags, DWORD context_flags, HPSS *snapshot);
    DWORD (*duplicate)(HANDLE source, HPSS snapshot, HANDLE target, HPSS *copy, DWORD flags);
    DWORD (*free)(HANDLE process, HPSS snapshot);
    DWORD (*query)(HPSS snapshot, DWORD information, void *buffer, DWORD size);
    DWORD (*walk)(HPSS snapshot, DWORD information, HPSSWALK marker, void *buffer, DWORD size);
    DWORD (*marker_create)(const PSS_ALLOCATOR *allocator, HPSSWALK *marker);
    DWORD (*marker_free)(HPSSWALK marker);
    DWORD (*marker_get)(HPSSWALK marker, ULONG_PTR *position);
    DWORD (*marker_set)(HPSSWALK marker, ULONG_PTR position);
    DWORD (*marker_restart)(HPSSWALK marker);
    DWORD (*marker_tell)(HPSSWALK marker, ULONG_PTR *position);
    DWORD (*marker_seek)(HPSSWALK marker, ULONG_PTR position);
    DWORD (*marker_rewind)(HPSSWALK marker);
};

extern const struct under_test pss;

/** Places where a difference from the contract may be known. */
enum difference_on {
    ON_WINE,     /* the system is Wine, whatever the DLL */
    ON_KERNEL32, /* the DLL is Windows' own */
};

/**
 * Loads the DLL and reads the command line: --under-test DLL (or PSS_UNDER_TEST), --only PATTERN.
 * Exits with status 2 when the DLL or one of its functions is missing. Sets PSS_FORWARD=0, so that
 * pss.dll hands nothing on to the system.
 */
void under_test_load(int argc, char **argv);

/** The loaded DLL, for tests that bind to it as a client would. */
HMODULE under_test_module(void);

/** Whether the DLL is this project's, whose promises go beyond Windows'. */
bool under_test_is_ours(void);

/** Whether the system is Wine. */
bool under_test_on_wine(void);

/** Skips the test and says why, as a line that the conformance kit shows in its table. */
#define skip_because(reason)                      \
    do {                                          \
        print_message("skipped: %s\n", (reason)); \
        skip();                                   \
    } while (0)

/** Why a test of two bitnesses is skipped. */
#define NO_OTHER_BITNESS "no target of the other bitness can be started here"

/** Skips the test unless the DLL is this project's, which alone survives what follows. */
#define only_ours()                                                     \
    do {                                                                \
        if (!under_test_is_ours())                                      \
            skip_because("only pss.dll promises this, or survives it"); \
    } while (0)

/**
 * States an expectation that is known not to hold in one place.
 * Elsewhere it must hold; there it must not, so that the note disappears when its reason does.
 */
#define known_difference(where, expectation) \
    known_difference_at(where, (expectation) ? true : false, #expectation, __FILE__, __LINE__)

/** The function behind known_difference. */
void known_difference_at(enum difference_on where, bool holds, const char *text, const char *file,
                         int line);

#endif
