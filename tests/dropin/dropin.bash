# SPDX-License-Identifier: MIT
# The programs of this directory, each with the arguments that make it use the API, and how they are run.
#
# Sourced with the arguments of ../tools/cli.bash, then PROGRAMS (the directory with x64 and x86) and the MACHINE whose
# programs are meant.

programs=$6 machine=$7
. "$(dirname "${BASH_SOURCE[0]}")/../tools/cli.bash"

other=x86
[ "$machine" = x64 ] || other=x64
windows_directory="Z:${programs//\//\\}\\$machine"

# One line for each way to use the API.
cases=(
    'dropin_static'
    'dropin_apiset'
    'dropin_delay'
    'dropin_mixed'
    'dropin_linked'
    'dropin_cpp'
    'dropin_late dropin_dll.dll'
    "dropin_late $windows_directory\\dropin_dll.dll 0x8"
    "dropin_late $windows_directory\\dropin_dll.dll 0x100"
    "dropin_late $windows_directory\\dropin_dll.dll 0x1100"
    'dropin_lookup kernel32.dll'
    'dropin_lookup kernelbase.dll'
    'dropin_lookup api-ms-win-core-processsnapshot-l1-1-0.dll'
    'dropin_lookup kernel32.dll ntdll'
    'dropin_lookup kernelbase.dll ntdll'
    'dropin_parent dropin_static.exe'
    'dropin_parent dropin_late.exe dropin_dll.dll'
)

# run_here PROGRAM ARGUMENT...: in the programs' directory; PROGRAM is a path or a name there.
run_here()
{
    run_at "$programs/$machine" "$@"
}

expect_fails()
{
    check "does not work" test "$status" -ne 0
    expect_no_out works
}
