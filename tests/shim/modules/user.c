/* SPDX-License-Identifier: MIT */
/* A DLL that calls its imports: by name, by ordinal, and of another DLL. */
__declspec(dllimport) int sample_first(void);
__declspec(dllimport) int sample_middle(void);
__declspec(dllimport) int sample_hidden(void);
__declspec(dllimport) int other_first(void);

__declspec(dllexport) int call_first(void);
__declspec(dllexport) int call_middle(void);
__declspec(dllexport) int call_hidden(void);
__declspec(dllexport) int call_other(void);

int call_first(void)
{
    return sample_first();
}

int call_middle(void)
{
    return sample_middle();
}

int call_hidden(void)
{
    return sample_hidden();
}

int call_other(void)
{
    return other_first();
}
