/* SPDX-License-Identifier: MIT */
/* Loads the DLL under test and wraps its functions with the check on the last-error value. */
#include "under_test.h"

#include "tally.h"

#define LAST_ERROR_MARK 0x2BADCAFEu

static HMODULE module;
static bool is_ours;

static struct {
    __typeof__(&PssCaptureSnapshot) capture;
    __typeof__(&PssDuplicateSnapshot) duplicate;
    __typeof__(&PssFreeSnapshot) free;
    __typeof__(&PssQuerySnapshot) query;
    __typeof__(&PssWalkSnapshot) walk;
    __typeof__(&PssWalkMarkerCreate) marker_create;
    __typeof__(&PssWalkMarkerFree) marker_free;
    __typeof__(&PssWalkMarkerGetPosition) marker_get;
    __typeof__(&PssWalkMarkerSetPosition) marker_set;
    __typeof__(&PssWalkMarkerSeekToBeginning) marker_restart;
    __typeof__(&PssWalkMarkerGetPosition) marker_tell;
    __typeof__(&PssWalkMarkerSetPosition) marker_seek;
    __typeof__(&PssWalkMarkerSeekToBeginning) marker_rewind;
} raw;

static void mark_last_error(void)
{
    SetLastError(LAST_ERROR_MARK);
}

static DWORD checked(DWORD result)
{
    /* Native functions set the value on some paths; that it stays is this project's promise. */
    if (is_ours)
        assert_same(GetLastError(), LAST_ERROR_MARK);
    return result;
}

static DWORD call_capture(HANDLE process, DWORD flags, DWORD context_flags, HPSS *snapshot)
{
    mark_last_error();
    DWORD result = raw.capture(process, (PSS_CAPTURE_FLAGS)flags, context_flags, snapshot);
    tally(TALLY_CAPTURES, result == ERROR_SUCCESS);
    return checked(result);
}

static DWORD call_duplicate(HANDLE source, HPSS snapshot, HANDLE target, HPSS *copy, DWORD flags)
{
    mark_last_error();
    return checked(raw.duplicate(source, snapshot, target, copy, (PSS_DUPLICATE_FLAGS)flags));
}

static DWORD call_free(HANDLE process, HPSS snapshot)
{
    mark_last_error();
    return checked(raw.free(process, snapshot));
}

static DWORD call_query(HPSS snapshot, DWORD information, void *buffer, DWORD size)
{
    mark_last_error();
    return checked(raw.query(snapshot, (PSS_QUERY_INFORMATION_CLASS)information, buffer, size));
}

static DWORD call_walk(HPSS snapshot, DWORD information, HPSSWALK marker, void *buffer, DWORD size)
{
    mark_last_error();
    return checked(
        raw.walk(snapshot, (PSS_WALK_INFORMATION_CLASS)information, marker, buffer, size));
}

static DWORD call_marker_create(const PSS_ALLOCATOR *allocator, HPSSWALK *marker)
{
    mark_last_error();
    return checked(raw.marker_create(allocator, marker));
}

static DWORD call_marker_free(HPSSWALK marker)
{
    mark_last_error();
    return checked(raw.marker_free(marker));
}

static DWORD call_marker_get(HPSSWALK marker, ULONG_PTR *position)
{
    mark_last_error();
    return checked(raw.marker_get(marker, position));
}

static DWORD call_marker_set(HPSSWALK marker, ULONG_PTR position)
{
    mark_last_error();
    return checked(raw.marker_set(marker, position));
}

static DWORD call_marker_restart(HPSSWALK marker)
{
    mark_last_error();
    return checked(raw.marker_restart(marker));
}

static DWORD call_marker_tell(HPSSWALK marker, ULONG_PTR *position)
{
    mark_last_error();
    return checked(raw.marker_tell(marker, position));
}

static DWORD call_marker_seek(HPSSWALK marker, ULONG_PTR position)
{
    mark_last_error();
    return checked(raw.marker_seek(marker, position));
}

