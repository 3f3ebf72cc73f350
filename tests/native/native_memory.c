/* SPDX-License-Identifier: MIT */
/* The address space, its images and mapped files, and the auxiliary page, every field exact. */
#include "world.h"

#define LIMIT 64u
#define NAMED (PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION)
#define END   0x7FFFFFFF0000u

static PSS_VA_SPACE_ENTRY entries[LIMIT];

static uint32_t capture(uint32_t flags)
{
    world_capture(flags);
    return world_walk(PSS_WALK_VA_SPACE, entries, sizeof(entries[0]), LIMIT);
}

static PSS_VA_SPACE_ENTRY free_region(uint64_t base, uint64_t end)
{
    PSS_VA_SPACE_ENTRY entry;

    memset(&entry, 0, sizeof(entry));
    entry.BaseAddress = pointer_to(base);
    entry.RegionSize = end - base;
    entry.State = MEM_FREE;
    entry.Protect = PAGE_NOACCESS;
    return entry;
}

static void test_regions_have_every_field_and_no_gaps(void **state)
{
    PSS_VA_SPACE_ENTRY expected;
    PSS_VA_SPACE_INFORMATION information;
    struct fake_region *region =
        fake_region_add(world.target, 0x10000, 0x3000, MEM_RESERVE, 0, MEM_PRIVATE);

    (void)state;
    region->basic.AllocationProtect = PAGE_EXECUTE_READWRITE;
    region = fake_region_add(world.target, 0x13000, 0x1000, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD,
                             MEM_PRIVATE);
    region->basic.AllocationBase = pointer_to(0x10000);
    region->basic.AllocationProtect = PAGE_EXECUTE_READWRITE;
    assert_same(capture(PSS_CAPTURE_VA_SPACE), 4);

    expected = free_region(0, 0x10000);
    assert_memory_equal(&entries[0], &expected, sizeof(expected));
    memset(&expected, 0, sizeof(expected));
    expected.BaseAddress = expected.AllocationBase = pointer_to(0x10000);
    expected.AllocationProtect = PAGE_EXECUTE_READWRITE;
    expected.RegionSize = 0x3000;
    expected.State = MEM_RESERVE;
    expected.Type = MEM_PRIVATE;
    assert_memory_equal(&entries[1], &expected, sizeof(expected));
    expected.BaseAddress = pointer_to(0x13000);
    expected.RegionSize = 0x1000;
    expected.State = MEM_COMMIT;
    expected.Protect = PAGE_READWRITE | PAGE_GUARD;
    assert_memory_equal(&entries[2], &expected, sizeof(expected));
    expected = free_region(0x14000, END);
    assert_memory_equal(&entries[3], &expected, sizeof(expected));
    world_query(PSS_QUERY_VA_SPACE_INFORMATION, &information, sizeof(information));
    assert_same(information.RegionCount, 4);
}

static void test_regions_of_an_empty_process_are_one(void **state)
{
    PSS_VA_SPACE_ENTRY expected = free_region(0, END);

    (void)state;
    assert_same(capture(NAMED), 1);
    assert_memory_equal(&entries[0], &expected, sizeof(expected));
}

/* A target without the last bytes of the address space: the list ends where addresses do. */
static void test_regions_end_where_addresses_do(void **state)
{
    static const uint64_t limits[] = {0x7FFF0000, 0xFFFE0000, 0xFFFFFFFFFFFFF000};

    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        world.target->address_limit = limits[i];
        assert_same(capture(PSS_CAPTURE_VA_SPACE), 1);
        assert_same(entries[0].RegionSize, limits[i]);
    }
}

static NTSTATUS capture_that_hangs(enum fake_hang hang, int dies, uint32_t flags)
{
    HPSS snapshot = pointer_to(1);
    NTSTATUS status;

    fake.runs_threads_at_once = 0;
    world.target->memory_hang = hang;
    world.target->dies_when_asked = (uint8_t)dies;
    status = pss_snapshot_capture(fake_nt(), world.process, flags, 0, &snapshot);
    assert_null(snapshot);
    return status;
}

