/* SPDX-License-Identifier: MIT */
/* A child that has not begun yet, and what can be seen of it. */
#ifndef PSS_SHIM_CHILD_H
#define PSS_SHIM_CHILD_H

#include "harness.h"

/** Exit codes of the child; modules/child.c. */
#define CHILD_LOADED_FIRST 42u /* both DLLs came before its own */
#define CHILD_UNTOUCHED    43u
#define CHILD_REDIRECTED   45u /* some of its imports come from a DLL of ours */

#define CHILD_HEADERS 0x1000u
#define CHILD_REGIONS 1024u

/** The suspended child. */
struct child {
    HANDLE process; /* owned, all rights */
    HANDLE thread;  /* owned */
    char *base;     /* of its program */
    DWORD pid;
    bool is_64bit;
    bool is_out_of_reach; /* its memory cannot be seen from here: it has no base and no state */
};

/** What must stay as it was: the headers of the program, and the regions of the address space. */
struct child_state {
    unsigned char headers[CHILD_HEADERS];
    DWORD count;
    MEMORY_BASIC_INFORMATION regions[CHILD_REGIONS];
};

/** Chooses the child of the other bitness; DLLs for it lie in x86 beside the test. */
void child_use_foreign(void);

/** Whether a child of the chosen bitness can be started at all. */
bool child_is_possible(void);

/** Starts the child suspended; it will look for shim-sample.dll and shim-other.dll. */
void child_start(struct child *child);

/** Full path of one of the test's DLLs for the child. */
void child_module_path(const char *name, char path[MAX_PATH]);

/** Lets it run to its end, and lets go of it; its exit code. */
DWORD child_finish(struct child *child);

/** Ends it unless it has ended, and lets go of it. */
void child_end(struct child *child);

void child_read_state(const struct child *child, struct child_state *state);

/**
 * Fails the test, and says where, unless the child is as it was.
 *
 * \param is_wider [in] The headers may be writable: giving them their protection back was not
 * possible.
 */
void child_assert_state(const struct child *child, const struct child_state *before, bool is_wider,
                        const char *where);

/** Writes to the child whatever the protection is, which stays. */
void child_write(const struct child *child, char *address, const void *bytes, SIZE_T size);

#endif
