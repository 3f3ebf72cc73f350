/* SPDX-License-Identifier: MIT */
/* identity.c with other calls for tokens: those that answer what the test says. */
#include "token_answers.h"

#define NtOpenProcessToken      open_told_token
#define NtQueryInformationToken query_told_token
#define NtClose                 close_told_token
#include "../../tools/shim/identity.c"

struct token_answers token_answers;

static int is_refused(void)
{
    return ++token_answers.calls == token_answers.fail_at;
}

NTSTATUS NTAPI open_told_token(HANDLE process, ACCESS_MASK access, HANDLE *token)
{
    if (is_refused() || access != TOKEN_QUERY)
        return STATUS_ACCESS_DENIED;
    token_answers.open_tokens++;
    *token = (HANDLE)(intptr_t)(process == (HANDLE)TOKEN_ANSWERS_OTHER ? 2 : 1);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI query_told_token(HANDLE token, TOKEN_INFORMATION_CLASS which, void *buffer,
                                ULONG size, ULONG *returned)
{
    intptr_t index = (intptr_t)token - 1;
    SID_AND_ATTRIBUTES *answer = buffer;
    SID *sid = (SID *)(answer + 1);

    if (is_refused() || size < sizeof *answer + sizeof *sid)
        return STATUS_ACCESS_DENIED;
    *sid = (SID){.Revision = SID_REVISION, .SubAuthorityCount = 1};
    sid->IdentifierAuthority.Value[5] = which == TokenUser ? 5 : 16;
    sid->SubAuthority[0] =
        which == TokenUser ? token_answers.users[index] : token_answers.levels[index];
    answer->Sid = sid;
    answer->Attributes = 0;
    *returned = sizeof *answer + sizeof *sid;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI close_told_token(HANDLE token)
{
    (void)token;
    token_answers.open_tokens--;
    return STATUS_SUCCESS;
}
