/* SPDX-License-Identifier: MIT */
/* The thirteen exports, some of them in more than one way. */
#include "export_faults.h"

#define FLAGS    (PSS_CAPTURE_THREADS | PSS_CREATE_USE_VM_ALLOCATIONS)
#define RUBBISH  0xA5
#define NO_PLACE ((ULONG_PTR)0xA5A5A5A5u)
#define SELF     ((HANDLE)(LONG_PTR)-1)

static DWORD capture(struct export_scene *scene)
{
    return PssCaptureSnapshot(scene->target, (PSS_CAPTURE_FLAGS)scene->flags, 0x10001F & 0xFF,
                              &scene->made);
}

static DWORD free_own(struct export_scene *scene)
{
    return PssFreeSnapshot(SELF, scene->snapshot);
}

static DWORD free_shipped(struct export_scene *scene)
{
    return PssFreeSnapshot(scene->other, scene->shipped);
}

static DWORD query(struct export_scene *scene)
{
    return PssQuerySnapshot(scene->snapshot, PSS_QUERY_THREAD_INFORMATION, scene->buffer,
                            sizeof(PSS_THREAD_INFORMATION));
}

static DWORD walk(struct export_scene *scene)
{
    return PssWalkSnapshot(scene->snapshot, PSS_WALK_THREADS, scene->marker, scene->buffer,
                           sizeof(PSS_THREAD_ENTRY));
}

static DWORD duplicate(struct export_scene *scene)
{
    return PssDuplicateSnapshot(SELF, scene->snapshot, SELF, &scene->made, PSS_DUPLICATE_NONE);
}

static DWORD duplicate_there(struct export_scene *scene)
{
    return PssDuplicateSnapshot(SELF, scene->snapshot, scene->other, &scene->made,
                                PSS_DUPLICATE_NONE);
}

static DWORD duplicate_from_there(struct export_scene *scene)
{
    return PssDuplicateSnapshot(scene->other, scene->shipped, SELF, &scene->made,
                                PSS_DUPLICATE_CLOSE_SOURCE);
}

static DWORD create_marker(struct export_scene *scene)
{
    return PssWalkMarkerCreate(NULL, &scene->made_marker);
}

static DWORD free_marker(struct export_scene *scene)
{
    return PssWalkMarkerFree(scene->marker);
}

static DWORD get_position(struct export_scene *scene)
{
    return PssWalkMarkerGetPosition(scene->marker, &scene->position);
}

static DWORD tell(struct export_scene *scene)
{
    return PssWalkMarkerTell(scene->marker, &scene->position);
}

static DWORD set_position(struct export_scene *scene)
{
    return PssWalkMarkerSetPosition(scene->marker, 1);
}

static DWORD seek(struct export_scene *scene)
{
    return PssWalkMarkerSeek(scene->marker, 1);
}

static DWORD seek_to_beginning(struct export_scene *scene)
{
    return PssWalkMarkerSeekToBeginning(scene->marker);
}

static DWORD rewind_marker(struct export_scene *scene)
{
    return PssWalkMarkerRewind(scene->marker);
}

#define SNAPSHOT EXPORT_NEEDS_SNAPSHOT
#define SHIPPED  EXPORT_NEEDS_SHIPPED
#define MARKER   EXPORT_NEEDS_MARKER

#define CAPTURE_ERRORS                                                                           \
    {                                                                                            \
        ERROR_INVALID_PARAMETER, ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED, ERROR_NOT_SUPPORTED, \
            ERROR_NOT_ENOUGH_MEMORY, ERROR_PARTIAL_COPY, ERROR_SEM_TIMEOUT,                      \
            ERROR_OPERATION_ABORTED                                                              \
    }
#define FREE_ERRORS                                                                        \
    {                                                                                      \
        ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED, ERROR_NOT_SUPPORTED, ERROR_SEM_TIMEOUT, \
            ERROR_NOT_ENOUGH_MEMORY                                                        \
    }
#define DUPLICATE_ERRORS                                                                         \
    {                                                                                            \
        ERROR_INVALID_PARAMETER, ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED, ERROR_NOT_SUPPORTED, \
            ERROR_NOT_ENOUGH_MEMORY, ERROR_SEM_TIMEOUT                                           \
    }
