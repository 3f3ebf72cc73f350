/* SPDX-License-Identifier: MIT */
/* The descriptor: the sealed block an HPSS points at. Its layout, its builder and its reader. */
#ifndef PSS_DESCRIPTOR_H
#define PSS_DESCRIPTOR_H

#include "base/region.h"

/*
 * One contiguous allocation: header, then the sections, ascending and without overlap. It holds
 * offsets from its start and never pointers, and every address and handle value is 64 bits wide:
 * written into any process, of either bitness, it can be used there as it is. A sealed block never
 * changes but for `live` and `references`.
 */

#define PSS_BLOCK_MAGIC   0x44535350u /* "PSSD" */
#define PSS_BLOCK_VERSION 1u

#define PSS_SECTION_ALIGNMENT 64u /* bytes; the XSAVE area of a context wants it */
#define PSS_DATA_ALIGNMENT    16u /* bytes; of every text and page */

/*
 * Bytes behind the contexts: clients copy a whole CONTEXT, also 64-bit ones from a snapshot that a
 * 32-bit process has captured.
 */
#define PSS_CONTEXT_SLACK 1024u

enum pss_section {
    PSS_SECTION_PROCESS,
    PSS_SECTION_PERFORMANCE,
    PSS_SECTION_AUXILIARY_PAGES,
    PSS_SECTION_REGIONS,
    PSS_SECTION_MAPPINGS, /* what the regions of one mapped file share */
    PSS_SECTION_HANDLES,
    PSS_SECTION_THREADS,
    PSS_SECTION_CONTEXTS, /* records of context_stride bytes */
    PSS_SECTION_TRACE,    /* the handle trace */
    PSS_SECTION_CLONE,    /* the clone process */
    PSS_SECTION_DATA,     /* strings and pages: records of one byte */
    PSS_SECTION_COUNT
};

/* Where a block comes from. */
enum pss_origin {
    PSS_ORIGIN_CAPTURED, /* made by this process */
    PSS_ORIGIN_SHIPPED,  /* written by another process, and not used yet */
    PSS_ORIGIN_ADOPTED,  /* made by another process, and a live snapshot here */
};

struct pss_section_entry {
    uint32_t offset;  /* bytes from the start of the block */
    uint32_t count;   /* records */
    uint32_t stride;  /* bytes per record */
    uint32_t present; /* 1: was captured, even if empty */
};

struct pss_block {
    uint32_t magic;
    uint32_t version;
    uint32_t size;           /* bytes of the whole block */
    uint32_t capture_flags;  /* PSS_CAPTURE_FLAGS as given */
    uint32_t context_length; /* bytes of a context; 0 without contexts */
    uint32_t live;           /* 1 until PssFreeSnapshot */
    uint32_t references;     /* owners: the HPSS and each marker; atomic */
    uint32_t origin;         /* enum pss_origin; atomic */
    uint64_t instance;       /* tells it from any other block that is or was at its address */
    struct pss_section_entry sections[PSS_SECTION_COUNT];
};

#define PSS_TEXT_LIMIT 0xFFFCu /* bytes: even, and with its terminator still within a WORD */

/* Text in the data section: NUL-terminated UTF-16. Offset 0 is no text. */
struct pss_text {
    uint32_t offset; /* bytes from the start of the data section */
    uint32_t length; /* bytes without the terminator; fits a WORD */
};

struct pss_process_record {
    uint64_t peb;
    uint64_t affinity;
    uint64_t create_time, exit_time, kernel_time, user_time; /* FILETIME; 100 ns */
    uint64_t peak_virtual_size, virtual_size;                /* bytes, as all sizes below */
    uint64_t peak_working_set_size, working_set_size;
    uint64_t quota_peak_paged_pool_usage, quota_paged_pool_usage;
    uint64_t quota_peak_non_paged_pool_usage, quota_non_paged_pool_usage;
    uint64_t pagefile_usage, peak_pagefile_usage, private_usage;
    uint32_t exit_status;
    int32_t base_priority;
    uint32_t process_id, parent_process_id;
    uint32_t flags; /* PSS_PROCESS_FLAGS */
    uint32_t priority_class;
    uint32_t page_fault_count;
    uint32_t execute_flags;
    struct pss_text image_file_name;
};

struct pss_performance_record {
    uint64_t counters[12]; /* in the order of PSS_PERFORMANCE_COUNTERS */
};

struct pss_region_record {
    uint64_t base, allocation_base, size;
    uint32_t allocation_protect, state, protect, type;
    uint32_t mapping; /* index of the mapping plus 1; 0 for none */
    uint32_t reserved;
};

struct pss_mapping_record {
    uint64_t image_base;
    uint32_t time_date_stamp, size_of_image, check_sum;
    uint32_t reserved;
    struct pss_text file_name;
};

