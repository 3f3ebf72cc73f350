/* SPDX-License-Identifier: MIT */
/*
 * A process worth looking at: `sample_target [SECONDS]` makes named threads in known states and
 * named objects, prints one line that tells what to look for, and ends when its input does, or in
 * time.
 */
#include <stdio.h>
#include <stdlib.h>

#include <windows.h>

#define DEFAULT_SECONDS 600
#define NAME_SIZE       64

static HANDLE never; /* an event that nobody sets */
static HANDLE ready; /* counts the threads that have arrived where they stay */

/** Makes the name of an object: unique, since its process id is in it. */
static const WCHAR *name_object(const WCHAR *kind)
{
    static WCHAR name[NAME_SIZE];

    swprintf(name, NAME_SIZE, L"pss-sample-%lu-%ls", GetCurrentProcessId(), kind);
    return name;
}

static HANDLE require(HANDLE handle, const char *what)
{
    if (handle == NULL || handle == INVALID_HANDLE_VALUE) {
        fprintf(stderr, "sample_target: %s failed: error %lu\n", what, GetLastError());
        exit(1);
    }
    return handle;
}

/** Names a thread where the system can: Windows 10 1607 and later, and Wine. */
static void name_thread(HANDLE thread, const WCHAR *name)
{
    typedef HRESULT(WINAPI * set_description)(HANDLE, PCWSTR);
    FARPROC found = GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "SetThreadDescription");

    if (found == NULL)
        found = GetProcAddress(GetModuleHandleW(L"kernelbase.dll"), "SetThreadDescription");
    if (found != NULL)
        ((set_description)(void (*)(void))found)(thread, name);
}

static DWORD WINAPI wait_forever(void *unused)
{
    (void)unused;
    ReleaseSemaphore(ready, 1, NULL);
    return WaitForSingleObject(never, INFINITE);
}

static DWORD WINAPI own_mutex(void *mutex)
{
    WaitForSingleObject(mutex, INFINITE);
    ReleaseSemaphore(ready, 1, NULL);
    return WaitForSingleObject(never, INFINITE);
}

static DWORD WINAPI end_at_once(void *unused)
{
    (void)unused;
    return 42;
}

/** Reads the input to its end. */
static DWORD WINAPI read_input(void *unused)
{
    char bytes[64];
    DWORD count;

    (void)unused;
    while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), bytes, sizeof bytes, &count, NULL) &&
           count != 0)
        continue;
    return 0;
}

static HANDLE start_thread(LPTHREAD_START_ROUTINE routine, void *argument, DWORD flags,
                           const WCHAR *name)
{
    HANDLE thread = require(CreateThread(NULL, 0, routine, argument, flags, NULL), "CreateThread");

    name_thread(thread, name);
    return thread;
}

/** Threads that wait, own the mutex, wait with a high priority, are suspended, and have ended. */
static void make_threads(HANDLE mutex)
{
    HANDLE ended;

    start_thread(wait_forever, NULL, 0, L"sample waiter");
    start_thread(own_mutex, mutex, 0, L"sample mutex owner");
    SetThreadPriority(start_thread(wait_forever, NULL, 0, L"sample high priority"),
                      THREAD_PRIORITY_HIGHEST);
    start_thread(wait_forever, NULL, CREATE_SUSPENDED, L"sample suspended");
    ended = start_thread(end_at_once, NULL, 0, L"sample ended");
    WaitForSingleObject(ended,
                        INFINITE); /* Its handle stays open, and so does the thread object. */
    for (int arrived = 0; arrived < 3; arrived++)
        WaitForSingleObject(ready, INFINITE);
}

/** A file that is mapped and that the system deletes with its last handle. */
static void map_file(void)
{
    WCHAR directory[MAX_PATH];
    WCHAR path[MAX_PATH + NAME_SIZE];
    HANDLE file;
    HANDLE section;
    void *view;

    GetTempPathW(MAX_PATH, directory);
    swprintf(path, sizeof path / sizeof path[0], L"%ls%ls", directory, name_object(L"file"));
    file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_DELETE,
                       NULL, CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    require(file, "CreateFile");
    section = CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, 0x20000, NULL);
    view = MapViewOfFile(require(section, "CreateFileMapping"), FILE_MAP_WRITE, 0, 0, 0);
    *(char *)require(view, "MapViewOfFile") = 'p';
}

static HANDLE make_objects(void)
{
    HANDLE mutex = require(CreateMutexW(NULL, FALSE, name_object(L"mutex")), "CreateMutex");
    HANDLE section;

    require(CreateEventW(NULL, TRUE, TRUE, name_object(L"event")), "CreateEvent");
    require(CreateSemaphoreW(NULL, 3, 7, name_object(L"semaphore")), "CreateSemaphore");
    section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 0x30000,
                                 name_object(L"section"));
    require(MapViewOfFile(require(section, "CreateFileMapping"), FILE_MAP_READ, 0, 0, 0),
            "MapViewOfFile");
    map_file();
    return mutex;
}

int main(int argc, char **argv)
{
    unsigned long seconds = argc > 1 ? strtoul(argv[1], NULL, 10) : DEFAULT_SECONDS;
    HANDLE input;

    never = require(CreateEventW(NULL, TRUE, FALSE, NULL), "CreateEvent");
    ready = require(CreateSemaphoreW(NULL, 0, 3, NULL), "CreateSemaphore");
    make_threads(make_objects());
    input = start_thread(read_input, NULL, 0, L"sample reader");
    printf("sample_target is process %lu: threads \"sample waiter\", \"sample mutex owner\", "
           "\"sample high priority\", \"sample suspended\", \"sample ended\"; objects "
           "pss-sample-%lu-event, -mutex, -semaphore, -section; mapped pss-sample-%lu-file\n",
           GetCurrentProcessId(), GetCurrentProcessId(), GetCurrentProcessId());
    fflush(stdout);
    WaitForSingleObject(input, seconds < 86400 ? seconds * 1000 : 86400000);
    return 0;
}
