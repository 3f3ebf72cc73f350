/* SPDX-License-Identifier: MIT */
/* Reads a PE file that nobody vouches for: headers, sections, and what a relative address holds. */
#ifndef PSS_PE_READ_H
#define PSS_PE_READ_H

#include <stddef.h>
#include <stdint.h>

#include "pe_verdict.h"

#define PE_PAGE            0x1000u
#define PE_SECTOR          0x200u
#define PE_MAX_SIZE        0x7fff0000u /* bytes of a file */
#define PE_MAX_SECTIONS    256u        /* that are read; loaders of Windows take 96 */
#define PE_MAX_DIRECTORIES 16u

#define PE_MACHINE_X86 0x014cu
#define PE_MACHINE_X64 0x8664u

#define PE_SECTION_WRITABLE 0x80000000u

/* Offsets within the headers, which are the same in both formats. */
#define PE_FILE_HEADER_SIZE    24u /* with the signature */
#define PE_SECTION_HEADER_SIZE 40u

enum pe_directory {
    PE_DIRECTORY_EXPORTS = 0,
    PE_DIRECTORY_IMPORTS = 1,
    PE_DIRECTORY_CERTIFICATES = 4, /* its address is an offset in the file */
    PE_DIRECTORY_DEBUG = 6,
    PE_DIRECTORY_LOAD_CONFIGURATION = 10,
    PE_DIRECTORY_BOUND_IMPORTS = 11,
    PE_DIRECTORY_ADDRESS_TABLE = 12,
    PE_DIRECTORY_DELAY_IMPORTS = 13,
    PE_DIRECTORY_MANAGED = 14
};

struct pe_section {
    char name[9];         /* terminated */
    uint32_t rva;         /* where it is loaded */
    uint32_t memory_size; /* bytes there; 0 stands for those in the file */
    uint32_t offset;      /* of its bytes in the file */
    uint32_t file_size;   /* bytes in the file, within it */
    uint32_t flags;
};

struct pe_span {
    uint32_t rva; /* 0: there is none */
    uint32_t size;
};

struct pe_file {
    const uint8_t *bytes; /* borrowed */
    size_t size;
    uint32_t header;    /* offset of the signature "PE" */
    uint32_t optional;  /* offset of the optional header */
    uint32_t directory; /* offset of the first directory */
    uint32_t directory_count;
    uint32_t section_table; /* offset of the first section header */
    uint32_t section_count;
    uint32_t machine;   /* PE_MACHINE_* */
    uint32_t word_size; /* bytes of an address: 4 or 8 */
    uint64_t image_base;
    uint32_t image_size;
    uint32_t header_size;
    uint32_t section_alignment;
    uint32_t file_alignment;
    struct pe_section sections[PE_MAX_SECTIONS];
};

/** Little-endian numbers at any address. */
uint16_t pe_get16(const uint8_t *bytes);
uint32_t pe_get32(const uint8_t *bytes);
uint64_t pe_get64(const uint8_t *bytes);

/**
 * Reads the headers.
 *
 * \param bytes [in]  The file; must outlive \p file.
 * \param size  [in]  Bytes of it.
 * \param file  [out] Filled on success, else undefined.
 * \return PE_NOTHING, as nothing speaks against it · what does.
 */
enum pe_verdict pe_open(const uint8_t *bytes, size_t size, struct pe_file *file);

/** A directory's place; rva 0 if the file has none. */
struct pe_span pe_directory(const struct pe_file *file, enum pe_directory index);

/** The section that is loaded over \p rva, or NULL. */
const struct pe_section *pe_section_at(const struct pe_file *file, uint32_t rva);

/**
 * Copies what the image holds at an address, zeros included that are not in the file.
 *
 * \return 1 · 0 if not all of it is in the image; \p buffer is undefined then.
 */
int pe_load(const struct pe_file *file, uint32_t rva, void *buffer, uint32_t size);

/**
 * The offset in the file of \p size bytes of the image.
 *
 * \return 1 · 0 if they are not in it.
 */
int pe_find(const struct pe_file *file, uint32_t rva, uint32_t size, uint32_t *offset);

/**
 * Copies a text of the image.
 *
 * \param text [out] Terminated; only its start if it does not fit into \p size bytes.
 * \return 1 · 0 if the image ends before the text does.
 */
int pe_load_text(const struct pe_file *file, uint32_t rva, char *text, uint32_t size);

#endif
