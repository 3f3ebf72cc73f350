/* SPDX-License-Identifier: MIT */
/* The command line of `pss list`, `pss show` and `pss read`. */
#ifndef PSS_TOOL_OPTIONS_H
#define PSS_TOOL_OPTIONS_H

#include <stdint.h>

#include "report.h"

/** What `pss show` prints. */
enum pss_section {
    SECTION_PROCESS = 0x01,
    SECTION_THREADS = 0x02,
    SECTION_CONTEXTS = 0x04,
    SECTION_HANDLES = 0x08,
    SECTION_MEMORY = 0x10,
    SECTION_EXTRAS = 0x20, /* auxiliary pages and handle trace; part of --all only */
    SECTION_ALL = 0x3f,
    SECTION_CLONE = 0x40, /* not part of --all: it copies the memory of the process */
    SECTION_MASK = 0x7f
};

#define OPTIONS_MAX_REPEAT 100000u

struct options {
    const char *target; /* PID, NAME or "self"; borrowed from the command line */
    unsigned sections;  /* bits of enum pss_section; 0 = process and counts */
    unsigned repeat;    /* captures, at least 1 */
    int json;           /* print JSON instead of text */
    int help;           /* print the command's help instead */
    const char *output; /* file for the bytes, "-" for stdout; NULL = hex dump; borrowed */
    uint64_t address;   /* first byte to read */
    uint64_t length;    /* bytes to read, at least 1; none beyond the address space */
};

/**
 * Reads the arguments of a command.
 *
 * \param argc    [in]  Number of arguments, the command's name included as argv[0].
 * \param argv    [in]  UTF-8; is permuted.
 * \param options [out] Filled on success.
 * \return EXIT_DONE · EXIT_USAGE with the reason reported.
 */
enum pss_exit options_read_show(int argc, char **argv, struct options *options);
enum pss_exit options_read_read(int argc, char **argv, struct options *options);
enum pss_exit options_read_list(int argc, char **argv, struct options *options);

/**
 * Says what is wrong with an option that getopt_long() answered with '?' or ':'. Options without a
 * character have values of OPTIONS_FIRST and above.
 *
 * \param command  [in] The command's name.
 * \param found    [in] The answer.
 * \param argument [in] What was looked at.
 * \return EXIT_USAGE.
 */
enum pss_exit options_reject(const char *command, int found, const char *argument);

#define OPTIONS_FIRST 0x100

#endif
