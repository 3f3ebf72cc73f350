/* SPDX-License-Identifier: MIT */
/* A DLL that has functions in the place of kernel32's; see instead.def. */
int instead_ticks(void);
int instead_drives(void);

int instead_ticks(void)
{
    return 4711;
}

int instead_drives(void)
{
    return 4712;
}
