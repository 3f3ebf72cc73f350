/* SPDX-License-Identifier: MIT */
/* `pss read`: captures a process with its memory, and reads a range of it from the clone. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "options.h"
#include "output.h"
#include "target.h"
#include "text.h"
#include "usage.h"
#include "va_clone.h"

#define FLAGS       PSS_CAPTURE_VA_CLONE
#define CHUNK_BYTES ((size_t)1 << 20)

/** Copies the range piece by piece, up to the first byte that cannot be read. */
static enum pss_exit copy_range(HANDLE clone, const struct options *options, struct output *output)
{
    unsigned char *buffer = text_allocate(CHUNK_BYTES);
    enum pss_exit status = EXIT_DONE;
    enum pss_exit finished;
    uint64_t done = 0;
    size_t size = 1;

    while (status == EXIT_DONE && size != 0 && done < options->length) {
        uint64_t rest = options->length - done;

        size = clone_read(clone, options->address + done, buffer,
                          rest < CHUNK_BYTES ? (size_t)rest : CHUNK_BYTES);
        if (size != 0)
            status = output_write(output, buffer, size);
        done += size;
    }
    free(buffer);
    finished = output_fini(output);
    if (size == 0) {
        clone_report_unreadable(clone, options->address + done, done, options->length);
        return EXIT_RUNTIME;
    }
    return status != EXIT_DONE ? status : finished;
}

static enum pss_exit read_range(HANDLE process, const struct options *options)
{
    struct snapshot snapshot;
    struct output output;
    enum pss_exit status;

    memset(&snapshot, 0, sizeof snapshot);
    status = snapshot_take(process, FLAGS, 0, &snapshot);
    if (status != EXIT_DONE)
        return status;
    output_init(&output, options->output, options->address);
    status = copy_range(snapshot.clone.VaCloneHandle, options, &output);
    snapshot_free(&snapshot);
    return status;
}

enum pss_exit command_read(int argc, char **argv)
{
    struct options options;
    HANDLE process;
    enum pss_exit status = options_read_read(argc, argv, &options);

    if (status != EXIT_DONE)
        return status;
    if (options.help)
        return usage_print_command("read");
    status = target_open(options.target, snapshot_access(FLAGS), &process);
    if (status != EXIT_DONE)
        return status;
    status = read_range(process, &options);
    CloseHandle(process);
    return status;
}
