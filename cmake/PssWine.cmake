# SPDX-License-Identifier: MIT
# Runs Windows programs of this build under Wine: writes <build>/wine-run and makes it the emulator of every target.

find_program(PSS_WINE wine)
if(PSS_BUILD_TESTS AND NOT PSS_WINE)
    message(FATAL_ERROR "The tests run under Wine: install wine, or set PSS_BUILD_TESTS to OFF")
endif()

if(PSS_WINE)
    set(PSS_WINE_PREFIX "${PROJECT_BINARY_DIR}/wineprefix")
    set(PSS_WINE_DLLS "")
    # The 32-bit DLLs are wherever this Wine's libraries are, below its prefix.
    get_filename_component(pss_wine_program "${PSS_WINE}" REALPATH)
    get_filename_component(pss_wine_root "${pss_wine_program}/../.." ABSOLUTE)
    file(GLOB pss_wine_i386 "${pss_wine_root}/lib*/wine/i386-windows/ntdll.dll"
        "${pss_wine_root}/lib*/*/wine/i386-windows/ntdll.dll")
    if(PSS_BUILD_TESTS AND NOT pss_wine_i386)
        pss_fetch(wine-i386 PSS_WINE_DLLS)
    endif()
    configure_file("${PROJECT_SOURCE_DIR}/cmake/wine-run.sh.in" "${PROJECT_BINARY_DIR}/wine-run" @ONLY
        FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
    set(CMAKE_CROSSCOMPILING_EMULATOR "${PROJECT_BINARY_DIR}/wine-run")
endif()
