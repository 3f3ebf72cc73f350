/* SPDX-License-Identifier: MIT */
/* A DLL with an export of each kind; see sample.def. */
int sample_data = 14;

int sample_first(void);
int sample_middle(void);
int sample_hidden(void);

int sample_first(void)
{
    return 3;
}

int sample_middle(void)
{
    return 5;
}

int sample_hidden(void)
{
    return 9;
}
