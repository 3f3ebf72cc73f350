/* SPDX-License-Identifier: MIT */
/* A C++ program: the API is used by a constructor before main, in threads with thread-local
 * objects, and around exceptions. */
#include <cstdio>
#include <stdexcept>

#include "check.h"

namespace
{

struct Checker {
    int step;

    Checker() : step(check_snapshot(&imported_functions)) {}
};

Checker before_main;
thread_local Checker of_thread;

DWORD WINAPI check_in_thread(void *)
{
    try {
        if (of_thread.step != 0)
            throw std::runtime_error("the snapshot of a thread");
        throw of_thread.step;
    } catch (int step) {
        return static_cast<DWORD>(step);
    } catch (const std::exception &) {
        return 7;
    }
}

} // namespace

int main()
{
    HANDLE thread = CreateThread(nullptr, 0, check_in_thread, nullptr, 0, nullptr);
    DWORD step = 6;

    if (thread == nullptr)
        return 8;
    WaitForSingleObject(thread, INFINITE);
    GetExitCodeThread(thread, &step);
    CloseHandle(thread);
    if (before_main.step != 0 || step != 0)
        return 9;
    std::puts("works");
    return 0;
}
