/* SPDX-License-Identifier: MIT */
/* Threads of the test itself that have begun and wait. */
#include "waiters.h"

#define TIMEOUT 20000

DWORD WINAPI waiters_run(void *argument)
{
    const struct waiters *waiters = (const struct waiters *)argument;

    ReleaseSemaphore(waiters->begun, 1, NULL);
    return WaitForSingleObject(waiters->stop, INFINITE);
}

void waiters_start(struct waiters *waiters)
{
    waiters->begun = CreateSemaphoreW(NULL, 0, WAITERS, NULL);
    waiters->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    for (int i = 0; i < WAITERS; i++)
        waiters->threads[i] = CreateThread(NULL, 0, waiters_run, waiters, 0, &waiters->ids[i]);
    for (int i = 0; i < WAITERS; i++)
        assert_int_equal(WaitForSingleObject(waiters->begun, TIMEOUT), WAIT_OBJECT_0);
}

void waiters_stop(struct waiters *waiters)
{
    SetEvent(waiters->stop);
    assert_int_equal(WaitForMultipleObjects(WAITERS, waiters->threads, TRUE, TIMEOUT),
                     WAIT_OBJECT_0);
    for (int i = 0; i < WAITERS; i++)
        CloseHandle(waiters->threads[i]);
    CloseHandle(waiters->stop);
    CloseHandle(waiters->begun);
}