/* A target that does not answer is given up after a bounded wait, alive or dead. */
static void test_regions_that_are_never_told_are_given_up(void **state)
{
    static const uint32_t flags[] = {PSS_CAPTURE_VA_SPACE, PSS_CAPTURE_RESERVED_00000002};

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_same(capture_that_hangs(FAKE_HANGS, 0, flags[i]), STATUS_IO_TIMEOUT);
        assert_true(fake_ledger_is_zero());
    }
    assert_true(fake.calls_of[FAKE_WAIT] <= 2 * 256);
    assert_same(capture_that_hangs(FAKE_HANGS, 1, PSS_CAPTURE_VA_SPACE), STATUS_PARTIAL_COPY);
    assert_true(fake_ledger_is_zero());
}

/* A living target that takes its time is waited for. */
static void test_regions_that_come_slowly_all_come(void **state)
{
    (void)state;
    fake.runs_threads_at_once = 0;
    fake_region_add(world.target, 0x10000, 0x1000, MEM_COMMIT, PAGE_READONLY, MEM_PRIVATE);
    world.target->memory_hang = FAKE_IS_SLOW;
    assert_same(capture(PSS_CAPTURE_VA_SPACE), 3);
    assert_same(entries[1].BaseAddress, pointer_to(0x10000));
    assert_true(fake.calls_of[FAKE_WAIT] > 3);
}

/* A thread that cannot even be ended keeps the memory it works in, and nothing else. */
static void test_regions_that_hang_for_good_are_left_alone(void **state)
{
    struct fake_ledger ledger;

    (void)state;
    assert_same(capture_that_hangs(FAKE_HANGS_FOR_GOOD, 0, PSS_CAPTURE_VA_SPACE),
                STATUS_IO_TIMEOUT);
    ledger = fake_ledger_now();
    assert_same(ledger.threads, 1);
    assert_same(ledger.allocations, 1);
    assert_same(ledger.handles | ledger.suspensions | ledger.views | ledger.bad_closes, 0);
    fake_fini();
    world_setup(state); /* for the teardown to find nothing */
}

struct image {
    unsigned char bytes[0x3000];
};

/* A PE header at the given place. */
static void make_image(struct image *image, uint32_t place, int is_64)
{
    IMAGE_DOS_HEADER dos = {.e_magic = IMAGE_DOS_SIGNATURE, .e_lfanew = (LONG)place};

    memset(image, 0, sizeof(*image));
    memcpy(image->bytes, &dos, sizeof(dos));
    if (is_64) {
        IMAGE_NT_HEADERS64 header = {.Signature = IMAGE_NT_SIGNATURE};

        header.FileHeader.TimeDateStamp = 0x12345678;
        header.OptionalHeader.Magic = IMAGE_NT_OPTIONAL_HDR64_MAGIC;
        header.OptionalHeader.ImageBase = 0x7FF612340000;
        header.OptionalHeader.SizeOfImage = 0x9000;
        header.OptionalHeader.CheckSum = 0xCAFEBABE;
        memcpy(image->bytes + place, &header, sizeof(header));
    } else {
        IMAGE_NT_HEADERS32 header = {.Signature = IMAGE_NT_SIGNATURE};

        header.FileHeader.TimeDateStamp = 0x87654321;
        header.OptionalHeader.Magic = IMAGE_NT_OPTIONAL_HDR32_MAGIC;
        header.OptionalHeader.ImageBase = 0x400000;
        header.OptionalHeader.SizeOfImage = 0x8000;
        header.OptionalHeader.CheckSum = 0xDEADBEEF;
        memcpy(image->bytes + place, &header, sizeof(header));
    }
}

/* An image of three pages at 0x140000000, the first `header_size` bytes in a region of their own.
 */
static struct fake_region *add_image(const struct image *image, uint32_t header_size, DWORD protect)
{
    struct fake_region *region;

