/* SPDX-License-Identifier: MIT */
/* A program that starts another one, waits for it and ends as it does: parent [-s] COMMAND LINE; -s
 * = create it suspended and resume it. */
#include <string.h>

#include <windows.h>

int main(void)
{
    char *line = GetCommandLineA();
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION child;
    DWORD flags = 0;
    DWORD code = 99;

    line = strchr(line + 1, line[0] == '"' ? '"' : ' ');
    if (line == NULL)
        return 98;
    line += strspn(line, "\" ");
    if (strncmp(line, "-s ", 3) == 0) {
        line += 3;
        flags = CREATE_SUSPENDED;
    }
    if (!CreateProcessA(NULL, line, NULL, NULL, TRUE, flags, NULL, NULL, &startup, &child))
        return 97;
    if (flags != 0 && ResumeThread(child.hThread) != 1)
        return 96; /* Somebody else has suspended it, or let it go. */
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &code);
    return (int)code;
}
