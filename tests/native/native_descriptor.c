/* SPDX-License-Identifier: MIT */
/* Round trips: a random model is built, sealed, moved elsewhere and read back as it was. */
#include "block_walk.h"
#include "world.h"

#include "base/sort.h"

#define ROUNDS    300
#define LIMIT     40u
#define TEXTS     (4 * LIMIT + 1)
#define TEXT_SIZE 64u

static uint64_t seed;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void fill_random(void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)(next_random() >> 32);
}

/* What was put in, as the public structures must give it back; pointers stand for texts. */
struct model {
    PSS_PROCESS_INFORMATION process;
    PSS_PERFORMANCE_COUNTERS counters;
    PSS_VA_CLONE_DETAILS details;
    PSS_VA_SPACE_ENTRY regions[LIMIT];
    PSS_HANDLE_ENTRY handles[LIMIT];
    PSS_THREAD_ENTRY threads[LIMIT];
    PSS_THREAD_NAME names[LIMIT];
    CONTEXT contexts[LIMIT];
    uint32_t region_count, handle_count, thread_count;
    WCHAR texts[TEXTS][TEXT_SIZE];
    uint32_t text_count;
};

static struct model model;

#define BUILD(call) assert_same(call, STATUS_SUCCESS)

static void *append(struct pss_builder *builder, enum pss_section section)
{
    void *record = NULL;

    BUILD(pss_builder_append(fake_nt(), builder, section, &record));
    return record;
}

/* A text of random length, often none; the pointer and length a walk must give. */
static struct pss_text add_text(struct pss_builder *builder, const WCHAR **text, WORD *length)
{
    WCHAR *kept = model.texts[model.text_count++];
    WORD size = (WORD)(next_random() % 3 ? next_random() % TEXT_SIZE * sizeof(WCHAR) : 0);
    struct pss_text record = {0, 0};

    fill_random(kept, sizeof(model.texts[0]));
    BUILD(pss_builder_text(fake_nt(), builder, kept, size, &record));
    *text = size ? kept : NULL;
    *length = size;
    return record;
}

static void build_process(struct pss_builder *builder)
{
    struct pss_process_record *record = append(builder, PSS_SECTION_PROCESS);
    PSS_PROCESS_INFORMATION *expected = &model.process;
    const WCHAR *name;
    WORD length;
    struct pss_text text = add_text(builder, &name, &length);

    fill_random(record, sizeof(*record));
    record->image_file_name = text;
    expected->ExitStatus = record->exit_status;
    expected->PebBaseAddress = pointer_to(record->peb);
    expected->AffinityMask = record->affinity;
    expected->BasePriority = record->base_priority;
    expected->ProcessId = record->process_id;
    expected->ParentProcessId = record->parent_process_id;
    expected->Flags = (PSS_PROCESS_FLAGS)record->flags;
    expected->CreateTime = file_time(record->create_time);
    expected->ExitTime = file_time(record->exit_time);
    expected->KernelTime = file_time(record->kernel_time);
    expected->UserTime = file_time(record->user_time);
    expected->PriorityClass = record->priority_class;
    expected->PeakVirtualSize = record->peak_virtual_size;
    expected->VirtualSize = record->virtual_size;
    expected->PageFaultCount = record->page_fault_count;
    expected->PeakWorkingSetSize = record->peak_working_set_size;
    expected->WorkingSetSize = record->working_set_size;
    expected->QuotaPeakPagedPoolUsage = record->quota_peak_paged_pool_usage;
    expected->QuotaPagedPoolUsage = record->quota_paged_pool_usage;
    expected->QuotaPeakNonPagedPoolUsage = record->quota_peak_non_paged_pool_usage;
    expected->QuotaNonPagedPoolUsage = record->quota_non_paged_pool_usage;
    expected->PagefileUsage = record->pagefile_usage;
    expected->PeakPagefileUsage = record->peak_pagefile_usage;
    expected->PrivateUsage = record->private_usage;
    expected->ExecuteFlags = record->execute_flags;
    if (name)
        memcpy(expected->ImageFileName, name, length);
}

