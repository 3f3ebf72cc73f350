/* SPDX-License-Identifier: MIT */
/* A model of the loader: maps a well-formed PE file and tells what each slot is bound to. */
#ifndef PSS_TEST_PE_LOADER_H
#define PSS_TEST_PE_LOADER_H

#include <stddef.h>
#include <stdint.h>

#define PE_LOADER_BINDINGS 64
#define PE_LOADER_ROOM     0x10000u

struct pe_binding {
    uint32_t slot;     /* relative address */
    char function[96]; /* "dll!name" or "dll!#ordinal" */
    int is_delayed;    /* bound by the program itself, at the first call */
};

struct pe_loader {
    uint8_t image[PE_LOADER_ROOM];
    int is_64;
    uint32_t directory; /* relative address of the directories */
    struct pe_binding bindings[PE_LOADER_BINDINGS];
    size_t count;
};

/** Maps and binds; what a loader would refuse fails the test. */
void pe_loader_bind(struct pe_loader *loader, const uint8_t *bytes, size_t size);

/** What is bound to a slot, or "" if nothing is. */
const struct pe_binding *pe_loader_find(const struct pe_loader *loader, uint32_t slot);

#endif
