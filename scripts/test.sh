#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds and tests every configuration: x64 and x86 under Wine, and the core natively with sanitizers. The last line
# sums up every test case; the exit status is not 0 when one failed or a configuration ran none.

set -eu
begun=$(date +%s)
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

# Each configuration in a session of its own, which can be ended, and in its own Wine prefix. Tests under Wine wait for one
# another, and much of their time for something else. The native ones take what is idle meanwhile: where the kernel shares
# the processors out by session, it is the session that has to stand back.
start() {
    preset=$1
    shift
    setsid "$@" sh scripts/test-preset.sh "$preset" </dev/null >"build/$preset.log" 2>&1 &
    started="$started $!"
}
end_all() {
    for session in $started; do
        kill -- "-$session" 2>/dev/null || :
    done
}
started=
trap end_all EXIT
trap 'exit 1' INT TERM HUP
start mingw-x64
start mingw-x86
start native nice -n 19
set -- $started
for preset in mingw-x64 mingw-x86 native; do
    printf '\n== %s\n' "$preset"
    # The log is followed to its end; a signal is not kept waiting.
    tail -n +1 -s 0.2 -f --pid="$1" "build/$preset.log" &
    wait "$!" || :
    status=0
    wait "$1" || status=$?
    echo "$status" >"build/$preset.status"
    shift
done
trap - EXIT

passed=0
failed=0
skipped=0
summary=
times=
for preset in mingw-x64 mingw-x86 native; do
    results=build/$preset/results.xml
    status=$(cat "build/$preset.status")
    set -- 0 0 0
    [ ! -e "$results" ] || set -- $(awk -f scripts/count-tests.awk "$results")
    note=
    if [ "$(($1 + $2))" -eq 0 ]; then
        note=' (no test ran)'
        set -- 0 1 "$3"
    elif [ "$status" -ne 0 ] && [ "$2" -eq 0 ]; then
        note=" (a step ended with $status)"
        set -- "$1" 1 "$3"
    fi
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
    summary="$summary$(printf '\n%-10s %5d passed, %d failed, %d skipped%s' "$preset" "$1" "$2" "$3" "$note")"
    [ "$2" -eq 0 ] || [ ! -e "$results" ] ||
        summary="$summary$(sed -n 's/.*<testcase name="\([^"]*\)".* status="fail".*/ \1/p' "$results" | tr -d '\n')"
    times="$times$(awk -v preset="$preset" '{ text = text sprintf("  %s %d s", $1, $2) }
        END { printf "\n%-10s%s", preset, text }' "build/$preset.times")"
done

printf '%s\n\n' "$times"
printf 'all at once, with packages: %d s\n' "$(($(date +%s) - begun))"
printf '%s\n\n' "$summary"
if [ "$skipped" -eq 0 ]; then
    printf '%d passed, %d failed\n' "$passed" "$failed"
else
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
fi
[ "$failed" -eq 0 ]
