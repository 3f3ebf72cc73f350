/* SPDX-License-Identifier: MIT */
/* What the test and its target share: one command at a time, through one mapped section. */
#ifndef PSS_TARGET_CHANNEL_H
#define PSS_TARGET_CHANNEL_H

#include <stdint.h>

#include <windows.h>

#define TARGET_MAX_VALUES    4096
#define TARGET_TEXT_LENGTH   300
#define TARGET_MAX_ARGUMENTS 5
#define TARGET_MARKS         16 /* words on the stack of a waiting thread */

/** What a target can be told; in brackets the arguments, after the arrow the result. */
enum target_op {
    TARGET_PING,  /* -> its pid; values: main thread id, main TEB */
    TARGET_EXIT,  /* (exit code) */
    TARGET_CRASH, /* (address): an access violation that nobody handles */

    TARGET_ALLOCATE,     /* (address, size, MEM_*, PAGE_*) -> address */
    TARGET_PROTECT,      /* (address, size, PAGE_*) -> old protection */
    TARGET_FREE,         /* (address, size, MEM_DECOMMIT or MEM_RELEASE) */
    TARGET_REGIONS,      /* (count, sparse): that many regions of a page each, of alternating
                            protection, or alternately committed and not -> address */
    TARGET_MAP_FILE,     /* (PAGE_* | SEC_*, FILE_MAP_*), text: path -> view; values: section */
    TARGET_MAP_MEMORY,   /* (size, PAGE_* | SEC_*, FILE_MAP_*) -> view; values: section */
    TARGET_UNMAP,        /* (view) */
    TARGET_LOAD_LIBRARY, /* text: DLL -> module */
    TARGET_FILL,         /* (address, size, seed): pattern.h; whatever the protection */
    TARGET_CHURN_MEMORY, /* (on): a thread that maps and unmaps memory all the time */

    TARGET_THREAD,     /* (enum target_thread, THREAD_PRIORITY_*, suspended), text: name
                          -> handle; values: id, TEB, start address, stack address, named?;
                          at the stack address stand TARGET_MARKS words of the pattern of
                          the thread's id */
    TARGET_THREADS,    /* (count): waiting threads with small stacks; values: their ids */
    TARGET_END_THREAD, /* (handle, exit code): ends a waiting thread and waits for that */
    TARGET_PARK,       /* (use AVX): a thread with known registers -> struct park's address;
                          values: id, lowest and highest instruction address, handle */
    TARGET_CHURN,      /* (on): a thread that starts and ends threads all the time */

    TARGET_EVENT,        /* (manual, signaled, inherit), text: name -> handle */
    TARGET_MUTANT,       /* (owned by the main thread), text: name -> handle */
    TARGET_ABANDON,      /* (mutant): a thread takes it and ends */
    TARGET_SEMAPHORE,    /* (count, maximum), text: name -> handle */
    TARGET_SECTION,      /* (size, PAGE_* | SEC_*, file handle or 0), text: name -> handle */
    TARGET_FILE,         /* (GENERIC_*, creation disposition), text: path -> handle */
    TARGET_KEY,          /* text: path under HKEY_CURRENT_USER -> handle */
    TARGET_PROCESS,      /* (pid, access) -> handle */
    TARGET_OPEN_THREAD,  /* (id, access) -> handle */
    TARGET_PIPE,         /* -> read end; values: write end */
    TARGET_BLOCK_ON,     /* (pipe's read end): a thread that reads from it for ever */
    TARGET_TIMER,        /* text: name -> handle */
    TARGET_JOB,          /* text: name -> handle */
    TARGET_DUPLICATE,    /* (handle, access, DUPLICATE_*) -> handle */
    TARGET_HANDLE_FLAGS, /* (handle, HANDLE_FLAG_*) */
    TARGET_CLOSE,        /* (handle) */
    TARGET_MANY_HANDLES, /* (TARGET_EVENT .. TARGET_TIMER, count); values: handles */
    TARGET_SIGNAL,       /* (event handle, on) */
    TARGET_REUSE_HANDLE, /* (handle): a thread that closes it, and uses its value for a mutant, an
                            event, a mutant ... as long as the process lives */

    /* With the DLL under test; what fails in it is told by an error code, not by the channel. */
    TARGET_SNAPSHOT_LOAD,      /* text: DLL */
    TARGET_SNAPSHOT_CAPTURE,   /* (pid or 0 for itself, PSS_CAPTURE_*, CONTEXT_*) -> snapshot;
                                  values: error */
    TARGET_SNAPSHOT_ROUNDS,    /* (pid or 0, PSS_CAPTURE_*, CONTEXT_*, rounds): captures and frees
                                  so often -> rounds that failed; values: the last error */
    TARGET_SNAPSHOT_DUPLICATE, /* (source pid or 0, snapshot, target pid or 0, PSS_DUPLICATE_*)
                                  -> duplicate; values: error */
    TARGET_SNAPSHOT_FREE,      /* (pid or 0, snapshot) -> error */
    TARGET_SNAPSHOT_QUERY,     /* (snapshot, PSS_QUERY_*) -> error; values: the structure's first
                                  word, as wide as a pointer */
    TARGET_SNAPSHOT_READ,      /* (snapshot, narrow) -> address of a transcript; values: bytes */
    TARGET_SNAPSHOT_MARKER,    /* -> walk marker; values: error */
    TARGET_SNAPSHOT_WALK,      /* (snapshot, PSS_WALK_*, marker) -> error */
    TARGET_SNAPSHOT_UNMARK,    /* (marker) -> error */
    TARGET_READ_MEMORY,        /* (process handle, address, size); values: the bytes */
    TARGET_FLIP,               /* (address, value, value, bytes): a thread that writes the two in
                                  turn; bytes 0 ends it */

    TARGET_OPS
};

/** Kinds of threads a target starts. */
enum target_thread {
    TARGET_THREAD_WAITS, /* until TARGET_END_THREAD */
    TARGET_THREAD_ENDS,  /* at once, with exit code 77; its handle stays open */
};

/** The section; every address and handle is 64 bits wide, as the two may differ in bitness. */
struct target_channel {
    uint32_t op;
    uint32_t error; /* GetLastError() of the step that failed, 0 when all went well */
    uint64_t arguments[TARGET_MAX_ARGUMENTS];
    uint64_t result;
    uint64_t values[TARGET_MAX_VALUES];
    WCHAR text[TARGET_TEXT_LENGTH];
};

#endif
