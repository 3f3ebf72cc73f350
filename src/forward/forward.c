/* SPDX-License-Identifier: MIT */
/* The decision: one thread finds out, the others wait for it, but not for ever. */
#include "forward/forward.h"

#include "forward/patience.h"
#include "forward/probe.h"

#define ENVIRONMENT_TRIES 25u  /* a quarter of a second */
#define DECISION_TRIES    300u /* three seconds: longer than the prober waits for locks */

/* What is decided; any other state is the number of calls that ours serve until it is. */
#define SYSTEM_SERVES UINT32_MAX
#define OURS_SERVE    (UINT32_MAX - 1)

static struct pss_forward process_wide;

static uint32_t state_of(const struct pss_forward *forward)
{
    return __atomic_load_n(&forward->state, __ATOMIC_ACQUIRE);
}

static int is_decided(uint32_t state)
{
    return state >= OURS_SERVE;
}

/* Goes from one state to another; if it is no longer the one, \p state is what it is now. */
static int change_state(struct pss_forward *forward, uint32_t *state, uint32_t next)
{
    return __atomic_compare_exchange_n(&forward->state, state, next, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

/* The first decision stands. */
static void settle_for_ours(struct pss_forward *forward)
{
    uint32_t state = state_of(forward);

    while (!is_decided(state) && !change_state(forward, &state, OURS_SERVE))
        ;
}

/* Not while ours serve a call: what that call makes would be handed to the system's later. */
static void settle_for_system(struct pss_forward *forward)
{
    uint32_t state = 0;

    change_state(forward, &state, SYSTEM_SERVES); /* or it is found out again */
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

/* STATUS_SUCCESS: the environment allows it; STATUS_LOCK_NOT_GRANTED: it cannot be read now. */
static NTSTATUS ask_environment(const struct pss_nt *nt)
{
    WCHAR value[32];
    NTSTATUS status = STATUS_LOCK_NOT_GRANTED;

    for (uint32_t i = 0; i < ENVIRONMENT_TRIES && status == STATUS_LOCK_NOT_GRANTED; i++) {
        if (i && !pss_patience_pause(nt))
            return STATUS_LOCK_NOT_GRANTED;
        status = nt->query_environment(L"PSS_FORWARD", value, sizeof(value));
    }
    if (NT_SUCCESS(status))
        return is_zero(value) ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
    if (status == STATUS_VARIABLE_NOT_FOUND || status == STATUS_BUFFER_TOO_SMALL)
        return STATUS_SUCCESS;
    return status;
}

/* Locks that stay held tell nothing about the system: then it remains to be decided. */
static void probe(const struct pss_nt *nt, struct pss_forward *forward)
{
    NTSTATUS status = ask_environment(nt);

    if (NT_SUCCESS(status))
        status = pss_system_api_find(nt, &forward->api);
    if (NT_SUCCESS(status) && pss_system_api_works(nt, &forward->api))
        settle_for_system(forward);
    else if (status != STATUS_LOCK_NOT_GRANTED)
        settle_for_ours(forward);
}

/* Another prober may have been done between the look at the state and the turn to probe. */
static void probe_once(const struct pss_nt *nt, struct pss_forward *forward)
{
    if (!is_decided(state_of(forward)))
        probe(nt, forward);
    __atomic_store_n(&forward->prober, 0, __ATOMIC_RELEASE);
}

/* The prober may have been ended, or stand still, or wait for us. */
static void wait_for_prober(const struct pss_nt *nt, const struct pss_forward *forward)
{
    for (uint32_t i = 0; i < DECISION_TRIES && !is_decided(state_of(forward)); i++)
        if (!__atomic_load_n(&forward->prober, __ATOMIC_ACQUIRE) || !pss_patience_pause(nt))
            break;
}

static void find_out(const struct pss_nt *nt, struct pss_forward *forward)
{
    uint32_t thread = (uint32_t)(ULONG_PTR)nt->current_id().UniqueThread, prober = 0;

    if (__atomic_compare_exchange_n(&forward->prober, &prober, thread, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        probe_once(nt, forward);
    else if (prober == thread) /* the system's functions call ours: they are made of them */
        settle_for_ours(forward);
    else
        wait_for_prober(nt, forward);
}

const struct pss_system_api *pss_forward_decide(const struct pss_nt *nt,
                                                struct pss_forward *forward)
{
    uint32_t state = state_of(forward);

    if (!is_decided(state)) {
        find_out(nt, forward);
        state = state_of(forward);
    }
    while (!is_decided(state) && !change_state(forward, &state, state + 1))
        ;
    return state == SYSTEM_SERVES ? &forward->api : NULL;
}

void pss_forward_end(struct pss_forward *forward, int is_ours)
{
    uint32_t state = state_of(forward);

    if (is_ours)
        settle_for_ours(forward);
    while (!is_ours && !is_decided(state) && state && !change_state(forward, &state, state - 1))
        ;
}

const struct pss_system_api *pss_forward_api(const struct pss_nt *nt)
{
    return pss_forward_decide(nt, &process_wide);
}

void pss_forward_served(int is_ours)
{
    pss_forward_end(&process_wide, is_ours);
}
