/* SPDX-License-Identifier: MIT */
/* Things that happen to a process at a chosen call, and that it survives. */
#ifndef PSS_EVENT_CASES_H
#define PSS_EVENT_CASES_H

#include "faulty_nt.h"
#include "nt_calls.h"
#include "subject.h"

enum event_kind {
    EVENT_CLOSE,
    EVENT_OPEN,
    EVENT_END_THREAD,
    EVENT_START_THREAD,
    EVENT_FREE,
    EVENT_PROTECT,
    EVENT_MAP,
    EVENT_UNMAP,
    EVENT_SUSPEND,
    EVENT_RESUME,
    EVENT_KINDS,
};

/** What happens, and how the target is made as before. All but happen are optional. */
struct event_case {
    const char *name;
    void (*prepare)(struct subject *subject);
    void (*happen)(struct subject *subject);
    void (*undo)(struct subject *subject);   /* when it has happened */
    void (*cancel)(struct subject *subject); /* when it was prepared and has not happened */
    DWORD suspend_count;                     /* of the target's threads when it has happened */
};

const struct event_case *event_case_of(enum event_kind kind);

/** An event on its way. */
struct event_happening {
    const struct event_case *event;
    struct subject *subject;
    bool has_happened;
};

/** Prepares the subject, and plans the event for a call of the faulty system. */
void event_plan(struct event_happening *happening, uint32_t number);

/** No event any more; checks the subject's threads, and makes it as it was before event_plan. */
void event_finish(struct event_happening *happening, const char *where);

/** The calls of a capture to which nothing happens. */
uint32_t event_count_calls(const struct subject *subject, uint32_t flags);

/**
 * Captures a child again and again, and each time lets the event happen before another call: the
 * capture has to succeed and to leave nothing.
 *
 * \param samples [in] The number of calls to try, at random if there are more.
 */
void event_run(enum event_kind kind, uint32_t flags, uint32_t samples);

#endif
