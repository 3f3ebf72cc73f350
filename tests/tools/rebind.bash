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
