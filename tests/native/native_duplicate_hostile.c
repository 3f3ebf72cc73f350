/* SPDX-License-Identifier: MIT */
/* Source processes that lie: whatever they hold, the caller is told so, and keeps nothing. */
#include "fake_space.h"
#include "ship_world.h"

#include <sanitizer/asan_interface.h>

#define TRUSTED   0x10000u /* bytes of memory that a number alone may cost */
#define LIE_PLACE 0x10000000u

static unsigned char *original; /* the block as it is in the first party */
static uint32_t block_size;
static HPSS source;
static char where[160]; /* the run, for messages */

static int set_up(void **state)
{
    ship_setup(state);
    source = ship_leave(ship.to_first, SHIP_FLAGS);
    block_size = ship_header(ship.first, source).size;
    original = test_malloc(block_size);
    fake_read(ship.first, address_of(source), original, block_size);
    return 0;
}

static int tear_down(void **state)
{
    test_free(original);
    fake.lie = NULL;
    fake.event = NULL;
    if (source && fake_region_at(ship.first, address_of(source)))
        ship_free(ship.to_first, source);
    return ship_teardown(state);
}

#define hostile_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static void put(uint32_t offset, const void *bytes, uint32_t size)
{
    fake_write(ship.first, address_of(source) + offset, bytes, size);
}

