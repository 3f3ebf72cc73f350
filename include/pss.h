/* SPDX-License-Identifier: MIT */
/**
 * \file
 * The public interface of pss.dll: the Process Snapshotting API of Windows 8.1's kernel32.
 *
 * Rules that hold for every function here:
 *
 * - **Result.** The Win32 error code itself, ERROR_SUCCESS (0) for success. The thread's last-error
 *   value is left as it was. A call that fails leaves the caller's buffer alone.
 * - **Bad handles.** An HPSS or HPSSWALK that is NULL, freed, made up or of the wrong kind gives
 *   ERROR_INVALID_HANDLE. It never raises an exception. *kernel32: may raise one.*
 * - **Threads.** Snapshot data never changes after the capture. Several threads may query and walk
 *   one snapshot at once, each with its own marker; one marker serves one thread at a time. Freeing
 *   an object while another thread uses it is the caller's error.
 * - **Strings.** NUL-terminated, their length counts bytes without the NUL; what was not captured
 *   is NULL with length 0. *kernel32: promises no terminator.*
 * - **Pointers.** Every pointer that a walk hands out into the snapshot stays valid until the walk
 *   marker is freed with PssWalkMarkerFree(), even when PssFreeSnapshot() comes first.
 *   *kernel32: promises them for the life of the marker; what PssFreeSnapshot() does is not told.*
 * - **Who serves.** Where kernel32 has an API that works, found out once per process by a snapshot
 * of its own, every call goes there unchanged, and what this file promises beyond kernel32 holds no
 *   more: PSS_WALK_THREAD_NAME and PSS_QUERY_VA_CLONE_DETAILS give ERROR_INVALID_PARAMETER, bad
 *   handles may raise. PSS_FORWARD=0 in the environment of the process before the first call, or a
 *   build with -DPSS_FORWARD=OFF, keeps the calls here. A snapshot cannot travel between a process
 *   whose calls are handed on and one whose calls are not.
 * - **Ownership.** An HPSS is not a kernel handle: it cannot be inherited or closed with
 *   CloseHandle(), and it means something in one process only.
 *
 * Link with libpss *before* kernel32, whose MinGW import library holds the same names; or look the
 * names up with GetProcAddress(). The static library needs ntdll, too. It has the names that
 * dllimport asks for as well: PSS_STATIC, which leaves dllimport out, is not required for it.
 *
 * \source learn.microsoft.com/windows/win32/api/processsnapshot (names, values, layouts, errors);
 *         processsnapshot.h of the Windows SDK and of mingw-w64 12 (public domain) for the offsets.
 *         What those leave open is decided in docs/architecture.md and named here as a difference.
 */
#ifndef PSS_H
#define PSS_H

#define PSS_VERSION_MAJOR  0
#define PSS_VERSION_MINOR  1
#define PSS_VERSION_PATCH  0
#define PSS_VERSION_STRING "0.1.0"

#ifndef RC_INVOKED /* The resource compiler wants the version alone. */

#include <windows.h>

/*
 * PROCESSSNAPSHOT_H is the include guard of mingw-w64's processsnapshot.h. Defining it makes that
 * header empty when it comes after this one. When it came first, its types are used as they are,
 * and only what it lacks is added; its functions are declared without dllimport, so ours must be
 * too.
 */
#ifdef PROCESSSNAPSHOT_H
#define PSS_HAVE_SYSTEM_TYPES
#else
#define PROCESSSNAPSHOT_H
#endif

#ifndef PSSAPI
#if defined(_WIN32) && !defined(PSS_STATIC) && !defined(PSS_BUILDING_DLL) && \
    !defined(PSS_HAVE_SYSTEM_TYPES)
#define PSSAPI __declspec(dllimport)
#else
#define PSSAPI
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Values of PSS_PERFORMANCE_COUNTERS per second of wall-clock time: they are microseconds. */
#ifndef PSS_PERF_RESOLUTION
#define PSS_PERF_RESOLUTION 1000000
#endif

#ifndef PSS_HAVE_SYSTEM_TYPES

/* ---- Handles and enumerations ---- */

DECLARE_HANDLE(HPSS);     /* A snapshot: PssCaptureSnapshot() to PssFreeSnapshot(). */
DECLARE_HANDLE(HPSSWALK); /* A walk marker: PssWalkMarkerCreate() to PssWalkMarkerFree(). */

/**
 * What PssCaptureSnapshot() captures, and how. A bit that needs another one is ignored without it.
 * A bit that is not listed here gives ERROR_INVALID_PARAMETER.
 */
