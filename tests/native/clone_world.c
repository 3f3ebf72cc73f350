/* SPDX-License-Identifier: MIT */
/* The target of the native tests of clones, and what a clone of it has to be like. */
#include "clone_world.h"

#include "fake_space.h"

#define NTDLL        0x170000000u
#define KERNEL_STACK 0x220000u
#define SHARED_DATA  0x7FFE0000u

static unsigned char exe_bytes[IMAGE_PAGES * FAKE_PAGE], ntdll_bytes[2 * FAKE_PAGE];
static struct fake_region exe_parts[4], ntdll_parts[2];
static struct fake_image images[2];

/* Some bytes that tell where they come from, and a PE header for whoever looks for one. */
static void fill(unsigned char *bytes, size_t size, unsigned char seed)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i * 7 + i / FAKE_PAGE + seed);
    memset(bytes, 0, FAKE_PAGE);
    memcpy(bytes, "MZ", 2);
    bytes[0x3C] = 0x40;
    memcpy(bytes + 0x40, "PE\0", 4);
    bytes[0x58] = 0x0B;
    bytes[0x59] = 0x02;
}

static struct fake_region part(uint32_t first, uint32_t count, DWORD protect,
                               const unsigned char *bytes)
{
    struct fake_region region = {0};

    region.basic.BaseAddress = pointer_to((uint64_t)first * FAKE_PAGE);
    region.basic.RegionSize = (SIZE_T)count * FAKE_PAGE;
    region.basic.Protect = protect;
    region.bytes = bytes + (size_t)first * FAKE_PAGE;
    region.bytes_size = count * FAKE_PAGE;
    return region;
}

static void make_images(void)
{
    fill(exe_bytes, sizeof(exe_bytes), 1);
    fill(ntdll_bytes, sizeof(ntdll_bytes), 2);
    exe_parts[0] = part(0, 1, PAGE_READONLY, exe_bytes);
    exe_parts[1] = part(1, 3, PAGE_EXECUTE_READ, exe_bytes);
    exe_parts[2] = part(4, 2, PAGE_WRITECOPY, exe_bytes);
    exe_parts[3] = part(6, 2, PAGE_READONLY, exe_bytes);
    ntdll_parts[0] = part(0, 1, PAGE_READONLY, ntdll_bytes);
    ntdll_parts[1] = part(1, 1, PAGE_EXECUTE_READ, ntdll_bytes);
    images[0] = (struct fake_image){FAKE_TEXT(L"\\??\\C:\\target.exe"), EXE, exe_parts, 4, 0};
    images[1] = (struct fake_image){FAKE_TEXT(L"\\??\\C:\\ntdll.dll"), NTDLL, ntdll_parts, 2, 0};
    fake.images = images;
    fake.image_count = 2;
}

static struct fake_region *add(struct fake_process *process, uint64_t allocation, uint64_t base,
                               uint64_t size, DWORD state, DWORD protect, DWORD type)
{
    struct fake_region region = {0};

    region.basic.BaseAddress = pointer_to(base);
    region.basic.AllocationBase = pointer_to(allocation);
    region.basic.AllocationProtect = type == MEM_IMAGE ? PAGE_EXECUTE_WRITECOPY : PAGE_READWRITE;
    region.basic.RegionSize = size;
    region.basic.State = state;
    region.basic.Protect = protect;
    region.basic.Type = type;
    return fake_space_insert(process, &region);
}

static void add_bytes(struct fake_process *process, uint64_t base, uint64_t size)
{
    unsigned char page[FAKE_PAGE];

    for (uint64_t done = 0; done < size; done += sizeof(page)) {
        for (uint32_t i = 0; i < sizeof(page); i++)
            page[i] = (unsigned char)((base >> 20) + i * 3 + (done >> 12) * 11 + 1);
        fake_write(process, base + done, page, sizeof(page));
    }
}

