/* SPDX-License-Identifier: MIT */
/* The names of the Process Snapshotting API, and of the DLLs that programs import it from. */
#include "api.h"

#include "image.h"

#define NAME(name) #name,

int api_is_library(const char *name)
{
    static const char api_set[] = "api-ms-win-core-processsnapshot-l1-1-";
    char start[sizeof api_set];

    if (image_names_equal(name, "kernel32.dll") || image_names_equal(name, "kernelbase.dll") ||
        image_names_equal(name, "kernel32") || image_names_equal(name, "kernelbase"))
        return 1;
    if (image_text_size(name) <= sizeof api_set)
        return 0;
    memcpy(start, name, sizeof api_set - 1);
    start[sizeof api_set - 1] = '\0';
    return image_names_equal(start, api_set);
}

int api_is_function(const char *name)
{
    static const char *const names[] = {API_FUNCTIONS(NAME)};

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (image_text_compare(name, names[i]) == 0)
            return 1;
    }
    return 0;
}
