/* SPDX-License-Identifier: MIT */
/* The decision: one thread finds out, the others wait for it, but not for ever. */
#include "forward/forward.h"

#include "forward/patience.h"
#include "forward/probe.h"

#define ENVIRONMENT_TRIES 25u  /* a quarter of a second */
#define DECISION_TRIES    300u /* three seconds: longer than the prober waits for locks */

/* Its address means that our own implementation serves. */
static const struct pss_system_api ours;

static struct pss_forward process_wide;

static const struct pss_system_api *decision_of(const struct pss_forward *forward)
{
    return __atomic_load_n(&forward->decision, __ATOMIC_ACQUIRE);
}

/* The first decision stands. */
static void settle(struct pss_forward *forward, const struct pss_system_api *who)
{
    const struct pss_system_api *undecided = NULL;

    __atomic_compare_exchange_n(&forward->decision, &undecided, who, 0, __ATOMIC_ACQ_REL,
                                __ATOMIC_ACQUIRE);
}

static int is_blank(WCHAR character)
{
    return character == L' ' || character == L'\t';
}

/* Whether a setting says 0. A shell counts the blanks before the next command as part of it. */
static int is_zero(const WCHAR *value)
{
    while (is_blank(*value))
        value++;
    if (*value++ != L'0')
        return 0;
    while (is_blank(*value))
        value++;
    return *value == 0;
}

static int is_allowed(const struct pss_nt *nt)
{
    WCHAR value[32];
    NTSTATUS status = STATUS_LOCK_NOT_GRANTED;

    for (uint32_t i = 0; i < ENVIRONMENT_TRIES && status == STATUS_LOCK_NOT_GRANTED; i++) {
        if (i && !pss_patience_pause(nt))
            return 0;
        status = nt->query_environment(L"PSS_FORWARD", value, sizeof(value));
    }
    if (NT_SUCCESS(status))
        return !is_zero(value);
    return status == STATUS_VARIABLE_NOT_FOUND || status == STATUS_BUFFER_TOO_SMALL;
}

static void probe(const struct pss_nt *nt, struct pss_forward *forward)
{
    int works = is_allowed(nt) && NT_SUCCESS(pss_system_api_find(nt, &forward->api)) &&
                pss_system_api_works(nt, &forward->api);

    settle(forward, works ? &forward->api : &ours);
}

/* The prober may have been ended, or stand still, or wait for us. */
static void wait_for_prober(const struct pss_nt *nt, struct pss_forward *forward)
{
    for (uint32_t i = 0; i < DECISION_TRIES && !decision_of(forward); i++)
        if (!pss_patience_pause(nt))
            break;
    settle(forward, &ours);
}

const struct pss_system_api *pss_forward_decide(const struct pss_nt *nt,
                                                struct pss_forward *forward)
{
    const struct pss_system_api *decision = decision_of(forward);
    uint32_t prober = 0, thread;

    if (!decision) {
        thread = (uint32_t)(ULONG_PTR)nt->current_id().UniqueThread;
        if (__atomic_compare_exchange_n(&forward->prober, &prober, thread, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            probe(nt, forward);
        else if (prober == thread) /* the system's functions call ours: they are made of them */
            settle(forward, &ours);
        else
            wait_for_prober(nt, forward);
        decision = decision_of(forward);
    }
    return decision == &ours ? NULL : decision;
}

const struct pss_system_api *pss_forward_api(const struct pss_nt *nt)
{
    return pss_forward_decide(nt, &process_wide);
}
