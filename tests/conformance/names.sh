#!/bin/sh
# SPDX-License-Identifier: MIT
# What docs/windows.md and the known differences name is there: tests, and the programs of the open questions.
#
#   names.sh SOURCE

set -eu
cd "$1"
bad=0

# is_test NAME
is_test() {
    grep -qE "^static void $1\\(" tests/api/*.c tests/conformance/open_*.c
}

for name in $(grep -ohE '(`|^test )test_[a-z0-9_]+' docs/windows.md tests/conformance/known-differences.txt |
    sed 's/^`//; s/^test //' | sort -u); do
    is_test "$name" || {
        printf 'there is no %s\n' "$name"
        bad=1
    }
done

# A star, if and only if the test leaves kernel32 out.
for name in $(grep -oE '`test_[a-z0-9_]+` \*' docs/windows.md | tr -d '` *' | sort -u); do
    cat tests/api/*.c | sed -n "/^static void $name(/,/^}/p" | grep -q only_ours || {
        printf '%s has a star, and runs with kernel32\n' "$name"
        bad=1
    }
done
for name in $(grep -oE '`test_[a-z0-9_]+`(, |  *\|)' docs/windows.md | grep -oE 'test_[a-z0-9_]+' | sort -u); do
    ! cat tests/api/*.c | sed -n "/^static void $name(/,/^}/p" | grep -q only_ours || {
        printf '%s has no star, and is skipped for kernel32\n' "$name"
        bad=1
    }
done

for program in $(sed -n 's/^pss_add_question(\(open_[a-z_]*\).*/\1/p; s/^foreach(question \(.*\))/\1/p' tests/conformance/CMakeLists.txt); do
    grep -q "\`${program#open_}\`\|\`open_${program#open_}\`" docs/windows.md || {
        printf 'docs/windows.md does not name %s\n' "$program"
        bad=1
    }
done
exit $bad
