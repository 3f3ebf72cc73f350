/* SPDX-License-Identifier: MIT */
/* The loader, the environment and delays of the fake kernel: what the decision who serves needs. */
#include "fake_services.h"

#include <stdlib.h>
#include <string.h>

#define KERNEL32 ((void *)(uintptr_t)0x76000000) /* a module, never looked into */
#define COOKIE   0xC00C1Eu

NTSTATUS NTAPI fake_try_lock_loader(ULONG_PTR *cookie)
{
    NTSTATUS status = fake_enter(FAKE_LOCK_LOADER);

    if (NT_SUCCESS(status) && fake.loader_tries) {
        fake.loader_tries--;
        status = STATUS_LOCK_NOT_GRANTED;
    }
    if (NT_SUCCESS(status)) {
        fake.loader_locks++;
        *cookie = COOKIE;
    }
    return fake_leave(status);
}

void NTAPI fake_unlock_loader(ULONG_PTR cookie)
{
    fake_enter(FAKE_RELEASE);
    if (cookie != COOKIE || !fake.loader_locks)
        abort();
    fake.loader_locks--;
    fake_leave(STATUS_SUCCESS);
}

BOOLEAN NTAPI fake_owns_loader_lock(void)
{
    return fake.never_begins_threads && !fake.hides_loader_lock;
}

/* The loader of a system that waits for its lock would wait for ever here. */
void *NTAPI fake_find_module(const WCHAR *name)
{
    static const WCHAR kernel32[] = L"kernel32.dll";
    NTSTATUS status = fake_enter(FAKE_FIND_MODULE);

    if (!fake.loader_locks || memcmp(name, kernel32, sizeof(kernel32)) != 0)
        abort();
    fake_leave(status);
    return NT_SUCCESS(status) ? KERNEL32 : NULL;
}

void *NTAPI fake_find_export(void *module, const char *name)
{
    NTSTATUS status = fake_enter(FAKE_FIND_EXPORT);

    if (!fake.loader_locks || module != KERNEL32)
        abort();
    fake_leave(status);
    return NT_SUCCESS(status) && fake.find_export ? fake.find_export(name) : NULL;
}

NTSTATUS NTAPI fake_pin_module(const void *address)
{
    NTSTATUS status = fake_enter(FAKE_PIN_MODULE);

    if (!address)
        abort();
    if (NT_SUCCESS(status))
        fake.module_is_pinned = 1;
    return fake_leave(status);
}

static uint32_t text_size(const WCHAR *text)
{
    uint32_t count = 0;

    while (text[count])
        count++;
    return (count + 1) * (uint32_t)sizeof(*text);
}

static NTSTATUS answer_setting(WCHAR *value, USHORT size)
{
    if (fake.setting_tries) {
        fake.setting_tries--;
        return STATUS_LOCK_NOT_GRANTED;
    }
    if (!fake.forward_setting)
        return STATUS_VARIABLE_NOT_FOUND;
    if (text_size(fake.forward_setting) > size)
        return STATUS_BUFFER_TOO_SMALL;
    memcpy(value, fake.forward_setting, text_size(fake.forward_setting));
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI fake_query_environment(const WCHAR *name, WCHAR *value, USHORT size)
{
    static const WCHAR setting[] = L"PSS_FORWARD";
    NTSTATUS status = fake_enter(FAKE_QUERY_ENVIRONMENT);

    if (memcmp(name, setting, sizeof(setting)) != 0)
        abort();
    return fake_leave(NT_SUCCESS(status) ? answer_setting(value, size) : status);
}

/* Time passes at once. */
NTSTATUS NTAPI fake_delay(BOOLEAN is_alertable, LARGE_INTEGER *interval)
{
    NTSTATUS status = fake_enter(FAKE_DELAY);

    if (is_alertable || interval->QuadPart >= 0)
        abort();
    fake.delays++;
    return fake_leave(status);
}

NTSTATUS NTAPI fake_call_guarded(pss_nt_routine *routine, void *argument)
{
    routine(argument);
    return STATUS_SUCCESS;
}
