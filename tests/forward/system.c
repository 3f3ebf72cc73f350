/* SPDX-License-Identifier: MIT */
/* The services that the tests of forwarding replace. */
#include "system.h"

static HMODULE stand_in_module, module;
static const char *hidden;
static const WCHAR *setting;
static uint32_t loader_tries, environment_tries;
static LONG locks;

static HMODULE load_stand_in(void)
{
    if (!stand_in_module)
        stand_in_module = LoadLibraryA("pss-test-stand-in.dll");
    assert_non_null(stand_in_module);
    return stand_in_module;
}

struct stand_in *system_stand_in(void)
{
    void *found = (void *)(uintptr_t)GetProcAddress(load_stand_in(), "stand_in");

    assert_non_null(found);
    return found;
}

static NTSTATUS NTAPI try_lock_loader(ULONG_PTR *cookie)
{
    NTSTATUS status = STATUS_LOCK_NOT_GRANTED;

    if (loader_tries)
        loader_tries--;
    else
        status = pss_nt_system()->try_lock_loader(cookie);
    if (NT_SUCCESS(status))
        InterlockedIncrement(&locks);
    return status;
}

static void NTAPI unlock_loader(ULONG_PTR cookie)
{
    InterlockedDecrement(&locks);
    pss_nt_system()->unlock_loader(cookie);
}

/* Without the loader's lock the real loader could wait for ever. */
static void *NTAPI find_module(const WCHAR *name)
{
    assert_int_equal(locks, 1);
    assert_int_equal(wcscmp(name, L"kernel32.dll"), 0);
    return module;
}

static void *NTAPI find_export(void *where, const char *name)
{
    assert_int_equal(locks, 1);
    assert_ptr_equal(where, module);
    return hidden && !strcmp(name, hidden) ? NULL : pss_nt_system()->find_export(where, name);
}

static NTSTATUS NTAPI query_environment(const WCHAR *name, WCHAR *value, USHORT size)
{
    assert_int_equal(wcscmp(name, L"PSS_FORWARD"), 0);
    if (environment_tries) {
        environment_tries--;
        return STATUS_LOCK_NOT_GRANTED;
    }
    if (!setting)
        return STATUS_VARIABLE_NOT_FOUND;
    if ((wcslen(setting) + 1) * sizeof(*setting) > size)
        return STATUS_BUFFER_TOO_SMALL;
    memcpy(value, setting, (wcslen(setting) + 1) * sizeof(*setting));
    return STATUS_SUCCESS;
}

/* Tries are counted; how long they take is not the matter. */
static NTSTATUS NTAPI delay(BOOLEAN alertable, LARGE_INTEGER *interval)
{
    assert_false(alertable);
    assert_true(interval->QuadPart < 0);
    SwitchToThread();
    return STATUS_SUCCESS;
}

void system_init(enum stand_in_behaviour behaviour)
{
    struct stand_in *stand_in = system_stand_in();

    faulty_init();
    memset(stand_in, 0, sizeof(*stand_in));
    stand_in->behaviour = behaviour;
    module = stand_in_module;
    hidden = NULL;
    setting = NULL;
    loader_tries = environment_tries = 0;
    faulty_inner()->try_lock_loader = try_lock_loader;
    faulty_inner()->unlock_loader = unlock_loader;
    faulty_inner()->find_module = find_module;
    faulty_inner()->find_export = find_export;
    faulty_inner()->query_environment = query_environment;
    faulty_inner()->delay = delay;
    SetLastError(SYSTEM_LAST_ERROR);
}

void system_use_module(HMODULE other)
{
    module = other;
}

void system_hide(const char *name)
{
    hidden = name;
}

void system_set_forward(const WCHAR *value)
{
    setting = value;
}

void system_lock(uint32_t of_loader, uint32_t of_environment)
{
    loader_tries = of_loader;
    environment_tries = of_environment;
}

void system_assert_clean(const char *where)
{
    assert_int_equal(locks, 0);
    faulty_assert_clean(where);
}

const char *system_behaviour_name(enum stand_in_behaviour behaviour)
{
#define NAME(name) #name,
    static const char *const names[] = {STAND_IN_BEHAVIOURS(NAME)};
#undef NAME

    return names[behaviour];
}
