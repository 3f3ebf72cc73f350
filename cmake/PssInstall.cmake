# SPDX-License-Identifier: MIT
# What `cmake --install` puts where, in two components: runtime (what a program or a user needs) and development.
#
# The CMake package is made by hand rather than exported: one tree may hold the libraries of both bitnesses, in
# directories told apart by CMAKE_INSTALL_BINDIR and CMAKE_INSTALL_LIBDIR, and MSVC needs another import library.

include(GNUInstallDirs)
set(PSS_INSTALL_CMAKEDIR "lib/cmake/pss" CACHE STRING "Where the CMake package goes; one serves both bitnesses")

set(PSS_ARCH x64)
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
    set(PSS_ARCH x86)
endif()

install(TARGETS pss
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
if(PSS_BUILD_TOOLS)
    install(TARGETS pss_tool pss_shim RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
    if(PSS_ARCH STREQUAL x64)
        install(TARGETS pss_inject RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
    endif()
endif()
if(PSS_BUILD_FOREIGN)
    install(PROGRAMS ${PSS_FOREIGN_FILES} DESTINATION ${CMAKE_INSTALL_BINDIR}/${PSS_FOREIGN_ARCH} COMPONENT runtime)
endif()
install(TARGETS pss_apiset LIBRARY DESTINATION ${CMAKE_INSTALL_BINDIR}/apiset COMPONENT runtime)
install(FILES "${PROJECT_SOURCE_DIR}/docs/pss.1" DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT runtime)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime)

# Windows has no man: the same page for a browser.
find_program(PSS_MANDOC mandoc)
if(PSS_MANDOC)
    set(page "${PROJECT_BINARY_DIR}/pss.html")
    add_custom_command(OUTPUT "${page}"
        COMMAND ${PSS_MANDOC} -T html "${PROJECT_SOURCE_DIR}/docs/pss.1" > "${page}"
        DEPENDS "${PROJECT_SOURCE_DIR}/docs/pss.1" VERBATIM)
    add_custom_target(pss_manual ALL DEPENDS "${page}")
    install(FILES "${page}" DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime)
elseif(PROJECT_IS_TOP_LEVEL)
    message(STATUS "No pss.html: mandoc is missing (package mandoc)")
endif()

install(TARGETS pss_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
if(TARGET pss_msvc_library)
    install(FILES "$<TARGET_PROPERTY:pss_msvc_library,LIBRARY_FILE>"
        DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
endif()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)

# Every path in the package is told from the file it stands in, so the tree may be moved.
function(pss_relative_path result from to)
    file(RELATIVE_PATH path "${from}" "${to}")
    set(${result} "${path}" PARENT_SCOPE)
endfunction()

cmake_path(ABSOLUTE_PATH PSS_INSTALL_CMAKEDIR BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" OUTPUT_VARIABLE package)
pss_relative_path(PSS_BINDIR "${package}" "${CMAKE_INSTALL_FULL_BINDIR}")
pss_relative_path(PSS_LIBDIR "${package}" "${CMAKE_INSTALL_FULL_LIBDIR}")
pss_relative_path(PSS_INCLUDEDIR "${package}" "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
set(generated "${PROJECT_BINARY_DIR}/package")
foreach(file config config-version targets)
    configure_file("${PROJECT_SOURCE_DIR}/cmake/pss-${file}.cmake.in" "${generated}/pss-${file}.cmake" @ONLY)
endforeach()
install(FILES "${generated}/pss-config.cmake" "${generated}/pss-config-version.cmake"
    DESTINATION ${PSS_INSTALL_CMAKEDIR} COMPONENT development)
install(FILES "${generated}/pss-targets.cmake" DESTINATION ${PSS_INSTALL_CMAKEDIR} COMPONENT development
    RENAME pss-targets-${PSS_ARCH}.cmake)

pss_relative_path(PSS_PC_LIBDIR "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_FULL_LIBDIR}")
pss_relative_path(PSS_PC_INCLUDEDIR "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/pss.pc.in" "${generated}/pss.pc" @ONLY)
install(FILES "${generated}/pss.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