static void restore(void)
{
    put(0, original, block_size);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void fail_run(const char *what, NTSTATUS status)
{
    fail_msg("%s: %s: 0x%x", where, what, (unsigned int)status);
}

static void check_own(void)
{
    struct fake_ledger now;

    world_forget_clones(); /* of handles that the source has left open */
    now = fake_ledger_now();
    if (now.allocations || fake_handles_in(ship.own) || now.views || now.heap_blocks ||
        now.threads || fake.bad_closes) {
        fake_ledger_is_zero();
        fail_run("something is left", 0);
    }
}

/* Refused, or a snapshot that can be used to the end; answers which. */
static int take(HPSS address)
{
    NTSTATUS status;
    HPSS taken;

    status = ship_try(ship.to_first, address, PSS_CURRENT_PROCESS, 0, &taken);
    if (NT_SUCCESS(status) != (taken != NULL))
        fail_run("a duplicate without success, or none with it", status);
    if (!NT_SUCCESS(status) && status != STATUS_INVALID_HANDLE)
        fail_run("that is not documented", status);
    if (taken) {
        block_use(taken);
        ship_free(PSS_CURRENT_PROCESS, taken);
    }
    check_own();
    return taken != NULL;
}

static void test_source_as_it_was_is_taken(void **state)
{
    (void)state;
    assert_true(take(source));
}

/* Each byte of the header and of the section table. */
static void test_any_byte_of_the_header_may_lie(void **state)
{
    static const unsigned char values[] = {0, 1, 2, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFE, 0xFF};
    uint32_t taken = 0, runs = 0;

    (void)state;
    for (uint32_t i = 0; i < sizeof(struct pss_block); i++) {
        for (uint32_t j = 0; j < sizeof(values) + 8; j++) {
            unsigned char byte = j < sizeof(values)
                                     ? values[j]
                                     : (unsigned char)(original[i] ^ 1u << (j - sizeof(values)));

            snprintf(where, sizeof(where), "byte %u is 0x%x", i, byte);
            put(i, &byte, 1);
            taken += (uint32_t)take(source);
            runs++;
        }
        put(i, &original[i], 1);
    }
    assert_true(taken < runs / 2);
    assert_true(take(source));
}

static void test_anything_anywhere_may_lie(void **state)
{
    uint64_t seed = world_seed();

    (void)state;
    for (int round = 0; round < 8000; round++) {
        uint64_t changes = next_random(&seed) % 4 + 1;

        snprintf(where, sizeof(where), "round %d", round);
        while (changes--) {
            uint64_t random = next_random(&seed);
            uint32_t range = random & 1 ? (uint32_t)sizeof(struct pss_block) : block_size;
            unsigned char byte = (unsigned char)(random >> 56);

            put((uint32_t)(random >> 8) % range, &byte, 1);
        }
        take(source);
        restore();
    }
    assert_true(take(source));
}

/* The same for a free: it closes what the block names at most, and nothing of anybody else's. */
static void test_free_of_a_block_that_lies_is_safe(void **state)
{
    uint64_t seed = world_seed();
    uint32_t freed = 0;

    (void)state;
    for (int round = 0; round < 1500; round++) {
        uint32_t offset = (uint32_t)next_random(&seed) % (uint32_t)sizeof(struct pss_block);
        unsigned char byte = (unsigned char)next_random(&seed);
        NTSTATUS status;

        snprintf(where, sizeof(where), "byte %u is 0x%x", offset, byte);
        put(offset, &byte, 1);
        status = pss_snapshot_free(fake_nt(), ship.to_first, source);
        if (!NT_SUCCESS(status) && status != STATUS_INVALID_HANDLE &&
            status != STATUS_NOT_SUPPORTED)
            fail_run("that is not documented", status);
        check_own();
        assert_parties_untouched();
        if (NT_SUCCESS(status)) {
            assert_same(fake_shipments_in(ship.first), 0);
            fake_process_become(ship.own);
            source = ship_leave(ship.to_first, SHIP_FLAGS);
            fake_read(ship.first, address_of(source), original, block_size);
            freed++;
        } else {
            restore();
        }
    }
    assert_true(freed > 10 && freed < 1500);
}

static void test_garbage_is_no_snapshot(void **state)
{
    uint64_t seed = world_seed();
    unsigned char garbage[512];

    (void)state;
    for (int round = 0; round < 500; round++) {
        for (size_t i = 0; i < sizeof(garbage); i++)
            garbage[i] = (unsigned char)next_random(&seed);
        fake_write(ship.first, PARTY_VIEW, garbage, sizeof(garbage));
        if (round % 2)
            fake_write(ship.first, PARTY_VIEW, original, 8);
        snprintf(where, sizeof(where), "garbage %d", round);
        assert_false(take(pointer_to(PARTY_VIEW)));
    }
}

/* ---- sizes ---- */

static void assert_costs(HPSS address, uint64_t most)
{
    fake.peak_memory = fake.memory;
    assert_false(take(address));
    if (fake.peak_memory - fake.memory > most)
        fail_run("too much memory was asked for", (NTSTATUS)fake.peak_memory);
}

static void test_size_that_is_not_there_costs_no_memory(void **state)
{
    static const uint32_t sizes[] = {0,          1,          64,         0xFFF,      0x1000,
                                     0xFFFF,     0x10000,    0x10001,    0x100000,   0x7FFFFFFF,
                                     0x80000000, 0xFFFF0000, 0xFFFFF000, 0xFFFFFFC0, 0xFFFFFFF0,
                                     0xFFFFFFFE, 0xFFFFFFFF};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        snprintf(where, sizeof(where), "size 0x%x", sizes[i]);
        put(offsetof(struct pss_block, size), &sizes[i], sizeof(sizes[i]));
        assert_costs(source, TRUSTED);
    }
    restore();
}

/* At the end of the address space the size wraps around. */
static void test_block_at_the_end_of_the_address_space_is_refused(void **state)
{
    static const uint32_t sizes[] = {0x1000, 0x1001, 0x10001, 0x7FFFFFFF, 0xFFFFFFFF};
    uint64_t limit = ship.first->address_limit;

    (void)state;
    fake_region_add(ship.first, limit - 0x1000, 0x1000, MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE);
    fake_write(ship.first, limit - 0x1000, original, sizeof(struct pss_block));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        snprintf(where, sizeof(where), "size 0x%x at the end", sizes[i]);
        fake_write(ship.first, limit - 0x1000 + offsetof(struct pss_block, size), &sizes[i], 4);
        assert_costs(pointer_to(limit - 0x1000), TRUSTED);
    }
    assert_costs(pointer_to(UINT64_MAX - 0x10), 0);
    assert_costs(pointer_to(UINT64_MAX - 0xFFF), 0);
    assert_costs(pointer_to(limit), 0);
}