static void build_counters(struct pss_builder *builder)
{
    struct pss_performance_record *record = append(builder, PSS_SECTION_PERFORMANCE);

    fill_random(record, sizeof(*record));
    memcpy(&model.counters, record, sizeof(*record));
}

/* Without handles, which would be closed at the end. */
static void build_clone(struct pss_builder *builder)
{
    struct pss_clone_record *record = append(builder, PSS_SECTION_CLONE);

    fill_random(record, sizeof(*record));
    record->lent = record->kept = record->job = 0;
    model.details.Strategy = (PSS_CLONE_STRATEGY)record->strategy;
    model.details.Route = (PSS_CLONE_ROUTE)record->route;
    model.details.BytesCommitted = record->committed;
    model.details.BytesHeld = record->held;
    model.details.BytesCopied = record->copied;
    model.details.BytesUnchanged = record->unchanged;
    model.details.BytesZero = record->zero;
    model.details.BytesMissing = record->missing;
}

static void build_region(struct pss_builder *builder, PSS_VA_SPACE_ENTRY *expected)
{
    struct pss_region_record *record = append(builder, PSS_SECTION_REGIONS);
    struct pss_mapping_record *mapping;
    struct pss_text name;

    fill_random(record, sizeof(*record));
    record->mapping = 0;
    expected->BaseAddress = pointer_to(record->base);
    expected->AllocationBase = pointer_to(record->allocation_base);
    expected->AllocationProtect = record->allocation_protect;
    expected->RegionSize = record->size;
    expected->State = record->state;
    expected->Protect = record->protect;
    expected->Type = record->type;
    if (next_random() % 2)
        return;
    mapping = append(builder, PSS_SECTION_MAPPINGS);
    name = add_text(builder, &expected->MappedFileName, &expected->MappedFileNameLength);
    fill_random(mapping, sizeof(*mapping));
    mapping->file_name = name;
    expected->TimeDateStamp = mapping->time_date_stamp;
    expected->SizeOfImage = mapping->size_of_image;
    expected->ImageBase = pointer_to(mapping->image_base);
    expected->CheckSum = mapping->check_sum;
    record->mapping = pss_builder_count(builder, PSS_SECTION_MAPPINGS);
}

static void build_handle(struct pss_builder *builder, PSS_HANDLE_ENTRY *expected)
{
    struct pss_handle_record *record = append(builder, PSS_SECTION_HANDLES);

    fill_random(record, sizeof(*record));
    record->flags &= 0xF;
    record->object_type = PSS_OBJECT_TYPE_SECTION;
    record->type_name = add_text(builder, &expected->TypeName, &expected->TypeNameLength);
    record->object_name = add_text(builder, &expected->ObjectName, &expected->ObjectNameLength);
    expected->Handle = pointer_to(record->handle);
    expected->Flags = (PSS_HANDLE_FLAGS)record->flags;
    expected->ObjectType = (PSS_OBJECT_TYPE)record->object_type;
    expected->CaptureTime = file_time(record->capture_time);
    if (record->flags & PSS_HANDLE_HAVE_BASIC_INFORMATION) {
        expected->Attributes = record->attributes;
        expected->GrantedAccess = record->granted_access;
        expected->HandleCount = record->handle_count;
        expected->PointerCount = record->pointer_count;
        expected->PagedPoolCharge = record->paged_pool_charge;
        expected->NonPagedPoolCharge = record->non_paged_pool_charge;
        expected->CreationTime = file_time(record->creation_time);
    }
    if (!(record->flags & PSS_HANDLE_HAVE_TYPE_SPECIFIC_INFORMATION))
        return;
    expected->TypeSpecificInformation.Section.BaseAddress =
        pointer_to(record->specific.section.base);
    expected->TypeSpecificInformation.Section.AllocationAttributes =
        record->specific.section.attributes;
    expected->TypeSpecificInformation.Section.MaximumSize.QuadPart =
        (LONGLONG)record->specific.section.maximum_size;
}

