/* SPDX-License-Identifier: MIT */
/* The test's side of the known target: start it, tell it what to do, see that it is unharmed. */
#ifndef PSS_TARGET_H
#define PSS_TARGET_H

#include "harness.h"
#include "target_channel.h"

/** One target process; ended by target_destroy, at the latest by the test's teardown. */
struct target {
    HANDLE process; /* owned, PROCESS_ALL_ACCESS */
    HANDLE thread;  /* owned, the main thread */
    DWORD pid;
    DWORD main_thread;
    bool frozen;
    bool never_ran;
    struct target_channel *channel; /* owned view */
    HANDLE section;                 /* owned */
    HANDLE request;                 /* owned event */
    HANDLE reply;                   /* owned event */
    struct target *next;            /* in the list of those not yet destroyed */
};

/** Starts a target of the test's own bitness and waits until it obeys. */
struct target *target_start(void);

/**
 * Starts a target in a job of the caller's and in no other one.
 *
 * \param job [in] Should have JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE: the target must not outlive the
 *                 test.
 */
struct target *target_start_in_job(HANDLE job);

/** Creates a target suspended: its main thread has not executed one instruction. */
struct target *target_start_never_ran(void);

/** Starts a target of the other bitness; NULL where there is none or the system cannot run it. */
struct target *target_start_foreign(void);

/** Lets a target run that never ran, and waits until it obeys. */
void target_run(struct target *target);

/**
 * Gives a command and waits for its result.
 *
 * \param op         [in] What to do; target_channel.h tells the arguments.
 * \param text       [in] Name or path; may be NULL.
 * \param arguments  [in] Five numbers; unused ones are 0.
 * \return The result; a command that fails in the target fails the test.
 */
uint64_t target_call_text(struct target *target, enum target_op op, const WCHAR *text, uint64_t a,
                          uint64_t b, uint64_t c, uint64_t d);

/** target_call_text without a text. */
uint64_t target_call(struct target *target, enum target_op op, uint64_t a, uint64_t b, uint64_t c,
                     uint64_t d);

/** Gives a command and does not wait: the target obeys while the test goes on. */
void target_begin(struct target *target, enum target_op op, uint64_t a, uint64_t b, uint64_t c,
                  uint64_t d);

/** Waits for the result of what target_begin() gave; a command that fails fails the test. */
uint64_t target_answer(struct target *target);

/** target_begin with one number. */
void target_post(struct target *target, enum target_op op, uint64_t a);

/** Gives a command that the target does not survive, and waits for its end. */
void target_call_fatal(struct target *target, enum target_op op, uint64_t a);

/** The n-th further value of the last command. */
uint64_t target_value(const struct target *target, unsigned index);

/** Suspend all threads of the target, and let them run again. */
void target_freeze(struct target *target);
void target_thaw(struct target *target);

/** Ends the process and waits for that; its handle stays open. */
void target_kill(struct target *target);

/** Ends the process if need be and frees everything. */
void target_destroy(struct target *target);

/** Destroys all targets that are left; for teardowns. */
void target_destroy_all(void);

/** Counts the living children of a process, which may have ended itself. */
DWORD target_children_count(DWORD pid);

/**
 * Whether a process began before this one. It is no child of ours, whatever its parent's id says:
 * ids are given away again, and a service of the system may seem to be one.
 */
bool target_is_older_than_test(DWORD pid);

/**
 * Counts the children of all targets started since the last call of target_forget_started, and of
 * the test itself. A child that is about to end is waited for, within bounds.
 */
DWORD target_children_left(void);
void target_forget_started(void);

/** The job that whatever a test starts belongs to: its only handle is closed by the test's own end.
 */
HANDLE target_job(void);

/** Counts a process among the targets started, whose children are counted. */
void target_note_started(DWORD pid);

/**
 * Captures a target and asserts that this succeeds and leaves the target as it was:
 * threads and their suspend counts, handles, private memory, and its obedience.
 */
HPSS target_capture(struct target *target, DWORD flags, DWORD context_flags);

/** What target_capture compares; for tests that make the capture themselves. */
struct target_state {
    DWORD threads;
    DWORD suspensions;
    DWORD handles;
    DWORD private_pages;
};

struct target_state target_state_read(const struct target *target);
void target_assert_unharmed(struct target *target, struct target_state before);

/** Writes a name that no parallel test uses into \p name; returns it. */
const WCHAR *unique_name(WCHAR name[64], const WCHAR *stem);

#endif