/* A large block whose last byte is there, but not all before it; and one that lacks the last. */
static void test_block_with_a_hole_is_refused(void **state)
{
    uint32_t size = 0x200000;

    (void)state;
    fake_region_add(ship.first, LIE_PLACE, 0x1000, MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE);
    fake_region_add(ship.first, LIE_PLACE + 0x1000, size - 0x2000, MEM_RESERVE, 0, MEM_PRIVATE);
    fake_region_add(ship.first, LIE_PLACE + size - 0x1000, 0x1000, MEM_COMMIT, PAGE_READWRITE,
                    MEM_PRIVATE);
    fake_write(ship.first, LIE_PLACE, original, sizeof(struct pss_block));
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t told = size - 1 + i;

        snprintf(where, sizeof(where), "size 0x%x", told);
        fake_write(ship.first, LIE_PLACE + offsetof(struct pss_block, size), &told, sizeof(told));
        assert_costs(pointer_to(LIE_PLACE), told > size ? 0 : size);
    }
    ship.first->regions[ship.first->region_count - 1].basic.Protect = PAGE_NOACCESS;
    fake_write(ship.first, LIE_PLACE + offsetof(struct pss_block, size), &size, sizeof(size));
    assert_costs(pointer_to(LIE_PLACE), 0);
}

/* Each page less than the block has. */
static void test_block_that_is_cut_off_is_refused(void **state)
{
    uint32_t pages = (block_size + FAKE_PAGE - 1) / FAKE_PAGE;

    (void)state;
    assert_true(pages > 1);
    fake_region_add(ship.first, LIE_PLACE, pages * FAKE_PAGE, MEM_COMMIT, PAGE_READWRITE,
                    MEM_PRIVATE);
    fake_write(ship.first, LIE_PLACE, original, block_size);
    assert_true(take(pointer_to(LIE_PLACE)));
    for (uint32_t i = pages; i-- > 0;) {
        snprintf(where, sizeof(where), "%u pages", i);
        fake_space_cut(ship.first, LIE_PLACE + i * FAKE_PAGE);
        fake_space_remove(ship.first, LIE_PLACE + i * FAKE_PAGE, LIE_PLACE + pages * FAKE_PAGE);
        assert_false(take(pointer_to(LIE_PLACE)));
    }
}

static void test_reads_that_come_short_are_no_snapshot(void **state)
{
    (void)state;
    snprintf(where, sizeof(where), "short reads");
    fake.reads_short = 1;
    assert_false(take(source));
    fake.reads_short = 0;
    assert_true(take(source));
}

/* ---- what changes between two looks ---- */

struct change {
    uint64_t reads, at; /* reads of the source so far, and the one after which it changes */
    uint32_t offset, value;
};

static NTSTATUS change_after_read(void *context, enum fake_call call, void *buffer, SIZE_T size,
                                  ULONG *returned)
{
    struct change *change = context;

    (void)buffer;
    (void)size;
    (void)returned;
    if (call == FAKE_READ_MEMORY && ++change->reads == change->at)
        put(change->offset, &change->value, sizeof(change->value));
    return STATUS_SUCCESS;
}

static uint64_t change_between_reads(uint64_t at, uint32_t offset, uint32_t value)
{
    struct change change = {0, at, offset, value};

    snprintf(where, sizeof(where), "0x%x at offset %u after read %llu", value, offset,
             (unsigned long long)at);
    fake.context = &change;
    fake.lie = change_after_read;
    take(source);
    fake.lie = NULL;
    restore();
    return change.reads;
}

static void test_block_that_changes_between_reads_is_safe(void **state)
{
    static const uint32_t values[] = {0,       1,          0x40,       0x1000,
                                      0x10001, 0x7FFFFFFF, 0xFFFFFFC0, 0xFFFFFFFF};
    uint64_t reads = 1;

    (void)state;
    for (uint64_t at = 1; at <= reads; at++)
        for (uint32_t offset = 0; offset < sizeof(struct pss_block); offset += 4)
            for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
                reads = change_between_reads(at, offset, values[i]);
    assert_true(take(source));
}

static NTSTATUS shrink_after_two_reads(void *context, enum fake_call call, void *buffer,
                                       SIZE_T size, ULONG *returned)
{
    static const uint32_t small = 0x1000;
    uint64_t *reads = context;

    (void)buffer;
    (void)size;
    (void)returned;
    if (call == FAKE_READ_MEMORY && ++*reads == 2)
        fake_write(ship.first, LIE_PLACE + offsetof(struct pss_block, size), &small, sizeof(small));
    return STATUS_SUCCESS;
}

