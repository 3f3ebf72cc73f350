/* SPDX-License-Identifier: MIT */
/*
 * A minidump of the clone with its full memory: what it says is the target's.
 *
 * With --keep-dump FILE the first test leaves its dump there and tells what a debugger must find in
 * it: "module BASE NAME" and "memory ADDRESS BYTES".
 */
#include "clone.h"
#include "debug_help.h"
#include "ledger.h"
#include "pattern.h"
#include "records.h"
#include "target.h"
#include "under_test.h"

#include <psapi.h>

#define KNOWN_SIZE  0x20000u
#define MAX_MODULES 256
#define SEED        21

static const char *kept_path;

/* A dump file in memory. */
struct dump {
    unsigned char *bytes; /* owned */
    size_t size;
};

static const char *dump_path(char path[MAX_PATH])
{
    char directory[MAX_PATH];

    assert_true(GetTempPathA(MAX_PATH, directory) > 0);
    snprintf(path, MAX_PATH, "%.200s\\pss-test-%lu.dmp", directory, GetCurrentProcessId());
    return path;
}

static bool try_dump(HANDLE process, MINIDUMP_TYPE type, const char *path)
{
    HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);

    assert_true(file != INVALID_HANDLE_VALUE);
    BOOL ok = debug_help.write_dump(process, GetProcessId(process), file, type, NULL, NULL, NULL);
    if (!ok)
        print_message("no dump can be written: error 0x%lx\n", GetLastError());
    CloseHandle(file);
    return ok;
}

/* Wine's dbghelp on a 64-bit host cannot dump 32-bit processes, cloned or not. */
static bool can_dump(HANDLE target)
{
    char path[MAX_PATH];
    bool ok = try_dump(target, MiniDumpNormal, dump_path(path));

    assert_true(DeleteFileA(path));
    return ok;
}

static struct dump read_dump(const char *path)
{
    HANDLE file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    struct dump dump = {NULL, 0};
    DWORD done = 0;

    assert_true(file != INVALID_HANDLE_VALUE);
    dump.size = GetFileSize(file, NULL);
    dump.bytes = (unsigned char *)malloc(dump.size);
    assert_non_null(dump.bytes);
    assert_true(ReadFile(file, dump.bytes, (DWORD)dump.size, &done, NULL));
    assert_same(done, dump.size);
    CloseHandle(file);
    return dump;
}

/* Writes a dump of the clone and reads it back; the file goes unless it is to be kept. */
static struct dump make_dump(HANDLE clone)
{
    char path[MAX_PATH];

    assert_true(try_dump(clone, MiniDumpWithFullMemory, kept_path ? kept_path : dump_path(path)));
    struct dump dump = read_dump(kept_path ? kept_path : path);
    if (!kept_path)
        assert_true(DeleteFileA(path));
    return dump;
}

/* Bytes of the dump; the place comes from the file and is bounded. */
static const void *at(const struct dump *dump, uint64_t offset, uint64_t size)
{
    assert_true(offset <= dump->size && size <= dump->size - offset);
    return dump->bytes + offset;
}

static const void *find_stream(const struct dump *dump, DWORD type, uint64_t least)
{
    const MINIDUMP_HEADER *header = (const MINIDUMP_HEADER *)at(dump, 0, sizeof(*header));

    assert_memory_equal(&header->Signature, "MDMP", 4);
    assert_same(header->Version & 0xFFFF, MINIDUMP_VERSION);
    assert_true(header->NumberOfStreams > 0 && header->NumberOfStreams < 100);
    for (DWORD i = 0; i < header->NumberOfStreams; i++) {
        const MINIDUMP_DIRECTORY *entry = (const MINIDUMP_DIRECTORY *)at(
            dump, header->StreamDirectoryRva + (uint64_t)i * sizeof(*entry), sizeof(*entry));
        if (entry->StreamType != type)
            continue;
        assert_true(entry->Location.DataSize >= least);
        return at(dump, entry->Location.Rva, entry->Location.DataSize);
    }
    fail_msg("the dump has no stream %lu", type);
    return NULL;
}

