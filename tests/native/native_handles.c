/* SPDX-License-Identifier: MIT */
/* Handle entries, from modelled objects of every type, every field exact. */
#include "clone_world.h"

#define LIMIT 64u

#define WITH_BASIC    (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_BASIC_INFORMATION)
#define WITH_SPECIFIC (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)
#define WITH_NAMES    (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION)
#define HAVE_SPECIFIC (PSS_HANDLE_HAVE_TYPE | PSS_HANDLE_HAVE_TYPE_SPECIFIC_INFORMATION)

static PSS_HANDLE_ENTRY entries[LIMIT];

static uint32_t capture(uint32_t flags)
{
    world_capture(flags);
    return world_walk(PSS_WALK_HANDLES, entries, sizeof(entries[0]), LIMIT);
}

static struct fake_object *add(enum fake_type type)
{
    struct fake_object *object = fake_object_add(type);

    fake_handle_open(world.target, object, MAXIMUM_ALLOWED, 0);
    return object;
}

/* Compares all but the type name, which is compared by its text. */
static void assert_entry(PSS_HANDLE_ENTRY *actual, PSS_HANDLE_ENTRY *expected,
                         struct fake_text type_name)
{
    assert_text(actual->TypeName, actual->TypeNameLength, type_name);
    expected->TypeName = actual->TypeName;
    expected->TypeNameLength = actual->TypeNameLength;
    assert_memory_equal(actual, expected, sizeof(*expected));
}

/* What only PSS_CAPTURE_HANDLES and the flags given tell of the first handle. */
static PSS_HANDLE_ENTRY expected_entry(PSS_OBJECT_TYPE type, uint32_t flags)
{
    PSS_HANDLE_ENTRY expected;

    memset(&expected, 0, sizeof(expected));
    expected.Handle = pointer_to(4);
    expected.Flags = (PSS_HANDLE_FLAGS)flags;
    expected.ObjectType = type;
    expected.CaptureTime = file_time(fake.now);
    return expected;
}

static void test_handles_alone_have_value_type_and_time(void **state)
{
    static const PSS_OBJECT_TYPE types[] = {PSS_OBJECT_TYPE_MUTANT,  PSS_OBJECT_TYPE_EVENT,
                                            PSS_OBJECT_TYPE_SECTION, PSS_OBJECT_TYPE_SEMAPHORE,
                                            PSS_OBJECT_TYPE_UNKNOWN, PSS_OBJECT_TYPE_UNKNOWN,
                                            PSS_OBJECT_TYPE_UNKNOWN};
    const struct fake_text names[] = {
        FAKE_TEXT(L"Mutant"), FAKE_TEXT(L"Event"), FAKE_TEXT(L"Section"), FAKE_TEXT(L"Semaphore"),
        FAKE_TEXT(L"File"),   FAKE_TEXT(L"Key"),   FAKE_TEXT(L"Job")};
    PSS_HANDLE_INFORMATION information;

    (void)state;
    for (int round = 0; round < 2; round++)
        for (enum fake_type type = FAKE_MUTANT; type < FAKE_TYPE_COUNT; type++)
            add(type)->name = FAKE_TEXT(L"not asked for");
    assert_same(capture(PSS_CAPTURE_HANDLES), 14);
    for (uint32_t i = 0; i < 14; i++) {
        PSS_HANDLE_ENTRY expected = expected_entry(types[i % 7], PSS_HANDLE_HAVE_TYPE);

        expected.Handle = pointer_to(4 * (i + 1));
        assert_entry(&entries[i], &expected, names[i % 7]);
    }
    world_query(PSS_QUERY_HANDLE_INFORMATION, &information, sizeof(information));
    assert_same(information.HandlesCaptured, 14);
    assert_same(fake.calls_of[FAKE_DUPLICATE], 0); /* the table and the system's list tell */
}

