/* SPDX-License-Identifier: MIT */
/* pss-inject.exe ID: gives a new process the API, for a 32-bit parent that cannot reach it. Ends
 * with a Win32 code. */
#include "attach.h"

/** The number at the end of the command line; 0 for none. */
static DWORD read_id(const WCHAR *line)
{
    DWORD id = 0;

    for (; *line != L'\0'; line++)
        id = *line >= L'0' && *line <= L'9' ? id * 10 + (DWORD)(*line - L'0') : 0;
    return id;
}

void start(void);

void start(void)
{
    DWORD rights =
        PROCESS_QUERY_INFORMATION | PROCESS_VM_OPERATION | PROCESS_VM_READ | PROCESS_VM_WRITE;
    HANDLE process = OpenProcess(rights, FALSE, read_id(GetCommandLineW()));

    ExitProcess(process != NULL ? attach_to(pss_nt_system(), NULL, process) : GetLastError());
}
