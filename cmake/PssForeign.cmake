# SPDX-License-Identifier: MIT
# What a program of the other bitness needs of us, for `pss run`, `pss rebind` and the tests: a build of this project by
# the other MinGW compiler in <build>/foreign, and its DLLs in bin/x86 or bin/x64.

set(PSS_FOREIGN_PROCESSOR i686)
set(PSS_FOREIGN_ARCH x86)
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
    set(PSS_FOREIGN_PROCESSOR x86_64)
    set(PSS_FOREIGN_ARCH x64)
endif()
set(PSS_FOREIGN_TOOLCHAIN "${PROJECT_SOURCE_DIR}/cmake/mingw-${PSS_FOREIGN_PROCESSOR}.cmake")
set(PSS_FOREIGN_BUILD "${PROJECT_BINARY_DIR}/foreign")

set(targets pss pss_shim)
set(files pss.dll pss-shim.dll)
if(PSS_FOREIGN_ARCH STREQUAL x64)
    list(APPEND targets pss_inject) # What a 32-bit process needs to reach a 64-bit one.
    list(APPEND files pss-inject.exe)
endif()
if(PSS_BUILD_EXAMPLES)
    list(APPEND targets crash_handler crasher)
endif()
list(TRANSFORM files PREPEND "${PSS_FOREIGN_BUILD}/bin/" OUTPUT_VARIABLE PSS_FOREIGN_FILES)

ExternalProject_Add(pss_foreign
    SOURCE_DIR "${PROJECT_SOURCE_DIR}"
    BINARY_DIR "${PSS_FOREIGN_BUILD}"
    PREFIX "${PSS_FOREIGN_BUILD}-prefix"
    CMAKE_ARGS -DCMAKE_TOOLCHAIN_FILE=${PSS_FOREIGN_TOOLCHAIN}
        -DCMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE} -DPSS_DEPS_DIR=${PSS_DEPS_DIR} -DPSS_BUILD_FOREIGN=OFF -DPSS_FORWARD=${PSS_FORWARD}
        -DPSS_BUILD_TESTS=OFF -DPSS_BUILD_BENCH=OFF -DPSS_BUILD_EXAMPLES=${PSS_BUILD_EXAMPLES}
    BUILD_COMMAND ${CMAKE_COMMAND} --build <BINARY_DIR> --target ${targets}
    COMMAND ${CMAKE_COMMAND} -E make_directory "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${PSS_FOREIGN_ARCH}"
    COMMAND ${CMAKE_COMMAND} -E copy_if_different ${PSS_FOREIGN_FILES} "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${PSS_FOREIGN_ARCH}"
    BUILD_ALWAYS ON
    INSTALL_COMMAND ""
    LOG_CONFIGURE ON LOG_BUILD ON LOG_OUTPUT_ON_FAILURE ON)