static void test_handles_of_a_process_without_any_are_none(void **state)
{
    PSS_HANDLE_INFORMATION information;

    (void)state;
    assert_same(capture(HANDLE_DETAILS), 0);
    world_query(PSS_QUERY_HANDLE_INFORMATION, &information, sizeof(information));
    assert_same(information.HandlesCaptured, 0);
}

static void test_handles_come_in_ascending_order(void **state)
{
    (void)state;
    fake.reverses_handles = 1;
    for (int i = 0; i < 40; i++)
        add(FAKE_EVENT)->event.state = i;
    assert_true(fake_handle_close(world.target, pointer_to(80)));
    assert_same(capture(WITH_SPECIFIC), 39);
    for (uint32_t i = 0; i < 39; i++)
        assert_same(entries[i].Handle, pointer_to(4 * (i + 1 + (i >= 19))));
    assert_same(entries[0].TypeSpecificInformation.Event.Signaled, FALSE);
    assert_same(entries[1].TypeSpecificInformation.Event.Signaled, TRUE);
}

static void test_basic_information_has_every_field(void **state)
{
    struct fake_object *object = fake_object_add(FAKE_EVENT);
    PSS_HANDLE_ENTRY expected = expected_entry(
        PSS_OBJECT_TYPE_EVENT, PSS_HANDLE_HAVE_TYPE | PSS_HANDLE_HAVE_BASIC_INFORMATION);

    (void)state;
    fake_handle_open(world.target, object, 0x1F0003, OBJ_INHERIT | PSS_OBJ_PROTECT_CLOSE);
    object->references = 0x10001;
    object->paged_pool_charge = 0x20002;
    object->non_paged_pool_charge = 0x30003;
    object->creation_time = 0x0123456789ABCDEF;
    expected.Attributes = OBJ_INHERIT | PSS_OBJ_PROTECT_CLOSE;
    expected.GrantedAccess = 0x1F0003;
    expected.HandleCount = 1;
    expected.PointerCount = 0x10001 + 1;
    expected.PagedPoolCharge = 0x20002;
    expected.NonPagedPoolCharge = 0x30003;
    expected.CreationTime = file_time(0x0123456789ABCDEF);
    assert_same(capture(WITH_BASIC), 1);
    assert_entry(&entries[0], &expected, FAKE_TEXT(L"Event"));
}

/* HandleCount and PointerCount leave out our duplicates, however many there are and whenever. */
static void test_basic_information_of_a_shared_object_leaves_our_handles_out(void **state)
{
    static const uint32_t others[] = {0, PSS_CAPTURE_HANDLE_NAME_INFORMATION,
                                      PSS_CAPTURE_HANDLE_NAME_INFORMATION |
                                          PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION};
    static const enum fake_type types[] = {FAKE_EVENT, FAKE_FILE, FAKE_KEY};

    (void)state;
    for (uint32_t i = 0; i < 9; i++) { /* three handles to each, one after the other or not */
        struct fake_object *object = i < 3 ? fake_object_add(types[i]) : NULL;

        if (i >= 3)
            object = fake_handle_find(world.target, pointer_to(4 * (i % 3 + 1)))->object;
        fake_handle_open(world.target, object, GENERIC_READ, 0);
        if (i < 3)
            fake_handle_open(fake.own, object, GENERIC_READ, 0);
    }
    add(FAKE_MUTANT);
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t frozen = i % 2 ? PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT : 0;

        assert_same(capture(WITH_BASIC | others[i / 2] | frozen), 10);
        for (int j = 0; j < 9; j++) {
            assert_same(entries[j].HandleCount, 4);
            assert_same(entries[j].PointerCount, 5);
        }
        assert_same(entries[9].HandleCount, 1);
    }
}

/* ---- handles of others that come and go meanwhile ---- */

struct others {
    struct fake_object *object;
    HANDLE open;
};

static NTSTATUS open_another(void *context, enum fake_call call)
{
    struct others *others = context;

    if (call == FAKE_DUPLICATE)
        others->open = fake_handle_open(fake.own, others->object, GENERIC_READ, 0);
    return STATUS_SUCCESS;
}