    world.target->region_count = 0;
    region =
        fake_region_add(world.target, 0x140000000, header_size, MEM_COMMIT, protect, MEM_IMAGE);
    region->bytes = image->bytes;
    region->bytes_size = header_size;
    region->file_name = FAKE_TEXT(L"\\Device\\HarddiskVolume1\\image.exe");
    region->basic.AllocationProtect = PAGE_EXECUTE_WRITECOPY;
    if (header_size == sizeof(image->bytes))
        return region;
    region =
        fake_region_add(world.target, 0x140000000 + header_size, sizeof(image->bytes) - header_size,
                        MEM_COMMIT, PAGE_EXECUTE_READ, MEM_IMAGE);
    region->file_name = region[-1].file_name;
    region->basic.AllocationBase = pointer_to(0x140000000);
    region->basic.AllocationProtect = PAGE_EXECUTE_WRITECOPY;
    region->bytes = image->bytes + header_size;
    region->bytes_size = (uint32_t)sizeof(image->bytes) - header_size;
    return region - 1;
}

static void assert_image(int is_64)
{
    PSS_VA_SPACE_ENTRY expected = entries[1];

    expected.TimeDateStamp = is_64 ? 0x12345678 : 0x87654321;
    expected.ImageBase = pointer_to(is_64 ? 0x7FF612340000 : 0x400000);
    expected.SizeOfImage = is_64 ? 0x9000 : 0x8000;
    expected.CheckSum = is_64 ? 0xCAFEBABE : 0xDEADBEEF;
    assert_memory_equal(&entries[1], &expected, sizeof(expected));
}

static void assert_no_image(void)
{
    assert_same(entries[1].TimeDateStamp, 0);
    assert_same(entries[1].ImageBase, NULL);
    assert_same(entries[1].SizeOfImage, 0);
    assert_same(entries[1].CheckSum, 0);
}

static void test_image_header_is_read_at_any_place(void **state)
{
    static const uint32_t places[] = {0x40,
                                      0x41,
                                      0x80,
                                      0xF7,
                                      0x1000 - sizeof(IMAGE_NT_HEADERS64) - 1,
                                      0x1000 - sizeof(IMAGE_NT_HEADERS64),
                                      0x1000 - sizeof(IMAGE_NT_HEADERS64) + 1,
                                      0xFFF,
                                      0x1000,
                                      0x3000 - sizeof(IMAGE_NT_HEADERS64)};
    static struct image image;

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(places) / sizeof(places[0]); i++) {
        int is_64 = i % 2;

        make_image(&image, places[i / 2], is_64);
        add_image(&image, sizeof(image.bytes), PAGE_READONLY);
        assert_same(capture(NAMED), 3);
        assert_image(is_64);
    }
}

/* It would go on into pages that may not be read, or to where nothing is. */
static void test_image_header_beyond_its_region_is_not_read(void **state)
{
    static const uint32_t places[] = {0x1000 - sizeof(IMAGE_NT_HEADERS64) + 1,
                                      0x1000,
                                      0x2000,
                                      0x7FFFFFFF,
                                      0x80000000,
                                      0xFFFFFFFF};
    static struct image image;

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        IMAGE_DOS_HEADER dos = {.e_magic = IMAGE_DOS_SIGNATURE, .e_lfanew = (LONG)places[i]};

        make_image(&image, i < 3 ? places[i] : 0x1800, 1);
        memcpy(image.bytes, &dos, sizeof(dos));
        add_image(&image, 0x1000, PAGE_READONLY)[1].basic.Protect = PAGE_NOACCESS;
        assert_same(capture(NAMED), 4);
        assert_no_image();
    }
}

/* Wine reads such pages gladly: the library must not ask. */
static void test_image_header_that_may_not_be_read_is_not_read(void **state)
{
    static const DWORD protections[] = {PAGE_NOACCESS, PAGE_READONLY | PAGE_GUARD};
    static struct image image;

    (void)state;
    make_image(&image, 0x80, 1);
    for (size_t i = 0; i < 3; i++) {
        struct fake_region *region = add_image(&image, 0x1000, i < 2 ? protections[i] : 0);

        if (i == 2)
            region->basic.State = MEM_RESERVE;
        assert_same(capture(NAMED), 4);
        assert_no_image();
        assert_text(entries[1].MappedFileName, entries[1].MappedFileNameLength,
                    FAKE_TEXT(L"\\Device\\HarddiskVolume1\\image.exe"));
    }
    assert_same(fake.calls_of[FAKE_READ_MEMORY], 0);
}

