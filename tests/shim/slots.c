/* SPDX-License-Identifier: MIT */
/* The imports of loaded modules get other functions; each test gives them their own back. */
#include "slots.h"

#include "faulty_nt.h"
#include "harness.h"
#include "image.h"

static HMODULE user, sample;
static IMAGE_IMPORT_DESCRIPTOR *descriptor; /* the user's imports of shim-sample.dll */

static int other_function(void)
{
    return 99;
}

static int is_sample(const char *name)
{
    return image_names_equal(name, "SHIM-SAMPLE.dll");
}

static int call(const char *name)
{
    int (*function)(void) = (int (*)(void))(void (*)(void))GetProcAddress(user, name);

    assert_non_null(function);
    return function();
}

static const struct shim_function functions[] = {{"other_first", (void *)other_function},
                                                 {"sample_first", (void *)other_function},
                                                 {"sample_hidden", (void *)other_function},
                                                 {"Sample_Middle", (void *)other_function}};

static void redirect(HMODULE kept)
{
    const struct shim_redirection redirection = {
        .is_library = is_sample, .functions = functions, .count = 4, .keep = (const char *)kept};

    slots_redirect(faulty_nt(), &redirection);
}

/* The slot of an import by name. */
static void **find_slot(const char *name)
{
    char *module = (char *)user;
    const IMAGE_THUNK_DATA *thunk = (IMAGE_THUNK_DATA *)(module + descriptor->OriginalFirstThunk);
    IMAGE_THUNK_DATA *slot = (IMAGE_THUNK_DATA *)(module + descriptor->FirstThunk);

    for (; thunk->u1.AddressOfData; thunk++, slot++)
        if (!IMAGE_SNAP_BY_ORDINAL(thunk->u1.Ordinal) &&
            strcmp(((IMAGE_IMPORT_BY_NAME *)(module + thunk->u1.AddressOfData))->Name, name) == 0)
            return (void **)&slot->u1.Function;
    fail_msg("%s is not imported", name);
    return NULL;
}

static void *original(void)
{
    return (void *)GetProcAddress(sample, "sample_first");
}

static DWORD protect(void *address, SIZE_T size, DWORD protection)
{
    DWORD old;

    assert_true(VirtualProtect(address, size, protection, &old));
    return old;
}

static int set_up(void **state)
{
    (void)state;
    faulty_init();
    return 0;
}

static int restore(void **state)
{
    void **slot = find_slot("sample_first");
    DWORD old = protect(slot, sizeof(*slot), PAGE_READWRITE);

    (void)state;
    *slot = original();
    protect(slot, sizeof(*slot), old);
    return call("call_first") == 3 ? 0 : -1;
}

static void test_import_by_name_is_redirected_and_no_other(void **state)
{
    (void)state;
    assert_int_equal(call("call_first"), 3);
    redirect(NULL);
    assert_int_equal(call("call_first"), 99);
    assert_int_equal(call("call_hidden"), 9); /* by ordinal */
    assert_int_equal(call("call_middle"), 5); /* the case of the name differs */
    assert_int_equal(call("call_other"), 21); /* another library */
    assert_ptr_equal((void *)GetProcAddress(sample, "sample_first"), original());
}

/* The loader has bound them to what the forwarder leads to, and so must be given another. */
static void test_import_that_is_forwarded_is_redirected(void **state)
{
    HMODULE through = LoadLibraryA("shim-through.dll");
    HMODULE before = user;

    (void)state;
    assert_non_null(through);
    user = through;
    assert_int_equal(call("call_through"), 3);
    redirect(before);
    assert_int_equal(call("call_through"), 99);
    assert_int_equal(call("call_twice"), 99);
    assert_int_equal(call("call_through_hidden"), 99); /* the import is by ordinal */
    assert_int_equal(call("call_untouched"), 5);
    user = before;
    FreeLibrary(through);
}

static void test_kept_module_stays(void **state)
{
    (void)state;
    redirect(user);
    assert_int_equal(call("call_first"), 3);
    assert_int_equal(faulty_calls(), 0);
}

static void test_module_without_lookup_table_stays(void **state)
{
    DWORD table = descriptor->OriginalFirstThunk;
    void *slot = find_slot("sample_first");
    DWORD old = protect(descriptor, sizeof(*descriptor), PAGE_READWRITE);

    (void)state;
    descriptor->OriginalFirstThunk = 0;
    redirect(NULL);
    descriptor->OriginalFirstThunk = table;
    protect(descriptor, sizeof(*descriptor), old);
    assert_ptr_equal(*(void **)slot, original());
    assert_int_equal(faulty_calls(), 0);
}

static void check_protection(DWORD protection)
{
    void **slot = find_slot("sample_first");
    DWORD old = protect(slot, sizeof(*slot), protection);
    MEMORY_BASIC_INFORMATION region;

    redirect(NULL);
    assert_int_equal(call("call_first"), 99);
    assert_true(VirtualQuery(slot, &region, sizeof(region)));
    assert_int_equal(region.Protect, protection);
    protect(slot, sizeof(*slot), old);
    restore(NULL);
}

static void test_slots_that_are_read_only_are_written_and_stay_so(void **state)
{
    (void)state;
    check_protection(PAGE_READONLY);
    check_protection(PAGE_EXECUTE_READ);
}

static void test_call_that_fails_leaves_the_slot_or_writes_it(void **state)
{
    void **slot = find_slot("sample_first");

    (void)state;
    protect(slot, sizeof(*slot), PAGE_READONLY);
    redirect(NULL);
    uint32_t count = faulty_fallible_calls();
    assert_int_equal(count, 3); /* make it writable, write, give the protection back */
    restore(NULL);
    for (uint32_t number = 1; number <= count; number++) {
        for (int is_persistent = 0; is_persistent < 2; is_persistent++) {
            MEMORY_BASIC_INFORMATION region;

            protect(slot, sizeof(*slot), PAGE_READONLY);
            faulty_init();
            faulty_fail(number, is_persistent, STATUS_ACCESS_DENIED);
            redirect(NULL);
            assert_non_null(faulty_failed());
            assert_ptr_equal(*slot, number == 3 ? (void *)other_function : original());
            assert_true(VirtualQuery(slot, &region, sizeof(region)));
            if (number == 1 || (number == 2 && !is_persistent))
                assert_int_equal(region.Protect, PAGE_READONLY);
            faulty_assert_clean("slots");
            restore(NULL);
        }
    }
    protect(slot, sizeof(*slot), PAGE_READWRITE);
}

#define SLOT_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, restore)

static int load_modules(void **state)
{
    (void)state;
    user = LoadLibraryA("shim-user.dll");
    sample = GetModuleHandleA("shim-sample.dll");
    if (!user || !sample)
        return -1;
    descriptor =
        (IMAGE_IMPORT_DESCRIPTOR *)((char *)user +
                                    image_directory((char *)user, IMAGE_DIRECTORY_ENTRY_IMPORT)
                                        ->VirtualAddress);
    while (descriptor->Name && !is_sample((char *)user + descriptor->Name))
        descriptor++;
    return descriptor->Name ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SLOT_TEST(test_import_by_name_is_redirected_and_no_other),
        SLOT_TEST(test_import_that_is_forwarded_is_redirected),
        SLOT_TEST(test_kept_module_stays),
        SLOT_TEST(test_module_without_lookup_table_stays),
        SLOT_TEST(test_slots_that_are_read_only_are_written_and_stay_so),
        SLOT_TEST(test_call_that_fails_leaves_the_slot_or_writes_it),
    };

    return cmocka_run_group_tests(tests, load_modules, NULL);
}
