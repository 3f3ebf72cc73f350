#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds and tests every configuration: x64 and x86 under Wine, and the core natively with sanitizers. The last line
# sums up every test case; the exit status is not 0 when one failed or a configuration ran none.

set -eu
cd "$(dirname "$0")/.."
. scripts/packages.sh

need_packages $packages_windows $packages_native $packages_linkers $packages_debugger $packages_release $packages_flags

passed=0
failed=0
skipped=0
summary=
for preset in mingw-x64 mingw-x86 native; do
    printf '\n== %s\n' "$preset"
    results=build/$preset/results.xml
    rm -f "$results"
    workflow=0
    cmake --workflow --preset "$preset" </dev/null || workflow=$?
    set -- 0 0 0
    [ ! -e "$results" ] || set -- $(awk -f scripts/count-tests.awk "$results")
    note=
    if [ "$(($1 + $2))" -eq 0 ]; then
        note=' (no test ran)'
        set -- 0 1 "$3"
    elif [ "$workflow" -ne 0 ] && [ "$2" -eq 0 ]; then
        note=" (the workflow ended with $workflow)"
        set -- "$1" 1 "$3"
    fi
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
    summary="$summary$(printf '\n%-10s %5d passed, %d failed, %d skipped%s' "$preset" "$1" "$2" "$3" "$note")"
done

printf '%s\n\n' "$summary"
if [ "$skipped" -eq 0 ]; then
    printf '%d passed, %d failed\n' "$passed" "$failed"
else
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
fi
[ "$failed" -eq 0 ]