/* The bytes that the dump has for a range of addresses. */
static const void *find_memory(const struct dump *dump, uint64_t address, uint64_t size)
{
    const MINIDUMP_MEMORY64_LIST *list =
        (const MINIDUMP_MEMORY64_LIST *)find_stream(dump, Memory64ListStream, sizeof(uint64_t) * 2);
    uint64_t offset = list->BaseRva;

    assert_true(list->NumberOfMemoryRanges < dump->size / sizeof(list->MemoryRanges[0]));
    for (uint64_t i = 0; i < list->NumberOfMemoryRanges; i++) {
        const MINIDUMP_MEMORY_DESCRIPTOR64 *range = &list->MemoryRanges[i];
        uint64_t distance = address - range->StartOfMemoryRange;
        if (distance < range->DataSize) {
            assert_true(size <= range->DataSize - distance);
            return at(dump, offset + distance, size);
        }
        offset += range->DataSize;
    }
    fail_msg("the dump has no memory at 0x%llx", (unsigned long long)address);
    return NULL;
}

static void assert_dump_holds_pattern(const struct dump *dump, uint64_t address)
{
    const unsigned char *bytes = (const unsigned char *)find_memory(dump, address, KNOWN_SIZE);

    for (uint64_t i = 0; i < KNOWN_SIZE / sizeof(uint64_t); i++) {
        uint64_t word = pattern_word(SEED, i);
        assert_memory_equal(bytes + i * sizeof(word), &word, sizeof(word));
    }
}

/* The name in the dump, without its directory. */
static const WCHAR *module_name(const struct dump *dump, const MINIDUMP_MODULE *module,
                                WCHAR name[MAX_PATH])
{
    const MINIDUMP_STRING *text =
        (const MINIDUMP_STRING *)at(dump, module->ModuleNameRva, sizeof(ULONG32));
    const WCHAR *characters =
        (const WCHAR *)at(dump, module->ModuleNameRva + sizeof(ULONG32), text->Length);
    DWORD length = text->Length / sizeof(WCHAR);

    assert_true(length > 0 && length < MAX_PATH);
    memcpy(name, characters, text->Length);
    name[length] = 0;
    const WCHAR *slash = wcsrchr(name, L'\\');
    return slash ? slash + 1 : name;
}

static const MINIDUMP_MODULE *find_module(const struct dump *dump, uint64_t base)
{
    const MINIDUMP_MODULE_LIST *list =
        (const MINIDUMP_MODULE_LIST *)find_stream(dump, ModuleListStream, sizeof(ULONG32));

    assert_true(list->NumberOfModules < MAX_MODULES);
    for (DWORD i = 0; i < list->NumberOfModules; i++)
        if (list->Modules[i].BaseOfImage == base)
            return &list->Modules[i];
    fail_msg("the dump has no module at 0x%llx", (unsigned long long)base);
    return NULL;
}

static void assert_dump_has_modules_of(const struct dump *dump, HANDLE target)
{
    const MINIDUMP_MODULE_LIST *list =
        (const MINIDUMP_MODULE_LIST *)find_stream(dump, ModuleListStream, sizeof(ULONG32));
    HMODULE modules[MAX_MODULES];
    DWORD needed = 0;

    assert_true(EnumProcessModules(target, modules, sizeof(modules), &needed));
    DWORD count = needed / sizeof(modules[0]);
    assert_same(list->NumberOfModules, count);
    for (DWORD i = 0; i < count; i++) {
        WCHAR expected[MAX_PATH], buffer[MAX_PATH];
        MODULEINFO information;
        const MINIDUMP_MODULE *module = find_module(dump, address_of(modules[i]));
        assert_true(GetModuleInformation(target, modules[i], &information, sizeof(information)));
        assert_same(module->SizeOfImage, information.SizeOfImage);
        assert_true(GetModuleBaseNameW(target, modules[i], expected, MAX_PATH) > 0);
        assert_true(!_wcsicmp(module_name(dump, module, buffer), expected));
    }
}

static void tell_facts(const struct dump *dump, HANDLE target, uint64_t memory)
{
    const unsigned char *bytes = (const unsigned char *)find_memory(dump, memory, 16);
    HMODULE program = NULL;
    DWORD needed = 0;
    WCHAR buffer[MAX_PATH];

    assert_true(EnumProcessModules(target, &program, sizeof(program), &needed));
    print_message("module 0x%llx %ls\n", (unsigned long long)address_of(program),
                  module_name(dump, find_module(dump, address_of(program)), buffer));
    print_message("memory 0x%llx", (unsigned long long)memory);
    for (int i = 0; i < 16; i++)
        print_message(" 0x%02x", bytes[i]);
    print_message("\n");
}

