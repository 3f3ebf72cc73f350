/* SPDX-License-Identifier: MIT */
/* The process as JSON. */
#include "json.h"
#include "json_values.h"
#include "text.h"

static void put_memory_counters(json_t *object, const PSS_PROCESS_INFORMATION *p)
{
    JSON_NUMBER(object, p, PeakVirtualSize);
    JSON_NUMBER(object, p, VirtualSize);
    JSON_NUMBER(object, p, PageFaultCount);
    JSON_NUMBER(object, p, PeakWorkingSetSize);
    JSON_NUMBER(object, p, WorkingSetSize);
    JSON_NUMBER(object, p, QuotaPeakPagedPoolUsage);
    JSON_NUMBER(object, p, QuotaPagedPoolUsage);
    JSON_NUMBER(object, p, QuotaPeakNonPagedPoolUsage);
    JSON_NUMBER(object, p, QuotaNonPagedPoolUsage);
    JSON_NUMBER(object, p, PagefileUsage);
    JSON_NUMBER(object, p, PeakPagefileUsage);
    JSON_NUMBER(object, p, PrivateUsage);
}

json_t *json_from_process(const struct snapshot *snapshot)
{
    const PSS_PROCESS_INFORMATION *p = &snapshot->process;
    json_t *object = json_new_object();

    JSON_NUMBER(object, p, ExitStatus);
    JSON_ADDRESS(object, p, PebBaseAddress);
    JSON_BITS(object, p, AffinityMask);
    JSON_NUMBER(object, p, BasePriority);
    JSON_NUMBER(object, p, ProcessId);
    JSON_NUMBER(object, p, ParentProcessId);
    JSON_BITS(object, p, Flags);
    JSON_TIME(object, p, CreateTime);
    JSON_TIME(object, p, ExitTime);
    JSON_TICKS(object, p, KernelTime);
    JSON_TICKS(object, p, UserTime);
    JSON_BITS(object, p, PriorityClass);
    put_memory_counters(object, p);
    JSON_BITS(object, p, ExecuteFlags);
    json_put_wide(object, "ImageFileName", p->ImageFileName,
                  text_length(p->ImageFileName, MAX_PATH));
    return object;
}
