/* SPDX-License-Identifier: MIT */
/* What the parts of the model share: which values are live, and how one is chosen. */
#ifndef PSS_CALL_STATE_H
#define PSS_CALL_STATE_H

#include "call_model.h"

#include "api/api.h"

#define CALL_SNAPSHOTS 4u
#define CALL_MARKERS   4u

#define call_require(condition) ((condition) ? (void)0 : call_fail(#condition, __FILE__, __LINE__))

struct call_snapshot {
    HPSS handle; /* stays when it is freed */
    int is_live;
};

extern struct call_snapshot call_snapshots[CALL_SNAPSHOTS];

_Noreturn void call_fail(const char *condition, const char *file, int line);

/** A value for a snapshot or a marker: one of ours, live or not, or one that never was any. */
HPSS call_choose_snapshot(uint8_t choice);
HPSSWALK call_choose_marker(uint8_t choice);

/** The live snapshot of this value; NULL if there is none. */
struct call_snapshot *call_live_snapshot(HPSS handle);

/** A length: mostly the right one. */
DWORD call_choose_length(DWORD right, uint8_t how);

/** A buffer of this size, so that a byte too many is noticed; NULL if none is wanted. */
unsigned char *call_make_buffer(DWORD length, int is_wanted);

/** Frees it; a call that failed has left it alone. */
void call_finish_buffer(unsigned char *buffer, DWORD length, NTSTATUS status);

static inline const struct pss_section_entry *call_section(HPSS snapshot, enum pss_section section)
{
    return &((const struct pss_block *)snapshot)->sections[section];
}

/* ---- call_markers.c ---- */

/** The value of a marker, live or not. */
HPSSWALK call_marker_handle(uint32_t index);

void call_marker_create(uint8_t a, uint8_t how);
void call_marker_free(HPSSWALK handle);
void call_marker_move(uint8_t a, uint8_t b, uint8_t how);
void call_walk(uint8_t a, uint8_t b, uint8_t how);

/** Forgets all markers, or frees those that live. */
void call_markers_begin(void);
void call_markers_end(void);

#endif
