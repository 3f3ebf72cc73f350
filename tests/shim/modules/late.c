/* SPDX-License-Identifier: MIT */
/* A DLL that imports what shim-sample.dll does not have: at once, or with its first call. */
int sample_added(void);

__declspec(dllexport) int call_added(void);

int call_added(void)
{
    return sample_added();
}
