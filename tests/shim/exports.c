/* SPDX-License-Identifier: MIT */
/* Modules of this process get more exports; what was there stays. Each test gives the modules their
 * tables back. */
#include "exports.h"

#include "faulty_nt.h"
#include "harness.h"
#include "image.h"
#include "nt_calls.h"

#define EXPORTS 8192u

/* What one module answers. */
struct answers {
    DWORD names, ordinals;
    const char *name[EXPORTS];
    FARPROC by_name[EXPORTS];
    FARPROC by_ordinal[EXPORTS];
};

static struct answers before, after;

NTSTATUS NTAPI LdrGetProcedureAddress(HANDLE module, STRING *name, ULONG ordinal, void **address);

/* ---- tables that come back ---- */

#define TABLES 8

static struct {
    char *module;
    IMAGE_DATA_DIRECTORY entry;
} old_tables[TABLES];
static int table_count;

static char *load(const char *name)
{
    char *module = (char *)LoadLibraryA(name);

    assert_non_null(module);
    return module;
}

static IMAGE_DATA_DIRECTORY *directory_of(char *module)
{
    IMAGE_DATA_DIRECTORY *entry = image_directory(module, IMAGE_DIRECTORY_ENTRY_EXPORT);

    assert_non_null(entry);
    return entry;
}

static void put_directory(char *module, IMAGE_DATA_DIRECTORY entry)
{
    DWORD old;

    assert_true(VirtualProtect(directory_of(module), sizeof(entry), PAGE_READWRITE, &old));
    *directory_of(module) = entry;
    assert_true(VirtualProtect(directory_of(module), sizeof(entry), old, &old));
}

static NTSTATUS add(char *module, const struct shim_export *added, unsigned count)
{
    IMAGE_DATA_DIRECTORY old = *directory_of(module);
    NTSTATUS status = exports_add(faulty_nt(), module, added, count);

    if (!NT_SUCCESS(status))
        return status;
    assert_true(table_count < TABLES);
    old_tables[table_count].module = module;
    old_tables[table_count++].entry = old;
    return status;
}

static int restore(void **state)
{
    (void)state;
    while (table_count) {
        char *module = old_tables[--table_count].module;
        char *memory = module + directory_of(module)->VirtualAddress;

        put_directory(module, old_tables[table_count].entry);
        if (!VirtualFree(memory, 0, MEM_RELEASE))
            return -1;
    }
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    faulty_init();
    return 0;
}

/* ---- what a module answers ---- */

static void read_answers(char *module, struct answers *answers)
{
    const IMAGE_EXPORT_DIRECTORY *table =
        (const IMAGE_EXPORT_DIRECTORY *)(module + directory_of(module)->VirtualAddress);
    const DWORD *names = (const DWORD *)(module + table->AddressOfNames);

    answers->names = table->NumberOfNames;
    answers->ordinals = table->NumberOfFunctions;
    assert_true(answers->names < EXPORTS && answers->ordinals < EXPORTS);
    for (DWORD i = 0; i < answers->names; i++) {
        answers->name[i] = module + names[i];
        answers->by_name[i] = GetProcAddress((HMODULE)module, answers->name[i]);
    }
    for (DWORD i = 0; i < answers->ordinals; i++)
        answers->by_ordinal[i] =
            GetProcAddress((HMODULE)module, (const char *)(ULONG_PTR)(table->Base + i));
}

static FARPROC find(char *module, const char *name)
{
    STRING text = {(USHORT)strlen(name), (USHORT)(strlen(name) + 1), (char *)name};
    FARPROC found = GetProcAddress((HMODULE)module, name);
    void *native = NULL;

    if (LdrGetProcedureAddress(module, &text, 0, &native) < 0)
        native = NULL;
    assert_ptr_equal(native, (void *)found);
    return found;
}

static FARPROC second(void)
{
    return GetProcAddress(GetModuleHandleA("shim-other.dll"), "other_second");
}

