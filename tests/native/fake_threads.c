/* SPDX-License-Identifier: MIT */
/* Created threads: they run by turns, or freely; they wait, hang in a service, are terminated. */
#include "fake_threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOW_WAITS   3u       /* in vain, until what is slow is answered */
#define STACK_SIZE   0x40000u /* bytes */
#define PASSES_LIMIT 100u     /* of time, while the caller is suspended */
#define FIRST_ID     0x10000u /* of a worker; each has 4 more */

/*
 * By turns: a created thread runs until it ends, hangs or waits in vain, and only then does its
 * creator go on; after that it runs again while somebody waits. So each run of a test makes the
 * same calls in the same order.
 */
struct worker {
    struct worker *next;
    struct fake_object *object;
    DWORD(NTAPI *routine)(void *);
    void *parameter;
    pthread_t thread;
    uint32_t id;
    enum fake_hang hang;         /* FAKE_ANSWERS: it does not hang */
    uint32_t waits;              /* that were in vain */
    struct fake_object *awaited; /* NULL: it does not wait */
    uint8_t is_held_back;        /* it has not begun, and does so when it is let go */
    uint8_t is_timed, is_late;   /* its wait ends at some time; that time has come */
    uint8_t is_ending;           /* its routine has returned, and it ends when it is let go */
    uint8_t has_turn, is_terminated, has_ended, is_let_go;
};

static struct worker *workers;
static _Thread_local struct worker *current;

static struct worker *find_worker(const struct fake_object *object)
{
    struct worker *worker = workers;

    while (worker && worker->object != object)
        worker = worker->next;
    return worker;
}

/* It is a thread of the own process like any other, as long as it lives. */
static void add_to_process(struct worker *worker)
{
    struct fake_thread *thread = fake_thread_add(fake.own, worker->id);

    worker->object = &thread->object;
}

static void take_from_process(const struct worker *worker)
{
    struct fake_process *own = fake.own;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < own->thread_count; i++)
        if (&own->threads[i]->object != worker->object)
            own->threads[kept++] = own->threads[i];
    own->thread_count = kept;
}

