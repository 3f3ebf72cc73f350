/* SPDX-License-Identifier: MIT */
/* The fake kernel as the system that the exports run on, and some of its table of Win32 codes. */
#include "fake_kernel.h"

const struct pss_nt *pss_nt_system(void)
{
    return fake_nt();
}

DWORD pss_nt_win32_error(NTSTATUS status)
{
    switch (status) {
    case STATUS_ACCESS_DENIED:
        return ERROR_ACCESS_DENIED;
    case STATUS_NOT_IMPLEMENTED:
        return ERROR_INVALID_FUNCTION;
    case STATUS_IO_TIMEOUT:
        return ERROR_SEM_TIMEOUT;
    case STATUS_CANCELLED:
        return ERROR_OPERATION_ABORTED;
    default:
        return ERROR_MR_MID_NOT_FOUND;
    }
}
