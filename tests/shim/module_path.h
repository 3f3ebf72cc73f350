/* SPDX-License-Identifier: MIT */
/* The path that companion.c is told its module has. */
#ifndef PSS_SHIM_MODULE_PATH_H
#define PSS_SHIM_MODULE_PATH_H

#include <windows.h>

/** What GetModuleFileNameW() answers from now on; copied. */
void module_path_set(const WCHAR *path);

#endif
