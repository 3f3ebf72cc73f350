/* SPDX-License-Identifier: MIT */
/* Each export with what it needs, and what it may answer when the system fails it. */
#ifndef PSS_EXPORT_FAULTS_H
#define PSS_EXPORT_FAULTS_H

#include "harness.h"

/** What the calls are made with: made without faults before, and given back after them. */
struct export_scene {
    HANDLE target;  /* to capture; given by the program */
    HANDLE other;   /* a process that snapshots go to and come from; likewise */
    uint32_t flags; /* of the capture; likewise */
    HPSS snapshot, second, shipped, made;
    HPSSWALK marker, made_marker;
    ULONG_PTR position;
    unsigned char buffer[1024];
};

/** A way to call an export. */
struct export_row {
    const char *name, *way;
    uint32_t needs; /* EXPORT_NEEDS_* */
    DWORD (*call)(struct export_scene *scene);
    bool passes_on;   /* include/pss.h: what else the system answered */
    DWORD errors[10]; /* that include/pss.h tells of it, without ERROR_SUCCESS */
    bool may_leave; /* the memory of scene.second, where the system does not tell whose it is now */
};

#define EXPORT_NEEDS_SNAPSHOT 1u
#define EXPORT_NEEDS_SHIPPED  2u /* a snapshot in the other process */
#define EXPORT_NEEDS_MARKER   4u /* that has walked another snapshot */

extern const struct export_row export_rows[];
extern const uint32_t export_row_count;

/** Fails the test unless the rows are those of the exports in \p names, a list with blanks. */
void export_assert_all_named(const char *names);

/** Makes what the row needs. */
void export_prepare(const struct export_row *row, struct export_scene *scene);

/**
 * Whether a result may be: success, or a documented error with outputs that are NULL or untouched.
 *
 * \param passed_on  [in] The Win32 code of the status that a call failed with; ERROR_SUCCESS if
 *                        none failed.
 * \return NULL, or what is wrong.
 */
const char *export_compare(const struct export_row *row, const struct export_scene *scene,
                           DWORD code, DWORD passed_on);

/** Gives everything back, without faults; answers whether that went well. */
bool export_clean_up(const struct export_row *row, struct export_scene *scene, DWORD code);

#endif
