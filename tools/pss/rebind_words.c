/* SPDX-License-Identifier: MIT */
/* The sentence that says what changes in a file. */
#include "rebind_words.h"

#include <stdio.h>
#include <string.h>

void words_append(char *sentence, const char *format, unsigned number)
{
    size_t length = strlen(sentence);

    snprintf(sentence + length, SENTENCE_SIZE - length, format, number);
}

void words_changes(const struct pe_result *result, const char *verb, char *sentence)
{
    unsigned count = (unsigned)(result->linked + result->delayed + result->hastened);

    snprintf(sentence, SENTENCE_SIZE, "%s: %u import%s from pss.dll", verb, count,
             count == 1 ? "" : "s");
    if (result->delayed > 0)
        words_append(sentence, ", %u of them delay-loaded as before", (unsigned)result->delayed);
    if (result->hastened > 0)
        words_append(sentence, ", %u of them no longer delay-loaded", (unsigned)result->hastened);
    if (result->lost_signature)
        words_append(sentence, "; its signature is void and was left out", 0);
    else if (result->lost_integrity)
        words_append(sentence, "; it no longer demands a signature (/INTEGRITYCHECK)", 0);
    if (result->searches_own)
        words_append(sentence,
                     "; its DLLs are looked for beside the program, too (DependentLoadFlags)", 0);
}