typedef enum {
    /** Process information only; every snapshot has it. */
    PSS_CAPTURE_NONE = 0x00000000,
    /** A clone: a process that has the target's memory, and never runs. */
    PSS_CAPTURE_VA_CLONE = 0x00000001,
    /** Auxiliary pages: the KUSER_SHARED_DATA page. *kernel32: reserved.* */
    PSS_CAPTURE_RESERVED_00000002 = 0x00000002,
    /** The handle table: value, type and type name of each handle. */
    PSS_CAPTURE_HANDLES = 0x00000004,
    /** Names of the objects. Needs PSS_CAPTURE_HANDLES. */
    PSS_CAPTURE_HANDLE_NAME_INFORMATION = 0x00000008,
    /** Attributes, access, counts and charges. Needs PSS_CAPTURE_HANDLES. */
    PSS_CAPTURE_HANDLE_BASIC_INFORMATION = 0x00000010,
    /** TypeSpecificInformation. Needs PSS_CAPTURE_HANDLES. */
    PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION = 0x00000020,
    /** The handle trace, where the system keeps one for the target. */
    PSS_CAPTURE_HANDLE_TRACE = 0x00000040,
    /** All threads, with everything that PSS_THREAD_ENTRY holds but the context. */
    PSS_CAPTURE_THREADS = 0x00000080,
    /** The context of each thread; the target is suspended while they are read. Needs THREADS.
     */
    PSS_CAPTURE_THREAD_CONTEXT = 0x00000100,
    /** Extended state (CONTEXT_XSTATE) with the context. Needs PSS_CAPTURE_THREAD_CONTEXT. */
    PSS_CAPTURE_THREAD_CONTEXT_EXTENDED = 0x00000200,
    /** Accepted and ignored. */
    PSS_CAPTURE_RESERVED_00000400 = 0x00000400,
    /** The list of memory regions, without their contents. */
    PSS_CAPTURE_VA_SPACE = 0x00000800,
    /** Mapped file names and PE header fields of the regions. Needs PSS_CAPTURE_VA_SPACE. */
    PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION = 0x00001000,
    /** Intel Processor Trace; accepted and ignored, no class returns it. */
    PSS_CAPTURE_IPT_TRACE = 0x00002000,
    /** Accepted and ignored. */
    PSS_CAPTURE_RESERVED_00004000 = 0x00004000,
    /** If breakaway fails, the clone stays in the job. Needs one of the next two. */
    PSS_CREATE_BREAKAWAY_OPTIONAL = 0x04000000,
    /** The clone leaves the target's job, as by CREATE_BREAKAWAY_FROM_JOB. Needs VA_CLONE. */
    PSS_CREATE_BREAKAWAY = 0x08000000,
    /** The same by force, for callers with the TCB privilege; wins over BREAKAWAY. Before 8.1 and
     * under Wine there is no force: it is the same as BREAKAWAY. */
    PSS_CREATE_FORCE_BREAKAWAY = 0x10000000,
    /** Permits a free from another process and PSS_DUPLICATE_CLOSE_SOURCE. */
    PSS_CREATE_USE_VM_ALLOCATIONS = 0x20000000,
    /** Measures the capture for PSS_QUERY_PERFORMANCE_COUNTERS. */
    PSS_CREATE_MEASURE_PERFORMANCE = 0x40000000,
    /** The clone holds no reference to its image, where the system makes it. Needs VA_CLONE. */
    PSS_CREATE_RELEASE_SECTION = 0x80000000
} PSS_CAPTURE_FLAGS;

/** What PssQuerySnapshot() returns, and in which structure. */
typedef enum {
    PSS_QUERY_PROCESS_INFORMATION = 0,         /**< PSS_PROCESS_INFORMATION; always there */
    PSS_QUERY_VA_CLONE_INFORMATION = 1,        /**< PSS_VA_CLONE_INFORMATION */
    PSS_QUERY_AUXILIARY_PAGES_INFORMATION = 2, /**< PSS_AUXILIARY_PAGES_INFORMATION */
    PSS_QUERY_VA_SPACE_INFORMATION = 3,        /**< PSS_VA_SPACE_INFORMATION */
    PSS_QUERY_HANDLE_INFORMATION = 4,          /**< PSS_HANDLE_INFORMATION */
    PSS_QUERY_THREAD_INFORMATION = 5,          /**< PSS_THREAD_INFORMATION */
    PSS_QUERY_HANDLE_TRACE_INFORMATION = 6,    /**< PSS_HANDLE_TRACE_INFORMATION */
    PSS_QUERY_PERFORMANCE_COUNTERS = 7         /**< PSS_PERFORMANCE_COUNTERS */
} PSS_QUERY_INFORMATION_CLASS;

/** The lists that PssWalkSnapshot() walks, and the structure of an entry. */
typedef enum {
    PSS_WALK_AUXILIARY_PAGES = 0, /**< PSS_AUXILIARY_PAGE_ENTRY, by ascending address */
    PSS_WALK_VA_SPACE = 1,        /**< PSS_VA_SPACE_ENTRY, by ascending address, without gaps */
    PSS_WALK_HANDLES = 2,         /**< PSS_HANDLE_ENTRY, by ascending handle value */
    PSS_WALK_THREADS = 3,         /**< PSS_THREAD_ENTRY, oldest thread first */
    PSS_WALK_THREAD_NAME = 4      /**< PSS_THREAD_NAME, as THREADS. *kernel32: error 87* */
} PSS_WALK_INFORMATION_CLASS;

/** Which parts of a PSS_HANDLE_ENTRY hold data. */
typedef enum {
    PSS_HANDLE_NONE = 0x00,
    PSS_HANDLE_HAVE_TYPE = 0x01,                     /**< ObjectType, TypeName */
    PSS_HANDLE_HAVE_NAME = 0x02,                     /**< ObjectName */
    PSS_HANDLE_HAVE_BASIC_INFORMATION = 0x04,        /**< Attributes to NonPagedPoolCharge */
    PSS_HANDLE_HAVE_TYPE_SPECIFIC_INFORMATION = 0x08 /**< TypeSpecificInformation */
} PSS_HANDLE_FLAGS;