static void end_worker(struct worker *worker)
{
    take_from_process(worker);
    worker->has_ended = 1;
    worker->hang = FAKE_ANSWERS;
    fake_announce_change();
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

static int is_waitable(const struct fake_object *object)
{
    return object->type == FAKE_EVENT || object->type == FAKE_MUTANT ||
           object->type == FAKE_PROCESS || object == &fake.caller->object || find_worker(object);
}

static int is_signaled(const struct fake_object *object)
{
    const struct worker *worker = find_worker(object);

    if (worker)
        return worker->has_ended;
    if (object->type == FAKE_MUTANT)
        return object->mutant.current_count > 0;
    if (object->type == FAKE_PROCESS)
        return ((const struct fake_process *)(const void *)object)->times.exit_time.QuadPart != 0;
    return object->type == FAKE_EVENT && object->event.state;
}

/* Ends the wait for it, if it can end. */
static int take_signal(struct fake_object *object)
{
    if (!is_signaled(object))
        return 0;
    if (object->type == FAKE_EVENT && object->event.type == (LONG)PSS_NT_EVENT_SYNCHRONIZATION)
        object->event.state = 0;
    if (object->type == FAKE_MUTANT)
        object->mutant.current_count--;
    return 1;
}

/* Whether it has something to do, now or when it is its turn. */
static int can_go(const struct worker *worker)
{
    if (worker->has_ended || !is_free(worker))
        return 0;
    if ((worker->is_held_back || worker->is_ending) && !worker->is_let_go)
        return 0;
    return !worker->awaited || worker->is_terminated || worker->is_let_go || worker->is_late ||
           is_signaled(worker->awaited);
}

static int is_any_busy(void)
{
    for (const struct worker *worker = workers; worker; worker = worker->next)
        if (worker->has_turn && can_go(worker))
            return 1;
    return 0;
}

static int give_turns(void)
{
    int count = 0;

    for (struct worker *worker = workers; worker; worker = worker->next) {
        if (!can_go(worker))
            continue;
        worker->has_turn = 1;
        count++;
    }
    fake_announce_change();
    return count;
}

/* Holds the calling worker until it can go on, and it is its turn. */
static void stand_still(void)
{
    if (fake.runs_threads_at_once && !current->is_let_go)
        current->has_turn = 0;
    fake_announce_change();
    while (!can_go(current) || !current->has_turn)
        fake_wait_for_change();
}

static void leave_for_good(void)
{
    end_worker(current);
    fake_unlock();
    pthread_exit(NULL);
}

/* A thread that was left behind: its owner has returned, and the module may have been unloaded. */
static void check_module(void)
{
    if (current->is_let_go && !fake.module_is_pinned) {
        fprintf(stderr, "a thread goes on in a module that may have been unloaded\n");
        abort();
    }
}

static void *run_worker(void *parameter)
{
    current = parameter;
    fake_lock();
    while (current->is_held_back && !current->is_let_go)
        fake_wait_for_change();
    check_module();
    fake_unlock();
    current->routine(current->parameter);
    fake_lock();
    current->is_ending = fake.never_lets_threads_end;
    fake_announce_change();
    while (current->is_ending && !current->is_let_go)
        fake_wait_for_change();
    end_worker(current);
    fake_unlock();
    return NULL;
}

static int start(struct worker *worker)
{
    pthread_attr_t attributes;
    int error;

    if (pthread_attr_init(&attributes) || pthread_attr_setstacksize(&attributes, STACK_SIZE))
        abort();
    error = pthread_create(&worker->thread, &attributes, run_worker, worker);
    pthread_attr_destroy(&attributes);
    return error;
}

NTSTATUS fake_worker_create(HANDLE *handle, ACCESS_MASK access, void *routine, void *parameter)
{
    struct worker *worker = calloc(1, sizeof(*worker));

    if (!worker)
        abort();
    *(void **)&worker->routine = routine;
    worker->parameter = parameter;
    worker->id = workers ? workers->id + 4 : FIRST_ID;
    add_to_process(worker);
    worker->has_turn = 1;
    worker->is_held_back = fake.never_begins_threads;
    worker->next = workers;
    workers = worker;
    *handle = fake_handle_open_library(worker->object, access);
    if (start(worker))
        abort();
    while (fake.runs_threads_at_once && can_go(worker) && worker->has_turn)
        fake_wait_for_change();
    return STATUS_SUCCESS;
}

/* A thread of the test's waits: everybody else does what there is to do. */
static NTSTATUS wait_as_owner(struct fake_object *object, int is_patient)
{
    struct worker *worker;

    for (;;) {
        while (is_any_busy())
            fake_wait_for_change();
        if (take_signal(object))
            return STATUS_SUCCESS;
        if (is_patient && object->type == FAKE_MUTANT) { /* another thread of the test's has it */
            fake_wait_for_change();
            continue;
        }
        if (!is_patient || !give_turns())
            break;
    }
    for (worker = workers; is_patient && worker; worker = worker->next)
        worker->waits++;
    return STATUS_TIMEOUT;
}

/* Time passes for created threads only while the caller is suspended. */
static NTSTATUS wait_as_worker(struct fake_object *object, int is_timed, int is_look)
{
    while (!take_signal(object)) {
        if (is_look)
            return STATUS_TIMEOUT;
        current->awaited = object;
        current->is_timed = (uint8_t)is_timed;
        stand_still();
        current->awaited = NULL;
        if (current->is_terminated || current->is_let_go)
            leave_for_good();
        if (current->is_late) {
            current->is_late = 0;
            return STATUS_TIMEOUT;
        }
    }
    return STATUS_SUCCESS;
}

static void let_time_pass(void)
{
    for (struct worker *worker = workers; worker; worker = worker->next)
        if (worker->awaited && worker->is_timed && !worker->has_ended)
            worker->is_late = 1;
    give_turns();
    while (is_any_busy())
        fake_wait_for_change();
}

void fake_wait_for_thread(const struct fake_thread *thread)
{
    for (uint32_t i = 0; thread->suspend_count; i++) {
        if (current || i == PASSES_LIMIT)
            abort(); /* nobody resumes it */
        let_time_pass();
    }
}

void fake_caller_suspended(void)
{
    if (current || !fake.suspender || !fake.suspender->suspended_by_library ||
        fake.suspensions == fake.suspension_limit || fake.all_calls + 1 < fake.suspension_call)
        return;
    fake.suspensions++;
    fake.caller->suspend_count++;
    fake_wait_for_thread(fake.suspender);
    fake.caller->suspend_count--;
}

NTSTATUS fake_worker_wait(HANDLE handle, const LARGE_INTEGER *timeout)
{
    struct fake_handle *found = fake_handle_find(fake.own, handle);

    if (!current && (!timeout || timeout->QuadPart > 0))
        abort(); /* no wait of the caller's is endless */
    if (handle == PSS_CURRENT_THREAD) {
        fake_unlock();
        sched_yield(); /* a pause: nobody outlives himself */
        fake_lock();
        return STATUS_TIMEOUT;
    }
    if (!found)
        return STATUS_INVALID_HANDLE;
    if (!is_waitable(found->object))
        return STATUS_OBJECT_TYPE_MISMATCH;
    if (current)
        return wait_as_worker(found->object, timeout != NULL, timeout && !timeout->QuadPart);
    return wait_as_owner(found->object, timeout->QuadPart != 0);
}

NTSTATUS fake_worker_terminate(HANDLE handle)
{
    const struct fake_handle *found = fake_handle_find(fake.own, handle);
    struct worker *worker = found ? find_worker(found->object) : NULL;

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
    stand_still();
    if (hang != FAKE_IS_SLOW && !(current->is_let_go && fake.answers_at_last))
        leave_for_good();
    check_module();
    current->hang = FAKE_ANSWERS;
}

void fake_worker_die(void)
{
    leave_for_good();
}

uint32_t fake_worker_id(void)
{
    return current ? current->id : 0;
}

int fake_worker_lives(const struct fake_object *thread)
{
    const struct worker *worker = find_worker(thread);

    return worker && !worker->has_ended;
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
        worker->is_let_go = worker->has_turn = 1;
    fake_announce_change();
    fake_unlock();
    while ((worker = workers)) {
        workers = worker->next;
        pthread_join(worker->thread, NULL);
        free(worker);
    }
}
