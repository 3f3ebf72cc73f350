/* SPDX-License-Identifier: MIT */
/* What the tests of rebinding share: files to rebind, and what must be true of any new form. */
#include "pe_world.h"

const struct pe_builder_dll every_kind[PE_BUILDER_DLLS] = {
    {"USER32.dll", BUILD_ORDINARY, {"MessageBoxW"}},
    {"KERNEL32.dll",
     BUILD_ORDINARY,
     {"ExitProcess", "PssCaptureSnapshot", "PssFreeSnapshot", "#", "PssQuerySnapshot", "Sleep"}},
    {"api-ms-win-core-processsnapshot-l1-1-0.dll", BUILD_ORDINARY, {"PssWalkSnapshot"}},
    {"kernelbase", BUILD_WITHOUT_LOOKUP, {"PssWalkMarkerCreate", "PssWalkMarkerFree", "Beep"}},
    {"kernel32.dll", BUILD_DELAYED, {"PssDuplicateSnapshot", "PssWalkMarkerTell"}},
    {"Kernel32.DLL", BUILD_DELAYED, {"Sleep", "PssWalkMarkerSeek", "#", "PssWalkMarkerRewind"}},
    {"ADVAPI32.dll", BUILD_DELAYED, {"RegCloseKey"}},
};

void world_build(struct pe_builder *built, const struct pe_builder_dll *dlls)
{
    memcpy(built->dlls, dlls, sizeof built->dlls);
    pe_builder_build(built);
}

void world_expect(const struct pe_builder *built, enum pe_verdict expected)
{
    enum pe_verdict verdict = pe_invariants_check(built->bytes, built->size);

    if (verdict != expected)
        fail_msg("%s, expected: %s", pe_verdict_text(verdict), pe_verdict_text(expected));
}

void world_rebind(const struct pe_builder *built, struct pe_result *result)
{
    world_expect(built, PE_REBOUND);
    assert_int_equal(pe_rebind(built->bytes, built->size, result), PE_REBOUND);
}

/** The name a slot's function should have in the new form. */
static void expected_function(const char *before, char *expected, size_t size)
{
    const char *name = strchr(before, '!') + 1;

    if (strncmp(name, "Pss", 3) == 0)
        snprintf(expected, size, "pss.dll!%s", name);
    else
        snprintf(expected, size, "%s", before);
}

unsigned world_compare_bindings(const struct pe_builder *built, const struct pe_result *result)
{
    static struct pe_loader before, after;
    unsigned moved = 0;

    pe_loader_bind(&before, built->bytes, built->size);
    pe_loader_bind(&after, result->bytes, result->size);
    assert_int_equal(before.count, after.count);
    for (size_t i = 0; i < before.count; i++) {
        const struct pe_binding *old = &before.bindings[i];
        char expected[96];

        expected_function(old->function, expected, sizeof expected);
        assert_string_equal(pe_loader_find(&after, old->slot)->function, expected);
        moved += strcmp(expected, old->function) != 0;
    }
    return moved;
}
