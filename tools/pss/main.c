/* SPDX-License-Identifier: MIT */
/* The pss program: reads which command is meant, runs it, and sees to it that output arrives. */
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include "command_line.h"
#include "commands.h"
#include "text.h"
#include "usage.h"

static enum pss_exit run_help(int argc, char **argv)
{
    if (argc == 1)
        return usage_print();
    if (argc > 2)
        return report_usage("help", "'%s' is one argument too many", argv[2]);
    if (strcmp(argv[1], "--help") == 0)
        return usage_print_command("help");
    return usage_print_command(argv[1]);
}

static int run(int argc, char **argv)
{
    if (argc < 2)
        return report_usage(NULL, "a command is missing");
    if (strcmp(argv[1], "--version") == 0)
        return usage_print_version();
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return usage_print();
    if (strcmp(argv[1], "help") == 0)
        return run_help(argc - 1, argv + 1);
    if (strcmp(argv[1], "list") == 0)
        return command_list(argc - 1, argv + 1);
    if (strcmp(argv[1], "show") == 0)
        return command_show(argc - 1, argv + 1);
    if (strcmp(argv[1], "read") == 0)
        return command_read(argc - 1, argv + 1);
    if (strcmp(argv[1], "rebind") == 0)
        return command_rebind(argc - 1, argv + 1);
    return report_usage(NULL, "there is no command '%s'", argv[1]);
}

/** The arguments in UTF-8; never freed. They are read from the command line itself, since C
 * runtimes do not agree on where the program's own name ends. */
static char **read_arguments(int *argc)
{
    WCHAR *line = GetCommandLineW();
    size_t length = wcslen(line);
    char **argv = text_allocate((length / 2 + 3) * sizeof *argv); /* each but one has a blank */
    WCHAR *text = text_allocate((length + 1) * sizeof *text);
    int count = 0;

    do {
        line = command_line_read(line, count == 0, text);
        argv[count++] = text_from_wide(text, wcslen(text), NULL);
    } while (*line != L'\0');
    argv[count] = NULL;
    free(text);
    *argc = count;
    return argv;
}

/** Runs a command that prints something itself. */
static int run_printing(int argc, char **argv)
{
    UINT code_page = GetConsoleOutputCP(); /* 0 without a console */
    int status;

    SetConsoleOutputCP(CP_UTF8);
    _setmode(_fileno(stdout), _O_BINARY); /* Lines end as everywhere else. */
    _setmode(_fileno(stderr), _O_BINARY);
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    status = run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        report("cannot write to the standard output");
        status = EXIT_RUNTIME;
    }
    if (code_page != 0)
        SetConsoleOutputCP(code_page); /* The console is the caller's. */
    return status;
}

int _dowildcard = 0; /* An asterisk is an asterisk. */

int wmain(int argc, WCHAR **wide);

int wmain(int argc, WCHAR **wide)
{
    char **argv = read_arguments(&argc);

    (void)wide;
    /* The console and its settings are the program's that is run. */
    if (argc > 1 && strcmp(argv[1], "run") == 0)
        return command_run(argc - 1, argv + 1);
    return run_printing(argc, argv);
}
