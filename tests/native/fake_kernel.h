/* SPDX-License-Identifier: MIT */
/* A modelled system behind the seam: processes, threads, handles and memory, all counted. */
#ifndef PSS_FAKE_KERNEL_H
#define PSS_FAKE_KERNEL_H

#include "nt/nt.h"

/*
 * There is one system at a time, between fake_init and fake_fini. A test builds the processes it
 * wants, sets the fields of the model to what the system shall answer, hands fake_nt() to the
 * library and afterwards asks the ledger what the library has kept.
 */

/* UTF-16 that the model borrows. */
struct fake_text {
    const WCHAR *text;
    uint32_t length; /* bytes without a terminator */
};

#define FAKE_TEXT(literal) ((struct fake_text){(literal), sizeof(literal) - sizeof(WCHAR)})

enum fake_type {
    FAKE_PROCESS,
    FAKE_THREAD,
    FAKE_MUTANT,
    FAKE_EVENT,
    FAKE_SECTION,
    FAKE_SEMAPHORE,
    FAKE_FILE,
    FAKE_KEY,
    FAKE_JOB,
    FAKE_TYPE_COUNT
};

/* Whether a question for the name of an object comes back. */
enum fake_hang {
    FAKE_ANSWERS,
    FAKE_IS_SLOW,        /* after its asker has been waited for a few times */
    FAKE_HANGS,          /* until the asking thread is terminated */
    FAKE_HANGS_FOR_GOOD, /* even then */
};

struct fake_object {
    struct fake_object *next; /* all objects of the system */
    enum fake_type type;
    uint32_t handle_count; /* open handles in all processes */
    uint32_t references;   /* pointers beyond the handles */
    uint32_t paged_pool_charge, non_paged_pool_charge;
    uint64_t creation_time;
    uint32_t type_index; /* as the handle table tells it */
    uint8_t is_untyped;  /* its type has no name */
    struct fake_text name;
    enum fake_hang name_hang;
    enum fake_hang close_hang;   /* of a handle of the library's */
    ACCESS_MASK query_access;    /* a handle needs one of these bits for a query; 0: none */
    uint8_t refuses_duplication; /* not one handle to it can be duplicated */
    uint8_t refuses_more_access; /* it can only be duplicated with the same access */
    struct pss_nt_event_basic event;
    struct pss_nt_semaphore_basic semaphore;
    struct pss_nt_section_basic section;
    struct pss_nt_mutant_basic mutant;
    CLIENT_ID mutant_owner;
    uint64_t name_sum;              /* of a mutant that the library has named */
    void *bytes;                    /* of a section the library made; owned */
    uint8_t is_unreadable;          /* its pages: a direct read of a view faults, a call fails */
    const struct fake_image *image; /* of a file, or a section made of it */
    uint32_t unix_id;               /* of a file with the memory of a process */
    uint32_t next_entry;            /* of a directory */
    ULONG job_limits;               /* JOB_OBJECT_LIMIT_* */
};

struct fake_handle {
    struct fake_object *object; /* NULL: closed */
    ACCESS_MASK access;
    ULONG attributes;
    uint8_t is_client; /* opened by the test */
};

struct fake_region {
    MEMORY_BASIC_INFORMATION basic;
    struct fake_text file_name;
    const void *bytes;   /* borrowed: the first bytes of it; the rest is zero */
    uint32_t bytes_size; /* bytes */
    uint8_t is_vital;    /* without it the process answers no more */
    uint8_t is_shipped;  /* the library has allocated it in a process that is not its own */
};

/* An image file, borrowed; bases are relative to the start of the image. */
struct fake_image {
    struct fake_text name; /* as it is opened */
    uint64_t preferred_base;
    const struct fake_region *parts;
    uint32_t part_count;
    uint8_t has_other_bitness; /* than the process that one is made for */
};

struct fake_page;

#define FAKE_JOBS 4u /* that a process can be in at once */

