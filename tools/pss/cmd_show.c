/* SPDX-License-Identifier: MIT */
/* `pss show`: captures a process, as often as asked, and shows the last snapshot. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "json.h"
#include "options.h"
#include "print.h"
#include "target.h"
#include "text.h"
#include "usage.h"

/* source: learn.microsoft.com/windows/win32/debug/working-with-xstate-context; mingw-w64 10 has no
   name for it. */
#define XSTATE_BIT 0x40u

/** Without sections only the counts are wanted, which need the plain lists. */
static PSS_CAPTURE_FLAGS choose_flags(unsigned sections)
{
    DWORD flags = PSS_CAPTURE_NONE;

    if (sections == 0)
        return PSS_CAPTURE_THREADS | PSS_CAPTURE_HANDLES | PSS_CAPTURE_VA_SPACE;
    if ((sections & SECTION_THREADS) != 0)
        flags |= PSS_CAPTURE_THREADS;
    if ((sections & SECTION_CONTEXTS) != 0)
        flags |=
            PSS_CAPTURE_THREADS | PSS_CAPTURE_THREAD_CONTEXT | PSS_CAPTURE_THREAD_CONTEXT_EXTENDED;
    if ((sections & SECTION_HANDLES) != 0)
        flags |= PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION |
                 PSS_CAPTURE_HANDLE_BASIC_INFORMATION |
                 PSS_CAPTURE_HANDLE_TYPE_SPECIFIC_INFORMATION;
    if ((sections & SECTION_MEMORY) != 0)
        flags |= PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION;
    if ((sections & SECTION_CLONE) != 0)
        flags |= PSS_CAPTURE_VA_CLONE | PSS_CAPTURE_VA_SPACE;
    if ((sections & SECTION_EXTRAS) != 0)
        flags |= PSS_CAPTURE_RESERVED_00000002 | PSS_CAPTURE_HANDLE_TRACE;
    return (PSS_CAPTURE_FLAGS)flags;
}

/** Captures \p count times and keeps the last. */
static enum pss_exit take(HANDLE process, unsigned sections, unsigned count,
                          struct snapshot *snapshot, struct stats *stats)
{
    PSS_PERFORMANCE_COUNTERS *counters = text_allocate(count * sizeof *counters);
    enum pss_exit status = EXIT_DONE;

    for (unsigned i = 0; status == EXIT_DONE && i < count; i++) {
        snapshot_free(snapshot);
        status = snapshot_take(process, choose_flags(sections), CONTEXT_ALL | XSTATE_BIT, snapshot);
        counters[i] = snapshot->counters;
    }
    if (status == EXIT_DONE)
        stats_summarise(counters, count, stats);
    free(counters);
    return status;
}

static enum pss_exit print_text(const struct snapshot *snapshot, unsigned sections)
{
    static const struct {
        unsigned section;
        enum pss_exit (*print)(const struct snapshot *snapshot);
    } parts[] = {
        {SECTION_THREADS, print_threads}, {SECTION_CONTEXTS, print_contexts},
        {SECTION_HANDLES, print_handles}, {SECTION_MEMORY, print_memory},
        {SECTION_CLONE, print_clone},     {SECTION_EXTRAS, print_extras},
    };
    enum pss_exit status = EXIT_DONE;

    print_title(snapshot);
    if (sections == 0 || (sections & SECTION_PROCESS) != 0)
        print_process(snapshot);
    if (sections == 0)
        print_counts(snapshot);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if ((sections & parts[i].section) != 0 && parts[i].print(snapshot) != EXIT_DONE)
            status = EXIT_RUNTIME;
    return status;
}

static enum pss_exit show(const struct options *options, const struct snapshot *snapshot,
                          const struct stats *stats)
{
    enum pss_exit status;

    if (options->json)
        return json_print(snapshot, options->sections, stats, options->repeat);
    status = print_text(snapshot, options->sections);
    print_counters(snapshot, stats, options->repeat);
    return status;
}

enum pss_exit command_show(int argc, char **argv)
{
    struct options options;
    struct snapshot snapshot;
    struct stats stats;
    HANDLE process;
    enum pss_exit status = options_read_show(argc, argv, &options);

    if (status != EXIT_DONE)
        return status;
    if (options.help)
        return usage_print_command("show");
    status = target_open(options.target, snapshot_access(choose_flags(options.sections)), &process);
    if (status != EXIT_DONE)
        return status;
    memset(&snapshot, 0, sizeof snapshot);
    status = take(process, options.sections, options.repeat, &snapshot, &stats);
    CloseHandle(process);
    if (status == EXIT_DONE)
        status = show(&options, &snapshot, &stats);
    snapshot_free(&snapshot);
    return status;
}
