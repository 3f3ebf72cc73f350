/* SPDX-License-Identifier: MIT */
/* pss-conformance.exe: runs the kit's tests with kernel32 and with pss.dll; its command line. */
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#include "kit.h"
#include "system.h"

#define DEFAULT_LIMIT 300u /* seconds for one program */

int wmain(int argc, WCHAR **argv);

static int usage(void)
{
    fputs("usage: pss-conformance [--kit DIRECTORY] [--output DIRECTORY] [--limit SECONDS] "
          "[TOPIC...]\n"
          "A topic is the name of a program without api_ and .exe, or \"open\".\n",
          stderr);
    return 2;
}

static int full_path(WCHAR path[PATH_SIZE], const WCHAR *given)
{
    DWORD length = GetFullPathNameW(given, PATH_SIZE, path, NULL);

    return length && length < PATH_SIZE;
}

/* The kit's directory is the one above the program's. */
static int set_defaults(struct kit *kit)
{
    DWORD length = GetModuleFileNameW(NULL, kit->root, PATH_SIZE);

    kit->limit = DEFAULT_LIMIT;
    if (!length || length >= PATH_SIZE)
        return 0;
    path_cut(kit->root);
    path_cut(kit->root);
    return 1;
}

static int read_option(struct kit *kit, const WCHAR *option, const WCHAR *value)
{
    if (!value)
        return 0;
    if (!wcscmp(option, L"--kit"))
        return full_path(kit->root, value);
    if (!wcscmp(option, L"--output"))
        return full_path(kit->results, value);
    if (wcscmp(option, L"--limit") != 0)
        return 0;
    kit->limit = wcstoul(value, NULL, 10);
    return kit->limit >= 1 && kit->limit <= 86400;
}

int wmain(int argc, WCHAR **argv)
{
    static struct kit kit;

    if (argc == 3 && !wcscmp(argv[1], L"--probe"))
        return system_probe(argv[2]);
    if (argc == 2 && !wcscmp(argv[1], L"--nothing"))
        return 0;
    if (!set_defaults(&kit))
        return usage();
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != L'-' && kit.topics < MAX_TOPICS)
            kit.topic[kit.topics++] = argv[i];
        else if (!read_option(&kit, argv[i], argv[i + 1]))
            return usage();
        else
            i++;
    }
    if (!kit.results[0] && !path_join(kit.results, kit.root, L"results"))
        return usage();
    int status = kit_run(&kit);
    table_free(&kit.table);
    return status;
}
