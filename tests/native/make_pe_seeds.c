/* SPDX-License-Identifier: MIT */
/* Writes the seeds of the fuzzer of PE files: one for each way to import, and each extra. */
#include "pe_world.h"

static const char *directory;
static struct pe_builder built;

static void write_seed(const char *name)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s-%s", directory, built.is_64 ? "x64" : "x86", name);
    file = fopen(path, "wb");
    if (!file || fwrite(built.bytes, 1, built.size, file) != built.size || fclose(file)) {
        perror(path);
        exit(1);
    }
}

/* Overlay, symbols, debug data, a signature and a checksum. */
static void write_extras(void)
{
    world_build(&built, every_kind);
    pe_builder_append(&built, "symbols.", 8);
    pe_builder_append(&built, "debug...", 8);
    pe_builder_append(&built, "the signature...", 16);
    pe_builder_append(&built, "overlay", 7);
    pe_builder_put32(built.bytes, BUILT_HEADER + 12, BUILT_END);
    pe_builder_set_directory(&built, 6, BUILT_DEBUG_RVA, 28);
    pe_builder_put32(built.bytes, pe_builder_offset(BUILT_DEBUG_RVA) + 24, BUILT_END + 8);
    pe_builder_set_directory(&built, 4, BUILT_END + 16, 16);
    pe_builder_put32(built.bytes, BUILT_OPTIONAL + 64, 1);
    write_seed("extras");
}

static void write_bound(void)
{
    static const struct pe_builder_dll dlls[PE_BUILDER_DLLS] = {
        {"kernel32.dll", BUILD_BOUND, {"PssCaptureSnapshot", "Sleep"}}};

    world_build(&built, dlls);
    pe_builder_set_directory(&built, 11, pe_builder_section(&built, 3), 64);
    memset(built.bytes + pe_builder_section(&built, 3), 0x33, 64);
    write_seed("bound");
}

static void write_delayed(const char *name, enum pe_builder_kind kind, const char *second)
{
    const struct pe_builder_dll dlls[PE_BUILDER_DLLS] = {
        {"kernel32.dll", kind, {"PssCaptureSnapshot", second}}};

    world_build(&built, dlls);
    write_seed(name);
}

static void write_kinds(void)
{
    static const struct pe_builder_dll nothing[PE_BUILDER_DLLS] = {
        {"kernel32.dll", BUILD_ORDINARY, {"Sleep"}}};

    world_build(&built, nothing);
    memcpy(built.bytes + pe_builder_section(&built, 0), "UPX0\0", 5);
    write_seed("packed");
    world_build(&built, nothing);
    pe_builder_set_directory(&built, 14, BUILT_MANAGED_RVA, 72);
    pe_builder_put32(built.bytes, pe_builder_offset(BUILT_MANAGED_RVA) + 16, 1);
    write_seed("managed");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    directory = argv[1];
    for_both_formats(built)
    {
        write_extras();
        write_bound();
        write_delayed("delayed", BUILD_DELAYED, NULL);
        write_delayed("mixed", BUILD_DELAYED, "Sleep");
        write_kinds();
    }
    built.is_64 = 0;
    write_delayed("addresses", BUILD_DELAYED_ADDRESSES, NULL);
    return 0;
}
