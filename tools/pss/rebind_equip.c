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

void rebind_equip(struct rebind *rebind, const WCHAR *path)
{
    uint32_t machine = find_machine(rebind, path);
    HANDLE lock;

    if (machine == 0 || lock_take(path, &lock) != EXIT_DONE)
        return;
    if (library_check(path, machine) == LIBRARY_MISSING &&
        library_copy(path, machine) == EXIT_DONE) {
        print_begin(rebind, path);
        print_outcome(rebind, path, "equipped", "pss.dll was put beside it, for what it may load",
                      1);
    }
    lock_release(lock);
}
