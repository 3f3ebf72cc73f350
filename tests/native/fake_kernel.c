/* SPDX-License-Identifier: MIT */
/* The model of the fake kernel: what exists, who has which handle, and what the library owes. */
#define _DEFAULT_SOURCE /* for MAP_ANONYMOUS */
#include "fake_kernel.h"

#include "fake_space.h"
#include "fake_threads.h"

#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE       0x1000u
#define OWN_ID     100u
#define CALLER_ID  104u
#define FIRST_ID   5000u               /* of the processes that the library makes */
#define START_TIME 132000000000000000u /* a day in 2019 */

struct fake_system fake;

static pthread_mutex_t lock;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;

#define LARGE 0x100000u                 /* bytes: from here on the pages come when touched */
#define SPARE (FAKE_GRANULARITY + PAGE) /* bytes around them */

/* Memory of the library: a page-rounded block whose tail, which nobody asked for, is poisoned. */
struct allocation {
    void *base, *whole;
    SIZE_T asked, size; /* bytes */
    int is_low;
    struct allocation *next;
};

static struct allocation *allocations;
static uint64_t views, heap_blocks;

void fake_lock(void)
{
    pthread_mutex_lock(&lock);
}

void fake_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

void fake_wait_for_change(void)
{
    pthread_cond_wait(&change, &lock);
}

void fake_announce_change(void)
{
    pthread_cond_broadcast(&change);
}

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory)
        abort();
    return memory;
}

static void *grow(void *array, uint32_t count, size_t size)
{
    array = realloc(array, (size_t)count * size);
    if (!array)
        abort();
    return array;
}

void fake_init(void)
{
    memset(&fake, 0, sizeof(fake));
    pthread_mutex_init(&lock, NULL);
    fake.has_thread_names = fake.has_last_syscalls = fake.has_suspend_counts = 1;
    fake.has_thread_cycles = fake.has_mutant_owners = fake.has_xstate = 1;
    fake.has_extended_basic = fake.runs_threads_at_once = 1;
    fake.has_nested_jobs = fake.has_memory_files = 1;
    fake.commit_budget = 1u << 30;
    fake.commit_status = STATUS_COMMITMENT_LIMIT;
    fake.next_id = FIRST_ID;
    fake.now = START_TIME;
    fake.frequency = 10000000;
    fake.memory_budget = 1u << 30;
    views = heap_blocks = 0;
    fake.own = fake_process_add(OWN_ID);
    fake.own->times.kernel_time.QuadPart = 0x10000;
    fake.own->times.user_time.QuadPart = 0x20000;
    fake.caller = fake_thread_add(fake.own, CALLER_ID);
}

static void free_process(struct fake_process *process)
{
    free(process->handles);
    free(process->threads);
    fake_space_fini(process);
}

void fake_fini(void)
{
    struct fake_object *object;

    fake_threads_let_go();
    for (uint32_t i = 0; i < fake.process_count; i++)
        free_process(fake.processes[i]);
    while ((object = fake.objects)) {
        fake.objects = object->next;
        free(object->bytes);
        free(object);
    }
    while (allocations)
        fake_memory_free(allocations->base);
    free(fake.processes);
    memset(&fake, 0, sizeof(fake));
    pthread_mutex_destroy(&lock);
}

static void add_object(struct fake_object *object, enum fake_type type)
{
    static const uint8_t indices[FAKE_TYPE_COUNT] = {7, 8, 17, 16, 42, 19, 37, 44, 6};

    object->type = type;
    object->type_index = indices[type];
    object->references = 1;
    object->next = fake.objects;
    fake.objects = object;
}

struct fake_object *fake_object_add(enum fake_type type)
{
    struct fake_object *object = allocate(sizeof(*object));

    add_object(object, type);
    return object;
}

struct fake_process *fake_process_add(uint32_t id)
{
    struct fake_process *process = allocate(sizeof(*process));

    add_object(&process->object, FAKE_PROCESS);
    process->basic.exit_status = (NTSTATUS)PSS_STILL_ACTIVE;
    process->basic.process_id = id;
    process->basic.base_priority = 8;
    process->priority.number = 2;
    process->times.create_time.QuadPart = (LONGLONG)START_TIME - 1000;
    process->address_limit = 0x7FFFFFFF0000u;
    fake.processes = grow(fake.processes, fake.process_count + 1, sizeof(process));
    fake.processes[fake.process_count++] = process;
    return process;
}

struct fake_thread *fake_thread_add(struct fake_process *process, uint32_t id)
{
    struct fake_thread *thread = allocate(sizeof(*thread));