/** The object types that have type-specific information. */
typedef enum {
    PSS_OBJECT_TYPE_UNKNOWN = 0, /**< Unknown, or without type-specific information */
    PSS_OBJECT_TYPE_PROCESS = 1,
    PSS_OBJECT_TYPE_THREAD = 2,
    PSS_OBJECT_TYPE_MUTANT = 3, /**< What Win32 calls a mutex */
    PSS_OBJECT_TYPE_EVENT = 4,
    PSS_OBJECT_TYPE_SECTION = 5,  /**< What Win32 calls a file mapping */
    PSS_OBJECT_TYPE_SEMAPHORE = 6 /**< *kernel32: since Windows 10* */
} PSS_OBJECT_TYPE;

/** How PssDuplicateSnapshot() duplicates. */
typedef enum {
    PSS_DUPLICATE_NONE = 0x00,
    PSS_DUPLICATE_CLOSE_SOURCE = 0x01 /**< Frees the source; needs USE_VM_ALLOCATIONS there */
} PSS_DUPLICATE_FLAGS;

/** State of the captured process. */
typedef enum {
    PSS_PROCESS_FLAGS_NONE = 0x00000000,
    PSS_PROCESS_FLAGS_PROTECTED = 0x00000001,   /**< A protected process, where the system tells */
    PSS_PROCESS_FLAGS_WOW64 = 0x00000002,       /**< A 32-bit process on a 64-bit system */
    PSS_PROCESS_FLAGS_RESERVED_03 = 0x00000004, /**< Undefined, never set here */
    PSS_PROCESS_FLAGS_RESERVED_04 = 0x00000008, /**< Undefined, never set here */
    PSS_PROCESS_FLAGS_FROZEN = 0x00000010       /**< Stopped or suspended, where the system tells */
} PSS_PROCESS_FLAGS;

/** State of a captured thread. */
typedef enum {
    PSS_THREAD_FLAGS_NONE = 0x0000,
    PSS_THREAD_FLAGS_TERMINATED = 0x0001 /**< Has ended; its object still exists */
} PSS_THREAD_FLAGS;

#ifdef __cplusplus
DEFINE_ENUM_FLAG_OPERATORS(PSS_CAPTURE_FLAGS)
DEFINE_ENUM_FLAG_OPERATORS(PSS_HANDLE_FLAGS)
DEFINE_ENUM_FLAG_OPERATORS(PSS_DUPLICATE_FLAGS)
DEFINE_ENUM_FLAG_OPERATORS(PSS_PROCESS_FLAGS)
DEFINE_ENUM_FLAG_OPERATORS(PSS_THREAD_FLAGS)
#endif

/* ---- Structures that PssQuerySnapshot() fills ---- */

/** The process. What the system does not tell is 0. */
typedef struct {
    DWORD ExitStatus;                     /**< STILL_ACTIVE (259) while alive */
    void *PebBaseAddress;                 /**< Address in the target */
    ULONG_PTR AffinityMask;               /**< One bit per processor */
    LONG BasePriority;                    /**< Kernel priority, 0 to 31; 8 is normal */
    DWORD ProcessId;                      /**< Process id */
    DWORD ParentProcessId;                /**< Process id of the creator, which may have ended */
    PSS_PROCESS_FLAGS Flags;              /**< PSS_PROCESS_FLAGS_* */
    FILETIME CreateTime;                  /**< UTC */
    FILETIME ExitTime;                    /**< UTC, 0 while alive */
    FILETIME KernelTime;                  /**< Duration in units of 100 ns */
    FILETIME UserTime;                    /**< Duration in units of 100 ns */
    DWORD PriorityClass;                  /**< *_PRIORITY_CLASS of SetPriorityClass() */
    ULONG_PTR PeakVirtualSize;            /**< Bytes */
    ULONG_PTR VirtualSize;                /**< Bytes */
    DWORD PageFaultCount;                 /**< Faults */
    ULONG_PTR PeakWorkingSetSize;         /**< Bytes */
    ULONG_PTR WorkingSetSize;             /**< Bytes */
    ULONG_PTR QuotaPeakPagedPoolUsage;    /**< Bytes */
    ULONG_PTR QuotaPagedPoolUsage;        /**< Bytes */
    ULONG_PTR QuotaPeakNonPagedPoolUsage; /**< Bytes */
    ULONG_PTR QuotaNonPagedPoolUsage;     /**< Bytes */
    ULONG_PTR PagefileUsage;              /**< Bytes */
    ULONG_PTR PeakPagefileUsage;          /**< Bytes */
    ULONG_PTR PrivateUsage;               /**< Bytes */
    DWORD ExecuteFlags;                   /**< Reserved: MEM_EXECUTE_OPTION_* bits */
    WCHAR ImageFileName[MAX_PATH];        /**< DOS path, cut to 259 characters and a NUL */
} PSS_PROCESS_INFORMATION;

