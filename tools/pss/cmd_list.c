/* SPDX-License-Identifier: MIT */
/* `pss list`: the running processes. */
#include <stdio.h>

#include "commands.h"
#include "json.h"
#include "json_values.h"
#include "options.h"
#include "target.h"
#include "text.h"
#include "usage.h"

#define MAX_NAME (sizeof((PROCESSENTRY32W *)0)->szExeFile / sizeof(WCHAR))

static int print_process_line(const PROCESSENTRY32W *process, void *context)
{
    (void)context;
    printf("%8lu  %8lu  %8lu  ", process->th32ProcessID, process->th32ParentProcessID,
           process->cntThreads);
    text_print_wide(process->szExeFile, text_length(process->szExeFile, MAX_NAME));
    putchar('\n');
    return 0;
}

static int add_process(const PROCESSENTRY32W *process, void *context)
{
    json_t *object = json_new_object();

    json_put_number(object, "ProcessId", process->th32ProcessID);
    json_put_number(object, "ParentProcessId", process->th32ParentProcessID);
    json_put_number(object, "Threads", process->cntThreads);
    json_put_wide(object, "Name", process->szExeFile, text_length(process->szExeFile, MAX_NAME));
    json_add(context, object);
    return 0;
}

static enum pss_exit list_as_json(void)
{
    json_t *array = json_new_array();
    enum pss_exit status = target_visit_all(add_process, array);
    enum pss_exit written = json_write(array);

    return status != EXIT_DONE ? status : written;
}

enum pss_exit command_list(int argc, char **argv)
{
    struct options options;
    enum pss_exit status = options_read_list(argc, argv, &options);

    if (status != EXIT_DONE)
        return status;
    if (options.help)
        return usage_print_command("list");
    if (options.json)
        return list_as_json();
    printf("%8s  %8s  %8s  %s\n", "PID", "PARENT", "THREADS", "NAME");
    return target_visit_all(print_process_line, NULL);
}
