/* SPDX-License-Identifier: MIT */
/* A system whose calls fail on demand, and which keeps account of all the library holds. */
#ifndef PSS_FAULTY_NT_H
#define PSS_FAULTY_NT_H

#include <stdbool.h>

#include "nt/nt.h"

/*
 * One such system per process: the services of struct pss_nt take no context. A call goes first
 * through the account and the planned faults, then to an inner table, which is the real system
 * unless a test has replaced an entry. One thread captures at a time; a helper thread of the
 * library may call at any time, and may be ended at any time.
 */

/* clang-format off */
#define FAULTY_SERVICES(X) \
    X(open_process) X(query_process) X(get_next_thread) X(query_thread) X(suspend_thread) \
    X(resume_thread) X(get_context) X(create_thread) X(terminate_thread) X(wait) X(query_system) \
    X(query_time) X(query_counter) X(query_memory) X(read_memory) X(allocate_memory) \
    X(free_memory) X(create_section) X(map_view) X(unmap_view) X(duplicate) X(close) \
    X(query_object) X(query_event) X(query_mutant) X(query_semaphore) X(query_section) \
    X(allocate_heap) X(free_heap) X(find_service) X(create_event) X(set_event) \
    X(create_mutant) X(release_mutant) \
    X(create_user_process) X(create_job) X(set_job) \
    X(assign_job) X(terminate_process) X(write_memory) X(protect_memory) X(open_file) \
    X(list_directory) X(read_file) X(write_file) X(create_process) \
    X(pin_module) X(try_lock_loader) X(unlock_loader) X(find_module) X(find_export) X(query_environment) X(delay)
/* clang-format on */

#define FAULTY_ENUMERATOR(name) FAULTY_##name,
enum faulty_service { FAULTY_SERVICES(FAULTY_ENUMERATOR) FAULTY_SERVICE_COUNT };
#undef FAULTY_ENUMERATOR

/** A call that came through. */
struct faulty_call {
    enum faulty_service service;
    HANDLE handle;              /* the first one given */
    ULONG class_number;         /* of a query */
    SIZE_T size;                /* of the buffer */
    const void *address;        /* in the process */
    ULONG_PTR limit;            /* of an address that is allocated; 0: none */
    bool is_remote;             /* it changes the memory of another process */
    uint32_t number;            /* among all calls since the last faulty_reset, from 1 */
    uint32_t fallible;          /* the number that faulty_fail counts; 0: a release */
    enum faulty_service before; /* what this thread called before; FAULTY_SERVICE_COUNT: nothing */
    bool is_carrier; /* the handle is that of the process made last, as the library has it */
    DWORD thread;    /* that called */
    bool is_frozen;  /* something is suspended */
    uint32_t looks;  /* looks at the times of a process before it: 0 while a target is opened */
};

/** What the library holds at the moment. */
struct faulty_ledger {
    uint32_t handles;
    uint32_t allocations;
    uint32_t views;
    uint32_t suspends;
    uint32_t heap_blocks;
};

/** Forgets everything: the real system, no fault, no event, an empty account. */
void faulty_init(void);

/** The table to give to the library. */
const struct pss_nt *faulty_nt(void);

/**
 * Where calls go; a test may replace entries. The process that NtCreateProcessEx makes is counted
 * as a service like the others, whatever find_service answers for that name.
 */
struct pss_nt *faulty_inner(void);

/** Counts calls from 1 again, and plans neither fault nor event; the account stays. */
void faulty_reset(void);

/**
 * Plans a fault: no real call is made, and outputs are left as they are. Releases never fail, and
 * are not counted. A service that answers an address answers NULL instead of the status.
 *
 * \param number      [in] Of the call that may fail, from 1 on since the last faulty_reset.
 * \param persistent  [in] All later ones fail, too.
 */
void faulty_fail(uint32_t number, bool persistent, NTSTATUS status);

/**
 * Plans another fault beside that of faulty_fail, which is no persistent one: the call so many
 * later fails, too, if there is one. faulty_failed_again() tells whether it did.
 */
void faulty_fail_again(uint32_t later, NTSTATUS status);
bool faulty_failed_again(void);

/** Until the next faulty_reset no wait fails: a thread of our own that lives can be waited for. */
void faulty_spare_waits(void);

/** The first call that was made to fail; NULL if there was none. */
const struct faulty_call *faulty_failed(void);

/** Calls of a service that came before faulty_failed(). */
uint32_t faulty_made_before(enum faulty_service service);

/** Calls something right before call \p number, releases counted, is made. */
void faulty_plan_event(uint32_t number, void (*event)(void *argument), void *argument);

/** Calls since the last faulty_reset: all of them, and those of one service. */
uint32_t faulty_calls(void);
uint32_t faulty_calls_of(enum faulty_service service);

/** The last call number counted by faulty_fail's way of counting. */
uint32_t faulty_fallible_calls(void);

/** The service of a call with a number of faulty_fail's; FAULTY_SERVICE_COUNT if it is not known.
 */
enum faulty_service faulty_service_of(uint32_t number);

/** Calls of a service that were made to fail since the last faulty_reset. */
uint32_t faulty_failures_of(enum faulty_service service);

/**
 * Whether a look failed whether somebody lives who is waited for: on a busy machine, and
 * there alone, a wait takes so long that the library looks, and then gives a helper up.
 */
bool faulty_failed_a_look(void);

const char *faulty_name(enum faulty_service service);

struct faulty_ledger faulty_ledger(void);

/** Whether a handle is on the account. */
bool faulty_holds(HANDLE handle);

/** Takes a handle off the account: the client has closed it. */
void faulty_disown(HANDLE handle);

/** Closes, as the client would, the clone's handle that he was lent last, if the library left it.
 */
void faulty_close_lent(void);

/**
 * The first thing the library did that it must never do, or NULL: released what it does not hold,
 * failed to release, used heap, loader or names while something was suspended.
 */
const char *faulty_violation(void);

/** Whether every thread the library made has ended; waits for those that are about to. */
bool faulty_threads_ended(void);

/** The process the library has made last, by a handle of our own; NULL if there was none. */
HANDLE faulty_carrier(void);

/** How many processes the library has made since faulty_init. */
uint32_t faulty_carriers(void);

/** Whether every process the library made has ended; waits for those that are about to. */
bool faulty_carriers_ended(void);

/** Releases what was left to a thread that could not be ended, which must have ended since. */
void faulty_reclaim(void);

/**
 * Fails the test, and says why, unless nothing is held but by a helper that a failed look gave up,
 * everything that was made has ended, and nothing wrong was done.
 */
void faulty_assert_clean(const char *where);

#endif
