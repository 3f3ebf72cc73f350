/* SPDX-License-Identifier: MIT */
/* The parties of a duplication, and the comparison of snapshots record by record. */
#include "ship_world.h"

#include "fake_space.h"

#define LONGEST_ENTRY 256u /* bytes */

struct ship ship;

static const unsigned char party_bytes[] = "memory of a party, which nobody may touch";

static struct fake_process *add_party(uint32_t id, uint32_t handles)
{
    struct fake_process *party = fake_process_add(id);

    fake_thread_add(party, id + 4);
    party->is_party = 1;
    fake_region_add(party, PARTY_MEMORY, PARTY_MEMORY_SIZE, MEM_COMMIT, PAGE_READWRITE,
                    MEM_PRIVATE);
    fake_region_add(party, PARTY_VIEW, PARTY_VIEW_SIZE, MEM_COMMIT, PAGE_READWRITE, MEM_MAPPED);
    fake_write(party, PARTY_MEMORY, party_bytes, sizeof(party_bytes));
    for (uint32_t i = 0; i < handles; i++) /* so that no value means the same in two processes */
        fake_handle_open(party, fake_object_add(FAKE_EVENT), EVENT_ALL_ACCESS, 0);
    return party;
}

void ship_build(int has_native_clones)
{
    clone_world_setup(NULL);
    clone_world_furnish_details();
    fake.has_native_clones = (uint8_t)has_native_clones;
    ship.own = fake.own;
    ship.own->is_party = 1;
    ship.first = add_party(3000, 40);
    ship.second = add_party(4000, 70);
    ship.to_first = fake_handle_open(fake.own, &ship.first->object, PROCESS_ALL_ACCESS, 0);
    ship.to_second = fake_handle_open(fake.own, &ship.second->object, PROCESS_ALL_ACCESS, 0);
}

int ship_setup(void **state)
{
    (void)state;
    ship_build(1);
    return 0;
}

int ship_teardown(void **state)
{
    world_forget_clones();
    fake_process_become(ship.own);
    return clone_world_teardown(state);
}

NTSTATUS ship_try(HANDLE source, HPSS snapshot, HANDLE target, uint32_t flags, HPSS *duplicate)
{
    struct pss_duplication what = {source, target, snapshot, flags};

    *duplicate = pointer_to(1);
    return pss_snapshot_duplicate(fake_nt(), &what, duplicate);
}

HPSS ship_duplicate(HANDLE source, HPSS snapshot, HANDLE target, uint32_t flags)
{
    HPSS duplicate;

    assert_same(ship_try(source, snapshot, target, flags, &duplicate), STATUS_SUCCESS);
    assert_non_null(duplicate);
    return duplicate;
}

HPSS ship_leave(HANDLE party, uint32_t flags)
{
    HPSS left;

    world_capture(flags);
    left = ship_duplicate(PSS_CURRENT_PROCESS, world.snapshot, party, PSS_DUPLICATE_NONE);
    world_release();
    return left;
}

void ship_free(HANDLE process, HPSS snapshot)
{
    assert_same(pss_snapshot_free(fake_nt(), process, snapshot), STATUS_SUCCESS);
}

struct pss_block ship_header(const struct fake_process *process, HPSS snapshot)
{
    struct pss_block header;

    fake_read(process, address_of(snapshot), &header, sizeof(header));
    return header;
}

HPSS ship_settle(struct fake_process *process, HPSS shipped)
{
    uint64_t address = address_of(shipped);
    const struct fake_region *region = fake_region_at(process, address);
    struct pss_block header = ship_header(process, shipped);
    SIZE_T size = header.size;
    void *base = NULL;

    assert_non_null(region);
    assert_same(fake_region_allocation(region), address);
    assert_same(region->basic.Protect, PAGE_READWRITE);
    assert_same(header.origin, PSS_ORIGIN_SHIPPED);
    assert_same(fake_nt()->allocate_memory(PSS_CURRENT_PROCESS, &base, 0, &size,
                                           MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE),
                STATUS_SUCCESS);
    fake_read(process, address, base, header.size);
    fake_space_remove(process, address, fake_region_end(region));
    fake_process_become(process);
    return base;
}

/* ---- what two snapshots answer ---- */