static void close_another(void *context)
{
    struct others *others = context;

    if (others->open)
        assert_true(fake_handle_close(fake.own, others->open));
    others->open = NULL;
}

/* Whatever the counts rise by, and whichever falls: the handle in the list is one. */
static void test_handle_that_is_open_is_always_counted(void **state)
{
    int goes_on = 1;

    for (uint64_t call = 1; goes_on; call++) {
        struct others others = {fake_object_add(FAKE_EVENT), NULL};
        uint64_t before = fake.all_calls;

        fake_handle_open(world.target, others.object, GENERIC_READ, 0);
        fake.context = &others;
        fake.refuse = open_another;
        fake.event_call = before + call;
        fake.event = close_another;
        assert_same(capture(WITH_BASIC | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT), 1);
        fake.event = NULL;
        fake.refuse = NULL;
        goes_on = fake.all_calls - before > call;
        assert_true(entries[0].HandleCount >= 1);
        assert_same(world_teardown(state), 0);
        world_setup(state);
    }
}

/* A handle of the target to its own thread, which the capture opens, too. */
static void test_basic_information_of_a_thread_leaves_the_capture_out(void **state)
{
    struct fake_thread *thread = fake_thread_add(world.target, 2004);

    (void)state;
    fake_handle_open(world.target, &thread->object, THREAD_ALL_ACCESS, 0);
    assert_same(capture(WITH_BASIC | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT), 1);
    assert_same(entries[0].HandleCount, 1);
    assert_same(entries[0].PointerCount, 2);
}

static void test_names_of_objects_and_files_are_theirs(void **state)
{
    (void)state;
    add(FAKE_EVENT)->name = FAKE_TEXT(L"\\BaseNamedObjects\\event");
    add(FAKE_MUTANT);
    add(FAKE_FILE)->name = FAKE_TEXT(L"\\Device\\HarddiskVolume1\\file.txt");
    add(FAKE_KEY)->name = FAKE_TEXT(L"\\REGISTRY\\MACHINE");
    add(FAKE_FILE);
    assert_same(capture(WITH_NAMES), 5);
    assert_text(entries[0].ObjectName, entries[0].ObjectNameLength,
                FAKE_TEXT(L"\\BaseNamedObjects\\event"));
    assert_text(entries[1].ObjectName, entries[1].ObjectNameLength, (struct fake_text){NULL, 0});
    assert_text(entries[2].ObjectName, entries[2].ObjectNameLength,
                FAKE_TEXT(L"\\Device\\HarddiskVolume1\\file.txt"));
    assert_text(entries[3].ObjectName, entries[3].ObjectNameLength,
                FAKE_TEXT(L"\\REGISTRY\\MACHINE"));
    assert_text(entries[4].ObjectName, entries[4].ObjectNameLength, (struct fake_text){NULL, 0});
    for (int i = 0; i < 5; i++)
        assert_same(entries[i].Flags & PSS_HANDLE_HAVE_NAME,
                    entries[i].ObjectName ? PSS_HANDLE_HAVE_NAME : 0);
}

static void test_names_too_long_for_a_word_are_cut(void **state)
{
    static WCHAR name[0x7FFF];
    static const uint32_t lengths[] = {2, 0xFFFA, 0xFFFC, 0xFFFE};

    (void)state;
    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
        name[i] = (WCHAR)(0x100 + i);
    for (int i = 0; i < 4; i++) {
        add(FAKE_EVENT)->name = (struct fake_text){name, lengths[i]};
        add(FAKE_FILE)->name = (struct fake_text){name, lengths[i]};
    }
    assert_same(capture(WITH_NAMES), 8);
    for (int i = 0; i < 8; i++)
        assert_text(entries[i].ObjectName, entries[i].ObjectNameLength,
                    (struct fake_text){name, lengths[i / 2] < 0xFFFC ? lengths[i / 2] : 0xFFFC});
}

