# SPDX-License-Identifier: MIT
# Toolchain file: MinGW-w64 for Windows x86.

set(PSS_MINGW_PROCESSOR i686)
include("${CMAKE_CURRENT_LIST_DIR}/mingw.cmake")
