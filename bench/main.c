/* SPDX-License-Identifier: MIT */
/* pss-bench: how fast the library is, beside what a user would write instead. */
#include "fail.h"
#include "options.h"
#include "report.h"

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

static int run(const struct options *options)
{
    int is_json_on_output = options->json != NULL && strcmp(options->json, "-") == 0;
    FILE *table = is_json_on_output ? stderr : stdout;
    struct result *results = allocate(bench_case_count, sizeof *results);
    unsigned count = 0;
    int is_written = 1;

    print_heading(table);
    for (unsigned i = 0; i < bench_case_count; i++) {
        if (!is_wanted(options, &bench_cases[i]))
            continue;
        measure(&bench_cases[i], options->repeat, &results[count]);
        print_row(table, &results[count++]);
    }
    if (options->json != NULL)
        is_written = write_json(options->json, results, count, options->repeat);
    free(results);
    return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct options options;

    if (is_target(argc, argv))
        return target_main(argc, argv);
    _setmode(_fileno(stdout), _O_BINARY); /* Lines end as everywhere else. */
    _setmode(_fileno(stderr), _O_BINARY);
    if (!options_read(argc, argv, &options))
        return EXIT_USAGE;
    if (options.help)
        print_help();
    else if (options.list)
        print_list();
    else
        return run(&options);
    return EXIT_SUCCESS;
}
