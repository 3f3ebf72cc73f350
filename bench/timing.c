/* SPDX-License-Identifier: MIT */
/* The clock, and what many samples of it come to. */
#include "timing.h"

#include <stdlib.h>
#include <windows.h>

double now_in_microseconds(void)
{
    static LARGE_INTEGER frequency;
    LARGE_INTEGER now;

    if (frequency.QuadPart == 0)
        QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&now);
    return (double)now.QuadPart * 1e6 / (double)frequency.QuadPart;
}

static int compare_numbers(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return a < b ? -1 : a > b;
}

struct timing summarise(double *samples, unsigned count)
{
    struct timing timing;

    qsort(samples, count, sizeof *samples, compare_numbers);
    timing.least = samples[0];
    timing.median = (samples[(count - 1) / 2] + samples[count / 2]) / 2;
    timing.most = samples[count - 1];
    return timing;
}
