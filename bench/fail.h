/* SPDX-License-Identifier: MIT */
/* What ends the bench early. */
#ifndef PSS_BENCH_FAIL_H
#define PSS_BENCH_FAIL_H

#include <windows.h>

/** Says which function failed, and ends the program; a target ends with it. */
void fail(const char *function, DWORD error) __attribute__((noreturn));

/** The same with the calling thread's last error. */
void fail_last(const char *function) __attribute__((noreturn));

/** calloc() that does not fail. */
void *allocate(size_t count, size_t size);

#endif