struct pss_auxiliary_page_record {
    struct pss_region_record region;
    uint64_t capture_time;
    uint32_t contents; /* bytes from the start of the data section; 0 for none */
    uint32_t size;     /* bytes */
};

/* The data by object type of a handle; which one tells object_type. */
union pss_handle_specific {
    struct {
        uint64_t peb, affinity;
        uint32_t exit_status;
        int32_t base_priority;
        uint32_t process_id, parent_process_id, flags;
    } process;
    struct {
        uint64_t teb, affinity, start_address;
        uint32_t exit_status;
        uint32_t process_id, thread_id;
        int32_t priority, base_priority;
    } thread;
    struct {
        int32_t current_count;
        uint32_t abandoned, owner_process_id, owner_thread_id;
    } mutant;
    struct {
        uint32_t manual_reset, signaled;
    } event;
    struct {
        uint64_t base, maximum_size;
        uint32_t attributes;
    } section;
    struct {
        int32_t current_count, maximum_count;
    } semaphore;
    uint64_t whole[6];
};

struct pss_handle_record {
    uint64_t handle;
    uint64_t capture_time, creation_time;
    uint32_t flags;       /* PSS_HANDLE_FLAGS */
    uint32_t object_type; /* PSS_OBJECT_TYPE */
    uint32_t attributes, granted_access, handle_count, pointer_count;
    uint32_t paged_pool_charge, non_paged_pool_charge;
    uint32_t type_index; /* of the capturing system */
    uint32_t reserved;
    struct pss_text type_name, object_name;
    union pss_handle_specific specific;
};

struct pss_thread_record {
    uint64_t teb, affinity, start_address, last_syscall_argument;
    uint64_t create_time, exit_time, kernel_time, user_time, capture_time;
    uint32_t exit_status;
    uint32_t process_id, thread_id;
    int32_t priority, base_priority;
    uint32_t flags; /* PSS_THREAD_FLAGS */
    uint16_t last_syscall_number;
    uint16_t suspend_count;
    uint32_t context; /* index of the context plus 1; 0 for none */
    struct pss_text name;
};

#define PSS_TRACE_SIZE_LIMIT  0x10000000u                        /* bytes; a larger one is none */
#define PSS_TRACE_LENT_ACCESS (SECTION_MAP_READ | SECTION_QUERY) /* of the client's handle */

/* A handle lent to the client and a private one to the same object: the client may close his. */
struct pss_trace_record {
    uint64_t lent, kept; /* section handles, owned */
    uint64_t mark;       /* written behind the trace: tells our section from any other */
    uint32_t size;       /* bytes of the trace */
    uint32_t reserved;
};

/* The clone ends when the last handle to its job is closed: each owner of a snapshot has one. */
struct pss_clone_record {
    uint64_t lent, kept;              /* process handles, owned, as above */
    uint64_t job;                     /* owned; 0 for none: it ends with its last handle */
    uint64_t committed;               /* bytes the target had; as all below 0 where not told */
    uint64_t held;                    /* bytes of these the clone has as they were, which were: */
    uint64_t copied, unchanged, zero; /* copied, supplied by image files, never written */
    uint64_t missing;                 /* bytes of these it does not have */
    uint32_t strategy;                /* PSS_CLONE_STRATEGY */
    uint32_t route;                   /* PSS_CLONE_ROUTE */
};

/* What a capture appends to before the block is sealed. Zero-initialised is empty and valid. */
struct pss_builder {
    struct pss_region sections[PSS_SECTION_COUNT];
    uint32_t present; /* bit per section */
    uint32_t capture_flags;
    uint32_t context_length, context_stride; /* bytes */
};

/** Bytes per record of a section; for contexts \p context_stride. */
uint32_t pss_section_stride(enum pss_section section, uint32_t context_stride);

/** Marks a section as captured, so that it is present even when nothing is appended. */
void pss_builder_begin(struct pss_builder *builder, enum pss_section section);

/**
 * Appends a zeroed record.
 *
 * \param record  [out] The record, until the next append to the same section.
 * \return STATUS_SUCCESS · STATUS_NO_MEMORY past 4 GiB · the allocator's status.
 */
NTSTATUS pss_builder_append(const struct pss_nt *nt, struct pss_builder *builder,
                            enum pss_section section, void *record);

/** Appended records of a section. */
uint32_t pss_builder_count(const struct pss_builder *builder, enum pss_section section);

/** The record at \p index, until the next append to the same section. */
void *pss_builder_record(const struct pss_builder *builder, enum pss_section section,
                         uint32_t index);

