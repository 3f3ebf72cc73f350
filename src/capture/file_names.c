/* SPDX-License-Identifier: MIT */
/* Names of files, and the end of their duplicates, on a thread: a driver can hold either for ever.
 */
#include "base/errand.h"
#include "base/unicode.h"
#include "capture/capture.h"

#include <string.h>

#define PATIENCE     500u /* milliseconds for one name, and for one handle to be closed */
#define STUCK_LIMIT  8u   /* names given up on before the rest is, and then so many handles */
#define ANSWERS_SIZE 0x40000u

/* Bytes of an answer with so much text, padded for the next one. */
#define ANSWER_SIZE(length) (((uint32_t)sizeof(struct answer) + (uint32_t)(length) + 7) & ~7u)

/* The name of a file, in the order asked. */
struct answer {
    uint32_t index;  /* of the handle */
    uint32_t length; /* bytes of the text, which follows */
    WCHAR text[];
};

/* A duplicate to close, and perhaps a name to ask for before. */
struct file {
    HANDLE handle;
    uint32_t index; /* of the handle in the list */
    uint32_t is_asked;
};

/*
 * One file after the other, in memory of its own: a stuck thread must not lose its ground. Steps: 0
 * before any handle is used; then 1, and 1 more when a name has come, and when a handle is closed.
 */
struct worker {
    const struct pss_nt *nt;
    uint32_t first, count;
    struct pss_errand_state state;
    uint32_t used; /* bytes of answers; atomic */
    char answers[ANSWERS_SIZE];
    union {
        UNICODE_STRING name;
        char bytes[PSS_SCRATCH_SIZE];
    } scratch;
    struct file files[]; /* the thread closes what it comes to */
};

static void keep_answer(struct worker *worker, uint32_t index)
{
    SIZE_T length = pss_unicode_length(&worker->scratch, sizeof(worker->scratch));
    struct answer *answer = (struct answer *)(void *)(worker->answers + worker->used);

    if (!length)
        return;
    answer->index = index;
    answer->length = (uint32_t)length;
    memcpy(answer->text, worker->scratch.name.Buffer, length);
    __atomic_store_n(&worker->used, worker->used + ANSWER_SIZE(length), __ATOMIC_RELEASE);
}

static void ask_name(struct worker *worker, const struct file *file)
{
    NTSTATUS status = worker->nt->query_object(file->handle, PSS_NT_OBJECT_NAME, &worker->scratch,
                                               sizeof(worker->scratch), NULL);

    if (NT_SUCCESS(status)) /* else the file has no name */
        keep_answer(worker, file->index);
}

/* Up to the last file, until there may be no room for another answer, or it is abandoned. */
static void finish_some_files(struct worker *worker)
{
    if (!pss_errand_begin(&worker->state) || !pss_errand_step(&worker->state))
        return;
    for (uint32_t i = worker->first;
         i < worker->count && worker->used <= ANSWERS_SIZE - ANSWER_SIZE(UINT16_MAX); i++) {
        if (worker->files[i].is_asked)
            ask_name(worker, &worker->files[i]);
        if (!pss_errand_step(&worker->state))
            break;
        worker->nt->close(worker->files[i].handle); /* A duplicate of ours: it is open. */
        if (!pss_errand_step(&worker->state))
            break;
    }
}

static DWORD NTAPI finish_files(void *parameter)
{
    struct worker *worker = parameter;

    finish_some_files(worker);
    pss_errand_leave(&worker->state); /* The memory is the owner's. */
    return 0;
}

static NTSTATUS take_answers(struct pss_capture *capture, const struct worker *worker)
{
    uint32_t used = __atomic_load_n(&worker->used, __ATOMIC_ACQUIRE), offset = 0;
    NTSTATUS status = STATUS_SUCCESS;

    while (offset < used && NT_SUCCESS(status)) {
        const struct answer *answer = (const void *)(worker->answers + offset);

        status = pss_handle_named(capture, pss_handle_at(capture, answer->index), answer->text,
                                  answer->length);
        offset += ANSWER_SIZE(answer->length);
    }
    return status;
}

/*
 * Passes over what a thread has done, and what it was abandoned with. A handle that it still has to
 * close is closed by the next thread, if this one has ended; else it is left to it. One that it was
 * closing is left alone: its value may be somebody else's by now.
 */
