/* SPDX-License-Identifier: MIT */
/* Inside the target: what each source file obeys, gathered into one table by target_main.c. */
#ifndef PSS_TARGET_OPS_H
#define PSS_TARGET_OPS_H

#include "target_channel.h"

/** Obeys one command: reads arguments and text, returns the result; 0 with an error set fails. */
typedef uint64_t (*target_obey)(struct target_channel *channel);

/** Fill the table with the commands about memory, threads, handles and snapshots. */
void target_memory_commands(target_obey table[TARGET_OPS]);
void target_thread_commands(target_obey table[TARGET_OPS]);
void target_handle_commands(target_obey table[TARGET_OPS]);
void target_snapshot_commands(target_obey table[TARGET_OPS]);

/** Records GetLastError() as the command's error unless \p ok; returns \p ok. */
BOOL target_check(struct target_channel *channel, BOOL ok);

/** A pointer or handle as it travels in the channel, and back. */
#define to_channel(pointer)   ((uint64_t)(uintptr_t)(pointer))
#define from_channel(number)  ((void *)(uintptr_t)(number))
#define text_or_null(channel) ((channel)->text[0] ? (channel)->text : NULL)
#define low_dword(number)     ((DWORD)((number)&0xFFFFFFFFu))

#endif
