/* SPDX-License-Identifier: MIT */
/* A capture in progress: the state its phases share, and one function for each phase. */
#ifndef PSS_CAPTURE_H
#define PSS_CAPTURE_H

#include "base/errand.h"
#include "base/status.h"
#include "base/suspension.h"
#include "clone/clone.h"
#include "descriptor/descriptor.h"

#include "pss.h"

/* One row per phase of PSS_PERFORMANCE_COUNTERS, in its order. */
enum pss_phase {
    PSS_PHASE_TOTAL,
    PSS_PHASE_VA_CLONE,
    PSS_PHASE_VA_SPACE,
    PSS_PHASE_AUXILIARY_PAGES,
    PSS_PHASE_HANDLES,
    PSS_PHASE_THREADS,
    PSS_PHASE_COUNT
};

/* What the phases have cost so far. */
struct pss_stopwatch {
    uint64_t cycles[PSS_PHASE_COUNT], ticks[PSS_PHASE_COUNT];
    uint64_t cycles_at_start[PSS_PHASE_COUNT], ticks_at_start[PSS_PHASE_COUNT];
    uint64_t frequency; /* ticks per second; 0: not measuring */
    int use_tsc;        /* the system counts no cycles per thread */
};

/* A thread of the target during the capture. */
struct pss_thread {
    HANDLE handle;      /* owned; NULL once closed */
    ACCESS_MASK access; /* of the handle */
    struct pss_nt_thread_basic basic;
    uint8_t is_known;       /* basic was answered; if not, there is no entry */
    uint32_t suspend_count; /* without our suspension; known only where was_frozen is 1 */
    uint32_t context;       /* index of the context plus 1; 0 for none */
    uint8_t is_caller;      /* the thread that captures: never suspended */
    uint8_t was_frozen;     /* it cannot run: suspended by us, or as often as can be */
};

/* The thread that watches over a self-capture while all others are suspended. */
struct pss_watch {
    HANDLE thread; /* owned; NULL: none */
    uint32_t thread_id;
    HANDLE own[4]; /* all its handles, borrowed: they are not the target's */
    struct pss_errand errand;
};

/* What a capture needs to suspend threads. */
struct pss_freeze {
    HANDLE locks[2];                   /* of the two processes; owned, NULL where not held */
    struct pss_suspension *suspension; /* owned; NULL before and after the freeze */
    struct pss_watch watch;
    uint8_t was_locked;      /* for the suspend counts, with success or without */
    uint8_t was_interrupted; /* somebody else had to end it */
};

/* A type of objects. */
struct pss_type {
    struct pss_text name; /* of no length: the entry is free */
    uint32_t object_type; /* PSS_OBJECT_TYPE */
    uint32_t is_file;     /* drivers answer for such objects, or never do so */
};

/* What the capture holds for one handle of the target. */
struct pss_duplicate {
    HANDLE handle;        /* owned; NULL where there is none */
    uint8_t is_plain;     /* no driver is asked when it is closed, or for its name */
    uint8_t awaits_name;  /* which is asked for on another thread */
    uint8_t is_own;       /* the value is that of a handle which the capture has opened since */
    uint8_t awaits_count; /* there may be more duplicates of the object */
    uint8_t is_counted;   /* that was settled */
    uint32_t last_count, last_rise; /* what it told while such duplicates were counted */
};

