# SPDX-License-Identifier: MIT
# Functions for test programs and checks.
#
#   pss_add_test(NAME name SOURCES file... [API | STATIC | TRAP] [LIBS library...] [ARGS argument...] [TIMEOUT seconds]
#       [RESOURCE_LOCK lock...] [ENVIRONMENT NAME=value...])
#     A cmocka program bin/<name>, which is also the name of the ctest test. API links pss.dll as a client does;
#     STATIC (the default) links the library itself and sees its internal headers; natively that is the core. TRAP is
#     STATIC with everything built to trap on undefined behaviour, where the compiler can do that.
#   pss_add_program(NAME name SOURCES file... [API | STATIC | TRAP] [LIBS library...])
#     A helper program that tests start.
#   pss_add_foreign_program(NAME name SOURCES file... [LIBS library...])
#     A helper of the other bitness: bin/<name>.exe, built by the other MinGW compiler without pss.dll or cmocka.
#   pss_add_fuzzer(NAME name SOURCES file... CORPUS directory... [RUNS number])
#     Native only: a libFuzzer program; its test replays the corpora and then goes on for a number of runs.
#   pss_add_check(NAME name COMMAND command... [TIMEOUT seconds] [RESOURCE_LOCK lock...] [ENVIRONMENT NAME=value...])
#     A test that is a command; on success it passes, with exit status 77 it is skipped. One that runs programs
#     under Wine takes RESOURCE_LOCK wine.

# Ten times what the longest takes on an idle machine.
set(PSS_TEST_TIMEOUT 600)

if(TARGET pss AND CMAKE_CROSSCOMPILING_EMULATOR)
    # The prefix is made before the first program runs, and all that is left in it ends after the last one.
    add_test(NAME fixture_wine_start COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} cmd.exe /c exit 0)
    add_test(NAME fixture_wine_end COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} --end)
    set_tests_properties(fixture_wine_start PROPERTIES FIXTURES_SETUP wine TIMEOUT 900)
    set_tests_properties(fixture_wine_end PROPERTIES FIXTURES_CLEANUP wine TIMEOUT 300)
endif()

# Sets what all tests share from the caller's arg_TIMEOUT, arg_ENVIRONMENT and arg_RESOURCE_LOCK.
function(pss_set_test_properties name)
    set(timeout ${PSS_TEST_TIMEOUT})
    if(arg_TIMEOUT)
        set(timeout ${arg_TIMEOUT})
    endif()
    if(PSS_SOAK)
        math(EXPR timeout "${timeout} * 30")
        list(APPEND arg_ENVIRONMENT PSS_SOAK=1)
    endif()
    if(WIN32)
        # The wrapper gives up first, so that the log says so.
        math(EXPR inner "${timeout} - 10")
        list(APPEND arg_ENVIRONMENT PSS_TIMEOUT=${inner})
        # What is tested is this library, also where the system's own works.
        list(APPEND arg_ENVIRONMENT PSS_FORWARD=0)
        set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED wine)
    else()
        list(APPEND arg_ENVIRONMENT UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_stack_use_after_return=1)
    endif()
    set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout} SKIP_RETURN_CODE 77 ENVIRONMENT "${arg_ENVIRONMENT}")
    if(arg_RESOURCE_LOCK)
        set_tests_properties(${name} PROPERTIES RESOURCE_LOCK "${arg_RESOURCE_LOCK}")
    endif()
endfunction()

