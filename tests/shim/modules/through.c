/* SPDX-License-Identifier: MIT */
/* A DLL that calls functions which the DLL it imports them from forwards to another one. */
__declspec(dllimport) int other_through(void);
__declspec(dllimport) int other_twice(void);
__declspec(dllimport) int other_through_hidden(void);
__declspec(dllimport) int other_untouched(void);

__declspec(dllexport) int call_through(void);
__declspec(dllexport) int call_twice(void);
__declspec(dllexport) int call_through_hidden(void);
__declspec(dllexport) int call_untouched(void);

int call_through(void)
{
    return other_through();
}

int call_twice(void)
{
    return other_twice();
}

int call_through_hidden(void)
{
    return other_through_hidden();
}

int call_untouched(void)
{
    return other_untouched();
}
