/* SPDX-License-Identifier: MIT */
/* The clone cases: each size with each filling. */
#include "clone.h"

#include <stdio.h>

static const unsigned usual_sizes[] = {16, 256, 1024};              /* MB */
static const char *const fill_names[] = {"random", "half", "zero"}; /* by enum fill */

#define SIZE_COUNT (sizeof usual_sizes / sizeof usual_sizes[0])
#define FILL_COUNT (sizeof fill_names / sizeof fill_names[0])

const char clone_ours_text[] = "capture with a clone, query, read from it";
const char clone_theirs_text[] = "ReadProcessMemory of each region into a new buffer";
const char clone_dump_text[] = "MiniDumpWriteDump with full memory";

unsigned clone_case_count(const struct clone_options *options)
{
    return (unsigned)((options->megabytes != 0 ? 1 : SIZE_COUNT) * FILL_COUNT);
}

void clone_case_make(const struct clone_options *options, unsigned index,
                     struct clone_case *subject)
{
    unsigned fill = index % FILL_COUNT;
    unsigned size = options->megabytes != 0 ? options->megabytes : usual_sizes[index / FILL_COUNT];

    *subject = (struct clone_case){.needs = {.megabytes = size, .fill = (enum fill)fill}};
    snprintf(subject->name, sizeof subject->name, "clone-%u-%s", size, fill_names[fill]);
}