#define QUERY_ERRORS                                                                     \
    {                                                                                    \
        ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOT_FOUND, ERROR_BAD_LENGTH \
    }
#define WALK_ERRORS                                                                      \
    {                                                                                    \
        ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOT_FOUND, ERROR_MORE_DATA, \
            ERROR_BAD_LENGTH, ERROR_NO_MORE_ITEMS, ERROR_NOT_ENOUGH_MEMORY               \
    }
#define CREATE_ERRORS                                    \
    {                                                    \
        ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY \
    }
#define PLACE_ERRORS                                  \
    {                                                 \
        ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER \
    }
#define MARKER_ERRORS        \
    {                        \
        ERROR_INVALID_HANDLE \
    }

const struct export_row export_rows[] = {
    {"PssCaptureSnapshot", "all", 0, capture, true, CAPTURE_ERRORS, false},
    {"PssFreeSnapshot", "own", SNAPSHOT, free_own, true, FREE_ERRORS, false},
    {"PssFreeSnapshot", "there", SHIPPED, free_shipped, true, FREE_ERRORS, false},
    {"PssQuerySnapshot", "threads", SNAPSHOT, query, false, QUERY_ERRORS, false},
    {"PssWalkSnapshot", "threads", SNAPSHOT | MARKER, walk, false, WALK_ERRORS, false},
    {"PssDuplicateSnapshot", "own", SNAPSHOT, duplicate, true, DUPLICATE_ERRORS, false},
    {"PssDuplicateSnapshot", "there", SNAPSHOT, duplicate_there, true, DUPLICATE_ERRORS, false},
    {"PssDuplicateSnapshot", "closing", SHIPPED, duplicate_from_there, true, DUPLICATE_ERRORS,
     false},
    {"PssWalkMarkerCreate", "heap", 0, create_marker, false, CREATE_ERRORS, false},
    {"PssWalkMarkerFree", "walked", MARKER, free_marker, false, MARKER_ERRORS, true},
    {"PssWalkMarkerGetPosition", "walked", MARKER, get_position, false, PLACE_ERRORS, false},
    {"PssWalkMarkerSetPosition", "walked", MARKER, set_position, false, MARKER_ERRORS, false},
    {"PssWalkMarkerSeekToBeginning", "walked", MARKER, seek_to_beginning, false, MARKER_ERRORS,
     false},
    {"PssWalkMarkerTell", "walked", MARKER, tell, false, PLACE_ERRORS, false},
    {"PssWalkMarkerSeek", "walked", MARKER, seek, false, MARKER_ERRORS, false},
    {"PssWalkMarkerRewind", "walked", MARKER, rewind_marker, false, MARKER_ERRORS, false},
};
const uint32_t export_row_count = sizeof(export_rows) / sizeof(export_rows[0]);

static bool has_row(const char *name, size_t length)
{
    for (uint32_t i = 0; i < export_row_count; i++)
        if (strlen(export_rows[i].name) == length && !memcmp(export_rows[i].name, name, length))
            return true;
    return false;
}

void export_assert_all_named(const char *names)
{
    uint32_t count = 0;

    for (size_t length; *names; names += length + (names[length] == ' '), count++) {
        length = strcspn(names, " ");
        if (!has_row(names, length))
            fail_msg("no row for %.*s", (int)length, names);
    }
    assert_true(count >= 13);
    for (uint32_t i = 1, distinct = 1; i <= export_row_count; i++) {
        if (i == export_row_count)
            assert_same(distinct, count); /* and no row for what is no export */
        else
            distinct += strcmp(export_rows[i].name, export_rows[i - 1].name) != 0;
    }
}

static HPSS take(const struct export_scene *scene)
{
    HPSS snapshot = NULL;

    assert_same(PssCaptureSnapshot(scene->target, (PSS_CAPTURE_FLAGS)FLAGS, 0, &snapshot),
                ERROR_SUCCESS);
    return snapshot;
}