static DWORD call_marker_rewind(HPSSWALK marker)
{
    mark_last_error();
    return checked(raw.marker_rewind(marker));
}

const struct under_test pss = {
    .capture = call_capture,
    .duplicate = call_duplicate,
    .free = call_free,
    .query = call_query,
    .walk = call_walk,
    .marker_create = call_marker_create,
    .marker_free = call_marker_free,
    .marker_get = call_marker_get,
    .marker_set = call_marker_set,
    .marker_restart = call_marker_restart,
    .marker_tell = call_marker_tell,
    .marker_seek = call_marker_seek,
    .marker_rewind = call_marker_rewind,
};

static void *resolve(const char *name)
{
    FARPROC found = GetProcAddress(module, name);

    if (!found) {
        fprintf(stderr, "the DLL under test does not export %s\n", name);
        exit(2);
    }
    return (void *)(uintptr_t)found;
}

static void resolve_all(void)
{
    *(void **)&raw.capture = resolve("PssCaptureSnapshot");
    *(void **)&raw.duplicate = resolve("PssDuplicateSnapshot");
    *(void **)&raw.free = resolve("PssFreeSnapshot");
    *(void **)&raw.query = resolve("PssQuerySnapshot");
    *(void **)&raw.walk = resolve("PssWalkSnapshot");
    *(void **)&raw.marker_create = resolve("PssWalkMarkerCreate");
    *(void **)&raw.marker_free = resolve("PssWalkMarkerFree");
    *(void **)&raw.marker_get = resolve("PssWalkMarkerGetPosition");
    *(void **)&raw.marker_set = resolve("PssWalkMarkerSetPosition");
    *(void **)&raw.marker_restart = resolve("PssWalkMarkerSeekToBeginning");
    *(void **)&raw.marker_tell = resolve("PssWalkMarkerTell");
    *(void **)&raw.marker_seek = resolve("PssWalkMarkerSeek");
    *(void **)&raw.marker_rewind = resolve("PssWalkMarkerRewind");
}

static const char *option_value(int argc, char **argv, const char *name)
{
    for (int i = 1; i + 1 < argc; i++)
        if (!strcmp(argv[i], name))
            return argv[i + 1];
    return NULL;
}

/* The full path keeps the loader from finding another pss.dll first. */
static void default_path(char path[MAX_PATH])
{
    DWORD length = GetModuleFileNameA(NULL, path, MAX_PATH);

    while (length && path[length - 1] != '\\')
        length--;
    snprintf(path + length, MAX_PATH - length, "pss.dll");
}

void under_test_load(int argc, char **argv)
{
    char beside[MAX_PATH];
    const char *name = option_value(argc, argv, "--under-test");
    const char *only = option_value(argc, argv, "--only");

    default_path(beside);
    if (!name)
        name = getenv("PSS_UNDER_TEST");
    /* It is to be judged itself, here and in the programs that are started, wherever it is. */
    SetEnvironmentVariableA("PSS_FORWARD", "0");
    module = LoadLibraryA(name && *name ? name : beside);
    if (!module) {
        fprintf(stderr, "cannot load %s: error %lu\n", name ? name : beside, GetLastError());
        exit(2);
    }
    is_ours = module != GetModuleHandleA("kernel32.dll");
    resolve_all();
    if (only)
        cmocka_set_test_filter(only);
}

HMODULE under_test_module(void)
{
    return module;
}

bool under_test_is_ours(void)
{
    return is_ours;
}

bool under_test_on_wine(void)
{
    return GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != NULL;
}

void known_difference_at(enum difference_on where, bool holds, const char *text, const char *file,
                         int line)
{
    bool differs_here = where == ON_WINE ? under_test_on_wine() : !is_ours;

    if (holds != differs_here)
        return;
    print_error("%s:%d: %s %s\n", file, line,
                holds ? "a known difference is gone:" : "expectation failed:", text);
    _fail(file, line);
}