function(pss_add_program)
    cmake_parse_arguments(PARSE_ARGV 0 arg "API;STATIC;TRAP" "NAME" "SOURCES;LIBS")
    add_executable(${arg_NAME} ${arg_SOURCES})
    target_link_libraries(${arg_NAME} PRIVATE ${arg_LIBS} pss_warnings)
    target_link_options(${arg_NAME} PRIVATE "$<$<AND:$<BOOL:${WIN32}>,$<LINK_LANGUAGE:CXX>>:-static>")
    target_include_directories(${arg_NAME} PRIVATE "${PROJECT_SOURCE_DIR}/tests" "${PROJECT_SOURCE_DIR}/tests/support")
    if(arg_API)
        target_link_libraries(${arg_NAME} PRIVATE pss)
        return()
    endif()
    target_include_directories(${arg_NAME} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
    if(arg_TRAP AND TARGET trap_pss_static)
        target_link_libraries(${arg_NAME} PRIVATE trap_pss_static pss_trap_options)
    elseif(WIN32)
        target_link_libraries(${arg_NAME} PRIVATE pss_static)
    else()
        target_link_libraries(${arg_NAME} PRIVATE pss_core pss_options)
    endif()
endfunction()

function(pss_add_test)
    cmake_parse_arguments(PARSE_ARGV 0 arg "API;STATIC;TRAP" "NAME;TIMEOUT" "SOURCES;LIBS;ARGS;RESOURCE_LOCK;ENVIRONMENT")
    set(kind STATIC)
    if(arg_API)
        set(kind API)
    elseif(arg_TRAP)
        set(kind TRAP)
    endif()
    pss_add_program(NAME ${arg_NAME} SOURCES ${arg_SOURCES} LIBS ${arg_LIBS} cmocka::cmocka ${kind})
    add_test(NAME ${arg_NAME} COMMAND ${arg_NAME} ${arg_ARGS})
    if(WIN32)
        # Wine's server (8.0) crashes when a program starts while another one asks for the table of all handles.
        list(APPEND arg_RESOURCE_LOCK wine)
        list(APPEND arg_ENVIRONMENT "PSS_EXPECT=test(s) run.")
    endif()
    pss_set_test_properties(${arg_NAME})
endfunction()

function(pss_add_check)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;TIMEOUT" "COMMAND;RESOURCE_LOCK;ENVIRONMENT")
    add_test(NAME ${arg_NAME} COMMAND ${arg_COMMAND})
    pss_set_test_properties(${arg_NAME})
endfunction()

function(pss_add_foreign_program)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;LIBS")
    set(triplet i686-w64-mingw32)
    if(CMAKE_SIZEOF_VOID_P EQUAL 4)
        set(triplet x86_64-w64-mingw32)
    endif()
    find_program(PSS_FOREIGN_COMPILER NAMES ${triplet}-gcc-win32 ${triplet}-gcc REQUIRED)
    set(program "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${arg_NAME}.exe")
    list(TRANSFORM arg_SOURCES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" REGEX "^[^/]")
    list(TRANSFORM arg_LIBS PREPEND "-l")
    file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/support/*.h" "${PROJECT_SOURCE_DIR}/include/*.h")
    add_custom_command(OUTPUT "${program}"
        COMMAND ${PSS_FOREIGN_COMPILER} -std=c11 -O2 -w -Wl,--no-insert-timestamp "-I${PROJECT_SOURCE_DIR}/tests"
            "-I${PROJECT_SOURCE_DIR}/tests/support" "-I${PROJECT_SOURCE_DIR}/include"
            -o ${program} ${arg_SOURCES} ${arg_LIBS}
        DEPENDS ${arg_SOURCES} ${headers} VERBATIM)
    add_custom_target(${arg_NAME} ALL DEPENDS "${program}")
endfunction()

function(pss_add_fuzzer)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;RUNS" "SOURCES;CORPUS")
    pss_add_program(NAME ${arg_NAME} SOURCES ${arg_SOURCES} STATIC)
    target_link_options(${arg_NAME} PRIVATE -fsanitize=fuzzer)
    if(NOT arg_RUNS)
        set(arg_RUNS 100000)
    endif()
    list(TRANSFORM arg_CORPUS PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
    set(seconds 8)
    if(PSS_SOAK)
        set(seconds 20)
    endif()
    # New findings go to a scratch corpus; the committed ones are only read.
    set(scratch "${CMAKE_CURRENT_BINARY_DIR}/${arg_NAME}-corpus")
    file(MAKE_DIRECTORY "${scratch}")
    add_test(NAME ${arg_NAME} COMMAND ${arg_NAME} -runs=${arg_RUNS} -max_total_time=${seconds} -seed=1 -timeout=100 -error_exitcode=1
        -artifact_prefix=${arg_NAME}- "${scratch}" ${arg_CORPUS})
    pss_set_test_properties(${arg_NAME})
endfunction()