/**
 * The clone: a process with an id of its own, which can be read, queried, dumped, captured and
 * ended as any other. It ends with the snapshot, even if the process that owns that one dies. The
 * client may end it earlier, and may close the handle.
 */
typedef struct {
    HANDLE VaCloneHandle; /**< PROCESS_ALL_ACCESS, lent: the snapshot owns it */
} PSS_VA_CLONE_INFORMATION;

/** The auxiliary pages. */
typedef struct {
    DWORD AuxPagesCaptured; /**< Entries of PSS_WALK_AUXILIARY_PAGES */
} PSS_AUXILIARY_PAGES_INFORMATION;

/** The memory regions. */
typedef struct {
    DWORD RegionCount; /**< Entries of PSS_WALK_VA_SPACE */
} PSS_VA_SPACE_INFORMATION;

/** The handles. */
typedef struct {
    DWORD HandlesCaptured; /**< Entries of PSS_WALK_HANDLES */
} PSS_HANDLE_INFORMATION;

/** The threads. */
typedef struct {
    DWORD ThreadsCaptured; /**< Entries of PSS_WALK_THREADS, terminated threads included */
    DWORD ContextLength;   /**< Bytes of each context record; 0 without THREAD_CONTEXT */
} PSS_THREAD_INFORMATION;

/** The handle trace, whose layout is not documented. */
typedef struct {
    HANDLE SectionHandle; /**< Section handle, lent: the snapshot owns it */
    DWORD Size;           /**< Bytes */
} PSS_HANDLE_TRACE_INFORMATION;

/**
 * What the capture cost. Cycles are those of the capturing thread, periods are microseconds. A
 * phase that did not run is 0; Total is the whole call. VaClone is the time the target stands still
 * for the clone; what is prepared before and finished after is in Total only. *kernel32: documented
 * as FILETIME units.*
 */
typedef struct {
    UINT64 TotalCycleCount;         /**< Cycles */
    UINT64 TotalWallClockPeriod;    /**< Microseconds */
    UINT64 VaCloneCycleCount;       /**< Cycles */
    UINT64 VaCloneWallClockPeriod;  /**< Microseconds */
    UINT64 VaSpaceCycleCount;       /**< Cycles */
    UINT64 VaSpaceWallClockPeriod;  /**< Microseconds */
    UINT64 AuxPagesCycleCount;      /**< Cycles */
    UINT64 AuxPagesWallClockPeriod; /**< Microseconds */
    UINT64 HandlesCycleCount;       /**< Cycles */
    UINT64 HandlesWallClockPeriod;  /**< Microseconds */
    UINT64 ThreadsCycleCount;       /**< Cycles */
    UINT64 ThreadsWallClockPeriod;  /**< Microseconds */
} PSS_PERFORMANCE_COUNTERS;

/* ---- Structures that PssWalkSnapshot() fills ---- */

/** A page that was copied apart from the clone. */
typedef struct {
    void *Address;                             /**< Address in the target */
    MEMORY_BASIC_INFORMATION BasicInformation; /**< The region, as VirtualQueryEx() tells it */
    FILETIME CaptureTime;                      /**< UTC */
    void *PageContents;                        /**< The bytes, in this process; may be NULL */
    DWORD PageSize;                            /**< Bytes */
} PSS_AUXILIARY_PAGE_ENTRY;

/**
 * A memory region of the target, as VirtualQueryEx() tells it, free ones included. The fields from
 * TimeDateStamp on are filled with PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION only.
 */
typedef struct {
    void *BaseAddress;           /**< Address in the target */
    void *AllocationBase;        /**< Address in the target; NULL when free */
    DWORD AllocationProtect;     /**< PAGE_* */
    ULONG_PTR RegionSize;        /**< Bytes */
    DWORD State;                 /**< MEM_COMMIT, MEM_RESERVE or MEM_FREE */
    DWORD Protect;               /**< PAGE_* */
    DWORD Type;                  /**< MEM_IMAGE, MEM_MAPPED, MEM_PRIVATE or 0 */
    DWORD TimeDateStamp;         /**< MEM_IMAGE: seconds since 1970, from the PE header */
    DWORD SizeOfImage;           /**< MEM_IMAGE: bytes, from the PE header */
    void *ImageBase;             /**< MEM_IMAGE: from the PE header in memory */
    DWORD CheckSum;              /**< MEM_IMAGE: from the PE header */
    WORD MappedFileNameLength;   /**< Bytes without the NUL */
    const WCHAR *MappedFileName; /**< NT path of the file behind it, or NULL */
} PSS_VA_SPACE_ENTRY;

/**
 * A handle of the target. Flags tells which parts are filled; the others are 0.
 *
 * Where a handle is closed during the capture and its value used again, all parts are of one and
 * the same object, or there is only the value. Counts are those of the moment in which they were
 * asked for. PointerCount is what the system keeps: since Windows 8.1 the kernel hands out
 * references to a handle in batches and counts a whole batch as taken, so that it may be some ten
 * thousand for an object with one handle.
 */
