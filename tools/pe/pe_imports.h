/* SPDX-License-Identifier: MIT */
/* Finds the Pss imports of a PE file, and cuts its import descriptors so that they can move. */
#ifndef PSS_PE_IMPORTS_H
#define PSS_PE_IMPORTS_H

#include "pe_read.h"

#define PE_IMPORT_SIZE 20u /* bytes of an import descriptor */
#define PE_DELAY_SIZE  32u /* bytes of a delay-load descriptor */

#define PE_MAX_DESCRIPTORS 4096u      /* of each kind, also of the new table; more are malformed */
#define PE_MAX_NAMES       (1u << 16) /* in all descriptors that are of interest */

/** One descriptor of the new import table: some neighbouring slots of one old descriptor. */
struct pe_piece {
    uint32_t lookup; /* RVA of the names; 0 if only the slots have them */
    uint32_t stamp;
    uint32_t forwarder;
    uint32_t name;  /* RVA of the DLL's name; not for a piece that moves */
    uint32_t slots; /* RVA of the slots that the loader fills */
    uint32_t count; /* names to copy into a table of its own; 0: the old table goes on to serve */
    int moves;      /* to pss.dll */
};

/** Slots, by their relative addresses. */
struct pe_range {
    uint32_t start;
    uint32_t end;
};

struct pe_imports {
    struct pe_piece *pieces; /* owned; the whole new table without its end */
    size_t piece_count;
    size_t piece_room;
    uint32_t *lazy; /* owned; RVAs of delay-load descriptors that get another DLL name */
    size_t lazy_count;
    size_t lazy_room;
    struct pe_range *taken; /* owned; slots that ordinary descriptors bind to pss.dll */
    size_t taken_count;
    size_t taken_room;
    uint32_t names_read;
    uint32_t linked;   /* names that move, by how they are imported: ordinary, */
    uint32_t delayed;  /* delay-load and still so, */
    uint32_t hastened; /* delay-load but bound when the program starts from now on */
    uint32_t already;  /* descriptors that name pss.dll */
    uint32_t foreign;  /* of them, those that import something else only: it is another library */
    int has_nameless;  /* a descriptor is bound and has no names */
    int has_addresses; /* delay-load descriptors of the old form have names that should move */
    int has_read_only; /* slots that should be bound at the start cannot be written */
};

/**
 * Reads both kinds of imports.
 *
 * \param file    [in]  Open.
 * \param imports [out] Filled on success, for pe_imports_free().
 * \return PE_NOTHING · PE_BAD_IMPORTS · PE_NO_MEMORY.
 */
enum pe_verdict pe_imports_read(const struct pe_file *file, struct pe_imports *imports);

void pe_imports_free(struct pe_imports *imports);

/** The number of names that move. */
uint32_t pe_imports_moving(const struct pe_imports *imports);

/** Whether the loader would write each slot without a directory that says where they are. */
int pe_imports_are_writable(const struct pe_file *file, const struct pe_imports *imports);

#endif
