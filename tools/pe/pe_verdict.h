/* SPDX-License-Identifier: MIT */
/* What can be said of a file whose imports are to be redirected. */
#ifndef PSS_PE_VERDICT_H
#define PSS_PE_VERDICT_H

enum pe_verdict {
    PE_REBOUND,       /* it has a new form */
    PE_NOTHING,       /* it imports none of the functions */
    PE_ALREADY,       /* it was rebound, and imports them from pss.dll */
    PE_USES_PSS,      /* it was built to import them from pss.dll */
    PE_OTHER_PSS,     /* it has a library of its own of that name */
    PE_BUNDLE,        /* it finds its parts by offsets in the file, which would move */
    PE_MANAGED,       /* its code asks for functions at run time */
    PE_PACKED,        /* its true imports are compressed */
    PE_NOT_PE,        /* anything that is no program */
    PE_16BIT,         /* for DOS, Windows 3 or OS/2 */
    PE_OTHER_MACHINE, /* neither x86 nor x64 */
    PE_TRUNCATED,     /* it ends before its headers or sections do */
    PE_BAD_HEADER,    /* the rest means: it cannot be rewritten, whatever a loader says */
    PE_BAD_IMPORTS,
    PE_BAD_LAYOUT,
    PE_NO_HEADER_ROOM,
    PE_NO_NAMES,
    PE_NO_ADDRESS_TABLE,
    PE_DELAY_READ_ONLY,
    PE_DELAY_ADDRESSES,
    PE_TOO_LARGE,
    PE_NO_MEMORY,
    PE_VERDICT_COUNT
};

/** The verdict as a part of a sentence, for people. */
const char *pe_verdict_text(enum pe_verdict verdict);

#endif
