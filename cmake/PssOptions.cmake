# SPDX-License-Identifier: MIT
# Compiler options as interface libraries: pss_warnings for all our code, pss_options for the core library.

add_library(pss_warnings INTERFACE)
target_compile_features(pss_warnings INTERFACE c_std_11)
target_compile_options(pss_warnings INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion "$<$<BOOL:${PSS_WARNINGS_ARE_ERRORS}>:-Werror>"
    "$<$<COMPILE_LANGUAGE:C>:-std=c11;-Wstrict-prototypes;-Wmissing-prototypes>")
# Half of what a compiler does for most of our files is to read windows.h.
target_compile_definitions(pss_warnings INTERFACE WIN32_LEAN_AND_MEAN=)
if(CMAKE_C_COMPILER_ID STREQUAL GNU AND CMAKE_C_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
    # GCC 12 takes the segment offsets of NtCurrentTeb() for null pointers and warns.
    target_compile_options(pss_warnings INTERFACE --param=min-pagesize=0)
endif()
if(WIN32)
    # No path of this machine in the result; debuggers start in the source directory.
    target_compile_options(pss_warnings INTERFACE
        "-ffile-prefix-map=${PROJECT_SOURCE_DIR}=." "-ffile-prefix-map=${PROJECT_BINARY_DIR}=.")
endif()

add_library(pss_options INTERFACE)
target_link_libraries(pss_options INTERFACE pss_warnings)
target_compile_options(pss_options INTERFACE
    -Wvla -fno-omit-frame-pointer)

if(WIN32)
    # No C runtime: no builtin may turn into a call that nobody provides, and a frame stays below the 2 KiB of the house.
    target_compile_options(pss_options INTERFACE
        -ffreestanding -fno-ident -fno-tree-loop-distribute-patterns -Wframe-larger-than=2048)
    if(CMAKE_SIZEOF_VOID_P EQUAL 4)
        # Callers on x86 promise 4-byte stack alignment only. Nobody reads DWARF unwind tables there; x64 needs its own.
        target_compile_options(pss_options INTERFACE -mstackrealign -fno-asynchronous-unwind-tables)
    endif()
else()
    # Wine's headers know that long has 64 bits here; MinGW's do not.
    find_path(PSS_WINE_HEADERS windows.h PATHS /usr/include/wine/wine/windows /usr/include/wine/windows
        /usr/local/include/wine/windows NO_DEFAULT_PATH REQUIRED)
    target_compile_options(pss_options INTERFACE -fms-extensions -fshort-wchar -Wno-microsoft -isystem ${PSS_WINE_HEADERS})
    add_library(pss_sanitizers INTERFACE)
    set(sanitizers -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all)
    target_compile_options(pss_sanitizers INTERFACE ${sanitizers})
    target_link_options(pss_sanitizers INTERFACE ${sanitizers})
    target_link_libraries(pss_options INTERFACE pss_sanitizers)
endif()
