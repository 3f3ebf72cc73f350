/* SPDX-License-Identifier: MIT */
/* The thirteen exports where the system serves: each call is handed on as it came. */
#include "world.h"

#define SNAPSHOT  pointer_to(0x51000)
#define MARKER    pointer_to(0x52000)
#define THREAD_ID 4004u
#define ARGUMENTS 5

/* The last call of the system's API. */
static struct {
    const char *name;
    uint64_t arguments[ARGUMENTS];
} last;

static DWORD answer; /* what it gives */

static DWORD take(const char *name, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    const uint64_t arguments[ARGUMENTS] = {a, b, c, d, e};

    last.name = name;
    memcpy(last.arguments, arguments, sizeof(arguments));
    return answer;
}

static DWORD own_id(void)
{
    return (DWORD)(ULONG_PTR)fake_nt()->current_id().UniqueProcess;
}

/* As much of an API as a decision wants to see. */

static DWORD WINAPI capture(HANDLE process, PSS_CAPTURE_FLAGS flags, DWORD context_flags,
                            HPSS *snapshot)
{
    *snapshot = SNAPSHOT;
    return take("capture", address_of(process), flags, context_flags, address_of(snapshot), 0);
}

static DWORD WINAPI free_snapshot(HANDLE process, HPSS snapshot)
{
    return take("free", address_of(process), address_of(snapshot), 0, 0, 0);
}

static DWORD WINAPI query(HPSS snapshot, PSS_QUERY_INFORMATION_CLASS class_number, void *buffer,
                          DWORD length)
{
    if (class_number == PSS_QUERY_PROCESS_INFORMATION)
        ((PSS_PROCESS_INFORMATION *)buffer)->ProcessId = own_id();
    if (class_number == PSS_QUERY_THREAD_INFORMATION)
        ((PSS_THREAD_INFORMATION *)buffer)->ThreadsCaptured = 1;
    return take("query", address_of(snapshot), class_number, address_of(buffer), length, 0);
}

static DWORD WINAPI walk(HPSS snapshot, PSS_WALK_INFORMATION_CLASS class_number, HPSSWALK marker,
                         void *buffer, DWORD length)
{
    PSS_THREAD_ENTRY *thread = buffer;

    thread->ProcessId = own_id();
    thread->ThreadId = THREAD_ID;
    return take("walk", address_of(snapshot), class_number, address_of(marker), address_of(buffer),
                length);
}

static DWORD WINAPI duplicate(HANDLE source, HPSS snapshot, HANDLE target, HPSS *result,
                              PSS_DUPLICATE_FLAGS flags)
{
    return take("duplicate", address_of(source), address_of(snapshot), address_of(target),
                address_of(result), flags);
}

static DWORD WINAPI create_marker(const PSS_ALLOCATOR *allocator, HPSSWALK *marker)
{
    *marker = MARKER;
    return take("create", address_of(allocator), address_of(marker), 0, 0, 0);
}

