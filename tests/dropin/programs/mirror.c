/* SPDX-License-Identifier: MIT */
/* A program that shows what it was started with: arguments, directory, a variable, standard input;
 * exit code 42. */
#include <stdio.h>

#include <fcntl.h>
#include <io.h>

#include <windows.h>

int main(int argc, char **argv)
{
    char directory[MAX_PATH];
    int byte;

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