static void pass_over(struct pss_region *files, uint32_t steps, NTSTATUS status, uint32_t *next)
{
    uint32_t count = files->size / (uint32_t)sizeof(struct file);
    int was_closing = steps % 2 == 0;

    if (!steps)
        return; /* It never began. */
    *next += (steps - 1) / 2;
    if (*next >= count)
        return;
    if (was_closing || status == STATUS_IO_TIMEOUT)
        ++*next;
    else if (status != STATUS_SUCCESS)
        ((struct file *)files->base)[*next].is_asked = 0;
}

/* Has one thread finish as many files from number *next on as it can. */
static NTSTATUS finish_some(struct pss_capture *capture, struct pss_region *files, uint32_t *next)
{
    struct pss_errand errand = {.routine = finish_files, .patience = PATIENCE};
    struct pss_region memory = {0};
    struct worker *worker;
    uint32_t offset, steps = 0;
    NTSTATUS status = pss_region_append(capture->nt, &memory,
                                        (uint32_t)sizeof(*worker) + files->size, 1, &offset);
    NTSTATUS taken;

    if (!NT_SUCCESS(status))
        return status;
    worker = errand.memory = memory.base;
    errand.state = &worker->state;
    worker->nt = capture->nt;
    worker->first = *next;
    worker->count = files->size / (uint32_t)sizeof(struct file);
    memcpy(worker->files, files->base, files->size);
    status = pss_errand_run(capture->nt, &errand, &steps);
    taken = take_answers(capture, worker);
    if (errand.memory)
        pss_region_free(capture->nt, &memory);
    pass_over(files, steps, status, next);
    return NT_SUCCESS(taken) ? status : taken;
}

/* What drivers have no part in, and what there is no room for, is closed at once. */
static NTSTATUS append_file(const struct pss_capture *capture, struct pss_region *files,
                            struct file file, int is_plain)
{
    NTSTATUS status = STATUS_SUCCESS;
    uint32_t offset;

    if (!file.handle)
        return status;
    if (!is_plain)
        status = pss_region_append(capture->nt, files, sizeof(file), 1, &offset);
    if (is_plain || !NT_SUCCESS(status))
        capture->nt->close(file.handle);
    else
        *(struct file *)pss_region_at(files, offset) = file;
    return status;
}

/* Takes all duplicates that are still open. */
static NTSTATUS collect_files(struct pss_capture *capture, struct pss_region *files)
{
    uint32_t count = capture->duplicates.size / (uint32_t)sizeof(struct pss_duplicate);
    uint32_t extras = capture->extras.size / (uint32_t)sizeof(struct pss_extra);
    NTSTATUS status = STATUS_SUCCESS, appended;

    for (uint32_t i = 0; i < count; i++) {
        struct pss_duplicate *held = pss_duplicate_at(capture, i);
        struct file file = {held->handle, i, held->awaits_name};

        held->handle = NULL;
        appended = append_file(capture, files, file, held->is_plain);
        status = NT_SUCCESS(appended) ? status : appended;
    }
    for (uint32_t i = 0; i < extras; i++) {
        struct pss_extra *extra = (struct pss_extra *)capture->extras.base + i;
        struct file file = {.handle = extra->handle};

        extra->handle = NULL;
        appended = append_file(capture, files, file, (int)extra->is_plain);
        status = NT_SUCCESS(appended) ? status : appended;
    }
    return status;
}

static void ask_no_more(struct pss_region *files)
{
    for (uint32_t i = 0; i < files->size / sizeof(struct file); i++)
        ((struct file *)files->base)[i].is_asked = 0;
}

/*
 * Where no thread can be had, nothing is asked for: the handles are closed by the caller. What is
 * left when too many could not be closed in time stays open: the caller must not hang at it.
 */
NTSTATUS pss_files_finish(struct pss_capture *capture)
{
    struct pss_region files = {0};
    uint32_t next = 0, stuck = 0, count;
    NTSTATUS status = collect_files(capture, &files);

    count = files.size / (uint32_t)sizeof(struct file);
    while (NT_SUCCESS(status) && next < count && stuck < 2 * STUCK_LIMIT) {
        uint32_t first = next;

        status = finish_some(capture, &files, &next);
        if (status == STATUS_TIMEOUT || status == STATUS_IO_TIMEOUT ||
            (status == STATUS_SUCCESS && next == first)) {
            status = STATUS_SUCCESS;
            stuck++;
        }
        if (stuck == STUCK_LIMIT)
            ask_no_more(&files);
    }
    for (; next < count && !NT_SUCCESS(status); next++)
        capture->nt->close(((const struct file *)files.base)[next].handle);
    pss_region_free(capture->nt, &files);
    return pss_status_soften(status);
}
