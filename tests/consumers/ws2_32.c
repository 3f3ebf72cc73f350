/* SPDX-License-Identifier: MIT */
/* A ws2_32.dll without sockets: what Go's runtime and its package os ask of that DLL in any
 * program. */
#define WIN32_LEAN_AND_MEAN
#define WINSOCK_API_LINKAGE __declspec(dllexport)
#include <winsock2.h>

/** It starts: a program that never opens a socket sees no difference. */
int WSAAPI WSAStartup(WORD version, LPWSADATA data)
{
    ZeroMemory(data, sizeof(*data));
    data->wVersion = version;
    return 0;
}

/** Go then uses no short cut for the completion of sockets. */
int WSAAPI WSAEnumProtocolsW(LPINT protocols, LPWSAPROTOCOL_INFOW buffer, LPDWORD size)
{
    (void)protocols, (void)buffer, (void)size;
    return SOCKET_ERROR;
}

/** Looked up at the start, and not called without sockets. */
WINBOOL WSAAPI WSAGetOverlappedResult(SOCKET socket, LPWSAOVERLAPPED overlapped,
                                      LPDWORD transferred, WINBOOL wait, LPDWORD flags)
{
    (void)socket, (void)overlapped, (void)transferred, (void)wait, (void)flags;
    return FALSE;
}