typedef struct {
    HANDLE Handle;              /**< Its value in the target */
    PSS_HANDLE_FLAGS Flags;     /**< PSS_HANDLE_HAVE_* */
    PSS_OBJECT_TYPE ObjectType; /**< Which member of the union, if any */
    FILETIME CaptureTime;       /**< UTC */
    DWORD Attributes;           /**< OBJ_INHERIT, OBJ_PROTECT_CLOSE */
    DWORD GrantedAccess;        /**< Access mask of the handle */
    DWORD HandleCount;          /**< Handles to the object, ours left out */
    DWORD PointerCount;         /**< References to the object, ours left out; see above */
    DWORD PagedPoolCharge;      /**< Bytes */
    DWORD NonPagedPoolCharge;   /**< Bytes */
    FILETIME CreationTime;      /**< UTC; 0 unless the object has one */
    WORD TypeNameLength;        /**< Bytes without the NUL */
    const WCHAR *TypeName;      /**< Such as L"Event", or NULL */
    WORD ObjectNameLength;      /**< Bytes without the NUL */
    const WCHAR *ObjectName;    /**< NT name, or NULL */
    union {
        struct {
            DWORD ExitStatus;       /**< STILL_ACTIVE (259) while alive */
            void *PebBaseAddress;   /**< Address in that process */
            ULONG_PTR AffinityMask; /**< One bit per processor */
            LONG BasePriority;      /**< Kernel priority, 0 to 31 */
            DWORD ProcessId;        /**< Process id */
            DWORD ParentProcessId;  /**< Process id */
            DWORD Flags;            /**< PSS_PROCESS_FLAGS_* */
        } Process;
        struct {
            DWORD ExitStatus;        /**< STILL_ACTIVE (259) while alive */
            void *TebBaseAddress;    /**< Address in its process */
            DWORD ProcessId;         /**< Process id */
            DWORD ThreadId;          /**< Thread id */
            ULONG_PTR AffinityMask;  /**< One bit per processor */
            int Priority;            /**< Kernel priority, 0 to 31 */
            int BasePriority;        /**< Kernel priority, 0 to 31 */
            void *Win32StartAddress; /**< Address in its process */
        } Thread;
        struct {
            LONG CurrentCount;    /**< 1 when free, 0 and less when owned */
            BOOL Abandoned;       /**< The last owner ended without releasing it */
            DWORD OwnerProcessId; /**< Process id, 0 when free or not told */
            DWORD OwnerThreadId;  /**< Thread id, 0 when free or not told */
        } Mutant;
        struct {
            BOOL ManualReset; /**< A notification event */
            BOOL Signaled;    /**< Set */
        } Event;
        struct {
            void *BaseAddress;          /**< Of a section made with a base, else NULL */
            DWORD AllocationAttributes; /**< SEC_* */
            LARGE_INTEGER MaximumSize;  /**< Bytes */
        } Section;
        struct {
            LONG CurrentCount; /**< Waits it satisfies now */
            LONG MaximumCount; /**< Its limit */
        } Semaphore;
    } TypeSpecificInformation;
} PSS_HANDLE_ENTRY;

/** A thread of the target. */
typedef struct {
    DWORD ExitStatus;               /**< STILL_ACTIVE (259) while alive */
    void *TebBaseAddress;           /**< Address in the target */
    DWORD ProcessId;                /**< Process id of the target */
    DWORD ThreadId;                 /**< Thread id */
    ULONG_PTR AffinityMask;         /**< One bit per processor */
    int Priority;                   /**< Dynamic kernel priority, 0 to 31 */
    int BasePriority;               /**< Kernel priority, 0 to 31 */
    void *LastSyscallFirstArgument; /**< NULL where the system does not tell */
    WORD LastSyscallNumber;         /**< 0 where the system does not tell */
    FILETIME CreateTime;            /**< UTC; aligned to 4 bytes, not to 8 */
    FILETIME ExitTime;              /**< UTC, 0 while alive */
    FILETIME KernelTime;            /**< Duration in units of 100 ns */
    FILETIME UserTime;              /**< Duration in units of 100 ns */
    void *Win32StartAddress;        /**< Address in the target */
    FILETIME CaptureTime;           /**< UTC */
    PSS_THREAD_FLAGS Flags;         /**< PSS_THREAD_FLAGS_* */
    WORD SuspendCount;              /**< The capture's own suspension left out */
    WORD SizeOfContextRecord;       /**< Bytes; 0 without a context */
    PCONTEXT ContextRecord;         /**< Registers, for the caller's architecture, or NULL. Those of
                                     *   a 32-bit thread on a 64-bit system may be old ones where
                                     *   CONTEXT_EXCEPTION_REPORTING and CONTEXT_EXCEPTION_ACTIVE
                                     *   are set in ContextFlags */
} PSS_THREAD_ENTRY;

/**
 * Where a walk marker comes from. It is copied; what it points at must outlive the marker. The
 * routines are called on the thread that calls PssWalkMarkerCreate(), PssWalkSnapshot() or
 * PssWalkMarkerFree(), and every allocation is freed once.
 */
typedef struct {
    void *Context;                                           /**< Handed to both routines */
    void *(WINAPI *AllocRoutine)(void *Context, DWORD Size); /**< Bytes; NULL for no memory */
    void(WINAPI *FreeRoutine)(void *Context, void *Address); /**< Accepts NULL */
} PSS_ALLOCATOR;