struct fake_thread {
    struct fake_object object; /* first: an object is a thread by its type */
    struct fake_process *process;
    struct pss_nt_thread_basic basic;
    struct pss_nt_times times;               /* as the thread itself tells them */
    uint64_t row_kernel_time, row_user_time; /* as the system's table tells them */
    void *start_address;
    struct pss_nt_last_syscall last_syscall;
    struct fake_text name;
    CONTEXT context;
    uint64_t xstate; /* what stands in the extended state */
    ULONG suspend_count;
    ULONG suspended_by_library;
    uint8_t is_unlisted; /* the system's table does not know it (yet) */
    uint8_t refuses_suspension, refuses_context;
    ACCESS_MASK denies;                /* rights that nobody gets on it */
    const struct fake_thread *awaited; /* must run for its context to be told, once */
};

struct fake_process {
    struct fake_object object; /* first: an object is a process by its type */
    struct pss_nt_process_basic basic;
    struct pss_nt_times times;               /* as the process itself tells them */
    uint64_t row_kernel_time, row_user_time; /* as the system's table tells them */
    struct pss_nt_vm_counters counters;
    struct pss_nt_priority_class priority;
    ULONG_PTR peb32;
    ULONG extended_flags; /* PSS_NT_PROCESS_* */
    ULONG execute_flags;
    struct fake_text image_name;
    const void *trace; /* borrowed; NULL: not traced */
    uint32_t trace_size;
    uint64_t address_limit;      /* the first address that is none */
    struct fake_handle *handles; /* handle value = 4 * (index + 1) */
    uint32_t handle_capacity, first_free_handle;
    struct fake_thread **threads;
    uint32_t thread_count;
    enum fake_hang memory_hang;  /* what becomes of a question for a region */
    enum fake_hang context_hang; /* and for the context of a thread */
    uint8_t dies_when_asked;     /* and takes the question with it */
    struct fake_region *regions; /* ascending; what lies between is free */
    uint32_t region_count;
    struct fake_page **pages; /* ascending: what was written; it hides the bytes of the regions */
    uint32_t page_count;
    struct fake_text nt_image_name; /* as a file to open */
    struct fake_object *jobs[FAKE_JOBS];
    uint32_t job_count;
    uint32_t unix_id;       /* the name of its directory among the files; 0: has none */
    uint64_t private_begin; /* bytes in its TEB that are its own: written to, it answers no more */
    uint64_t private_end;
    uint8_t is_carrier; /* made by the library */
    uint8_t is_party;   /* snapshots may travel to it and from it */
};

/* What NtCreateProcessEx was called with. */
struct fake_native_call {
    struct fake_process *parent;
    ACCESS_MASK access;
    ULONG flags;
};

#define FAKE_NATIVE_CALLS 8u /* that are remembered */

