/* SPDX-License-Identifier: MIT */
/* Another DLL; see other.def. */
int other_first(void);
int other_second(void);

int other_first(void)
{
    return 21;
}

int other_second(void)
{
    return 22;
}
