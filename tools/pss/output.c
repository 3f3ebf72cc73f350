/* SPDX-License-Identifier: MIT */
/* Where `pss read` writes: a hex dump for people, or the bytes as they are. */
#include "output.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

void output_init(struct output *output, const char *path, uint64_t address)
{
    memset(output, 0, sizeof *output);
    output->path = path;
    output->dump.address = address;
}

/** Reports what the C runtime kept of the system's error. */
static enum pss_exit report_file(const char *path)
{
    return report_problem(_doserrno, "cannot write to '%s'", path);
}

static enum pss_exit open_file(struct output *output)
{
    WCHAR *path;

    if (output->path == NULL || strcmp(output->path, "-") == 0) {
        output->file = stdout;
        return EXIT_DONE;
    }
    path = text_to_wide(output->path);
    output->file = _wfopen(path, L"wb");
    free(path);
    return output->file != NULL ? EXIT_DONE : report_file(output->path);
}

enum pss_exit output_write(struct output *output, const unsigned char *bytes, size_t size)
{
    if (output->file == NULL && open_file(output) != EXIT_DONE)
        return EXIT_RUNTIME;
    if (output->path == NULL)
        hexdump_add(&output->dump, bytes, size, output->file);
    else
        fwrite(bytes, 1, size, output->file);
    if (!ferror(output->file))
        return EXIT_DONE;
    return output->file == stdout ? EXIT_RUNTIME : report_file(output->path);
}

enum pss_exit output_fini(struct output *output)
{
    FILE *file = output->file;
    enum pss_exit status;

    if (file == NULL)
        return EXIT_DONE;
    if (output->path == NULL)
        hexdump_end(&output->dump, file);
    output->file = NULL;
    if (file == stdout)
        return ferror(file) ? EXIT_RUNTIME : EXIT_DONE;
    if (ferror(file)) {
        fclose(file); /* The failed write was reported. */
        return EXIT_RUNTIME;
    }
    status = fflush(file) == 0 ? EXIT_DONE : report_file(output->path);
    if (fclose(file) != 0 && status == EXIT_DONE)
        return report_file(output->path);
    return status;
}
