/* SPDX-License-Identifier: MIT */
/* A program that imports the API from kernel32: something to rebind. */
#include "pss.h"

int main(void)
{
    return (int)PssFreeSnapshot(NULL, NULL);
}