    add_object(&thread->object, FAKE_THREAD);
    thread->process = process;
    thread->basic.exit_status = (NTSTATUS)PSS_STILL_ACTIVE;
    thread->basic.teb = (void *)(ULONG_PTR)(0x7FF600000000 + 0x2000u * id);
    thread->basic.id.UniqueProcess = (HANDLE)process->basic.process_id;
    thread->basic.id.UniqueThread = (HANDLE)(ULONG_PTR)id;
    thread->times.create_time.QuadPart = (LONGLONG)START_TIME - 1000 + process->thread_count;
    process->threads =
        grow(process->threads, process->thread_count + 1, sizeof(struct fake_thread *));
    process->threads[process->thread_count++] = thread;
    return thread;
}

struct fake_region *fake_region_add(struct fake_process *process, uint64_t base, uint64_t size,
                                    DWORD state, DWORD protect, DWORD type)
{
    struct fake_region *region;

    fake_space_grow(process);
    region = &process->regions[process->region_count++];
    memset(region, 0, sizeof(*region));
    region->basic.BaseAddress = (void *)(ULONG_PTR)base;
    region->basic.AllocationBase = (void *)(ULONG_PTR)base;
    region->basic.AllocationProtect = protect;
    region->basic.RegionSize = size;
    region->basic.State = state;
    region->basic.Protect = protect;
    region->basic.Type = type;
    return region;
}

static HANDLE open_handle(struct fake_process *process, struct fake_handle handle)
{
    uint32_t index = process->first_free_handle;

    while (index < process->handle_capacity && process->handles[index].object)
        index++;
    if (index >= process->handle_capacity) {
        uint32_t capacity = process->handle_capacity ? 2 * process->handle_capacity : 64;

        process->handles = grow(process->handles, capacity, sizeof(handle));
        memset(process->handles + process->handle_capacity, 0,
               (capacity - process->handle_capacity) * sizeof(handle));
        process->handle_capacity = capacity;
    }
    process->handles[index] = handle;
    process->first_free_handle = index + 1;
    handle.object->handle_count++;
    return (HANDLE)(ULONG_PTR)(4 * (index + 1));
}

HANDLE fake_handle_open(struct fake_process *process, struct fake_object *object,
                        ACCESS_MASK access, ULONG attributes)
{
    return open_handle(process, (struct fake_handle){object, access, attributes, 1});
}

HANDLE fake_handle_open_in(struct fake_process *process, struct fake_object *object,
                           ACCESS_MASK access)
{
    return open_handle(process, (struct fake_handle){object, access, 0, 0});
}

HANDLE fake_handle_open_library(struct fake_object *object, ACCESS_MASK access)
{
    return fake_handle_open_in(fake.own, object, access);
}

struct fake_handle *fake_handle_find(struct fake_process *process, HANDLE handle)
{
    ULONG_PTR value = (ULONG_PTR)handle, index = value / 4 - 1;

    if (!value || value % 4 || index >= process->handle_capacity || !process->handles[index].object)
        return NULL;
    return &process->handles[index];
}

/* A process without threads has nobody else to keep it. */
static void end_with_last_handle(struct fake_object *object)
{
    struct fake_process *process = (struct fake_process *)(void *)object;

    if (object->type == FAKE_JOB)
        fake_job_close(object);
    else if (object->type == FAKE_PROCESS && process->is_carrier && !process->thread_count)
        fake_process_end(process, 0);
}

int fake_handle_close(struct fake_process *process, HANDLE handle)
{
    struct fake_handle *found = fake_handle_find(process, handle);
    struct fake_object *object;
    uint32_t index;

    if (!found)
        return 0;
    object = found->object;
    found->object = NULL;
    index = (uint32_t)(found - process->handles);
    if (index < process->first_free_handle)
        process->first_free_handle = index;
    if (!--object->handle_count)
        end_with_last_handle(object);
    return 1;
}

void fake_process_become(struct fake_process *process)
{
    fake.own = process;
    fake.caller = process->threads[0];
}

void fake_thread_end(struct fake_thread *thread, DWORD exit_status)
{
    thread->basic.exit_status = (NTSTATUS)exit_status;
    thread->times.exit_time.QuadPart = (LONGLONG)fake.now;
    thread->is_unlisted = 1;
}

void fake_process_end(struct fake_process *process, DWORD exit_status)
{
    for (uint32_t i = 0; i < process->thread_count; i++)
        fake_thread_end(process->threads[i], exit_status);
    for (uint32_t i = 0; i < process->handle_capacity; i++)
        fake_handle_close(process, (HANDLE)(ULONG_PTR)(4 * (i + 1)));
    fake_space_remove(process, 0, UINT64_MAX);
    process->basic.exit_status = (NTSTATUS)exit_status;
    process->times.exit_time.QuadPart = (LONGLONG)fake.now;
}

/*
 * Like all allocations of the system they begin at a multiple of 64 KB. Behind a large block lies
 * memory that nobody may touch; the allocator watches the others.
 */
