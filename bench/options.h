/* SPDX-License-Identifier: MIT */
/* The command line. */
#ifndef PSS_BENCH_OPTIONS_H
#define PSS_BENCH_OPTIONS_H

#include "bench.h"

struct options {
    const char *json; /* a file, "-" for standard output, NULL for none; borrowed */
    const char *only; /* the beginning of a case's name; NULL: all; borrowed */
    unsigned repeat;
    int list, help;
};

/** \return 1 · 0 with the reason printed; the options are then untouched. */
int options_read(int argc, char **argv, struct options *options);

/** Whether the case is among those asked for. */
int is_wanted(const struct options *options, const struct bench_case *subject);

void print_help(void);
void print_list(void);

#endif
