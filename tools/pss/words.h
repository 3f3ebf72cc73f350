/* SPDX-License-Identifier: MIT */
/* Words for the bits and constants that a snapshot holds. */
#ifndef PSS_TOOL_WORDS_H
#define PSS_TOOL_WORDS_H

#include <windows.h>

#include "text.h"

/* Each gives the names without their prefixes, and what it does not know in hexadecimal. */

struct text words_process_flags(DWORD flags);     /* PSS_PROCESS_FLAGS_* */
struct text words_priority_class(DWORD priority); /* *_PRIORITY_CLASS */
struct text words_state(DWORD state);             /* MEM_COMMIT, MEM_RESERVE, MEM_FREE */
struct text words_type(DWORD type);               /* MEM_IMAGE, MEM_MAPPED, MEM_PRIVATE */
struct text words_protect(DWORD protect);         /* PAGE_*, "-" for 0 */
struct text words_section(DWORD attributes);      /* SEC_* */
struct text words_attributes(DWORD attributes);   /* OBJ_INHERIT, OBJ_PROTECT_CLOSE */
struct text words_clone_strategy(DWORD strategy); /* PSS_CLONE_* */
struct text words_clone_route(DWORD route);       /* PSS_CLONE_ROUTE_* */

#endif
