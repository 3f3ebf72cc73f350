// SPDX-License-Identifier: MIT
// C++: owners that free what they hold, flags that combine, and a walk over the process's handles.
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include "pss.h"

namespace
{

void check(DWORD error, const char *function)
{
    if (error != ERROR_SUCCESS)
        throw std::runtime_error(std::string(function) + " failed: error " + std::to_string(error));
}

class Snapshot
{
  public:
    Snapshot(HANDLE process, PSS_CAPTURE_FLAGS flags, DWORD context_flags = 0)
    {
        check(PssCaptureSnapshot(process, flags, context_flags, &handle_), "PssCaptureSnapshot");
    }
    ~Snapshot()
    {
        PssFreeSnapshot(GetCurrentProcess(), handle_);
    }
    Snapshot(const Snapshot &) = delete;
    Snapshot &operator=(const Snapshot &) = delete;

    template <typename Information> Information query(PSS_QUERY_INFORMATION_CLASS what) const
    {
        Information information;
        check(PssQuerySnapshot(handle_, what, &information, sizeof information),
              "PssQuerySnapshot");
        return information;
    }
    HPSS get() const
    {
        return handle_;
    }

  private:
    HPSS handle_ = nullptr;
};

/** A walk over one list. The strings of its entries live as long as it does. */
class Walk
{
  public:
    Walk(const Snapshot &snapshot, PSS_WALK_INFORMATION_CLASS list)
        : snapshot_(snapshot.get()), list_(list)
    {
        check(PssWalkMarkerCreate(nullptr, &marker_), "PssWalkMarkerCreate");
    }
    ~Walk()
    {
        PssWalkMarkerFree(marker_);
    }
    Walk(const Walk &) = delete;
    Walk &operator=(const Walk &) = delete;

    template <typename Entry> bool next(Entry &entry)
    {
        DWORD error = PssWalkSnapshot(snapshot_, list_, marker_, &entry, sizeof entry);
        if (error == ERROR_NO_MORE_ITEMS)
            return false;
        check(error, "PssWalkSnapshot");
        return true;
    }

  private:
    HPSS snapshot_;
    PSS_WALK_INFORMATION_CLASS list_;
    HPSSWALK marker_ = nullptr;
};

void print_handles()
{
    PSS_CAPTURE_FLAGS flags = PSS_CAPTURE_HANDLES | PSS_CAPTURE_HANDLE_NAME_INFORMATION;
    flags |= PSS_CAPTURE_HANDLE_BASIC_INFORMATION;
    Snapshot snapshot(GetCurrentProcess(), flags);
    Walk walk(snapshot, PSS_WALK_HANDLES);
    PSS_HANDLE_ENTRY entry;
    unsigned long named = 0;
    unsigned long walked = 0;

    while (walk.next(entry)) {
        walked++;
        if ((entry.Flags & PSS_HANDLE_HAVE_NAME) != PSS_HANDLE_NONE)
            named++;
    }
    std::printf(
        "handles: %lu of %lu walked, %lu have a name\n", walked,
        snapshot.query<PSS_HANDLE_INFORMATION>(PSS_QUERY_HANDLE_INFORMATION).HandlesCaptured,
        named);
}

} // namespace

int main()
{
    try {
        print_handles();
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