/* One for each service that can fail; the releases are counted apart. */
enum fake_call {
    FAKE_OPEN_PROCESS,
    FAKE_QUERY_PROCESS,
    FAKE_GET_NEXT_THREAD,
    FAKE_QUERY_THREAD,
    FAKE_SUSPEND_THREAD,
    FAKE_GET_CONTEXT,
    FAKE_CREATE_THREAD,
    FAKE_WAIT,
    FAKE_QUERY_SYSTEM,
    FAKE_QUERY_TIME,
    FAKE_QUERY_COUNTER,
    FAKE_QUERY_MEMORY,
    FAKE_READ_MEMORY,
    FAKE_ALLOCATE_MEMORY,
    FAKE_CREATE_SECTION,
    FAKE_MAP_VIEW,
    FAKE_DUPLICATE,
    FAKE_QUERY_OBJECT,
    FAKE_QUERY_EVENT,
    FAKE_QUERY_MUTANT,
    FAKE_QUERY_SEMAPHORE,
    FAKE_QUERY_SECTION,
    FAKE_ALLOCATE_HEAP,
    FAKE_FIND_SERVICE,
    FAKE_CREATE_EVENT,
    FAKE_CREATE_MUTANT,
    FAKE_CREATE_USER_PROCESS,
    FAKE_CREATE_JOB,
    FAKE_SET_JOB,
    FAKE_ASSIGN_JOB,
    FAKE_WRITE_MEMORY,
    FAKE_PROTECT_MEMORY,
    FAKE_REMOTE_MEMORY, /* allocated, freed, mapped or unmapped in another process */
    FAKE_OPEN_FILE,
    FAKE_LIST_DIRECTORY,
    FAKE_READ_FILE,
    FAKE_WRITE_FILE,
    FAKE_CREATE_PROCESS,
    FAKE_LOCK_LOADER,
    FAKE_FIND_MODULE,
    FAKE_FIND_EXPORT,
    FAKE_QUERY_ENVIRONMENT,
    FAKE_DELAY,
    FAKE_PIN_MODULE,
    FAKE_RELEASE, /* close, free, resume, unmap, terminate, set: never fails by a fault */
    FAKE_CALL_COUNT
};

/* Which calls fail. Calls count from 1, all services together but for the releases. */
struct fake_fault {
    uint64_t first;       /* 0: none */
    uint64_t second;      /* fails, too; 0: none */
    uint8_t is_lasting;   /* from the first on, all */
    uint8_t spares_waits; /* a wait for a thread of our own that lives does not fail */
    NTSTATUS status;
};

struct fake_system {
    /* What some systems lack. */
    uint8_t has_thread_names, has_last_syscalls, has_suspend_counts, has_thread_cycles;
    uint8_t has_mutant_owners, has_xstate, has_extended_basic, has_nested_jobs;
    uint8_t has_native_clones; /* NtCreateProcessEx */
    uint8_t has_memory_files;  /* \??\unix\proc */

    uint8_t runs_threads_at_once; /* a created thread ends, or waits, before its creation returns */
    uint8_t never_begins_threads; /* but when the system ends: the caller has the loader's lock */
    uint8_t hides_loader_lock;    /* no: a third one has it */
    uint8_t
        never_lets_threads_end; /* but then, for the same reason, when they have done their work */
    uint8_t answers_at_last;    /* what hung for good is answered when the system ends */
    uint8_t reverses_handles;   /* the handle table comes in descending order */
    uint8_t lacks_type_list;    /* the types of objects cannot be listed */
    uint8_t lacks_type_indices; /* the list does not tell them, as before Windows 8.1 */
    uint8_t hides_own_handles;  /* the handle table lacks those of the library */
    uint32_t type_shift;        /* between the handle table and the list: Wine's is 2 */
    uint8_t tells_no_counts;    /* of the handles to an object */
    uint8_t never_ends_threads; /* the list of threads has no end */
    uint8_t never_ends_directory;      /* nor has that of the files */
    uint8_t mixes_up_times;            /* processes give the caller's CPU times for theirs */
    uint8_t reads_short;               /* a read gives half of the bytes, and succeeds */
    uint8_t writes_short;              /* a write takes half of them, and succeeds */
    uint8_t never_fits;                /* no buffer is large enough for a bulk table or a trace */
    uint64_t now;                      /* time of day */
    uint64_t frequency, ticks, cycles; /* the clocks; each reading takes 10 ticks, 1000 cycles */
    uint8_t lacks_xstate_features;     /* of the processor, but not the services */
    NTSTATUS xstate_length_status, xstate_status; /* of the services */
    ULONG xstate_length;                          /* 0: as it is */
    uint8_t xstate_refuses_requests;              /* for exceptions, as 32-bit Windows 7 does */
    LONG xstate_shift;        /* of the place where the extended context says it begins */
    uint64_t memory_budget;   /* bytes the library may have at once */
    uint8_t lacks_low_memory; /* in the own process: all below 4 GB is taken */
    uint8_t knows_no_masks;   /* for the addresses of allocations */
    struct fake_fault fault;

