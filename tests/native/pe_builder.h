/* SPDX-License-Identifier: MIT */
/* Builds small PE files in memory, of both formats, for the tests of what reads them. */
#ifndef PSS_TEST_PE_BUILDER_H
#define PSS_TEST_PE_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#define PE_BUILDER_FUNCTIONS 12
#define PE_BUILDER_DLLS      8
#define PE_BUILDER_ROOM      16384u

/* Where things are: offsets in the file and relative addresses. */
#define BUILT_HEADER      0x80u /* of "PE" */
#define BUILT_OPTIONAL    0x98u /* of the optional header */
#define BUILT_HEADER_SIZE 0x400u
#define BUILT_CODE        0x400u /* offset of .text */
#define BUILT_CODE_RVA    0x1000u
#define BUILT_IMPORTS     0x600u  /* offset of .idata, which is read-only */
#define BUILT_IMPORTS_RVA 0x2000u /* of the import descriptors */
#define BUILT_DELAYED_RVA 0x2100u /* of the delay-load descriptors */
#define BUILT_DEBUG_RVA   0x2180u /* of one debug directory entry */
#define BUILT_MANAGED_RVA 0x21a0u /* of a managed header */
#define BUILT_NAMES_RVA   0x2200u /* of names and lookup tables */
#define BUILT_IMPORTS_END 0xe00u
#define BUILT_SLOTS       0xe00u /* offset of .data, which is writable */
#define BUILT_SLOTS_RVA   0x3000u
#define BUILT_END         0x1000u /* of the last section's bytes */
#define BUILT_NEXT_RVA    0x5000u /* behind the last section in memory */

/** How one DLL's functions are imported. */
enum pe_builder_kind {
    BUILD_ORDINARY,
    BUILD_WITHOUT_LOOKUP, /* names in the slots only, as old linkers did */
    BUILD_BOUND,          /* with addresses in the slots and a stamp */
    BUILD_DELAYED,
    BUILD_DELAYED_ADDRESSES /* the old form of delay-loading */
};

struct pe_builder_dll {
    const char *name;
    enum pe_builder_kind kind;
    const char *functions[PE_BUILDER_FUNCTIONS]; /* "#" = by ordinal; to the first NULL */
};

struct pe_builder {
    int is_64;
    struct pe_builder_dll dlls[PE_BUILDER_DLLS]; /* to the first without a name */
    uint8_t bytes[PE_BUILDER_ROOM];
    size_t size;
    uint32_t next_name; /* relative addresses not yet used */
    uint32_t next_slot;
};

/** Builds a file with the DLLs that are set. */
void pe_builder_build(struct pe_builder *built);

/** Appends bytes behind the file. */
void pe_builder_append(struct pe_builder *built, const void *bytes, size_t size);

/** Numbers of the file, at an offset. */
uint32_t pe_builder_get32(const uint8_t *bytes, uint32_t offset);
void pe_builder_put16(uint8_t *bytes, uint32_t offset, uint32_t value);
void pe_builder_put32(uint8_t *bytes, uint32_t offset, uint32_t value);

/** The offset of a directory's entry. */
uint32_t pe_builder_directory(const struct pe_builder *built, uint32_t index);

/** Sets a directory. */
void pe_builder_set_directory(struct pe_builder *built, uint32_t index, uint32_t rva,
                              uint32_t size);

/** The offset of a section's header. */
uint32_t pe_builder_section(const struct pe_builder *built, uint32_t index);

/** Sets a field of a section's header, or of the optional header, at its offset there. */
void pe_builder_set_section(struct pe_builder *built, uint32_t index, uint32_t field,
                            uint32_t value);
void pe_builder_set_optional(struct pe_builder *built, uint32_t field, uint32_t value);

/** The offset of what is at a relative address of .idata or .data. */
uint32_t pe_builder_offset(uint32_t rva);

#endif
