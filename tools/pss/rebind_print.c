/* SPDX-License-Identifier: MIT */
/* What `pss rebind` says of each file: lines, or one JSON document for all. */
#include "rebind_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file_path.h"
#include "json.h"
#include "json_values.h"
#include "pss.h"
#include "rebind_error.h"
#include "text.h"

static void print_line(const WCHAR *path, const char *sentence)
{
    char *shown = path_show(path);

    text_clean(shown);
    printf("%s: %s\n", shown, sentence);
    free(shown);
}

void print_begin(struct rebind *rebind, const WCHAR *path)
{
    char *shown;

    if (rebind->documents == NULL)
        return;
    shown = path_show(path);
    rebind->document = json_new_object();
    json_add(rebind->documents, rebind->document);
    json_put_text(rebind->document, "path", shown);
    json_put_text(rebind->document, "result", "failed");
    json_put(rebind->document, "detail", json_null());
    json_put(rebind->document, "notes", json_new_array());
    json_put(rebind->document, "missing", json_new_array());
    free(shown);
}

void print_outcome(struct rebind *rebind, const WCHAR *path, const char *result,
                   const char *sentence, int is_shown)
{
    if (rebind->documents != NULL) {
        json_put_text(rebind->document, "result", result);
        json_put_text(rebind->document, "detail", sentence);
    } else if (is_shown || rebind->options->is_verbose) {
        print_line(path, sentence);
    }
}

void print_note(struct rebind *rebind, const WCHAR *path, const char *sentence)
{
    if (rebind->documents != NULL)
        json_add(json_object_get(rebind->document, "notes"), json_string(sentence));
    else
        print_line(path, sentence);
}

void print_failed(struct rebind *rebind)
{
    rebind->failed++;
    if (rebind->documents != NULL)
        json_put_text(rebind->document, "detail", report_last());
}

/** Letters that every terminal and every document takes. */
static char *clean(const char *name)
{
    size_t length = strlen(name);
    char *result = text_allocate(length + 1);

    for (size_t i = 0; i <= length; i++)
        result[i] = name[i] == '\0' || (name[i] >= ' ' && name[i] <= '~') ? name[i] : '?';
    return result;
}

void print_missing(struct rebind *rebind, const WCHAR *path, const char *dll, const char *function,
                   const char *effect)
{
    char *shown = path_show(path), *library = clean(dll);
    char *name = function != NULL ? clean(function) : NULL;

    if (rebind->documents != NULL) {
        json_t *entry = json_new_object();

        json_put_text(entry, "file", shown);
        json_put_text(entry, "dll", library);
        json_put(entry, "function", name != NULL ? json_string(name) : json_null());
        json_put_text(entry, "effect", effect);
        json_add(json_object_get(rebind->document, "missing"), entry);
    } else {
        text_clean(shown);
        printf("%s: still missing here: %s%s%s; %s\n", shown, library, name != NULL ? "!" : "",
               name != NULL ? name : "", effect);
    }
    free(name);
    free(library);
    free(shown);
}

static enum pss_exit print_document(struct rebind *rebind)
{
    json_t *document = json_new_object(), *summary = json_new_object();

    json_put_text(document, "version", PSS_VERSION_STRING);
    json_put(document, "files", rebind->documents);
    rebind->documents = NULL;
    json_put_number(summary, "files", rebind->files);
    json_put_number(summary, rebind->options->is_restore ? "restored" : "rebound", rebind->changed);
    json_put_number(summary, "rebound_before", rebind->already);
    json_put_number(summary, "nothing_to_do", rebind->unchanged);
    json_put_number(summary, "skipped", rebind->skipped);
    json_put_number(summary, "failed", rebind->failed);
    json_put(summary, "dry_run", json_boolean(rebind->options->is_dry_run));
    json_put(document, "summary", summary);
    return json_write(document);
}

enum pss_exit print_summary(struct rebind *rebind)
{
    const char *done = rebind->options->is_restore ? "restored" : "rebound";
    const char *would = rebind->options->is_dry_run ? "to be " : "";

    if (rebind->documents != NULL)
        return print_document(rebind);
    printf("%u file%s: %u %s%s", rebind->files, rebind->files == 1 ? "" : "s", rebind->changed,
           would, done);
    if (!rebind->options->is_restore)
        printf(", %u rebound before, %u with nothing to do, %u skipped", rebind->already,
               rebind->unchanged, rebind->skipped);
    printf(", %u failed\n", rebind->failed);
    if (rebind->changed == 0 && rebind->already == 0 && rebind->unseen > 0 &&
        !rebind->options->is_verbose && rebind->files > 1)
        puts("Some programs may unpack DLLs when they run; --verbose tells which, and 'pss run' "
             "reaches them.");
    return EXIT_DONE;
}