static uint64_t prepare(struct target *target)
{
    uint64_t memory = target_call(target, TARGET_ALLOCATE, 0, KNOWN_SIZE, MEM_RESERVE | MEM_COMMIT,
                                  PAGE_READWRITE);

    target_call(target, TARGET_FILL, memory, KNOWN_SIZE, SEED, 0);
    return memory;
}

static void test_clone_dump_has_the_targets_modules_and_memory(void **state)
{
    (void)state;
    struct target *target = target_start();
    if (!debug_help_load() || !can_dump(target->process))
        skip_because("the system\'s dbghelp cannot do this with any process");
    uint64_t memory = prepare(target);
    target_call(target, TARGET_THREADS, 3, 0, 0, 0);
    HPSS snapshot = clone_capture(target->process, 0, 0);
    target_call(target, TARGET_FILL, memory, KNOWN_SIZE, SEED + 1, 0);
    struct dump dump = make_dump(clone_of(snapshot));
    assert_dump_has_modules_of(&dump, target->process);
    assert_dump_holds_pattern(&dump, memory);
    if (kept_path)
        tell_facts(&dump, target->process, memory);
    free(dump.bytes);
    free_snapshot(snapshot);
    target_destroy(target);
}

static void test_clone_dump_of_the_clone_reopened_by_pid_is_the_same(void **state)
{
    (void)state;
    struct target *target = target_start();
    if (!debug_help_load() || !can_dump(target->process))
        skip_because("the system\'s dbghelp cannot do this with any process");
    uint64_t memory = prepare(target);
    HPSS snapshot = clone_capture(target->process, 0, 0);
    HANDLE clone = OpenProcess(PROCESS_VM_READ | PROCESS_QUERY_INFORMATION | PROCESS_DUP_HANDLE,
                               FALSE, GetProcessId(clone_of(snapshot)));
    assert_non_null(clone);
    target_destroy(target); /* the clone needs it no more */
    struct dump dump = make_dump(clone);
    assert_dump_holds_pattern(&dump, memory);
    free(dump.bytes);
    CloseHandle(clone);
    free_snapshot(snapshot);
}

static void test_clone_dump_of_a_wow64_target_has_its_memory(void **state)
{
    struct target *target = sizeof(void *) == 8 ? target_start_foreign() : NULL;

    (void)state;
    if (!target || !debug_help_load() || !can_dump(target->process))
        skip_because("the system\'s dbghelp cannot do this with any process");
    uint64_t memory = prepare(target);
    HPSS snapshot = clone_capture(target->process, 0, 0);
    struct dump dump = make_dump(clone_of(snapshot));
    assert_dump_holds_pattern(&dump, memory);
    free(dump.bytes);
    free_snapshot(snapshot);
    target_destroy(target);
}

/* A DLL that is used for the first time may hold something for good. */
static int warm_up(void **state)
{
    char path[MAX_PATH];
    const char *kept = kept_path;

    kept_path = NULL;
    ledger_warm_up(state);
    if (debug_help_load()) {
        HANDLE file = CreateFileA(dump_path(path), GENERIC_READ | GENERIC_WRITE, 0, NULL,
                                  CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
        debug_help.write_dump(GetCurrentProcess(), GetCurrentProcessId(), file, MiniDumpNormal,
                              NULL, NULL, NULL);
        CloseHandle(file);
    }
    kept_path = kept;
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        PSS_TEST(test_clone_dump_has_the_targets_modules_and_memory),
        PSS_TEST(test_clone_dump_of_the_clone_reopened_by_pid_is_the_same),
        PSS_TEST(test_clone_dump_of_a_wow64_target_has_its_memory),
    };

    under_test_load(argc, argv);
    for (int i = 1; i + 1 < argc; i++)
        if (!strcmp(argv[i], "--keep-dump"))
            kept_path = argv[i + 1];
    return cmocka_run_group_tests_name("clone_dump", tests, warm_up, NULL);
}
