/* SPDX-License-Identifier: MIT */
/* A program that shows what it was started with: arguments, directory, a variable, standard input;
 * exit code 42. */
#include <stdio.h>
#include <string.h>

#include <fcntl.h>
#include <io.h>

#include <windows.h>

/** Writes into a file what the console is like: code pages, and the modes of the standard handles
 * that are it. */
static int write_console(const char *path)
{
    static const DWORD handles[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    FILE *file = fopen(path, "wb");

    if (file == NULL)
        return 1;
    fprintf(file, "%u %u", GetConsoleCP(), GetConsoleOutputCP());
    for (int i = 0; i < 3; i++) {
        DWORD mode = 0;

        if (GetConsoleMode(GetStdHandle(handles[i]), &mode))
            fprintf(file, " %lx", mode);
    }
    return fclose(file) == 0 ? 42 : 1;
}

int main(int argc, char **argv)
{
    char directory[MAX_PATH];
    int byte;

    if (argc == 3 && strcmp(argv[1], "--console") == 0)
        return write_console(argv[2]);
    _setmode(_fileno(stdout), _O_BINARY);
    for (int i = 1; i < argc; i++)
        printf("[%s]\n", argv[i]);
    GetCurrentDirectoryA(sizeof directory, directory);
    printf("in %s\n", directory);
    if (GetEnvironmentVariableA("DROPIN_VARIABLE", directory, sizeof directory) > 0)
        printf("variable %s\n", directory);
    while ((byte = getchar()) != EOF)
        putchar(byte);
    fprintf(stderr, "an error\n");
    return 42;
}