/* A pointer of two entries: as many bytes behind both, or none; it counts no more. */
static void compare_bytes(void *field, void *other_field, size_t size)
{
    const void *bytes, *others;

    memcpy(&bytes, field, sizeof(bytes));
    memcpy(&others, other_field, sizeof(others));
    assert_same(bytes != NULL, others != NULL);
    if (bytes) {
        assert_true(bytes != others);
        assert_memory_equal(bytes, others, size);
    }
    memset(field, 0, sizeof(bytes));
    memset(other_field, 0, sizeof(others));
}

static void compare_page(void *bytes, void *other_bytes)
{
    PSS_AUXILIARY_PAGE_ENTRY *entry = bytes, *other = other_bytes;

    compare_bytes(&entry->PageContents, &other->PageContents, entry->PageSize);
}

static void compare_region(void *bytes, void *other_bytes)
{
    PSS_VA_SPACE_ENTRY *entry = bytes, *other = other_bytes;

    compare_bytes(&entry->MappedFileName, &other->MappedFileName,
                  entry->MappedFileNameLength + sizeof(WCHAR));
}

static void compare_handle(void *bytes, void *other_bytes)
{
    PSS_HANDLE_ENTRY *entry = bytes, *other = other_bytes;

    compare_bytes(&entry->TypeName, &other->TypeName, entry->TypeNameLength + sizeof(WCHAR));
    compare_bytes(&entry->ObjectName, &other->ObjectName, entry->ObjectNameLength + sizeof(WCHAR));
}

static void compare_thread(void *bytes, void *other_bytes)
{
    PSS_THREAD_ENTRY *entry = bytes, *other = other_bytes;

    compare_bytes(&entry->ContextRecord, &other->ContextRecord, entry->SizeOfContextRecord);
}

static void compare_name(void *bytes, void *other_bytes)
{
    PSS_THREAD_NAME *entry = bytes, *other = other_bytes;

    compare_bytes(&entry->ThreadName, &other->ThreadName, entry->ThreadNameSize + sizeof(WCHAR));
}

static const struct {
    DWORD length;
    void (*compare)(void *, void *);
} streams[] = {
    [PSS_WALK_AUXILIARY_PAGES] = {sizeof(PSS_AUXILIARY_PAGE_ENTRY), compare_page},
    [PSS_WALK_VA_SPACE] = {sizeof(PSS_VA_SPACE_ENTRY), compare_region},
    [PSS_WALK_HANDLES] = {sizeof(PSS_HANDLE_ENTRY), compare_handle},
    [PSS_WALK_THREADS] = {sizeof(PSS_THREAD_ENTRY), compare_thread},
    [PSS_WALK_THREAD_NAME] = {sizeof(PSS_THREAD_NAME), compare_name},
};

static void compare_stream(HPSS snapshot, HPSS other, uint32_t number)
{
    unsigned char entry[LONGEST_ENTRY], other_entry[LONGEST_ENTRY];
    DWORD length = streams[number].length;
    HPSSWALK marker, other_marker;
    NTSTATUS status;

    assert_true(length <= sizeof(entry));
    assert_same(pss_marker_create(fake_nt(), NULL, &marker), STATUS_SUCCESS);
    assert_same(pss_marker_create(fake_nt(), NULL, &other_marker), STATUS_SUCCESS);
    do {
        status = pss_snapshot_walk(snapshot, number, marker, entry, length);
        assert_same(pss_snapshot_walk(other, number, other_marker, other_entry, length), status);
        if (status != STATUS_SUCCESS)
            break;
        streams[number].compare(entry, other_entry);
        assert_memory_equal(entry, other_entry, length);
    } while (status == STATUS_SUCCESS);
    assert_true(status == STATUS_NO_MORE_ENTRIES || status == STATUS_NOT_FOUND);
    assert_same(pss_marker_free(fake_nt(), marker), STATUS_SUCCESS);
    assert_same(pss_marker_free(fake_nt(), other_marker), STATUS_SUCCESS);
}