static void test_specific_of_a_mutant_has_its_owner(void **state)
{
    struct fake_object *object = add(FAKE_MUTANT);
    PSS_HANDLE_ENTRY expected = expected_entry(PSS_OBJECT_TYPE_MUTANT, HAVE_SPECIFIC);

    (void)state;
    object->mutant.current_count = -2;
    object->mutant.abandoned = TRUE;
    object->mutant_owner.UniqueProcess = pointer_to(TARGET_ID);
    object->mutant_owner.UniqueThread = pointer_to(2004);
    expected.TypeSpecificInformation.Mutant.CurrentCount = -2;
    expected.TypeSpecificInformation.Mutant.Abandoned = TRUE;
    expected.TypeSpecificInformation.Mutant.OwnerProcessId = TARGET_ID;
    expected.TypeSpecificInformation.Mutant.OwnerThreadId = 2004;
    assert_same(capture(WITH_SPECIFIC), 1);
    assert_entry(&entries[0], &expected, FAKE_TEXT(L"Mutant"));

    fake.has_mutant_owners = 0; /* as under Wine: the rest stands */
    expected.TypeSpecificInformation.Mutant.OwnerProcessId = 0;
    expected.TypeSpecificInformation.Mutant.OwnerThreadId = 0;
    assert_same(capture(WITH_SPECIFIC), 1);
    assert_entry(&entries[0], &expected, FAKE_TEXT(L"Mutant"));
}

static void test_specific_of_an_event_has_kind_and_state(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        add(FAKE_EVENT)->event = (struct pss_nt_event_basic){i / 2, i % 2};
    assert_same(capture(WITH_SPECIFIC), 4);
    for (uint32_t i = 0; i < 4; i++) {
        PSS_HANDLE_ENTRY expected = expected_entry(PSS_OBJECT_TYPE_EVENT, HAVE_SPECIFIC);

        expected.Handle = pointer_to(4 * (i + 1));
        expected.TypeSpecificInformation.Event.ManualReset = i < 2;
        expected.TypeSpecificInformation.Event.Signaled = i % 2;
        assert_entry(&entries[i], &expected, FAKE_TEXT(L"Event"));
    }
}

static void test_specific_of_a_section_has_base_attributes_and_size(void **state)
{
    struct fake_object *object = add(FAKE_SECTION);
    PSS_HANDLE_ENTRY expected = expected_entry(PSS_OBJECT_TYPE_SECTION, HAVE_SPECIFIC);

    (void)state;
    object->section.base = pointer_to(0x7FF612340000);
    object->section.attributes = SEC_IMAGE | SEC_COMMIT;
    object->section.maximum_size.QuadPart = 0x123456789A000;
    expected.TypeSpecificInformation.Section.BaseAddress = pointer_to(0x7FF612340000);
    expected.TypeSpecificInformation.Section.AllocationAttributes = SEC_IMAGE | SEC_COMMIT;
    expected.TypeSpecificInformation.Section.MaximumSize.QuadPart = 0x123456789A000;
    assert_same(capture(WITH_SPECIFIC), 1);
    assert_entry(&entries[0], &expected, FAKE_TEXT(L"Section"));
}

static void test_specific_of_a_semaphore_has_its_counts(void **state)
{
    PSS_HANDLE_ENTRY expected = expected_entry(PSS_OBJECT_TYPE_SEMAPHORE, HAVE_SPECIFIC);

    (void)state;
    add(FAKE_SEMAPHORE)->semaphore = (struct pss_nt_semaphore_basic){0x12345678, 0x7FFFFFFF};
    expected.TypeSpecificInformation.Semaphore.CurrentCount = 0x12345678;
    expected.TypeSpecificInformation.Semaphore.MaximumCount = 0x7FFFFFFF;
    assert_same(capture(WITH_SPECIFIC), 1);
    assert_entry(&entries[0], &expected, FAKE_TEXT(L"Semaphore"));
}

static struct fake_process *add_other_process(void)
{
    struct fake_process *other = fake_process_add(3000);

