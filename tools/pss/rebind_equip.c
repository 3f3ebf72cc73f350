/* SPDX-License-Identifier: MIT */
/* Puts pss.dll beside programs that may load what was rebound in another directory. */
#include <stdlib.h>

#include "pe_rebind.h"
#include "rebind.h"
#include "rebind_file.h"
#include "rebind_library.h"
#include "rebind_lock.h"
#include "rebind_print.h"

/** The machine of a program, if something was rebound for it; 0 for all else. */
static uint32_t find_machine(const struct rebind *rebind, const WCHAR *path)
{
    struct pe_file *file;
    unsigned char *bytes;
    uint32_t machine = 0;
    size_t size;

    if (file_load(path, PE_MAX_SIZE, &bytes, &size) != ERROR_SUCCESS)
        return 0;
    file = calloc(1, sizeof *file);
    if (file != NULL && pe_open(bytes, size, file) == PE_NOTHING &&
        (rebind->machines & (file->machine == PE_MACHINE_X64 ? REBIND_X64 : REBIND_X86)) != 0)
        machine = file->machine;
    free(file);
    free(bytes);
    return machine;
}

/** Puts it there if none is there: that is LIBRARY_MISSING. */
static enum library_state equip(const WCHAR *path, uint32_t machine)
{
    enum library_state state;
    HANDLE lock;

    if (lock_take(path, &lock) != EXIT_DONE)
        return LIBRARY_UNUSABLE;
    state = library_check(path, machine);
    if (state == LIBRARY_MISSING && library_copy(path, machine) != EXIT_DONE)
        state = LIBRARY_UNUSABLE;
    lock_release(lock);
    return state;
}

void rebind_equip(struct rebind *rebind, const WCHAR *path)
{
    uint32_t machine = find_machine(rebind, path);
    enum library_state state = machine != 0 ? equip(path, machine) : LIBRARY_THERE;

    if (state == LIBRARY_THERE || state == LIBRARY_OTHER)
        return;
    print_begin(rebind, path);
    if (state == LIBRARY_MISSING)
        print_outcome(rebind, path, "equipped", "pss.dll was put beside it, for what it may load",
                      1);
    else
        print_failed(rebind);
}
