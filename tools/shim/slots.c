/* SPDX-License-Identifier: MIT */
/* Walks the loader's list, each module's import descriptors and their names. An import of a library
 * that forwards it is followed to the library that has the function. */
#include "slots.h"

#include <winternl.h>

#include "forwarders.h"
#include "image.h"
#include "near.h"

#define MAX_FORWARDERS 8 /* one behind the other; more make a circle */

static const struct shim_function *find_function(const struct shim_redirection *redirection,
                                                 const char *name)
{
    for (unsigned i = 0; i < redirection->count; i++) {
        if (image_text_compare(redirection->functions[i].name, name) == 0)
            return &redirection->functions[i];
    }
    return NULL;
}

/** The function that takes the place of one that the module forwards; NULL for none. */
static const struct shim_function *follow(const struct shim_redirection *redirection, char *module,
                                          const char *name, DWORD ordinal)
{
    struct forwarder forwarder;

    for (int i = 0; i < MAX_FORWARDERS && module != NULL; i++) {
        if (!forwarders_read(module, name, ordinal, &forwarder))
            return NULL;
        name = forwarder.name[0] != '\0' ? forwarder.name : NULL;
        ordinal = forwarder.ordinal;
        if (redirection->is_library(forwarder.library))
            return name != NULL ? find_function(redirection, name) : NULL;
        module = forwarders_find_module(forwarder.library);
    }
    return NULL;
}

/** Finds what takes the place of an import; NULL for none. */
static const struct shim_function *find_import(const struct shim_redirection *redirection,
                                               char *module, char *library,
                                               const IMAGE_THUNK_DATA *thunk)
{
    const IMAGE_IMPORT_BY_NAME *import;

    if (IMAGE_SNAP_BY_ORDINAL(thunk->u1.Ordinal))
        return library != NULL
                   ? follow(redirection, library, NULL, (DWORD)IMAGE_ORDINAL(thunk->u1.Ordinal))
                   : NULL;
    import = (const IMAGE_IMPORT_BY_NAME *)(module + thunk->u1.AddressOfData);
    return library != NULL ? follow(redirection, library, (const char *)import->Name, 0)
                           : find_function(redirection, (const char *)import->Name);
}

/** \p library is the module that forwards; NULL for the library of the redirection itself. */
static void redirect_descriptor(const struct pss_nt *nt, char *module,
                                const IMAGE_IMPORT_DESCRIPTOR *descriptor, char *library,
                                const struct shim_redirection *redirection)
{
    const IMAGE_THUNK_DATA *name =
        (const IMAGE_THUNK_DATA *)(module + descriptor->OriginalFirstThunk);
    IMAGE_THUNK_DATA *slot = (IMAGE_THUNK_DATA *)(module + descriptor->FirstThunk);

    for (; name->u1.AddressOfData != 0; name++, slot++) {
        const struct shim_function *found = find_import(redirection, module, library, name);

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
        char *library = NULL;

        if (descriptor->OriginalFirstThunk == 0)
            continue;
        if (!redirection->is_library(module + descriptor->Name)) {
            library = forwarders_find_module(module + descriptor->Name);
            if (library == NULL)
                continue;
        }
        redirect_descriptor(nt, module, descriptor, library, redirection);
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

        if (module != redirection->keep)
            redirect_module(nt, module, redirection);
    }
}