static void test_image_with_a_wrong_signature_has_no_header(void **state)
{
    static struct image image;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        make_image(&image, 0x80, 1);
        image.bytes[i == 0 ? 0 : i == 1 ? 0x80 : 0x98] ^= 0xFF; /* MZ, PE, magic */
        add_image(&image, 0x1000, PAGE_READONLY);
        assert_same(capture(NAMED), 4);
        assert_no_image();
    }
}

static void test_all_regions_of_an_image_share_header_and_name(void **state)
{
    static struct image image;
    PSS_VA_SPACE_ENTRY expected;

    (void)state;
    make_image(&image, 0x80, 1);
    add_image(&image, 0x1000, PAGE_READONLY);
    assert_same(capture(NAMED), 4);
    assert_text(entries[1].MappedFileName, entries[1].MappedFileNameLength,
                FAKE_TEXT(L"\\Device\\HarddiskVolume1\\image.exe"));
    assert_image(1);
    expected = entries[1];
    expected.BaseAddress = pointer_to(0x140001000);
    expected.RegionSize = 0x2000;
    expected.Protect = PAGE_EXECUTE_READ;
    assert_memory_equal(&entries[2], &expected, sizeof(expected));
    assert_same(fake.calls_of[FAKE_READ_MEMORY], 2); /* again when the name is known */
}

/* One of two files that lie at the same place in turn: an image of its own header and size, or
 * data. */
struct file {
    struct fake_text name;
    uint32_t header, size; /* the time stamp, 0 for data; bytes */
    struct image image;
};

static struct file files[] = {
    {.name = FAKE_TEXT(L"\\Device\\HarddiskVolume1\\a"), .header = 1, .size = 0x3000},
    {.name = FAKE_TEXT(L"\\Device\\HarddiskVolume1\\bb"), .header = 2, .size = 0x6000},
    {.name = FAKE_TEXT(L"\\Device\\HarddiskVolume1\\b"), .header = 0, .size = 0x5000},
    {.name = FAKE_TEXT(L"\\Device\\HarddiskVolume1\\a"), .header = 0, .size = 0x2000},
};

#define FILES (sizeof(files) / sizeof(files[0]))

static struct file *next_file; /* what is mapped there when the event comes */

static void map_file(struct file *file)
{
    DWORD type = file->header ? MEM_IMAGE : MEM_MAPPED;
    uint64_t header = file->header ? 0x1000 : file->size;
    struct fake_region *region;

    make_image(&file->image, 0x80, 1);
    ((IMAGE_NT_HEADERS64 *)(void *)(file->image.bytes + 0x80))->FileHeader.TimeDateStamp =
        file->header;
    ((IMAGE_NT_HEADERS64 *)(void *)(file->image.bytes + 0x80))->OptionalHeader.SizeOfImage =
        file->size;
    world.target->region_count = 0;
    region = fake_region_add(world.target, 0x140000000, header, MEM_COMMIT, PAGE_READONLY, type);
    region->bytes = file->image.bytes;
    region->bytes_size = 0x1000;
    region->file_name = file->name;
    if (header == file->size)
        return;
    region = fake_region_add(world.target, 0x140000000 + header, file->size - header, MEM_COMMIT,
                             PAGE_EXECUTE_READ, type);
    region->basic.AllocationBase = pointer_to(0x140000000);
    region->file_name = file->name;
}

static void map_next(void *context)
{
    (void)context;
    map_file(next_file);
}

/* A name that is told is that of the file with this header, this size and this type. */
static int assert_one_file(uint32_t count)
{
    SIZE_T size = 0;

    for (uint32_t i = 0; i < count; i++)
        size += entries[i].AllocationBase ? entries[i].RegionSize : 0;
    if (!entries[1].MappedFileName)
        return 0;
    for (size_t i = 0; i < FILES; i++) {
        const struct file *file = &files[i];

        if (file->name.length != entries[1].MappedFileNameLength ||
            memcmp(file->name.text, entries[1].MappedFileName, file->name.length) ||
            file->header != entries[1].TimeDateStamp || file->size != size)
            continue;
        assert_same(entries[1].Type, file->header ? MEM_IMAGE : MEM_MAPPED);
        return 1;
    }
    fail_msg("the name belongs to another file: stamp %lu, %zu bytes",
             (unsigned long)entries[1].TimeDateStamp, (size_t)size);
    return 0;
}

