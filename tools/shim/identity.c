/* SPDX-License-Identifier: MIT */
/* Compares the tokens of two processes. Through ntdll: programs shall not load advapi32 because of
 * us. */
#include "identity.h"

#include "nt/nt_types.h"

NTSYSAPI NTSTATUS NTAPI NtOpenProcessToken(HANDLE, ACCESS_MASK, HANDLE *);
NTSYSAPI NTSTATUS NTAPI NtQueryInformationToken(HANDLE, TOKEN_INFORMATION_CLASS, void *, ULONG,
                                                ULONG *);
NTSYSAPI BOOLEAN NTAPI RtlEqualSid(PSID, PSID);
NTSYSAPI ULONG *NTAPI RtlSubAuthoritySid(PSID, ULONG);
NTSYSAPI NTSTATUS NTAPI NtClose(HANDLE);

/** Who a process is. */
struct identity {
    union {
        TOKEN_USER user;
        char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } user;
    union {
        TOKEN_MANDATORY_LABEL label;
        char room[sizeof(TOKEN_MANDATORY_LABEL) + SECURITY_MAX_SID_SIZE];
    } level;
};

static int read_identity(HANDLE process, struct identity *identity)
{
    HANDLE token;
    ULONG size;
    int read;

    if (NtOpenProcessToken(process, TOKEN_QUERY, &token) < 0)
        return 0;
    read = NtQueryInformationToken(token, TokenUser, &identity->user, sizeof identity->user,
                                   &size) >= 0 &&
           NtQueryInformationToken(token, TokenIntegrityLevel, &identity->level,
                                   sizeof identity->level, &size) >= 0;
    NtClose(token);
    return read;
}

/* source: learn.microsoft.com, TOKEN_MANDATORY_LABEL: the level is the last part of its SID, which
 * has one */
static ULONG level_of(const struct identity *identity)
{
    return *RtlSubAuthoritySid(identity->level.label.Label.Sid, 0);
}

int identity_is_own(HANDLE process)
{
    struct identity other;
    struct identity own;

    return read_identity(PSS_CURRENT_PROCESS, &own) && read_identity(process, &other) &&
           RtlEqualSid(own.user.user.User.Sid, other.user.user.User.Sid) &&
           level_of(&other) <= level_of(&own);
}