#else /* PSS_HAVE_SYSTEM_TYPES */
#define PSS_WALK_THREAD_NAME ((PSS_WALK_INFORMATION_CLASS)4)
#endif

/**
 * Queries PSS_VA_CLONE_DETAILS; present with PSS_CAPTURE_VA_CLONE. *kernel32: error 87*, which
 * tells that kernel32 serves: this library answers ERROR_BAD_LENGTH for any other length, and
 * ERROR_NOT_FOUND for a snapshot without a clone.
 */
#define PSS_QUERY_VA_CLONE_DETAILS ((PSS_QUERY_INFORMATION_CLASS)0x40000001)

/** How a clone was made. */
typedef enum {
    PSS_CLONE_NATIVE = 1, /**< By the system, copy-on-write */
    PSS_CLONE_CARRIER = 2 /**< By copying into a suspended process */
} PSS_CLONE_STRATEGY;

/** How the bytes came into a carrier. */
typedef enum {
    PSS_CLONE_ROUTE_NONE = 0,  /**< They were not copied */
    PSS_CLONE_ROUTE_CALLS = 1, /**< NtReadVirtualMemory and NtWriteVirtualMemory */
    PSS_CLONE_ROUTE_FILES = 2  /**< The files in which the system shows the memory of both */
} PSS_CLONE_ROUTE;

/** What a clone holds. A native clone tells no bytes: all are 0. */
typedef struct {
    PSS_CLONE_STRATEGY Strategy; /**< PSS_CLONE_* */
    PSS_CLONE_ROUTE Route;       /**< PSS_CLONE_ROUTE_* */
    UINT64 BytesCommitted;       /**< Bytes the target had committed */
    UINT64 BytesHeld;            /**< Bytes of these that the clone has as they were */
    UINT64 BytesCopied;          /**< Bytes held because they were copied */
    UINT64 BytesUnchanged;       /**< Bytes held as the image file supplies them */
    UINT64 BytesZero;            /**< Bytes held that are zero and were never written */
    UINT64 BytesMissing;         /**< Committed bytes that the clone does not have: see README */
} PSS_VA_CLONE_DETAILS;

/** A thread's name (SetThreadDescription), in the order of PSS_WALK_THREADS. */
typedef struct {
    WORD ThreadNameSize;     /**< Bytes without the NUL; 0 when unnamed */
    const WCHAR *ThreadName; /**< NUL-terminated, or NULL */
} PSS_THREAD_NAME;

/* ---- Functions ---- */

/**
 * Captures a process.
 *
 * ProcessHandle needs PROCESS_QUERY_LIMITED_INFORMATION; THREADS, VA_SPACE, HANDLES, HANDLE_TRACE
 * and auxiliary pages need PROCESS_QUERY_INFORMATION; HANDLES also PROCESS_DUP_HANDLE; section
 * information and auxiliary pages also PROCESS_VM_READ; VA_CLONE PROCESS_CREATE_PROCESS. A clone
 * that has to be copied needs PROCESS_QUERY_INFORMATION and PROCESS_VM_READ, too: where the handle
 * lacks them, the process is opened anew. Threads are opened through the process: no other right is
 * needed. GetCurrentProcess() works with every flag. The handle may be closed after the call.
 *
 * The target is suspended only with THREAD_CONTEXT, and for a clone that has to be copied; it runs
 * again on every path out of the call, and when the calling process ends in the middle of it.
 * A thread, handle or region that vanishes meanwhile costs its entry some data, never the capture.
 *
 * \param ProcessHandle      [in]  The process; of the caller's bitness, or WOW64.
 * \param CaptureFlags       [in]  PSS_CAPTURE_* and PSS_CREATE_*.
 * \param ThreadContextFlags [in]  CONTEXT_* of the caller's architecture; read only with
 *                                 PSS_CAPTURE_THREAD_CONTEXT.
 * \param SnapshotHandle     [out] The snapshot, for PssFreeSnapshot(); NULL on failure.
 * \return ERROR_SUCCESS · ERROR_INVALID_PARAMETER: SnapshotHandle is NULL, an undefined flag, a
 *         context mask of another architecture · ERROR_INVALID_HANDLE: not a process ·
 *         ERROR_ACCESS_DENIED: a right is missing, or a job forbids the breakaway ·
 *         ERROR_NOT_SUPPORTED: a 64-bit target of a 32-bit caller · ERROR_NOT_ENOUGH_MEMORY: commit
 *         included ·
 *         ERROR_PARTIAL_COPY: the target died meanwhile, or is dead and a flag needs its memory
 *         or handles, or the clone was ended before it was done · ERROR_SEM_TIMEOUT: a living
 *         target, or its clone, does not answer for its memory or its contexts, as one that is
 *         stopped from outside, or another capture of the own process does not end ·
 *         ERROR_OPERATION_ABORTED: the thread that asks for them never began, or was ended by
 *         somebody, or another thread of the own process suspends the calling one again and
 *         again · ERROR_BAD_EXE_FORMAT: no image of the target's bitness is at hand for its
 *         clone · what else the system answered. *kernel32: documents no error.*
 * \threadsafe Yes. Capturing the own process with THREAD_CONTEXT or VA_CLONE suspends its other
 *         threads.
 */