/* The module answers as before to all it was asked. */
static void assert_answers_stay(char *module, unsigned added)
{
    const IMAGE_EXPORT_DIRECTORY *table =
        (const IMAGE_EXPORT_DIRECTORY *)(module + directory_of(module)->VirtualAddress);

    for (DWORD i = 0; i < before.names; i++)
        if (GetProcAddress((HMODULE)module, before.name[i]) != before.by_name[i])
            fail_msg("%s is another function", before.name[i]);
    for (DWORD i = 0; i < before.ordinals; i++)
        if (GetProcAddress((HMODULE)module, (const char *)(ULONG_PTR)(table->Base + i)) !=
            before.by_ordinal[i])
            fail_msg("ordinal %lu is another function", table->Base + i);
    read_answers(module, &after);
    assert_int_equal(after.names, before.names + added);
    assert_int_equal(after.ordinals, before.ordinals + added);
    for (DWORD i = 1; i < after.names; i++)
        if (strcmp(after.name[i - 1], after.name[i]) >= 0)
            fail_msg("%s is not behind %s", after.name[i], after.name[i - 1]);
}

/* Before all names, between them and behind them. */
static const struct shim_export everywhere[] = {
    {"!first", "shim-other.other_second"},
    {"MmBetween", "shim-other.other_second"},
    {"sample_added", "shim-other.other_second"},
    {"~last", "shim-other.other_second"},
};

static void check_module(const char *name)
{
    char *module = load(name);

    read_answers(module,
                 &before); /* Wine 8 finds what another DLL has when that is loaded by now */
    read_answers(module, &before);
    assert_true(before.names > 3);
    for (int i = 0; i < 4; i++)
        assert_null(find(module, everywhere[i].name));
    assert_int_equal(add(module, everywhere, 4), STATUS_SUCCESS);
    assert_answers_stay(module, 4);
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(find(module, everywhere[i].name), second());
    print_message("%s: %lu names, %lu ordinals\n", name, before.names, before.ordinals);
}

static void test_exports_of_kernel32_stay(void **state)
{
    (void)state;
    check_module("kernel32.dll");
}

static void test_exports_of_kernelbase_stay(void **state)
{
    (void)state;
    check_module("kernelbase.dll");
}

static void test_exports_of_ntdll_stay(void **state)
{
    (void)state;
    check_module("ntdll.dll");
}

static void test_exports_without_name_and_with_gaps_stay(void **state)
{
    (void)state;
    check_module("shim-sample.dll");
    assert_non_null(GetProcAddress(GetModuleHandleA("shim-sample.dll"), (const char *)9));
    assert_null(GetProcAddress(GetModuleHandleA("shim-sample.dll"), (const char *)4));
}

/* ---- what is added ---- */

static void test_replaced_name_wins_and_its_ordinal_stays(void **state)
{
    static const struct shim_export added[] = {{"sample_first", "shim-other.other_second"},
                                               {"sample_forward", "shim-other.#1"}};
    char *module = load("shim-sample.dll");
    FARPROC old = find(module, "sample_first");
    FARPROC old_forward = find(module, "sample_forward");

    (void)state;
    read_answers(module, &before);
    assert_ptr_equal(old_forward,
                     GetProcAddress(GetModuleHandleA("kernel32.dll"), "GetCurrentProcessId"));
    assert_int_equal(add(module, added, 2), STATUS_SUCCESS);
    assert_ptr_equal(find(module, "sample_first"), second());
    assert_ptr_equal(find(module, "sample_forward"),
                     GetProcAddress(GetModuleHandleA("shim-other.dll"), "other_first"));
    assert_ptr_equal(GetProcAddress((HMODULE)module, (const char *)3), old);
    assert_ptr_equal(GetProcAddress((HMODULE)module, (const char *)12), old_forward);
    assert_non_null(find(module, "sample_middle"));
    read_answers(module, &after);
    assert_int_equal(after.names, before.names);
    assert_int_equal(after.ordinals, before.ordinals + 2);
}