/* At each call of a capture another file takes the place. */
static void change_file_at_each_call(size_t first, size_t second, uint32_t flags)
{
    uint32_t named = 0;
    uint64_t call = 0;

    do {
        map_file(&files[first]);
        next_file = &files[second];
        fake.event = map_next;
        fake.event_call = fake.all_calls + ++call;
        named += (uint32_t)assert_one_file(capture(flags));
    } while (fake.all_calls >= fake.event_call);
    assert_true(named > call / 2);
    assert_true(named < call);
}

static void test_name_and_header_and_region_are_of_one_file(void **state)
{
    (void)state;
    for (size_t first = 0; first < FILES; first++)
        for (size_t second = 0; second < FILES; second++) {
            if (first == second)
                continue;
            change_file_at_each_call(first, second, NAMED);
            change_file_at_each_call(first, second,
                                     NAMED | PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT);
        }
}

/* Two views of one file that follow each other: neither is longer than it was. */
static void test_adjoining_views_of_a_file_keep_their_names(void **state)
{
    (void)state;
    for (uint64_t base = 0x10000; base < 0x30000; base += 0x10000)
        fake_region_add(world.target, base, 0x10000, MEM_COMMIT, PAGE_READONLY, MEM_MAPPED)
            ->file_name = files[0].name;
    assert_same(capture(NAMED), 4);
    for (int i = 1; i < 3; i++)
        assert_text(entries[i].MappedFileName, entries[i].MappedFileNameLength, files[0].name);
}

static void test_mapped_files_have_names_and_no_header(void **state)
{
    static struct image image;
    struct fake_region *region;

    (void)state;
    make_image(&image, 0x80, 1);
    region = fake_region_add(world.target, 0x10000, 0x1000, MEM_COMMIT, PAGE_READONLY, MEM_MAPPED);
    region->bytes = image.bytes;
    region->bytes_size = 0x1000;
    region->file_name = FAKE_TEXT(L"\\Device\\HarddiskVolume1\\data");
    fake_region_add(world.target, 0x11000, 0x1000, MEM_COMMIT, PAGE_READONLY, MEM_MAPPED);
    fake_region_add(world.target, 0x12000, 0x1000, MEM_COMMIT, PAGE_READONLY, MEM_PRIVATE);
    assert_same(capture(NAMED), 5);
    assert_text(entries[1].MappedFileName, entries[1].MappedFileNameLength,
                FAKE_TEXT(L"\\Device\\HarddiskVolume1\\data"));
    for (int i = 1; i < 4; i++)
        assert_same(entries[i].TimeDateStamp | entries[i].SizeOfImage | entries[i].CheckSum, 0);
    for (int i = 2; i < 4; i++)
        assert_text(entries[i].MappedFileName, entries[i].MappedFileNameLength,
                    (struct fake_text){NULL, 0});
}

static void test_mapped_file_name_too_long_for_a_word_is_cut(void **state)
{
    static WCHAR name[0x7FFF];

    (void)state;
    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
        name[i] = (WCHAR)(0x100 + i);
    fake_region_add(world.target, 0x10000, 0x1000, MEM_COMMIT, PAGE_READONLY, MEM_MAPPED)
        ->file_name = (struct fake_text){name, 0xFFFE};
    assert_same(capture(NAMED), 3);
    assert_text(entries[1].MappedFileName, entries[1].MappedFileNameLength,
                (struct fake_text){name, 0xFFFC});
}