    other->basic.exit_status = 17;
    other->basic.peb = pointer_to(0x7EFDE000);
    other->basic.affinity = 0xF00F;
    other->basic.base_priority = 24;
    other->basic.parent_process_id = 3001;
    other->priority.number = 4;
    other->peb32 = 0x7EFDE000;
    other->extended_flags = PSS_NT_PROCESS_PROTECTED | PSS_NT_PROCESS_FROZEN;
    return other;
}

static void test_specific_of_a_process_has_every_field(void **state)
{
    struct fake_process *other = add_other_process();
    PSS_HANDLE_ENTRY expected = expected_entry(PSS_OBJECT_TYPE_PROCESS, HAVE_SPECIFIC);

    (void)state;
    fake_handle_open(world.target, &other->object, PROCESS_QUERY_INFORMATION, 0);
    expected.TypeSpecificInformation.Process.ExitStatus = 17;
    expected.TypeSpecificInformation.Process.PebBaseAddress = pointer_to(0x7EFDE000);
    expected.TypeSpecificInformation.Process.AffinityMask = 0xF00F;
    expected.TypeSpecificInformation.Process.BasePriority = 24;
    expected.TypeSpecificInformation.Process.ProcessId = 3000;
    expected.TypeSpecificInformation.Process.ParentProcessId = 3001;
    expected.TypeSpecificInformation.Process.Flags =
        PSS_PROCESS_FLAGS_PROTECTED | PSS_PROCESS_FLAGS_WOW64 | PSS_PROCESS_FLAGS_FROZEN;
    assert_same(capture(WITH_SPECIFIC), 1);
    assert_entry(&entries[0], &expected, FAKE_TEXT(L"Process"));
}

/* A thread of a realtime process: its increment counts from that process, which is opened. */
static void test_specific_of_a_thread_has_every_field(void **state)
{
    struct fake_process *other = add_other_process();
    struct fake_thread *thread = fake_thread_add(other, 3004);
    PSS_HANDLE_ENTRY expected = expected_entry(PSS_OBJECT_TYPE_THREAD, HAVE_SPECIFIC);

    (void)state;
    thread->basic.teb = pointer_to(0x7EFDB000);
    thread->basic.affinity = 0xAAAA;
    thread->basic.priority = 26;
    thread->basic.base_priority = 2;
    thread->start_address = pointer_to(0x400123);
    fake_handle_open(world.target, &thread->object, THREAD_QUERY_INFORMATION, 0);
    expected.TypeSpecificInformation.Thread.ExitStatus = 259;
    expected.TypeSpecificInformation.Thread.TebBaseAddress = pointer_to(0x7EFDB000);
    expected.TypeSpecificInformation.Thread.ProcessId = 3000;
    expected.TypeSpecificInformation.Thread.ThreadId = 3004;
    expected.TypeSpecificInformation.Thread.AffinityMask = 0xAAAA;
    expected.TypeSpecificInformation.Thread.Priority = 26;
    expected.TypeSpecificInformation.Thread.BasePriority = 26;
    expected.TypeSpecificInformation.Thread.Win32StartAddress = pointer_to(0x400123);
    assert_same(capture(WITH_SPECIFIC), 1);
    assert_entry(&entries[0], &expected, FAKE_TEXT(L"Thread"));
}

/* The owner's handle may not ask: a stronger duplicate does, where the system gives one. */
static void test_specific_without_access_is_asked_through_a_stronger_handle(void **state)
{
    struct fake_object *open = fake_object_add(FAKE_EVENT), *closed = fake_object_add(FAKE_EVENT);

    (void)state;
    open->query_access = closed->query_access = 1;
    open->event.state = closed->event.state = 1;
    closed->refuses_more_access = 1;
    fake_handle_open(world.target, open, SYNCHRONIZE, 0);
    fake_handle_open(world.target, closed, SYNCHRONIZE, 0);
    assert_same(capture(WITH_SPECIFIC | WITH_BASIC), 2);
    assert_same(entries[0].Flags, HAVE_SPECIFIC | PSS_HANDLE_HAVE_BASIC_INFORMATION);
    assert_same(entries[0].TypeSpecificInformation.Event.Signaled, TRUE);
    assert_same(entries[0].HandleCount, 1);
    assert_same(entries[0].GrantedAccess, SYNCHRONIZE);
    assert_same(entries[1].Flags, PSS_HANDLE_HAVE_TYPE | PSS_HANDLE_HAVE_BASIC_INFORMATION);
    assert_same(entries[1].TypeSpecificInformation.Event.Signaled, FALSE);
}

