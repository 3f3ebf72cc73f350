/* SPDX-License-Identifier: MIT */
/* The help texts. */
#include "usage.h"

#include <stdio.h>
#include <string.h>

#include "pss.h"

static const char overview[] =
    "Usage: pss COMMAND [ARGUMENTS]\n"
    "\n"
    "Captures a process with the Process Snapshotting API and shows what the snapshot holds.\n"
    "\n"
    "Commands:\n"
    "  list            list the running processes\n"
    "  show PROCESS    capture a process and show the snapshot\n"
    "  read PROCESS    capture a process and read its memory from the clone\n"
    "  rebind FILE...  make programs take the Pss functions from pss.dll\n"
    "  run PROGRAM     run a program that needs the API and does not know pss.dll\n"
    "  help [COMMAND]  explain a command\n"
    "\n"
    "Options:\n"
    "  --help          print this text\n"
    "  --version       print the version, and who makes the snapshots: pss, or kernel32.dll where\n"
    "                  the system's own API works; PSS_FORWARD=0 in the environment means pss\n"
    "\n"
    "Exit status: 0 done, 1 something failed, 2 the command line makes no sense.\n";

static const char help_list[] = "Usage: pss list [--json]\n"
                                "\n"
                                "Lists the running processes: id, parent's id, threads and name.\n"
                                "\n"
                                "Options:\n"
                                "  --json  print one JSON document\n";

static const char help_show[] =
    "Usage: pss show PID|NAME|self [OPTIONS]\n"
    "\n"
    "Captures one process and shows the snapshot. NAME is the name of the executable, in any "
    "case,\n"
    "with or without .exe; 'self' is pss itself. Without a section option it shows the process "
    "and\n"
    "how much of everything there is.\n"
    "\n"
    "Sections:\n"
    "  --process   image, parent, times, priority and memory counters\n"
    "  --threads   threads with state, priority, times, start address and name\n"
    "  --contexts  registers of each thread; suspends the process for a moment\n"
    "  --handles   handles with type, access, counts, name and details of the object\n"
    "  --memory    memory regions with state, protection, type and mapped file\n"
    "  --all       all of these, auxiliary pages and the handle trace\n"
    "  --clone     the clone, which has a copy of the memory: process id, how it was made, bytes\n"
    "              it holds, regions that differ from the target's; not part of --all\n"
    "\n"
    "Options:\n"
    "  --json      print one JSON document with every field\n"
    "  --repeat N  capture N times, show the last, and the least, median and most time taken\n"
    "\n"
    "The cost of the capture as pss measures it is always shown.\n";

static const char help_read[] =
    "Usage: pss read PID|NAME|self ADDRESS LENGTH [--output FILE]\n"
    "\n"
    "Captures one process with its memory and reads LENGTH bytes at ADDRESS from the clone: they\n"
    "are all of one moment. It prints them as a hex dump: address, 16 bytes, ASCII. ADDRESS is\n"
    "one of the process. Both numbers are decimal, or hexadecimal with 0x; LENGTH may end in K,\n"
    "M or G (1024 bytes, 1024 K, 1024 M).\n"
    "\n"
    "Options:\n"
    "  --output FILE  write the bytes as they are to a file, or to the standard output for '-'\n"
    "\n"
    "Reading ends at the first byte that is free, reserved, NOACCESS or GUARD. What comes before\n"
    "is written, a message tells the address, and the exit status is 1. FILE is replaced as soon\n"
    "as a byte was read.\n";

static const char help_rebind[] =
    "Usage: pss rebind FILE|DIRECTORY... [OPTIONS]\n"
    "\n"
    "Rewrites the imports of programs and DLLs so that the Pss functions come from pss.dll "
    "instead\n"
    "of kernel32, kernelbase or their API set, and puts pss.dll beside them. Code and all other\n"
    "imports stay as they are. The original is kept as FILE.pss-backup. In a DIRECTORY the files\n"
    "that end in .exe, .dll, .pyd, .ocx, .cpl, .scr or .node are looked at.\n"
    "\n"
    "Options:\n"
    "  --recursive    also look into directories below, and put pss.dll beside every program of\n"
    "                 the tree, since it may load what was rebound in another directory\n"
    "  --dry-run      change nothing, say what would be done\n"
    "  --output PATH  leave FILE as it is and write the new one to PATH; a directory if there is\n"
    "                 more than one file\n"
    "  --no-backup    keep no original\n"
    "  --no-copy      leave pss.dll out\n"
    "  --restore      put the originals back; pss.dll stays\n"
    "  --verbose      of a directory, tell also the files that stay as they are\n"
    "  --json         print one JSON document\n"
    "\n"
    "What a rebound file and the DLLs beside it import besides is looked for in this system's "
    "DLLs,\n"
    "and what is missing is told. A program loads pss.dll from its own directory: for a DLL that\n"
    "lies elsewhere put one beside the program. A signature is removed, since it is of the\n"
    "original. Links, packed or managed files, and programs with another library that is named\n"
    "pss.dll stay as they are. The exit status is 1 if one of them was named, or anything "
    "failed.\n";

static const char help_run[] =
    "Usage: pss run [--] PROGRAM [ARGUMENTS]\n"
    "\n"
    "Runs a program, and those it starts, with the Process Snapshotting API of pss.dll where the\n"
    "system has none that works: as imports of kernel32, KernelBase or the API set, in DLLs that\n"
    "are loaded later, and for GetProcAddress. The program's files stay as they are. Arguments,\n"
    "standard handles, console, directory and environment are the program's, and so is the exit\n"
    "status. If pss is ended, so is the program; what that has started lives on.\n"
    "\n"
    "Exit status of pss itself: 125 the program cannot be given the API, 126 it cannot be\n"
    "started, 127 it is not there.\n";

static const char help_help[] = "Usage: pss help [COMMAND]\n"
                                "\n"
                                "Explains a command, or lists them.\n";

static const struct {
    const char *command;
    const char *text;
} helps[] = {{"list", help_list},     {"show", help_show}, {"read", help_read},
             {"rebind", help_rebind}, {"run", help_run},   {"help", help_help}};

enum pss_exit usage_print(void)
{
    fputs(overview, stdout);
    return EXIT_DONE;
}

enum pss_exit usage_print_command(const char *command)
{
    for (size_t i = 0; i < sizeof helps / sizeof helps[0]; i++) {
        if (strcmp(helps[i].command, command) == 0) {
            fputs(helps[i].text, stdout);
            return EXIT_DONE;
        }
    }
    return report_usage(NULL, "there is no command '%s'", command);
}

/* Only a library that hands calls on to the system does not know the class of its own. */
static DWORD find_server(const char **dll)
{
    PSS_VA_CLONE_DETAILS details;
    HPSS snapshot;
    DWORD error = PssCaptureSnapshot(GetCurrentProcess(), PSS_CAPTURE_NONE, 0, &snapshot);

    if (error != ERROR_SUCCESS)
        return error;
    error = PssQuerySnapshot(snapshot, PSS_QUERY_VA_CLONE_DETAILS, &details, sizeof details);
    *dll = error == ERROR_NOT_FOUND ? "pss" : "kernel32.dll";
    return PssFreeSnapshot(GetCurrentProcess(), snapshot);
}

enum pss_exit usage_print_version(void)
{
    const char *dll;
    DWORD error = find_server(&dll);

    puts("pss " PSS_VERSION_STRING);
    if (error != ERROR_SUCCESS)
        return report_failure("PssCaptureSnapshot", error);
    printf("snapshots by %s\n", dll);
    return EXIT_DONE;
}
