/* SPDX-License-Identifier: MIT */
/* Walks the loader's list, each module's import descriptors and their names. */
#include "slots.h"

#include <winternl.h>

#include "image.h"
#include "near.h"

static const struct shim_function *find_function(const struct shim_redirection *redirection,
                                                 const char *name)
{
    for (unsigned i = 0; i < redirection->count; i++) {
        if (image_text_compare(redirection->functions[i].name, name) == 0)
            return &redirection->functions[i];
    }
    return NULL;
}

static void redirect_descriptor(const struct pss_nt *nt, char *module,
                                const IMAGE_IMPORT_DESCRIPTOR *descriptor,
                                const struct shim_redirection *redirection)
{
    const IMAGE_THUNK_DATA *name =
        (const IMAGE_THUNK_DATA *)(module + descriptor->OriginalFirstThunk);
    IMAGE_THUNK_DATA *slot = (IMAGE_THUNK_DATA *)(module + descriptor->FirstThunk);

    for (; name->u1.AddressOfData != 0; name++, slot++) {
        const IMAGE_IMPORT_BY_NAME *import;
        const struct shim_function *found;

        if (IMAGE_SNAP_BY_ORDINAL(name->u1.Ordinal))
            continue;
        import = (const IMAGE_IMPORT_BY_NAME *)(module + name->u1.AddressOfData);
        found = find_function(redirection, (const char *)import->Name);
        if (found != NULL) /* On failure the slot keeps what it has: the program is no worse off. */
            near_write(nt, PSS_CURRENT_PROCESS, (char *)slot, &found->function,
                       sizeof found->function);
    }
}

static void redirect_module(const struct pss_nt *nt, char *module,
                            const struct shim_redirection *redirection)
{
    const IMAGE_DATA_DIRECTORY *entry = image_directory(module, IMAGE_DIRECTORY_ENTRY_IMPORT);
    const IMAGE_IMPORT_DESCRIPTOR *descriptor;

    if (entry == NULL || entry->VirtualAddress == 0)
        return;
    descriptor = (const IMAGE_IMPORT_DESCRIPTOR *)(module + entry->VirtualAddress);
    for (; descriptor->Name != 0 && descriptor->FirstThunk != 0; descriptor++) {
        if (descriptor->OriginalFirstThunk != 0 &&
            redirection->is_library(module + descriptor->Name))
            redirect_descriptor(nt, module, descriptor, redirection);
    }
}

void slots_redirect(const struct pss_nt *nt, const struct shim_redirection *redirection)
{
    const PEB_LDR_DATA *loader = NtCurrentTeb()->ProcessEnvironmentBlock->Ldr;
    const LIST_ENTRY *end = &loader->InMemoryOrderModuleList;

    for (const LIST_ENTRY *link = end->Flink; link != end; link = link->Flink) {
        const LDR_DATA_TABLE_ENTRY *entry =
            CONTAINING_RECORD(link, LDR_DATA_TABLE_ENTRY, InMemoryOrderLinks);
        char *module = entry->DllBase;

        if (module != redirection->keep[0] && module != redirection->keep[1])
            redirect_module(nt, module, redirection);
    }
}
