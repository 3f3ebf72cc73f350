/* SPDX-License-Identifier: MIT */
/* Words for the bits and constants that a snapshot holds. */
#include "words.h"

#include <stdio.h>
#include <string.h>

#include "pss.h"

/* source: phnt ntobapi.h, the attributes of a handle as OBJECT_BASIC_INFORMATION tells them. */
#define ATTRIBUTE_PROTECT_CLOSE 0x00000001u
#define ATTRIBUTE_INHERIT       0x00000002u

struct word {
    DWORD value;
    const char *name;
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void append(struct text *text, const char *separator, const char *word)
{
    size_t length = strlen(text->s);

    snprintf(text->s + length, sizeof text->s - length, "%s%s", length != 0 ? separator : "", word);
}

/** The names of the bits that are set, and the rest as a number. */
static struct text join(DWORD bits, const struct word *words, size_t count)
{
    struct text text = {""};
    char rest[16];

    for (size_t i = 0; i < count; i++) {
        if ((bits & words[i].value) != 0) {
            append(&text, "|", words[i].name);
            bits &= ~words[i].value;
        }
    }
    if (bits != 0) {
        snprintf(rest, sizeof rest, "0x%lX", bits);
        append(&text, "|", rest);
    }
    if (text.s[0] == '\0')
        append(&text, "", "-");
    return text;
}

/** The name of one value. */
static struct text pick(DWORD value, const struct word *words, size_t count)
{
    struct text text = {"-"};

    for (size_t i = 0; i < count; i++) {
        if (words[i].value == value) {
            snprintf(text.s, sizeof text.s, "%s", words[i].name);
            return text;
        }
    }
    if (value != 0)
        snprintf(text.s, sizeof text.s, "0x%lX", value);
    return text;
}

struct text words_process_flags(DWORD flags)
{
    static const struct word words[] = {
        {PSS_PROCESS_FLAGS_PROTECTED, "PROTECTED"},
        {PSS_PROCESS_FLAGS_WOW64, "WOW64"},
        {PSS_PROCESS_FLAGS_RESERVED_03, "RESERVED_03"},
        {PSS_PROCESS_FLAGS_RESERVED_04, "RESERVED_04"},
        {PSS_PROCESS_FLAGS_FROZEN, "FROZEN"},
    };
    return join(flags, words, COUNT(words));
}

struct text words_priority_class(DWORD priority)
{
    static const struct word words[] = {
        {IDLE_PRIORITY_CLASS, "IDLE"},     {BELOW_NORMAL_PRIORITY_CLASS, "BELOW_NORMAL"},
        {NORMAL_PRIORITY_CLASS, "NORMAL"}, {ABOVE_NORMAL_PRIORITY_CLASS, "ABOVE_NORMAL"},
        {HIGH_PRIORITY_CLASS, "HIGH"},     {REALTIME_PRIORITY_CLASS, "REALTIME"},
    };
    return pick(priority, words, COUNT(words));
}

struct text words_state(DWORD state)
{
    static const struct word words[] = {
        {MEM_COMMIT, "COMMIT"}, {MEM_RESERVE, "RESERVE"}, {MEM_FREE, "FREE"}};
    return pick(state, words, COUNT(words));
}

struct text words_type(DWORD type)
{
    static const struct word words[] = {
        {MEM_IMAGE, "IMAGE"}, {MEM_MAPPED, "MAPPED"}, {MEM_PRIVATE, "PRIVATE"}};
    return pick(type, words, COUNT(words));
}

struct text words_protect(DWORD protect)
{
    static const struct word words[] = {
        {PAGE_NOACCESS, "NOACCESS"},
        {PAGE_READONLY, "READONLY"},
        {PAGE_READWRITE, "READWRITE"},
        {PAGE_WRITECOPY, "WRITECOPY"},
        {PAGE_EXECUTE, "EXECUTE"},
        {PAGE_EXECUTE_READ, "EXECUTE_READ"},
        {PAGE_EXECUTE_READWRITE, "EXECUTE_READWRITE"},
        {PAGE_EXECUTE_WRITECOPY, "EXECUTE_WRITECOPY"},
        {PAGE_GUARD, "GUARD"},
        {PAGE_NOCACHE, "NOCACHE"},
        {PAGE_WRITECOMBINE, "WRITECOMBINE"},
    };
    return join(protect, words, COUNT(words));
}

struct text words_section(DWORD attributes)
{
    static const struct word words[] = {
        {SEC_FILE, "FILE"},
        {SEC_IMAGE, "IMAGE"},
        {SEC_RESERVE, "RESERVE"},
        {SEC_COMMIT, "COMMIT"},
        {SEC_NOCACHE, "NOCACHE"},
        {SEC_WRITECOMBINE, "WRITECOMBINE"},
        {SEC_LARGE_PAGES, "LARGE_PAGES"},
    };
    return join(attributes, words, COUNT(words));
}

struct text words_attributes(DWORD attributes)
{
    static const struct word words[] = {{ATTRIBUTE_PROTECT_CLOSE, "PROTECT_CLOSE"},
                                        {ATTRIBUTE_INHERIT, "INHERIT"}};
    return join(attributes, words, COUNT(words));
}

struct text words_clone_strategy(DWORD strategy)
{
    static const struct word words[] = {{PSS_CLONE_NATIVE, "native"},
                                        {PSS_CLONE_CARRIER, "carrier"}};
    return pick(strategy, words, COUNT(words));
}

struct text words_clone_route(DWORD route)
{
    static const struct word words[] = {{PSS_CLONE_ROUTE_NONE, "none"},
                                        {PSS_CLONE_ROUTE_CALLS, "calls"},
                                        {PSS_CLONE_ROUTE_FILES, "files"}};
    return pick(route, words, COUNT(words));
}
