/* SPDX-License-Identifier: MIT */
/* The stress of api_churn: a process in which everything comes and goes, and those who capture it.
 * What its two processes share stands in one section, the board. */
#ifndef PSS_CHURN_H
#define PSS_CHURN_H

#include "harness.h"

#define CHURN_SLOTS     48
#define CHURN_FAILURES  24  /* kinds */
#define CHURN_TEXT      160 /* characters of a failure */
#define CHURN_WAITERS   3
#define CHURN_PATTERN   0x4000u /* bytes */
#define CHURN_SEED      4711u   /* of the pattern */
#define CHURN_NAME      L"pss-churn-"
#define CHURN_SEMAPHORE 77 /* the maximum count of every semaphore */

/** Kinds of objects, by the names of their types, and the PSS_OBJECT_TYPE_* of each. */
#define CHURN_KINDS(X)                       \
    X(Event, PSS_OBJECT_TYPE_EVENT)          \
    X(Mutant, PSS_OBJECT_TYPE_MUTANT)        \
    X(Semaphore, PSS_OBJECT_TYPE_SEMAPHORE)  \
    X(Section, PSS_OBJECT_TYPE_SECTION)      \
    X(Timer, PSS_OBJECT_TYPE_UNKNOWN)        \
    X(Job, PSS_OBJECT_TYPE_UNKNOWN)          \
    X(File, PSS_OBJECT_TYPE_UNKNOWN)         \
    X(Key, PSS_OBJECT_TYPE_UNKNOWN)          \
    X(IoCompletion, PSS_OBJECT_TYPE_UNKNOWN) \
    X(Token, PSS_OBJECT_TYPE_UNKNOWN)        \
    X(Process, PSS_OBJECT_TYPE_PROCESS)      \
    X(Thread, PSS_OBJECT_TYPE_THREAD)

#define CHURN_KIND_MEMBER(name, type) CHURN_##name,
enum churn_kind { CHURN_KINDS(CHURN_KIND_MEMBER) CHURN_KIND_COUNT };
#undef CHURN_KIND_MEMBER

#define CHURN_NAMED_KINDS 6 /* the first ones can have a name */

/** What a thread is there for. */
enum churn_role {
    CHURN_NOBODY, /* the slot is free, or its thread has ended */
    CHURN_THREADS,
    CHURN_DLLS,
    CHURN_MEMORY,
    CHURN_FILES,
    CHURN_HANDLES,
    CHURN_SELF,    /* captures the process it is in */
    CHURN_FOREIGN, /* captures the other process */
    CHURN_MAIN,
    CHURN_ROLES
};

/** What a thread is doing. */
enum churn_step {
    CHURN_BEGINS,
    CHURN_CAPTURES,
    CHURN_CHECKS,
    CHURN_DUPLICATES,
    CHURN_DUPLICATES_BACK,
    CHURN_FREES,
    CHURN_FREES_THERE,
    CHURN_STARTS_THREAD,
    CHURN_WAITS_FOR_THREAD,
    CHURN_ENDS_THREAD,
    CHURN_LOADS,
    CHURN_UNLOADS,
    CHURN_ALLOCATES,
    CHURN_PROTECTS,
    CHURN_RELEASES,
    CHURN_WRITES_FILE,
    CHURN_MAPS,
    CHURN_UNMAPS,
    CHURN_OPENS,
    CHURN_COPIES,
    CHURN_CLOSES,
    CHURN_WAITS,
    CHURN_STEPS
};

/** One thread. It alone writes here; the test's main thread reads. */
struct churn_slot {
    volatile LONG role; /* enum churn_role */
    volatile LONG step; /* enum churn_step, the one it is in */
    volatile LONG value;
    volatile LONG rounds;
    volatile LONGLONG steps; /* begun so far */
    DWORD thread_id;
    DWORD pid;
};

