# SPDX-License-Identifier: MIT
# What the two MinGW-w64 toolchain files share; PSS_MINGW_PROCESSOR is set before.

set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR ${PSS_MINGW_PROCESSOR})
set(triplet ${PSS_MINGW_PROCESSOR}-w64-mingw32)

# The win32 thread model comes without a winpthread DLL.
find_program(CMAKE_C_COMPILER NAMES ${triplet}-gcc-win32 ${triplet}-gcc REQUIRED)
find_program(CMAKE_CXX_COMPILER NAMES ${triplet}-g++-win32 ${triplet}-g++)
foreach(tool ar ranlib dlltool objdump strip windres)
    string(TOUPPER ${tool} variable)
    find_program(CMAKE_${variable} NAMES ${triplet}-${tool} REQUIRED)
endforeach()
set(CMAKE_RC_COMPILER ${CMAKE_WINDRES})

set(CMAKE_FIND_ROOT_PATH /usr/${triplet})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)