/* The first field of both may be a handle, which differs. */
static void compare_query(HPSS snapshot, HPSS other, uint32_t number, DWORD length, int has_handle)
{
    static unsigned char answer[4096], other_answer[4096];
    NTSTATUS status = pss_snapshot_query(fake_nt(), snapshot, number, answer, length);

    assert_true(length <= sizeof(answer));
    assert_same(pss_snapshot_query(fake_nt(), other, number, other_answer, length), status);
    assert_true(status == STATUS_SUCCESS || status == STATUS_NOT_FOUND);
    if (status == STATUS_SUCCESS && has_handle) {
        memset(answer, 0, sizeof(HANDLE));
        memset(other_answer, 0, sizeof(HANDLE));
    }
    if (status == STATUS_SUCCESS)
        assert_memory_equal(answer, other_answer, length);
}

void assert_same_snapshot(HPSS snapshot, HPSS other)
{
    compare_query(snapshot, other, PSS_QUERY_PROCESS_INFORMATION, sizeof(PSS_PROCESS_INFORMATION),
                  0);
    compare_query(snapshot, other, PSS_QUERY_VA_CLONE_INFORMATION, sizeof(PSS_VA_CLONE_INFORMATION),
                  1);
    compare_query(snapshot, other, PSS_QUERY_VA_CLONE_DETAILS, sizeof(PSS_VA_CLONE_DETAILS), 0);
    compare_query(snapshot, other, PSS_QUERY_AUXILIARY_PAGES_INFORMATION,
                  sizeof(PSS_AUXILIARY_PAGES_INFORMATION), 0);
    compare_query(snapshot, other, PSS_QUERY_VA_SPACE_INFORMATION, sizeof(PSS_VA_SPACE_INFORMATION),
                  0);
    compare_query(snapshot, other, PSS_QUERY_HANDLE_INFORMATION, sizeof(PSS_HANDLE_INFORMATION), 0);
    compare_query(snapshot, other, PSS_QUERY_THREAD_INFORMATION, sizeof(PSS_THREAD_INFORMATION), 0);
    compare_query(snapshot, other, PSS_QUERY_HANDLE_TRACE_INFORMATION,
                  sizeof(PSS_HANDLE_TRACE_INFORMATION), 1);
    compare_query(snapshot, other, PSS_QUERY_PERFORMANCE_COUNTERS, sizeof(PSS_PERFORMANCE_COUNTERS),
                  0);
    for (uint32_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
        compare_stream(snapshot, other, i);
}

static struct fake_object *object_of(HANDLE handle)
{
    const struct fake_handle *found = fake_handle_find(fake.own, handle);

    assert_non_null(found);
    return found->object;
}

struct fake_object *ship_clone_of(HPSS snapshot)
{
    PSS_VA_CLONE_INFORMATION information;

    assert_same(pss_snapshot_query(fake_nt(), snapshot, PSS_QUERY_VA_CLONE_INFORMATION,
                                   &information, sizeof(information)),
                STATUS_SUCCESS);
    return object_of(information.VaCloneHandle);
}

struct fake_object *ship_trace_of(HPSS snapshot)
{
    PSS_HANDLE_TRACE_INFORMATION information;

    assert_same(pss_snapshot_query(fake_nt(), snapshot, PSS_QUERY_HANDLE_TRACE_INFORMATION,
                                   &information, sizeof(information)),
                STATUS_SUCCESS);
    return object_of(information.SectionHandle);
}

static void assert_untouched(const struct fake_process *party, uint32_t handles)
{
    unsigned char bytes[sizeof(party_bytes)];
    const struct fake_region *memory = fake_region_at(party, PARTY_MEMORY);
    const struct fake_region *view = fake_region_at(party, PARTY_VIEW);
    uint32_t open = 0;

    assert_true(memory && memory->basic.RegionSize == PARTY_MEMORY_SIZE);
    assert_true(view && view->basic.RegionSize == PARTY_VIEW_SIZE);
    fake_read(party, PARTY_MEMORY, bytes, sizeof(bytes));
    assert_memory_equal(bytes, party_bytes, sizeof(bytes));
    for (uint32_t i = 0; i < party->handle_capacity; i++)
        open += party->handles[i].object && party->handles[i].is_client;
    assert_same(open, handles);
}

void assert_parties_untouched(void)
{
    assert_untouched(ship.first, 40);
    assert_untouched(ship.second, 70);
}