/* The header and the last byte; then the first part, which tells another size. */
static void test_block_that_changes_its_size_is_read_no_further(void **state)
{
    uint32_t size = 0x800000;
    uint64_t reads = 0;

    (void)state;
    snprintf(where, sizeof(where), "another size");
    fake_region_add(ship.first, LIE_PLACE, size, MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE);
    fake_write(ship.first, LIE_PLACE, original, sizeof(struct pss_block));
    fake_write(ship.first, LIE_PLACE + offsetof(struct pss_block, size), &size, sizeof(size));
    fake.context = &reads;
    fake.lie = shrink_after_two_reads;
    assert_false(take(pointer_to(LIE_PLACE)));
    fake.lie = NULL;
    assert_same(reads, 3);
}

/* ---- what the handles of the source become ---- */

static int names_handle(const struct fake_handle *handle)
{
    return handle->object && !handle->is_client;
}

/* The source closes what its block names, and puts events in the same places. */
static void swap_handles(void *context)
{
    (void)context;
    for (uint32_t i = 0; i < ship.first->handle_capacity; i++) {
        struct fake_handle *handle = &ship.first->handles[i];

        if (!names_handle(handle))
            continue;
        fake_handle_close(ship.first, (HANDLE)(ULONG_PTR)(4 * (i + 1)));
        fake_handle_open(ship.first, fake_object_add(FAKE_EVENT), EVENT_ALL_ACCESS, 0);
        handle->is_client = 0;
    }
}

/* With other handles than its own it may be no snapshot that can be freed. */
static void forget_source(void)
{
    uint64_t place = address_of(source);

    if (NT_SUCCESS(pss_snapshot_free(fake_nt(), ship.to_first, source)))
        return;
    fake_space_remove(ship.first, place, fake_region_end(fake_region_at(ship.first, place)));
}

/* Whatever a handle names when it is duplicated: the caller can give all of it back. */
static void test_handles_that_change_at_any_call_are_given_back(void **state)
{
    int has_happened = 1;

    (void)state;
    for (uint64_t n = 1; has_happened; n++) {
        snprintf(where, sizeof(where), "handles change at call %llu", (unsigned long long)n);
        fake.all_calls = 0;
        fake.event_call = n;
        fake.event = swap_handles;
        take(source);
        has_happened = fake.all_calls >= n;
        fake.event = NULL;
        forget_source();
        for (uint32_t i = 0; i < ship.first->handle_capacity; i++)
            if (names_handle(&ship.first->handles[i]))
                fake_handle_close(ship.first, (HANDLE)(ULONG_PTR)(4 * (i + 1)));
        source = ship_leave(ship.to_first, SHIP_FLAGS);
    }
}

/* Records that name other handles of the source, or what no process may name. */
static void test_handles_that_are_not_what_they_should_be_are_refused(void **state)
{
    const struct pss_block *block = (const struct pss_block *)(void *)original;
    uint32_t trace = block->sections[PSS_SECTION_TRACE].offset;
    uint32_t clone = block->sections[PSS_SECTION_CLONE].offset;
    const uint32_t offsets[] = {trace + (uint32_t)offsetof(struct pss_trace_record, kept),
                                clone + (uint32_t)offsetof(struct pss_clone_record, kept)};
    static const uint64_t values[] = {
        4, 8, 0x7FFFFFFC, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFE, 0x100000004, 3};

    (void)state;
    for (int i = 0; i < 2; i++)
        for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
            snprintf(where, sizeof(where), "handle %d is 0x%llx", i, (unsigned long long)values[j]);
            put(offsets[i], &values[j], sizeof(values[j]));
            assert_false(take(source));
            restore();
        }
    assert_parties_untouched();
}

/* ---- what is looked at of a section ---- */

static struct fake_object *section_of_trace(void)
{
    const struct pss_block *block = (const struct pss_block *)(void *)original;
    const struct pss_trace_record *record = pss_block_record(block, PSS_SECTION_TRACE, 0);

