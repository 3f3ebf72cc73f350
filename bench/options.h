/* SPDX-License-Identifier: MIT */
/* The command line. */
#ifndef PSS_BENCH_OPTIONS_H
#define PSS_BENCH_OPTIONS_H

#include "bench.h"
#include "clone.h"
#include "ship.h"

struct options {
    const char *json; /* a file, "-" for standard output, NULL for none; borrowed */
    const char *only; /* the beginning of a case's name; NULL: all; borrowed */
    unsigned repeat;  /* of the cases but those of clones */
    struct clone_options clone;
    int list, help;
};

/** \return 1 · 0 with the reason printed; the options are then untouched. */
int options_read(int argc, char **argv, struct options *options);

/** Whether the case of this name is among those asked for. */
int is_wanted(const struct options *options, const char *name);

void print_help(void);
void print_list(const struct options *options);

#endif
