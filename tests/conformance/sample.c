/* SPDX-License-Identifier: MIT */
/* A bad test program for the test of the kit: what it does wrong stands in its name. */
#include <stdio.h>
#include <string.h>

#include <windows.h>

static void leave_a_process(const char *program)
{
    STARTUPINFOA start = {.cb = sizeof(start)};
    PROCESS_INFORMATION made;
    char line[MAX_PATH + 20];

    snprintf(line, sizeof(line), "\"%s\" --sleep", program);
    if (CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &start, &made))
        printf("a process was started\n");
}

/* As the tests' target does. */
static void leave_a_key(void)
{
    HKEY key;

    if (!RegCreateKeyExW(HKEY_CURRENT_USER, L"pss-test-key-sample", 0, NULL, REG_OPTION_VOLATILE,
                         KEY_READ, NULL, &key, NULL))
        RegCloseKey(key);
}

static void leave_a_file(void)
{
    char directory[MAX_PATH - 20], path[MAX_PATH];

    if (!GetTempPathA(sizeof(directory), directory))
        return;
    snprintf(path, sizeof(path), "%sleft", directory);
    CloseHandle(CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL));
}

int main(int argc, char **argv)
{
    char program[MAX_PATH] = "";

    if (argc > 1 && !strcmp(argv[1], "--sleep")) {
        Sleep(INFINITE);
        return 0;
    }
    GetModuleFileNameA(NULL, program, MAX_PATH - 1);
    printf("[ RUN      ] test_one\n<what> & \"why\"\n");
    fflush(stdout);
    if (strstr(program, "crashes"))
        RaiseException(0xC0000420, EXCEPTION_NONCONTINUABLE, 0, NULL);
    if (strstr(program, "hangs") || strstr(program, "leaves"))
        leave_a_process(program);
    if (strstr(program, "leaves")) {
        leave_a_file();
        leave_a_key();
    }
    if (strstr(program, "hangs"))
        Sleep(INFINITE);
    printf("%s test_one\n[==========] 1 test(s) run.\n",
           strstr(program, "fails") ? "[  FAILED  ]" : "[       OK ]");
    return strstr(program, "fails") ? 1 : 0;
}