static void test_handle_that_cannot_be_duplicated_keeps_value_and_type(void **state)
{
    PSS_HANDLE_ENTRY expected = expected_entry(PSS_OBJECT_TYPE_UNKNOWN, PSS_HANDLE_HAVE_TYPE);

    (void)state;
    add(FAKE_KEY)->refuses_duplication = 1;
    add(FAKE_EVENT)->refuses_duplication = 1;
    add(FAKE_EVENT)->event.state = 1;
    assert_same(capture(HANDLE_DETAILS), 3);
    assert_entry(&entries[0], &expected, FAKE_TEXT(L"Key"));
    expected = expected_entry(PSS_OBJECT_TYPE_EVENT, PSS_HANDLE_HAVE_TYPE);
    expected.Handle = pointer_to(8);
    assert_entry(&entries[1], &expected, FAKE_TEXT(L"Event"));
    assert_same(entries[2].TypeSpecificInformation.Event.Signaled, TRUE);

    fake.lacks_type_list = 1;
    expected = expected_entry(PSS_OBJECT_TYPE_UNKNOWN, PSS_HANDLE_NONE);
    assert_same(capture(HANDLE_DETAILS), 3);
    assert_entry(&entries[0], &expected, (struct fake_text){NULL, 0});
    expected.Handle = pointer_to(8);
    assert_entry(&entries[1], &expected, (struct fake_text){NULL, 0});
    assert_same(entries[2].TypeSpecificInformation.Event.Signaled, TRUE);
}

static void test_details_without_handles_are_ignored(void **state)
{
    (void)state;
    add(FAKE_EVENT);
    world_capture(HANDLE_DETAILS & ~(uint32_t)PSS_CAPTURE_HANDLES);
    assert_same(world_query_status(PSS_QUERY_HANDLE_INFORMATION, 4), STATUS_NOT_FOUND);
    assert_same(fake.calls_of[FAKE_DUPLICATE], 0);
}

static void test_own_handles_leave_the_capture_out(void **state)
{
    static const HANDLE processes[] = {PSS_CURRENT_PROCESS, NULL};

    (void)state;
    world.target = fake.own;
    fake_thread_add(fake.own, 108);
    fake_thread_add(fake.own, 112);
    add(FAKE_EVENT)->name = FAKE_TEXT(L"\\mine");
    for (int i = 0; i < 2; i++) {
        HANDLE process = processes[i];

        if (!process)
            process = fake_handle_open(fake.own, &fake.own->object, PROCESS_ALL_ACCESS, 0);
        world.process = process;
        assert_same(capture(HANDLE_DETAILS | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT),
                    2 + i); /* of the fixture, of the event, of this loop */
        assert_text(entries[1].ObjectName, entries[1].ObjectNameLength, FAKE_TEXT(L"\\mine"));
        assert_same(entries[1].HandleCount, 1);
    }
}

/* A copy needs rights that the client's handle to its own process may lack. */
static void test_own_handles_leave_the_clone_of_a_weak_handle_out(void **state)
{
    ACCESS_MASK weak = PROCESS_QUERY_INFORMATION | PROCESS_DUP_HANDLE | PROCESS_CREATE_PROCESS;

    clone_world_teardown(state);
    clone_world_setup(state);
    clone_world_furnish(fake.own);
    world.target = fake.own;
    world.process = fake_handle_open(fake.own, &fake.own->object, weak, 0);
    assert_same(capture(HANDLE_DETAILS | PSS_CAPTURE_VA_CLONE), 2); /* of the fixture, and this */
    assert_same(entries[1].Handle, world.process);
    assert_same(entries[1].HandleCount, 1);
    assert_same(fake.calls_of[FAKE_OPEN_PROCESS], 0);
}

