/* SPDX-License-Identifier: MIT */
/* `pss rebind`: has programs take the Pss functions from pss.dll. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "file_path.h"
#include "json_values.h"
#include "rebind_file.h"
#include "rebind_print.h"
#include "usage.h"

static int is_program(const WCHAR *name)
{
    static const WCHAR *const ends[] = {L".exe", L".dll", L".pyd", L".ocx",
                                        L".cpl", L".scr", L".node"};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (path_ends_with(name, ends[i]))
            return 1;
    return 0;
}

static int is_backup(const WCHAR *name)
{
    return path_ends_with(name, BACKUP_SUFFIX);
}

/** Does what is to be done with a file of a directory. */
static void handle_found(struct rebind *rebind, const WCHAR *directory, const WCHAR *name,
                         const WCHAR *output)
{
    WCHAR *path = path_join(directory, name);
    WCHAR *target = output != NULL ? path_join(output, name) : NULL;

    if (rebind->options->is_restore) {
        path[wcslen(path) - wcslen(BACKUP_SUFFIX)] = L'\0';
        rebind_restore(rebind, path);
    } else {
        rebind_file(rebind, path, target != NULL ? target : path, 0);
    }
    free(target);
    free(path);
}

/** Whether programs of the tree may load what was rebound in another directory of it. */
static int needs_equipment(const struct rebind *rebind)
{
    const struct rebind_options *options = rebind->options;

    return options->is_recursive && rebind->machines != 0 && !options->is_restore &&
           !options->is_dry_run && !options->no_copy && options->output == NULL;
}

static void equip_programs(struct rebind *rebind, const WCHAR *directory,
                           const struct file_list *walk)
{
    for (size_t i = 0; i < walk->count; i++) {
        WCHAR *path = path_join(directory, walk->names[i]);

        if (path_ends_with(path, L".exe"))
            rebind_equip(rebind, path);
        free(path);
    }
}

static enum pss_exit handle_directory(struct rebind *rebind, const WCHAR *directory,
                                      const WCHAR *output)
{
    struct file_list walk;
    enum pss_exit status = walk_list(directory, rebind->options->is_recursive,
                                     rebind->options->is_restore ? is_backup : is_program, &walk);

    for (size_t i = 0; i < walk.count; i++)
        handle_found(rebind, directory, walk.names[i], output);
    if (needs_equipment(rebind))
        equip_programs(rebind, directory, &walk);
    walk_free(&walk);
    return status;
}

/** Whether the output is a directory: it is there, it has to be one, or its name says so. */
static int is_output_directory(const struct rebind *rebind, const WCHAR *output)
{
    size_t length = strlen(rebind->options->output);
    char last = rebind->options->output[length - 1];

    return rebind->options->path_count > 1 || last == '\\' || last == '/' ||
           file_is_directory(output);
}

/** A file that the user named. */
static void handle_named(struct rebind *rebind, const WCHAR *path, const WCHAR *output)
{
    WCHAR *target = NULL;

    if (output != NULL)
        target = is_output_directory(rebind, output) ? path_join(output, path_name(path))
                                                     : path_append(output, L"");
    if (rebind->options->is_restore)
        rebind_restore(rebind, path);
    else
        rebind_file(rebind, path, target != NULL ? target : path, 1);
    free(target);
}

static enum pss_exit handle(struct rebind *rebind, const char *operand, const WCHAR *output)
{
    WCHAR *path = path_full(operand);
    enum pss_exit status = EXIT_DONE;

    if (file_is_directory(path))
        status = handle_directory(rebind, path, output);
    else
        handle_named(rebind, path, output);
    free(path);
    return status;
}

enum pss_exit command_rebind(int argc, char **argv)
{
    struct rebind_options options;
    struct rebind rebind = {.options = &options};
    enum pss_exit status = rebind_options_read(argc, argv, &options);
    WCHAR *output;

    if (status != EXIT_DONE)
        return status;
    if (options.help)
        return usage_print_command("rebind");
    if (options.is_json)
        rebind.documents = json_new_array();
    output = options.output != NULL ? path_full(options.output) : NULL;
    for (int i = 0; i < options.path_count; i++)
        if (handle(&rebind, options.paths[i], output) != EXIT_DONE)
            status = EXIT_RUNTIME;
    free(output);
    if (print_summary(&rebind) != EXIT_DONE)
        status = EXIT_RUNTIME;
    walk_free(&rebind.written);
    return rebind.failed > 0 ? EXIT_RUNTIME : status;
}
