/* SPDX-License-Identifier: MIT */
/* Takes back what `pss rebind` has done with a file. */
#include <stdio.h>
#include <stdlib.h>

#include "file_path.h"
#include "pe_rebind.h"
#include "rebind.h"
#include "rebind_library.h"
#include "rebind_lock.h"
#include "rebind_print.h"
#include "rebind_replace.h"

/** Whether the backup belongs to the file: it is gone, was rebound, or was about to be. */
static int is_ours(const WCHAR *path, const WCHAR *backup)
{
    struct pe_result result;
    enum pe_verdict verdict;
    unsigned char *bytes;
    int is_same, is_rebound;
    size_t size;

    if (!file_exists(path))
        return 1;
    if (file_read(path, PE_MAX_SIZE, &bytes, &size) != EXIT_DONE)
        return 0;
    verdict = pe_rebind(bytes, size, &result);
    is_same = file_holds(backup, bytes, size);
    is_rebound = verdict == PE_ALREADY || (verdict == PE_REBOUND && result.has_section);
    free(bytes);
    free(result.bytes);
    if (!is_rebound && !is_same)
        file_complain(path,
                      "is not a rebound file any more, and the backup may be older; both stay");
    return is_rebound || is_same;
}

/** A link's file is not replaced: others may share it. */
static int is_plain(const WCHAR *path)
{
    WCHAR *place = file_follow(path);

    if (place == NULL)
        return 1;
    file_complain_of(path, "is a link, and is not replaced; its file is", place);
    free(place);
    return 0;
}

static enum pss_exit put_back(const struct rebind *rebind, const WCHAR *path, const WCHAR *backup)
{
    if (!file_exists(backup)) {
        file_complain(path, "there is no backup of it");
        return EXIT_RUNTIME;
    }
    if (!is_plain(path) || !is_plain(backup) || !is_ours(path, backup))
        return EXIT_RUNTIME;
    return rebind->options->is_dry_run ? EXIT_DONE : file_put_back(backup, path);
}

static enum pss_exit restore(struct rebind *rebind, const WCHAR *path, const WCHAR *backup)
{
    int is_dry_run = rebind->options->is_dry_run;
    enum pss_exit status;
    char sentence[96];
    HANDLE lock = NULL;

    if (!is_dry_run && file_exists(backup) && lock_take(path, &lock) != EXIT_DONE)
        return EXIT_RUNTIME;
    status = put_back(rebind, path, backup);
    if (lock != NULL)
        lock_release(lock);
    if (status != EXIT_DONE)
        return status;
    snprintf(sentence, sizeof sentence, "%s%s", is_dry_run ? "would be restored" : "restored",
             library_is_beside(path) ? "; pss.dll beside it stays" : "");
    print_outcome(rebind, path, is_dry_run ? "would be restored" : "restored", sentence, 1);
    return EXIT_DONE;
}

void rebind_restore(struct rebind *rebind, const WCHAR *path)
{
    WCHAR *backup = path_append(path, BACKUP_SUFFIX);

    rebind->files++;
    print_begin(rebind, path);
    if (restore(rebind, path, backup) == EXIT_DONE)
        rebind->changed++;
    else
        print_failed(rebind);
    free(backup);
}