static void *allocate_zeroes(SIZE_T size, void **whole)
{
    char *base;

    if (size < LARGE) {
        if (posix_memalign(whole, FAKE_GRANULARITY, size))
            abort();
        return memset(*whole, 0, size);
    }
    base = mmap(NULL, size + SPARE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *whole = base;
    base += -(uintptr_t)base & (FAKE_GRANULARITY - 1);
    if (*whole == MAP_FAILED || mprotect(base, size, PROT_READ | PROT_WRITE))
        abort();
    return base;
}

static void free_zeroes(void *whole, SIZE_T size)
{
    if (size < LARGE)
        free(whole);
    else
        munmap(whole, size + SPARE);
}

void *fake_memory_allocate(SIZE_T size, int is_low)
{
    struct allocation *allocation;
    SIZE_T rounded = (size + PAGE - 1) & ~(SIZE_T)(PAGE - 1);

    if (rounded < size || rounded > fake.memory_budget || (is_low && fake.lacks_low_memory) ||
        fake.memory > fake.memory_budget - rounded)
        return NULL;
    allocation = allocate(sizeof(*allocation));
    *allocation = (struct allocation){NULL, NULL, size, rounded, is_low, allocations};
    allocation->base = allocate_zeroes(rounded, &allocation->whole);
    ASAN_POISON_MEMORY_REGION((char *)allocation->base + size, rounded - size);
    allocations = allocation;
    fake.memory += rounded;
    if (fake.memory > fake.peak_memory)
        fake.peak_memory = fake.memory;
    return allocation->base;
}

int fake_memory_free(void *base)
{
    for (struct allocation **link = &allocations; *link; link = &(*link)->next) {
        struct allocation *allocation = *link;

        if (allocation->base != base)
            continue;
        *link = allocation->next;
        fake.memory -= allocation->size;
        ASAN_UNPOISON_MEMORY_REGION(base, allocation->size);
        free_zeroes(allocation->whole, allocation->size);
        free(allocation);
        return 1;
    }
    return 0;
}

int fake_memory_is_low(const void *base)
{
    const struct allocation *found = allocations;

    while (found && found->base != base)
        found = found->next;
    return found && found->is_low;
}

SIZE_T fake_memory_find(uint64_t address, uint64_t *base)
{
    for (const struct allocation *found = allocations; found; found = found->next) {
        *base = (uint64_t)(uintptr_t)found->base;
        if (address >= *base && address - *base < found->size)
            return found->size;
    }
    return 0;
}

int fake_memory_is_real(const struct fake_process *process, uint64_t address, SIZE_T size)
{
    uint64_t base;
    SIZE_T there = process == fake.own ? fake_memory_find(address, &base) : 0;

    return there && size <= there - (address - base);
}

void fake_views_add(int change_of_count)
{
    views += (uint64_t)(int64_t)change_of_count;
}

void fake_heap_add(int change_of_count)
{
    heap_blocks += (uint64_t)(int64_t)change_of_count;
}

uint64_t fake_handles_in(const struct fake_process *process)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < process->handle_capacity; i++)
        count += process->handles[i].object && !process->handles[i].is_client;
    return count;
}

uint64_t fake_shipments_in(const struct fake_process *process)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < process->region_count; i++)
        count += process->regions[i].is_shipped;
    return count;
}

struct fake_ledger fake_ledger_now(void)
{
    struct fake_ledger ledger = {.views = views, .heap_blocks = heap_blocks};

    for (struct allocation *allocation = allocations; allocation; allocation = allocation->next)
        ledger.allocations++;
    for (uint32_t i = 0; i < fake.process_count; i++) {
        ledger.handles += fake_handles_in(fake.processes[i]);
        ledger.shipments += fake_shipments_in(fake.processes[i]);
    }
    for (uint32_t i = 0; i < fake.process_count; i++)
        for (uint32_t j = 0; j < fake.processes[i]->thread_count; j++)
            ledger.suspensions += fake.processes[i]->threads[j]->suspended_by_library;
    for (uint32_t i = 0; i < fake.process_count; i++)
        ledger.carriers +=
            fake.processes[i]->is_carrier && !fake.processes[i]->times.exit_time.QuadPart;
    ledger.threads = fake_threads_running();
    ledger.modules = fake.module_is_pinned;
    ledger.bad_closes = fake.bad_closes;
    return ledger;
}

int fake_ledger_is_zero(void)
{
    static const struct fake_ledger zero;
    struct fake_ledger now = fake_ledger_now();

    if (!memcmp(&now, &zero, sizeof(now)))
        return 1;
    fprintf(stderr,
            "ledger: %llu allocations, %llu handles, %llu suspensions, %llu views, "
            "%llu heap blocks, %llu threads, %llu carriers, %llu bad closes, %llu shipments, "
            "%llu modules\n",
            (unsigned long long)now.allocations, (unsigned long long)now.handles,
            (unsigned long long)now.suspensions, (unsigned long long)now.views,
            (unsigned long long)now.heap_blocks, (unsigned long long)now.threads,
            (unsigned long long)now.carriers, (unsigned long long)now.bad_closes,
            (unsigned long long)now.shipments, (unsigned long long)now.modules);
    return 0;
}
