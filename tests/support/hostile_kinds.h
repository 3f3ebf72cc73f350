/* SPDX-License-Identifier: MIT */
/* What pss-test-hostile can become, by name; both sides of the tests read this table. */
#ifndef PSS_HOSTILE_KINDS_H
#define PSS_HOSTILE_KINDS_H

/** What of a kind cannot be compared with the system's own answer. */
enum hostile_trait {
    HOSTILE_STILL = 0,  /* nothing: it only waits */
    HOSTILE_MOVES = 1,  /* its threads, handles and regions come and go */
    HOSTILE_DIES = 2,   /* it ends by itself, sooner or later */
    HOSTILE_DENIES = 4, /* a capture that asks for its threads may be refused */
    HOSTILE_BREAKS = 8, /* what it broke may cost its own life when the system asks it something */
    HOSTILE_BLOCKED = 16, /* it cannot end by itself: what it would need is held for ever */
    HOSTILE_FULL = 32,    /* there may be no room for a clone of it */
};

/** X(identifier, name, traits) for each kind. */
#define HOSTILE_KINDS(X)                                                \
    X(quiet, "quiet", HOSTILE_STILL)                                    \
    X(peb_garbage, "peb-garbage", HOSTILE_STILL)                        \
    X(peb_zeros, "peb-zeros", HOSTILE_STILL)                            \
    X(peb_selves, "peb-selves", HOSTILE_STILL)                          \
    X(peb_wide, "peb-wide", HOSTILE_STILL)                              \
    X(loader_null, "loader-null", HOSTILE_STILL)                        \
    X(loader_loop, "loader-loop", HOSTILE_STILL)                        \
    X(loader_garbage, "loader-garbage", HOSTILE_STILL)                  \
    X(parameters_garbage, "parameters-garbage", HOSTILE_STILL)          \
    X(parameters_long, "parameters-long", HOSTILE_STILL)                \
    X(image_base, "image-base", HOSTILE_STILL)                          \
    X(teb_ids, "teb-ids", HOSTILE_STILL)                                \
    X(teb_peb, "teb-peb", HOSTILE_STILL)                                \
    X(teb_stack, "teb-stack", HOSTILE_BREAKS)                           \
    X(teb_self, "teb-self", HOSTILE_BREAKS)                             \
    X(teb_wow64, "teb-wow64", HOSTILE_BREAKS)                           \
    X(teb_garbage, "teb-garbage", HOSTILE_BREAKS)                       \
    X(header_offset, "header-offset", HOSTILE_STILL)                    \
    X(header_sections, "header-sections", HOSTILE_STILL)                \
    X(header_size, "header-size", HOSTILE_STILL)                        \
    X(header_zeros, "header-zeros", HOSTILE_STILL)                      \
    X(header_guard, "header-guard", HOSTILE_STILL)                      \
    X(header_no_access, "header-no-access", HOSTILE_STILL)              \
    X(header_gone, "header-gone", HOSTILE_STILL)                        \
    X(library_headers, "library-headers", HOSTILE_STILL)                \
    X(header_flicker, "header-flicker", HOSTILE_MOVES)                  \
    X(suspends, "suspends", HOSTILE_MOVES)                              \
    X(suspends_itself, "suspends-itself", HOSTILE_MOVES)                \
    X(threads, "threads", HOSTILE_MOVES)                                \
    X(protections, "protections", HOSTILE_MOVES)                        \
    X(mappings, "mappings", HOSTILE_MOVES)                              \
    X(handles, "handles", HOSTILE_MOVES)                                \
    X(names, "names", HOSTILE_MOVES)                                    \
    X(exits, "exits", HOSTILE_MOVES | HOSTILE_DIES)                     \
    X(exits_by_thread, "exits-by-thread", HOSTILE_MOVES | HOSTILE_DIES) \
    X(crashes, "crashes", HOSTILE_MOVES | HOSTILE_DIES)                 \
    X(blocked_pipes, "blocked-pipes", HOSTILE_STILL)                    \
    X(odd_names, "odd-names", HOSTILE_STILL)                            \
    X(odd_handles, "odd-handles", HOSTILE_STILL)                        \
    X(denies, "denies", HOSTILE_DENIES)                                 \
    X(debug_object, "debug-object", HOSTILE_STILL)                      \
    X(small_job, "small-job", HOSTILE_FULL)                             \
    X(heap_lock, "heap-lock", HOSTILE_BLOCKED)                          \
    X(loader_lock, "loader-lock", HOSTILE_BLOCKED)                      \
    X(guard_pages, "guard-pages", HOSTILE_STILL)                        \
    X(deep_stack, "deep-stack", HOSTILE_STILL)                          \
    X(no_memory, "no-memory", HOSTILE_FULL | HOSTILE_BREAKS)

#define HOSTILE_COUNT_ONE(identifier, name, traits) +1
#define HOSTILE_KIND_COUNT                          (0 HOSTILE_KINDS(HOSTILE_COUNT_ONE))

#define HOSTILE_PATTERN_SIZE 0x20000u /* bytes that a hostile process holds unchanged */

#endif
