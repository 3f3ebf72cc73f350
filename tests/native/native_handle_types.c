/* SPDX-License-Identifier: MIT */
/* Types of handles, however the system numbers them; and handle values that are used again. */
#include "support/soak.h"
#include "world.h"

#define LIMIT 64u
#define FIXED 6u /* handles that nobody touches: three events, three mutants */

#define FIRST_ACCESS  0x1F0003u
#define SECOND_ACCESS 0x1F0001u

static PSS_HANDLE_ENTRY entries[LIMIT];
static uint32_t count;

static void capture(uint32_t flags)
{
    world_capture(flags);
    count = world_walk(PSS_WALK_HANDLES, entries, sizeof(entries[0]), LIMIT);
}

static struct fake_text type_name(enum fake_type type)
{
    switch (type) {
    case FAKE_EVENT:
        return FAKE_TEXT(L"Event");
    case FAKE_MUTANT:
        return FAKE_TEXT(L"Mutant");
    case FAKE_FILE:
        return FAKE_TEXT(L"File");
    default:
        return FAKE_TEXT(L"Key");
    }
}

static void assert_type(const PSS_HANDLE_ENTRY *entry, enum fake_type type)
{
    assert_true(entry->Flags & PSS_HANDLE_HAVE_TYPE);
    assert_text(entry->TypeName, entry->TypeNameLength, type_name(type));
}

/* ---- How rows and lists are numbered ---- */

static const enum fake_type kinds[] = {FAKE_EVENT, FAKE_MUTANT, FAKE_FILE, FAKE_KEY};

static void open_kinds(void)
{
    for (int i = 0; i < 8; i++)
        fake_handle_open(world.target, fake_object_add(kinds[i % 4]), GENERIC_READ, 0);
}

static void assert_kinds(void)
{
    assert_same(count, 8);
    for (int i = 0; i < 8; i++)
        assert_type(&entries[i], kinds[i % 4]);
}

