/* SPDX-License-Identifier: MIT */
/* The system's own Process Snapshotting API: the thirteen functions of the kernel32 in use. */
#ifndef PSS_SYSTEM_API_H
#define PSS_SYSTEM_API_H

#include "nt/nt.h"

#include "pss.h"

/** The functions of pss.h as kernel32 exports them; none is NULL. */
struct pss_system_api {
    DWORD(WINAPI *capture)(HANDLE, PSS_CAPTURE_FLAGS, DWORD, HPSS *);
    DWORD(WINAPI *free)(HANDLE, HPSS);
    DWORD(WINAPI *query)(HPSS, PSS_QUERY_INFORMATION_CLASS, void *, DWORD);
    DWORD(WINAPI *walk)(HPSS, PSS_WALK_INFORMATION_CLASS, HPSSWALK, void *, DWORD);
    DWORD(WINAPI *duplicate)(HANDLE, HPSS, HANDLE, HPSS *, PSS_DUPLICATE_FLAGS);
    DWORD(WINAPI *marker_create)(const PSS_ALLOCATOR *, HPSSWALK *);
    DWORD(WINAPI *marker_free)(HPSSWALK);
    DWORD(WINAPI *marker_get_position)(HPSSWALK, ULONG_PTR *);
    DWORD(WINAPI *marker_set_position)(HPSSWALK, ULONG_PTR);
    DWORD(WINAPI *marker_seek_to_beginning)(HPSSWALK);
    DWORD(WINAPI *marker_tell)(HPSSWALK, ULONG_PTR *); /* or marker_get_position */
    DWORD(WINAPI *marker_seek)(HPSSWALK, ULONG_PTR);   /* or marker_set_position */
    DWORD(WINAPI *marker_rewind)(HPSSWALK);            /* or marker_seek_to_beginning */
};

/**
 * Finds the functions in the kernel32 that is loaded. The ten documented ones must be there, and
 * none of them in the module that this function is in: then somebody has redirected them to us.
 * Loads nothing, and waits for another thread that holds the loader's lock for a second at most.
 *
 * That they are there does not mean that they work: see probe.h.
 *
 * \param api  [out] The functions; untouched on failure.
 * \return STATUS_SUCCESS · STATUS_DLL_NOT_FOUND · STATUS_ENTRYPOINT_NOT_FOUND: one is missing, or
 *         ours · STATUS_LOCK_NOT_GRANTED: the loader was busy · what else the system answered.
 */
NTSTATUS pss_system_api_find(const struct pss_nt *nt, struct pss_system_api *api);

#endif