static void test_second_addition_keeps_the_first(void **state)
{
    static const struct shim_export later[] = {{"!first", "shim-other.other_first"},
                                               {"sample_later", "shim-other.other_second"}};
    char *module = load("shim-sample.dll");

    (void)state;
    read_answers(module, &before);
    assert_int_equal(add(module, everywhere, 4), STATUS_SUCCESS);
    assert_int_equal(add(module, later, 2), STATUS_SUCCESS);
    for (DWORD i = 0; i < before.names; i++)
        assert_ptr_equal(find(module, before.name[i]), before.by_name[i]);
    assert_ptr_equal(find(module, "!first"),
                     GetProcAddress(GetModuleHandleA("shim-other.dll"), "other_first"));
    assert_ptr_equal(find(module, "sample_added"), second());
    assert_ptr_equal(find(module, "sample_later"), second());
    assert_ptr_equal(find(module, "~last"), second());
}

static void test_forwarder_of_another_module_leads_to_what_was_added(void **state)
{
    static const struct shim_export added[] = {{"other_added", "shim-other.other_second"}};
    char *sample = load("shim-sample.dll");

    (void)state;
    assert_null(find(sample, "sample_to_added"));
    assert_int_equal(add(load("shim-other.dll"), added, 1), STATUS_SUCCESS);
    assert_ptr_equal(find(sample, "sample_to_added"), second());
}

/*
 * Newer linkers (binutils 2.44) have a delayed import's address in a section that is read-only,
 * where MinGW's own helper fails to write it.
 */
static void make_imports_writable(char *module)
{
    IMAGE_NT_HEADERS *headers =
        (IMAGE_NT_HEADERS *)(module + ((IMAGE_DOS_HEADER *)module)->e_lfanew);
    IMAGE_SECTION_HEADER *section = IMAGE_FIRST_SECTION(headers);
    DWORD old;

    for (WORD i = 0; i < headers->FileHeader.NumberOfSections; i++)
        if (strncmp((const char *)section[i].Name, ".idata", sizeof(section[i].Name)) == 0)
            assert_true(VirtualProtect(module + section[i].VirtualAddress,
                                       section[i].Misc.VirtualSize, PAGE_READWRITE, &old));
}

/* A DLL that imports what was added, loaded later. */
static void check_late(const char *name)
{
    static const struct shim_export added[] = {{"sample_added", "shim-other.other_second"}};
    int (*call)(void);

    assert_null(GetModuleHandleA(name));
    assert_int_equal(add(load("shim-sample.dll"), added, 1), STATUS_SUCCESS);
    HMODULE late = LoadLibraryA(name);
    assert_non_null(late);
    make_imports_writable((char *)late);
    call = (int (*)(void))(void (*)(void))GetProcAddress(late, "call_added");
    assert_non_null(call);
    assert_int_equal(call(), 22);
    assert_true(FreeLibrary(late));
}

static void test_static_import_of_a_later_module_finds_it(void **state)
{
    (void)state;
    check_late("shim-static.dll");
}

static void test_delayed_import_of_a_later_module_finds_it(void **state)
{
    (void)state;
    check_late("shim-delay.dll");
}

/* ---- refusals ---- */

static void test_module_without_exports_is_refused(void **state)
{
    struct {
        IMAGE_DOS_HEADER dos;
        IMAGE_NT_HEADERS nt;
        IMAGE_EXPORT_DIRECTORY table;
    } module = {.dos.e_lfanew = sizeof(IMAGE_DOS_HEADER)};

    (void)state;
    assert_int_equal(exports_add(faulty_nt(), (char *)&module, everywhere, 4),
                     STATUS_INVALID_IMAGE_FORMAT);
    module.nt.OptionalHeader.NumberOfRvaAndSizes = 16;
    assert_int_equal(exports_add(faulty_nt(), (char *)&module, everywhere, 4),
                     STATUS_INVALID_IMAGE_FORMAT);
    module.nt.OptionalHeader.DataDirectory[0].VirtualAddress =
        (DWORD)((char *)&module.table - (char *)&module);
    module.table.NumberOfFunctions = 0xffff - 3; /* no ordinals for four more */
    assert_int_equal(exports_add(faulty_nt(), (char *)&module, everywhere, 4),
                     STATUS_INVALID_IMAGE_FORMAT);
    assert_int_equal(faulty_calls(), 0);
}

/* ---- faults ---- */

static uint32_t last_call; /* gives the headers their protection back: all is done by then */

