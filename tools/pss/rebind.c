/* SPDX-License-Identifier: MIT */
/* What `pss rebind` does with one file. */
#include "rebind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file_path.h"
#include "rebind_library.h"
#include "rebind_lock.h"
#include "rebind_missing.h"
#include "rebind_print.h"
#include "rebind_replace.h"
#include "rebind_words.h"

/** A file, and what was found in it. */
struct job {
    struct rebind *rebind;
    const WCHAR *path;
    const WCHAR *target; /* where the new form goes; may be \p path */
    int is_named;
    unsigned char *bytes; /* owned; the file as it was read */
    size_t size;
    enum pe_verdict verdict;
    struct pe_result result; /* owns the new form */
};

/** Reads the file, once more if need be, and makes its new form. */
static enum pss_exit read_job(struct job *job)
{
    enum pss_exit status;

    free(job->bytes);
    free(job->result.bytes);
    job->bytes = NULL;
    memset(&job->result, 0, sizeof job->result);
    status = file_read(job->path, PE_MAX_SIZE, &job->bytes, &job->size);
    if (status == EXIT_DONE)
        job->verdict = pe_rebind(job->bytes, job->size, &job->result);
    return status;
}

/** What moves to another offset. */
static void note_trailing(struct job *job)
{
    char sentence[SENTENCE_SIZE] = "";

    if (job->result.trailing == 0)
        return;
    words_append(sentence, "note: the %u bytes behind its sections moved back by ",
                 (unsigned)job->result.trailing);
    words_append(sentence,
                 "%u; if it finds them by their offset in the file, use 'pss run' instead",
                 (unsigned)(job->result.size - job->size));
    print_note(job->rebind, job->path, sentence);
}

/** Whether a backup is one of an earlier version of the program, which needed the same. */
static int is_older_original(const WCHAR *backup)
{
    struct pe_result result = {0};
    unsigned char *bytes;
    enum pe_verdict verdict;
    size_t size;

    if (file_load(backup, PE_MAX_SIZE, &bytes, &size) != ERROR_SUCCESS)
        return 0;
    verdict = pe_rebind(bytes, size, &result);
    free(result.bytes);
    free(bytes);
    return verdict == PE_REBOUND;
}

/**
 * Chooses the name of the original from now on.
 *
 * \param backup [out] For free(); NULL if none is to be made.
 * \return EXIT_DONE · EXIT_RUNTIME, reported: what has that name is somebody else's.
 */
static enum pss_exit choose_backup(struct job *job, WCHAR **backup)
{
    WCHAR *name;

    *backup = NULL;
    if (job->rebind->options->no_backup || job->path != job->target)
        return EXIT_DONE;
    name = path_append(job->path, BACKUP_SUFFIX);
    if (file_exists(name) && (job->result.has_section || file_holds(name, job->bytes, job->size))) {
        free(name); /* That one is the original. */
        return EXIT_DONE;
    }
    if (file_exists(name) && !is_older_original(name)) {
        file_complain(name, "is in the way, and is no backup of that program; move it away");
        free(name);
        return EXIT_RUNTIME;
    }
    if (file_exists(name)) {
        file_remove(name);
        print_note(job->rebind, name,
                   "note: the original of an earlier version is replaced by that of this one");
    }
    *backup = name;
    return EXIT_DONE;
}

/** Writes the new form where it belongs. */
static enum pss_exit write_file(struct job *job)
{
    struct replacement wanted = {
        .path = job->target, .bytes = job->result.bytes, .size = job->result.size};
    char sentence[SENTENCE_SIZE];
    enum pss_exit status;
    WCHAR *backup;

    if (choose_backup(job, &backup) != EXIT_DONE)
        return EXIT_RUNTIME;
    wanted.backup = backup;
    if (job->path == job->target) {
        wanted.old = job->bytes;
        wanted.old_size = job->size;
    }
    status = file_replace(&wanted);
    if (status == EXIT_DONE) {
        words_changes(&job->result, "rebound", sentence);
        if (job->path == job->target && !job->rebind->options->no_backup)
            words_append(sentence, "; the original is beside it", 0);
        print_outcome(job->rebind, job->target, "rebound", sentence, 1);
    }
    free(backup);
    return status;
}

/** The library first: a rebound file without it would not start. */
static enum pss_exit store(struct job *job, enum library_state state)
{
    enum pss_exit status = EXIT_DONE;

    if (state == LIBRARY_MISSING)
        status = library_copy(job->target, job->result.machine);
    if (status != EXIT_DONE)
        return status;
    status = write_file(job);
    if (status != EXIT_DONE && state == LIBRARY_MISSING)
        library_remove(job->target);
    return status;
}

/** What has to hold before anything is written. */
static enum pss_exit check_target(struct job *job)
{
    WCHAR *place;