static void test_types_are_told_by_rows_however_they_are_numbered(void **state)
{
    (void)state;
    open_kinds();
    for (uint32_t i = 0; i < 4; i++) {
        fake.type_shift = i / 2 * 2;
        fake.lacks_type_indices = i % 2;
        capture(PSS_CAPTURE_HANDLES);
        assert_kinds();
        capture(PSS_CAPTURE_HANDLES | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
        assert_kinds();
        assert_same(fake.calls_of[FAKE_DUPLICATE], 0);
    }
}

/* Without the list, or where the table does not show our event, each object is asked. */
static void test_types_are_told_by_objects_where_rows_are_not_understood(void **state)
{
    (void)state;
    open_kinds();
    for (int i = 0; i < 2; i++) {
        fake.lacks_type_list = i == 0;
        fake.hides_own_handles = i == 1;
        capture(PSS_CAPTURE_HANDLES);
        assert_kinds();
        capture(HANDLE_DETAILS | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
        assert_kinds();
    }
}

/* The event that the capture opens is no handle of the own process. */
static void test_types_of_the_own_process_come_without_the_event(void **state)
{
    (void)state;
    assert_true(fake_handle_close(fake.own, world.process));
    world.target = fake.own;
    world.process = PSS_CURRENT_PROCESS;
    open_kinds();
    capture(PSS_CAPTURE_HANDLES);
    assert_kinds();
    capture(HANDLE_DETAILS);
    assert_kinds();
}

/* ---- Values that are used again ---- */

/* What the first handle is, and what it becomes at some call. */
static struct {
    struct fake_object *first, *second;
    HANDLE handle, twin;
    HANDLE fixed[FIXED];
    int is_closed_only;
} race;

static struct fake_object *add(enum fake_type type, struct fake_text name)
{
    struct fake_object *object = fake_object_add(type);

    object->name = name;
    return object;
}

/* The first object has another handle in the target, and two elsewhere; the second one five. */
static void build_race(enum fake_type first, enum fake_type second)
{
    memset(&race, 0, sizeof(race));
    race.first = add(first, FAKE_TEXT(L"\\first"));
    race.second = add(second, FAKE_TEXT(L"\\second"));
    race.handle = fake_handle_open(world.target, race.first, FIRST_ACCESS, OBJ_INHERIT);
    for (uint32_t i = 0; i < FIXED; i++)
        race.fixed[i] =
            fake_handle_open(world.target,
                             add(i < 3 ? FAKE_EVENT : FAKE_MUTANT,
                                 i < 3 ? FAKE_TEXT(L"\\event") : FAKE_TEXT(L"\\mutant")),
                             FIRST_ACCESS, 0);
    race.twin = fake_handle_open(world.target, race.first, FIRST_ACCESS, OBJ_INHERIT);
    for (int i = 0; i < 2; i++)
        fake_handle_open(fake.own, race.first, FIRST_ACCESS, 0);
    for (int i = 0; i < 5; i++)
        fake_handle_open(fake.own, race.second, SECOND_ACCESS, 0);
}

static void use_again(void *context)
{
    (void)context;
    assert_true(fake_handle_close(world.target, race.handle));
    if (!race.is_closed_only)
        assert_same(fake_handle_open(world.target, race.second, SECOND_ACCESS, 0), race.handle);
}

static const PSS_HANDLE_ENTRY *find(HANDLE handle)
{
    for (uint32_t i = 0; i < count; i++)
        if (entries[i].Handle == handle)
            return &entries[i];
    return NULL;
}

/* All that is told belongs to one object; nothing but the value is right, too. */
static void assert_is(const PSS_HANDLE_ENTRY *entry, const struct fake_object *object)
{
    int is_first = object == race.first;

    assert_type(entry, object->type);
    if (entry->Flags & PSS_HANDLE_HAVE_NAME)
        assert_text(entry->ObjectName, entry->ObjectNameLength, object->name);
    if (!(entry->Flags & PSS_HANDLE_HAVE_BASIC_INFORMATION))
        return;
    assert_same(entry->GrantedAccess, is_first ? FIRST_ACCESS : SECOND_ACCESS);
    assert_same(entry->Attributes, is_first ? OBJ_INHERIT : 0);
    if (is_first)
        assert_true(entry->HandleCount == 3 || entry->HandleCount == 4);
    else
        assert_true(entry->HandleCount == 5 || entry->HandleCount == 6);
    assert_same(entry->PointerCount, entry->HandleCount + object->references);
}

static void assert_one_object(const PSS_HANDLE_ENTRY *entry)
{
    struct fake_text second = type_name(race.second->type);

    if (!(entry->Flags & PSS_HANDLE_HAVE_TYPE))
        assert_same(entry->Flags, PSS_HANDLE_NONE);
    else if (entry->TypeNameLength == second.length &&
             !memcmp(entry->TypeName, second.text, second.length))
        assert_is(entry, race.second);
    else
        assert_is(entry, race.first);
}

static void assert_fixed(uint32_t flags)
{
    for (uint32_t i = 0; i < FIXED; i++) {
        const PSS_HANDLE_ENTRY *entry = find(race.fixed[i]);

        assert_non_null(entry);
        assert_type(entry, i < 3 ? FAKE_EVENT : FAKE_MUTANT);
        if (flags & PSS_CAPTURE_HANDLE_NAME_INFORMATION)
            assert_text(entry->ObjectName, entry->ObjectNameLength,
                        i < 3 ? FAKE_TEXT(L"\\event") : FAKE_TEXT(L"\\mutant"));
        if (flags & PSS_CAPTURE_HANDLE_BASIC_INFORMATION)
            assert_same(entry->HandleCount, 1);
    }
}

/* Captures with the event at that call; answers whether the call was there. */
static int race_at(uint64_t call, uint32_t flags)
{
    const PSS_HANDLE_ENTRY *entry;
    uint64_t before;

    world_release();
    before = fake.all_calls;
    fake.event_call = before + call;
    fake.event = use_again;
    capture(flags);
    fake.event = NULL;
    entry = find(race.handle);
    if (entry)
        assert_one_object(entry);
    else
        assert_true(race.is_closed_only);
    assert_is(find(race.twin), race.first);
    assert_fixed(flags);
    return fake.all_calls - before > call;
}

static void use_own_process(void)
{
    world.target = fake.own;
    world.process = PSS_CURRENT_PROCESS;
}

struct pair {
    enum fake_type first, second;
};

/* Each flag set; each call, or some of them with each in a sample; foreign and own. */
static void race_everywhere(void **state, struct pair pair, int is_closed_only)
{
    static const uint32_t frozen = PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT;
    static const uint32_t flags[] = {PSS_CAPTURE_HANDLES, HANDLE_DETAILS,
                                     PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_BASIC_INFORMATION,
                                     PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION};

    uint32_t step = soak_step(3);

    for (uint32_t i = 0; i < 4 * 4; i++) {
        uint32_t asked = flags[i / 4] | (i & 1 ? frozen : 0);
        int goes_on = 1;

        for (uint64_t call = 1 + i % step; goes_on; call += step) {
            world_setup(state);
            if (i & 2)
                use_own_process();
            fake_thread_add(world.target, 2004);
            build_race(pair.first, pair.second);
            race.is_closed_only = is_closed_only;
            goes_on = race_at(call, asked);
            assert_same(world_teardown(state), 0);
        }
    }
}

static void test_value_used_again_for_another_type_is_told_of_one_object(void **state)
{
    race_everywhere(state, (struct pair){FAKE_EVENT, FAKE_MUTANT}, 0);
    race_everywhere(state, (struct pair){FAKE_FILE, FAKE_EVENT}, 0);
    race_everywhere(state, (struct pair){FAKE_EVENT, FAKE_FILE}, 0);
}

static void test_value_that_is_closed_costs_its_own_data_alone(void **state)
{
    race_everywhere(state, (struct pair){FAKE_EVENT, FAKE_MUTANT}, 1);
}

/* The duplicate alone decides who asks: the model ends a caller that asks what may hang. */
static void test_name_of_a_value_used_again_for_a_file_is_asked_on_a_thread(void **state)
{
    int goes_on = 1;

    for (uint64_t call = 1; goes_on; call++) {
        world_setup(state);
        build_race(FAKE_EVENT, FAKE_FILE);
        race.second->name_hang = FAKE_HANGS;
        goes_on = race_at(call, HANDLE_DETAILS);
        assert_same(world_teardown(state), 0);
    }
}

/* ---- The own process, where the capture itself uses values again ---- */

/* A handle to a thread of ours, closed at some call: the capture may open its own there. */
static int capture_own_thread(uint64_t call, uint32_t flags, ACCESS_MASK access)
{
    struct fake_thread *other = fake_thread_add(fake.own, 108);
    uint64_t before;

    use_own_process();
    memset(&race, 0, sizeof(race));
    race.is_closed_only = 1;
    race.handle = fake_handle_open(fake.own, &other->object, access, 0);
    before = fake.all_calls;
    fake.event_call = before + call;
    fake.event = use_again;
    capture(flags);
    fake.event = NULL;
    return fake.all_calls - before > call;
}

/* While the table is read it is there; later it is the capture's, whatever it looks like. */
static void test_value_that_the_capture_has_taken_is_told_alone(void **state)
{
    static const ACCESS_MASK accesses[] = {
        THREAD_ALL_ACCESS, THREAD_GET_CONTEXT | THREAD_QUERY_INFORMATION | THREAD_SUSPEND_RESUME};
    int goes_on = 1;

    for (uint64_t call = 1; goes_on; call++) {
        const PSS_HANDLE_ENTRY *entry;

        goes_on = 0;
        for (int i = 0; i < 2; i++) {
            world_setup(state);
            goes_on |= capture_own_thread(
                call, HANDLE_DETAILS | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT,
                accesses[i]);
            entry = find(race.handle);
            if (entry && entry->Flags & PSS_HANDLE_HAVE_BASIC_INFORMATION)
                assert_same(entry->GrantedAccess, accesses[i]);
            if (entry && entry->Flags & PSS_HANDLE_HAVE_TYPE_SPECIFIC_INFORMATION)
                assert_same(entry->TypeSpecificInformation.Thread.ThreadId, 108);
            assert_same(world_teardown(state), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_types_are_told_by_rows_however_they_are_numbered),
        fixture_test(test_types_are_told_by_objects_where_rows_are_not_understood),
        fixture_test(test_types_of_the_own_process_come_without_the_event),
        cmocka_unit_test(test_value_used_again_for_another_type_is_told_of_one_object),
        cmocka_unit_test(test_value_that_is_closed_costs_its_own_data_alone),
        cmocka_unit_test(test_name_of_a_value_used_again_for_a_file_is_asked_on_a_thread),
        cmocka_unit_test(test_value_that_the_capture_has_taken_is_told_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