static void check_fault(char *module, enum faulty_service service, uint32_t number,
                        bool is_persistent, NTSTATUS injected)
{
    IMAGE_DATA_DIRECTORY old = *directory_of(module);
    char where[120];

    snprintf(where, sizeof(where), "call %u (%s) fails %s with 0x%lx", number, faulty_name(service),
             is_persistent ? "on" : "once", (unsigned long)injected);
    faulty_init();
    faulty_fail(number, is_persistent, injected);
    NTSTATUS status = add(module, everywhere, 4);
    assert_non_null(faulty_failed());
    if (NT_SUCCESS(status)) {
        bool is_place = service == FAULTY_allocate_memory && !is_persistent;

        if (!is_place && number != last_call)
            fail_msg("%s: nothing is told of it", where);
        assert_ptr_equal(find(module, "~last"), second());
        assert_int_equal(restore(NULL), 0);
        return;
    }
    if (status != injected && status != STATUS_NO_MEMORY)
        fail_msg("%s: 0x%lx is told", where, (unsigned long)status);
    assert_memory_equal(directory_of(module), &old, sizeof(old));
    assert_null(find(module, "~last"));
    faulty_assert_clean(where);
}

static void test_call_that_fails_leaves_the_module_as_it_was(void **state)
{
    static const NTSTATUS statuses[] = {STATUS_NO_MEMORY, STATUS_ACCESS_DENIED};
    char *module = load("shim-sample.dll");
    enum faulty_service services[32];

    (void)state;
    assert_int_equal(add(module, everywhere, 4), STATUS_SUCCESS);
    uint32_t count = faulty_fallible_calls();
    assert_true(count >= 5 && count < 32);
    assert_int_equal(faulty_service_of(count), FAULTY_protect_memory);
    last_call = count;
    for (uint32_t i = 1; i <= count; i++)
        services[i] = faulty_service_of(i);
    assert_int_equal(restore(NULL), 0);
    for (uint32_t number = 1; number <= count; number++) {
        for (int i = 0; i < 2; i++) {
            check_fault(module, services[number], number, false, statuses[i]);
            check_fault(module, services[number], number, true, statuses[i]);
        }
    }
    print_message("%u calls\n", count);
}

static NTSTATUS NTAPI answer_no_free_region(HANDLE process, void *address, ULONG class_number,
                                            void *buffer, SIZE_T size, SIZE_T *returned)
{
    NTSTATUS status =
        pss_nt_system()->query_memory(process, address, class_number, buffer, size, returned);

    if (NT_SUCCESS(status))
        ((MEMORY_BASIC_INFORMATION *)buffer)->State = MEM_RESERVE;
    return status;
}

static void test_no_free_region_is_no_memory(void **state)
{
    char *module = load("shim-sample.dll");
    IMAGE_DATA_DIRECTORY old = *directory_of(module);

    (void)state;
    faulty_inner()->query_memory = answer_no_free_region;
    assert_int_equal(add(module, everywhere, 4), STATUS_NO_MEMORY);
    assert_memory_equal(directory_of(module), &old, sizeof(old));
    faulty_assert_clean("no free region");
}

#define EXPORT_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, restore)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXPORT_TEST(test_exports_of_kernel32_stay),
        EXPORT_TEST(test_exports_of_kernelbase_stay),
        EXPORT_TEST(test_exports_of_ntdll_stay),
        EXPORT_TEST(test_exports_without_name_and_with_gaps_stay),
        EXPORT_TEST(test_replaced_name_wins_and_its_ordinal_stays),
        EXPORT_TEST(test_second_addition_keeps_the_first),
        EXPORT_TEST(test_forwarder_of_another_module_leads_to_what_was_added),
        EXPORT_TEST(test_static_import_of_a_later_module_finds_it),
        EXPORT_TEST(test_delayed_import_of_a_later_module_finds_it),
        EXPORT_TEST(test_module_without_exports_is_refused),
        EXPORT_TEST(test_call_that_fails_leaves_the_module_as_it_was),
        EXPORT_TEST(test_no_free_region_is_no_memory),
    };

    load("shim-other.dll"); /* what the added forwarders name */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