    if (job->path != job->target) {
        if (file_is_same(job->path, job->target)) {
            file_complain(job->path, "--output names the file itself");
            return EXIT_RUNTIME;
        }
        for (size_t i = 0; i < job->rebind->written.count; i++)
            if (_wcsicmp(job->rebind->written.names[i], job->target) == 0) {
                file_complain(job->path,
                              "another file of that name went to --output; use another directory");
                return EXIT_RUNTIME;
            }
        walk_add(&job->rebind->written, path_append(job->target, L""));
        return EXIT_DONE;
    }
    place = file_follow(job->path);
    if (place == NULL)
        return EXIT_DONE;
    file_complain_of(job->path,
                     "is a link, and other programs may share its file; put a copy in its place, "
                     "or rebind",
                     place);
    free(place);
    return EXIT_RUNTIME;
}

/** Decides whether the new form can be used, and uses it unless it is only a question. */
static enum pss_exit apply(struct job *job)
{
    const struct rebind_options *options = job->rebind->options;
    enum library_state state = LIBRARY_THERE;
    char sentence[SENTENCE_SIZE];

    if (!options->no_copy)
        state = library_check(job->target, job->result.machine);
    if (state == LIBRARY_UNUSABLE)
        return EXIT_RUNTIME;
    if (options->is_dry_run) {
        words_changes(&job->result, "would be rebound", sentence);
        print_outcome(job->rebind, job->path, "would be rebound", sentence, 1);
    } else if (store(job, state) != EXIT_DONE) {
        return EXIT_RUNTIME;
    }
    if (state == LIBRARY_OTHER)
        file_complain(job->target, "beside it is another pss.dll, which was kept");
    note_trailing(job);
    missing_report(job->rebind, job->target, job->result.bytes, job->result.size);
    return EXIT_DONE;
}

/** Kinds of files that have nothing to do with us, unless the user says otherwise. */
static int is_skipped(enum pe_verdict verdict)
{
    return verdict == PE_MANAGED || verdict == PE_PACKED || verdict == PE_NOT_PE ||
           verdict == PE_16BIT || verdict == PE_OTHER_MACHINE;
}

/** What is not seen of a program that imports no function itself. */
static void note_unseen(struct job *job)
{
    if (job->verdict != PE_NOTHING)
        return;
    if (job->result.has_other_library && (job->is_named || job->rebind->options->is_verbose))
        print_note(job->rebind, job->path,
                   "note: the pss.dll that it imports from is another library");
    if (!job->result.is_program || job->result.trailing == 0)
        return;
    job->rebind->unseen++;
    if (job->is_named || job->rebind->options->is_verbose)
        print_note(job->rebind, job->path,
                   "note: data follows its sections; if DLLs are unpacked from there when it runs, "
                   "as PyInstaller's one-file programs do, 'pss run' reaches them");
}

static void leave_alone(struct job *job)
{
    struct rebind *rebind = job->rebind;
    enum pe_verdict verdict = job->verdict;
    int has_nothing = verdict == PE_NOTHING || verdict == PE_ALREADY || verdict == PE_USES_PSS;
    char sentence[SENTENCE_SIZE];

    if (!has_nothing && (!is_skipped(verdict) || job->is_named)) {
        file_complain(job->path, pe_verdict_text(verdict));
        print_failed(rebind);
        return;
    }
    if (verdict == PE_ALREADY)
        rebind->already++;
    else if (has_nothing)
        rebind->unchanged++;
    else
        rebind->skipped++;
    snprintf(sentence, sizeof sentence, "%s: %s", has_nothing ? "nothing to do" : "skipped",
             pe_verdict_text(verdict));
    print_outcome(rebind, job->path, has_nothing ? "nothing to do" : "skipped", sentence,
                  job->is_named);
    note_unseen(job);
}

/** Reads the file again when nobody else works in the directory, and rebinds it. */
static enum pss_exit change(struct job *job)
{
    WCHAR *directory = path_parent(job->target);
    enum pss_exit status = check_target(job);
    HANDLE lock;

    if (status == EXIT_DONE && !job->rebind->options->is_dry_run) {
        status = file_make_directory(directory);
        if (status == EXIT_DONE)
            status = lock_take(job->target, &lock);
        if (status == EXIT_DONE) {
            status = read_job(job);
            if (status == EXIT_DONE && job->verdict == PE_REBOUND)
                status = apply(job);
            lock_release(lock);
        }
    } else if (status == EXIT_DONE) {
        status = apply(job);
    }
    free(directory);
    return status;
}

/** Notes for which programs pss.dll may be needed. */
static void note_machine(struct job *job)
{
    if (job->verdict == PE_REBOUND || job->verdict == PE_ALREADY)
        job->rebind->machines |= job->result.machine == PE_MACHINE_X64 ? REBIND_X64 : REBIND_X86;
}

void rebind_file(struct rebind *rebind, const WCHAR *path, const WCHAR *target, int is_named)
{
    struct job job = {.rebind = rebind, .path = path, .target = target, .is_named = is_named};
    enum pss_exit status;

    rebind->files++;
    print_begin(rebind, path);
    status = read_job(&job);
    if (status == EXIT_DONE && job.verdict == PE_REBOUND)
        status = change(&job);
    if (status != EXIT_DONE) {
        print_failed(rebind);
    } else if (job.verdict == PE_REBOUND) {
        rebind->changed++;
        note_machine(&job);
    } else {
        leave_alone(&job);
        note_machine(&job);
    }
    free(job.bytes);
    free(job.result.bytes);
}
