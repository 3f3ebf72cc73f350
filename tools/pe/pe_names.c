/* SPDX-License-Identifier: MIT */
/* Which imports go to pss.dll: thirteen functions of the DLLs that have them on Windows. */
#include "pe_names.h"

#include <stddef.h>
#include <string.h>

#define API_SET "api-ms-win-core-processsnapshot-l1-1-"

static const char *const functions[] = {
    "PssCaptureSnapshot",       "PssDuplicateSnapshot",
    "PssFreeSnapshot",          "PssQuerySnapshot",
    "PssWalkMarkerCreate",      "PssWalkMarkerFree",
    "PssWalkMarkerGetPosition", "PssWalkMarkerRewind",
    "PssWalkMarkerSeek",        "PssWalkMarkerSeekToBeginning",
    "PssWalkMarkerSetPosition", "PssWalkMarkerTell",
    "PssWalkSnapshot",
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/** The name in lower case and without ".dll"; empty if it is too long to be of interest. */
static void normalise(const char *dll, char name[PE_NAME_SIZE])
{
    size_t length = strlen(dll);

    name[0] = '\0';
    if (length >= PE_NAME_SIZE)
        return;
    for (size_t i = 0; i <= length; i++)
        name[i] = lower(dll[i]);
    if (length > 4 && strcmp(name + length - 4, ".dll") == 0)
        name[length - 4] = '\0';
}

int pe_is_source(const char *dll)
{
    char name[PE_NAME_SIZE];
    const char *minor = name + sizeof API_SET - 1;

    normalise(dll, name);
    if (strcmp(name, "kernel32") == 0 || strcmp(name, "kernelbase") == 0)
        return 1;
    if (strncmp(name, API_SET, sizeof API_SET - 1) != 0)
        return 0;
    return minor[0] != '\0' && strspn(minor, "0123456789") == strlen(minor);
}

int pe_is_target(const char *dll)
{
    char name[PE_NAME_SIZE];

    normalise(dll, name);
    return strcmp(name, "pss") == 0;
}

const char *pe_moved_name(unsigned index)
{
    return index < sizeof functions / sizeof functions[0] ? functions[index] : NULL;
}

int pe_is_moved(const char *function)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (strcmp(functions[i], function) == 0)
            return 1;
    return 0;
}