struct pss_capture {
    const struct pss_nt *nt;
    HANDLE process;         /* borrowed from the client, or own_process */
    HANDLE own_process;     /* opened anew with the rights a clone needs; owned, or NULL */
    uint32_t flags;         /* PSS_CAPTURE_FLAGS without the bits that lack what they need */
    uint32_t context_flags; /* what the contexts are asked for */
    uint32_t process_id;
    uint32_t caller_thread_id;
    uint8_t is_self;
    uint8_t is_wow64;
    uint8_t is_caller_wow64;      /* known for a 32-bit caller */
    uint8_t has_ended;            /* before the capture began */
    uint8_t freezes;              /* the target has to stand still for a while */
    uint8_t has_true_times;       /* the CPU times are the target's, not ours */
    uint8_t lacks_extended_basic; /* the system does not tell PROTECTED and FROZEN */
    uint8_t lacks_last_syscalls;  /* the system does not tell LastSyscall* */
    uint8_t asks_directly;        /* no thread can begin to do that for us */
    struct pss_freeze freeze;
    struct pss_nt_process_basic basic;
    struct pss_nt_times times;
    struct pss_builder builder;
    struct pss_region processes;          /* the system's process table */
    const struct pss_nt_process_row *row; /* the target's; NULL if not listed, or not needed */
    struct pss_region threads;            /* struct pss_thread */
    struct pss_region duplicates;         /* struct pss_duplicate, one for each captured handle */
    struct pss_region extras;             /* struct pss_extra: further duplicates */
    HANDLE handles_lock;                  /* of the own process; owned, NULL where not held */
    struct pss_region types;       /* struct pss_type: of the system's list, by index, and others */
    uint32_t type_shift;           /* from the index in a row to that in the list */
    uint8_t has_type_list;         /* the system gave one */
    uint8_t has_type_shift;        /* the shift is known: rows tell types */
    struct pss_region scratch;     /* PSS_SCRATCH_SIZE bytes for one answer of the system */
    struct pss_region own_context; /* CONTEXT of the calling thread, in a self-capture */
    struct pss_region context_model; /* what each context is before it is read */
    struct pss_clone *clone;         /* in the making; owned, or NULL */
    struct pss_region clone_regions; /* struct pss_region_record: what it is made of */
    struct pss_stopwatch stopwatch;
};

/* Types with indices below it are kept; the index is one byte in all known systems. */
#define PSS_TYPE_INDEX_LIMIT 256u

/* A UNICODE_STRING with the longest text there is, and room before it. */
#define PSS_SCRATCH_SIZE 0x11000u

/**
 * Captures a process.
 *
 * \param process        [in]  Borrowed for the call. Rights: see pss_target_open.
 * \param flags          [in]  PSS_CAPTURE_FLAGS, defined bits only.
 * \param context_flags  [in]  CONTEXT_*; read with PSS_CAPTURE_THREAD_CONTEXT only.
 * \param block          [out] Sealed, with one reference; untouched on failure.
 * \return STATUS_SUCCESS · STATUS_INVALID_PARAMETER (contexts of another architecture) ·
 *         STATUS_INVALID_HANDLE · STATUS_OBJECT_TYPE_MISMATCH · STATUS_NOT_SUPPORTED ·
 *         STATUS_ACCESS_DENIED · STATUS_PARTIAL_COPY (the target died) · STATUS_IO_TIMEOUT (the
 *         target does not answer) · STATUS_CANCELLED (another thread of the own process suspends
 *         the calling one, again and again) · out of memory.
 */
NTSTATUS pss_capture_process(const struct pss_nt *nt, HANDLE process, uint32_t flags,
                             uint32_t context_flags, struct pss_block **block);

/*
 * The phases, by file. Each takes what it needs from the capture and leaves what it found in its
 * builder or its lists; a failure leaves what was taken so far for pss_capture_process to release.
 * All return STATUS_SUCCESS or a hard status unless they say more.
 */

/* ---- target.c: what is captured, and whether it may be ---- */

/**
 * Learns what the target is: id, bitness, life, whether it is the caller.
 *
 * Rights: PROCESS_QUERY_LIMITED_INFORMATION; PROCESS_QUERY_INFORMATION for threads, regions,
 * handles and the trace; PROCESS_VM_READ for section information and auxiliary pages;
 * PROCESS_DUP_HANDLE for handles; PROCESS_CREATE_PROCESS for a clone. What a copy needs beyond
 * that, the process is opened anew for.
 *
 * \return STATUS_SUCCESS · STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH: no process ·
 *         STATUS_ACCESS_DENIED · STATUS_NOT_SUPPORTED: of another bitness · STATUS_PARTIAL_COPY: it
 *         has ended, and what is asked for with it.
 */
NTSTATUS pss_target_open(struct pss_capture *capture);

/** STATUS_PARTIAL_COPY if the target has ended since pss_target_open. */
NTSTATUS pss_target_check_alive(struct pss_capture *capture);

