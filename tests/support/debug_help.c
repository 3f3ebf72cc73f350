/* SPDX-License-Identifier: MIT */
/* Loads dbghelp.dll. */
#include "debug_help.h"

#include "ledger.h"

struct debug_help debug_help;

static bool resolve(HMODULE module, const char *name, void *function)
{
    FARPROC found = GetProcAddress(module, name);

    memcpy(function, &found, sizeof(found));
    return found != NULL;
}

bool debug_help_load(void)
{
    HMODULE module = LoadLibraryA("dbghelp.dll");

    return module && resolve(module, "SymInitialize", &debug_help.initialize) &&
           resolve(module, "SymCleanup", &debug_help.cleanup) &&
           resolve(module, "SymEnumerateModules64", &debug_help.enumerate_modules) &&
           resolve(module, "SymFunctionTableAccess64", &debug_help.function_table) &&
           resolve(module, "SymGetModuleBase64", &debug_help.module_base) &&
           resolve(module, "StackWalk64", &debug_help.walk) &&
           resolve(module, "MiniDumpWriteDump", &debug_help.write_dump);
}

bool debug_help_can_invade(HANDLE process)
{
    if (!debug_help_load()) {
        print_message("there is no dbghelp.dll\n");
        return false;
    }
    if (!debug_help.initialize(process, NULL, TRUE)) {
        print_message("dbghelp.dll does not invade even the target: error %lu\n", GetLastError());
        return false;
    }
    return debug_help.cleanup(process);
}

int debug_help_warm_up(void **state)
{
    ledger_warm_up(state);
    if (debug_help_load() && debug_help.initialize(GetCurrentProcess(), NULL, TRUE))
        debug_help.cleanup(GetCurrentProcess());
    return 0;
}

STACKFRAME64 debug_help_frame(const CONTEXT *context)
{
    STACKFRAME64 frame = {0};

    frame.AddrPC.Mode = frame.AddrFrame.Mode = frame.AddrStack.Mode = AddrModeFlat;
#ifdef _WIN64
    frame.AddrPC.Offset = context->Rip;
    frame.AddrFrame.Offset = context->Rbp;
    frame.AddrStack.Offset = context->Rsp;
#else
    frame.AddrPC.Offset = context->Eip;
    frame.AddrFrame.Offset = context->Ebp;
    frame.AddrStack.Offset = context->Esp;
#endif
    return frame;
}

DWORD debug_help_machine(void)
{
    return sizeof(void *) == 8 ? IMAGE_FILE_MACHINE_AMD64 : IMAGE_FILE_MACHINE_I386;
}