    /* Clones. */
    uint64_t commit_budget;    /* bytes that carriers may commit */
    NTSTATUS commit_status;    /* when it is used up */
    struct fake_image *images; /* the files to open; borrowed */
    uint32_t image_count;
    NTSTATUS native_clones_answer; /* of NtCreateProcessEx, whatever it is given; 0: it works */
    ULONG native_refusals[FAKE_NATIVE_CALLS];  /* flags that NtCreateProcessEx does not take */
    NTSTATUS native_status[FAKE_NATIVE_CALLS]; /* what it says then */
    uint32_t decoys;             /* files that show the memory of another process, and go first */
    struct fake_process *decoy;  /* that process; NULL: the last carrier */
    uint8_t passes_nothing_on;   /* a new process has no handles */
    uint64_t bad_page;           /* of processes that the library has not made: cannot be read */
    uint8_t files_read_short;    /* half of the bytes, and success */
    uint8_t files_lie;           /* other bytes than the memory has */
    uint8_t files_refuse_writes; /* they can be opened to read only */
    uint8_t files_are_private;   /* they cannot be opened */

    /* Another implementation of the API, in kernel32. */
    void *(*find_export)(const char *name); /* NULL: kernel32 has none */
    const WCHAR *forward_setting;           /* PSS_FORWARD in the environment; NULL: not set */
    uint32_t loader_tries, setting_tries;   /* for which another thread has the lock */
    uint32_t loader_locks;                  /* that the library holds */
    uint8_t module_is_pinned;               /* the library's own */
    uint32_t delays;                        /* that it has waited for */

    /*
     * A thread that has suspended the caller before call `suspension_call` (releases count), and
     * resumes it as soon as it runs. Meanwhile the caller stands still, and time passes.
     */
    struct fake_thread *suspender;
    uint64_t suspension_call;  /* 0: never */
    uint32_t suspensions;      /* of the caller, so far */
    uint32_t suspension_limit; /* of them */

    /* An event: at call `event_call` (releases count here) `event` is called, once. */
    uint64_t event_call;
    void (*event)(void *context);
    /* A lie: changes an answer that was true; returns the status to give instead. */
    NTSTATUS (*lie)(void *context, enum fake_call call, void *buffer, SIZE_T size, ULONG *returned);
    /* A refusal: a failure that the call answers with at once; waits are never refused. */
    NTSTATUS (*refuse)(void *context, enum fake_call call);
    void *context; /* of all three */

    /* What has happened. */
    uint64_t calls;     /* that can fail */
    uint64_t all_calls; /* releases, too */
    uint64_t calls_of[FAKE_CALL_COUNT];
    uint64_t faults;                              /* calls that did */
    enum fake_call faulty_call;                   /* the last of them */
    uint64_t bad_closes;                          /* handles closed that were not open */
    uint64_t blind_reads;                         /* of memory that may not be read */
    uint64_t memory;                              /* bytes the library has */
    uint64_t peak_memory;                         /* the most of them */
    uint64_t terminations;                        /* of threads */
    uint64_t carriers;                            /* processes the library has made */
    uint64_t file_bytes_read, file_bytes_written; /* of memory by files */
    uint64_t stopped_workers;                     /* suspensions of threads that are waited for */
    uint64_t strange_writes; /* to the memory of what the library has not made, and no party */
    uint32_t native_call_count;
    struct fake_native_call native_calls[FAKE_NATIVE_CALLS];

    struct fake_process *own;   /* the process the library runs in */
    struct fake_thread *caller; /* the thread that calls */
    struct fake_process **processes;
    uint32_t process_count;
    uint32_t next_id;             /* of a process the library makes */
    struct fake_process *carrier; /* the last one */
    struct fake_object *objects;
};

extern struct fake_system fake;

