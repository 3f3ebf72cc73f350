# SPDX-License-Identifier: MIT
# Dependencies by package name: pss_fetch(), and the imported targets cmocka::cmocka and jansson::jansson on request.

include(ExternalProject)

set(deps_default "${PROJECT_SOURCE_DIR}/build/deps")
if(DEFINED ENV{PSS_DEPS_DIR})
    set(deps_default "$ENV{PSS_DEPS_DIR}")
endif()
set(PSS_DEPS_DIR "${deps_default}" CACHE PATH "Where fetched packages are kept; all presets share it")

# Sets <result> to the directory that holds the item; see cmake/deps.sh for the items.
function(pss_fetch item result)
    execute_process(COMMAND "${PROJECT_SOURCE_DIR}/cmake/deps.sh" "${PSS_DEPS_DIR}" ${item}
        OUTPUT_VARIABLE directory OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    set(${result} "${directory}" PARENT_SCOPE)
endfunction()

# Builds <target> of the source in <source> for our target system; <library> is the archive it makes.
function(pss_build_dependency name target source library)
    set(build "${PROJECT_BINARY_DIR}/deps/${name}")
    ExternalProject_Add(${name}_build
        SOURCE_DIR "${source}"
        BINARY_DIR "${build}"
        PREFIX "${build}-prefix"
        CMAKE_ARGS ${ARGN} -Wno-dev -DCMAKE_BUILD_TYPE=Release
            -DCMAKE_TOOLCHAIN_FILE=${CMAKE_TOOLCHAIN_FILE} -DCMAKE_MAKE_PROGRAM=${CMAKE_MAKE_PROGRAM}
            -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER}
        BUILD_COMMAND ${CMAKE_COMMAND} --build <BINARY_DIR> --target ${target}
        INSTALL_COMMAND ""
        BUILD_BYPRODUCTS "${build}/${library}"
        LOG_CONFIGURE ON LOG_BUILD ON LOG_OUTPUT_ON_FAILURE ON)
    add_library(${name}::${name} STATIC IMPORTED GLOBAL)
    set_target_properties(${name}::${name} PROPERTIES IMPORTED_LOCATION "${build}/${library}")
    add_dependencies(${name}::${name} ${name}_build)
endfunction()

# The system's own cmocka serves native builds; for Windows it is built from the source package.
macro(pss_use_cmocka)
    if(NOT TARGET cmocka::cmocka)
        if(WIN32)
            pss_provide_cmocka()
        else()
            find_library(PSS_CMOCKA_LIBRARY cmocka REQUIRED)
            find_path(PSS_CMOCKA_INCLUDE cmocka.h REQUIRED)
            add_library(cmocka::cmocka UNKNOWN IMPORTED GLOBAL)
            set_target_properties(cmocka::cmocka PROPERTIES IMPORTED_LOCATION "${PSS_CMOCKA_LIBRARY}")
            target_include_directories(cmocka::cmocka INTERFACE "${PSS_CMOCKA_INCLUDE}")
        endif()
    endif()
endmacro()

function(pss_provide_cmocka)
    pss_fetch(cmocka source)
    file(STRINGS "${source}/CMakeLists.txt" line REGEX "project\\(cmocka VERSION")
    string(REGEX MATCH "[0-9.]+" version "${line}")
    # The name of the static library, and how to ask for it, changed after 1.1.5.
    set(name cmocka)
    if(version VERSION_LESS 1.1.6)
        set(name cmocka-static)
    endif()
    pss_build_dependency(cmocka ${name} "${source}" src/lib${name}.a
        -DWITH_STATIC_LIB=ON -DBUILD_SHARED_LIBS=OFF -DWITH_EXAMPLES=OFF -DUNIT_TESTING=OFF)
    target_include_directories(cmocka::cmocka INTERFACE "${source}/include")
    target_compile_definitions(cmocka::cmocka INTERFACE CMOCKA_STATIC)
endfunction()

function(pss_use_jansson)
    if(TARGET jansson::jansson)
        return()
    endif()
    pss_fetch(jansson source)
    pss_build_dependency(jansson jansson "${source}" lib/libjansson.a
        -DJANSSON_BUILD_DOCS=OFF -DJANSSON_EXAMPLES=OFF -DJANSSON_WITHOUT_TESTS=ON)
    set(include "${PROJECT_BINARY_DIR}/deps/jansson/include")
    file(MAKE_DIRECTORY "${include}") # The build fills it; CMake wants it to exist before.
    target_include_directories(jansson::jansson INTERFACE "${include}")
endfunction()
