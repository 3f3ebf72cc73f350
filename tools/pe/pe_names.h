/* SPDX-License-Identifier: MIT */
/* Which imports go to pss.dll: thirteen functions of the DLLs that have them on Windows. */
#ifndef PSS_PE_NAMES_H
#define PSS_PE_NAMES_H

/** The DLL that the functions come from afterwards. */
#define PE_TARGET_DLL "pss.dll"

/** Room for any name of interest with its NUL; a longer name is none of them. */
#define PE_NAME_SIZE 64u

/** Whether Windows has the functions in a DLL of this name: any case, with or without ".dll". */
int pe_is_source(const char *dll);

/** Whether it is pss.dll. */
int pe_is_target(const char *dll);

/** The name of one of the functions, from 0; NULL behind the last one. */
const char *pe_moved_name(unsigned index);

/** Whether it is one of the functions that pss.dll exports. */
int pe_is_moved(const char *function);

#endif
