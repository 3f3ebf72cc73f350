/* SPDX-License-Identifier: MIT */
/* A DLL that is called pss.dll by chance. */
__declspec(dllexport) int own_answer(void);

int own_answer(void)
{
    return 1234;
}
