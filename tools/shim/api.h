/* SPDX-License-Identifier: MIT */
/* The names of the Process Snapshotting API, and of the DLLs that programs import it from. */
#ifndef PSS_SHIM_API_H
#define PSS_SHIM_API_H

/** X for each of the thirteen functions; sorted, as in an export table. */
#define API_FUNCTIONS(X)            \
    X(PssCaptureSnapshot)           \
    X(PssDuplicateSnapshot)         \
    X(PssFreeSnapshot)              \
    X(PssQuerySnapshot)             \
    X(PssWalkMarkerCreate)          \
    X(PssWalkMarkerFree)            \
    X(PssWalkMarkerGetPosition)     \
    X(PssWalkMarkerRewind)          \
    X(PssWalkMarkerSeek)            \
    X(PssWalkMarkerSeekToBeginning) \
    X(PssWalkMarkerSetPosition)     \
    X(PssWalkMarkerTell)            \
    X(PssWalkSnapshot)

/** Room for the longest of the names with its terminator, and some more. */
#define API_NAME 64

/** Whether programs import the API from a DLL of that name. */
int api_is_library(const char *name);

/** Whether it is the name of one of the functions. */
int api_is_function(const char *name);

#endif
