/* SPDX-License-Identifier: MIT */
/* What a run of pss.exe inside a test works on: its streams, a file, a program to rebind. */
#ifndef PSS_TOOL_STAGE_H
#define PSS_TOOL_STAGE_H

#include "harness.h"

/** Paths, all in the directory for temporary files. */
struct stage {
    WCHAR file[MAX_PATH];                   /* to write to */
    WCHAR directory[MAX_PATH];              /* of the program alone */
    WCHAR program[MAX_PATH];                /* to rebind */
    WCHAR backup[MAX_PATH], half[MAX_PATH]; /* that come beside it */
    WCHAR library[MAX_PATH];                /* likewise */
};

extern struct stage stage;

void stage_init(void);
void stage_fini(void);

/** The program as it was built, and alone in its directory. */
void stage_renew_program(void);

/** Puts pss.dll beside it. */
void stage_add_library(void);

/** Whether a file has all bytes of the program as it was built. */
bool stage_is_original(const WCHAR *path);

/** Standard output (0) and errors (1) lead into files until stage_restore. */
void stage_redirect(int saved[2]);
void stage_restore(const int saved[2]);

/** What came there, for free(). */
char *stage_read(int index);

#endif