static void build_thread(struct pss_builder *builder, uint32_t index)
{
    struct pss_thread_record *record = append(builder, PSS_SECTION_THREADS);
    PSS_THREAD_ENTRY *expected = &model.threads[index];
    PSS_THREAD_NAME *name = &model.names[index];

    fill_random(record, sizeof(*record));
    record->context = 0;
    record->name = add_text(builder, &name->ThreadName, &name->ThreadNameSize);
    expected->ExitStatus = record->exit_status;
    expected->TebBaseAddress = pointer_to(record->teb);
    expected->ProcessId = record->process_id;
    expected->ThreadId = record->thread_id;
    expected->AffinityMask = record->affinity;
    expected->Priority = record->priority;
    expected->BasePriority = record->base_priority;
    expected->LastSyscallFirstArgument = pointer_to(record->last_syscall_argument);
    expected->LastSyscallNumber = record->last_syscall_number;
    expected->CreateTime = file_time(record->create_time);
    expected->ExitTime = file_time(record->exit_time);
    expected->KernelTime = file_time(record->kernel_time);
    expected->UserTime = file_time(record->user_time);
    expected->Win32StartAddress = pointer_to(record->start_address);
    expected->CaptureTime = file_time(record->capture_time);
    expected->Flags = (PSS_THREAD_FLAGS)record->flags;
    expected->SuspendCount = record->suspend_count;
    if (next_random() % 2)
        return;
    fill_random(&model.contexts[index], sizeof(CONTEXT));
    memcpy(append(builder, PSS_SECTION_CONTEXTS), &model.contexts[index], sizeof(CONTEXT));
    record->context = pss_builder_count(builder, PSS_SECTION_CONTEXTS);
    expected->SizeOfContextRecord = sizeof(CONTEXT);
    expected->ContextRecord = &model.contexts[index];
}

static uint32_t random_count(void)
{
    return (uint32_t)(next_random() % 4 ? next_random() % LIMIT : 0);
}

static void build_model(struct pss_builder *builder)
{
    memset(&model, 0, sizeof(model));
    builder->context_length = sizeof(CONTEXT);
    builder->context_stride = (sizeof(CONTEXT) + 63) & ~63u;
    model.region_count = random_count();
    model.handle_count = random_count();
    model.thread_count = random_count();
    build_process(builder);
    build_counters(builder);
    build_clone(builder);
    for (enum pss_section i = PSS_SECTION_REGIONS; i <= PSS_SECTION_CONTEXTS; i++)
        pss_builder_begin(builder, i);
    for (uint32_t i = 0; i < model.region_count; i++)
        build_region(builder, &model.regions[i]);
    for (uint32_t i = 0; i < model.handle_count; i++)
        build_handle(builder, &model.handles[i]);
    for (uint32_t i = 0; i < model.thread_count; i++)
        build_thread(builder, i);
}

/* The block moves to another address, as to another process; the place it came from is gone. */
static HPSS ship(struct pss_block *sealed)
{
    SIZE_T size = sealed->size, allocated = size;
    void *base = NULL;

    assert_same(fake_nt()->allocate_memory(PSS_CURRENT_PROCESS, &base, 0, &allocated,
                                           MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE),
                STATUS_SUCCESS);
    memcpy(base, sealed, size);
    memset(sealed, 0xDD, size);
    sealed->references = 1;
    pss_block_release(fake_nt(), sealed);
    assert_same(pss_block_validate(base, size), STATUS_SUCCESS);
    assert_same(pss_snapshot_insert(fake_nt(), base), STATUS_SUCCESS);
    return base;
}

