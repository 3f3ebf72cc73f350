/* SPDX-License-Identifier: MIT */
/* What `pss rebind` does with one file. */
#include "rebind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file_path.h"
#include "pe_rebind.h"
#include "rebind_file.h"
#include "rebind_library.h"

/** Prints "path: ". */
static void print_path(const WCHAR *path)
{
    char *shown = path_show(path);

    printf("%s: ", shown);
    free(shown);
}

/** A message about a file that stays as it is. */
static void report_path(const WCHAR *path, const char *message)
{
    char *shown = path_show(path);

    report("%s: %s", shown, message);
    free(shown);
}

/** Says how many functions move, and what else a user should know. */
static void print_changes(const struct pe_result *result, const char *verb)
{
    uint32_t count = result->linked + result->delayed + result->hastened;

    printf("%s: %u import%s from pss.dll", verb, (unsigned)count, count == 1 ? "" : "s");
    if (result->delayed > 0)
        printf(", %u of them delay-loaded as before", (unsigned)result->delayed);
    if (result->hastened > 0)
        printf(", %u of them no longer delay-loaded", (unsigned)result->hastened);
    if (result->lost_signature)
        printf("; its signature is void and was left out");
}

/** The name of the original from now on; NULL if none is to be kept. For free(). */
static WCHAR *choose_backup(const struct rebind *rebind, const WCHAR *path, const WCHAR *target,
                            const struct pe_result *result)
{
    WCHAR *backup;

    if (rebind->options->no_backup || path != target)
        return NULL;
    backup = path_append(path, BACKUP_SUFFIX);
    if (result->was_rebound && file_exists(backup)) {
        free(backup); /* That one is the original; this file is not. */
        return NULL;
    }
    return backup;
}

/** Writes the new form where it belongs. */
static enum pss_exit write_file(const struct rebind *rebind, const WCHAR *path, const WCHAR *target,
                                const struct pe_result *result)
{
    WCHAR *backup = choose_backup(rebind, path, target, result);
    enum pss_exit status = file_replace(target, result->bytes, result->size, backup);

    if (status == EXIT_DONE) {
        print_path(target);
        print_changes(result, "rebound");
        if (backup != NULL)
            printf("; the original is beside it");
        putchar('\n');
    }
    free(backup);
    return status;
}

/** The library first: a rebound file without it would not start. */
static enum pss_exit store(const struct rebind *rebind, const WCHAR *path, const WCHAR *target,
                           const struct pe_result *result, enum library_state state)
{
    WCHAR *directory = path_parent(target);
    enum pss_exit status = file_make_directory(directory);

    free(directory);
    if (status == EXIT_DONE && state == LIBRARY_MISSING)
        status = library_copy(target, result->machine);
    if (status != EXIT_DONE)
        return status;
    status = write_file(rebind, path, target, result);
    if (status != EXIT_DONE && state == LIBRARY_MISSING)
        library_remove(target);
    if (status == EXIT_DONE && state == LIBRARY_OTHER)
        report_path(target, "beside it is another pss.dll, which was kept");
    return status;
}

/** Decides whether the new form can be used, and uses it unless it is only a question. */
static enum pss_exit apply(const struct rebind *rebind, const WCHAR *path, const WCHAR *target,
                           const struct pe_result *result)
{
    enum library_state state = LIBRARY_THERE;

    if (path != target && file_is_same(path, target)) {
        report_path(path, "--output names the file itself");
        return EXIT_RUNTIME;
    }
    if (!rebind->options->no_copy)
        state = library_check(target, result->machine);
    if (state == LIBRARY_UNUSABLE)
        return EXIT_RUNTIME;
    if (!rebind->options->is_dry_run)
        return store(rebind, path, target, result, state);
    print_path(path);
    print_changes(result, "would be rebound");
    putchar('\n');
    return EXIT_DONE;
}

/** Kinds of files that have nothing to do with us, unless the user says otherwise. */
static int is_skipped(enum pe_verdict verdict)
{
    return verdict == PE_MANAGED || verdict == PE_PACKED || verdict == PE_NOT_PE ||
           verdict == PE_16BIT || verdict == PE_OTHER_MACHINE;
}

static void leave_alone(struct rebind *rebind, const WCHAR *path, enum pe_verdict verdict,
                        int is_named)
{
    if (verdict == PE_NOTHING || verdict == PE_ALREADY || (is_skipped(verdict) && !is_named)) {
        if (verdict == PE_NOTHING)
            rebind->unchanged++;
        else if (verdict == PE_ALREADY)
            rebind->already++;
        else
            rebind->skipped++;
        print_path(path);
        printf("%s: %s\n", is_skipped(verdict) ? "skipped" : "nothing to do",
               pe_verdict_text(verdict));
        return;
    }
    rebind->failed++;
    report_path(path, pe_verdict_text(verdict));
}

void rebind_file(struct rebind *rebind, const WCHAR *path, const WCHAR *target, int is_named)
{
    struct pe_result result;
    enum pe_verdict verdict;
    unsigned char *bytes;
    size_t size;

    rebind->files++;
    if (file_read(path, PE_MAX_SIZE, &bytes, &size) != EXIT_DONE) {
        rebind->failed++;
        return;
    }
    verdict = pe_rebind(bytes, size, &result);
    free(bytes);
    if (verdict != PE_REBOUND)
        leave_alone(rebind, path, verdict, is_named);
    else if (apply(rebind, path, target, &result) == EXIT_DONE)
        rebind->changed++;
    else
        rebind->failed++;
    free(result.bytes);
}

/** Whether the backup belongs to the file: it is gone, or one that was rebound. */
static int is_ours(const WCHAR *path)
{
    struct pe_result result;
    enum pe_verdict verdict;
    unsigned char *bytes;
    size_t size;

    if (!file_exists(path))
        return 1;
    if (file_read(path, PE_MAX_SIZE, &bytes, &size) != EXIT_DONE)
        return 0;
    verdict = pe_rebind(bytes, size, &result);
    free(bytes);
    free(result.bytes);
    if (verdict != PE_ALREADY)
        report_path(path, "is not a rebound file any more, and the backup may be older; both stay");
    return verdict == PE_ALREADY;
}

static enum pss_exit restore(const struct rebind *rebind, const WCHAR *path, const WCHAR *backup)
{
    if (!file_exists(backup)) {
        report_path(path, "there is no backup of it");
        return EXIT_RUNTIME;
    }
    if (!is_ours(path))
        return EXIT_RUNTIME;
    if (!rebind->options->is_dry_run && file_put_back(backup, path) != EXIT_DONE)
        return EXIT_RUNTIME;
    print_path(path);
    fputs(rebind->options->is_dry_run ? "would be restored" : "restored", stdout);
    puts(library_is_beside(path) ? "; pss.dll beside it stays" : "");
    return EXIT_DONE;
}

void rebind_restore(struct rebind *rebind, const WCHAR *path)
{
    WCHAR *backup = path_append(path, BACKUP_SUFFIX);

    rebind->files++;
    if (restore(rebind, path, backup) == EXIT_DONE)
        rebind->changed++;
    else
        rebind->failed++;
    free(backup);
}
