/* SPDX-License-Identifier: MIT */
/* The lists of statuses behind the rules. */
#include "base/status.h"

int pss_status_is_hard(NTSTATUS status)
{
    switch (status) {
    case STATUS_NO_MEMORY:
    case STATUS_INSUFFICIENT_RESOURCES:
    case STATUS_COMMITMENT_LIMIT:
    case STATUS_COMMITMENT_MINIMUM:
    case STATUS_QUOTA_EXCEEDED:
    case STATUS_PAGEFILE_QUOTA:
    case STATUS_PAGEFILE_QUOTA_EXCEEDED:
    case STATUS_WORKING_SET_QUOTA:
        return 1;
    default:
        return 0;
    }
}

int pss_status_is_missing(NTSTATUS status)
{
    return status == STATUS_NOT_IMPLEMENTED || status == STATUS_INVALID_INFO_CLASS ||
           status == STATUS_NOT_SUPPORTED;
}

NTSTATUS pss_status_soften(NTSTATUS status)
{
    return pss_status_is_hard(status) ? status : STATUS_SUCCESS;
}