/* The texts are equal; then the pointers are made so, for the structures to be compared whole. */
static void match_text(const WCHAR **actual, WORD length, const WCHAR *expected)
{
    assert_text(*actual, length, (struct fake_text){expected, expected ? length : 0});
    *actual = expected;
}

static void check_regions(void)
{
    static PSS_VA_SPACE_ENTRY entries[LIMIT];
    uint32_t count = world_walk(PSS_WALK_VA_SPACE, entries, sizeof(entries[0]), LIMIT);

    assert_same(count, model.region_count);
    for (uint32_t i = 0; i < count; i++) {
        match_text(&entries[i].MappedFileName, entries[i].MappedFileNameLength,
                   model.regions[i].MappedFileName);
        assert_memory_equal(&entries[i], &model.regions[i], sizeof(entries[0]));
    }
}

static void check_handles(void)
{
    static PSS_HANDLE_ENTRY entries[LIMIT];
    uint32_t count = world_walk(PSS_WALK_HANDLES, entries, sizeof(entries[0]), LIMIT);

    assert_same(count, model.handle_count);
    for (uint32_t i = 0; i < count; i++) {
        match_text(&entries[i].TypeName, entries[i].TypeNameLength, model.handles[i].TypeName);
        match_text(&entries[i].ObjectName, entries[i].ObjectNameLength,
                   model.handles[i].ObjectName);
        assert_memory_equal(&entries[i], &model.handles[i], sizeof(entries[0]));
    }
}

static void check_threads(void)
{
    static PSS_THREAD_ENTRY entries[LIMIT];
    static PSS_THREAD_NAME names[LIMIT];
    uint32_t count = world_walk(PSS_WALK_THREADS, entries, sizeof(entries[0]), LIMIT);

    assert_same(count, model.thread_count);
    assert_same(world_walk(PSS_WALK_THREAD_NAME, names, sizeof(names[0]), LIMIT), count);
    for (uint32_t i = 0; i < count; i++) {
        if (model.threads[i].ContextRecord) {
            assert_memory_equal(entries[i].ContextRecord, &model.contexts[i], sizeof(CONTEXT));
            entries[i].ContextRecord = &model.contexts[i];
        }
        assert_memory_equal(&entries[i], &model.threads[i], sizeof(entries[0]));
        match_text(&names[i].ThreadName, names[i].ThreadNameSize, model.names[i].ThreadName);
        assert_memory_equal(&names[i], &model.names[i], sizeof(names[0]));
    }
}

static void check_queries(void)
{
    PSS_PROCESS_INFORMATION process;
    PSS_PERFORMANCE_COUNTERS counters;
    PSS_VA_CLONE_DETAILS details;
    PSS_THREAD_INFORMATION threads;
    DWORD count;

    world_query(PSS_QUERY_PROCESS_INFORMATION, &process, sizeof(process));
    assert_memory_equal(&process, &model.process, sizeof(process));
    world_query(PSS_QUERY_PERFORMANCE_COUNTERS, &counters, sizeof(counters));
    assert_memory_equal(&counters, &model.counters, sizeof(counters));
    world_query(PSS_QUERY_VA_CLONE_DETAILS, &details, sizeof(details));
    assert_memory_equal(&details, &model.details, sizeof(details));
    world_query(PSS_QUERY_THREAD_INFORMATION, &threads, sizeof(threads));
    assert_same(threads.ThreadsCaptured, model.thread_count);
    assert_same(threads.ContextLength, sizeof(CONTEXT));
    world_query(PSS_QUERY_VA_SPACE_INFORMATION, &count, sizeof(count));
    assert_same(count, model.region_count);
    world_query(PSS_QUERY_HANDLE_INFORMATION, &count, sizeof(count));
    assert_same(count, model.handle_count);
}

