/* SPDX-License-Identifier: MIT */
/* Starts this program once more, to do what a test program does not survive. */
#ifndef PSS_RERUN_H
#define PSS_RERUN_H

#include "harness.h"

/** Runs this program with \p option and \p word as its arguments; its exit code. */
DWORD rerun(const char *option, const char *word);

#endif
