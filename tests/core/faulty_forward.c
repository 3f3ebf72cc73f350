/* SPDX-License-Identifier: MIT */
/* The wrappers around what the decision who serves needs: loader, environment, delays, guarded
 * calls. */
#include "faulty_wrappers.h"

NTSTATUS NTAPI faulty_pin_module(const void *address)
{
    FAIL_IF_PLANNED(.service = FAULTY_pin_module, .address = address);
    return faulty_inner()->pin_module(address);
}

NTSTATUS NTAPI faulty_try_lock_loader(ULONG_PTR *cookie)
{
    FAIL_IF_PLANNED(.service = FAULTY_try_lock_loader);
    return faulty_inner()->try_lock_loader(cookie);
}

void NTAPI faulty_unlock_loader(ULONG_PTR cookie)
{
    BEGIN_RELEASE(.service = FAULTY_unlock_loader);
    faulty_inner()->unlock_loader(cookie);
}

/* A look at the own memory, which cannot fail. */
BOOLEAN NTAPI faulty_owns_loader_lock(void)
{
    return faulty_inner()->owns_loader_lock();
}

void *NTAPI faulty_find_module(const WCHAR *name)
{
    if (faulty_is_failing((struct faulty_call){.service = FAULTY_find_module, .address = name}))
        return NULL;
    return faulty_inner()->find_module(name);
}

void *NTAPI faulty_find_export(void *module, const char *name)
{
    if (faulty_is_failing(
            (struct faulty_call){.service = FAULTY_find_export, .handle = module, .address = name}))
        return NULL;
    return faulty_inner()->find_export(module, name);
}

NTSTATUS NTAPI faulty_query_environment(const WCHAR *name, WCHAR *value, USHORT size)
{
    FAIL_IF_PLANNED(.service = FAULTY_query_environment, .size = size, .address = name);
    return faulty_inner()->query_environment(name, value, size);
}

NTSTATUS NTAPI faulty_delay(BOOLEAN alertable, LARGE_INTEGER *interval)
{
    FAIL_IF_PLANNED(.service = FAULTY_delay);
    return faulty_inner()->delay(alertable, interval);
}

/* It calls no service of the system, and so has no fault of its own. */
NTSTATUS NTAPI faulty_call_guarded(pss_nt_routine *routine, void *argument)
{
    return faulty_inner()->call_guarded(routine, argument);
}