#define OF_A_MARKER(name)                                   \
    static DWORD WINAPI name(HPSSWALK marker)               \
    {                                                       \
        return take(#name, address_of(marker), 0, 0, 0, 0); \
    }
#define OF_A_PLACE(name, type)                                                 \
    static DWORD WINAPI name(HPSSWALK marker, type position)                   \
    {                                                                          \
        return take(#name, address_of(marker), address_of(position), 0, 0, 0); \
    }

OF_A_MARKER(free_marker)
OF_A_MARKER(seek_to_beginning)
OF_A_MARKER(rewind_marker)
OF_A_PLACE(get_position, ULONG_PTR *)
OF_A_PLACE(tell, ULONG_PTR *)
OF_A_PLACE(set_position, ULONG_PTR)
OF_A_PLACE(seek, ULONG_PTR)

static void *find_export(const char *name)
{
    static const struct {
        const char *name;
        void *address;
    } exports[] = {
        {"PssCaptureSnapshot", (void *)capture},
        {"PssFreeSnapshot", (void *)free_snapshot},
        {"PssQuerySnapshot", (void *)query},
        {"PssWalkSnapshot", (void *)walk},
        {"PssDuplicateSnapshot", (void *)duplicate},
        {"PssWalkMarkerCreate", (void *)create_marker},
        {"PssWalkMarkerFree", (void *)free_marker},
        {"PssWalkMarkerGetPosition", (void *)get_position},
        {"PssWalkMarkerSetPosition", (void *)set_position},
        {"PssWalkMarkerSeekToBeginning", (void *)seek_to_beginning},
        {"PssWalkMarkerTell", (void *)tell},
        {"PssWalkMarkerSeek", (void *)seek},
        {"PssWalkMarkerRewind", (void *)rewind_marker},
    };

    for (size_t i = 0; i < sizeof(exports) / sizeof(exports[0]); i++)
        if (!strcmp(name, exports[i].name))
            return exports[i].address;
    return NULL;
}

/* The first call decides, and is handed on like all others. */
static int set_up(void **state)
{
    world_setup(state);
    fake.find_export = find_export;
    answer = ERROR_SUCCESS;
    return PssWalkMarkerRewind(MARKER) == ERROR_SUCCESS ? 0 : -1;
}

static void assert_taken(DWORD code, const char *name, const uint64_t arguments[ARGUMENTS])
{
    assert_string_equal(last.name, name);
    for (int i = 0; i < ARGUMENTS; i++)
        assert_same(last.arguments[i], arguments[i]);
    assert_same(code, answer);
    memset(&last, 0, sizeof(last));
    answer++;
}

#define ARE(...) ((const uint64_t[ARGUMENTS]){__VA_ARGS__})

static void test_calls_of_snapshots_are_handed_on(void **state)
{
    HANDLE process = pointer_to(0x11), other = pointer_to(0x22);
    PSS_THREAD_ENTRY buffer = {0};
    HPSS snapshot = NULL;

    (void)state;
    answer = 4711;
    assert_taken(PssCaptureSnapshot(process, PSS_CAPTURE_THREADS, 3, &snapshot), "capture",
                 ARE(0x11, PSS_CAPTURE_THREADS, 3, address_of(&snapshot)));
    assert_ptr_equal(snapshot, SNAPSHOT);
    assert_taken(PssFreeSnapshot(process, snapshot), "free", ARE(0x11, 0x51000));
    assert_taken(PssQuerySnapshot(snapshot, PSS_QUERY_HANDLE_INFORMATION, &buffer, 5), "query",
                 ARE(0x51000, PSS_QUERY_HANDLE_INFORMATION, address_of(&buffer), 5));
    assert_taken(PssWalkSnapshot(snapshot, PSS_WALK_THREADS, MARKER, &buffer, 6), "walk",
                 ARE(0x51000, PSS_WALK_THREADS, 0x52000, address_of(&buffer), 6));
    assert_same(buffer.ThreadId, THREAD_ID);
    assert_taken(PssDuplicateSnapshot(process, snapshot, other, &snapshot, PSS_DUPLICATE_NONE),
                 "duplicate", ARE(0x11, 0x51000, 0x22, address_of(&snapshot)));
    assert_taken(
        PssDuplicateSnapshot(process, SNAPSHOT, other, &snapshot, PSS_DUPLICATE_CLOSE_SOURCE),
        "duplicate", ARE(0x11, 0x51000, 0x22, address_of(&snapshot), 1));
}

static void test_calls_of_markers_are_handed_on(void **state)
{
    PSS_ALLOCATOR allocator = {NULL, NULL, NULL};
    HPSSWALK marker = NULL;
    ULONG_PTR place;

    (void)state;
    answer = 815;
    assert_taken(PssWalkMarkerCreate(&allocator, &marker), "create",
                 ARE(address_of(&allocator), address_of(&marker)));
    assert_ptr_equal(marker, MARKER);
    assert_taken(PssWalkMarkerGetPosition(marker, &place), "get_position",
                 ARE(0x52000, address_of(&place)));
    assert_taken(PssWalkMarkerTell(marker, &place), "tell", ARE(0x52000, address_of(&place)));
    assert_taken(PssWalkMarkerSetPosition(marker, 3), "set_position", ARE(0x52000, 3));
    assert_taken(PssWalkMarkerSeek(marker, 4), "seek", ARE(0x52000, 4));
    assert_taken(PssWalkMarkerSeekToBeginning(marker), "seek_to_beginning", ARE(0x52000));
    assert_taken(PssWalkMarkerRewind(marker), "rewind_marker", ARE(0x52000));
    assert_taken(PssWalkMarkerFree(marker), "free_marker", ARE(0x52000));
}

/* Nothing of a call stays here: neither memory nor a handle, and no system call. */
static void test_calls_that_are_handed_on_do_nothing_here(void **state)
{
    uint64_t calls = fake.all_calls;
    HPSS snapshot = NULL;

    (void)state;
    assert_same(PssCaptureSnapshot(world.process, PSS_CAPTURE_THREADS, 0, &snapshot),
                ERROR_SUCCESS);
    assert_same(PssFreeSnapshot(PSS_CURRENT_PROCESS, snapshot), ERROR_SUCCESS);
    assert_same(fake.all_calls, calls);
}

/*
 * It runs first, before anything is decided: what ours refuse while another thread holds the lock
 * of the loader leaves nothing of ours, and the system serves as soon as it can be asked.
 */
static void test_calls_are_handed_on_once_the_loader_is_free(void **state)
{
    PSS_PROCESS_INFORMATION process;

    (void)state;
    world_setup(state);
    fake.find_export = find_export;
    fake.loader_tries = UINT32_MAX;
    answer = ERROR_SUCCESS;
    assert_same(PssQuerySnapshot(NULL, PSS_QUERY_PROCESS_INFORMATION, &process, sizeof(process)),
                ERROR_INVALID_HANDLE);
    assert_same(PssCaptureSnapshot(pointer_to(0xBAD0), PSS_CAPTURE_NONE, 0, &(HPSS){NULL}),
                ERROR_INVALID_HANDLE);
    assert_same(PssWalkMarkerFree(NULL), ERROR_INVALID_HANDLE);
    fake.loader_tries = 0;
    assert_same(PssWalkMarkerFree(MARKER), ERROR_SUCCESS);
    assert_string_equal(last.name, "free_marker");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_calls_are_handed_on_once_the_loader_is_free, world_teardown),
        cmocka_unit_test_setup_teardown(test_calls_of_snapshots_are_handed_on, set_up,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_calls_of_markers_are_handed_on, set_up,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_calls_that_are_handed_on_do_nothing_here, set_up,
                                        world_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
