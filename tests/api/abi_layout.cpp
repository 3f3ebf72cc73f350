// SPDX-License-Identifier: MIT
// The layout of the public structures as a C++ compiler sees it, and the operators of the flag
// enums.
#include "abi_layout.h"

#include "ProcessSnapshot.h"
#include "processsnapshot.h"

extern "C" unsigned long abi_layout_combine_flags_in_cpp(void);

extern "C" unsigned long abi_layout_combine_flags_in_cpp(void)
{
    PSS_CAPTURE_FLAGS capture = PSS_CAPTURE_THREADS | PSS_CAPTURE_HANDLES;
    PSS_HANDLE_FLAGS handle = PSS_HANDLE_HAVE_TYPE | PSS_HANDLE_HAVE_NAME;
    PSS_DUPLICATE_FLAGS duplicate = PSS_DUPLICATE_NONE | PSS_DUPLICATE_CLOSE_SOURCE;
    PSS_PROCESS_FLAGS process = PSS_PROCESS_FLAGS_PROTECTED | PSS_PROCESS_FLAGS_WOW64;
    PSS_THREAD_FLAGS thread = PSS_THREAD_FLAGS_NONE | PSS_THREAD_FLAGS_TERMINATED;
    capture |= PSS_CAPTURE_THREAD_CONTEXT;
    capture &= ~PSS_CAPTURE_HANDLES;
    return static_cast<unsigned long>(capture) + static_cast<unsigned long>(handle) +
           static_cast<unsigned long>(duplicate) + static_cast<unsigned long>(process) +
           static_cast<unsigned long>(thread);
}