static void add_memory(struct fake_process *process)
{
    static const DWORD protections[] = {PAGE_EXECUTE_READWRITE, PAGE_READONLY, PAGE_EXECUTE_READ,
                                        PAGE_READWRITE};

    add(process, HEAP, HEAP, 0x10000, MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE);
    add(process, HEAP, HEAP + 0x10000, 0x30000, MEM_RESERVE, 0, MEM_PRIVATE);
    add_bytes(process, HEAP, 0x10000);
    add(process, ZEROES, ZEROES, 0x20000, MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE);
    add(process, GUARDED, GUARDED, 0x1000, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD, MEM_PRIVATE);
    add(process, GUARDED, GUARDED + 0x1000, 0x3000, MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE);
    add_bytes(process, GUARDED, 0x4000);
    add(process, FORBIDDEN, FORBIDDEN, 0x2000, MEM_COMMIT, PAGE_NOACCESS, MEM_PRIVATE);
    add_bytes(process, FORBIDDEN, 0x2000);
    add(process, MAPPED_FILE, MAPPED_FILE, 0x5000, MEM_COMMIT, PAGE_READONLY, MEM_MAPPED)
        ->file_name = FAKE_TEXT(L"\\??\\C:\\data.bin");
    add_bytes(process, MAPPED_FILE, 0x5000);
    add(process, SHARED, SHARED, 0x3000, MEM_COMMIT, PAGE_READWRITE, MEM_MAPPED);
    add_bytes(process, SHARED, 0x3000);
    for (uint32_t i = 0; i < 4; i++)
        add(process, MIXED, MIXED + i * FAKE_PAGE, FAKE_PAGE, MEM_COMMIT, protections[i],
            MEM_PRIVATE);
    add_bytes(process, MIXED, 0x4000);
    add(process, ORPHAN_IMAGE, ORPHAN_IMAGE, 0x1000, MEM_COMMIT, PAGE_READONLY, MEM_IMAGE)
        ->file_name = FAKE_TEXT(L"\\??\\C:\\deleted.dll");
    add(process, ORPHAN_IMAGE, ORPHAN_IMAGE + 0x1000, 0x1000, MEM_COMMIT, PAGE_WRITECOPY, MEM_IMAGE)
        ->file_name = FAKE_TEXT(L"\\??\\C:\\deleted.dll");
    add_bytes(process, ORPHAN_IMAGE, 0x2000);
}

void clone_world_furnish(struct fake_process *process)
{
    if (!fake.images)
        make_images();
    if (!process->thread_count)
        fake_thread_add(process, (uint32_t)process->basic.process_id + 4);
    process->nt_image_name = images[0].name;
    process->image_name = FAKE_TEXT(L"C:\\target.exe");
    fake_process_furnish(process);
    add_memory(process);
    add_bytes(process, EXE + (uint64_t)DATA_PAGE * FAKE_PAGE, FAKE_PAGE);
}

void clone_world_furnish_details(void)
{
    static const uint32_t trace[8] = {1, 2, 3, 4, 5, 6, 7, 8};

    world.target->threads[0]->name = FAKE_TEXT(L"main");
    fake_thread_end(fake_thread_add(world.target, 2008), 7);
    world.target->trace = trace;
    world.target->trace_size = sizeof(trace);
    world_furnish_objects();
}

void clone_world_add_large(void)
{
    add(world.target, LARGE, LARGE, 0x280000, MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE);
    for (uint64_t offset = 0; offset < 0x280000; offset += 3 * FAKE_PAGE)
        add_bytes(world.target, LARGE + offset, FAKE_PAGE);
    add_bytes(world.target, LARGE + 0x27F000, FAKE_PAGE);
}

int clone_world_setup(void **state)
{
    world_setup(state);
    clone_world_furnish(world.target);
    return 0;
}

int clone_world_teardown(void **state)
{
    int is_quiet = !fake.strange_writes && !fake.stopped_workers;

    return world_teardown(state) || !is_quiet ? -1 : 0;
}

struct fake_process *clone_world_twin(void)
{
    struct fake_process *twin = fake_process_add(9999);

    fake_space_copy(twin, world.target);
    return twin;
}

void clone_world_scribble(void)
{
    static unsigned char bytes[FAKE_PAGE];

    memset(bytes, 0xEE, sizeof(bytes));
    for (uint32_t i = 0; i < world.target->region_count; i++) {
        const struct fake_region *region = &world.target->regions[i];

        for (uint64_t page = fake_region_base(region);
             region->basic.State == MEM_COMMIT && page < fake_region_end(region); page += FAKE_PAGE)
            fake_write(world.target, page, bytes, sizeof(bytes));
    }
}

struct fake_process *clone_world_clone(void)
{
    PSS_VA_CLONE_INFORMATION information;
    struct fake_handle *handle;

