# SPDX-License-Identifier: MIT
# Toolchain file: MinGW-w64 for Windows x64.

set(PSS_MINGW_PROCESSOR x86_64)
include("${CMAKE_CURRENT_LIST_DIR}/mingw.cmake")