/* How long a target has been waited for that answers no more, and how long each wait is. */
struct pss_target_wait {
    struct pss_capture *capture;
    uint32_t count;
};
#define PSS_TARGET_WAIT_MS 50u

/**
 * Whether to go on waiting for a target (struct pss_errand, may_wait): for ten seconds at most, and
 * as long as it lives.
 *
 * \param context  [in,out] struct pss_target_wait.
 */
int pss_target_keep_waiting(void *context);

/** Tells whether a process is a 32-bit one on a 64-bit system; any status on failure. */
NTSTATUS pss_process_is_wow64(const struct pss_nt *nt, HANDLE process, uint8_t *is_wow64);

/* ---- system_table.c: the system's bulk tables ---- */

/**
 * Reads a table that may grow meanwhile.
 *
 * \param table  [in,out] Grows as needed; its size is what the system returned.
 * \return also STATUS_NO_MEMORY, when it does not fit into 256 MiB.
 */
NTSTATUS pss_system_table_query(const struct pss_nt *nt, ULONG class_number,
                                struct pss_region *table);

/** Finds the target in the process table; without it capture->row stays NULL. */
NTSTATUS pss_process_row_find(struct pss_capture *capture);

/**
 * The row of a thread of the target, or NULL.
 *
 * \param hint  [in] Index where it probably is.
 */
const struct pss_nt_thread_row *pss_thread_row_find(const struct pss_capture *capture,
                                                    uint32_t thread_id, uint32_t hint);

/* ---- process.c: process information ---- */

/** Appends the process record. What the system does not tell is 0. */
NTSTATUS pss_process_capture(struct pss_capture *capture);

/** PSS_PROCESS_FLAGS_PROTECTED and FROZEN of any process, where the system tells. */
uint32_t pss_process_protection(struct pss_capture *capture, HANDLE process);

/** The kernel's base priority of a process, 0 to 31. */
int32_t pss_process_base_priority(const struct pss_nt *nt, HANDLE process,
                                  const struct pss_nt_process_basic *basic);

/* ---- freeze.c and watch.c: the right to suspend threads ---- */

/**
 * Takes what is needed to freeze the target, if this capture freezes: the locks of the processes,
 * the list of what will be suspended, and for the own process a watcher.
 *
 * \return STATUS_SUCCESS · STATUS_IO_TIMEOUT: another capture of the own process does not end ·
 *         out of memory. A lock that the system refuses, or that another process does not give
 *         back within some seconds, is done without.
 */
NTSTATUS pss_freeze_begin(struct pss_capture *capture);

/** Resumes all threads, and gives everything back; without effect when that was done. */
void pss_freeze_end(struct pss_capture *capture);

/** Tells the watcher that the capture has come further; without effect while nothing is frozen. */
void pss_freeze_step(const struct pss_capture *capture);

/** Whether the watcher has resumed the threads, so that what was taken since is of no use. */
int pss_freeze_is_interrupted(const struct pss_capture *capture);

/** What only one capture at a time does to, or in, a process. */
enum pss_lock {
    PSS_LOCK_SUSPEND, /* suspends its threads */
    PSS_LOCK_HANDLES, /* has duplicates of its handles in itself, which another would list */
};

/* How long a lock is waited for: seconds for one of another process, or of this one to capture
 * another; a minute for the own process to capture itself, whose threads do come to an end. */
#define PSS_LOCK_WAITS_FOR_OTHER 30u
#define PSS_LOCK_WAITS_FOR_OWN   600u

/**
 * Takes a lock of a process, whoever uses this code.
 *
 * \param waits  [in]  Of 100 ms; one in which the calling thread is suspended counts once.
 * \param lock   [out] For pss_lock_give_back; untouched where it cannot be had.
 * \return STATUS_SUCCESS, also where there can be no such lock · STATUS_TIMEOUT, without the lock ·
 *         out of memory.
 */
NTSTATUS pss_lock_take(const struct pss_nt *nt, enum pss_lock kind, uint32_t process_id,
                       uint32_t waits, HANDLE *lock);

/** Gives a lock back, and sets it to NULL; NULL is ignored. */
void pss_lock_give_back(const struct pss_nt *nt, HANDLE *lock);

