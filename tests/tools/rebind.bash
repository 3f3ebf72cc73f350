# SPDX-License-Identifier: MIT
# Helpers of the tests of `pss rebind`: programs that import the API from kernel32, and readers of PE files that are not
# ours.
#
# Sourced with the arguments of cli.bash, then PROGRAMS, the directory with the programs of x64 and x86.

programs=$6
. "$(dirname "${BASH_SOURCE[0]}")/cli.bash"

own=x64 other=x86
[ "$pointer_size" -eq 8 ] || own=x86 other=x64

# A path of ours as Windows programs see it.
windows_path()
{
    printf 'Z:%s' "$1" | tr / '\\'
}

# run_at DIRECTORY PROGRAM ARGUMENT...: runs a program of that directory in it.
run_at()
{
    local directory=$1
    shift
    command="$*, in $directory"
    out=$(cd "$directory" && "$emulator" "$@" 2>"$scratch/err")
    status=$?
    out=${out//$'\r'/}
    err=$(cat "$scratch/err")
}

expect_works()
{
    expect_status 0
    expect_out '^works$'
}

# fresh NAME [MACHINE]: makes a directory with that program alone, and sets $at to it.
fresh()
{
    at=$(mktemp -d "$scratch/fresh-XXXXXX")
    cp "$programs/${2:-$own}/$1" "$at"
}

expect_unchanged()
{
    check "$1 is unchanged" cmp -s "$at/$1" "$programs/${2:-$own}/$1"
    check "no other file is there" test "$(ls "$at")" = "$1"
}