    world_query(PSS_QUERY_VA_CLONE_INFORMATION, &information, sizeof(information));
    handle = fake_handle_find(fake.own, information.VaCloneHandle);
    assert_non_null(handle);
    assert_same(handle->access, PROCESS_ALL_ACCESS);
    assert_same(handle->object->type, FAKE_PROCESS);
    return (struct fake_process *)(void *)handle->object;
}

PSS_VA_CLONE_DETAILS clone_world_details(void)
{
    PSS_VA_CLONE_DETAILS details;

    world_query(PSS_QUERY_VA_CLONE_DETAILS, &details, sizeof(details));
    return details;
}

void assert_details(const PSS_VA_CLONE_DETAILS *details, uint64_t missing)
{
    assert_same(details->BytesCopied + details->BytesUnchanged + details->BytesZero,
                details->BytesHeld);
    assert_same(details->BytesHeld + details->BytesMissing, details->BytesCommitted);
    assert_same(details->BytesMissing, missing);
}

/* What a carrier keeps of its own, as far as an address is in it. */
static int is_kept(const struct fake_process *clone, uint64_t page)
{
    return clone->is_carrier && clone->thread_count &&
           (page == SHARED_DATA ||
            (page >= KERNEL_STACK && page < KERNEL_STACK + KERNEL_STACK_SIZE));
}

static void compare_page(const struct fake_process *clone, const struct fake_process *other,
                         uint64_t page)
{
    unsigned char ours[FAKE_PAGE], theirs[FAKE_PAGE];
    uint64_t begin = clone->private_begin, end = clone->private_end;

    fake_read(clone, page, ours, sizeof(ours));
    fake_read(other, page, theirs, sizeof(theirs));
    if (begin >= page && begin < page + FAKE_PAGE)
        memcpy(ours + (begin - page), theirs + (begin - page), end - begin);
    if (memcmp(ours, theirs, sizeof(ours)) != 0)
        fail_msg("the page at 0x%llx differs", (unsigned long long)page);
}

void assert_same_bytes(const struct fake_process *clone, const struct fake_process *other)
{
    for (uint32_t i = 0; i < other->region_count; i++) {
        const struct fake_region *region = &other->regions[i];

        for (uint64_t page = fake_region_base(region); page < fake_region_end(region);
             page += FAKE_PAGE)
            if (region->basic.State == MEM_COMMIT && !is_kept(clone, page))
                compare_page(clone, other, page);
    }
}

static DWORD expected_protection(const struct fake_region *region, DWORD type)
{
    DWORD protect = region->basic.Protect;

    if (type == MEM_IMAGE || region->basic.State != MEM_COMMIT)
        return protect;
    if ((protect & 0xFF) == PAGE_WRITECOPY)
        return (protect & ~0xFFu) | PAGE_READWRITE;
    if ((protect & 0xFF) == PAGE_EXECUTE_WRITECOPY)
        return (protect & ~0xFFu) | PAGE_EXECUTE_READWRITE;
    return protect;
}

static int has_file(const struct fake_region *region)
{
    for (uint32_t i = 0; i < fake.image_count; i++)
        if (fake.images[i].name.text == region->file_name.text)
            return 1;
    return 0;
}

void assert_same_layout(const struct fake_process *clone, const struct fake_process *other)
{
    for (uint32_t i = 0; i < other->region_count; i++) {
        const struct fake_region *region = &other->regions[i];

        for (uint64_t page = fake_region_base(region); page < fake_region_end(region);
             page += FAKE_PAGE) {
            const struct fake_region *ours = fake_region_at(clone, page);

            if (!ours)
                fail_msg("0x%llx is free", (unsigned long long)page);
            assert_same(ours->basic.State, region->basic.State);
            assert_same(ours->basic.AllocationBase, region->basic.AllocationBase);
            if (is_kept(clone, page))
                continue;
            assert_same(ours->basic.Type, has_file(region) ? MEM_IMAGE : MEM_PRIVATE);
            if (ours->basic.Protect != expected_protection(region, ours->basic.Type))
                fail_msg("0x%llx has protection 0x%lx", (unsigned long long)page,
                         (unsigned long)ours->basic.Protect);
        }
    }
    for (uint32_t i = 0; i < clone->region_count; i++)
        assert_non_null(fake_region_at(other, fake_region_base(&clone->regions[i])));
}
