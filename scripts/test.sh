#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds and tests every configuration: x64 and x86 under Wine, and the core natively with sanitizers. The last line
# sums up every test case; the exit status is not 0 when one failed or a configuration ran none.

set -eu
cd "$(dirname "$0")/.."
. scripts/packages.sh

need_packages $packages_windows $packages_native $packages_linkers $packages_debugger $packages_release $packages_flags

# Dependencies are fetched by one at a time. What fails here fails again, and is told then.
mkdir -p build
printf 'commit %s\ndate %s\n' "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" "$(date -u +%F)" >build/tested
for preset in native mingw-x64 mingw-x86; do
    rm -f "build/$preset/results.xml"
    cmake --preset "$preset" </dev/null >/dev/null 2>&1 || :
done

# Tests under Wine wait for one another: the native ones take what is idle meanwhile, in a session that can be ended. Where
# the kernel shares the processors out by session, it is the session that has to stand back.
setsid sh -c 'echo 19 >/proc/self/autogroup; exec nice -n 19 cmake --workflow --preset native' \
    </dev/null >build/native.log 2>&1 &
native=$!
trap 'kill -- "-$native" 2>/dev/null' EXIT
trap 'exit 1' INT TERM HUP
for preset in mingw-x64 mingw-x86; do
    printf '\n== %s\n' "$preset"
    status=0
    cmake --workflow --preset "$preset" </dev/null || status=$?
    echo "$status" >"build/$preset.status"
done
printf '\n== native\n'
status=0
wait "$native" || status=$?
echo "$status" >build/native.status
trap - EXIT
cat build/native.log

passed=0
failed=0
skipped=0
summary=
for preset in mingw-x64 mingw-x86 native; do
    results=build/$preset/results.xml
    workflow=$(cat "build/$preset.status")
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