static void test_random_models_survive_the_round_trip(void **state)
{
    (void)state;
    seed = world_seed();
    for (int round = 0; round < ROUNDS; round++) {
        struct pss_builder builder = {.capture_flags = 0};
        struct pss_block *sealed = NULL;

        build_model(&builder);
        assert_same(pss_builder_seal(fake_nt(), &builder, &sealed), STATUS_SUCCESS);
        pss_builder_fini(fake_nt(), &builder);
        world.snapshot = ship(sealed);
        assert_same(pss_marker_create(fake_nt(), NULL, &world.marker), STATUS_SUCCESS);
        check_queries();
        check_regions();
        check_handles();
        check_threads();
        world_release();
    }
}

static void test_sections_begun_are_present_even_if_empty(void **state)
{
    struct pss_builder builder = {.capture_flags = PSS_CAPTURE_HANDLES};
    struct pss_block *block = NULL;

    (void)state;
    append(&builder, PSS_SECTION_PROCESS);
    pss_builder_begin(&builder, PSS_SECTION_HANDLES);
    assert_same(pss_builder_seal(fake_nt(), &builder, &block), STATUS_SUCCESS);
    pss_builder_fini(fake_nt(), &builder);
    assert_same(pss_block_validate(block, block->size), STATUS_SUCCESS);
    for (enum pss_section i = PSS_SECTION_PROCESS; i < PSS_SECTION_DATA; i++)
        assert_same(pss_block_has(block, i), i == PSS_SECTION_PROCESS || i == PSS_SECTION_HANDLES);
    assert_same(block->capture_flags, PSS_CAPTURE_HANDLES);
    pss_block_release(fake_nt(), block);
}

static void test_block_lives_until_its_last_owner_lets_go(void **state)
{
    struct pss_builder builder = {.capture_flags = 0};
    struct pss_block *block = NULL;

    (void)state;
    append(&builder, PSS_SECTION_PROCESS);
    assert_same(pss_builder_seal(fake_nt(), &builder, &block), STATUS_SUCCESS);
    pss_builder_fini(fake_nt(), &builder);
    pss_block_reference(block);
    pss_block_release(fake_nt(), block);
    assert_same(block->magic, PSS_BLOCK_MAGIC);
    pss_block_release(fake_nt(), block);
    assert_same(fake_ledger_now().allocations, 0);
}

/* What a pseudo handle means depends on who asks, and no other value is one of the system's. */
static void test_block_with_a_value_that_is_no_handle_is_refused(void **state)
{
    static const uint64_t bad[] = {1,          6,           0x80000000, 0xFFFFFFFC,
                                   0xFFFFFFFF, 0x100000004, UINT64_MAX, UINT64_MAX - 3};
    static const size_t places[] = {offsetof(struct pss_clone_record, lent),
                                    offsetof(struct pss_clone_record, kept),
                                    offsetof(struct pss_clone_record, job)};

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        for (size_t j = 0; j < sizeof(bad) / sizeof(bad[0]); j++) {
            struct pss_builder builder = {.capture_flags = 0};
            struct pss_block *block = NULL;
            char *record;

            append(&builder, PSS_SECTION_PROCESS);
            append(&builder, PSS_SECTION_CLONE);
            assert_same(pss_builder_seal(fake_nt(), &builder, &block), STATUS_SUCCESS);
            pss_builder_fini(fake_nt(), &builder);
            record = (char *)block + block->sections[PSS_SECTION_CLONE].offset + places[i];
            assert_same(pss_block_validate(block, block->size), STATUS_SUCCESS);
            memcpy(record, &bad[j], sizeof(bad[j]));
            assert_int_not_equal(pss_block_validate(block, block->size), STATUS_SUCCESS);
            memset(record, 0, sizeof(bad[j]));
            pss_block_release(fake_nt(), block);
        }
}