/** An object that nobody touches: each list of handles has to tell the same of it. */
struct churn_object {
    uint64_t handle;
    LONG kind;
    LONG is_named;
};

/** One kind of failure. */
struct churn_failure {
    volatile LONG kind; /* not 0; of its format */
    volatile LONG count;
    char text[CHURN_TEXT]; /* the first one */
};

struct churn_board {
    uint64_t seed;
    DWORD pid;           /* of the process that is captured */
    DWORD rounds;        /* of each thread that captures */
    volatile LONG stops; /* set: churners end */
    struct churn_object objects[2 * CHURN_KIND_COUNT];
    DWORD waiters[CHURN_WAITERS]; /* ids of threads that only wait */
    uint64_t waiter_tebs[CHURN_WAITERS];
    uint64_t pattern; /* address of CHURN_PATTERN bytes that stay */
    volatile LONG captures, clones, duplicates, timeouts;
    volatile LONG threads, ended_threads, modules, allocations, views, handles;
    volatile LONG failures;
    struct churn_failure failure[CHURN_FAILURES];
    struct churn_slot slots[CHURN_SLOTS];
};

/** What one of the threads works with. */
struct churn_worker {
    struct churn_board *board; /* shared */
    struct churn_slot *slot;
    HANDLE other; /* the process to capture, or to duplicate to and back */
    uint64_t random;
    DWORD rounds;
    HANDLE thread; /* owned */
};

/* ---- churn_board.c ---- */

/** Takes a slot and starts a thread for a role; the thread ends with churn_end(). */
void churn_start(struct churn_worker *worker, enum churn_role role, LPTHREAD_START_ROUTINE run);
void churn_end(struct churn_worker *worker);

/** Takes a slot for the calling thread. */
struct churn_slot *churn_enter(struct churn_board *board, enum churn_role role);

/** Tells what the thread does next. */
void churn_step(struct churn_worker *worker, enum churn_step step, LONG value);

/** A random number below \p limit of the worker's own. */
uint32_t churn_below(struct churn_worker *worker, uint32_t limit);

/** Notes what went wrong, the first of each format in full; from any thread. */
void churn_fail(struct churn_board *board, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Prints what went wrong. */
void churn_print_failures(const struct churn_board *board);

/** The name of a kind, which is that of its type. */
const WCHAR *churn_type_name(enum churn_kind kind);

/** Looks at the progress of all threads, by one thread. */
struct churn_watch {
    LONGLONG seen[CHURN_SLOTS];  /* steps at the last look that found new ones */
    LONG others[CHURN_SLOTS];    /* captures and threads at that look */
    unsigned looks[CHURN_SLOTS]; /* since then */
};

/**
 * One look, to be called in intervals of half a second or more. Whether a thread hangs: it has made
 * no step in many looks, while captures and threads were made by the hundred, or none at all.
 */
bool churn_hangs(struct churn_watch *watch, const struct churn_board *board);

/** Prints what each thread is doing. */
void churn_print(const struct churn_watch *watch, const struct churn_board *board);

/* ---- churn_objects.c ---- */

/** Makes an object of a kind; a named one's name begins with CHURN_NAME and the kind's name. */
HANDLE churn_open(struct churn_worker *worker, enum churn_kind kind, bool is_named);

/* ---- churn_work.c: threads that make and end things until the board says stop ---- */

LPTHREAD_START_ROUTINE churn_routine(enum churn_role role);

/* ---- churn_capture.c ---- */

/** Captures, checks, duplicates and frees for the worker's rounds. */
DWORD WINAPI churn_capture(void *worker);

/* ---- churn_check.c ---- */

/** Checks all that a snapshot of the board's process tells; what is wrong is noted. */
void churn_check(struct churn_worker *worker, HPSS snapshot, DWORD flags);

/* ---- churn_child.c ---- */

/** The process that is captured; its exit code is 0 when nothing is left and nothing went wrong. */
int churn_child(char **handles);

#endif