/* A marker that another snapshot was walked with has to take memory for the next one. */
static void make_marker(struct export_scene *scene)
{
    PSS_THREAD_ENTRY entry;

    scene->second = take(scene);
    assert_same(PssWalkMarkerCreate(NULL, &scene->marker), ERROR_SUCCESS);
    assert_same(
        PssWalkSnapshot(scene->second, PSS_WALK_THREADS, scene->marker, &entry, sizeof(entry)),
        ERROR_SUCCESS);
}

static void ship(struct export_scene *scene)
{
    HPSS snapshot = take(scene);

    assert_same(PssDuplicateSnapshot(SELF, snapshot, scene->other, &scene->shipped,
                                     PSS_DUPLICATE_CLOSE_SOURCE),
                ERROR_SUCCESS);
}

void export_prepare(const struct export_row *row, struct export_scene *scene)
{
    scene->snapshot = scene->second = scene->shipped = NULL;
    scene->marker = NULL;
    if (row->needs & SNAPSHOT)
        scene->snapshot = take(scene);
    if (row->needs & SHIPPED)
        ship(scene);
    if (row->needs & MARKER)
        make_marker(scene);
    scene->made = (HPSS)scene;
    scene->made_marker = (HPSSWALK)scene;
    scene->position = NO_PLACE;
    memset(scene->buffer, RUBBISH, sizeof(scene->buffer));
}

static bool is_documented(const struct export_row *row, DWORD code, DWORD passed_on)
{
    for (size_t i = 0; i < sizeof(row->errors) / sizeof(row->errors[0]) && row->errors[i]; i++)
        if (row->errors[i] == code)
            return true;
    return row->passes_on && code == passed_on;
}

/* A handle is NULL, as documented, where the export has one; everything else is as it was. */
static bool is_untouched(const struct export_scene *scene)
{
    for (size_t i = 0; i < sizeof(scene->buffer); i++)
        if (scene->buffer[i] != RUBBISH)
            return false;
    return (!scene->made || scene->made == (HPSS)scene) &&
           (!scene->made_marker || scene->made_marker == (HPSSWALK)scene) &&
           scene->position == NO_PLACE;
}

const char *export_compare(const struct export_row *row, const struct export_scene *scene,
                           DWORD code, DWORD passed_on)
{
    bool makes = row->call == capture || row->call == duplicate || row->call == duplicate_there ||
                 row->call == duplicate_from_there;

    if (code == ERROR_SUCCESS) {
        if (makes && (!scene->made || scene->made == (HPSS)scene))
            return "success without a snapshot";
        return NULL;
    }
    if (passed_on == ERROR_SUCCESS)
        return "nothing has failed";
    if (!is_documented(row, code, passed_on))
        return "the error is not documented";
    if ((makes && scene->made) || (row->call == create_marker && scene->made_marker))
        return "the output is not NULL";
    return is_untouched(scene) ? NULL : "an output was touched";
}

static bool is_freed(HANDLE process, HPSS snapshot)
{
    DWORD code = snapshot ? PssFreeSnapshot(process, snapshot) : ERROR_SUCCESS;

    return code == ERROR_SUCCESS || code == ERROR_INVALID_HANDLE;
}

bool export_clean_up(const struct export_row *row, struct export_scene *scene, DWORD code)
{
    bool is_there = row->call == duplicate_there, is_well = true;
    DWORD marker_code;

    if (scene->made != (HPSS)scene)
        is_well = is_freed(is_there ? scene->other : SELF, scene->made);
    if (scene->made_marker != (HPSSWALK)scene && scene->made_marker)
        is_well &= PssWalkMarkerFree(scene->made_marker) == ERROR_SUCCESS;
    marker_code = scene->marker ? PssWalkMarkerFree(scene->marker) : ERROR_SUCCESS;
    if (row->call != free_marker)
        is_well &= marker_code == ERROR_SUCCESS;
    if (scene->snapshot) /* a free that failed has left it whole */
        is_well &= PssFreeSnapshot(SELF, scene->snapshot) ==
                   (row->call == free_own && !code ? ERROR_INVALID_HANDLE : ERROR_SUCCESS);
    is_well &= is_freed(SELF, scene->second);
    is_well &= is_freed(scene->other, scene->shipped);
    return is_well;
}