static void test_region_past_4_gib_is_no_memory(void **state)
{
    struct pss_region region = {0};
    uint32_t offset = 7;

    (void)state;
    assert_same(pss_region_reserve(fake_nt(), &region, (uint64_t)1 << 32), STATUS_NO_MEMORY);
    assert_same(pss_region_append(fake_nt(), &region, 16, 8, &offset), STATUS_SUCCESS);
    assert_same(offset, 0);
    offset = 7;
    assert_same(pss_region_append(fake_nt(), &region, UINT32_MAX, 16, &offset), STATUS_NO_MEMORY);
    assert_same(offset, 7);
    assert_same(region.size, 16);
    pss_region_free(fake_nt(), &region);
    pss_region_free(fake_nt(), &region);
}

/* The last size that is rounded to the granularity and fits into 32 bits, and the first that is
 * not. */
static void test_region_near_4_gib_asks_for_what_fits(void **state)
{
    struct pss_region region = {0};
    uint64_t calls = fake.calls_of[FAKE_ALLOCATE_MEMORY];

    (void)state;
    fake.memory_budget = 0;
    assert_same(pss_region_reserve(fake_nt(), &region, 0xFFFF0001), STATUS_NO_MEMORY);
    assert_same(fake.calls_of[FAKE_ALLOCATE_MEMORY], calls);
    assert_same(pss_region_reserve(fake_nt(), &region, 0xFFFF0000), STATUS_NO_MEMORY);
    assert_same(fake.calls_of[FAKE_ALLOCATE_MEMORY], calls + 1);
}

static void test_block_past_4_gib_is_no_memory(void **state)
{
    struct pss_builder builder = {0};
    struct pss_block *block = NULL;
    uint64_t calls = fake.calls;

    (void)state;
    builder.sections[PSS_SECTION_REGIONS].size = 0x80000000; /* nobody looks into them */
    builder.sections[PSS_SECTION_HANDLES].size = 0x80000000;
    assert_same(pss_builder_seal(fake_nt(), &builder, &block), STATUS_NO_MEMORY);
    assert_null(block);
    assert_same(fake.calls, calls);
}

static void test_region_keeps_its_bytes_as_it_grows(void **state)
{
    struct pss_region region = {0};
    uint32_t offset;

    (void)state;
    for (uint32_t i = 0; i < 50000; i++) {
        assert_same(pss_region_append(fake_nt(), &region, 7, 8, &offset), STATUS_SUCCESS);
        assert_same(offset, 8 * i);
        assert_memory_equal(pss_region_at(&region, offset), "\0\0\0\0\0\0", 7);
        memcpy(pss_region_at(&region, offset), &i, sizeof(i));
    }
    for (uint32_t i = 0; i < 50000; i++)
        assert_memory_equal(pss_region_at(&region, 8 * i), &i, sizeof(i));
    pss_region_free(fake_nt(), &region);
}

static int compare_numbers(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return a[0] < b[0] ? -1 : a[0] > b[0];
}

static void test_sort_orders_anything(void **state)
{
    static uint64_t records[1000][3], expected[1000][3];

    (void)state;
    seed = 0x123456789;
    for (uint32_t count = 0; count < 1000; count += count < 20 ? 1 : 97)
        for (uint64_t range = 1; range; range <<= 7) {
            for (uint32_t i = 0; i < count; i++) {
                records[i][0] = next_random() % range;
                records[i][1] = records[i][2] = ~records[i][0];
            }
            memcpy(expected, records, sizeof(records));
            qsort(expected, count, sizeof(expected[0]), compare_numbers);
            pss_sort(records, count, sizeof(records[0]), compare_numbers);
            assert_memory_equal(records, expected, count * sizeof(records[0]));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_random_models_survive_the_round_trip),
        fixture_test(test_sections_begun_are_present_even_if_empty),
        fixture_test(test_block_lives_until_its_last_owner_lets_go),
        fixture_test(test_block_with_a_value_that_is_no_handle_is_refused),
        fixture_test(test_region_past_4_gib_is_no_memory),
        fixture_test(test_region_near_4_gib_asks_for_what_fits),
        fixture_test(test_block_past_4_gib_is_no_memory),
        fixture_test(test_region_keeps_its_bytes_as_it_grows),
        fixture_test(test_sort_orders_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
