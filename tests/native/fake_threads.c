/* SPDX-License-Identifier: MIT */
/* Created threads: run at once, or as real ones that can hang in a service and be terminated. */
#include "fake_threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#define SLOW_WAITS 3u /* in vain, until what is slow is answered */

struct worker {
    struct worker *next;
    struct fake_object *object;
    DWORD(NTAPI *routine)(void *);
    void *parameter;
    pthread_t thread;
    enum fake_hang hang; /* FAKE_ANSWERS: it does not hang */
    uint32_t waits;      /* that were in vain */
    uint8_t is_real, is_terminated, has_ended, is_let_go;
};

static struct worker *workers;
static _Thread_local struct worker *current;

static struct worker *find_worker(HANDLE handle)
{
    const struct fake_handle *found = fake_handle_find(fake.own, handle);
    struct worker *worker = workers;

    while (worker && (!found || worker->object != found->object))
        worker = worker->next;
    return worker;
}

static void end_worker(struct worker *worker)
{
    worker->has_ended = 1;
    worker->hang = FAKE_ANSWERS;
    fake_announce_change();
}

static void *run_worker(void *parameter)
{
    current = parameter;
    current->routine(current->parameter);
    fake_lock();
    end_worker(current);
    fake_unlock();
    return NULL;
}

NTSTATUS fake_worker_create(HANDLE *handle, ACCESS_MASK access, void *routine, void *parameter)
{
    struct worker *worker = calloc(1, sizeof(*worker));

    if (!worker)
        abort();
    *(void **)&worker->routine = routine;
    worker->parameter = parameter;
    worker->object = fake_object_add(FAKE_THREAD);
    worker->object->is_client = 0;
    worker->next = workers;
    workers = worker;
    *handle = fake_handle_open_library(worker->object, access);
    if (!fake.runs_threads_at_once) {
        worker->is_real = 1;
        return pthread_create(&worker->thread, NULL, run_worker, worker)
                   ? STATUS_INSUFFICIENT_RESOURCES
                   : STATUS_SUCCESS;
    }
    fake_unlock();
    worker->routine(parameter);
    fake_lock();
    end_worker(worker);
    return STATUS_SUCCESS;
}

/* Whether nothing holds it in a service any more. */
static int is_free(const struct worker *worker)
{
    switch (worker->hang) {
    case FAKE_IS_SLOW:
        return worker->waits >= SLOW_WAITS || worker->is_let_go;
    case FAKE_HANGS:
        return worker->is_terminated || worker->is_let_go;
    case FAKE_HANGS_FOR_GOOD:
        return worker->is_let_go;
    default:
        return 1;
    }
}

NTSTATUS fake_worker_wait(HANDLE handle)
{
    struct worker *worker = find_worker(handle);

    if (handle == PSS_CURRENT_THREAD) {
        fake_unlock();
        sched_yield(); /* a pause: nobody outlives himself */
        fake_lock();
        return STATUS_TIMEOUT;
    }
    if (!worker)
        return STATUS_INVALID_HANDLE;
    while (!worker->has_ended) {
        if (!is_free(worker)) {
            worker->waits++;
            fake_announce_change();
            return STATUS_TIMEOUT;
        }
        fake_wait_for_change();
    }
    return STATUS_SUCCESS;
}

NTSTATUS fake_worker_terminate(HANDLE handle)
{
    struct worker *worker = find_worker(handle);

    if (!worker)
        return STATUS_INVALID_HANDLE;
    worker->is_terminated = 1;
    fake_announce_change();
    return STATUS_SUCCESS;
}

void fake_worker_hang(enum fake_hang hang)
{
    if (!current)
        abort(); /* The calling thread of the library must never ask what may hang. */
    current->hang = hang;
    current->waits = 0;
    fake_announce_change();
    while (!is_free(current))
        fake_wait_for_change();
    if (hang != FAKE_IS_SLOW && !(current->is_let_go && fake.answers_at_last)) {
        end_worker(current);
        fake_unlock();
        pthread_exit(NULL);
    }
    current->hang = FAKE_ANSWERS;
    fake_announce_change();
}

uint64_t fake_threads_running(void)
{
    uint64_t count = 0;

    for (const struct worker *worker = workers; worker; worker = worker->next)
        count += !worker->has_ended;
    return count;
}

void fake_threads_let_go(void)
{
    struct worker *worker;

    fake_lock();
    for (worker = workers; worker; worker = worker->next)
        worker->is_let_go = 1;
    fake_announce_change();
    fake_unlock();
    while ((worker = workers)) {
        workers = worker->next;
        if (worker->is_real)
            pthread_join(worker->thread, NULL);
        free(worker);
    }
}