/**
 * Starts the watcher of a self-capture; it may be missing, as under the loader's lock.
 *
 * \return STATUS_SUCCESS · out of memory.
 */
NTSTATUS pss_watch_begin(struct pss_capture *capture);

/** Ends it; without effect where there is none. */
void pss_watch_end(struct pss_capture *capture);

/* ---- thread_list.c: finding, freezing and thawing the threads ---- */

/** Opens every thread; in a capture that freezes each but our own is suspended. */
NTSTATUS pss_threads_open(struct pss_capture *capture);

/** Opens those that came since. */
NTSTATUS pss_threads_open_more(struct pss_capture *capture);

/** Exchanges the handle for one with more rights, unless the thread does not grant them. */
NTSTATUS pss_thread_ask_for(const struct pss_capture *capture, struct pss_thread *thread,
                            ACCESS_MASK access);

/** Ends the freeze, and closes the handles; harmless when that was done. */
void pss_threads_close(struct pss_capture *capture);

/** Threads found so far. */
uint32_t pss_threads_count(const struct pss_capture *capture);

/** The thread at \p index, until the next one is found. */
struct pss_thread *pss_threads_at(const struct pss_capture *capture, uint32_t index);

/* ---- threads.c: thread entries ---- */

/** Appends an entry for each known thread, oldest first. */
NTSTATUS pss_threads_capture(struct pss_capture *capture);

/** The kernel's priorities of a thread, 0 to 31, from its increment over \p process_base. */
void pss_thread_priorities(const struct pss_nt_thread_basic *basic, int32_t process_base,
                           int32_t *priority, int32_t *base_priority);

/* ---- contexts.c ---- */

/** Decides how contexts look; STATUS_INVALID_PARAMETER for those of another architecture. */
NTSTATUS pss_contexts_prepare(struct pss_capture *capture);

/**
 * Reads the context of each frozen thread, and the caller's.
 *
 * A thread may run on after it was suspended, until its context was read: threads that it started
 * meanwhile are opened and read as well.
 *
 * \return also STATUS_IO_TIMEOUT: the target does not answer · STATUS_RETRY: interrupted.
 */
NTSTATUS pss_contexts_capture(struct pss_capture *capture);

/* ---- va_space.c and mappings.c ---- */

/** Appends every region; STATUS_IO_TIMEOUT as pss_regions_read. */
NTSTATUS pss_va_space_capture(struct pss_capture *capture);

/**
 * Reads regions of the target, in order, up to the end of the address space.
 *
 * \param address  [in]     The start of the first region, or a page of it that counts as one.
 * \param limit    [in]     Regions at the most.
 * \param records  [in,out] Appended to: struct pss_region_record.
 * \return STATUS_SUCCESS · STATUS_IO_TIMEOUT: the target does not answer, or has died · any status
 * of the system.
 *
 * A thread of its own asks, for some systems let the target answer. Where that thread cannot begin
 * the caller asks, and waits as long as it takes.
 */
NTSTATUS pss_regions_read(struct pss_capture *capture, uint64_t address, uint32_t limit,
                          struct pss_region *records);

/** Reads all regions of the target; STATUS_NO_MEMORY for a listing without end. */
NTSTATUS pss_regions_read_all(struct pss_capture *capture, struct pss_region *records);

/** Appends a mapping for each mapped allocation, with the fields of its PE header. */
NTSTATUS pss_mappings_capture(struct pss_capture *capture);

/** Gives the mappings their file names. */
NTSTATUS pss_mappings_name(struct pss_capture *capture);

/* ---- va_clone.c ---- */

/** Makes ready what can be before the target stands still. */
NTSTATUS pss_va_clone_prepare(struct pss_capture *capture);

/** Clones the memory, after the regions were captured if they are asked for. */
NTSTATUS pss_va_clone_take(struct pss_capture *capture);

/** Appends the record of the clone, which the builder owns then. */
NTSTATUS pss_va_clone_finish(struct pss_capture *capture);

/* ---- auxiliary_pages.c ---- */

/** Appends the page the kernel shares with every process. */
NTSTATUS pss_auxiliary_pages_capture(struct pss_capture *capture);

/* ---- handles.c: the table of handles, and duplicates ---- */

