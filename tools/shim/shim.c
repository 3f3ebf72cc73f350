/* SPDX-License-Identifier: MIT */
/* pss-shim.dll: when it is loaded, kernel32's Process Snapshotting API becomes the one in here,
 * which is that of pss.dll, in this process and in those it starts; where the system's works,
 * nothing is changed. */
#include "pss.h"

#include "api.h"
#include "children.h"
#include "exports.h"
#include "forward/forward.h"
#include "image.h"
#include "slots.h"

#define FUNCTION(name)  {#name, (void *)name},
#define FORWARDER(name) {#name, "pss-shim." #name},

#define COUNT(array) ((unsigned)(sizeof(array) / sizeof(array)[0]))

static void redirect_api(const struct pss_nt *nt, HMODULE self)
{
    static const struct shim_export exported[] = {API_FUNCTIONS(FORWARDER)};
    const struct shim_function functions[] = {API_FUNCTIONS(FUNCTION)};
    const struct shim_redirection redirection = {.is_library = api_is_library,
                                                 .functions = functions,
                                                 .count = COUNT(functions),
                                                 .keep = (char *)self};

    slots_redirect(nt, &redirection);
    /* What fails here leaves look-ups by name as they were; there is nobody to tell. */
    exports_add(nt, (char *)GetModuleHandleW(L"kernel32.dll"), exported, COUNT(exported));
    exports_add(nt, (char *)GetModuleHandleW(L"kernelbase.dll"), exported, COUNT(exported));
}

/* The library's; exports.c. */
BOOL WINAPI PssDllMain(HINSTANCE self, DWORD reason, void *reserved);

BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, void *reserved);

BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, void *reserved)
{
    const struct pss_nt *nt = pss_nt_system();

    if (reason != DLL_PROCESS_ATTACH)
        return PssDllMain(self, reason, reserved);
    DisableThreadLibraryCalls(self);
    if (pss_forward_api(nt) != NULL)
        return TRUE;       /* The system's works. */
    pss_forward_served(1); /* Calls are redirected for good. */
    redirect_api(nt, self);
    children_follow(nt, self);
    return TRUE;
}
