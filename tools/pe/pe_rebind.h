/* SPDX-License-Identifier: MIT */
/* Makes the form of a PE file that imports its Pss functions from pss.dll. */
#ifndef PSS_PE_REBIND_H
#define PSS_PE_REBIND_H

#include "pe_read.h"

/** The section that holds the new import table. */
#define PE_NEW_SECTION ".pssbind"

struct pe_result {
    uint8_t *bytes;    /* the new file, for free(); NULL unless the verdict is PE_REBOUND */
    size_t size;       /* bytes of it */
    uint32_t machine;  /* PE_MACHINE_*; 0 if it was not understood */
    uint32_t linked;   /* names that move, by how they were imported: ordinary, */
    uint32_t delayed;  /* delay-load and still so, */
    uint32_t hastened; /* delay-load, but now bound when the program starts */
    uint32_t trailing; /* bytes that follow its sections and mean something to the program */
    int is_program;    /* not a DLL */
    int lost_signature;
    int lost_integrity;    /* loaders would have refused it without a signature */
    int searches_own;      /* DLLs are looked for beside the program now, too */
    int was_rebound;       /* it imports from pss.dll already, if not all */
    int has_section;       /* that is so since it was rebound */
    int has_other_library; /* it imports from another library that is named pss.dll */
};

/**
 * Rebinds a file.
 *
 * \param bytes  [in]  The whole file; nothing in it is trusted.
 * \param size   [in]  Bytes of it.
 * \param result [out] Always filled; its bytes are the caller's.
 * \return PE_REBOUND · why there is no new form.
 */
enum pe_verdict pe_rebind(const uint8_t *bytes, size_t size, struct pe_result *result);

#endif
