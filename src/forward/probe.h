/* SPDX-License-Identifier: MIT */
/* Whether the system's own Process Snapshotting API works. */
#ifndef PSS_PROBE_H
#define PSS_PROBE_H

#include "forward/system_api.h"

/**
 * Tries the functions: captures the calling process with its threads, asks for what is known to be
 * true, walks, and frees. Whatever fails, lies or raises means that they do not work; nothing but
 * what they themselves leave behind is left behind. An exception that they raise ends here, after
 * vectored handlers and a debugger have seen it. The last-error value stays as it was.
 *
 * Neither the process heap nor a lock of ours is used. It must not be called while threads of this
 * process are suspended.
 *
 * \param api  [in] As pss_system_api_find() gives it.
 * \return whether they work.
 */
int pss_system_api_works(const struct pss_nt *nt, const struct pss_system_api *api);

/**
 * Both steps for whoever wants the answer alone, such as another DLL before it redirects anything:
 * whether the kernel32 of this process has an API outside the calling module, and it works. It
 * costs a capture, and is not remembered.
 */
int pss_system_works(const struct pss_nt *nt);

#endif
