/* SPDX-License-Identifier: MIT */
/* pss-bench: how fast the library is, beside what a user would write instead. */
#include "fail.h"
#include "options.h"
#include "report.h"

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

enum { EXIT_USAGE = 2 };

static void run_cases(const struct options *options, FILE *table, struct report *report)
{
    for (unsigned i = 0; i < bench_case_count; i++) {
        if (!is_wanted(options, bench_cases[i].name))
            continue;
        if (bench_cases[i].comparison->needs_shim && !is_shim_there()) {
            fprintf(stderr, "%s is left out: start the bench with pss run\n", bench_cases[i].name);
            continue;
        }
        if (report->count == 0)
            print_heading(table);
        measure(&bench_cases[i], options->repeat, &report->results[report->count]);
        print_row(table, &report->results[report->count++]);
    }
}

static void run_clone_cases(const struct options *options, FILE *table, struct report *report)
{
    struct clone_case subject;

    for (unsigned i = 0; i < clone_case_count(&options->clone); i++) {
        clone_case_make(&options->clone, i, &subject);
        if (!is_wanted(options, subject.name))
            continue;
        if (report->clone_count == 0)
            print_clone_heading(table);
        clone_measure(&subject, &options->clone, &report->clones[report->clone_count]);
        print_clone_row(table, &report->clones[report->clone_count++]);
    }
}

static void run_ship_cases(const struct options *options, FILE *table, struct report *report)
{
    for (unsigned i = 0; i < ship_case_count; i++) {
        if (!is_wanted(options, ship_cases[i].name))
            continue;
        if (report->ship_count == 0)
            print_ship_heading(table);
        ship_measure(&ship_cases[i], options->repeat, &report->ships[report->ship_count]);
        print_ship_row(table, &report->ships[report->ship_count++]);
    }
}

static int run(const struct options *options)
{
    int is_json_on_output = options->json != NULL && strcmp(options->json, "-") == 0;
    FILE *table = is_json_on_output ? stderr : stdout;
    struct report report = {.repeat = options->repeat};
    int is_written = 1;

    report.results = allocate(bench_case_count, sizeof *report.results);
    report.clones = allocate(clone_case_count(&options->clone), sizeof *report.clones);
    report.ships = allocate(ship_case_count, sizeof *report.ships);
    run_cases(options, table, &report);
    run_clone_cases(options, table, &report);
    run_ship_cases(options, table, &report);
    if (options->json != NULL)
        is_written = write_json(options->json, &report);
    free(report.results);
    free(report.clones);
    free(report.ships);
    return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct options options;

    SetEnvironmentVariableA("PSS_FORWARD", "0"); /* What is measured is this library. */
    if (is_target(argc, argv))
        return target_main(argc, argv);
    _setmode(_fileno(stdout), _O_BINARY); /* Lines end as everywhere else. */
    _setmode(_fileno(stderr), _O_BINARY);
    if (!options_read(argc, argv, &options))
        return EXIT_USAGE;
    if (options.help)
        print_help();
    else if (options.list)
        print_list(&options);
    else
        return run(&options);
    return EXIT_SUCCESS;
}