    return fake_handle_find(ship.first, (HANDLE)(ULONG_PTR)record->kept)->object;
}

/* Refused without a look into it, by both calls that have to recognise the section. */
static void check_unmapped(void)
{
    uint64_t views = fake.calls_of[FAKE_MAP_VIEW];

    assert_false(take(source));
    assert_same(pss_snapshot_free(fake_nt(), ship.to_first, source), STATUS_INVALID_HANDLE);
    assert_same(fake.calls_of[FAKE_MAP_VIEW], views);
    check_own();
}

/* An image may have pages that fault, a reserved section has, and a file may be cut off. */
static void test_section_of_another_kind_is_not_mapped(void **state)
{
    static const ULONG kinds[] = {0,
                                  SEC_IMAGE,
                                  SEC_IMAGE | SEC_COMMIT,
                                  SEC_RESERVE,
                                  SEC_RESERVE | SEC_COMMIT,
                                  SEC_FILE,
                                  SEC_FILE | SEC_COMMIT};
    struct pss_nt_section_basic *section = &section_of_trace()->section;

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        snprintf(where, sizeof(where), "section of kind 0x%lx", (unsigned long)kinds[i]);
        section->attributes = kinds[i];
        check_unmapped();
    }
    section->attributes = SEC_COMMIT;
    assert_true(take(source));
}

/* Also where the sum of it and of the mark is small in 32 bits. */
static void test_trace_of_a_size_beyond_the_limit_is_refused(void **state)
{
    const struct pss_block *block = (const struct pss_block *)(void *)original;
    uint32_t place = block->sections[PSS_SECTION_TRACE].offset +
                     (uint32_t)offsetof(struct pss_trace_record, size);
    const uint32_t sizes[] = {PSS_TRACE_SIZE_LIMIT + 1, 0x7FFFFFF8, 0xFFFFFFF8, 0xFFFFFFFF};
    struct pss_nt_section_basic *section = &section_of_trace()->section;
    LARGE_INTEGER size = section->maximum_size;

    (void)state;
    section->maximum_size.QuadPart = INT64_MAX;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        snprintf(where, sizeof(where), "trace of 0x%x bytes", sizes[i]);
        put(place, &sizes[i], sizeof(sizes[i]));
        check_unmapped();
    }
    section->maximum_size = size;
    restore();
}

static void test_section_that_cannot_be_read_is_refused(void **state)
{
    struct fake_object *section = section_of_trace();
    size_t size = (size_t)section->section.maximum_size.QuadPart;

    (void)state;
    snprintf(where, sizeof(where), "section that faults");
    section->is_unreadable = 1;
    ASAN_POISON_MEMORY_REGION(section->bytes, size);
    assert_false(take(source));
    assert_same(pss_snapshot_free(fake_nt(), ship.to_first, source), STATUS_INVALID_HANDLE);
    check_own();
    ASAN_UNPOISON_MEMORY_REGION(section->bytes, size);
    section->is_unreadable = 0;
    assert_true(take(source));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hostile_test(test_source_as_it_was_is_taken),
        hostile_test(test_any_byte_of_the_header_may_lie),
        hostile_test(test_anything_anywhere_may_lie),
        hostile_test(test_free_of_a_block_that_lies_is_safe),
        hostile_test(test_garbage_is_no_snapshot),
        hostile_test(test_size_that_is_not_there_costs_no_memory),
        hostile_test(test_block_at_the_end_of_the_address_space_is_refused),
        hostile_test(test_block_with_a_hole_is_refused),
        hostile_test(test_block_that_is_cut_off_is_refused),
        hostile_test(test_reads_that_come_short_are_no_snapshot),
        hostile_test(test_block_that_changes_between_reads_is_safe),
        hostile_test(test_block_that_changes_its_size_is_read_no_further),
        hostile_test(test_handles_that_change_at_any_call_are_given_back),
        hostile_test(test_handles_that_are_not_what_they_should_be_are_refused),
        hostile_test(test_section_of_another_kind_is_not_mapped),
        hostile_test(test_trace_of_a_size_beyond_the_limit_is_refused),
        hostile_test(test_section_that_cannot_be_read_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
