/* SPDX-License-Identifier: MIT */
/* What a capture has to make of a failing call, by the rules for hard and soft failures. */
#ifndef PSS_EXPECTATION_H
#define PSS_EXPECTATION_H

#include "faulty_nt.h"

/** What is captured, as far as the rules ask. */
struct expectation_case {
    HANDLE process;      /* as given to the capture */
    DWORD thread;        /* that captures */
    uint32_t flags;      /* PSS_CAPTURE_FLAGS */
    bool has_ended;      /* the target, before the capture */
    bool traces_handles; /* the system answers with a handle trace */
};

enum expectation {
    EXPECTATION_FAILURE, /* with the status of the call */
    EXPECTATION_SUCCESS,
    EXPECTATION_EITHER,  /* it cannot be told from what a sound system says */
    EXPECTATION_TIMEOUT, /* or success: STATUS_IO_TIMEOUT, STATUS_CANCELLED: a helper was given up
                          */
};

/** Of one failing call; everything else works. */
enum expectation expectation_of(const struct faulty_call *call, NTSTATUS status,
                                const struct expectation_case *what);

#endif