PSSAPI DWORD WINAPI PssCaptureSnapshot(HANDLE ProcessHandle, PSS_CAPTURE_FLAGS CaptureFlags,
                                       DWORD ThreadContextFlags, HPSS *SnapshotHandle);

/**
 * Frees a snapshot, ends its clone, and closes every handle that it lent out, unless the client
 * has closed it. A clone that another duplicate of the snapshot owns lives on with that one. One
 * that somebody else has a handle to, such as a duplicate of VaCloneHandle, lives on until the last
 * of these is closed, which later calls of this API look for, or until the calling process ends.
 * Markers that walked it, and the pointers they gave, live on until PssWalkMarkerFree().
 *
 * \param ProcessHandle  [in] The process *in whose memory the snapshot lives*, not the captured
 *                            one: GetCurrentProcess() or a real handle to the own process. For
 *                            another one with PROCESS_VM_READ, PROCESS_VM_OPERATION and
 *                            PROCESS_DUP_HANDLE. There the snapshot must be a duplicate from
 *                            another process or captured with USE_VM_ALLOCATIONS; its memory goes
 *                            at once, with the pointers of its walks.
 * \param SnapshotHandle [in] The snapshot, as valid in that process.
 * \return ERROR_SUCCESS · ERROR_INVALID_HANDLE: no such process, or no such snapshot in it, also
 *         when it was freed before (*kernel32: a double free is undefined*) ·
 *         ERROR_ACCESS_DENIED: a right is missing · ERROR_NOT_SUPPORTED: neither of these in
 *         another process · ERROR_SEM_TIMEOUT: the other process did not do it in time ·
 *         ERROR_NOT_ENOUGH_MEMORY and what else the system answered: for another process only.
 * \threadsafe Yes, unless another thread, here or there, is using the same snapshot.
 */
PSSAPI DWORD WINAPI PssFreeSnapshot(HANDLE ProcessHandle, HPSS SnapshotHandle);

/**
 * Reads one block of information.
 *
 * \param SnapshotHandle   [in]  The snapshot.
 * \param InformationClass [in]  PSS_QUERY_*; it decides the structure.
 * \param Buffer           [out] The structure; every byte of it is written. Handles in it are lent.
 * \param BufferLength     [in]  Bytes; exactly the size of the structure.
 * \return ERROR_SUCCESS, or the first of: ERROR_INVALID_HANDLE · ERROR_INVALID_PARAMETER: unknown
 *         class · ERROR_BAD_LENGTH · ERROR_NOT_FOUND: not captured · ERROR_INVALID_PARAMETER:
 *         Buffer is NULL.
 * \threadsafe Yes.
 */
PSSAPI DWORD WINAPI PssQuerySnapshot(HPSS SnapshotHandle,
                                     PSS_QUERY_INFORMATION_CLASS InformationClass, void *Buffer,
                                     DWORD BufferLength);

/**
 * Reads the entry at the marker and advances the marker.
 *
 * A marker that was used for another list or snapshot starts at the beginning of this one. Pointers
 * in the entry stay valid until the marker is freed.
 *
 * \param SnapshotHandle   [in]  The snapshot.
 * \param InformationClass [in]  PSS_WALK_*; it decides the structure.
 * \param WalkMarkerHandle [in]  The marker.
 * \param Buffer           [out] The structure, every byte of it written; NULL only asks whether an
 *                               entry is there and does not advance.
 * \param BufferLength     [in]  Bytes; exactly the size of the structure.
 * \return ERROR_SUCCESS, or the first of: ERROR_INVALID_HANDLE · ERROR_INVALID_PARAMETER: unknown
 *         class · ERROR_NOT_FOUND: not captured · ERROR_MORE_DATA: Buffer is NULL and an entry is
 *         there · ERROR_BAD_LENGTH · ERROR_NO_MORE_ITEMS: the end, as often as it is asked for, and
 *         for an empty list · ERROR_NOT_ENOUGH_MEMORY: the marker's allocator refused.
 * \threadsafe Yes, with a marker of its own for each thread.
 */
PSSAPI DWORD WINAPI PssWalkSnapshot(HPSS SnapshotHandle,
                                    PSS_WALK_INFORMATION_CLASS InformationClass,
                                    HPSSWALK WalkMarkerHandle, void *Buffer, DWORD BufferLength);

