/* SPDX-License-Identifier: MIT */
/* Makes a program that has not begun yet load DLLs before any other of its imports. */
#ifndef PSS_SHIM_INJECT_H
#define PSS_SHIM_INJECT_H

#include "nt/nt.h"

/** A DLL that a program is to load, by an import of one of its functions. */
struct inject_dll {
    const char *path; /* full path in ASCII: the loader reads no more of import tables; borrowed */
    const char *name; /* an export of it; NULL = its ordinal 1; borrowed */
};

/** The program of a process whose first thread is still suspended. */
struct inject_image {
    HANDLE process; /* borrowed */
    char *base;     /* where the program's file is mapped there */
    char *headers;  /* its IMAGE_NT_HEADERS */
    union {
        IMAGE_NT_HEADERS32 nt32;
        IMAGE_NT_HEADERS64 nt64;
    } copy;           /* of them */
    WORD machine;     /* IMAGE_FILE_MACHINE_AMD64 or IMAGE_FILE_MACHINE_I386 */
    WORD reserved[3]; /* 0 */
};

/**
 * Looks at the program of a new process.
 *
 * \param nt      [in]  Services.
 * \param process [in]  PROCESS_QUERY_INFORMATION, PROCESS_VM_READ; a 32-bit caller cannot see a
 *                      64-bit process.
 * \param image   [out] Filled on success.
 * \return STATUS_SUCCESS · STATUS_INVALID_IMAGE_FORMAT · STATUS_NOT_SUPPORTED for another machine,
 *         and for a program of managed code only, whose imports no loader reads · the system's
 *         status.
 */
NTSTATUS inject_open(const struct pss_nt *nt, HANDLE process, struct inject_image *image);

/** What the program is to get. */
struct inject_plan {
    const struct inject_dll *dlls;            /* in the order of loading; borrowed */
    unsigned count;                           /* of them: a few, and one at least */
    unsigned reserved;                        /* 0 */
    int (*is_library)(const char *library);   /* whether the first DLL has functions of a library of
                                                 that name; NULL = of none */
    int (*is_function)(const char *function); /* and of which name */
};

/**
 * Gives the program an import table that begins with the DLLs, and has the functions that the first
 * one takes over come from there. Its file and its own tables stay as they are. Where the headers
 * name no table of addresses, they name the new memory then.
 *
 * \param nt    [in] Services.
 * \param image [in] From inject_open(); PROCESS_VM_OPERATION and PROCESS_VM_WRITE are needed
 *                   besides.
 * \param plan  [in] What the program is to get.
 * \return STATUS_SUCCESS · STATUS_INVALID_IMAGE_FORMAT · STATUS_NO_MEMORY · the system's status. On
 *         failure the program is as it was.
 */
NTSTATUS inject_imports(const struct pss_nt *nt, const struct inject_image *image,
                        const struct inject_plan *plan);

#endif