/** Appends a record for each handle; any status of the system if there is no table. */
NTSTATUS pss_handles_list(struct pss_capture *capture);

/** Whether the handles are duplicated while the target stands still: they tell of that moment. */
int pss_handles_are_frozen(const struct pss_capture *capture);

/** Whether each handle needs a duplicate: its row of the table does not tell what is asked for. */
int pss_handles_need_duplicates(const struct pss_capture *capture);

/** Makes room for duplicates, and in a frozen capture takes those that are needed. */
NTSTATUS pss_handles_duplicate(struct pss_capture *capture);

/** The record of the handle at \p index, and what is held for it; good until the next phase. */
struct pss_handle_record *pss_handle_at(const struct pss_capture *capture, uint32_t index);
struct pss_duplicate *pss_duplicate_at(const struct pss_capture *capture, uint32_t index);

/** Sees to it that the handle at \p index has its duplicate, if it can have one. */
NTSTATUS pss_handle_hold(struct pss_capture *capture, uint32_t index);

/** Closes the duplicate at \p index, if there is one and no driver is asked then. */
void pss_handle_let_go(struct pss_capture *capture, uint32_t index);

/** Closes all duplicates; harmless when there are none. */
void pss_handles_close(struct pss_capture *capture);

/* ---- handle_types.c ---- */

/** Learns the types from the system's list; without one each object is asked for its own. */
NTSTATUS pss_types_list(struct pss_capture *capture);

/** Learns how rows number the types, from the row of an event. */
void pss_types_calibrate(struct pss_capture *capture, uint32_t event_index);

/** The type that a row tells, as it is the object's when the table is read; NULL if unknown. */
const struct pss_type *pss_type_of_row(const struct pss_capture *capture,
                                       const struct pss_handle_record *record);

/**
 * Asks an object for its type.
 *
 * \param likely  [in]  What it probably is, or NULL.
 * \param type    [out] NULL if it does not tell; \p likely, if it is that.
 */
NTSTATUS pss_type_ask(struct pss_capture *capture, HANDLE object, const struct pss_type *likely,
                      const struct pss_type **type);

/** Records the type; NULL is none. */
void pss_type_record(const struct pss_type *type, struct pss_handle_record *record);

/* ---- handle_details.c ---- */

/** Records what the flags want to know of each handle. */
NTSTATUS pss_handles_describe(struct pss_capture *capture);

/** Records a name of \p length bytes; 0 is no name. */
NTSTATUS pss_handle_named(struct pss_capture *capture, struct pss_handle_record *record,
                          const WCHAR *name, SIZE_T length);

/* ---- handle_counts.c ---- */

/* A duplicate of a duplicate. */
struct pss_extra {
    HANDLE handle;     /* owned; NULL where there is none */
    uint32_t is_plain; /* as that of which it is one */
};

/** Corrects the counts of objects of which several duplicates are open. */
NTSTATUS pss_handles_recount(struct pss_capture *capture);

/* ---- handle_specific.c ---- */

/** Records the data by object type of one handle, if it can be had. */
NTSTATUS pss_handle_specific_capture(struct pss_capture *capture, HANDLE duplicate,
                                     struct pss_handle_record *record);

/* ---- file_names.c ---- */

/** Records the names that are awaited, as far as they come in time, and closes such duplicates. */
NTSTATUS pss_files_finish(struct pss_capture *capture);

/* ---- handle_trace.c ---- */

/** Keeps the handle trace in a section, if the target is traced. */
NTSTATUS pss_handle_trace_capture(struct pss_capture *capture);

/* ---- stopwatch.c: the performance counters ---- */

/** Makes ready to measure; without a call, starting and stopping do nothing. */
void pss_stopwatch_init(const struct pss_nt *nt, struct pss_stopwatch *stopwatch);

void pss_stopwatch_start(struct pss_capture *capture, enum pss_phase phase);
void pss_stopwatch_stop(struct pss_capture *capture, enum pss_phase phase);

/** Appends the record of what was measured. */
NTSTATUS pss_stopwatch_record(struct pss_capture *capture);

/** The time of day as a FILETIME; 0 if the system does not tell. */
uint64_t pss_time_now(const struct pss_nt *nt);

#endif
