/* SPDX-License-Identifier: MIT */
/* dbghelp.dll, found at run time: not every system that runs the tests needs to have it. */
#ifndef PSS_DEBUG_HELP_H
#define PSS_DEBUG_HELP_H

#include "harness.h"

/* After windows.h, which it needs. */
#include <dbghelp.h>

/** The functions that the tests call; all are there when debug_help_load succeeded. */
struct debug_help {
    __typeof__(&SymInitialize) initialize;
    __typeof__(&SymCleanup) cleanup;
    __typeof__(&SymEnumerateModules64) enumerate_modules;
    __typeof__(&SymFunctionTableAccess64) function_table;
    __typeof__(&SymGetModuleBase64) module_base;
    __typeof__(&StackWalk64) walk;
    __typeof__(&MiniDumpWriteDump) write_dump;
};

extern struct debug_help debug_help;

/** Loads the DLL once; false where there is none. */
bool debug_help_load(void);

/**
 * Whether there is a dbghelp that can invade a process, cloned or not; says so when not.
 * Wine's 32-bit one cannot on a 64-bit host.
 */
bool debug_help_can_invade(HANDLE process);

/** A group's set-up: ledger_warm_up, and dbghelp, which may hold something for good once it was
 * used. */
int debug_help_warm_up(void **state);

/** A stack frame to begin a walk with, from a context of the test's own architecture. */
STACKFRAME64 debug_help_frame(const CONTEXT *context);

/** The IMAGE_FILE_MACHINE_* of the test. */
DWORD debug_help_machine(void);

#endif
