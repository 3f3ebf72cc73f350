/* SPDX-License-Identifier: MIT */
/* What the native tests of clones share: a target with memory of every kind, and comparisons. */
#ifndef PSS_CLONE_WORLD_H
#define PSS_CLONE_WORLD_H

#include "world.h"

/* Where the target has what; beside that it has what every process has. */
#define HEAP         0x400000u  /* 16 pages with bytes, then reserved */
#define ZEROES       0x500000u  /* 32 pages */
#define GUARDED      0x600000u  /* a guard page, then 3 pages */
#define FORBIDDEN    0x700000u  /* 2 pages without access, with bytes */
#define MAPPED_FILE  0x800000u  /* 5 pages */
#define SHARED       0x900000u  /* 3 pages of a section, writable */
#define MIXED        0xA00000u  /* 4 pages, each with another protection */
#define ORPHAN_IMAGE 0xB00000u  /* 2 pages of an image without a file */
#define LARGE        0x1000000u /* 0x280000 bytes, a third of them not zero; only if asked for */
#define EXE          0x140000000u

#define IMAGE_PAGES 8u
#define DATA_PAGE   5u /* of the exe: the target has changed it */

/* What a carrier never has: its kernel stack, the shared page, and a part of its TEB. */
#define KERNEL_STACK_SIZE 0x100000u
#define ALWAYS_MISSING    (KERNEL_STACK_SIZE + 0x1000u + 0x7D8u - 0x2F0u)

/** cmocka fixtures: the furnished target, which the twin equals. */
int clone_world_setup(void **state);
int clone_world_teardown(void **state);

/** Files, and a process that has never run but for them; for the target, or the own process. */
void clone_world_furnish(struct fake_process *process);

/** Gives the target one of everything else, too: threads, handles, a trace. */
void clone_world_furnish_details(void);

/** A region of some megabytes. */
void clone_world_add_large(void);

/** Another process with the memory the target has now. */
struct fake_process *clone_world_twin(void);

/** Changes every byte of the target that can be changed. */
void clone_world_scribble(void);

/** The clone of world.snapshot, as it is queried. */
struct fake_process *clone_world_clone(void);
PSS_VA_CLONE_DETAILS clone_world_details(void);

/** The sums of the details; what is missing must be this. */
void assert_details(const PSS_VA_CLONE_DETAILS *details, uint64_t missing);

/** The clone has the bytes of the other process, but for what a carrier never has. */
void assert_same_bytes(const struct fake_process *clone, const struct fake_process *other);

/** And the same regions, as far as private memory can. */
void assert_same_layout(const struct fake_process *clone, const struct fake_process *other);

#define clone_test(function) \
    cmocka_unit_test_setup_teardown(function, clone_world_setup, clone_world_teardown)

#endif