/** A system like Windows 10, with the calling process in it. */
void fake_init(void);

/** Ends the system; threads that hang are let go. */
void fake_fini(void);

/** The seam to the system. */
const struct pss_nt *fake_nt(void);

struct fake_process *fake_process_add(uint32_t id);
struct fake_thread *fake_thread_add(struct fake_process *process, uint32_t id);
struct fake_object *fake_object_add(enum fake_type type);

/** A region; the pointer is good until the next one is added. Regions are added in ascending order.
 */
struct fake_region *fake_region_add(struct fake_process *process, uint64_t base, uint64_t size,
                                    DWORD state, DWORD protect, DWORD type);

/** A handle of the test's, at the lowest free value. */
HANDLE fake_handle_open(struct fake_process *process, struct fake_object *object,
                        ACCESS_MASK access, ULONG attributes);

/** Closes a handle of any process; answers whether it was open. */
int fake_handle_close(struct fake_process *process, HANDLE handle);

/** Reads and writes the memory of a process, whatever its protection; all of it must be there. */
void fake_read(const struct fake_process *process, uint64_t address, void *buffer, SIZE_T size);
void fake_write(struct fake_process *process, uint64_t address, const void *bytes, SIZE_T size);

/** The region an address is in; NULL if it is free. */
const struct fake_region *fake_region_at(const struct fake_process *process, uint64_t address);

/** Gives a process with a thread what one that has never run has: stack, TEB, PEB, images. */
void fake_process_furnish(struct fake_process *process);

/** Maps an image file. */
void fake_image_map(struct fake_process *process, const struct fake_image *image, uint64_t base);

/** Puts a process into a job, without asking; and what its last handle does. */
void fake_job_add(struct fake_object *job, struct fake_process *process);
void fake_job_close(struct fake_object *job);

/** The party becomes the own process, and what was the own process another one. */
void fake_process_become(struct fake_process *process);

/** The process and its threads end; memory and handles go. */
void fake_process_end(struct fake_process *process, DWORD exit_status);
void fake_thread_end(struct fake_thread *thread, DWORD exit_status);

/** What the library has and has not given back: handles and shipments in all processes. */
struct fake_ledger {
    uint64_t allocations, handles, suspensions, views, heap_blocks, threads, carriers, bad_closes;
    uint64_t shipments;
    uint64_t modules; /* pinned */
};

struct fake_ledger fake_ledger_now(void);

/** The library's handles in one process, and its allocations there if it is not the own one. */
uint64_t fake_handles_in(const struct fake_process *process);
uint64_t fake_shipments_in(const struct fake_process *process);

/** Answers whether nothing is left; says what is, if not. */
int fake_ledger_is_zero(void);

/* For the services alone. */
void fake_lock(void);
void fake_unlock(void);
void fake_wait_for_change(void);
void fake_announce_change(void);
struct fake_handle *fake_handle_find(struct fake_process *process, HANDLE handle);
HANDLE fake_handle_open_library(struct fake_object *object, ACCESS_MASK access);
HANDLE fake_handle_open_in(struct fake_process *process, struct fake_object *object,
                           ACCESS_MASK access);
void *fake_memory_allocate(SIZE_T size, int is_low);
int fake_memory_free(void *base);

/*
 * Whether the library asked for an allocation of its own with a limit: it is real memory, which is
 * where it is.
 */
int fake_memory_is_low(const void *base);

/* The allocation of the library an address is in: its bytes; 0 if there is none. */
SIZE_T fake_memory_find(uint64_t address, uint64_t *base);

/* The same for bytes of a process that all are real memory. */
int fake_memory_is_real(const struct fake_process *process, uint64_t address, SIZE_T size);

/* The bytes from an address on that come before the page that cannot be read, up to the size. */
uint64_t fake_readable_bytes(const struct fake_process *process, uint64_t where, uint64_t size);
void fake_views_add(int change);
void fake_heap_add(int change);

#endif
