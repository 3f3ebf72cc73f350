/* SPDX-License-Identifier: MIT */
/* A call out of which no exception comes. */
#ifndef PSS_GUARD_H
#define PSS_GUARD_H

#include "nt/nt.h"

/**
 * Calls a routine behind an exception handler of the calling thread alone, as __try does. What the
 * routine handles itself is none of its business; vectored handlers and debuggers see first what is
 * raised, as always.
 *
 * \param routine   [in] What to call.
 * \param argument  [in] Its argument.
 * \return STATUS_SUCCESS · the code of the exception that came out of the routine, which has been
 *         unwound; STATUS_UNSUCCESSFUL for a code of 0.
 * \source learn.microsoft.com/cpp/build/exception-handling-x64 (language-specific handlers) and
 *         learn.microsoft.com/windows/win32/api/winnt/nf-winnt-rtlunwind; for x86 winnt.h,
 *         EXCEPTION_REGISTRATION_RECORD and NT_TIB.ExceptionList
 */
NTSTATUS __cdecl pss_guard_call(pss_nt_routine *routine, void *argument);

#endif
