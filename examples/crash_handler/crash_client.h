/* SPDX-License-Identifier: MIT */
/**
 * \file
 * The part of the crash handler that is built into a program.
 */
#ifndef CRASH_CLIENT_H
#define CRASH_CLIENT_H

#include <windows.h>

/**
 * Lets the handler that started this program know of a crash, should there be one. Call it once,
 * early in main().
 *
 * \return ERROR_SUCCESS · ERROR_ENVVAR_NOT_FOUND: no handler started this program · what the system
 *         answered. In both cases the program can go on, only without a handler.
 */
DWORD crash_client_start(void);

/**
 * Keeps some stack of the calling thread for the case that it overflows. crash_client_start() does
 * so for its caller; other threads do it themselves.
 */
void crash_client_keep_stack(void);

#endif
