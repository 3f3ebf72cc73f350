/* SPDX-License-Identifier: MIT */
/* The function in the place of NtCreateUserProcess: the new process waits until it is attached to.
 */
#include "children.h"

#include <stddef.h>

#include "attach.h"
#include "exports.h"
#include "image.h"
#include "slots.h"

/* Set once, before any other thread can come here. */
static const struct pss_nt *services;
static HMODULE own_module;

NTSTATUS NTAPI shim_create_user_process(
    HANDLE *process, HANDLE *thread, ACCESS_MASK process_access, ACCESS_MASK thread_access,
    OBJECT_ATTRIBUTES *process_object, OBJECT_ATTRIBUTES *thread_object, ULONG process_flags,
    ULONG thread_flags, struct pss_nt_process_parameters *parameters,
    struct pss_nt_create_info *info, struct pss_nt_process_attributes *attributes);

static int has_other_parent(const struct pss_nt_process_attributes *attributes)
{
    const struct pss_nt_process_attribute *item;
    SIZE_T left;

    if (attributes == NULL)
        return 0;
    item = attributes->items;
    left = attributes->size - offsetof(struct pss_nt_process_attributes, items);
    for (; left >= sizeof *item; left -= sizeof *item, item++) {
        if (item->attribute == PSS_NT_ATTRIBUTE_PARENT_PROCESS)
            return 1;
    }
    return 0;
}

/** Whether the program is the helper that attach.h starts. */
static int is_helper(const struct pss_nt_process_parameters *parameters)
{
    static const WCHAR name[] = L"\\" ATTACH_HELPER;
    SIZE_T size = sizeof name - sizeof(WCHAR);

    return parameters != NULL && parameters->image.Length >= size &&
           memcmp((const char *)parameters->image.Buffer + parameters->image.Length - size, name,
                  size) == 0;
}

NTSTATUS NTAPI shim_create_user_process(
    HANDLE *process, HANDLE *thread, ACCESS_MASK process_access, ACCESS_MASK thread_access,
    OBJECT_ATTRIBUTES *process_object, OBJECT_ATTRIBUTES *thread_object, ULONG process_flags,
    ULONG thread_flags, struct pss_nt_process_parameters *parameters,
    struct pss_nt_create_info *info, struct pss_nt_process_attributes *attributes)
{
    int follows = !is_helper(parameters) && !has_other_parent(attributes);
    ULONG suspended = follows ? PSS_NT_THREAD_CREATE_SUSPENDED : 0;
    NTSTATUS status = services->create_user_process(
        process, thread, process_access, thread_access, process_object, thread_object,
        process_flags, thread_flags | suspended, parameters, info, attributes);

    if (!NT_SUCCESS(status) || !follows)
        return status;
    attach_to(services, own_module, *process); /* Without it, the child is as it would be anyway. */
    if (!(thread_flags & PSS_NT_THREAD_CREATE_SUSPENDED))
        services->resume_thread(*thread, NULL);
    return status;
}

static int is_ntdll(const char *name)
{
    return image_names_equal(name, "ntdll.dll");
}

void children_follow(const struct pss_nt *nt, HMODULE self)
{
    static const struct shim_export replaced = {"NtCreateUserProcess",
                                                "pss-shim.shim_create_user_process"};
    const struct shim_function function = {"NtCreateUserProcess", shim_create_user_process};
    const struct shim_redirection redirection = {
        .is_library = is_ntdll, .functions = &function, .count = 1, .keep = (char *)self};

    services = nt;
    own_module = self;
    slots_redirect(nt, &redirection);
    exports_add(nt, (char *)GetModuleHandleW(L"ntdll.dll"), &replaced, 1);
}
