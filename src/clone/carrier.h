/* SPDX-License-Identifier: MIT */
/* A carrier in the making: the state its steps share, and a function for each step. */
#ifndef PSS_CARRIER_H
#define PSS_CARRIER_H

#include "base/worker.h"
#include "clone/clone.h"
#include "clone/route.h"

/*
 * A carrier is a process that is created suspended, from the target's own image, and never runs. It
 * gives up its own memory, as far as it can do without, and is given the target's at the same
 * addresses. Everything here runs on a worker: some systems let a process answer for its memory,
 * and wait for ever if it dies with the question in its hands.
 */

/* Addresses; the end is the first one behind. */
struct pss_range {
    uint64_t base, end;
};

/* What the carrier keeps of its own. */
struct pss_kept {
    struct pss_range range;
    uint8_t is_block; /* its TEB and PEB are in there: written to, but not freed */
};

enum pss_place {
    PSS_PLACE_OWN,    /* allocated by us, and zero */
    PSS_PLACE_IMAGE,  /* a view of the target's image file */
    PSS_PLACE_BLOCK,  /* in the block with the carrier's TEB and PEB */
    PSS_PLACE_KEPT,   /* the carrier has its own there */
    PSS_PLACE_ABSENT, /* could not be allocated there */
};

/* A part of a region of the target that is in one place of the carrier. */
struct pss_piece {
    struct pss_range range;
    uint64_t allocation;
    uint32_t state, type; /* MEM_COMMIT or MEM_RESERVE; MEM_* */
    uint32_t allocation_protect, protect;
    uint32_t has_protect; /* what it has in the carrier; 0: unknown */
    uint64_t cut;         /* the first address that could not be read; 0: none. Atomic */
    uint8_t place;        /* enum pss_place */
    uint8_t is_laid_out;
};

/* TEBs and PEBs of a new process; 0 where it has none. */
struct pss_own_blocks {
    uint64_t teb64, peb64, teb32, peb32;
};

/* Files that may show the target's memory: which one does is seen when it stands still. */
#define PSS_CANDIDATE_LIMIT 8

/* Bytes that are copied at once. Measured: calls that cross a server want larger chunks. */
#define PSS_COPY_CHUNK      0x80000u
#define PSS_FILE_COPY_CHUNK 0x40000u

/* What a chunk is compared with, to tell what has to be written. */
enum pss_comparison { PSS_COMPARE_WITH_ZERO, PSS_COMPARE_WITH_IMAGE, PSS_COMPARE_WITH_BLOCK };

#define PSS_COPIER_COUNT 2

/* One that copies. The first works on the carrier's worker; the second has one of its own. */
struct pss_copier {
    struct pss_worker_state worker;  /* first */
    struct pss_errand_state *errand; /* of the worker it works on */
    struct pss_carrier *carrier;
    uint64_t copied, unchanged, zero; /* bytes: see struct pss_clone_record */
    unsigned char *chunk, *other;     /* as large as the chunks it copies */
};

struct pss_carrier {
    struct pss_worker_state worker;  /* first: the worker's memory is the carrier */
    struct pss_errand_state *errand; /* the worker's, or if there is none the next one */
    struct pss_errand_state no_errand;
    const struct pss_nt *nt;
    struct pss_clone_target target;
    HANDLE process, thread, job; /* of the carrier; owned */
    HANDLE section;              /* of the image that is being mapped; owned */
    struct pss_own_blocks own;
    struct pss_range hole;        /* bytes in the block that are the carrier's for good */
    uint8_t is_block_alike;       /* the target has a PEB and a TEB where the carrier has them */
    struct pss_region kept;       /* struct pss_kept, ascending */
    struct pss_region regions;    /* struct pss_region_record of the target, as last told */
    struct pss_region pieces;     /* struct pss_piece: of those regions */
    struct pss_region old_pieces; /* as laid out before */
    struct pss_route from, to;    /* the target's bytes, the carrier's bytes */
    HANDLE candidates[PSS_CANDIDATE_LIMIT]; /* files that may be the target's; owned */
    uint32_t candidate_count;
    uint64_t target_teb;            /* of its oldest thread; 0: unknown */
    struct pss_clone_record record; /* the counts */
    uint32_t next_chunk;            /* to be copied; atomic */
    struct pss_copier copiers[PSS_COPIER_COUNT];
};

