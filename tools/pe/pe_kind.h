/* SPDX-License-Identifier: MIT */
/* Files whose import table does not tell what they import: packed ones and managed ones. */
#ifndef PSS_PE_KIND_H
#define PSS_PE_KIND_H

#include "pe_read.h"

/** What is to be said of a file that imports no Pss function: PE_NOTHING, _MANAGED or _PACKED. */
enum pe_verdict pe_kind(const struct pe_file *file);

#endif