static void test_names_are_not_asked_without_their_flag(void **state)
{
    static struct image image;

    (void)state;
    make_image(&image, 0x80, 1);
    add_image(&image, 0x1000, PAGE_READONLY);
    assert_same(capture(PSS_CAPTURE_VA_SPACE), 4);
    assert_no_image();
    assert_null(entries[1].MappedFileName);
    world_capture(PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION);
    assert_same(world_query_status(PSS_QUERY_VA_SPACE_INFORMATION, 4), STATUS_NOT_FOUND);
}

static void test_auxiliary_page_has_every_field(void **state)
{
    static unsigned char page[0x1000];
    PSS_AUXILIARY_PAGES_INFORMATION information;
    PSS_AUXILIARY_PAGE_ENTRY actual, expected;
    struct fake_region *region =
        fake_region_add(world.target, 0x7FFE0000, 0x1000, MEM_COMMIT, PAGE_READONLY, MEM_PRIVATE);

    (void)state;
    for (size_t i = 0; i < sizeof(page); i++)
        page[i] = (unsigned char)(i * 7);
    region->bytes = page;
    region->bytes_size = sizeof(page);
    region->basic.AllocationProtect = PAGE_READWRITE;
    memset(&expected, 0, sizeof(expected));
    expected.Address = pointer_to(0x7FFE0000);
    expected.BasicInformation = region->basic;
    expected.CaptureTime = file_time(fake.now);
    expected.PageSize = 0x1000;

    world_capture(PSS_CAPTURE_RESERVED_00000002);
    assert_same(world_walk(PSS_WALK_AUXILIARY_PAGES, &actual, sizeof(actual), 1), 1);
    assert_memory_equal(actual.PageContents, page, sizeof(page));
    expected.PageContents = actual.PageContents;
    assert_memory_equal(&actual, &expected, sizeof(actual));
    world_query(PSS_QUERY_AUXILIARY_PAGES_INFORMATION, &information, sizeof(information));
    assert_same(information.AuxPagesCaptured, 1);
}

static void test_mapped_file_at_the_first_address_has_its_name(void **state)
{
    struct fake_region *region =
        fake_region_add(world.target, 0, 0x1000, MEM_COMMIT, PAGE_READONLY, MEM_MAPPED);

    (void)state;
    region->file_name = FAKE_TEXT(L"\\Device\\HarddiskVolume1\\first");
    assert_same(capture(NAMED), 2);
    assert_text(entries[0].MappedFileName, entries[0].MappedFileNameLength,
                FAKE_TEXT(L"\\Device\\HarddiskVolume1\\first"));
    assert_same(entries[1].State, MEM_FREE);
}

static void test_image_header_that_comes_short_is_none(void **state)
{
    static struct image image;

    (void)state;
    make_image(&image, 0x80, 1);
    add_image(&image, 0x1000, PAGE_READONLY);
    fake.reads_short = 1;
    assert_same(capture(NAMED), 4);
    assert_no_image();
    fake.reads_short = 0;
    assert_same(capture(NAMED), 4);
    assert_image(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_regions_have_every_field_and_no_gaps),
        fixture_test(test_regions_of_an_empty_process_are_one),
        fixture_test(test_regions_end_where_addresses_do),
        fixture_test(test_regions_that_are_never_told_are_given_up),
        fixture_test(test_regions_that_come_slowly_all_come),
        fixture_test(test_regions_that_hang_for_good_are_left_alone),
        fixture_test(test_image_header_is_read_at_any_place),
        fixture_test(test_image_header_beyond_its_region_is_not_read),
        fixture_test(test_image_header_that_may_not_be_read_is_not_read),
        fixture_test(test_image_with_a_wrong_signature_has_no_header),
        fixture_test(test_all_regions_of_an_image_share_header_and_name),
        fixture_test(test_name_and_header_and_region_are_of_one_file),
        fixture_test(test_adjoining_views_of_a_file_keep_their_names),
        fixture_test(test_mapped_files_have_names_and_no_header),
        fixture_test(test_mapped_file_name_too_long_for_a_word_is_cut),
        fixture_test(test_names_are_not_asked_without_their_flag),
        fixture_test(test_auxiliary_page_has_every_field),
        fixture_test(test_mapped_file_at_the_first_address_has_its_name),
        fixture_test(test_image_header_that_comes_short_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