/**
 * Copies text; what is too long for a WORD of bytes is cut.
 *
 * \param source  [in]  UTF-16, need not be terminated.
 * \param length  [in]  Bytes; 0 gives no text. An odd byte is dropped.
 * \param text    [out] Untouched on failure.
 */
NTSTATUS pss_builder_text(const struct pss_nt *nt, struct pss_builder *builder, const WCHAR *source,
                          SIZE_T length, struct pss_text *text);

/** Reserves \p size zeroed bytes in the data section; \p offset is never 0. */
NTSTATUS pss_builder_data(const struct pss_nt *nt, struct pss_builder *builder, uint32_t size,
                          uint32_t *offset);

/**
 * Lays everything out in one block with one reference.
 *
 * \param block  [out] Owned by the caller, released with pss_block_release; untouched on failure.
 * \return STATUS_SUCCESS · STATUS_NO_MEMORY past 4 GiB · the allocator's status.
 */
NTSTATUS pss_builder_seal(const struct pss_nt *nt, const struct pss_builder *builder,
                          struct pss_block **block);

/** Releases what was appended; a sealed block is not touched. */
void pss_builder_fini(const struct pss_nt *nt, struct pss_builder *builder);

/**
 * Tells whether bytes are a block that may be used: every number in it is within its bounds, every
 * text is terminated, every index names a record.
 *
 * \param bytes  [in] Private memory, 8-byte aligned: nobody else may write to it meanwhile.
 * \param size   [in] Bytes there; the block must have exactly this size.
 * \return STATUS_SUCCESS · STATUS_INVALID_HANDLE.
 */
NTSTATUS pss_block_validate(const void *bytes, SIZE_T size);

/** One more owner. */
void pss_block_reference(struct pss_block *block);

/** One owner less; the last one frees the memory. Owned handles are not closed here. */
void pss_block_release(const struct pss_nt *nt, struct pss_block *block);

/**
 * Closes the handles that a snapshot owns, as pss_clone_let_go does. A lent one is closed only if
 * it still is the one that was lent: the client may have closed it, and the value may be another
 * handle's by now.
 */
void pss_owned_close(const struct pss_nt *nt, const struct pss_block *block);

/** Closes all handles of a snapshot that no client has ever seen. */
void pss_owned_discard(const struct pss_nt *nt, const struct pss_block *block);

/* The handles a snapshot owns, by record; zero without one. */
struct pss_owned_records {
    struct pss_trace_record trace;
    struct pss_clone_record clone;
};

void pss_owned_read(const struct pss_block *block, struct pss_owned_records *records);

/** Whether a handle is one to the section of the trace, or to a process. */
int pss_trace_is_ours(const struct pss_nt *nt, HANDLE handle,
                      const struct pss_trace_record *record);
int pss_clone_is_process(const struct pss_nt *nt, HANDLE handle);

/**
 * Whether a handle is the one that was lent: to the section of the trace, or to the clone that
 * \p kept names, with the access that was lent. Another handle to the same object with this very
 * access cannot be told from it.
 */
int pss_trace_is_lent(const struct pss_nt *nt, HANDLE handle,
                      const struct pss_trace_record *record);
int pss_clone_is_lent(const struct pss_nt *nt, HANDLE handle, HANDLE kept);

/* The same for the records themselves; one with no handles is ignored. trace.c, clone.c */
void pss_trace_close(const struct pss_nt *nt, const struct pss_trace_record *record);
void pss_trace_discard(const struct pss_nt *nt, const struct pss_trace_record *record);
void pss_clone_close(const struct pss_nt *nt, const struct pss_clone_record *record);
void pss_clone_discard(const struct pss_nt *nt, const struct pss_clone_record *record);

/**
 * Closes an owner's handles to a clone and to its job; the last owner of a clone ends it with that.
 * If somebody who is no owner has a handle to the clone then, both handles are kept instead, until
 * pss_clone_look finds that nobody has. remaining.c
 *
 * \param process  [in] May be NULL, as \p job may.
 */
void pss_clone_let_go(const struct pss_nt *nt, HANDLE process, HANDLE job);

/** Ends the clones that were kept for others and that nobody has a handle to any more. */
void pss_clone_look(const struct pss_nt *nt);

static inline int pss_block_has(const struct pss_block *block, enum pss_section section)
{
    return block->sections[section].present != 0;
}

/** What lies at \p offset of the data section; NULL for offset 0. */
static inline const void *pss_block_data(const struct pss_block *block, uint32_t offset)
{
    return offset ? (const char *)block + block->sections[PSS_SECTION_DATA].offset + offset : NULL;
}

static inline const void *pss_block_record(const struct pss_block *block, enum pss_section section,
                                           uint32_t index)
{
    const struct pss_section_entry *entry = &block->sections[section];

    return (const char *)block + entry->offset + (SIZE_T)index * entry->stride;
}

#endif
