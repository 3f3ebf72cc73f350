/* SPDX-License-Identifier: MIT */
/* Names of files, asked for on a thread of their own: a driver can hold the question for ever. */
#include "base/errand.h"
#include "base/unicode.h"
#include "capture/capture.h"

#include <string.h>

#define PATIENCE     500u /* milliseconds for one name */
#define STUCK_LIMIT  8u   /* names given up on before the rest is, too */
#define ANSWERS_SIZE 0x40000u

/* Bytes of an answer with so much text, padded for the next one. */
#define ANSWER_SIZE(length) (((uint32_t)sizeof(struct answer) + (uint32_t)(length) + 7) & ~7u)

/* The name that answers a question, in the order asked. */
struct answer {
    uint32_t index;  /* of the handle */
    uint32_t length; /* bytes of the text, which follows */
    WCHAR text[];
};

/* One question after the other, in memory of its own: a stuck thread must not lose its ground. */
struct name_worker {
    const struct pss_nt *nt;
    uint32_t first, count;
    struct pss_errand_state state; /* its steps are the question being asked */
    uint32_t used;                 /* bytes of answers; atomic */
    char answers[ANSWERS_SIZE];
    union {
        UNICODE_STRING name;
        char bytes[PSS_SCRATCH_SIZE];
    } scratch;
    HANDLE questions[]; /* borrowed handles, in a copy; NULL where there is nothing to ask */
};

static void keep_answer(struct name_worker *worker, uint32_t index)
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

/* Ends at the last question, when there may be no room for another answer, or when given up. */
static DWORD NTAPI ask_names(void *parameter)
{
    struct name_worker *worker = parameter;
    uint32_t index = worker->first;

    if (!pss_errand_begin(&worker->state))
        return 0;
    for (; index < worker->count && worker->used <= ANSWERS_SIZE - ANSWER_SIZE(UINT16_MAX);
         index++) {
        if (worker->questions[index] &&
            NT_SUCCESS(worker->nt->query_object(worker->questions[index], PSS_NT_OBJECT_NAME,
                                                &worker->scratch, sizeof(worker->scratch), NULL)))
            keep_answer(worker, index);
        if (!pss_errand_step(&worker->state))
            break;
    }
    return 0;
}

static NTSTATUS take_answers(struct pss_capture *capture, const struct name_worker *worker)
{
    uint32_t used = __atomic_load_n(&worker->used, __ATOMIC_ACQUIRE), offset = 0;
    NTSTATUS status = STATUS_SUCCESS;

    while (offset < used && NT_SUCCESS(status)) {
        const struct answer *answer = (const void *)(worker->answers + offset);
        struct pss_handle_record *record =
            pss_builder_record(&capture->builder, PSS_SECTION_HANDLES, answer->index);

        status = pss_handle_named(capture, record, answer->text, answer->length);
        offset += ANSWER_SIZE(answer->length);
    }
    return status;
}

/*
 * Asks from question *next on, for as many as one thread will answer. A question that is stuck is
 * passed over; if its thread could not be ended, the handle and the memory are left to it.
 */
static NTSTATUS ask_some(struct pss_capture *capture, const struct pss_region *questions,
                         uint32_t *next)
{
    struct pss_errand errand = {.routine = ask_names, .patience = PATIENCE};
    struct pss_region memory = {0};
    struct name_worker *worker;
    uint32_t offset, count = questions->size / (uint32_t)sizeof(HANDLE);
    NTSTATUS status = pss_region_append(capture->nt, &memory,
                                        (uint32_t)sizeof(*worker) + questions->size, 1, &offset);
    NTSTATUS taken;

    if (!NT_SUCCESS(status))
        return status;
    worker = errand.memory = memory.base;
    errand.state = &worker->state;
    worker->nt = capture->nt;
    worker->count = count;
    worker->first = worker->state.steps = *next;
    memcpy(worker->questions, questions->base, questions->size);
    status = pss_errand_run(capture->nt, &errand, next);
    taken = take_answers(capture, worker);
    if (errand.memory)
        pss_region_free(capture->nt, &memory);
    else if (*next < count)
        ((HANDLE *)capture->duplicates.base)[*next] = NULL;
    return NT_SUCCESS(taken) ? status : taken;
}

/* A question for each handle whose name may be held back; answers whether there is one. */
static int collect_questions(struct pss_capture *capture, HANDLE *questions, uint32_t count)
{
    const HANDLE *duplicates = capture->duplicates.base;
    int is_any = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct pss_handle_record *record =
            pss_builder_record(&capture->builder, PSS_SECTION_HANDLES, i);

        questions[i] = pss_handle_may_hang(capture, record) ? duplicates[i] : NULL;
        is_any |= questions[i] != NULL;
    }
    return is_any;
}

NTSTATUS pss_file_names_capture(struct pss_capture *capture)
{
    uint32_t count = pss_builder_count(&capture->builder, PSS_SECTION_HANDLES);
    uint32_t next = 0, stuck = 0, offset;
    struct pss_region questions = {0};
    NTSTATUS status =
        pss_region_append(capture->nt, &questions, count * (uint32_t)sizeof(HANDLE), 1, &offset);

    if (NT_SUCCESS(status) && !collect_questions(capture, questions.base, count))
        next = count;
    while (NT_SUCCESS(status) && next < count && stuck < STUCK_LIMIT) {
        status = ask_some(capture, &questions, &next);
        if (status == STATUS_TIMEOUT || status == STATUS_IO_TIMEOUT) {
            status = STATUS_SUCCESS;
            stuck++;
            next++;
        }
    }
    pss_region_free(capture->nt, &questions);
    return pss_status_soften(status); /* No thread, no names: nothing else may be risked. */
}
