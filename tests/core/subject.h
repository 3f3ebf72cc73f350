/* SPDX-License-Identifier: MIT */
/* What is captured in the tests of the core: a child with one of everything, or the test itself. */
#ifndef PSS_SUBJECT_H
#define PSS_SUBJECT_H

#include "api/api.h"

#include "harness.h"
#include "target.h"

#define SUBJECT_THREADS 8

/** Every flag but that of the clone, which has tests of its own. */
#define SUBJECT_EVERYTHING                                                                       \
    (PSS_CAPTURE_RESERVED_00000002 | PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION | \
     PSS_CAPTURE_HANDLE_BASIC_INFORMATION | PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION |       \
     PSS_CAPTURE_HANDLE_TRACE | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT |               \
     PSS_CAPTURE_THREAD_CONTEXT_EXTENDED | PSS_CAPTURE_VA_SPACE |                                \
     PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION | PSS_CREATE_MEASURE_PERFORMANCE)

#define SUBJECT_CONTEXT_FLAGS CONTEXT_ALL

/** A process to capture, and the threads of it whose suspension is watched. */
struct subject {
    const char *name;
    struct target *target; /* NULL: this process */
    HANDLE process;        /* what the library is given */
    HANDLE threads[SUBJECT_THREADS];
    DWORD thread_count;
    HANDLE stop;          /* ends the second thread of this process */
    uint64_t event, file; /* handles in the target */
    uint64_t worker;      /* handle of a waiting thread there, which nobody needs */
    DWORD worker_id;
    uint64_t memory; /* four pages of private memory there */
};

/** A child with two threads, memory, and an object of each type. */
void subject_start_child(struct subject *subject);

/** This process, by the pseudo handle or by a real one, with a second thread that waits. */
void subject_use_self(struct subject *subject, bool by_real_handle);

/** Lets go of everything; a child is ended. */
void subject_fini(struct subject *subject);

/** Fails the test unless each watched thread that lives has this suspend count. */
void subject_assert_suspended(const struct subject *subject, DWORD count, const char *where);

/** A capture by the faulty system. */
NTSTATUS subject_capture(const struct subject *subject, uint32_t flags, HPSS *snapshot);

/** Fails the test unless the snapshot is sound; then frees it. */
void subject_check_and_free(HPSS snapshot, const char *where);

/** The record of a section in a snapshot. */
#define subject_record(snapshot, type, section, index) \
    ((const type *)pss_block_record((const struct pss_block *)(snapshot), section, index))

uint32_t subject_count(HPSS snapshot, enum pss_section section);

/** The record of a handle of the target; NULL if it is not there. */
const struct pss_handle_record *subject_handle(HPSS snapshot, uint64_t handle);

#endif
