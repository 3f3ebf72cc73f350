/* SPDX-License-Identifier: MIT */
/* What can be said of a file whose imports are to be redirected. */
#include "pe_verdict.h"

static const char *const texts[PE_VERDICT_COUNT] = {
    [PE_REBOUND] = "rebound",
    [PE_NOTHING] = "imports no Pss function",
    [PE_ALREADY] = "already rebound",
    [PE_USES_PSS] = "takes the Pss functions from pss.dll already",
    [PE_OTHER_PSS] = "with a library of its own that is named pss.dll, of which a program can have "
                     "one only; use 'pss run'",
    [PE_BUNDLE] = "a .NET bundle in one file, whose parts are found by their offsets in it; use "
                  "'pss run'",
    [PE_MANAGED] =
        "managed code, which asks for functions at run time; use 'pss run' with its host",
    [PE_PACKED] = "packed, its imports are made at run time; use 'pss run'",
    [PE_NOT_PE] = "not a PE file",
    [PE_16BIT] = "a 16-bit program",
    [PE_OTHER_MACHINE] = "for a processor that is not supported, neither x86 nor x64",
    [PE_TRUNCATED] = "truncated: headers or sections reach beyond the end of the file",
    [PE_BAD_HEADER] = "malformed: the headers contradict each other",
    [PE_BAD_IMPORTS] = "malformed: the imports lie outside the image or have no end",
    [PE_BAD_LAYOUT] = "of an unusual layout (overlapping sections, gaps, or an alignment below "
                      "4096 and 512 bytes) that cannot be rewritten; use 'pss run'",
    [PE_NO_HEADER_ROOM] = "without room for one more section header; use 'pss run'",
    [PE_NO_NAMES] = "bound to addresses without names; use 'pss run'",
    [PE_NO_ADDRESS_TABLE] = "with imports in a read-only section that no directory names; "
                            "use 'pss run'",
    [PE_DELAY_READ_ONLY] = "delay-loading Pss functions together with others into a read-only "
                           "section; use 'pss run'",
    [PE_DELAY_ADDRESSES] = "delay-loading in the old form, with addresses; use 'pss run'",
    [PE_TOO_LARGE] = "too large for a PE file",
    [PE_NO_MEMORY] = "too large for the memory there is",
};

const char *pe_verdict_text(enum pe_verdict verdict)
{
    return (unsigned)verdict < PE_VERDICT_COUNT ? texts[verdict] : "unknown";
}
