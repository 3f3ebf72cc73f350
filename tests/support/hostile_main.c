/* SPDX-License-Identifier: MIT */
/*
 * A process that lies, moves or dies while it is captured.
 *
 *   pss-test-hostile KIND [SEED]         becomes it, says so, and ends with 0 when its input does
 *   pss-test-hostile KIND SEED END READY the same by two events it inherited: ends with one, and
 *                                        sets the other when it has said so
 *   pss-test-hostile KIND SEED self      becomes it, captures itself by kernel32's API, ends with
 * 42 pss-test-hostile KIND SEED early     the same before its main function, where the loader calls
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile_become.h"
#include "pattern.h"

#define EVERYTHING  0x00001BFEu
#define EXIT_NO_API 43
#define EXIT_FAILED 44
#define EXIT_DONE   42

typedef DWORD WINAPI capture_function(HANDLE process, DWORD flags, DWORD context_flags,
                                      void **snapshot);
typedef DWORD WINAPI free_function(HANDLE process, void *snapshot);

struct kind {
    const char *name;
    hostile_become *become;
};

#define HOSTILE_ENTRY(identifier, name, traits) {name, become_##identifier},
static const struct kind kinds[] = {HOSTILE_KINDS(HOSTILE_ENTRY)};

static HANDLE input, output; /* taken before anything is broken */

static void say(const char *text)
{
    DWORD written;

    WriteFile(output, text, (DWORD)strlen(text), &written, NULL);
}

static const struct kind *find_kind(const char *name)
{
    for (int i = 0; i < HOSTILE_KIND_COUNT; i++)
        if (!strcmp(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}

static uint64_t make_pattern(void)
{
    uint64_t *words = (uint64_t *)VirtualAlloc(NULL, HOSTILE_PATTERN_SIZE, MEM_RESERVE | MEM_COMMIT,
                                               PAGE_READWRITE);

    for (uint32_t i = 0; words && i < HOSTILE_PATTERN_SIZE / sizeof(*words); i++)
        words[i] = pattern_word(GetCurrentProcessId(), i);
    return (uint64_t)(uintptr_t)words;
}

static void end(UINT code)
{
    TerminateProcess(GetCurrentProcess(), code);
}

/* A read that waits would cost a handle that comes when it likes. */
static void wait_for_end(HANDLE event)
{
    DWORD count;
    char byte;

    if (event)
        WaitForSingleObject(event, INFINITE);
    else
        while (ReadFile(input, &byte, 1, &count, NULL) && count)
            ;
}

/* The greeting is made before anything is broken, and said after that. */
static void become_and_wait(const struct kind *kind, HANDLE event, HANDLE ready)
{
    char text[120];

    snprintf(text, sizeof(text), "pss-test-hostile is process %lu: %s, pattern at %llx\n",
             GetCurrentProcessId(), kind->name, (unsigned long long)make_pattern());
    say(kind->become() ? text : "not here\n");
    if (ready)
        SetEvent(ready);
    wait_for_end(event);
    hostile_calm_down();
    end(0);
}

static void become_and_capture(const struct kind *kind)
{
    HMODULE kernel = GetModuleHandleA("kernel32.dll");
    capture_function *capture =
        (capture_function *)(void *)GetProcAddress(kernel, "PssCaptureSnapshot");
    free_function *free_snapshot =
        (free_function *)(void *)GetProcAddress(kernel, "PssFreeSnapshot");
    void *snapshot = NULL;
    char text[80];

    if (!capture || !free_snapshot) {
        say("no API\n");
        end(EXIT_NO_API);
    }
    kind->become();
    DWORD error = capture(GetCurrentProcess(), EVERYTHING, CONTEXT_ALL, &snapshot);
    snprintf(text, sizeof(text), "captured itself: error %lu\n", error);
    say(text);
    if (!error)
        error = free_snapshot(GetCurrentProcess(), snapshot);
    end(error ? EXIT_FAILED : EXIT_DONE);
}

static void WINAPI run_early(void *image, DWORD reason, void *reserved)
{
    char line[200], name[40] = "", mode[10] = "";
    unsigned seed = 0;
    const char *arguments;

    (void)image;
    (void)reserved;
    if (reason != DLL_PROCESS_ATTACH)
        return;
    lstrcpynA(line, GetCommandLineA(), sizeof(line));
    arguments = strstr(line, "hostile");
    arguments = arguments ? strchr(arguments, ' ') : NULL;
    if (!arguments || sscanf(arguments, "%39s %u %9s", name, &seed, mode) != 3 ||
        strcmp(mode, "early") != 0 || !find_kind(name))
        return;
    output = GetStdHandle(STD_OUTPUT_HANDLE);
    hostile_seed(seed);
    become_and_capture(find_kind(name));
}

/* MinGW's runtime makes the TLS directory of what stands in these sections. */
__attribute__((section(".CRT$XLC"), used)) static const PIMAGE_TLS_CALLBACK tls_callback =
    run_early;

static HANDLE to_handle(const char *text)
{
    return (HANDLE)(uintptr_t)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
    const struct kind *kind = argc > 1 ? find_kind(argv[1]) : NULL;

    if (!kind)
        return 2;
    input = GetStdHandle(STD_INPUT_HANDLE);
    output = GetStdHandle(STD_OUTPUT_HANDLE);
    hostile_seed(argc > 2 ? strtoul(argv[2], NULL, 10) : 1);
    if (argc > 3 && !strcmp(argv[3], "self"))
        become_and_capture(kind);
    become_and_wait(kind, argc > 4 ? to_handle(argv[3]) : NULL,
                    argc > 4 ? to_handle(argv[4]) : NULL);
    return 3;
}