/**
 * Duplicates a snapshot into a process, also into the one it is in. The duplicate has everything
 * the source has, handles of its own, and its own life: a clone ends with the last of all snapshots
 * that have it. It is usable at once in the target process, of whichever bitness: a 32-bit process
 * sees the low halves of the addresses in a 64-bit capture. *kernel32: not between bitnesses.*
 * Snapshots lie below 4 GB where a 64-bit process has room there; one that lies above can be named
 * by no 32-bit process.
 *
 * \param SourceProcessHandle  [in]  The process that holds the snapshot, not the captured one:
 *                                   PROCESS_VM_READ, PROCESS_DUP_HANDLE; with CLOSE_SOURCE also
 *                                   PROCESS_VM_OPERATION. What it holds there is not trusted.
 * \param SnapshotHandle       [in]  The snapshot, as valid in the source process.
 * \param TargetProcessHandle  [in]  The process that receives the duplicate: PROCESS_VM_OPERATION,
 *                                   PROCESS_VM_WRITE, PROCESS_DUP_HANDLE.
 * \param TargetSnapshotHandle [out] The duplicate, as valid in the target process, for
 *                                   PssFreeSnapshot() by either process; NULL on failure.
 * \param Flags                [in]  PSS_DUPLICATE_*. CLOSE_SOURCE frees the source, also if it
 *                                   could not be duplicated.
 * \return ERROR_SUCCESS, or the first of: ERROR_INVALID_PARAMETER: TargetSnapshotHandle is NULL, an
 *         undefined flag · ERROR_INVALID_HANDLE: not a process · ERROR_ACCESS_DENIED: a right is
 *         missing · ERROR_INVALID_HANDLE: no such snapshot in the source process ·
 *         ERROR_NOT_SUPPORTED: CLOSE_SOURCE for a snapshot without USE_VM_ALLOCATIONS, and nothing
 *         was duplicated or freed · ERROR_NOT_ENOUGH_MEMORY, also where the target process or the
 *         caller is a 32-bit one, or a 64-bit target may not be asked what it is, and there is no
 *         room below 4 GB in the target · ERROR_SEM_TIMEOUT: the target process did not answer in
 *         time · what else the system answered.
 * \threadsafe Yes, unless another thread frees the snapshot.
 */
PSSAPI DWORD WINAPI PssDuplicateSnapshot(HANDLE SourceProcessHandle, HPSS SnapshotHandle,
                                         HANDLE TargetProcessHandle, HPSS *TargetSnapshotHandle,
                                         PSS_DUPLICATE_FLAGS Flags);

/**
 * Makes a walk marker, placed at the beginning. It belongs to no snapshot or list until it is used.
 *
 * \param Allocator        [in]  Optional; NULL takes the process heap.
 * \param WalkMarkerHandle [out] The marker, to be freed with PssWalkMarkerFree(); NULL on failure.
 * \return ERROR_SUCCESS · ERROR_INVALID_PARAMETER: WalkMarkerHandle is NULL ·
 *         ERROR_NOT_ENOUGH_MEMORY.
 * \threadsafe Yes.
 */
PSSAPI DWORD WINAPI PssWalkMarkerCreate(const PSS_ALLOCATOR *Allocator, HPSSWALK *WalkMarkerHandle);

/**
 * Frees a walk marker, and with it the pointers that walks with it gave.
 *
 * \param WalkMarkerHandle [in] The marker.
 * \return ERROR_SUCCESS · ERROR_INVALID_HANDLE (*kernel32: documents success only*).
 * \threadsafe Yes, unless another thread is using the same marker.
 */
PSSAPI DWORD WINAPI PssWalkMarkerFree(HPSSWALK WalkMarkerHandle);

/**
 * Tells a marker's position, good for PssWalkMarkerSetPosition() only.
 *
 * \param WalkMarkerHandle [in]  The marker.
 * \param Position         [out] The position.
 * \return ERROR_SUCCESS · ERROR_INVALID_HANDLE · ERROR_INVALID_PARAMETER: Position is NULL.
 * \threadsafe With a marker of its own for each thread.
 */
PSSAPI DWORD WINAPI PssWalkMarkerGetPosition(HPSSWALK WalkMarkerHandle, ULONG_PTR *Position);

/**
 * Moves a marker to a position that PssWalkMarkerGetPosition() told for the same list.
 *
 * \param WalkMarkerHandle [in] The marker.
 * \param Position         [in] Any value; one past the end shows at the next walk as
 *                              ERROR_NO_MORE_ITEMS.
 * \return ERROR_SUCCESS · ERROR_INVALID_HANDLE.
 * \threadsafe With a marker of its own for each thread.
 */
PSSAPI DWORD WINAPI PssWalkMarkerSetPosition(HPSSWALK WalkMarkerHandle, ULONG_PTR Position);

/**
 * Makes a marker like new: at the beginning, and bound to no list.
 *
 * \param WalkMarkerHandle [in] The marker.
 * \return ERROR_SUCCESS · ERROR_INVALID_HANDLE.
 * \threadsafe With a marker of its own for each thread.
 */
PSSAPI DWORD WINAPI PssWalkMarkerSeekToBeginning(HPSSWALK WalkMarkerHandle);

/**
 * The same as PssWalkMarkerGetPosition().
 * \source kernel32 of Windows 8.1 and 10 exports the name; no header declares it.
 */
PSSAPI DWORD WINAPI PssWalkMarkerTell(HPSSWALK WalkMarkerHandle, ULONG_PTR *Position);

/**
 * The same as PssWalkMarkerSetPosition().
 * \source kernel32 of Windows 8.1 and 10 exports the name; no header declares it.
 */
PSSAPI DWORD WINAPI PssWalkMarkerSeek(HPSSWALK WalkMarkerHandle, ULONG_PTR Position);

/**
 * The same as PssWalkMarkerSeekToBeginning().
 * \source kernel32 of Windows 8.1 and 10 exports the name; no header declares it.
 */
PSSAPI DWORD WINAPI PssWalkMarkerRewind(HPSSWALK WalkMarkerHandle);

#ifdef __cplusplus
}
#endif

#endif /* RC_INVOKED */
#endif /* PSS_H */
