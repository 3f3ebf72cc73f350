/* SPDX-License-Identifier: MIT */
/* Every case: what is done, to which target, and the aim. */
#include "bench.h"

#define NEVER_SLOWER 1.05 /* ours by theirs: the same system calls, and a little noise */
#define ENTRY_LIMIT  100.0

#define NAMED_REGIONS (PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION)
#define ALL_OF_HANDLES                                           \
    (PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION | \
     PSS_CAPTURE_HANDLE_BASIC_INFORMATION | PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION)

#define REGION_LIST .list = PSS_WALK_VA_SPACE, .entry_size = sizeof(PSS_VA_SPACE_ENTRY)
#define HANDLE_LIST .list = PSS_WALK_HANDLES, .entry_size = sizeof(PSS_HANDLE_ENTRY)
#define THREAD_LIST .list = PSS_WALK_THREADS, .entry_size = sizeof(PSS_THREAD_ENTRY)

static const struct comparison parent = {
    .ours_text = "capture nothing, query, free",
    .theirs_text = "search the process list of Toolhelp",
    .ours = ours_parent,
    .theirs = theirs_parent,
    .flags = PSS_CAPTURE_NONE,
    .ratio_limit = NEVER_SLOWER,
};

static const struct comparison threads = {
    .ours_text = "capture threads, walk, free",
    .theirs_text = "Toolhelp, OpenThread, five queries of each",
    .ours = ours_list,
    .theirs = theirs_threads,
    .flags = PSS_CAPTURE_THREADS,
    THREAD_LIST,
    .ratio_limit = NEVER_SLOWER,
};

static const struct comparison regions = {
    .ours_text = "capture the address space, walk, free",
    .theirs_text = "VirtualQueryEx",
    .ours = ours_list,
    .theirs = theirs_regions,
    .flags = PSS_CAPTURE_VA_SPACE,
    REGION_LIST,
    .ratio_limit = NEVER_SLOWER,
};

static const struct comparison region_names = {
    .ours_text = "capture the address space and its files, walk, free",
    .theirs_text = "VirtualQueryEx, GetMappedFileName",
    .ours = ours_list,
    .theirs = theirs_named_regions,
    .flags = NAMED_REGIONS,
    REGION_LIST,
    .ratio_limit = NEVER_SLOWER,
};

static const struct comparison handle_types = {
    .ours_text = "capture handles, walk, free",
    .theirs_text = "handle table, DuplicateHandle, NtQueryObject of the type",
    .ours = ours_list,
    .theirs = theirs_handle_types,
    .flags = PSS_CAPTURE_HANDLES,
    HANDLE_LIST,
    .ratio_limit = NEVER_SLOWER,
};

static const struct comparison handles = {
    .ours_text = "capture handles and all about them, walk, free",
    .theirs_text = "handle table, DuplicateHandle, three NtQueryObject, queries by type",
    .ours = ours_list,
    .theirs = theirs_handles,
    .flags = ALL_OF_HANDLES,
    HANDLE_LIST,
    .ratio_limit = NEVER_SLOWER,
};

#define WALK                                                                                     \
    .ours_text = "walk 100,000 entries", .theirs_text = "copy as many bytes", .ours = ours_walk, \
    .theirs = theirs_copy, .entry_limit = ENTRY_LIMIT, .is_walk = 1

static const struct comparison walk_threads = {WALK, THREAD_LIST, .flags = PSS_CAPTURE_THREADS};
static const struct comparison walk_regions = {WALK, REGION_LIST, .flags = NAMED_REGIONS};
static const struct comparison walk_handles = {WALK, HANDLE_LIST, .flags = ALL_OF_HANDLES};

static const struct comparison start = {
    .ours_text = "pss run a program, and wait for its end",
    .theirs_text = "CreateProcess, and wait",
    .ours = ours_start,
    .theirs = theirs_start,
    .extra_limit = 50000,
};

static const struct comparison shim = {
    .ours_text = "200 times capture nothing, query, free, as kernel32 has them under pss run",
    .theirs_text = "the same, linked to pss.dll",
    .ours = ours_through_kernel32,
    .theirs = theirs_linked,
    .ratio_limit = 1.02,
    .needs_shim = 1,
};

const struct bench_case bench_cases[] = {
    {"parent", &parent, {0}},
    {"threads-8", &threads, {.threads = 8}},
    {"threads-200", &threads, {.threads = 200}},
    {"regions-100", &regions, {.regions = 100}},
    {"regions-3000", &regions, {.regions = 3000}},
    {"region-names-100", &region_names, {.regions = 100}},
    {"region-names-3000", &region_names, {.regions = 3000}},
    {"handle-types-200", &handle_types, {.handles = 200}},
    {"handle-types-5000", &handle_types, {.handles = 5000}},
    {"handles-200", &handles, {.handles = 200}},
    {"handles-5000", &handles, {.handles = 5000}},
    {"walk-threads", &walk_threads, {.threads = 200}},
    {"walk-regions", &walk_regions, {.regions = 3000}},
    {"walk-handles", &walk_handles, {.handles = 5000}},
    {"run-start", &start, {0}},
    {"run-calls", &shim, {0}},
};
const unsigned bench_case_count = sizeof bench_cases / sizeof bench_cases[0];