static NTSTATUS tell_too_little(void *context, enum fake_call call, void *buffer, SIZE_T size,
                                ULONG *returned)
{
    (void)context;
    (void)buffer;
    (void)size;
    if (call == FAKE_QUERY_SYSTEM)
        *returned = 8;
    return STATUS_SUCCESS;
}

static void test_table_without_room_for_its_count_is_an_error(void **state)
{
    HPSS snapshot = pointer_to(1);

    (void)state;
    fake.lie = tell_too_little;
    assert_same(pss_snapshot_capture(fake_nt(), world.process, PSS_CAPTURE_HANDLES, 0, &snapshot),
                STATUS_INTERNAL_ERROR);
    assert_null(snapshot);
}

/* An index beyond the list, as of a type that was added since: the object tells what it is. */
static void test_handles_of_types_that_are_not_listed_are_asked(void **state)
{
    static const uint32_t indices[] = {45, 255, 256, 300};

    (void)state;
    for (int i = 0; i < 4; i++)
        add(FAKE_EVENT)->type_index = indices[i];
    for (uint32_t i = 0; i < 2; i++) {
        fake.type_shift = i; /* and below it */
        assert_same(capture(PSS_CAPTURE_HANDLES), 4);
        for (int j = 0; j < 4; j++) {
            assert_text(entries[j].TypeName, entries[j].TypeNameLength, FAKE_TEXT(L"Event"));
            assert_same(entries[j].ObjectType, PSS_OBJECT_TYPE_EVENT);
        }
    }
}

/* Wine gives a process such a handle while it is asked for its regions. */
static void test_handles_of_types_without_a_name_have_no_type(void **state)
{
    struct fake_object *object = add(FAKE_EVENT);

    (void)state;
    object->type_index = 1;
    object->is_untyped = 1;
    assert_same(capture(PSS_CAPTURE_HANDLES), 1);
    assert_same(entries[0].Flags & PSS_HANDLE_HAVE_TYPE, 0);
    assert_null(entries[0].TypeName);
    assert_same(entries[0].ObjectType, PSS_OBJECT_TYPE_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_handles_alone_have_value_type_and_time),
        fixture_test(test_handles_of_a_process_without_any_are_none),
        fixture_test(test_handles_come_in_ascending_order),
        fixture_test(test_basic_information_has_every_field),
        fixture_test(test_basic_information_of_a_shared_object_leaves_our_handles_out),
        fixture_test(test_basic_information_of_a_thread_leaves_the_capture_out),
        fixture_test(test_handle_that_is_open_is_always_counted),
        fixture_test(test_names_of_objects_and_files_are_theirs),
        fixture_test(test_names_too_long_for_a_word_are_cut),
        fixture_test(test_specific_of_a_mutant_has_its_owner),
        fixture_test(test_specific_of_an_event_has_kind_and_state),
        fixture_test(test_specific_of_a_section_has_base_attributes_and_size),
        fixture_test(test_specific_of_a_semaphore_has_its_counts),
        fixture_test(test_specific_of_a_process_has_every_field),
        fixture_test(test_specific_of_a_thread_has_every_field),
        fixture_test(test_specific_without_access_is_asked_through_a_stronger_handle),
        fixture_test(test_handle_that_cannot_be_duplicated_keeps_value_and_type),
        fixture_test(test_details_without_handles_are_ignored),
        fixture_test(test_own_handles_leave_the_capture_out),
        fixture_test(test_own_handles_leave_the_clone_of_a_weak_handle_out),
        fixture_test(test_table_without_room_for_its_count_is_an_error),
        fixture_test(test_handles_of_types_that_are_not_listed_are_asked),
        fixture_test(test_handles_of_types_without_a_name_have_no_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
