/* SPDX-License-Identifier: MIT */
/* Compares the regions of a target with those of its clone. */
#ifndef PSS_TOOL_COMPARE_H
#define PSS_TOOL_COMPARE_H

#include <stddef.h>

#include <windows.h>

/** Regions by ascending address, without gaps; zero-initialised. */
struct region_list {
    MEMORY_BASIC_INFORMATION *items; /* owned */
    size_t count;
    size_t capacity;
};

void region_list_add(struct region_list *list, const MEMORY_BASIC_INFORMATION *region);
void region_list_fini(struct region_list *list);

/** In what a region of the target and those of the clone at the same addresses differ. */
enum compare_kind {
    COMPARE_BASE = 0x01,    /* the clone's first region begins elsewhere */
    COMPARE_SIZE = 0x02,    /* it has another size */
    COMPARE_STATE = 0x04,   /* one of them has another state, or there is none */
    COMPARE_PROTECT = 0x08, /* one of them has another protection */
    COMPARE_TYPE = 0x10     /* one of them has another type */
};
#define COMPARE_KIND_COUNT 5

/** The words for the kinds: [i] for the kind 1 << i. */
extern const char *const compare_words[COMPARE_KIND_COUNT];

/** A region that differs. */
struct difference {
    size_t target;  /* index of the target's region */
    size_t first;   /* index of the first of the clone's regions there */
    size_t count;   /* number of them */
    unsigned kinds; /* bits of enum compare_kind, at least one */
};

/** The two lists and what differs; zero-initialised. */
struct comparison {
    struct region_list target;
    struct region_list clone;
    struct difference *items; /* owned; by ascending address */
    size_t count;
    size_t kinds[COMPARE_KIND_COUNT]; /* [i]: items with the kind 1 << i */
};

/** Fills the differences of the lists, which are there. */
void compare_lists(struct comparison *comparison);

/** Frees everything; safe when empty. */
void compare_fini(struct comparison *comparison);

#endif