/* A UNICODE_STRING with the longest text there is. */
#define PSS_NAME_ROOM 0x11000u

/** Room for the names and lists of the system: PSS_COPY_CHUNK bytes. */
static inline void *pss_carrier_scratch(struct pss_carrier *carrier)
{
    return carrier->copiers[0].chunk;
}

/** Whether no call is needed to move bytes. */
static inline int pss_carrier_uses_files(const struct pss_carrier *carrier)
{
    return carrier->from.file && carrier->to.file;
}

static inline uint32_t pss_piece_count(const struct pss_region *pieces)
{
    return pieces->size / (uint32_t)sizeof(struct pss_piece);
}

static inline struct pss_piece *pss_piece_at(const struct pss_region *pieces, uint32_t index)
{
    return (struct pss_piece *)pieces->base + index;
}

/** Counts a call that came back; STATUS_CANCELLED if nobody waits for its outcome any more. */
static inline NTSTATUS pss_carrier_step(struct pss_carrier *carrier, NTSTATUS status)
{
    return pss_errand_step(carrier->errand) ? status : STATUS_CANCELLED;
}

/* ---- carrier_process.c ---- */

/** Creates the suspended process, in a job that ends it with its last owner. */
NTSTATUS pss_carrier_create(struct pss_carrier *carrier);

/* ---- carrier_strip.c ---- */

/** Finds the TEBs and PEBs of the carrier, and whether the target has its own there. */
NTSTATUS pss_carrier_find_blocks(struct pss_carrier *carrier);

/** Takes from the carrier what it can do without, and lists what it keeps. */
NTSTATUS pss_carrier_strip(struct pss_carrier *carrier);

/** Makes the carrier's PEB that of the target, where the target has its own elsewhere. */
NTSTATUS pss_carrier_copy_peb(struct pss_carrier *carrier);

/* ---- carrier_files.c ---- */

/**
 * Looks for the files in which the system shows the memory of the target and of the carrier. There
 * may be none: then both are reached by calls. The target's is only a candidate.
 */
NTSTATUS pss_carrier_find_files(struct pss_carrier *carrier);

/** Chooses the target's file among the candidates, while the target stands still. */
NTSTATUS pss_carrier_choose_file(struct pss_carrier *carrier);

/** Closes the files. */
void pss_carrier_close_files(struct pss_carrier *carrier);

/* ---- carrier_layout.c ---- */

/** Gives the carrier the allocations of its regions; what is there already stays. */
NTSTATUS pss_carrier_lay_out(struct pss_carrier *carrier);

/** Gives each part of it the protection the target has there. */
NTSTATUS pss_carrier_protect(struct pss_carrier *carrier);

/* ---- carrier_image.c ---- */

/**
 * Maps the file of an image of the target into the carrier.
 *
 * \param first  [in,out] The first of \p count pieces, the whole allocation.
 * \return STATUS_SUCCESS: mapped · any other status: it has to be copied, or STATUS_CANCELLED.
 */
NTSTATUS pss_carrier_map_image(struct pss_carrier *carrier, struct pss_piece *first,
                               uint32_t count);

/* ---- carrier_copy.c ---- */

/** Copies what the carrier does not have yet; several copiers share the work. */
NTSTATUS pss_carrier_copy(struct pss_copier *copier);

/** Adds up what was copied. */
void pss_carrier_count(struct pss_carrier *carrier);

/* ---- carrier_chunk.c ---- */

/** Reads into the chunk; \p size becomes less when a page in it cannot be read. */
NTSTATUS pss_chunk_read(struct pss_copier *copier, uint64_t address, uint32_t *size);

/** Writes what the carrier does not have of the chunk. */
NTSTATUS pss_chunk_write(struct pss_copier *copier, enum pss_comparison comparison,
                         uint64_t address, uint32_t size);

#endif
