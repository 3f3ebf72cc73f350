/* SPDX-License-Identifier: MIT */
/* The plug-ins: pss-test-plug-in.dll imports pss.dll, pss-test-plug-in-static.dll has its code. */
#ifndef PSS_PLUG_IN_H
#define PSS_PLUG_IN_H

#include <windows.h>

/** While this is in the environment they capture in their DllMain, set it to done, and refuse. */
#define PLUG_IN_REFUSES "PSS_PLUG_IN_REFUSES"

/** What they export: one capture of handles with names; its error. */
typedef DWORD plug_in_function(void);
__declspec(dllexport) DWORD plug_in_capture(void);

#endif
